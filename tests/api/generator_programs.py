"""Programs that draw from generators."""

from __future__ import annotations

import numpy as np

CAPTURED = np.random.default_rng(11)


def numbers(x, rng):
    return x * rng.standard_normal() + np.sin(x) * rng.random()


def arrays(x, rng):
    return np.sum(x * rng.normal(size=x.shape)) + np.sum(rng.standard_exponential((2, 3)) * x[0])


def shifted_and_scaled(loc, scale, rng):
    return np.sum(rng.normal(loc, scale, (3, 2)) ** 2) + rng.uniform(loc, loc + scale) ** 3


def in_a_loop(x, rng):
    y = x
    for _ in range(5):
        eps = rng.normal(0.0, 0.1)
        y = np.sin(y + eps) * y
    return y


def until_it_stops(x, rng):
    y = x
    while rng.random() < 0.8:
        y = y * (1 + 0.1 * rng.exponential(2.0))
    return y


def indices(x, rng):
    i, j = rng.integers(0, x.shape[0]), rng.integers(3)
    k = rng.integers(1, 4, size=3, endpoint=True)
    return x[i] ** 2 + 3 * x[j] + np.sum(x[k - 2] * x)


def only_sometimes(x, rng):
    if x > 0 and rng.random() < 0.5:
        return x ** 2
    return x * np.sum(rng.uniform(-1, 2, 4))


def unused(x, rng):
    rng.random(3)
    return x * x


def captured(x):
    return x * CAPTURED.normal() + np.sum(CAPTURED.standard_exponential(3)) * x ** 2


def _square(rng, n):
    return rng.standard_normal((n, n))


def in_a_helper(A, rng):
    return np.sum((A @ _square(rng, A.shape[0])) ** 2)


def arrays_of_parameters(loc, rng):
    return np.sum(np.exp(rng.normal(loc, np.abs(loc)))) + np.sum(rng.exponential(loc * loc))


def divided(x, n, rng):
    total = 0.0
    for _ in range(n):
        z = rng.standard_normal(3)
        total = total + np.sum(np.tanh(x * z)) * (1 / rng.random()) ** 0.5
    return total


def two_generators(x, rng, other):
    return np.sum(x * rng.normal(size=3)) + np.sum(other.normal(x, 1.0)) + rng.random()


def twice_the_same(x):
    rng = CAPTURED
    return x * (rng.random() - rng.random()) + x * x * isinstance(rng, np.random.Generator)


def wrong_scale(x, s, rng):
    return rng.normal(x, s)


def wrong_range(x, low, high, rng):
    return rng.uniform(low, high) * x


def wrong_bounds(x, low, high, rng):
    return x * rng.integers(low, high)


def wrong_bound(x, high, rng):
    return x * rng.integers(high, endpoint=True)
