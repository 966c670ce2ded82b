"""Every elementwise rule against central differences of its operation, and at its kinks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from retrograd.ir.operations import OPERATIONS
from retrograd.rules import INDEXED, LOWERED, OF_USERS, RULES, ZERO_DERIVATIVE
from retrograd.rules.arithmetic import known_power
from retrograd.rules.rule import elementwise, table
from rules.calls import difference, partials

NAMES = sorted(name for name, rule in RULES.items() if rule.kind == "elementwise")


def sample(name: str, dtype: str = "float64") -> tuple[Any, ...]:
    rng = np.random.default_rng(3)
    args = [rng.uniform(low, high, 16).astype(dtype) for low, high in RULES[name].domain]
    if name == "where":
        args[0] = args[0] > 0.5
    return tuple(args)


def partial(name: str, *args: Any) -> tuple[Any, ...]:
    return partials(RULES[name], args)


def test_every_operation_has_a_rule_or_a_reason_for_having_none() -> None:
    operations = set(OPERATIONS.table)
    assert set(RULES) | ZERO_DERIVATIVE | INDEXED | OF_USERS | LOWERED == operations
    assert not set(RULES) & ZERO_DERIVATIVE
    assert not (set(RULES) | ZERO_DERIVATIVE) & INDEXED


def test_every_rule_is_named_after_an_operation_of_its_kind_and_has_a_domain() -> None:
    for name, rule in RULES.items():
        family = OPERATIONS[name].family
        assert rule.domain, name
        if rule.kind == "elementwise":
            assert family == "elementwise", name


def test_two_rules_for_one_operation_are_an_error() -> None:
    with pytest.raises(ValueError, match="two rules are given for 'add'"):
        table((RULES["add"], RULES["add"]))


@pytest.mark.parametrize("name", NAMES)
def test_one_partial_an_argument(name: str) -> None:
    assert len(partial(name, *sample(name))) == len(RULES[name].domain)


@pytest.mark.parametrize("name", NAMES)
def test_partials_equal_central_differences(name: str) -> None:
    args = sample(name)
    for k, found in enumerate(partial(name, *args)):
        if args[k].dtype == bool:
            assert found is None
            continue
        expected = difference(OPERATIONS[name].evaluate, args, k, np.ones(16))
        np.testing.assert_allclose(np.zeros(16) + (0 if found is None else found), expected,
                                   rtol=3e-8, atol=3e-9)


MASKS = {"maximum", "minimum", "fmax", "fmin", "where"}


@pytest.mark.parametrize("name", sorted(set(NAMES) - MASKS))
def test_partials_of_float32_are_float32(name: str) -> None:
    for found in partial(name, *sample(name, "float32")):
        assert found is None or np.result_type(np.float32(1) * found) == np.float32


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"power"}))
def test_linear_rules_have_constant_partials(name: str) -> None:
    if RULES[name].linear:
        assert all(isinstance(found, int) for found in partial(name, *sample(name)))


# --- kinks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_ties_share_equally(name: str) -> None:
    assert partial(name, np.float64(2), np.float64(2)) == (0.5, 0.5)
    assert sum(partial(name, np.float64(1), np.float64(2))) == 1


@pytest.mark.parametrize("name", ["fmax", "fmin"])
def test_what_is_not_nan_is_chosen(name: str) -> None:
    assert partial(name, np.float64(np.nan), np.float64(2)) == (0, 1)
    assert partial(name, np.float64(2), np.float64(np.nan)) == (1, 0)


def test_subgradients_at_zero() -> None:
    assert partial("absolute", np.float64(0)) == (0,)
    assert partial("hypot", np.float64(0), np.float64(0)) == (0, 0)
    assert partial("sqrt", np.float64(0)) == (np.inf,)
    assert np.isnan(partial("arctan2", np.float64(0), np.float64(0))).all()


@pytest.mark.parametrize("x", [0.0, 1.0, -3.0, np.inf, np.nan])
def test_power_zero_has_derivative_zero(x: float) -> None:
    assert known_power(np.float64(x), 0) == 0
    assert partial("power", np.array([x]), np.array([0.0]))[0] == 0


@pytest.mark.parametrize("y", [-2, -1, 0, 1, 2, 3, 0.5, -1.5, 2.0])
def test_known_exponents(y: float) -> None:
    x = np.array([0.7, 1.3])
    np.testing.assert_allclose(np.zeros(2) + known_power(x, y), y * x ** (float(y) - 1),
                               rtol=1e-14)


def test_zero_to_a_power_does_not_depend_on_the_power() -> None:
    assert partial("power", np.array([0.0]), np.array([2.0]))[1] == 0


def test_absolute_of_complex_numbers_follows_jax() -> None:
    z = np.array([3 + 4j, 0])
    np.testing.assert_allclose(partial("absolute", z)[0], [0.6 - 0.8j, 0])


# --- accuracy ------------------------------------------------------------------------------------


def test_digamma() -> None:
    x = np.concatenate((np.linspace(0.01, 60, 401), [1e5, 1e10], np.linspace(-8.3, -0.2, 40)))
    np.testing.assert_allclose(partial("gammaln", x)[0], special.digamma(x), rtol=3e-13,
                               atol=3e-14)


def test_no_overflow_and_no_loss() -> None:
    big = np.array([1000.0])
    assert partial("logaddexp", big, -big) == (1, 0)
    assert partial("logaddexp2", big * 10, -big * 10) == (1, 0)
    assert partial("expm1", np.array([-50.0])) == (np.exp(-50.0),)
    assert partial("tanh", big) == (0,)
    assert partial("erf", big) == (0,)
    near_one = np.array([1 - 2.0**-50])
    np.testing.assert_allclose(partial("arctanh", near_one)[0], 2.0**49, rtol=1e-15)
    np.testing.assert_allclose(partial("arccosh", 2 - near_one)[0], 2.0**24.5, rtol=1e-15)


def test_a_planted_error_is_found() -> None:
    @elementwise(domain=[(-2, 2)])
    def tanh(x: Any, *, out: Any) -> Any:
        return 1 - out

    x = np.linspace(-1, 1, 5)
    wrong, = partials(tanh, (x,))
    assert not np.allclose(wrong, difference(np.tanh, (x,), 0, np.ones(5)))
