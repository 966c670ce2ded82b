"""What of a function's tangents depends on the direction, and what does not.

    before (forward mode)        outside                  inside, once a direction
    y = sin(x)                   y = sin(x)
    t = cos(x)                   t = cos(x)
    y_dot = t * x_dot                                     y_dot = t * x_dot

The primal is outside as it was. A loop that computes tangents beside primal values is inside as a
whole; dead code removal takes from it what only its primal results need. Where none of its tangents
depends on the direction, it is outside a second time, with primal values of its own.
"""

from __future__ import annotations

from collections.abc import Collection

from retrograd.adjoint.checkpoint_copies import Copy
from retrograd.adjoint.forward import Tangents
from retrograd.errors import Unsupported
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Block, Effect, Function, Statement, Value, bound, defined, free, walk


def split(function: Function, found: Tangents, seed: Value, facts: Facts) -> tuple[Block, Block]:
    """What forward mode adds to the primal: statements that are executed once, and those that are
    for every value of `seed`.

    Raises Unsupported where one of these draws random numbers.
    """
    primal = set(function.body)
    known = {v for s in function.body for v in defined(s)}
    inner = _made(function.body)
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
            outside += _beside(statement, inner, facts)
    check_no_draws(tuple(inside))
    return tuple(outside), tuple(inside)


def _beside(statement: Statement, primal: Collection[Value], facts: Facts) -> Block:
    """What a statement adds to the primal, which has been run before."""
    if _made((statement,)).isdisjoint(primal):
        return (statement,)
    new = [v for v in defined(statement) if v not in primal]
    if not new:
        return ()
    check_no_draws((statement,))
    copy = Copy(facts)
    copy.stand.update((v, v) for v in new)
    return copy.block((statement,))


def _made(block: Block) -> set[Value]:
    """The values that are computed, carried or counted in a block."""
    return {v for s in walk(block) for v in (*defined(s), *bound(s))}


def check_no_draws(block: Block) -> None:
    """Refuse random numbers in what is computed more than once."""
    if any(isinstance(s, Effect) and s.result is not None for s in walk(block)):
        raise Unsupported("random numbers are drawn in a loop that would run once for every "
                          "direction", "draw them before the loop")
