"""Functions with loops that may run in parallel."""

from __future__ import annotations

import numpy as np
from numba import prange


def rows(X):
    s = 0.0
    for i in prange(X.shape[0]):
        t = 0.0
        for j in range(X.shape[1]):
            t += X[i, j] * X[i, j]
        s += np.sin(t)
    return s


def shared(w, X):
    """The gradient with respect to `w` is a sum over rows."""
    s = 0.0
    for i in prange(X.shape[0]):
        h = np.tanh(X[i] * w)
        s += np.sum(h * h)
    return s


def states(X, steps):
    """Each row has a state of its own, and memory for it."""
    out = np.zeros(X.shape[0])
    for i in prange(X.shape[0]):
        u = X[i].copy()
        for _ in range(steps):
            v = u.copy()
            for k in range(1, u.size):
                u[k] = v[k] + 0.1 * np.sin(v[k - 1])
        out[i] = np.sum(u)
    return np.sum(out * out)


def recurrence(x):
    y = x.copy()
    for i in prange(1, x.size):
        y[i] = y[i] * y[i - 1]
    return y[-1]


def largest(x):
    m = x[0]
    for i in prange(x.size):
        if x[i] > m:
            m = x[i]
    return m * m


def checked(x, at):
    s = 0.0
    for i in prange(x.size):
        if at[i] > 0:
            raise ValueError(f"row {i} is wrong")
        s += x[i] * x[i]
    return s


def looked_up(x, at):
    s = 0.0
    for i in prange(at.size):
        s += x[at[i]] * x[at[i]]
    return s


def sized(x, sizes):
    """NumPy itself raises for a negative size."""
    s = 0.0
    for i in prange(x.size):
        t = np.zeros(sizes[i])
        for k in range(sizes[i]):
            t[k] = x[i] * k
        s += np.sum(t * t)
    return s


def solved(A, b):
    s = 0.0
    for i in prange(A.shape[0]):
        s += np.sum(np.linalg.solve(A[i], b[i]))
    return s
