"""What is made in a loop is made once, before it; two buffers take turns where one is handed on."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from frontend.tracing import load
from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function, Let, Loop, While, walk
from retrograd.ir.types import INT
from retrograd.ir.verify import verify
from retrograd.optimise import buffers
from retrograd.optimise.buffers import hoist_buffers
from retrograd.optimise.storage import hidden_copies

X = np.array([0.5, -2.0, 3.0, 0.25])
MADE = {"empty", "zeros", "ones", "full", "copy"}


def whole(body: str, result: str = "s") -> Function:
    return program(f"{body}\nreturn {result}", x=VECTOR, s=F, n=INT, m=INT)


def hoisted(function: Function) -> Function:
    """The result of the pass, which computes the same and copies nothing in loops."""
    new = verify(hoist_buffers(function))
    for n, m in ((4, 3), (4, 0), (0, 0), (4, 1)):
        for a, b in zip(interpret(new, (X, 0.5, n, m)), interpret(function, (X, 0.5, n, m)),
                        strict=True):
            np.testing.assert_array_equal(a, b)
    assert not hidden_copies(new)
    assert verify(hoist_buffers(new)) is new
    return new


def made_in_loops(function: Function) -> int:
    return sum(isinstance(s, Let) and s.op in MADE for loop in function.body
               if isinstance(loop, Loop | While) for s in walk((loop,)))


def test_documentation() -> None:
    before, after = documented(buffers)
    assert canonical(hoisted(whole(before))) == canonical(whole(after))


FILLED = """
size = maximum(4, n)
for i in range(m):
    t = {made}
    for j in range(4):
        t = add_at(t, j, load(x, j))
    s = add(s, load(t, 3))
"""


@pytest.mark.parametrize("made", ["zeros(4)", "ones(dim(x))", "full(2.0, 4)", "copy(x)",
                                  "zeros(size)"])
def test_contents_are_filled_in_the_loop(made: str) -> None:
    assert made_in_loops(hoisted(whole(FILLED.format(made=made)))) == 0


@pytest.mark.parametrize("body", [
    # handed on: two buffers
    """
y = ones(4)
for i in range(m):
    w = empty(4)
    for j in range(4):
        w = update(w, j, add(load(y, 3 - j), load(x, j)))
    y = w
s = load(y, 0)""",
    # handed on by way of another slot: three
    """
y = ones(4)
p = zeros(4)
for i in range(m):
    w = empty(4)
    for j in range(4):
        w = update(w, j, add(load(y, j), load(p, 3 - j)))
    p = y
    y = w
s = add(load(y, 0), load(p, 1))""",
    # in a loop in a loop
    """
for i in range(m):
    for k in range(2):
        t = zeros(4)
        t = update(t, k, load(x, i))
        s = add(s, load(t, 1))""",
    # handed on in the inner loop: both buffers leave both loops
    """
for i in range(m):
    y = zeros(4)
    for k in range(2):
        w = empty(4)
        for j in range(4):
            w = update(w, j, add(load(y, 3 - j), load(x, k)))
        y = w
    s = add(s, load(y, 0))""",
    # written in one arm
    """
for i in range(m):
    t = zeros(4)
    if load(x, i) < 0.0:
        t = update(t, 0, load(x, i))
    s = add(s, load(t, 0))""",
    # the shape of a carried array that keeps it
    """
y = copy(x)
for i in range(m):
    t = zeros(dim(y))
    t = update(t, 0, load(y, 1))
    y = update(y, 1, load(t, 0))
s = load(y, 1)""",
])
def test_made_once(body: str) -> None:
    function = whole(body)
    assert made_in_loops(function) and made_in_loops(hoisted(function)) == 0


@pytest.mark.parametrize("body", [
    # as long as the iteration says
    """
for i in range(m):
    t = zeros(i + 1)
    t = update(t, 0, load(x, i))
    s = add(s, load(t, 0))""",
    # two slots share it
    """
y = ones(4)
p = zeros(4)
for i in range(m):
    w = zeros(4)
    y = w
    p = w
s = add(load(y, 0), load(p, 1))""",
    # handed on by one arm only
    """
y = ones(4)
for i in range(m):
    w = zeros(4)
    if load(x, i) < 0.0:
        y = w
s = load(y, 0)""",
    # the array whose place it takes has another length
    """
y = zeros(n)
for i in range(m):
    y = zeros(4)
s = load(y, 0)""",
    # written twice from the same version
    """
for i in range(m):
    t = zeros(4)
    a = update(t, 0, 1.0)
    b = update(t, 1, 1.0)
    s = add(load(a, 0), load(b, 0))""",
])
def test_left_alone(body: str) -> None:
    function = whole(body)
    new = hoist_buffers(function)
    assert canonical(new) == canonical(function)


NEGATIVE = """
def f(x, n, m):
    s = 0.0
    for t in range(m):
        b = np.zeros(n)
        for i in range(n):
            b[i] = x * x
        s = s + np.sum(b)
    return s
"""


@pytest.mark.parametrize("jit", [False, True])
def test_a_negative_extent_raises_where_the_array_was_made(jit: bool) -> None:
    gradient = rg.grad(load(NEGATIVE, file="<negative extent>"), jit=jit)
    assert gradient(3.0, 2, 3) == 36.0
    assert gradient(3.0, -2, 0) == 0.0
    with pytest.raises(ValueError, match="negative dimensions are not allowed"):
        gradient(3.0, -2, 3)
