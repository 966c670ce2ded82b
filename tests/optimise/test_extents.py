"""Extents are read from what is known first; arrays that loops exchange have one shape."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function
from retrograd.ir.types import INT
from retrograd.ir.verify import verify
from retrograd.optimise import extents
from retrograd.optimise.extents import share_extents

X = np.array([0.5, -2.0, 3.0, 0.25])


def whole(body: str) -> Function:
    return program(f"{body}\nreturn s", x=VECTOR, y=VECTOR, s=F, k=INT, n=INT, m=INT)


def shared(function: Function) -> Function:
    new = verify(share_extents(function))
    for m in (0, 1, 3):
        args = (X, X[:2], 0.5, 7, 4, m)
        assert interpret(new, args) == interpret(function, args)
    return new


def test_documentation() -> None:
    before, after = documented(extents)
    assert canonical(shared(whole(before))) == canonical(whole(after))


@pytest.mark.parametrize(("before", "after"), [
    # two buffers take turns
    ("""
a = zeros(n)
b = ones(n)
for i in range(m):
    t = a
    a = b
    b = t
    k = k + dim(a)
s = add(s, k)""", """
a = zeros(n)
b = ones(n)
for i in range(m):
    t = a
    a = b
    b = t
    k = k + n
s = add(s, k)"""),
    # the first array of the shape
    ("""
a = copy(x)
a = update(a, 0, 1.0)
s = add(s, dim(a))""", """
a = copy(x)
a = update(a, 0, 1.0)
s = add(s, dim(x))"""),
    # after the loop as before it
    ("""
a = copy(x)
for i in range(m):
    a = update(a, i, 1.0)
s = add(s, dim(a))""", """
a = copy(x)
for i in range(m):
    a = update(a, i, 1.0)
s = add(s, dim(x))"""),
])
def test_known_first(before: str, after: str) -> None:
    assert canonical(shared(whole(before))) == canonical(whole(after))


@pytest.mark.parametrize("body", [
    # of another shape in the next iteration
    """
a = copy(x)
for i in range(m):
    k = k + dim(a)
    a = zeros(n)
s = add(s, k + dim(a))""",
    # of one shape or another
    """
a = copy(x)
if k < n:
    a = copy(y)
s = add(s, dim(a))""",
    # exchanged with one of another shape
    """
a = copy(x)
b = copy(y)
for i in range(m):
    t = a
    a = b
    b = t
    k = k + dim(a)
s = add(s, k + dim(b))""",
])
def test_left_alone(body: str) -> None:
    function = whole(body)
    assert canonical(shared(function)) == canonical(function)
