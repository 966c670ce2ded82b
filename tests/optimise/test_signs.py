"""Ints that certainly are not negative, and those that may be."""

from __future__ import annotations

import pytest

from optimise.language import VECTOR, F, program
from retrograd.ir.nodes import Function, Let, walk
from retrograd.ir.types import INT
from retrograd.optimise.signs import hidden, nonnegative_ints


def function_of(body: str) -> Function:
    return program(f"{body}\nreturn x", x=VECTOR, c=F, n=INT, m=INT)


def indices(function: Function) -> list[object]:
    return [s.args[1] for s in walk(function.body) if isinstance(s, Let) and s.op == "update"]


PLAIN = [
    "for i in range(n):\n    x = update(x, i, c)",
    "for i in range(1, n):\n    x = update(x, i - 1, c)",
    "for i in range(n - 1, -1, -1):\n    x = update(x, i, c)",
    "for i in range(n):\n    x = update(x, 1 + 3 * i, c)",
]
HIDDEN = [
    "for k in range(1, n):\n    for i in range(k):\n        x = update(x, k - i - 1, c)",
    "for i in range(n):\n    for j in range(i, n):\n        x = update(x, j, c)",
    "for i in range(n):\n    x = update(x, floor_divide(i * (i - 1), 2) + i, c)",
    "for i in range(n):\n    x = update(x, floor_divide(i, 3), c)",
    "for i in range(9):\n    x = update(x, 8 - i, c)",
    "for k in range(n):\n    for i in range(k):\n        x = update(x, i * k + i, c)",
    "for i in range(maximum(0, n), m):\n    x = update(x, i, c)",
    "k = dim(x)\nfor i in range(n):\n    x = update(x, remainder(n - i, k), c)",
    "k = 0\nfor i in range(n):\n    x = update(x, k, c)\n    k = k + 2",
    "k = 0\nfor i in range(n):\n    if c < 1.0:\n        k = k + i\n    x = update(x, k, c)",
    "for i in range(n):\n    for j in range(i):\n        x = update(x, i - j, c)",
    "for i in range(0, n, maximum(m, 1)):\n    for j in range(i, n):\n        x = update(x, j, c)",
]
MAYBE = [
    "x = update(x, n, c)",
    "for i in range(n):\n    x = update(x, i - 1, c)",
    "for i in range(0, n, m):\n    x = update(x, i, c)",
    "for i in range(0, n, maximum(m, 1)):\n    x = update(x, i - 1, c)",
    "for i in range(m, n):\n    x = update(x, i, c)",
    "for i in range(n, -2, -1):\n    x = update(x, i, c)",
    "for i in range(n):\n    for j in range(i + 2):\n        x = update(x, i - j, c)",
    "for i in range(n):\n    x = update(x, i * (i - 2), c)",
    "for i in range(n):\n    x = update(x, floor_divide(i - 1, 2), c)",
    "for i in range(n):\n    x = update(x, floor_divide(i, n), c)",
    "for i in range(n):\n    x = update(x, remainder(i, n), c)",
    "for i in range(n):\n    x = update(x, minimum(i, m), c)",
    "k = 0\nfor i in range(n):\n    x = update(x, k, c)\n    k = k - 1",
    "k = n\nfor i in range(n):\n    x = update(x, k, c)\n    k = k + 1",
    "k = 0\nfor i in range(n):\n    if c < 1.0:\n        k = k - i\n    x = update(x, k, c)",
    "k = 0\nj = 0\nfor i in range(n):\n    k = k + j\n    j = j + m\n    x = update(x, k, c)",
]


@pytest.mark.parametrize("body", PLAIN)
def test_seen_by_llvm(body: str) -> None:
    function = function_of(body)
    found = nonnegative_ints(function)
    assert found.issuperset(indices(function))
    assert hidden(function, found).isdisjoint(indices(function))


@pytest.mark.parametrize("body", HIDDEN)
def test_hidden(body: str) -> None:
    function = function_of(body)
    assert hidden(function, nonnegative_ints(function)).issuperset(indices(function))


@pytest.mark.parametrize("body", MAYBE)
def test_may_be_negative(body: str) -> None:
    function = function_of(body)
    assert nonnegative_ints(function).isdisjoint(indices(function))
