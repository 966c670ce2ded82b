"""Published functions: Hessians, products with them and higher derivatives against SciPy, formulas,
mpmath and JAX."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize, rosen_der, rosen_hess, rosen_hess_prod
from scipy.special import eval_hermite, factorial

import retrograd as rg

MODES = pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_loop(x: Any) -> Any:
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


def beale(p: Any) -> Any:
    x, y = p
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y ** 2) ** 2 + (2.625 - x + x * y ** 3) ** 2


def himmelblau(p: Any) -> Any:
    x, y = p
    return (x ** 2 + y - 11) ** 2 + (x + y ** 2 - 7) ** 2


@MODES
@pytest.mark.parametrize("f", [rosenbrock, rosenbrock_loop])
def test_rosenbrock(f: Callable[..., Any], jit: bool) -> None:
    x = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
    v = np.array([0.3, -1.2, 0.5, 2.0, -0.7])
    np.testing.assert_allclose(rg.grad(f, jit=jit)(x), rosen_der(x), rtol=1e-12)
    np.testing.assert_allclose(rg.hvp(f, jit=jit)(x, v), rosen_hess_prod(x, v), rtol=1e-12)
    np.testing.assert_allclose(rg.hessian(f, jit=jit)(x), rosen_hess(x), rtol=1e-12)
    for mode in ("auto", "forward", "reverse"):
        found = rg.jacobian(rg.grad(f), mode=mode, jit=jit)(x)
        np.testing.assert_allclose(found, rosen_hess(x), rtol=1e-12)


def test_newtons_method_with_products() -> None:
    start = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
    found = minimize(rg.value_and_grad(rosenbrock), start, jac=True, hessp=rg.hvp(rosenbrock),
                     method="trust-ncg", options={"gtol": 1e-10})
    np.testing.assert_allclose(found.x, np.ones(5), rtol=1e-8)


@MODES
def test_himmelblau(jit: bool) -> None:
    x, y = point = np.array([-2.1, 3.3])
    expected = [[12 * x ** 2 + 4 * y - 42, 4 * (x + y)], [4 * (x + y), 12 * y ** 2 + 4 * x - 26]]
    np.testing.assert_allclose(rg.hessian(himmelblau, jit=jit)(point), expected, rtol=1e-13)


@MODES
def test_beale(jit: bool) -> None:
    """The Hessian of a sum of squares of r(x, y) = c - x + x y^k."""
    x, y = point = np.array([1.7, -0.6])
    expected = np.zeros((2, 2))
    for c, k in ((1.5, 1), (2.25, 2), (2.625, 3)):
        r = c - x + x * y ** k
        slope = np.array([y ** k - 1, k * x * y ** (k - 1)])
        second = np.array([[0, k * y ** (k - 1)],
                           [k * y ** (k - 1), k * (k - 1) * x * y ** (k - 2) if k > 1 else 0]])
        expected += 2 * np.outer(slope, slope) + 2 * r * second
    np.testing.assert_allclose(rg.hessian(beale, jit=jit)(point), expected, rtol=1e-12)


# --- higher orders -------------------------------------------------------------------------------


def gaussian(x: Any) -> Any:
    return np.exp(-x * x)


def geometric(x: Any) -> Any:
    return 1.0 / (1.0 - x)


def tangents(x: Any) -> Any:
    return np.tan(x) * np.log(x) + x ** x


def iterated(x: float) -> float:
    y = x
    for k in range(3):
        y = np.sin(y) * (1.0 + 0.1 * k) + 0.1 * y * y
    return y


def order(f: Callable[..., Any], n: int, jit: bool = False) -> Callable[..., Any]:
    """The derivative of that order."""
    for k in range(n):
        f = rg.grad(f, jit=jit) if k == n - 1 else rg.grad(f)
    return f


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_hermite_polynomials(n: int) -> None:
    expected = (-1) ** n * eval_hermite(n, 0.7) * np.exp(-0.49)
    assert order(gaussian, n)(0.7) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_factorials(n: int) -> None:
    assert order(geometric, n)(0.25) == pytest.approx(factorial(n) / 0.75 ** (n + 1), rel=1e-12)


@MODES
@pytest.mark.parametrize(("f", "expected"), [
    (tangents, 3.73748656240547925), (iterated, -0.0106469777291683462)])
def test_third_derivatives(f: Callable[..., Any], expected: float, jit: bool) -> None:
    """Against `mpmath.diff(f, 0.7, 3)` with 50 digits, on mpmath's functions."""
    assert order(f, 3, jit)(0.7) == pytest.approx(expected, rel=1e-12)


def third(x: Any) -> Any:
    """A gradient of a product with the Hessian: the third derivative, contracted twice."""
    return np.sum(rg.hvp(rosenbrock)(x, x) * x)


def test_the_gradient_of_a_product_with_the_hessian() -> None:
    rg.check_grads(third, (np.array([1.3, 0.7, 0.8]),), jit=False)


def running_product(x: Any) -> Any:
    return np.cumprod(x)


def mixed_in_a_loop(x: Any) -> Any:
    y = x.copy()
    for _ in range(3):
        y = np.sin(y) * np.sum(x * y)
    return y


@pytest.mark.parametrize("f", [running_product, mixed_in_a_loop])
def test_jacobians_of_jacobians_in_the_mode_that_the_program_chooses(f: Callable[..., Any]) -> None:
    x = np.array([0.5, 1.2, -0.7])

    def third(mode: str) -> Any:
        g = f
        for _ in range(3):
            g = rg.jacobian(g, mode=mode, jit=False)
        return g(x)

    found = third("auto")
    assert found.shape == (3, 3, 3, 3)
    np.testing.assert_allclose(found, third("forward"), rtol=1e-12, atol=1e-12)


def derivative(f: Callable[..., Any]) -> Callable[..., Any]:
    def along(x: float) -> Any:
        return rg.jvp(lambda y: f(y), (x,), (1.0,))[1]

    return along


def sine(x: float) -> float:
    return math.sin(2 * x)


def three_times(x: float) -> Any:
    return derivative(derivative(derivative(sine)))(x)


def test_a_function_that_makes_derivatives_is_used_several_times() -> None:
    made = derivative(derivative(derivative(sine)))
    assert made(0.3) == three_times(0.3)
    for f in (made, three_times):
        assert rg.differentiable(f, jit=False)(0.3) == pytest.approx(-8 * math.cos(0.6), rel=1e-14)
        assert rg.grad(f, jit=False)(0.3) == pytest.approx(16 * math.sin(0.6), rel=1e-14)


# --- JAX -----------------------------------------------------------------------------------------


@pytest.mark.oracle
@pytest.mark.parametrize("f", [rosenbrock, beale, himmelblau])
def test_hessians_as_jax(f: Callable[..., Any]) -> None:
    jax = pytest.importorskip("jax")
    from truth import retargeted

    jax.config.update("jax_enable_x64", True)
    x = np.array([1.3, 0.7])
    on_jax = retargeted(f, jax.numpy, jax.scipy.special)
    np.testing.assert_allclose(rg.hessian(f, jit=False)(x), jax.hessian(on_jax)(x), rtol=1e-12)
    third = jax.jacfwd(jax.hessian(on_jax))(x)
    found = rg.jacobian(rg.hessian(f), jit=False)(x)
    np.testing.assert_allclose(found, third, rtol=1e-11, atol=1e-11)
