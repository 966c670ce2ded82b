"""Slices and elements that are written and read through views of another shape."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, weighed

X, M, N = normal(6), normal(4, 4), normal(4, 6)
CUBE = normal(2, 3, 4)


@in_place((M, 3), argnums=(0,))
def slices_of_a_flat_view_in_a_loop(A, n):
    A = A.copy()
    flat = A.reshape(-1)
    for k in range(n):
        flat[k::5] = np.sin(flat[k::5]) * A[0, k]
        A[k] += flat[3:7]
    return A


@in_place((M, 3), argnums=(0,))
def blocks_and_base_in_turns(A, n):
    A = A.copy()
    B = A.reshape(2, 2, 4)
    for k in range(n):
        B[1, :, ::2] *= A[0, 0]
        A[k, 1] += B[0, 1, 2] * B[1, 0, k]
        B[:, 0] -= 0.1 * A[1:3]
    return weighed(A) + weighed(B * B)


@in_place((N,))
def flat_view_with_negative_steps(A):
    A = A.copy()
    flat = A.ravel()
    flat[::-3] = flat[:8] * flat[1:9]
    flat[-2:2:-4] += A[1, :5]
    flat[5::-1] *= flat[6:12]
    return A


@in_place((N, 2), argnums=(0,))
def rows_of_a_slice_in_one(A, n):
    """A slice of rows is one piece of memory, so its reshape is a view."""
    A = A.copy()
    for k in range(n):
        part = A[k:k + 2].reshape(-1)
        part[1::3] *= part[::3]
        part[0] += A[3, k]
        A[k, 5] = part[7] ** 2
    return A


@in_place((N,))
def last_rows_in_blocks(A):
    A = A.copy()
    blocks = A[1:].reshape(3, 2, 3)
    blocks[:, 1, ::-1] += np.cos(blocks[:, 0])
    blocks[1] *= A[0, 0]
    A[2, 2:4] = blocks[0, 1, :2] * blocks[2, 0, 1:]
    return A


@in_place((N,))
def one_row_in_a_block(A):
    A = A.copy()
    for k in range(4):
        block = A[k].reshape(2, 3)
        block[1] = block[0] * block[1, ::-1]
        block[:, 0] *= A[k, 2]
    return A


@in_place((N,))
def columns_in_one_are_a_copy(A):
    """What a reshape of some columns is written to does not reach the array: NumPy copies."""
    B = A * 1.0
    part = B[:, 1:5].reshape(-1)
    part[::3] *= part[1::3][:6].sum()
    part[2] = part[0] * part[1]
    return part


@in_place((N,), refused=True)
def columns_in_one_written_and_their_array_read(A):
    """Whether the reshape of a part is a copy depends on the shape: with two columns it is not."""
    A = A.copy()
    part = A[:, 1:5].reshape(-1)
    part[::3] *= 2.0
    return weighed(A) + weighed(part)


@in_place((N, 2), argnums=(0,))
def transposed_in_one_is_a_copy(A, n):
    A = A.copy()
    for k in range(n):
        flat = A.T.reshape(-1)
        flat[::2] *= flat[1::2]
        A[:, k] = flat[k:k + 4]
    return weighed(A) + weighed(flat)


@in_place((CUBE, 2), argnums=(0,))
def cube_as_matrices(C, n):
    C = C.copy()
    for k in range(n):
        rows, columns = C.reshape(6, 4), C.reshape(2, -1)
        rows[k::2, 1:] *= np.tanh(rows[0, 0])
        columns[:, ::5] += columns[:, 1:8:3][::-1]
        C[1, k] = rows[k] * columns[k, 8:]
    return C


@in_place((CUBE,))
def view_of_a_view_of_a_view(C):
    C = C.copy()
    inner = C[1].reshape(-1)[2:]
    square = inner[1:].reshape(3, 3)
    square[1:, ::2] *= inner[0]
    inner[::4] = square[1] * C[0, 0, :3]
    return C


@in_place((M, 1.0), (M, -1.0))
def one_shape_in_each_branch(A, c):
    A = A.copy()
    flat = A.reshape(-1)
    for k in range(3):
        if c * flat[k] > 0.0:
            flat[k:12:4] *= A[3, k]
            s = flat[k + 1]
        else:
            A[k, ::2] += flat[-2:] * c
            s = A[k, 0]
        flat[15 - k] += s * s
    return weighed(A) * flat[2]


@in_place((M,))
def masks_and_numbers_through_a_flat_view(A):
    A = A.copy()
    flat = A.ravel()
    flat[flat > 0.3] *= 0.5
    flat[np.array([1, 7, 1, 4])] = flat[3:7] ** 2
    flat[np.array([2, 9])] += A[3, :2]
    return weighed(A) + np.sum(flat[np.array([0, 1, 1])] * A[1, 0])


@in_place((M,))
def whole_view_changed(A):
    A = A.copy()
    flat = A.reshape(16)
    flat *= 1.5
    flat += flat[::-1] * flat[0]
    flat[:] = np.sin(flat)
    A /= 1.0 + flat[3] ** 2
    flat -= A.T.ravel()
    return A


@in_place((M, 4), argnums=(0,))
def helper_that_smooths_what_is_flat(A, n):
    A = A.copy()
    for k in range(n):
        smoothed(A.reshape(-1), 0.1 * k)
    return A


def smoothed(v, c):
    v[1:-1] += c * (v[2:] - v[:-2])
    v[0] = v[1] * v[-1]


@in_place((M, 1.2))
def while_through_a_flat_view(A, limit):
    A = A.copy()
    flat = A.reshape(-1)
    k = 0
    while np.sum(flat[::3] ** 2) > limit and k < 8:
        flat[::3] *= 0.8 + 0.01 * A[1, 1]
        flat[k] -= 0.1 * flat[k + 1]
        k += 1
    return A


@in_place((M, 3), argnums=(0,))
def flat_views_of_swapped_buffers(A, n):
    now, after = A.copy(), np.zeros((4, 4))
    for k in range(n):
        flat = after.reshape(-1)
        flat[1:] = now.reshape(-1)[:-1] * np.cos(now.ravel()[1:])
        flat[0] = now[3, k]
        now, after = after, now
    return weighed(now) + weighed(after * now)


@in_place((M,))
def argument_written_through_a_flat_view(A):
    A.reshape(-1)[::3] *= A[1, 1]
    A.ravel()[4:8] = A[0] * A[1]
    return weighed(A)


@in_place((M, 5), argnums=(0,))
def parts_read_through_views_made_in_the_loop(A, n):
    s = 0.0
    for k in range(n):
        flat, rows = A.ravel(), A[1:]
        s += flat[k] * flat[2 * k + 1] + rows[k % 3, 1] * rows[2, k % 4]
        s += np.sum(flat[k:k + 4] * rows[1]) * flat[-1 - k]
    return s


@in_place((N, 3), argnums=(0,))
def parts_read_through_views_of_what_changes(A, n):
    A = A.copy()
    flat, block, rows, column = A.ravel(), A.reshape(2, 2, 6), A[1:], A[:, 2]
    for k in range(n):
        A[k, 0] = flat[k] * flat[k + 7] + rows[k, 1] * rows[0, -1]
        A[0, 1:4] = block[1, 0, ::2] * column[1:] + rows[k, 2:5]
        column[k] += flat[6 * k + 5] - block[0, k % 2, 3]
    return A


@in_place((X, 5), argnums=(0,))
def recurrence_through_a_view(x, n):
    x = x.copy()
    tail, backwards = x[1:], x[::-1]
    for k in range(n):
        tail[k] *= x[k]
        backwards[k] += 0.1 * tail[4 - k] * backwards[5]
    return x


@in_place((M, 3), argnums=(0,))
def inner_loop_over_a_view_of_a_row(A, n):
    A = A.copy()
    for i in range(n):
        row, above = A[i + 1], A[i, ::-1]
        for j in range(1, 4):
            row[j] += row[j - 1] * above[j]
            above[j] *= A[3, j]
    return A


@in_place((np.asfortranarray(N),))
def argument_in_another_order(A):
    """What is made of an array in Fortran order has that order too, so its reshape is a copy."""
    B = A * 2.0
    B.reshape(-1)[::5] = 0.0
    C = A.copy()
    C.reshape(-1)[::5] *= C[0, 0]
    return weighed(B) + weighed(C * C)


@in_place((positive(4, 6),))
def elements_of_every_shape(A):
    A = A.copy()
    wide, deep = A.reshape(2, 12), A.reshape(3, 4, 2)
    for i in range(2):
        for j in range(3):
            wide[i, 4 * j] /= deep[j, i, 1]
            deep[j, -1, i] += np.log(wide[1, j])
            A[j, i] = wide[-1, -j - 1] * deep[i, j, 0]
    return A


@in_place((normal(18), 3), argnums=(0,))
def two_fields_of_one_state(y, n):
    """A state vector whose halves are seen as grids, row by row."""
    y = y.copy()
    u, v = y[:9].reshape(3, 3), y[9:].reshape(3, 3)
    for k in range(n):
        u[1, 1:] += 0.1 * v[2, :-1] * u[k, ::2]
        u[0] = v[2, :] * y[k]
        v[k, 2] -= u[0, k] * v[-1, -1]
        v[-1, k::2] *= u[1, 0]
        u[1:-1, 1:-1] += v[:1, k:k + 1] * u[1:-1, 1:-1]
    return y


@in_place((normal(4, 4, 4), normal(4, 3)))
def columns_of_a_row_by_number(C, v):
    """An int beside a slice and an integer array brings the array's axes to the front: not so
    where the int is that of the view."""
    C = C.copy()
    for i in range(2):
        row = C[i]
        row[:, np.array([0, 2, 1])] = v * row[:, np.array([3, 3, 0])]
        row[1:, np.array([2, 0])] += v[:3, 1:]
    return C


@in_place((normal(4, 4, 4),))
def squares_by_number_through_a_view(C):
    C = C.copy()
    block = C[:, 1]
    block[np.array([3, 1]), 1:] *= 2.0
    C[0][:, np.array([1, 3, 0, 2])] = C[1] * block[2]
    return C


@in_place((normal(50), 3), argnums=(0,))
def middle_of_a_part_of_a_state(y, n):
    """The middle of a grid that is the second half of a vector; the border follows it."""
    y = y.copy()
    u = y[25:].reshape(5, 5)
    for k in range(n):
        u[1:-1, 1:-1] += 0.1 * y[k] * (u[:-2, 1:-1] + u[2:, 1:-1] - 2 * u[1:-1, 1:-1])
        u[0, :] = u[1, ::-1]
        u[:, -1] = np.sin(u[:, 0])
        y[k] += u[2, 2] * u[k, -1]
    return y


@in_place((normal(3, 8), 3), argnums=(0,))
def columns_of_rows_in_blocks(A, n):
    A = A.copy()
    for k in range(n):
        B = A[k].reshape(2, 2, 2)
        B[:, :, 0] *= A[k - 1, 3]
        B[:, 1] -= B[:, 0] ** 2
        B[1:, :, ::-1] = np.cos(B[:1])
        A[k, 1] += B[1, 0, 1]
    return A


@in_place((normal(4, 4, 3), 3), argnums=(0,))
def blocks_of_a_cube_in_another_shape(C, n):
    C = C.copy()
    for k in range(n):
        wide = C[k:k + 2].reshape(4, 6)
        wide[1:3, ::2] *= C[0, 0, 0]
        tall = C[k].reshape(6, 2)
        tall[:, 1] += tall[:, 0] * C[3, 3, k]
    return C


@in_place((X, 4), argnums=(0,))
def backwards_and_again(x, n):
    x = x.copy()
    for k in range(n):
        x[::-1][k:k + 2] = x[k] * x[1:3]
        x[::-1][::-2][1:] *= x[k + 1]
        x[4::-1][k::2] += x[k:k + 3][::2].sum()
    return x


@in_place((X, 1), (X, -2), (X, -9), (X, 8), argnums=(0,))
def bounds_of_any_sign_through_a_view(x, n):
    x = x.copy()
    w = x[1:]
    for k in range(3):
        w[n:] *= x[k]
        w[:n] += 0.5 * w[k]
        x[::2][n:] -= w[0] ** 2
    return x


@in_place((M,))
def transposed_blocks(A):
    A = A.copy()
    T = A.T
    for k in (0, 1):
        T[1:, ::2] *= T[k, 0]
        T[1:][:, 1:3] += A[k, :2]
        T[np.array([0, 2]), 1:] -= A[1:, k] ** 2
    return weighed(A) + weighed(T * T[0])


@in_place((M, 3), argnums=(0,))
def part_read_while_it_is_written(A, n):
    """What is read of the part and of its array stands for what they were at that moment."""
    A = A.copy()
    for k in range(n):
        B = A[k].reshape(2, 2)
        before, row = np.sin(B), A[k]
        B[:, 0] = B[::-1, 1] * row[:2]
        B[::-1, 1] = B[:, 0] * before[0]
        row[1:] += B[:, 1][0] * before[1, 1]
        A[k, 0] = row[-1]
    return A


@in_place((normal(8), 3, 1.0), (normal(8), 3, -1.0), argnums=(0,))
def part_written_in_a_branch(y, n, c):
    y = y.copy()
    u = y[2:].reshape(3, 2)
    for k in range(n):
        if c * y[k] > 0.0:
            u[:, 0] *= y[0]
            s = u[k, 1]
        else:
            u[1:, 1:] += y[1]
            s = y[2]
        u[:2, :1] -= 0.1 * s
    return y


@in_place((normal(3, 4), 2), argnums=(0,))
def part_of_swapped_buffers(A, n):
    now, after = A.copy(), np.zeros((3, 4))
    for k in range(n):
        grid = after[1].reshape(2, 2)
        grid[:, 1] = now[0, :2] * np.cos(now[k, 2:])
        grid[:, 0] += now[1, 1:3] * after[1, 1]
        after[0] = now[2]
        now, after = after, now
    return weighed(now) + weighed(after * now)


@in_place((normal(70), 4), argnums=(0,))
def corner_of_a_large_part(y, n):
    y = y.copy()
    u = y[6:].reshape(8, 8)
    for k in range(n):
        u[k:k + 2, 1:3] *= y[k]
        u[1, 1] += y[0]
    return y
