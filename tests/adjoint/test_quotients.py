"""A quotient that is there before a loop is a factor in the loop."""

from __future__ import annotations

import numpy as np

import retrograd as rg
from retrograd.ir.build import Builder
from retrograd.ir.nodes import Value
from retrograd.ir.types import FLOAT


def once_a_row(x: np.ndarray, a: np.ndarray, b: float) -> float:
    total = 0.0
    for k in range(len(a)):
        q = a[k] / b
        for i in range(len(x)):
            total += np.sin(x[i]) * q
    return total


def test_no_division_in_the_inner_loop() -> None:
    x, a = np.linspace(0.1, 1.0, 4), np.array([0.3, -1.2])
    gradient = rg.grad(once_a_row, jit=False)
    np.testing.assert_allclose(gradient(x, a, 0.7), np.cos(x) * np.sum(a / 0.7), rtol=1e-14)
    source = gradient.source(x, a, 0.7)
    inner = source[source.index("for i in"):]
    assert "/" in source and "/" not in inner.replace("//", "").split("return")[0]


def test_two_builders_of_one_block() -> None:
    builder = Builder(checks=False)
    x = Value("x", FLOAT)
    first = builder.let("sin", x)
    beside, inner = builder.beside(), builder.inner()
    second = beside.let("cos", x)
    assert isinstance(first, Value) and isinstance(second, Value)
    assert builder.made_here(first) and builder.made_here(second) and beside.made_here(first)
    assert not inner.made_here(first)
