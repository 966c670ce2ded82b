"""Several contributions to one element are one addition; what is read in between is not touched."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function
from retrograd.ir.types import INT
from retrograd.ir.verify import verify
from retrograd.optimise import together
from retrograd.optimise.dead import remove_dead
from retrograd.optimise.together import add_together


def whole(body: str, result: str = "x_bar", mark: str = "sweeps") -> Function:
    return program(f"{mark}\n{body}\nreturn {result}", x_bar=VECTOR, a=F, b=F, i=INT, j=INT)


def joined(function: Function) -> Function:
    new = remove_dead(verify(add_together(function)))
    for i, j in ((0, 1), (2, 2), (-1, 3)):
        args = (np.arange(4.0), 0.3, -0.7, i, j)
        for x, y in zip(interpret(new, args), interpret(function, args), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-14)
    return new


def test_documentation() -> None:
    before, after = documented(together)
    assert canonical(joined(whole(before))) == canonical(whole(after))


@pytest.mark.parametrize(("before", "after"), [
    ("x_bar = update(x_bar, i, 0.0)\nx_bar = add_at(x_bar, i, b)", "x_bar = update(x_bar, i, b)"),
    ("x_bar = update(x_bar, i, a)\nx_bar = add_at(x_bar, i, b)",
     "t = add(a, b)\nx_bar = update(x_bar, i, t)"),
    ("x_bar = add_at(x_bar, i, a)\nx_bar = add_at(x_bar, j, b)\nx_bar = add_at(x_bar, i, b)",
     "x_bar = add_at(x_bar, j, b)\nt = add(a, b)\nx_bar = add_at(x_bar, i, t)"),
])
def test_one_addition(before: str, after: str) -> None:
    new = joined(whole(before))
    assert sorted(canonical(new).split()) == sorted(canonical(whole(after)).split())


def test_three_become_one() -> None:
    new = joined(whole("\n".join(["x_bar = add_at(x_bar, i, a)"] * 3)))
    assert canonical(new).count("add_at") == 1


@pytest.mark.parametrize("body", [
    "x_bar = add_at(x_bar, i, a)\nx_bar = add_at(x_bar, j, b)",
    "x_bar = add_at(x_bar, i, a)\nc = load(x_bar, j)\nx_bar = add_at(x_bar, i, c)",
    # the element of the second write may be that of the first
    "x_bar = update(x_bar, i, a)\nx_bar = add_at(x_bar, j, b)\nx_bar = add_at(x_bar, i, b)",
    "x_bar = add_at(x_bar, i, a)\nx_bar = update(x_bar, j, b)\nx_bar = add_at(x_bar, i, b)",
])
def test_left_alone(body: str) -> None:
    function = whole(body)
    assert canonical(joined(function)) == canonical(function)


def test_users_own_sums_are_left_alone() -> None:
    function = whole("x_bar = add_at(x_bar, i, a)\nx_bar = add_at(x_bar, i, b)", mark="t = i + 1")
    assert add_together(function) is function


def test_an_array_that_is_returned_on_the_way_is_left_alone() -> None:
    function = whole("c = add_at(x_bar, i, a)\nx_bar = add_at(c, i, b)", "c, x_bar")
    assert canonical(joined(function)) == canonical(function)


def test_a_whole_value_moves_past_elements_that_are_others() -> None:
    others = "    x_bar = add_at(x_bar, j - 1, a)\n    x_bar = update(x_bar, j + 1, a)\n"
    function = whole("for j in range(1, 3):\n    x_bar = update(x_bar, j, 0.0)\n" + others
                     + "    x_bar = add_at(x_bar, j, b)")
    new = joined(function)
    expected = whole("for j in range(1, 3):\n" + others + "    x_bar = update(x_bar, j, b)")
    assert canonical(new) == canonical(expected)
    again = whole("for j in range(1, 4):\n    x_bar = update(x_bar, j, 0.0)\n"
                  "    x_bar = add_at(x_bar, j - 2, a)\n    x_bar = add_at(x_bar, j, b)")
    assert canonical(joined(again)) == canonical(again)
