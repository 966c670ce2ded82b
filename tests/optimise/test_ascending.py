"""Loops of the reverse sweep that only add run forward; others keep their order."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.language import VECTOR, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function
from retrograd.ir.types import INT
from retrograd.ir.verify import verify
from retrograd.optimise import ascending
from retrograd.optimise.ascending import run_forward
from retrograd.optimise.dead import remove_dead

X = np.array([0.5, -2.0, 3.0, 0.25])


def whole(body: str, mark: str = "sweeps", result: str = "x_bar") -> Function:
    return program(f"{mark}\n{body}\nreturn {result}", x=VECTOR, x_bar=VECTOR, n=INT)


def downwards(*lines: str) -> Function:
    return whole("\n    ".join(["for i in range(n - 1, -1, -1):", *lines]))


def turned(function: Function) -> Function:
    new = verify(run_forward(function))
    args = (X, np.zeros(4), 4)
    for a, b in zip(interpret(new, args), interpret(function, args), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)
    return new


def test_documentation() -> None:
    before, after = documented(ascending)
    assert canonical(remove_dead(turned(whole(before)))) == canonical(whole(after))


@pytest.mark.parametrize("lines", [
    ["x_bar = add_at(x_bar, i, 1.0)", "x_bar = add_at(x_bar, 0, load(x, i))"],
    ["if load(x, i) < 0.0:", "    x_bar = add_at(x_bar, i, 1.0)"],
    ["if load(x, i) < 0.0:", "    x_bar = add_at(x_bar, i, 1.0)", "else:",
     "    x_bar = add_at(x_bar, i, 2.0)"],
    ["for j in range(2):", "    x_bar = add_at(x_bar, j, load(x, i))"],
    ["for j in range(i, -1, -1):", "    x_bar = add_at(x_bar, j, load(x, i))"],
])
def test_only_added_to(lines: list[str]) -> None:
    function = downwards(*lines)
    assert canonical(turned(function)) != canonical(function)


@pytest.mark.parametrize("lines", [
    ["x_bar = update(x_bar, i, 1.0)"],
    ["x_bar = update(x_bar, n - 1 - i, load(x_bar, n - 1 - i))"],
    ["x_bar = update(x_bar, i, 1.0)", "x_bar = add_at(x_bar, i, load(x_bar, i))"],
    ["if load(x_bar, i) < 0.0:", "    x_bar = add_at(x_bar, i, 1.0)"],
    ["if load(x, i) < 0.0:", "    x_bar = add_at(x_bar, i, 1.0)", "else:",
     "    x_bar = update(x_bar, i, 2.0)"],
    ["for j in range(n):", "    x_bar = update(x_bar, i, load(x, j))"],
    ["g = load(x_bar, i)", "x_bar = update(x_bar, i, 0.0)", "x = add_at(x, 0, g)"],
])
def test_elements_of_its_own(lines: list[str]) -> None:
    function = downwards(*lines)
    assert canonical(turned(function)) != canonical(function)


@pytest.mark.parametrize("lines", [
    ["x_bar = update(x_bar, 0, load(x, i))"],
    ["x_bar = update(x_bar, i - 1, load(x, i))"],                # that of i = 0 is the last one
    ["x_bar = update(x_bar, i + 1 - 1 - i, load(x, i))"],
    ["x_bar = update(x_bar, i, load(x_bar, 0))"],
    ["x_bar = update(x_bar, n - 1 - i, 1.0)", "x_bar = update(x_bar, i, 2.0)"],
    ["x_bar = update(x_bar, i, 1.0)", "x_bar = add(x_bar, 1.0)"],
    ["x_bar = update(x_bar, i, 1.0)", "for j in range(n):", "    x_bar = add_at(x_bar, j, 1.0)"],
    ["j = i", "for k in range(2):", "    j = j - 1", "x_bar = update(x_bar, j, load(x, i))"],
    ["x_bar = add_at(x_bar, i, load(x_bar, 0))"],
    ["x_bar = add_at(x_bar, i, 1.0)", "x_bar = add(x_bar, x_bar)"],
    ["x_bar = subtract(x, x_bar)"],
    ["check_index(i, n)", "x_bar = add_at(x_bar, i, 1.0)"],
])
def test_left_alone(lines: list[str]) -> None:
    function = downwards(*lines)
    assert canonical(turned(function)) == canonical(function)


def test_users_own_order_is_kept() -> None:
    text = "for i in range(n - 1, -1, -1):\n    x_bar = add_at(x_bar, 0, load(x, i))"
    function = whole(text, mark="unused = n + 1")
    assert run_forward(function) is function
    before = whole(f"{text}\nsweeps\nx_bar = add(x_bar, 1.0)", mark="unused = n + 1")
    assert canonical(turned(before)) == canonical(before)


def test_swapped_sums_keep_their_order() -> None:
    body = "for i in range(n - 1, -1, -1):\n    c = x\n    x = x_bar\n    x_bar = c"
    function = whole(body, result="x, x_bar")
    assert canonical(run_forward(function)) == canonical(function)
