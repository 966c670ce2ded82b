"""Derivatives that are made and called inside differentiated functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
import truth

A, B = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.7, 0.9])


def powers(a: Any, b: Any, n: int = 2) -> Any:
    return np.sum(a ** n * b)


def with_extreme(x: Any) -> Any:
    return np.sum(x ** 3), np.max(x)


def pullback_by_name(a: Any, b: Any) -> Any:
    _, pull = rg.vjp(powers, a, b, argnames="b")
    return np.sum(pull(1.0) ** 2)


def pullback_called_twice(a: Any, b: Any) -> Any:
    _, pull = rg.vjp(lambda t: (t ** 2, np.sum(t)), a)
    return np.sum(pull((b, 1.0))[0] * pull((b * b, 0.0))[0])


def pushed_by_keyword(a: Any, b: Any) -> Any:
    return rg.jvp(powers, primals=(a, b), tangents=(b, a))[1]


def with_aux(a: Any, b: Any) -> Any:
    slope, most = rg.grad(with_extreme, has_aux=True)(a)
    return np.sum(slope * b) * most


def value_too(a: Any, b: Any) -> Any:
    value, (one, two) = rg.value_and_grad(powers, argnums=(0, 1))(a, b)
    return value + np.sum(one * two)


def by_name(a: Any, b: Any) -> Any:
    only, = rg.grad(powers, argnames=("b",))(a, b)
    return np.sum(only ** 2 * b)


def dense(a: Any, b: Any) -> Any:
    return np.sum(rg.hessian(powers)(a, b) ** 2) + np.sum(
        rg.jacobian(lambda t: t ** 2 * b)(a) ** 2)


def product(a: Any, b: Any) -> Any:
    return np.sum(rg.hvp(powers)(a, b, b) ** 2)


def batched(a: Any, b: Any) -> Any:
    return np.sum(rg.vmap(lambda s, t: np.sin(s) * t, in_axes=(0, None))(a, b) ** 2)


def in_a_loop(a: Any, b: Any) -> Any:
    slope = rg.grad(lambda t: np.sum(t ** 3 * b))
    total = 0.0
    for k in range(3):
        total += np.sum(slope(a * k))
    return total


def descent(a: Any, b: Any) -> Any:
    x = a.copy()
    for _ in range(3):
        x -= 0.01 * rg.grad(powers)(x, b)
    return np.sum(x ** 2)


def descent_until(a: Any, b: Any) -> Any:
    while np.sum(a) > 1.0:
        a = a - 0.1 * rg.grad(powers)(a, b)
    return np.sum(a * a)


def residual_of_an_equation(a: Any, b: Any) -> Any:
    """u'' + u u' at some points."""
    def u(t: Any) -> Any:
        return np.sin(t) * b[0] + np.exp(-b[1] * t)

    first = rg.grad(u)
    second = rg.grad(first)
    total = 0.0
    for t in a:
        total += (second(t) + u(t) * first(t)) ** 2
    return total


def of_a_container(a: Any, b: Any) -> Any:
    def loss(p: Any) -> Any:
        return np.sum(p["w"] ** 2 * p["v"])

    slope = rg.grad(loss)({"w": a, "v": b})
    return np.sum(slope["w"] * slope["v"])


def in_a_branch(a: Any, b: Any) -> Any:
    if a[0] > 0.5:
        slope = rg.grad(powers)(a, b)
    else:
        slope = b
    return np.sum(slope ** 2)


PROGRAMS = [pullback_by_name, pullback_called_twice, pushed_by_keyword, with_aux, value_too,
            by_name, dense, product, batched, in_a_loop, descent, descent_until,
            residual_of_an_equation, of_a_container, in_a_branch]


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program: Callable[..., Any], jit: bool) -> None:
    value, found = rg.value_and_grad(program, argnums=(0, 1), jit=jit)(A, B)
    primal = rg.differentiable(program, jit=False)
    assert value == pytest.approx(primal(A, B), rel=1e-12)
    true = truth.by_differences(primal, (A, B), (0, 1))
    for one, other in zip(found, true, strict=True):
        assert truth.close(one, other, 1e-6), f"{one} instead of {other}"


@pytest.mark.parametrize("program", [with_aux, value_too, dense, product, batched])
def test_plain_python_gives_the_same(program: Callable[..., Any]) -> None:
    assert rg.differentiable(program, jit=False)(A, B) == pytest.approx(program(A, B), rel=1e-12)


# --- errors --------------------------------------------------------------------------------------


def two_directions(a: Any, b: Any) -> Any:
    return rg.hvp(powers, argnums=(0, 1))(a, a, b)


def unknown_mode(a: Any, b: Any) -> Any:
    return rg.jacobian(powers, mode="backward")(a, b)


def too_many(a: Any, b: Any) -> Any:
    return rg.grad(powers, 0, 1)(a, b)


def aux_of_a_product(a: Any, b: Any) -> Any:
    return rg.hvp(with_extreme, has_aux=True)(a, b)


def out_of_range(a: Any, b: Any) -> Any:
    return rg.grad(powers, argnums=5)(a, b)


def one_is_missing(a: Any, b: Any) -> Any:
    return rg.grad(powers)(a)


def reduced(a: Any, b: Any) -> Any:
    return rg.vmap(powers, reduce="max")(a, b)


def tangent_of_an_int(a: Any, b: Any) -> Any:
    return rg.jvp(powers, (a, b, np.arange(3)), (b, a, b))[1]


@pytest.mark.parametrize(("program", "error", "message"), [
    (two_directions, TypeError, "hvp differentiates with respect to one argument"),
    (unknown_mode, ValueError, "mode must be 'auto', 'forward' or 'reverse'"),
    (too_many, TypeError, "too many positional arguments"),
    (aux_of_a_product, TypeError, "hvp has no has_aux"),
    (out_of_range, ValueError, "argnums=5 is out of range"),
    (one_is_missing, TypeError, "missing a required argument: 'b'"),
    (reduced, ValueError, "reduce must be 'sum', 'mean' or None"),
    (tangent_of_an_int, TypeError, "for an argument that is not a float"),
])
def test_errors_are_those_of_the_interface(program: Callable[..., Any], error: type[Exception],
                                           message: str) -> None:
    with pytest.raises(error, match=message):
        rg.differentiable(program, jit=False)(A, B)


def writes_outside(a: Any, b: Any) -> Any:
    c = a.copy()

    def inner(t: Any) -> Any:
        c[0] = t[0]
        return np.sum(t * c)

    return np.sum(rg.grad(inner)(a))


def options_inside(a: Any, b: Any) -> Any:
    return rg.jvp(powers, (a, b), (b, a), jit=True)[1]


@pytest.mark.parametrize(("program", "message"), [
    (writes_outside, "writes into an array of the function around it"),
    (options_inside, "rg.jvp with jit= inside a function that is compiled"),
])
def test_refused(program: Callable[..., Any], message: str) -> None:
    with pytest.raises(rg.Unsupported, match=message) as refusal:
        rg.differentiable(program, jit=False)(A, B)
    assert refusal.value.span is not None and refusal.value.remedy
