"""Active is what depends on an input and influences an output, through floats."""

from __future__ import annotations

import numpy as np
import pytest

from adjoint.adjoints import names, program
from frontend.tracing import traced
from retrograd.adjoint.activity import activity

ARGUMENTS = "x, y, a, n"
VALUES = (0.5, 2.0, np.array([1.0, 2.0, 3.0]), 3)


def active(body: str, wrt: tuple[str, ...] = ("x",)) -> set[str]:
    found = traced(program(body, ARGUMENTS), *VALUES)
    inputs = [v for values in found.parameters for v in values if v.name in wrt]
    return names(activity(found.function, inputs, found.function.returns[:1])) - {"t"}


@pytest.mark.parametrize("body, expected", [
    ("u = x * 2\nv = y * 3\nreturn u + v", {"x", "u"}),
    ("u = x * 2\nv = u * 3\nreturn y", set()),                      # influences nothing
    ("u = x * 2\nw = np.exp(u)\nreturn u", {"x", "u"}),
    ("k = int(x > 0)\nu = y * k\nreturn u", set()),                   # only through a comparison
    ("u = a[n - 1] * x\nreturn u", {"x", "u"}),
    ("u = np.floor(x)\nv = u * y\nreturn v", set()),
    ("u = x if y > 0 else y\nreturn u * y", {"x"}),
    ("if x > 0:\n    u = y\nelse:\n    u = y * 2\nreturn u", set()),    # the test is no influence
    ("if y > 0:\n    u = x\nelse:\n    u = y * 2\nreturn u", {"x", "u"}),
])
def test_straight_code_and_branches(body: str, expected: set[str]) -> None:
    assert active(body) == expected


@pytest.mark.parametrize("body, expected", [
    ("u = y\nfor i in range(n):\n    u = u * x\nreturn u", {"x", "u"}),
    ("u, v = y, y\nfor i in range(n):\n    v = u\n    u = u * 2 + x\nreturn v", {"x", "u", "v"}),
    ("u, v = y, y\nfor i in range(n):\n    u = u * 2 + x\n    v = v * 2\nreturn v", set()),
    ("u, v = y, y\nfor i in range(n):\n    u = u * 2 + x\n    v = v * 2\nreturn u", {"x", "u"}),
    ("u, v, w = x, y, y\nfor i in range(n):\n    u, v, w = w, u, v\nreturn w",
     {"x", "u", "v", "w"}),
    ("u = x\nwhile u < 3:\n    u = u * 2\nreturn u", {"x", "u"}),
    ("u, k = y, x\nwhile k < 3:\n    k = k * 2\n    u = u * 2\nreturn u", set()),
    ("u = x\nfor i in range(n):\n    u = y\nreturn u", {"x", "u"}),        # where there is none
    ("s = 0.0\nfor v in a * x:\n    s = s + v\nreturn s", {"x", "s", "v"}),
])
def test_loops(body: str, expected: set[str]) -> None:
    assert active(body) - {"v"} == expected - {"v"}


def test_each_input_by_itself() -> None:
    body = "u = x * y\nv = y * 2\nreturn u + v"
    assert active(body, ("y",)) == {"y", "u", "v"}
    assert active(body, ("x", "y")) == {"x", "y", "u", "v"}
    assert active("return np.sum(a) * x", ("a",)) == {"a"}
    assert active("return np.sum(a) * x", ("n",)) == set()
