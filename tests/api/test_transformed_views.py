"""What hangs on a derived function is its own, not that of the function inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import retrograd as rg


def cubes(x):
    return np.sum(x ** 3)


def cube(x):
    return x * x * x


def test_the_vjp_of_an_hvp_is_that_of_the_hvp():
    x, v = np.array([0.5, 2.0]), np.array([1.0, -3.0])
    value, pullback = rg.hvp(cubes, jit=False).vjp(x, v)
    np.testing.assert_allclose(value, 6 * x * v)
    x_bar, v_bar = pullback(np.ones(2))
    np.testing.assert_allclose(x_bar, 6 * v)
    np.testing.assert_allclose(v_bar, 6 * x)


def test_value_and_grad_of_a_batch_summed():
    x = np.array([0.5, 2.0, -1.0])
    total = rg.vmap(cube, reduce="sum", jit=False)
    value, gradient = total.value_and_grad(x)
    assert np.isclose(value, np.sum(x ** 3))
    np.testing.assert_allclose(gradient, 3 * x ** 2)


@dataclass
class Layer:
    W: np.ndarray
    name: str = "dense"


def energy(layer):
    return np.sum(layer.W ** 4)


def test_a_direction_may_bear_the_names_that_its_primal_bears():
    W, V = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    for name in ("dense", None):
        found = rg.hvp(energy, jit=False)(Layer(W), Layer(V, name))
        np.testing.assert_allclose(found.W, 12 * W ** 2 * V)
        assert found.name is None
