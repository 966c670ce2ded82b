"""Functions whose derivatives compiled code calls."""

from __future__ import annotations

import numpy as np

SCALE = 3.0


def power(x, n=3, kind="power"):
    if kind == "power":
        return x ** n
    return np.sin(x)


def summed(w, X):
    return np.sum(np.tanh(X @ w))


def element(x, i):
    return x[i] * x[i]


def checked(x, low=0.0):
    if x < low:
        raise ValueError(f"{x} is below {low}")
    return x * x


def along(A, axis):
    return np.sum(np.max(A, axis=axis) ** 2)


def captured(x):
    return SCALE * x


def parts(x, y):
    """A value and something besides."""
    return np.sum(x * x * y), (x * 2.0, None)


def in_place(u, steps):
    for _ in range(steps):
        for i in range(1, u.size):
            u[i] = u[i] + 0.5 * u[i - 1]
    return np.sum(u * u)


def two_written(u, v):
    u[0] = v[0]
    return np.sum(u * v)


def doubled(x):
    return 2.0 * x


def listed(x):
    return [x, x * x]


def many(*xs):
    return xs[0]
