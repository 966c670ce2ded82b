"""Traps: loops whose bounds are known only while the program runs, or depend on each other."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, program

X = normal(6)


@program((X, 4), (X, 0), (X, -2), argnums=(0,))
def three_loops_of_which_each_starts_at_the_last(x, n):
    """The innermost loop is longest where the indices around it are smallest."""
    s = 0.0
    for i in range(n):
        for j in range(i, n):
            for k in range(j, n):
                s = np.sin(s * x[k]) + x[i] * x[j]
    return s


@program((X, 6, 2), (X, 2, -1), (X, -2, 1), (X, 0, -3), argnums=(0,))
def inner_count_falls_by_an_argument(x, m, k):
    s = 0.0
    for i in range(3):
        for j in range(m - i * k):
            s = np.sin(s * x[j]) + x[i]
    return s


@program((X, 1), (X, 5), (X, -1), (X, -3), argnums=(0,))
def inner_start_is_a_multiple_of_an_argument(x, k):
    s = 0.1
    for i in range(3):
        for j in range(i * k, 3):
            s = np.sin(s * x[j % 6]) + x[i]
    return s


@program((X, 5), (X, 2), (X, -1), argnums=(0,))
def inner_count_falls_and_rises(x, n):
    s = 0.0
    for i in range(n):
        for j in range((i - 3) * (i - 4)):
            s = np.sin(s * x[j % 6]) + x[i]
    return s


@in_place((X, 6), (X, 1), argnums=(0,))
def blocks_of_half_the_rest(x, n):
    """Counts that are rounded down, of rows that are stored."""
    u = x.copy()
    s = 0.0
    for i in range(n):
        for j in range(i, (n + i) // 2):
            u[j] = np.sin(u[j] * u[i])
            s += u[j] * u[j]
            for k in range((n - j) // 2):
                s = s * np.cos(u[k])
    return s + np.sum(u)


@in_place((X, 5, 1), (X, 3, -2), (X, 0, 0), argnums=(0,))
def bound_from_a_restored_array(x, n, k):
    """How often the inner loop ran is counted again in an array that is being restored."""
    u = np.sin(x)
    s = 0.1
    for _ in range(n):
        m = len(u[u < s])
        for j in range(4, m, -2):
            s = np.sin(s + 0.4 * u[j - 1])
        u[k] = np.sin(u[k]) + 0.2
    return s + np.sum(u)


@in_place((X, 0), (X, 3), (X, -2), (X, 6), (X, 9), argnums=(0,))
def slice_of_one_element_or_none(x, k):
    """`x[-1:0]` and `x[9:10]` are empty."""
    s = np.sum(x[k:k + 1] ** 2)
    for t in range(k - 2, k + 2):
        v = x[t - 1:t]
        s += np.sum(v * v * v)
    u = x.copy()
    u[k:k + 1] *= x[0]
    return s + u
