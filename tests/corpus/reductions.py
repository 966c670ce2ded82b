"""Reductions over all axes, one, several, negative ones; keepdims; scans."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from corpus.entry import normal, positive, program


@program((normal(3, 4),))
def sums(A):
    return np.sum(np.sum(A, axis=0) ** 2) + np.sum(np.sum(A, axis=-1) ** 3) + np.sum(A) * A[0, 0]


@program((normal(2, 3, 4),))
def sum_over_several_axes(A):
    return np.sum(np.sum(A, axis=(0, 2)) ** 2) + np.sum(A.sum(axis=(-1, -2)) ** 2)


@program((normal(3, 4),))
def sum_keepdims(A):
    return A / np.sum(A * A, axis=1, keepdims=True) + np.sum(A, keepdims=True)


@program((normal(3, 4),))
def means(A):
    return np.mean(A) * np.sum(np.mean(A, axis=0) ** 2) + np.sum(A.mean(axis=1) ** 2)


@program((normal(3, 4),), (normal(4, 1),))
def maxima(A):
    return np.sum(np.max(A, axis=0) ** 2) + np.sum(np.min(A, axis=1) * 2) + np.max(A) * np.min(A)


@program((np.array([[1.0, 3.0], [3.0, 3.0]]),),
         expected=[(np.array([[0.0, 0.5], [1.0, 0.5]]),)])
def ties_of_maximum(A):
    return np.sum(np.max(A, axis=0))


@program((np.array([2.0, 5.0, 5.0, 5.0]),),
         expected=[(np.array([0.0, 1 / 3, 1 / 3, 1 / 3]),)])
def ties_of_maximum_of_all(x):
    return np.max(x)


@program((normal(4),), (np.array([2.0, 3.0, -1.0, 4.0]),))
def product(x):
    return np.prod(x) + np.prod(x[1:]) ** 2


@program((np.array([2.0, 0.0, 4.0]),), (np.array([0.0, 0.0, 4.0]),),
         expected=[(np.array([0.0, 8.0, 0.0]),), (np.zeros(3),)])
def product_with_zeros(x):
    return np.prod(x)


@program((positive(3, 4),))
def product_over_axis(A):
    return np.sum(np.prod(A, axis=1) ** 2) + np.sum(A.prod(axis=0))


@program((normal(3, 4),))
def variances(A):
    return np.var(A) + np.sum(np.std(A, axis=0)) + np.sum(np.var(A, axis=1, keepdims=True) * A)


@program((normal(5),))
def standard_deviation(x):
    return np.std(x) * np.mean(x)


@program((normal(5),))
def cumulative(x):
    return np.sum(np.cumsum(x) ** 2)


@program((normal(3, 4),))
def cumulative_over_axis(A):
    return np.cumsum(A, axis=1) * A + np.cumsum(A, axis=0)


@program((normal(6),))
def argument_of_maximum(x):
    k = np.argmax(x)
    return x[k] ** 2 + x[np.argmin(x)] * 3 + k


@program((normal(3, 4),))
def log_sum_exp_by_hand(A):
    m = np.max(A, axis=1, keepdims=True)
    return np.sum(m[:, 0] + np.log(np.sum(np.exp(A - m), axis=1)))


@program((normal(5),), jax=False)
def log_sum_exp(x):
    return logsumexp(x) * x[0]


@program((normal(3, 4),), jax=False)
def log_sum_exp_over_axis(A):
    return logsumexp(A, axis=1)


@program((normal(5),))
def counted(x):
    n = np.sum(x > 0)
    return np.sum(x**2) / n if np.any(x > 0) else 0.0


@program((np.zeros((0, 3)),))
def empty_sum_over_axis(A):
    return np.sum(A, axis=0) + 1.0


@program((normal(2, 3),))
def reduction_of_reduction(A):
    return np.max(np.sum(A * A, axis=1)) + np.sum(np.max(A, axis=1)) ** 2


@program((normal(6),))
def softplus_mean(x):
    return np.mean(np.logaddexp(0.0, x))
