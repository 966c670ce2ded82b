"""Rosenbrock's function written as a loop over elements, 100,000 of them."""

from __future__ import annotations

import numba
import numpy as np

import retrograd as rg
from common import jax_or_none, seconds, table


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


@numba.njit(error_model="numpy", fastmath={"contract"})
def by_hand(x):
    x_bar = np.zeros_like(x)
    for i in range(len(x) - 1):
        d = x[i + 1] - x[i] * x[i]
        x_bar[i] += -400.0 * d * x[i] - 2.0 * (1.0 - x[i])
        x_bar[i + 1] += 200.0 * d
    return x_bar


def main() -> None:
    x = np.random.default_rng(0).standard_normal(100_000)
    gradient = rg.grad(rosenbrock)
    assert np.allclose(gradient(x), by_hand(x), rtol=1e-10)
    rows = {"Numba, by hand": seconds(by_hand, x), "retrograd": seconds(gradient, x)}
    jax = jax_or_none()
    if jax is not None:
        def whole(x):
            return jax.numpy.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

        f, on_device = jax.jit(jax.grad(whole)), jax.numpy.asarray(x)
        rows["JAX, whole arrays"] = seconds(lambda: jax.block_until_ready(f(on_device)))
    table("Rosenbrock in a loop (target: within 1.5 of by hand)", rows)


if __name__ == "__main__":
    main()
