"""Programs whose residuals the tests of `residuals()`, `store=` and `recompute=` look at."""

from __future__ import annotations

import numpy as np

WEIGHT = 2


def power_loop(x, y, n):
    for _ in range(n):
        slow = np.exp(y * x)
        fast = y - x
        x = x + 0.01 * slow * fast
    return x


def rows(a, n):
    for i in range(n):
        row = np.tanh(a * i)
        a = a + 0.1 * row * row * a
    return np.sum(a)


def until(s, x):
    while s < 5.0:
        s = s * s + x
    return s


def linear(x, n):
    for i in range(n):
        x = 2 * x + i
    return x


def in_place(u, k, n):
    for t in range(n):
        u[k[t]] = u[k[t]] ** 2 * u[0]
    return np.sum(u)


def draws(x, rng, n):
    for _ in range(n):
        noise = rng.normal()
        x = x * noise
    return x


def branchy(x, n):
    for i in range(n):
        if x > i:
            c = x * x
        else:
            c = 2 * x
        x = x + c * c
    return x


def captured(x):
    for _ in range(WEIGHT):
        x = x * x
    return x


def less_and_greater(a, n):
    for _ in range(n):
        a = np.where(a < 0.5, a * a, a) if n > 1 else a
    return np.sum(a)
