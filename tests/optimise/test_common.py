"""An expression is computed once on each path; what differs in anything is kept apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from frontend.tracing import load, ops, same, traced
from optimise.language import F, canonical, documented, program
from retrograd.ir.index import Slice
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function, Let, Value, integer
from retrograd.ir.types import Array, Scalar
from retrograd.ir.verify import verify
from retrograd.optimise import common
from retrograd.optimise.common import share_common

A = np.arange(6.0).reshape(2, 3) + 1


def shared(text: str, *args: Any) -> list[str]:
    """The operations that are left; the function means the same, bit for bit."""
    before = traced(load(text, file=f"<{text}>"), *args).function
    after = verify(share_common(before))
    assert same(interpret(after, args), interpret(before, args))
    return ops(after)


def test_documentation() -> None:
    before, after = (f"{text}\nreturn c" for text in documented(common))
    assert canonical(share_common(program(before, x=F, y=F))) == canonical(
        program(after, x=F, y=F))


def test_in_a_block_and_in_those_inside_it() -> None:
    assert shared("def f(x):\n    return np.sin(x) + np.sin(x)\n", 0.5).count("sin") == 1
    assert shared("def f(x):\n    y = np.sin(x)\n    for i in range(3):\n        y *= np.sin(x)\n"
                  "    return y\n", 0.5).count("sin") == 1
    assert shared("def f(x):\n    y = np.sin(x)\n    if y > 0:\n        y = y * np.sin(x)\n"
                  "    return y\n", 0.5).count("sin") == 1


def test_chains_are_shared_from_the_start() -> None:
    assert shared("def f(x):\n    return np.exp(np.sin(x * 2)) * np.exp(np.sin(x * 2))\n", 0.5
                  ) == ["multiply", "sin", "exp", "multiply"]


@pytest.mark.parametrize("text", [
    # one arm may not have run when the other does, nor the body when the loop is left
    "def f(x):\n    if x > 0:\n        y = np.sin(x)\n    else:\n        y = 2 * np.sin(x)\n"
    "    return y\n",
    "def f(x):\n    if x > 0:\n        y = np.sin(x)\n    else:\n        y = x\n"
    "    return y + np.sin(x)\n",
    "def f(x):\n    y = x\n    for i in range(2):\n        y = y + np.sin(x)\n"
    "    return y + np.sin(x)\n",
    "def f(x):\n    k = x\n    while k + np.sin(x) < 3:\n        k = k + 1 + np.sin(x)\n"
    "    return k\n",
])
def test_another_path_computes_it_itself(text: str) -> None:
    assert shared(text, 0.5).count("sin") == 2


def test_carried_values_are_others_in_every_iteration() -> None:
    assert shared("def f(x):\n    y = np.sin(x)\n    for i in range(3):\n        x = np.sin(x)\n"
                  "    return x + y\n", 0.5).count("sin") == 2


@pytest.mark.parametrize("text", [
    "def f(x):\n    return np.sum(x, axis=0)[0] + np.sum(x, axis=1)[0]\n",
    "def f(x):\n    return np.sum(x[1:]) + np.sum(x[:1]) * 2 + np.sum(x[::-1])\n",
    "def f(x):\n    return np.sum(x.astype(np.float32)) + np.sum(x.astype(np.int64))\n",
    "def f(x):\n    return np.transpose(x, (0, 1))[0, 1] + np.transpose(x, (1, 0))[0, 1]\n",
    "def f(x):\n    return np.cumsum(x, axis=0)[1, 1] - np.cumsum(x, axis=1)[1, 1]\n",
    "def f(x):\n    return x[0, 1] - x[1, 0] + x[-1, 0]\n",
    "def f(x):\n    return np.sum(x.reshape(3, 2)[0]) + np.sum(x.reshape(2, 3)[0])\n",
])
def test_statics_distinguish(text: str) -> None:
    shared(text, A)


def test_slices_with_and_without_bounds_are_told_apart() -> None:
    x = Value("x", Array("float64", (None,)))
    lets = [Let(Value("v", Array("float64", (None,), "A")), "view", (x, integer(1)),
                {"index": (item,)}) for item in (Slice(start=True), Slice(stop=True))]
    f = share_common(Function("f", (x,), tuple(lets), tuple(let.result for let in lets)))
    assert len(f.body) == 2


def test_constants_that_are_equal_but_not_the_same() -> None:
    assert shared("def f(x):\n    return (x * 0.0) / 1 + (x * -0.0) / 1\n", -0.5).count(
        "multiply") == 2
    x = Value("x", Scalar("float64"))
    strong, weak = (Let(Value("v", Scalar("float64", w)), "add", (x, x)) for w in (False, True))
    f = share_common(Function("f", (x,), (strong, weak), (strong.result, weak.result)))
    assert len(f.body) == 2


def test_memory_that_will_be_written_is_not_shared() -> None:
    assert shared("def f(x):\n    a, b = np.zeros(3), np.zeros(3)\n    a += x\n    b -= x\n"
                  "    return a * b\n", np.ones(3)).count("zeros") == 2
    assert shared("def f(x):\n    a, b = x.copy(), x.copy()\n    a += x\n    b -= x\n"
                  "    return a * b\n", np.ones(3)).count("copy") == 2
