"""Generators as arguments and captured: the numbers, the state afterwards, the derivatives."""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from api import generator_programs as programs
from contract.support import raised

X = np.array([0.4, -1.2, 0.9, 0.3, 1.7])


def rng(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


CASES: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (programs.numbers, (0.7, rng())), (programs.arrays, (X, rng())),
    (programs.shifted_and_scaled, (0.3, 1.2, rng())), (programs.in_a_loop, (0.7, rng())),
    (programs.until_it_stops, (0.7, rng())), (programs.indices, (X[:3], rng())),
    (programs.only_sometimes, (0.7, rng(1))), (programs.only_sometimes, (0.7, rng(2))),
    (programs.only_sometimes, (-0.7, rng())), (programs.unused, (0.7, rng())),
    (programs.captured, (0.7,)), (programs.in_a_helper, (X[:4].reshape(2, 2), rng())),
    (programs.arrays_of_parameters, (X, rng())), (programs.divided, (X[:3], 4, rng())),
    (programs.two_generators, (X[:3], rng(), rng(5))), (programs.twice_the_same, (0.7,)),
    *[(programs.numbers, (0.7, np.random.Generator(kind(5)))) for kind in (
        np.random.MT19937, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM)],
]


@pytest.fixture(autouse=True)
def kept():
    """The captured generator is found as it was left."""
    state = programs.CAPTURED.bit_generator.state
    yield
    programs.CAPTURED.bit_generator.state = state


def states(args: tuple[Any, ...]) -> list[Any]:
    found = [a for a in (*args, programs.CAPTURED) if isinstance(a, np.random.Generator)]
    return [str(g.bit_generator.state) for g in found]


def names_of(case: Any) -> str:
    return case[0].__name__


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])
@pytest.mark.parametrize("case", CASES, ids=names_of)
def test_numbers_state_and_gradient(case, jit) -> None:
    f, args = case
    positions = tuple(k for k, a in enumerate(args)
                      if not isinstance(a, (int, np.random.Generator)))
    start = programs.CAPTURED.bit_generator.state
    theirs = copy.deepcopy(args)
    expected = f(*theirs)
    after = states(theirs)
    programs.CAPTURED.bit_generator.state = start
    ours = copy.deepcopy(args)
    value, gradients = rg.value_and_grad(f, argnums=positions, jit=jit)(*ours)
    assert np.isclose(value, expected, rtol=1e-13)
    assert states(ours) == after
    programs.CAPTURED.bit_generator.state = start
    again, pullback = rg.vjp(f, *copy.deepcopy(args), argnums=positions, jit=jit)
    assert again == value
    for _ in range(2):
        for one, other in zip(gradients, pullback(1.0), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13)
    programs.CAPTURED.bit_generator.state = start
    before = states(args)
    rg.check_grads(f, args, positions, jit=jit)
    assert states(args) == before


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])
@pytest.mark.parametrize("f, args", [
    (programs.wrong_scale, (1.0, -1.0)), (programs.wrong_scale, (1.0, -0.0)),
    (programs.wrong_range, (1.0, 2.0, 1.0)), (programs.wrong_range, (1.0, 0.0, np.inf)),
    (programs.wrong_bounds, (1.0, 3, 3)), (programs.wrong_bounds, (1.0, 3, 1)),
    (programs.wrong_bound, (1.0, -1))])
def test_errors_are_numpys(f, args, jit) -> None:
    expected = raised(f, *args, rng())
    assert raised(rg.grad(f, jit=jit), *args, rng()) == expected


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])
def test_ranges_that_numba_draws_in_another_way_raise(jit) -> None:
    with pytest.raises(OverflowError, match="draw them in parts"):
        rg.grad(programs.wrong_bounds, jit=jit)(1.0, -2**62, 2**63 - 1, rng())


def test_many_draws_are_numpys() -> None:
    def f(x, rng, n):
        total = x
        for _ in range(n):
            total = total + rng.random() * rng.standard_normal() + rng.standard_exponential()
            total = total + 0.5 * rng.integers(-3, 1000)
        return total

    one, other = rng(), rng()
    value, _ = rg.value_and_grad(f)(0.5, one, 20_000)
    assert np.isclose(value, f(0.5, other, 20_000), rtol=1e-12)
    assert one.bit_generator.state == other.bit_generator.state


def test_generators_are_one_type() -> None:
    g = rg.grad(programs.numbers, jit=False)
    for generator in (rng(), np.random.Generator(np.random.Philox(1))):
        g(0.5, generator)
    assert [s.types for s in g.signatures] == [("float", "Generator")]
    g(0.5, np.random.default_rng(2))
    with pytest.raises(rg.Unsupported):
        g(0.5, None)
    assert "rng.standard_normal()" in g.source(0.5, rng())


def test_an_annotation_says_that_it_is_a_generator() -> None:
    def f(x: float, rng: np.random.Generator) -> float:
        return x * rng.random()

    assert "rng.random()" in rg.grad(f).source()
    g = rg.grad(f)
    g.compile(("float64", "Generator"))
    assert g(2.0, rng()) == rng().random()
    assert inspect.signature(g).parameters["rng"].annotation


def test_references_to_generators_are_not_kept() -> None:
    g, generator = rg.grad(programs.numbers), rng()
    g(0.5, generator)
    before = sys.getrefcount(generator)
    for _ in range(100):
        g(0.5, generator)
    assert sys.getrefcount(generator) == before


def test_a_captured_generator_may_be_replaced(monkeypatch) -> None:
    g = rg.grad(programs.captured, jit=False)
    monkeypatch.setattr(programs, "CAPTURED", rng(1))
    first = g(0.5)
    monkeypatch.setattr(programs, "CAPTURED", rng(1))
    assert g(0.5) == first
    assert len(g.signatures) == 1
