"""Traps: in-place programs on which compilers of adjoints have been silently wrong."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, weighed

X = normal(5)


@in_place((X, positive(5)))
def wraps_around_at_the_first_index(x, f):
    """At i = 0 the element read is the last one, which is written later."""
    u = x.copy()
    for i in range(5):
        u[i] = u[i - 1] * f[i] + np.sin(u[i])
    return u


@in_place((X, X[::-1].copy(), 3), (X, X[::-1].copy(), 4), argnums=(0, 1))
def loop_that_only_swaps(u, w, n):
    u, w = u.copy(), w.copy()
    u[1] = u[0] * w[0]
    for _ in range(n):
        u, w = w, u
    u[0] = w[1] ** 2
    return weighed(u * u) + weighed(w)


@in_place((X, 0.2), (X, -0.2), argnums=(0,))
def consumed_in_both_arms(x, a):
    u = x.copy()
    u[1] = u[0] ** 2
    if a > 0:
        u[1] = u[1] * u[2]
    else:
        u[2] = u[1] * u[1]
    return u * u


@in_place((X, 3), argnums=(0,))
def copy_that_must_stay(x, n):
    u = x.copy()
    w = np.zeros(5)
    for i in range(n):
        u[i] = u[i + 1] * u[i]
        w = u.copy()
        u[i + 1] += w[i] ** 2
    return weighed(w * u)


@in_place((X, 1.0), (X, -1.0), argnums=(0,))
def view_leaves_a_branch(x, flag):
    """A view from before, a copy of it from one arm, new memory from the other."""
    w = x.copy()
    saved = w[1:-1]
    if flag > 0:
        w[1] = w[0] * w[2]
        kept = saved.copy()
    else:
        kept = saved * saved
    w[2] = w[0] * w[4]
    kept[1] *= w[2]
    return weighed(saved * saved) * w[3] + weighed(kept)


@in_place((X, 3), argnums=(0,))
def restored_and_final_on_one_array(x, n):
    """The first half of the array is final, the second is overwritten in each step."""
    u = x.copy()
    for t in range(1, n):
        u[t] = np.sin(u[t - 1]) * u[t]
        u[4] = u[4] * u[t]
        u[3] = np.exp(u[4]) + u[3] * u[t]
    return u


@in_place((X, 4), argnums=(0,))
def fresh_array_in_every_step(u, n):
    u = u.copy()
    for t in range(n):
        un = np.zeros(5)
        un[1:] = np.sin(u[:-1]) + 0.5 * u[1:]
        un[0] = np.cos(u[4]) * u[0]
        u = un
    return u


@in_place((X, 4), argnums=(0,))
def loaded_then_cleared(x, n):
    """The saved element is no longer there when the reverse sweep asks for it."""
    u = x.copy()
    total = 0.0
    for i in range(n):
        old = u[i]
        u[i] = 0.0
        total += old * old * u[i + 1]
        u[i + 1] += old
    return total + weighed(u)


@in_place((X, 3), argnums=(0,))
def outer_value_loaded_inside(x, n):
    u = x.copy()
    k = u[1] * u[2]
    total = 0.0
    for t in range(n):
        total += np.sin(k) * u[1] * u[t]
        for j in range(t):
            total = total * k + u[2]
    u[1] = total
    return weighed(u)


@in_place((X, 3), argnums=(0,))
def carried_from_an_array_read_inside(a, n):
    x = a
    for t in range(n):
        x = x * a[t] + np.sin(a)
    return weighed(x) + a[0]


@in_place((X, 3), argnums=(0,))
def names_like_temporaries(x, n):
    t_bar = x.copy()
    x_bar = 0.0
    for t in range(n):
        t_bar[t] = t_bar[t + 1] * t_bar[t]
        x_bar += t_bar[t] * t
        old = t_bar[0]
    return x_bar * old + weighed(t_bar)


@in_place((X, X + 1))
def augmented_product_of_arrays(a, b):
    a, b = a.copy(), b.copy()
    c = a * b
    a *= b
    b += a * c
    a[1:] *= (a * b)[:-1]
    c *= c
    return weighed(a) + weighed(b) + weighed(c)


@in_place((X, 0.3))
def many_contributions(x, a):
    y = x.copy()
    z = y[0] * x + y[1] * x + a * x
    y[0] = z[0] + z[1] * x[0]
    y[1:] += x[1:] * z[:-1] + x[:-1] * z[1:] + x[0] * x[1]
    return weighed(y * x) + weighed(z)


@in_place((normal(4, 4),))
def column_and_row_under_one_name(A):
    A = A.copy()
    line = A[:, 0]
    s = np.sum(line * line)
    line = A[0]
    line[1] = s
    s += np.sum(line)
    line = A[:, 2] * 1.0
    line[0] = s
    return weighed(line) + weighed(A)


@in_place((X,))
def overlap_after_lowering(x):
    u = x.copy()
    u[1:] = u[:-1] * u[1:]
    u[:-1] = u[1:] * u[:-1]
    u[1:-1] += u[2:] - u[:-2]
    return u


_SAME = normal(4)


@in_place((_SAME,))
def helper_given_one_array_twice(x):
    def f(u, v):
        u[1:] += u[:-1] * v[1:]
        return u * v

    y = x.copy()
    return f(y, y)


@in_place((X, 4), argnums=(0,))
def written_only_sometimes(x, n):
    u = x.copy()
    best = u[0]
    where = np.zeros(5)
    for i in range(1, n):
        u[i] = u[i] + 0.5 * u[i - 1]
        if u[i] > best:
            best = u[i] * 1.1
            where[i] = best
    return best * weighed(u) + weighed(where)


@in_place((X, 2), (X, 1), argnums=(0,))
def array_rebound_only_sometimes(x, n):
    u = x.copy()
    for i in range(4):
        if i % n == 0:
            u = np.sin(u)
        u[i] = u[i + 1] * 2
    return u


@in_place((X, True), (X, False), argnums=(0,))
def stored_in_one_branch_read_in_another(x, flag):
    u = x.copy()
    total = 0.0
    for i in range(4):
        if (i % 2 == 0) == flag:
            u[i + 1] = u[i] * u[i + 1]
        else:
            total += u[i] ** 2 * u[i + 1]
    return total + u[4]


@in_place((X, 2.0))
def written_after_the_last_read(x, a):
    u = x.copy()
    total = np.sum(u * u) * a
    u[:] = np.exp(a) * u
    u[2] = 1e3 * a
    return total


@in_place((X, 2.0), expected=[(np.zeros(5), 14.0)])
def written_before_it_is_read(x, a):
    x[:] = a
    x[2] = a * a
    return np.sum(x * np.array([1.0, 2.0, 3.0, -1.0, 0.0]))


@in_place((X,), expected=[(np.array([0.0, 0.0, 0.0, 1.0, 2.0]),)])
def overwritten_by_a_loop(x):
    for i in range(3):
        x[i] = 1.0
    return x[0] + x[1] * x[2] + x[3] + 2 * x[4]


@in_place((np.array([4.0, 0.0, 1.0]),), expected=[(np.array([0.25, 0.0, 0.5]),)])
def root_of_zero_masked_by_a_store(x):
    y = np.sqrt(x)
    y[x == 0] = 0.0
    return np.sum(y)


@in_place((np.array([4.0, 0.0, 1.0]),), expected=[(np.array([0.25, 0.0, 0.5]),)])
def root_of_zero_stored_in_a_branch(x):
    y = np.zeros(3)
    for i in range(3):
        if x[i] > 0:
            y[i] = np.sqrt(x[i])
    return np.sum(y)


@in_place((np.array([4.0, 0.0, 1.0]),), expected=[(np.array([0.25, 0.0, 0.5]),)])
def root_of_zero_overwritten(x):
    y = np.sqrt(x)
    for i in range(3):
        if x[i] == 0:
            y[i] = 5.0
    return np.sum(y)


@in_place((np.array([4.0, 0.0, 1.0]),), expected=[(np.array([0.25, 0.0, 0.5]),)])
def root_of_zero_chosen_away(x):
    y = np.empty(3)
    y[:] = np.where(x > 0, np.sqrt(x), 0.0)
    return np.sum(y)


@in_place((X, 3), argnums=(0,))
def diagonal_recurrence(x, n):
    """Row and column of the same matrix: every element is written exactly once."""
    A = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            A[i, j] = x[i] * x[j]
            if i > 0 and j > 0:
                A[i, j] += np.sin(A[i - 1, j - 1]) * A[i, j - 1]
    return A


@in_place((X, 3), argnums=(0,))
def written_twice_in_one_iteration(x, n):
    u = x.copy()
    for t in range(n):
        u[t] = u[t] * u[t + 1]
        u[t] = np.sin(u[t]) + u[t + 2] * u[t]
        u[t + 1] = u[t] * u[t + 1]
    return u


@in_place((X, 4), argnums=(0,))
def descending_and_ascending(x, n):
    """The second loop overwrites what the first loop needed."""
    u = x.copy()
    for i in range(n, 0, -1):
        u[i] = u[i] * u[i - 1]
    for i in range(n):
        u[i] = np.cos(u[i + 1]) * u[i]
    return u


@in_place((X, 2, 1), (X, 1, 3), argnums=(0,))
def indices_from_arguments(x, i, j):
    u = x.copy()
    u[i] = u[j] ** 2
    u[j] = u[i] * u[j - 2]
    u[i - j] += u[j]
    return u


@in_place((X, 0), (X, 3), argnums=(0,))
def work_array_made_in_the_loop(x, n):
    total = 0.0
    for t in range(n):
        work = np.empty(3)
        for k in range(3):
            work[k] = x[k] * x[k + 1] + t
            if k > 0:
                work[k] *= work[k - 1]
        total += work[2] * total + work[0]
    return total


@in_place((X, 3), argnums=(0,))
def work_array_made_outside(x, n):
    """Everything that a step reads it has written itself, but in the same memory."""
    work = np.empty(3)
    total = 1.0
    for t in range(n):
        work[0] = total * x[t]
        for k in range(1, 3):
            work[k] = np.sin(work[k - 1]) + x[k]
        total = work[2] * work[1] + work[0] ** 2
    return total


@in_place((X, 3), argnums=(0,))
def state_stored_by_a_growing_while(x, n):
    u = x.copy()
    k = 0
    while np.sum(u * u) > 0.05 and k < n:
        j = 0
        while j < 4:
            u[j] = 0.5 * np.sin(u[j]) * u[j + 1] + 0.3 * u[j]
            j += 1
        k += 1
    return u


@in_place((np.arange(1.0, 7.0), np.array([2.5, 3.5, 4.5, 5.5])), argnums=(0,))
def bounds_that_an_iteration_computes(x, c):
    """`A[m]` is overwritten in a later iteration, whose m is smaller."""
    A = x.copy()
    s = 0.0
    for t in range(len(c)):
        m = 6 - len(x[x > c[t]])
        m = len(x) - m
        s += A[m] ** 2 * 0.5
        for j in range(m + 1, len(A)):
            A[j] = np.sin(A[j]) + 1.0
    return s + np.sum(A)


@in_place((np.arange(1.0, 7.0), np.array([2.5, 3.5, 4.5, 5.5])), argnums=(0,))
def bounds_that_are_lengths(x, c):
    A = x.copy()
    s = 0.0
    for t in range(len(c)):
        m = len(x[x > c[t]])
        s += A[m] ** 2 * 0.5
        for j in range(m + 1, len(A)):
            A[j] = np.sin(A[j]) + 1.0
    return s + np.sum(A)
