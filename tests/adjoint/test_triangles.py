"""Tapes of triangular loops have a row for every iteration, and no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from frontend.tracing import load
from oracle import assert_gradients

A = np.arange(25.0).reshape(5, 5) / 17
LOOPS = {
    "up": "for i in range(n):\n        for j in range(i, n):\n            ",
    "below": "for i in range(n):\n        for j in range(i):\n            ",
    "down, twice as steep": "for i in range(n - 1, -1, -1):\n        for j in range(2 * i):\n"
                            "            ",
    "inside another": "for t in range(2):\n        for i in range(1, n, 2):\n"
                      "            for j in range(n, i, -1):\n                ",
    "around another": "for i in range(n):\n        for j in range(1, i + 1):\n"
                      "            for t in range(3):\n                ",
}


def function(name: str) -> Any:
    return load(f"def f(A, n):\n    x = 1.0\n    {LOOPS[name]}"
                "x = np.sin(x + A[i % 5, j % 5] * j)\n    return x\n", file=f"<{name}>")


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_right(name: str, n: int) -> None:
    assert_gradients(function(name), (A, n), (0,), ("numpy",))


@pytest.mark.parametrize("name", LOOPS)
def test_as_many_rows_as_iterations(name: str) -> None:
    ran: list[int] = []
    count = load(f"def f(A, n, ran):\n    {LOOPS[name]}ran.append(1)\n", file=f"<count {name}>")
    count(A, 5, ran)
    shapes: list[int] = []
    source = rg.grad(function(name), jit=False).source(A, 5)

    class Counting:
        def __getattr__(self, attribute: str) -> Any:
            return getattr(np, attribute)

        def empty(self, shape: Any, *args: Any) -> Any:
            shapes.append(int(np.prod(shape)))
            return np.empty(shape, *args)

    scope: dict[str, Any] = {}
    exec(source, scope)
    scope["np"] = Counting()
    scope["f_grad"](A, 5)
    assert max(shapes) == len(ran)
