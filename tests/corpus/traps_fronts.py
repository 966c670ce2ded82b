"""Traps: what is read now is overwritten later, as lengths, lists, branches and exchanges say."""

from __future__ import annotations

import numpy as np

import retrograd as rg
from corpus.entry import in_place, normal, program, weighed

X = normal(6)
P = np.array([0, 1, 2, 3])


@in_place((X, 5), (X, 0), argnums=(0,))
def length_of_a_list(x, n):
    u = x.copy()
    ys = [x[0]]
    s = 0.0
    for t in range(n):
        s += u[len(ys)] ** 2
        for j in range(len(ys) + 1, 6):
            u[j] = np.sin(u[j]) + 0.1
        if u[t] > 0:
            ys.append(u[t])
    return s + weighed(u)


@in_place((X, 4), (X, -3), argnums=(0,))
def length_of_a_list_that_shrinks(x, n):
    u = x.copy()
    ys = [x[0], x[1], x[2], x[3]]
    s = 0.0
    for _ in range(n):
        s += u[len(ys)] ** 2
        u[len(ys) + 1] = np.sin(u[len(ys)])
        ys.pop()
    return s + weighed(u)


@in_place((X,))
def length_of_what_was_written(x):
    u = x.copy()
    s = 0.0
    for t in range(4):
        for i in range(5):
            m = len(u[u > 0.1 * i + 0.01])
            s += u[i] ** 2
            for j in range(m, i):
                u[j] = np.sin(u[j]) + u[i] * t
    return s + weighed(u)


@in_place((X, P), argnums=(0,))
def length_of_chosen_indices(x, p):
    u = x.copy()
    s = 0.0
    for t in range(4):
        m, k = len(p[p > t]), len(p[p < t])
        s += u[m] ** 2 * u[k]
        for j in range(m + 1, 6):
            u[j] = np.sin(u[j]) + s * 0.1
    return s + weighed(u)


@in_place((X, 5), (X, 2), (X, 0), argnums=(0,))
def length_from_the_iteration_before(x, n):
    u = x.copy()
    s = 0.0
    y = x[:0]
    for _ in range(n):
        s += u[len(y)] ** 2
        for j in range(len(y) + 1, 6):
            u[j] = np.sin(u[j]) + 0.3
        y = x[x > s - 0.5][:5]
    return s + weighed(u)


@in_place((X, 4), (X, 2), (X, 0), argnums=(0,))
def counter_that_jumps(x, n):
    u = x.copy()
    s = 0.0
    k = 0
    while k < n:
        s += u[k] ** 2
        u[k + 1] = np.sin(u[k] + s)
        k += 1 + k % 2
        u[k - 1] *= 0.5
    return s + weighed(u)


@in_place((X, 1), (X, -1), (X, 2), argnums=(0,))
def step_of_either_sign(x, d):
    u = x.copy()
    s = 0.0
    k = 3
    for _ in range(3):
        s += u[k] ** 2
        u[k - d] = np.sin(u[k])
        k = (k + d) % 6
    return s + weighed(u)


@in_place((X, 4), (X, 6), (X, 1), argnums=(0,))
def read_from_the_back_written_from_the_front(x, n):
    u = x.copy()
    s = 0.0
    for t in range(n):
        s += u[n - 1 - t] ** 3
        u[t] = np.sin(u[t] + s)
    return s + weighed(u)


@in_place((X, 5), (X, 2), argnums=(0,))
def exchanged_sometimes(x, n):
    u = x.copy()
    w = np.sin(x)
    s = 0.0
    for t in range(n):
        s += u[t] ** 2 * w[t]
        for j in range(t + 1, 6):
            w[j] = np.sin(u[j]) + 0.2
        if s > 0.4:
            u, w = w, u
    return s + weighed(u * w)


@in_place((X, X[::-1].copy(), 4), argnums=(0, 1))
def bound_to_a_copy_in_a_branch(x, z, n):
    """`u[t]` is overwritten by none, and lost with the array that held it."""
    u = x.copy()
    s = 0.0
    for t in range(n):
        u[t] = np.sin(u[t] * x[t])
        s += u[t] * u[t] * z[t]
        if z[t] > 0.1:
            u = z.copy()
    return s + weighed(u)


@in_place((X, X[::-1].copy(), 4), argnums=(0, 1))
def kept_by_a_name_sometimes(x, z, n):
    w = x.copy()
    s = 0.0
    for t in range(n):
        u = z * (t + 1)
        u[0] = np.sin(u[1])
        s += u[0] * w[0] * u[0]
        if z[t] > 0.1:
            w = u
    return s + weighed(w * w)


@in_place((X, 5), (X, 1), argnums=(0,))
def checkpointed_with_computed_bounds(x, n):
    u = x.copy()
    s = 0.0
    for t in rg.checkpointed(range(n), snapshots=2):
        m = len(x[x > 0.2 * t + 0.01])
        s += u[m - 1] ** 2
        for i in range(m, 6):
            for j in range(i):
                u[j] = np.sin(u[j] * u[i]) + 0.1
    return s + weighed(u)


@program((X, 3), (X, 5), (X, -1), argnums=(0,))
def four_loops_in_each_other(x, n):
    s = 0.0
    for i in range(n):
        for j in range(i, n):
            for k in range(i, j + 1):
                for m in range(k, j):
                    s = np.sin(s + x[m] * x[k])
    return s


@program((X, 3), (X, 5), (X, 0), argnums=(0,))
def wedge_and_its_mirror(x, n):
    """Counts that become negative, where the loops do not run."""
    s = 0.1
    for i in range(n):
        for j in range(i, n - i):
            s = np.sin(s * x[j]) + x[i]
        for j in range(n - i, i):
            s = np.cos(s * x[j]) + x[i]
    return s


@in_place((X, 2), (X, 4), (X, 1), argnums=(0,))
def helper_that_binds_its_index_anew(x, n):
    def damp(q, m):
        for j in range(m, len(q)):
            q[j] = np.sin(q[j]) * 0.9
        m = 0
        q[m] *= 0.7

    u = x.copy()
    s = 0.0
    for t in range(n):
        s += u[t] ** 2
        damp(u, t + 1)
        damp(u[t:], 1)
        s += u[t] ** 3
    return s + weighed(u)


@in_place((X, 5), (X, 2), (X, 0), argnums=(0,))
def rows_exchanged_by_size(x, n):
    A = np.outer(x, np.cos(x))
    s = 0.0
    for t in range(n):
        p = t
        for i in range(t + 1, 6):
            if abs(A[i, t]) > abs(A[p, t]):
                p = i
        for j in range(6):
            A[t, j], A[p, j] = A[p, j], A[t, j]
        for i in range(t + 1, 6):
            f = A[i, t] / (A[t, t] + 3)
            for j in range(t, 6):
                A[i, j] -= f * A[t, j]
        s += A[t, t] ** 2
    return s + weighed(A)


@in_place((X, 3), (X, 5), argnums=(0,))
def left_early_on_both_levels(x, n):
    u = x.copy()
    s = 0.0
    for t in range(n):
        s += u[t] ** 3
        for j in range(t + 1, 6):
            u[j] = np.sin(u[j] + u[t])
            if u[j] > 0.8:
                break
        if s > 1.2:
            break
    return s + weighed(u)
