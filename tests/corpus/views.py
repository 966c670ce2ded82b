"""Views that are written through, read afterwards, exchanged and carried around."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, weighed

X, M = normal(6), normal(4, 4)


@in_place((M,))
def row_held_and_written(A):
    A = A.copy()
    row = A[1]
    row[2] = row[0] * row[1]
    row *= A[2]
    A[1, 0] += row[3]
    return A


@in_place((X,))
def view_of_a_view(x):
    x = x.copy()
    inner = x[1:]
    deeper = inner[::2]
    deeper[1] *= inner[0]
    inner[1] = deeper[0] * deeper[2]
    deeper += x[:3]
    return x


@in_place((X,))
def view_read_after_its_base_was_written(x):
    x = x.copy()
    v = x[2:5]
    x[3] = x[0] * x[0]
    s = np.sum(v * v)
    x[2:] *= 2.0
    return s + weighed(v) * weighed(x)


@in_place((X,))
def base_read_after_its_view_was_written(x):
    x = x.copy()
    v = x[::-1]
    v[0] = v[5] * v[1]
    v[1:] += x[:5]
    return x


@in_place((M,))
def transposed_and_written(A):
    A = A.copy()
    T = A.T
    T[0] = A[1] * T[2]
    T[1:, 3] *= 2.0
    A[2] += T[2]
    return T


@in_place((M,))
def reshaped_and_written(A):
    A = A.copy()
    flat = A.reshape(-1)
    flat[::5] = np.sin(flat[::5])
    ravelled = A.ravel()
    ravelled[3:6] *= ravelled[:3]
    blocks = flat.reshape(2, 2, 4)
    blocks[1, 0] += A[0]
    return A


@in_place((M,))
def ravel_of_a_transpose_is_a_copy(A):
    A = A.copy()
    flat = A.T.ravel()
    flat[2:] *= flat[:-2]
    A[0] = flat[:4]
    return weighed(A) + weighed(flat)


@in_place((M,))
def diagonal_through_a_flat_view(A):
    A = A.copy()
    A.reshape(-1)[::5] += 2.0
    A.T[1:, 0] = A[1:, 0] ** 2
    return A


@in_place((X,))
def advanced_indexing_is_a_copy(x):
    x = x.copy()
    part = x[np.array([0, 2, 4])]
    part *= x[1]
    mask = x[x > -5.0]
    mask[0] = 7.0
    x[0] = part[1]
    return weighed(x) + weighed(part) + weighed(mask * mask)


@in_place((X, 0.5))
def two_views_that_overlap(x, a):
    x = x.copy()
    left, right = x[:-1], x[1:]
    left += a * right
    right *= left
    left[2] = right[1] * a
    return x


@in_place((X, 0.5))
def overlapping_right_side(x, a):
    y = x.copy()
    y[1:] = y[:-1] * y[1:]
    y[:-2] += a * y[2:]
    y[::2] = y[1::2] - y[::2]
    y[:] = y[::-1] * y
    for k in range(1, 5):
        y[:k] += a * y[k - 1::-1]
    return y


@in_place((M,))
def overlap_of_rows_and_columns(A):
    A = A.copy()
    A[0] = A[:, 0] * A[0]
    A[1:, 1:] = A[:-1, :-1] + A[1:, 1:] * A[:-1, 1:]
    A[:] = A.T * A
    return A


@in_place((X, 3), (X, 4), (X, 0), argnums=(0,))
def double_buffering(x, n):
    now, after = x.copy(), np.zeros(6)
    for t in range(n):
        after[1:-1] = np.sin(now[:-2] * now[2:]) + now[1:-1]
        after[0], after[-1] = now[-1], now[0]
        now, after = after, now
    return weighed(now) + weighed(after * after)


@in_place((X, 4), argnums=(0,))
def buffers_exchanged_in_a_branch(x, n):
    u, w = x.copy(), np.cos(x)
    for t in range(n):
        u[t] = u[t] * w[t + 1]
        if u[t] > 0.1:
            u, w = w, u
        w[t + 1] += u[t] ** 2
    return weighed(u) + weighed(w * w)


@in_place((M, 3), argnums=(0,))
def rows_of_one_array_as_buffers(A, n):
    """The current row alternates between the first two."""
    A = A.copy()
    for t in range(n):
        A[(t + 1) % 2] = np.sin(A[t % 2]) * A[2]
        A[2, t] += A[(t + 1) % 2, 3]
    return A


@in_place((X,))
def several_names_for_one_array(x):
    a = x.copy()
    b = a
    c = b[1:]
    a[1] = 2 * x[0]
    b[2] = c[0] * a[0]
    c[3] += b[2]
    b = b * 1.0
    b[0] = 9.0
    return weighed(a) * weighed(c) + weighed(b)


@in_place((X, 3), argnums=(0,))
def name_rebound_in_the_loop(x, n):
    y = x.copy()
    for t in range(n):
        z = y
        z[t] = z[t + 1] * 2.0
        y = np.sin(y)
        y[0] += z[t]
    return y


@in_place((X, 3), argnums=(0,))
def view_carried_around_a_loop(x, n):
    """A window that moves along the array and is written through."""
    x = x.copy()
    for t in range(n):
        window = x[t:t + 3]
        window[1] = window[0] * window[2]
        window += 0.1 * window[::-1]
    return x


@in_place((X, 2), argnums=(0,))
def view_kept_across_a_loop(x, n):
    x = x.copy()
    tail = x[3:]
    for t in range(n):
        x[t + 3] *= x[t]
        tail[2] += x[t + 3]
    return weighed(tail) + weighed(x * x)


@in_place((X,))
def view_live_across_a_whole_store(x):
    y = x * 2.0
    v = y[1:4]
    before = v.copy()
    y[:] = np.sin(y) * x[::-1]
    return weighed(v * before) + weighed(y)


@in_place((M,))
def column_passed_to_a_helper(A):
    A = A.copy()
    for j in range(1, 4):
        normalise(A[:, j], A[:, j - 1])
    return A


def normalise(v, w):
    v -= (v @ w) * w
    v /= np.sqrt(v @ v)


@in_place((M,))
def expanded_and_squeezed(A):
    A = A.copy()
    wide = A[:, np.newaxis, :]
    wide[1, 0] *= 3.0
    one = A[2:3]
    one.reshape(4)[1] = A[0, 0]
    np.squeeze(one, axis=0)[2] += A[3, 3]
    return A


@in_place((M,))
def iterated_rows_are_views(A):
    A = A.copy()
    for row in A:
        row[0] = row[1] * row[2]
        row /= np.sum(row * row)
    return A


@in_place((M, positive(4)))
def zipped_rows_are_views(A, w):
    A = A.copy()
    B = np.ones((4, 4))
    for a, b, s in zip(A, B, w):
        b[1:] = a[:-1] * s
        a *= b[1]
    return weighed(A) + weighed(B * B)


@in_place((X,))
def unpacked_views(x):
    A = x.reshape(2, 3).copy()
    first, second = A
    first += second
    second *= first
    (a, b, c), d = A
    return a * b + c * weighed(d)


@in_place((X, True), (X, False), argnums=(0,))
def view_written_in_a_branch(x, flag):
    y = x.copy()
    v = y[2:]
    if flag:
        v[0] = v[1] * 3.0
        y[3] = v[0] + 1.0
    else:
        y[2:4] *= y[0]
    return weighed(v) * weighed(y)


@in_place((normal(4, 4), 0.3))
def elements_through_other_shapes(A, c):
    A = A.copy()
    flat = A.reshape(-1)
    for k in range(1, flat.size):
        flat[k] += c * flat[k - 1] * flat[k]
    B = A.reshape(2, 2, 4)
    B[1, -1, 2] = B[0, 1, 3] * c
    for i in range(2):
        B[i, 0, i] *= A[i, i]
    return np.sum(A * A) + flat[5]
