"""Small programs to which generated ones were reduced that a version of the compiler got wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from oracle import assert_gradients

X = np.array([-0.95501, 0.17425, 0.19137])
Y = np.array([0.72129, 0.69122, 0.4449])


def swapped_after_a_store_in_an_arm(a: Any, x: Any, y: Any) -> Any:
    """The adjoint after a loop has the shape of what went into the loop."""
    if a > 0.6:
        return 0.5
    x[[[0, 2], [1, 1]]] = a
    for i in range(1, 3):
        if i > 1:
            y, x = x, y
    return np.sum(y)


def final_until_rebound(a: Any, x: Any, z: Any) -> Any:
    """An element is not final where the name gets another array in a branch."""
    u = x.copy()
    s = 0.0
    for t in range(3):
        u[t] = np.sin(u[t] * x[t])
        s += u[t] * u[t] * z[t]
        if z[t] > a:
            u = z.copy()
    return s + np.sum(u)


def final_until_another_array_is_made(a: Any, x: Any, z: Any) -> Any:
    """Nor where every iteration makes its own array, and the one before is kept by a name."""
    w = x.copy()
    s = 0.0
    for t in range(3):
        u = z * (t + 1)
        u[0] = np.sin(u[1] * a)
        s += u[0] * w[0] * u[0]
        if z[t] > a:
            w = u
    return s + np.sum(w * w)


def restored_before_all_loops(a: Any, x: Any, y: Any) -> Any:
    """What a write outside all loops overwrites is restored, too."""
    for i in range(1, len(y)):
        y[i - 1] = 0.7 * y[i] * y[-i - 1]
    y[2], y[0] = y[0], y[2]
    return np.sum(np.sin(y) * x) * a


def read_from_what_was_restored(a: Any, x: Any) -> Any:
    """What is computed again from a part of a restored array comes after the restoring."""
    u = np.ones(3)
    u[1:] += x[1:]
    for _ in range(3):
        u[1:] += 0.1 * np.sin(u[::-2] - a)
    if a < 1:
        k = 0
        while k < 3 and a < 0.9:
            k += 1
            v = u.reshape(-1)
            v[:0:-1] *= np.cos(0.1 * v[1:] * -u[1:] * v[:0:-1])
    return np.sum(u)


def restored_part_of_unknown_extent(y: Any) -> Any:
    """The length of what is overwritten may be known from the part alone."""
    for _ in range(3):
        y[::2] /= 1.5 + y[2]
        v = y[1:-1]
        v[1::2] /= 1.5 + v[2]
    return np.sum(y)


FOUND = [(restored_part_of_unknown_extent, (np.concatenate((X, Y)),)),
         (read_from_what_was_restored, (0.4, X)),
         (restored_before_all_loops, (0.5, X, Y)),
         (swapped_after_a_store_in_an_arm, (0.55, X, Y)),
         (final_until_rebound, (0.7, X, Y)),
         (final_until_another_array_is_made, (0.7, X, Y))]


@pytest.mark.parametrize("program, arguments", FOUND, ids=lambda v: getattr(v, "__name__", ""))
def test_found(program: Any, arguments: tuple[Any, ...]) -> None:
    assert_gradients(program, arguments, modes=("numpy", "compiled"))
