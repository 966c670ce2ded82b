"""Results are made in memory that the caller gives, where they are made in memory of their own."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function
from retrograd.ir.types import BOOL, INT
from retrograd.ir.verify import verify
from retrograd.optimise import destinations
from retrograd.optimise.destinations import with_destinations

X = np.array([0.5, -2.0, 3.0, 0.25])
PARAMS = {"x": VECTOR, "s": F, "n": INT, "c": BOOL}


def whole(body: str, result: str) -> Function:
    return program(f"{body}\nreturn {result}", **PARAMS)


def positions(function: Function) -> tuple[int, ...]:
    """The results that get memory; the function stays the same."""
    found = with_destinations(function)
    if found is None:
        return ()
    verify(found.function)
    for n, c in ((4, True), (0, False)):
        args = (X[:n], 0.5, n, c)
        memory = [np.full(n, np.nan) for _ in found.positions]
        for a, b in zip(interpret(found.function, (*args, *memory)), interpret(function, args),
                        strict=True):
            np.testing.assert_array_equal(a, b)
    return found.positions


def test_documentation() -> None:
    before, after = documented(destinations, "before:", "after, with one more parameter, r:")
    found = with_destinations(whole(before, "y"))
    assert found is not None and found.positions == (0,)
    expected = program(f"{after}\nreturn y", **PARAMS, r=VECTOR)
    assert canonical(verify(found.function)) == canonical(expected)


@pytest.mark.parametrize("made", ["empty(n)", "zeros(n)", "ones(n)", "full(2.0, n)", "copy(x)"])
def test_what_is_written_in_place_up_to_the_end(made: str) -> None:
    body = f"""
y = {made}
for i in range(n):
    y = update(y, i, multiply(2.0, load(x, i)))
if c:
    y = update(y, 0, s)"""
    assert positions(whole(body, "(s, y)")) == (1,)


@pytest.mark.parametrize(("body", "result"), [
    ("y = multiply(2.0, x)", "y"),                       # made by an operation
    ("y = empty(n)", "(y, y)"),                          # twice
    ("y = x", "y"),                                      # the argument itself
    ("y = empty(n)\nw = view(y)", "w"),
    # two arrays that take turns: which one lies where, only the trip count knows
    ("""
y = zeros(n)
w = ones(n)
for i in range(n):
    t = y
    y = w
    w = t""", "(y, w)"),
    ("""
y = zeros(n)
w = ones(n)
t = w
if c:
    t = y
else:
    t = w""", "t"),
])
def test_left_alone(body: str, result: str) -> None:
    assert positions(whole(body, result)) == ()


def test_a_second_version_of_a_result_has_no_memory_of_its_own() -> None:
    body = "y = zeros(n)\nw = update(y, 0, s)\nz = update(y, 0, 2.0)"
    assert positions(whole(body, "(w, z)")) == ()
