"""Shapes, and ints made of them, are computed before the loops in which they do not change.

    before:                              after:
        for i in range(n):                   m = dim(x, axis=0)
            m = dim(x, axis=0)               for i in range(n):
            check_index(i, m)                    check_index(i, m)

The shape of an array that is written in place, or carried by a loop that only writes into it, is
that of the array as it was first. Exact. What can fail (a division) stays where it is.
"""

from __future__ import annotations

from dataclasses import replace

from retrograd.ir.nodes import (
    Atom,
    Block,
    Constant,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
    blocks,
    bound,
    defined,
    walk,
)
from retrograd.ir.rewrite import with_blocks

_KEEP_SHAPE = frozenset({"update", "add_at", "let", "copy"})
_MOVED = frozenset({"add", "subtract", "multiply", "negative", "maximum", "minimum"})


def hoist_shapes(function: Function) -> Function:
    """The function with the ints that a loop does not change before it."""
    return replace(function, body=_Hoister(_first_arrays(function)).block(function.body))


def _first_arrays(function: Function) -> dict[Value, Value]:
    """For arrays that have the shape of an earlier one: that one."""
    first: dict[Value, Value] = {}
    for statement in walk(function.body):
        match statement:
            case Let(op=op, args=args, result=result):
                if op in _KEEP_SHAPE and result.type.rank and isinstance(args[0], Value):
                    first[result] = args[0]
            case Loop() | While():
                for c in statement.carried:
                    if c.inner.type.rank and isinstance(c.init, Value):
                        first[c.inner] = first[c.result] = c.init
            case _:
                pass
    return _without_changing(function, first)


def _without_changing(function: Function, first: dict[Value, Value]) -> dict[Value, Value]:
    """A carried array has one shape only where an iteration hands on what it got."""
    for statement in reversed(list(walk(function.body))):
        if isinstance(statement, (Loop, While)):
            for c in statement.carried:
                if c.inner in first and not _leads(c.next, c.inner, first):
                    del first[c.inner], first[c.result]
    return first


def _leads(atom: Atom, goal: Value, first: dict[Value, Value]) -> bool:
    while atom is not goal:
        if not isinstance(atom, Value) or atom not in first:
            return False
        atom = first[atom]
    return True


class _Hoister:
    def __init__(self, first: dict[Value, Value]) -> None:
        self.first = first

    def block(self, block: Block) -> Block:
        result: list[Statement] = []
        for statement in block:
            if isinstance(statement, Let):
                result.append(self.let(statement))
            elif blocks(statement):
                new = with_blocks(statement, self.block)
                if isinstance(new, (Loop, While)):
                    moved, new = _without_invariant(new)
                    result += moved
                result.append(new)
            else:
                result.append(statement)
        return tuple(result)

    def let(self, let: Let) -> Let:
        """The shape of the first array that has it."""
        if let.op != "dim" or not isinstance(let.args[0], Value):
            return let
        array = let.args[0]
        while array in self.first:
            array = self.first[array]
        return let if array is let.args[0] else replace(let, args=(array,))


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
