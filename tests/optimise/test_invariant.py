"""Shapes and ints made of them leave the loops that do not change them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from frontend.tracing import load, same, traced
from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Let, Loop, While, walk
from retrograd.ir.types import Scalar
from retrograd.ir.verify import verify
from retrograd.optimise import invariant
from retrograd.optimise.invariant import hoist_shapes

INT = Scalar("int64", True)


def inside(text: str, *args: Any) -> list[str]:
    """The operations left in loops; the function means the same, bit for bit."""
    before = traced(load(text, file=f"<{text}>"), *args).function
    after = verify(hoist_shapes(before))
    assert same(interpret(after, args), interpret(before, args))
    return [s.op for loop in walk(after.body) if isinstance(loop, (Loop, While))
            for s in walk(loop.body) if isinstance(s, Let)]


def test_documentation() -> None:
    before, after = (f"{text}\nreturn y" for text in documented(invariant))
    types = {"x": VECTOR, "n": INT, "y": F}
    assert canonical(hoist_shapes(program(before, **types))) == canonical(program(after, **types))


@pytest.mark.parametrize("text", [
    "def f(x, n):\n    s = 0.0\n    for i in range(n):\n        s += x[i] * (x.shape[0] - 1)\n"
    "    return s\n",
    "def f(x, n):\n    y = x.copy()\n    for i in range(n):\n        y[i] = len(y) + y[0]\n"
    "    return y\n",
    "def f(x, n):\n    y = x.copy()\n    for i in range(n):\n        for j in range(2):\n"
    "            y[j] += len(y) * len(x)\n    return y\n",
])
def test_shapes_leave_loops(text: str) -> None:
    assert "dim" not in inside(text, np.arange(4.0), 3)


@pytest.mark.parametrize("text", [
    # another shape in every iteration; ints that the iteration makes
    "def f(x, n):\n    s = 0.0\n    for i in range(n):\n        s += len(x[x > i])\n    return s\n",
])
def test_what_changes_stays(text: str) -> None:
    assert "dim" in inside(text, np.arange(4.0), 3)
