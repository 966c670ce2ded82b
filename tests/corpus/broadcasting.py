"""Broadcasting in every combination: numbers, extents of 1, missing axes."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, positive, program


@program((normal(3, 4), normal(4)), (normal(3, 4), normal(1)), (normal(3, 1), normal(4)))
def matrix_and_row(A, r):
    return np.sum(np.sin(A * r) + r)


@program((normal(3, 4), normal(3, 1)), (normal(1, 4), normal(3, 1)), (normal(1, 1), normal(1, 1)))
def matrix_and_column(A, c):
    return np.sum(np.exp(A - c) / (1 + c * c))


@program((normal(4), normal(3)))
def outer_by_axes(x, y):
    return np.sum(np.tanh(x[:, np.newaxis] * y[None, :]))


@program((normal(2, 3, 4), normal(3, 1)), (normal(2, 3, 4), normal(4)))
def rank_three_with_rank_two(A, B):
    return np.sum(A * B * B)


@program((normal(2, 1, 4), normal(3, 1), 0.5))
def three_operands(A, B, s):
    return np.sum((A + B) * s - A * B / (2 + s))


@program((0.7, normal(3, 2)))
def number_against_matrix(s, A):
    return np.sum(s**2 + A * s) + np.sum(A) * s


@program((normal(3), np.array(0.4)))
def zero_dimensional_against_vector(x, a):
    return x * a + a


@program((normal(1), normal(5)))
def one_against_many(b, x):
    return np.sum((x + b) ** 2)


@program((normal(1), normal(1)))
def one_against_one(b, x):
    return np.sum(x * b + b)


@program((normal(2, 2), normal(2, 2, seed=4), np.array([4.0])))
def affine(X, W, b):
    return X @ W + b


@program((positive(3, 1), positive(1, 3)))
def quotient_of_row_and_column(a, b):
    return np.sum(a / b) + np.sum(b**a)


@program((normal(3, 1), normal(1, 4)))
def maximum_of_row_and_column(a, b):
    return np.maximum(a, b)


@program((normal(4), normal(3, 4), 0.2))
def where_broadcasts(x, A, s):
    return np.sum(np.where(A > 0, x, s) * A)


@program((normal(3), normal(2, 3)))
def broadcast_to_explicitly(x, A):
    return np.sum(np.broadcast_to(x, (2, 3)) * A)


@program((normal(5, 2), normal(3, 2), 0.8))
def kernel_matrix(X, Z, length):
    D = np.sum((X[:, None, :] - Z[None, :, :]) ** 2, axis=2)
    return np.exp(-0.5 * D / length**2)


@program((normal(3, 4),))
def centred(A):
    return np.sum((A - np.mean(A, axis=0)) ** 2 * (A - A.mean(axis=1, keepdims=True)))


@program((normal(3, 0), normal(0)),)
def nothing_to_sum(A, r):
    return np.sum(A * r) + 2.0
