"""What of a function's tangents depends on the direction, and what does not.

    before (forward mode)        outside                  inside, once a direction
    y = sin(x)                   y = sin(x)
    t = cos(x)                   t = cos(x)
    y_dot = t * x_dot                                     y_dot = t * x_dot

The primal is outside as it was. A loop that computes tangents beside primal values is inside as a
whole; dead code removal takes from it what only its primal results need.
"""

from __future__ import annotations

from retrograd.adjoint.forward import Tangents
from retrograd.errors import Unsupported
from retrograd.ir.nodes import Block, Effect, Function, Statement, Value, defined, free, walk


def split(function: Function, found: Tangents, seed: Value) -> tuple[Block, Block]:
    """What forward mode adds to the primal: statements that are executed once, and those that are
    for every value of `seed`.

    Raises Unsupported where one of these draws random numbers.
    """
    primal = set(function.body)
    known = {v for s in function.body for v in defined(s)}
    moving = {seed}
    outside: list[Statement] = []
    inside: list[Statement] = []
    for statement in found.block:
        if statement in primal:
            continue
        if moving.intersection(free((statement,))):
            inside.append(statement)
            moving.update(v for v in defined(statement) if v not in known)
        else:
            outside.append(statement)
    check_no_draws(tuple(inside))
    return tuple(outside), tuple(inside)


def check_no_draws(block: Block) -> None:
    """Refuse random numbers in what is computed more than once."""
    if any(isinstance(s, Effect) and s.result is not None for s in walk(block)):
        raise Unsupported("random numbers are drawn in a loop that would run once for every "
                          "direction", "draw them before the loop")
