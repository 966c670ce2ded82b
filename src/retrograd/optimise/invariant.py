"""Shapes, and ints made of them, are computed before the loops in which they do not change.

    before:                              after:
        for i in range(n):                   m = dim(x, axis=0)
            m = dim(x, axis=0)               for i in range(n):
            check_index(i, m)                    check_index(i, m)

`extents.py` comes before: the shape of an array that a loop writes into is read from the array as
it was first. Exact. What can fail (a division) stays where it is.
"""

from __future__ import annotations

from dataclasses import replace

from retrograd.ir.nodes import (
    Block,
    Constant,
    Function,
    Let,
    Loop,
    Statement,
    While,
    blocks,
    bound,
    defined,
    walk,
)
from retrograd.ir.rewrite import with_blocks

_MOVED = frozenset({"add", "subtract", "multiply", "negative", "maximum", "minimum"})


def hoist_shapes(function: Function) -> Function:
    """The function with the ints that a loop does not change before it."""
    return replace(function, body=_block(function.body))


def _block(block: Block) -> Block:
    result: list[Statement] = []
    for statement in block:
        new = with_blocks(statement, _block)
        if isinstance(new, Loop | While):
            moved, new = _without_invariant(new)
            result += moved
        result.append(new)
    return tuple(result)


def _without_invariant(loop: Loop | While) -> tuple[list[Let], Loop | While]:
    """What a loop does not change of its ints, and the loop without it."""
    inside = {*bound(loop), *(v for b in blocks(loop) for s in walk(b)
                              for v in (*defined(s), *bound(s)))}
    moved: list[Let] = []

    def without(block: Block) -> Block:
        kept: list[Statement] = []
        for statement in block:
            if isinstance(statement, Let) and _movable(statement) and inside.isdisjoint(
                    statement.args):
                moved.append(statement)
                inside.discard(statement.result)
            else:
                kept.append(statement)
        return tuple(kept)

    new = with_blocks(loop, without)
    assert isinstance(new, (Loop, While))
    return moved, new


def _movable(let: Let) -> bool:
    safe = let.op in _MOVED or (let.op == "floor_divide" and isinstance(let.args[1], Constant)
                                and bool(let.args[1].value))
    return let.op == "dim" or (safe and not let.result.type.rank
                               and let.result.type.dtype == "int64")
