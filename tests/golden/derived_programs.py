"""The derived functions behind the golden files: objects, arguments, and what must come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import retrograd as rg
from golden.programs import compute_s
from retrograd.api.options import Options
from retrograd.api.transformed import pushforward_of

V3, V4 = np.array([0.3, -0.7, 1.1]), np.array([0.9, 0.4, -0.6, 1.3])
ROWS = np.arange(12.0).reshape(4, 3) / 7 - 0.6


def cascade(x, rate):
    y = x.copy()
    for i in range(1, len(y)):
        y[i] = rate * y[i - 1] * np.sin(y[i])
    return np.sum(y * y)


def polar_point(p):
    r, phi = p
    return np.array([r * np.cos(phi), r * np.sin(phi)])


def squared_error(w, x, y):
    return (x @ w - y) ** 2


@dataclass(frozen=True)
class Case:
    made: Callable[..., Any]
    args: tuple[Any, ...]
    expected: Any


def _by_hand(w, x, y):
    return 2 * (x @ w - y) @ x / len(x)


def _slope(x, v, rate, h=1e-5):
    gradient = rg.grad(cascade, jit=False)
    return (gradient(x + h * v, rate) - gradient(x - h * v, rate)) / (2 * h)


CASES = {
    "compute_s_jvp": Case(pushforward_of(compute_s, Options(jit=False), 3),
                          (1.0, 2.0, 5.0, 0.5, -1.0, 3.0), (3.0, 6.0)),
    "cascade_hvp": Case(rg.hvp(cascade, jit=False), (V4, V4[::-1].copy(), 0.8),
                        _slope(V4, V4[::-1], 0.8)),
    "polar_jacobian": Case(
        rg.jacobian(polar_point, mode="forward", jit=False), (np.array([2.0, 0.5]),),
        [[np.cos(0.5), -2 * np.sin(0.5)], [np.sin(0.5), 2 * np.cos(0.5)]]),
    "squared_error_vmap": Case(
        rg.vmap(rg.grad(squared_error), in_axes=(None, 0, 0), reduce="mean", jit=False),
        (V3, ROWS, V4), _by_hand(V3, ROWS, V4)),
}
