"""Every rule at second order: the tangent of its adjoint against central differences, and the
adjoint of its adjoint against that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retrograd.ir.interpret import interpret
from retrograd.rules import RULES
from rules.one_operation import OneOperation, paired, random_like
from rules.test_elementwise import NAMES
from rules.test_pullbacks import Case
from rules.test_pushforwards import ALL, SHAPES, sample, shown


def agree(one: OneOperation, rtol: float = 2e-6) -> None:
    rng = np.random.default_rng(9)
    bar, dots = random_like(one.value(), rng), one.directions(7)
    found = one.tangents_of_adjoints(bar, dots)
    adjoint = one.adjoint()
    ends = [interpret(adjoint, [*one.moved(dots, step), bar]) for step in (1e-6, -1e-6)]
    for tangent, a, b in zip(found, *ends, strict=True):
        expected = (a - b) / 2e-6
        np.testing.assert_allclose(tangent, expected, rtol=rtol, atol=rtol * (
            1 + np.max(np.abs(expected), initial=0)))
    bars = one.directions(11)
    again = one.adjoints_of_adjoints(bar, bars)
    np.testing.assert_allclose(sum(map(paired, again, dots)), sum(map(paired, found, bars)),
                               rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", ALL, ids=shown)
def test_operations_on_arrays(case: Case) -> None:
    op, args, static = case
    agree(OneOperation(op, args, static))


@pytest.mark.parametrize("name", NAMES)
def test_elementwise(name: str) -> None:
    count = len(RULES[name].domain)
    for shapes in SHAPES[count][:4]:
        agree(OneOperation(name, sample(name, shapes, ("float64",) * count), {}))


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5])
def test_known_exponents(exponent: float) -> None:
    agree(OneOperation("power", (np.array([0.7, 1.3]), exponent), {}))


@pytest.mark.parametrize("x, y, expected", [
    (2.0, 0.0, (0.0 + 0.5, 0.5 + np.log(2.0) ** 2)),     # y x^(y-1) grows with y where y is 0
    (2.0, 1.0, (1 + np.log(2.0), 1 + np.log(2.0) + 2 * np.log(2.0) ** 2)),
])
def test_exponents_that_move(x: float, y: float, expected: tuple[Any, ...]) -> None:
    one = OneOperation("power", (np.float64(x), np.float64(y)), {})
    ones = [np.float64(1), np.float64(1)]
    for found in (one.tangents_of_adjoints(np.float64(1), ones),
                  one.adjoints_of_adjoints(np.float64(1), ones)):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_zero_to_the_power_of_zero_is_flat() -> None:
    one = OneOperation("power", (np.array([0.0, 0.0]), np.array([0.0, 2.0])), {}, moved=[0])
    np.testing.assert_array_equal(one.tangent([np.ones(2)]), [0, 0])
    np.testing.assert_array_equal(one.adjoints(np.ones(2))[0], [0, 0])
