"""Functions whose derivatives compiled code calls."""

from __future__ import annotations

from typing import Any, NamedTuple

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


# --- containers ----------------------------------------------------------------------------------


class Layer(NamedTuple):
    W: Any
    b: Any


class Network(NamedTuple):
    layers: tuple[Layer, ...]
    scale: float
    steps: int


class Plane(NamedTuple):
    x: float
    y: float


def network(params, x):
    """Nested named tuples, of different types."""
    for layer in params.layers:
        x = np.tanh(layer.W @ x + layer.b)
    return np.sum(x * x) * params.scale * params.steps


def pairs(weights, x):
    """Tuples: of arrays of one type and of several, with None."""
    (a, b), (c, kind, nothing) = weights
    s = np.sum(a * b * x) * c
    return s if kind == "plain" and nothing is None else -s


def norm(point, factor=(2.0, 3.0)):
    return factor[0] * point.x * point.x + factor[1] * point.y


def over(A, axes):
    return np.sum(np.sum(A, axis=axes) ** 2)


def split(x):
    return Layer(x * 2.0, (np.sum(x), None))


def dictionary(x):
    return {"x": x}


def scaled(pair):
    """It writes into an array in a tuple."""
    pair[0][:] = pair[0] * pair[1]
    return np.sum(pair[0])


def first(params):
    return params[0] * 2.0


def broadcast(pair):
    return np.sum(pair[0] * pair[1])


def split_pair(pair):
    return pair[0] * pair[1], pair[0][0]


def described(x):
    return x, "text"


def with_dict(x, options={"scale": 2.0}):  # noqa: B006
    return x * options["scale"]
