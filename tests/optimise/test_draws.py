"""Draws stay where they stand: no pass removes, shares, moves or repeats them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retrograd.backend.lowering import lower
from retrograd.errors import InternalError
from retrograd.ir import draws
from retrograd.ir.build import Builder
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Carried, Effect, Function, Loop, Value, integer, walk
from retrograd.ir.types import FLOAT, Generator
from retrograd.ir.verify import verify
from retrograd.pipeline import LOWERED_OPTIMISATIONS, OPTIMISATIONS, optimised


def program() -> Function:
    """Two equal draws, one that nobody reads, an array, and one in a loop that reads nothing of
    its loop."""
    rng, x = Value("rng", Generator()), Value("x", FLOAT)
    builder = Builder()
    first = draws.draw(builder, "random", rng, (), None)
    second = draws.draw(builder, "random", rng, (), None)
    draws.draw(builder, "integers", rng, (integer(0), integer(9)), None)
    array = draws.draw(builder, "standard_normal", rng, (), (integer(3),))
    total = builder.let("sum", array, axes=None)
    for atom in (first, second, x):
        total = builder.let("subtract", total, atom)
    inner, result = Value("y", FLOAT), Value("y", FLOAT)
    body = builder.inner()
    drawn = draws.draw(body, "standard_exponential", rng, (), None)
    after = body.let("multiply", inner, drawn)
    builder.append(Loop(Value("i", integer(0).type), integer(0), integer(4), integer(1),
                        (Carried(builder.let("cast", total, dtype="float64", weak=True), inner,
                                 after, result),), body.block))
    return Function("f", (x, rng), builder.block, (result,))


def count(function: Function) -> int:
    return sum(isinstance(s, Effect) and s.kind == "draw" for s in walk(function.body))


def run(function: Function) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return interpret(function, (0.5, rng)), rng.bit_generator.state


def test_passes_leave_draws_alone() -> None:
    function = verify(program())
    assert count(function) == 5
    after = verify(optimised(function, OPTIMISATIONS))
    assert count(after) == 5
    assert run(after) == run(function)


def test_lowering_draws_in_the_same_order() -> None:
    function = program()
    lowered = verify(optimised(lower(function), LOWERED_OPTIMISATIONS))
    assert count(lowered) == 5
    (value,), state = run(function)
    (found,), moved = run(lowered)
    assert moved == state
    assert np.isclose(found, value, rtol=1e-14)


def test_a_draw_must_have_a_result_and_a_generator() -> None:
    rng, x = Value("rng", Generator()), Value("x", FLOAT)
    static = {"method": "random", "bounds": 0, "array": False, "endpoint": False}
    for effect in (Effect("draw", (rng,), static), Effect("print", (), {"parts": ()},
                                                          None, Value("t", FLOAT)),
                   Effect("draw", (x,), static, None, Value("t", FLOAT))):
        with pytest.raises(InternalError):
            verify(Function("f", (x, rng), (effect,), ()))
