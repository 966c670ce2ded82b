"""Reading parts of arrays: indices, slices of any step, arrays of indices, masks."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program

PERMUTATION = np.array([2, 0, 1, 3])
REPEATED = np.array([0, 0, 3, -1])
MASK = np.array([True, False, True, True])


@program((normal(4),))
def elements(x):
    return x[0] * x[1] + x[-1] ** 2 - x[-2] * x[2]


@program((normal(3, 4),))
def elements_of_matrix(A):
    return A[0, 0] * A[2, -1] + A[1][2] * A[-1, 0] + A[0, 0] ** 2


@program((normal(6),))
def slices(x):
    return np.sum(x[1:4] * x[2:5]) + np.sum(x[:-1] * x[1:]) + np.sum(x[-3:])


@program((normal(7),))
def slices_with_steps(x):
    return np.sum(x[::2] * x[::-2]) + np.sum(x[5:1:-1] ** 2) + np.sum(x[1:-1:3])


@program((normal(5),))
def reversed_vector(x):
    return np.sum(x[::-1] * x * np.arange(5.0))


@program((normal(5),))
def slices_beyond_the_end(x):
    return np.sum(x[2:100] ** 2) + np.sum(x[-100:2]) + np.sum(x[4:1]) + np.sum(x[9:])


@program((normal(4, 5),))
def rows_and_columns(A):
    return np.sum(A[1] * A[-1]) + np.sum(A[:, 2] ** 3) + np.sum(A[1:3, ::2]) * A[0, -1]


@program((normal(4, 5),))
def blocks(A):
    return A[:2, 1:3] * A[2:, -2:] + A[0, 0]


@program((normal(2, 3, 4),))
def ellipsis_and_newaxis(A):
    return np.sum(A[..., 1] ** 2) + np.sum(A[0, ...] * A[1]) + np.sum(A[:, None, 0, :] * A)


@program((normal(3, 3),))
def slice_of_transpose(A):
    return np.sum(A.T[1:, 0] * A[:2, 2])


@program((normal(6),))
def view_of_view(x):
    y = x[1:]
    z = y[::2]
    return np.sum(z * z) + z[-1] * y[0] + x[0]


@program((normal(4), np.array([2, 0, 1])))
def gather(x, indices):
    return np.sum(x[indices] ** 2)


@program((normal(4),))
def gather_with_duplicates(x):
    return np.sum(np.sin(x[REPEATED]) * np.arange(1.0, 5.0))


@program((normal(4, 3),))
def gather_rows(A):
    return A[PERMUTATION] * A


@program((normal(4, 4),))
def gather_elements(A):
    return np.sum(A[PERMUTATION, REPEATED] ** 2)


@program((normal(3, 4), np.array([[0, 1], [1, -1]])))
def gather_by_matrix(A, indices):
    return np.sum(A[indices] ** 2) + np.sum(A[:, indices])


@program((normal(4),))
def mask(x):
    return np.sum(x[x > 0] ** 2) + np.sum(x[MASK] * 3)


@program((normal(3, 4),))
def mask_of_matrix(A):
    return np.sum(np.exp(A[A < 0.5]))


@program((normal(5), 2), (normal(5), -1))
def index_argument(x, i):
    return x[i] * x[0] + x[i - 1]


@program((normal(8), 3, 6), (normal(8), 0, 0))
def bounds_as_arguments(x, low, high):
    return np.sum(x[low:high] ** 2) + x[high]


@program((normal(6),))
def index_arithmetic(x):
    n = len(x)
    middle = n // 2
    return x[middle] * x[n - 1] + x[middle - 1] + x[(middle + 4) % n]


@program((normal(3, 4), np.array([1, 3, 0])))
def pick_a_column_a_row(scores, labels):
    return -np.mean(scores[np.arange(3), labels])


@program((normal(5),))
def stencil(u):
    return np.sum((u[2:] - 2 * u[1:-1] + u[:-2]) ** 2)


@program((normal(4, 4),))
def laplacian(u):
    return u[1:-1, 2:] + u[1:-1, :-2] + u[2:, 1:-1] + u[:-2, 1:-1] - 4 * u[1:-1, 1:-1]
