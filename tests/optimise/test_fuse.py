"""Loops over the same iterations become one where that saves an array."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function, Loop
from retrograd.ir.types import INT
from retrograd.ir.verify import verify
from retrograd.optimise import fuse as module
from retrograd.optimise.dead import remove_dead
from retrograd.optimise.fuse import fuse
from retrograd.optimise.storage import hidden_copies

FIRST = """
for i in range(n):
    v = exp(load(x, i))
    T = update(T, i, v)
"""
SECOND = """
for i in range(n):
    A = add_at(A, i, load(T, i))
"""


def whole(body: str, result: str = "A") -> Function:
    return program(f"{body}\nreturn {result}", x=VECTOR, T=VECTOR, A=VECTOR, n=INT, s=F, m=INT)


def fused(function: Function) -> Function:
    new = remove_dead(verify(fuse(function)))
    x, n = np.array([0.5, -2.0, 3.0, 0.25]), 4
    for count in (n, 0):
        args = (x, np.zeros(n), np.ones(n), count, 0.5, count)
        for a, b in zip(interpret(new, args), interpret(function, args), strict=True):
            np.testing.assert_array_equal(a, b)
    assert len(hidden_copies(new)) <= len(hidden_copies(function))
    return new


def loops(function: Function) -> int:
    return sum(isinstance(s, Loop) for s in function.body)


def test_documentation() -> None:
    before, after = documented(module)
    assert canonical(fused(whole(before))) == canonical(remove_dead(whole(after)))


@pytest.mark.parametrize(("body", "result"), [
    (FIRST + "c = 2.0 * s" + SECOND, "A, c"),                       # unrelated in between
    (FIRST + SECOND, "A, T"),                                       # the tape is read elsewhere
    (FIRST + SECOND + SECOND.replace("A = add_at(A, i, ", "s = add(s, "), "A, s"),
    (FIRST + "c = load(T, 0)" + SECOND, "A"),
    (FIRST.replace("i, v", "i, s") + SECOND, "A"),
    ("for i in range(n):\n    s = add(s, load(x, i))\n    T = update(T, i, s)" + SECOND, "A, s"),
])
def test_one_loop(body: str, result: str) -> None:
    kept = "load(T, 0)" in body
    assert loops(fused(whole(body, result + (", c" if kept else "")))) == (2 if kept else 1)


@pytest.mark.parametrize("body", [
    FIRST + SECOND.replace("load(T, i)", "load(T, 0)"),
    FIRST + SECOND.replace("load(T, i)", "load(T, i - 1)"),
    FIRST + SECOND.replace("load(T, i)", "multiply(load(T, i), load(T, 0))"),
    FIRST + SECOND.replace("range(n)", "range(m)"),
    FIRST + SECOND.replace("range(n)", "range(n - 1, -1, -1)"),
    FIRST.replace("range(n)", "range(-1, n)") + SECOND.replace("range(n)", "range(-1, n)"),
    FIRST.replace("T, i, v", "T, 0, v") + SECOND,
    FIRST + "    T = update(T, 0, 1.0)" + SECOND,                    # written again
    FIRST.replace("exp(load(x, i))", "exp(load(T, 0))") + SECOND,
    FIRST + "c = load(T, 0)" + SECOND.replace("load(T, i)", "multiply(c, load(T, i))"),
    FIRST + "check_index(n, 10)" + SECOND,
    FIRST + SECOND.replace("    A", "    check_index(i, n)\n    A"),
    # the second loop writes into what the first one reads
    FIRST.replace("load(x, i)", "load(A, 0)") + SECOND,
    # so does something in between
    FIRST.replace("load(x, i)", "load(A, 0)") + "B = update(A, 0, 1.0)"
    + SECOND.replace("A", "B"),
])
def test_left_alone(body: str) -> None:
    text = body.replace("-1, n", "-1, 4")
    function = remove_dead(whole(text, "B" if "B = " in body else "A"))
    try:
        assert canonical(fused(function)) == canonical(function)
    except IndexError:
        assert canonical(fuse(function)) == canonical(function)
