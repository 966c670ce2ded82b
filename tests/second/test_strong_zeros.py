"""Strong zeros at second order: what was not chosen contributes exactly nothing, and a key of a
product that is zero by accident has a derivative."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from second.compositions import assert_second, difference, program_of


def accidental(x: float) -> float:
    y = np.where(x > 0, np.sqrt(x), 0.0)
    return (y - 1.0) ** 2


def test_an_adjoint_that_is_zero_by_accident_has_a_derivative() -> None:
    program = program_of(accidental, 1.0)
    v, w = program.v[0], program.w[0]
    seed = program.seeds[0]
    assert_second(program, expected=0.5 * float(v * w * seed))


def masked_out(x: Any) -> Any:
    return np.sum(np.where(x > 0, np.sqrt(x) * np.log(x), 0.0))


def stored_by_mask(x: Any) -> Any:
    y = np.sqrt(x) / x
    y[x <= 0] = 0.0
    return np.sum(y * y * x)


def in_a_branch(x: float) -> float:
    y = np.sqrt(x) * x
    if x > 0:
        z = y / x
    else:
        z = 2.0 * x
    return z * z


@pytest.mark.parametrize("function", [masked_out, stored_by_mask])
def test_what_was_not_chosen_has_no_second_derivative(function: Any) -> None:
    whole = program_of(function, np.array([0.0, 4.0, -1.0, 0.5]))
    chosen = replace(program_of(function, np.array([4.0, 0.5])), seeds=whole.seeds,
                     v=[whole.v[0][[1, 3]]], w=[whole.w[0][[1, 3]]])
    assert_second(whole, expected=difference(chosen))


def test_a_branch_that_was_not_taken() -> None:
    program = program_of(in_a_branch, 0.0)
    v, w = program.v[0], program.w[0]
    assert_second(program, expected=8.0 * float(v * w * program.seeds[0]))
