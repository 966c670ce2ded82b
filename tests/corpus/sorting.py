"""Sorting, medians, quantiles and what is gathered by an order."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program, weighed


@program((normal(7),), (normal(1),))
def sorted_and_weighed(x):
    return weighed(np.sort(x))


@program((normal(4, 5),))
def sorted_columns(A):
    return weighed(np.sort(A, axis=0)) + weighed(np.sort(A * A))


@program((normal(3, 4),))
def sorted_flat(A):
    return weighed(np.sort(A, axis=None))


@program((normal(2, 3, 4),))
def sorted_inner_axis(A):
    return weighed(np.sort(A, axis=1))


@program((normal(4, 5).T,), (normal(8, 5)[::2],))
def sorted_views(A):
    return weighed(np.sort(A, axis=1))


@program((normal(6), normal(6, seed=1)))
def reordered(x, y):
    order = np.argsort(x)
    return np.sum(np.cumsum(y[order]) * x[order])


@program((normal(7),), (normal(6),), (normal(5).astype(np.float32),))
def median(x):
    return np.median(x) ** 2


@program((normal(4, 5),), (normal(5, 4),))
def medians(A):
    deviation = np.abs(A - np.median(A, axis=0))
    return np.sum(np.median(deviation, axis=1, keepdims=True) * A) + np.median(A)


@program((normal(6), 0.3), (normal(6), 0.81))
def quantile(x, q):
    return np.quantile(x, q) * np.quantile(x, 0.5)


@program((normal(5, 4), np.array([0.13, 0.55, 0.97])))
def quantiles(A, q):
    return weighed(np.quantile(A, q, axis=0)) + np.percentile(A, 35)


@program((normal(4, 5),))
def largest_of_rows(A):
    order = np.argsort(A, axis=1)[:, -2:]
    return np.sum(np.take_along_axis(A, order, axis=1) ** 2)


@program((normal(5), 0.7), (normal(5), -0.2), jax=False)
def interpolated(y, v):
    x = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    k = np.searchsorted(x, v)
    t = (v - x[k - 1]) / (x[k] - x[k - 1])
    return (1 - t) * y[k - 1] + t * y[k]


@program((normal(6),))
def sorted_in_a_loop(x):
    y = x
    for k in range(3):
        y = np.sort(np.sin(y + k)) * 1.5 - np.median(y)
    return np.sum(y * y)


@program((normal(6),))
def rank_loss(x):
    ranks = np.argsort(np.argsort(x))
    return np.sum(x * ranks) + np.searchsorted(np.sort(x), 0.05) * x[0]
