"""Changes of shape: reshape, transpose, joining, flipping."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program


@program((normal(2, 6),))
def reshape(A):
    return np.sum(A.reshape(3, 4)[1] * np.reshape(A, (4, 3))[:, 0]) + np.sum(A.reshape(-1) ** 3)


@program((normal(2, 3),))
def ravel(A):
    return A.ravel() * np.ravel(A.T) + A.flatten()


@program((normal(2, 3),))
def transpose(A):
    return A.T @ A + np.transpose(A) @ A


@program((normal(2, 3, 4),))
def transpose_axes(A):
    return np.transpose(A, (2, 0, 1)) * np.arange(24.0).reshape(4, 2, 3)


@program((normal(2, 3, 4),))
def swap_and_move(A):
    return np.sum(np.swapaxes(A, 0, 2)[1] ** 2) + np.sum(np.moveaxis(A, 0, -1)[0, :, 1] ** 3)


@program((normal(3), normal(1, 3, 1)))
def expand_and_squeeze(x, A):
    return np.expand_dims(x, 0) * np.squeeze(A) + np.expand_dims(x, -1) * A[0]


@program((normal(2), normal(3)))
def concatenate(x, y):
    z = np.concatenate((x, y, x))
    return np.sum(z * z * np.arange(7.0))


@program((normal(2, 3), normal(1, 3)))
def concatenate_matrices(A, B):
    wide = np.concatenate([A, A], axis=1)
    return np.concatenate([A, B], axis=0) @ wide.T.reshape(3, 4)


@program((normal(3), normal(3, seed=1)))
def stack(x, y):
    return np.stack([x, y]) @ np.stack((x, y), axis=1)


@program((normal(3), normal(3, seed=1)))
def hstack_and_vstack(x, y):
    return np.sum(np.hstack([x, y]) ** 2) + np.sum(np.vstack([x, y])[1] * x)


@program((normal(2, 3),))
def flip(A):
    return np.sum(np.flip(A, axis=1) * A) + np.sum(np.flip(A) * A * A)


@program((normal(5),))
def roll(x):
    return np.sum(np.roll(x, 1) * x) + np.sum(np.roll(x, -2) * x * x)


@program((normal(3, 4),))
def roll_over_axis(A):
    return np.roll(A, 1, axis=1) * A


@program((normal(3, 4),))
def shapes_as_numbers(A):
    rows, columns = A.shape
    return np.sum(A) / rows + A.shape[0] * A[0, 0] * columns + A.ndim + A.size * A[1, 1]


@program((normal(4),))
def shape_from_shape(x):
    return x.reshape(2, x.shape[0] // 2) @ np.ones((2,))


@program((normal(2, 3),))
def chain_of_views(A):
    return np.sum(A.T.reshape(2, 3)[:, ::-1].T[1:] ** 2)


@program((normal(4), normal(4, seed=1)))
def stack_of_expressions(a, b):
    return np.array([np.sum(a * b), a[0], 2.0, np.sum(b)])


@program((normal(3),))
def repeated_in_stack(x):
    return np.stack([x, x * x, x])
