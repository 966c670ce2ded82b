"""The cost of a call when there is nothing to compute: three numbers, small arrays, containers."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

import retrograd as rg
from common import jax_or_none, seconds, table


def compute_s(x, y, z):
    r1 = np.subtract(x, y)
    r2 = np.multiply(r1, 2)
    z = np.add(r2, z)
    return z


def five_arrays(a, b, c, d, e):
    return np.sum(a * b + c * d * e)


@numba.njit
def compute_s_by_hand(x, y, z):
    return 2 * (x - y) + z, (2.0, -2.0, 1.0)


@numba.njit
def five_arrays_by_hand(a, b, c, d, e):
    return b.copy(), a.copy(), d * e, c * e, c * d


def numbers() -> None:
    args = (1.0, 2.0, 5.0)
    by = (0, 1, 2)
    rows = {
        "Numba, by hand": seconds(compute_s_by_hand, *args),
        "retrograd value_and_grad": seconds(rg.value_and_grad(compute_s, argnums=by), *args),
        "retrograd grad": seconds(rg.grad(compute_s, argnums=by), *args),
        "retrograd jvp": seconds(lambda *a: rg.jvp(compute_s, a, (1.0, None, 0.5)), *args),
        "retrograd grad, jit=False": seconds(rg.grad(compute_s, argnums=by, jit=False), *args),
    }
    jax = jax_or_none()
    if jax is not None:
        f = jax.jit(jax.value_and_grad(lambda x, y, z: (x - y) * 2 + z, argnums=by))
        rows["JAX value_and_grad"] = seconds(lambda *a: jax.block_until_ready(f(*a)), *args)
    table("three numbers (target: value_and_grad under 1.5 us)", rows)


def small_arrays() -> None:
    args = tuple(np.random.default_rng(k).standard_normal(4) for k in range(5))
    by = (0, 1, 2, 3, 4)
    into, out = rg.grad(five_arrays, argnums=by), tuple(np.empty(4) for _ in by)
    rows = {
        "Numba, by hand": seconds(five_arrays_by_hand, *args),
        "retrograd grad": seconds(rg.grad(five_arrays, argnums=by), *args),
        "retrograd grad, out=": seconds(lambda *a: into(*a, out=out), *args),
        "retrograd grad, jit=False": seconds(rg.grad(five_arrays, argnums=by, jit=False), *args),
    }
    jax = jax_or_none()
    if jax is not None:
        f = jax.jit(jax.grad(lambda a, b, c, d, e: jax.numpy.sum(a * b + c * d * e), argnums=by))
        rows["JAX grad"] = seconds(lambda *a: jax.block_until_ready(f(*a)), *args)
    table("five arrays of four (target: under 6 us)", rows)


class Four(NamedTuple):
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    d: np.ndarray


def four_arrays(a, b, c, d):
    return np.sum(a * b + c * d)


def of_a_dict(p):
    return np.sum(p["a"] * p["b"] + p["c"] * p["d"])


def of_a_named_tuple(p):
    return np.sum(p.a * p.b + p.c * p.d)


def containers() -> None:
    arrays = [np.random.default_rng(k).standard_normal(4) for k in range(4)]
    by = (0, 1, 2, 3)
    rows = {
        "four parameters": seconds(rg.grad(four_arrays, argnums=by), *arrays),
        "a dict of four": seconds(rg.grad(of_a_dict), dict(zip("abcd", arrays, strict=True))),
        "a named tuple of four": seconds(rg.grad(of_a_named_tuple), Four(*arrays)),
    }
    table("four arrays of four, in containers", rows)


if __name__ == "__main__":
    numbers()
    small_arrays()
    containers()
