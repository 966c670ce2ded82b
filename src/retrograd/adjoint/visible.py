"""Extents and bounds speak of what can be read where they are asked for.

The extents of an array in a reverse sweep, and the bounds of its loops' indices, may be expressed
by values of the forward sweep's loops, which are not visible there. While the sweep is made, the
planner answers for them; in the finished adjoint, which may be differentiated again, such extents
are those of the array itself, and such bounds those that the loop has.
"""

from __future__ import annotations

from retrograd.ir.extents import Extent, Root, root
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import (
    Block,
    Constant,
    Function,
    Loop,
    Statement,
    Value,
    blocks,
    bound,
    defined,
    walk,
)


def settle(reverse: Block, function: Function, facts: Facts) -> None:
    """Make the extents of a reverse sweep's arrays readable wherever the arrays are, and the
    bounds of its indices in their loops. `function` is what it is the reverse of."""
    hidden = {v for s in function.body for v in bound(s)}
    for statement in function.body:
        for block in blocks(statement):
            hidden.update(v for s in walk(block) for v in (*defined(s), *bound(s)))
    _Settler(facts, hidden).block(reverse)


class _Settler:
    """`hidden` are the values of loops and branches that the walk is not in."""

    def __init__(self, facts: Facts, hidden: set[Value]) -> None:
        self.facts = facts
        self.hidden = hidden

    def block(self, block: Block) -> None:
        here: list[Value] = []
        for statement in block:
            self.inside(statement)
            here += defined(statement)
            self.define(defined(statement))
        self.hidden.update(here)

    def inside(self, statement: Statement) -> None:
        made = bound(statement)
        self.define(made)
        if isinstance(statement, Loop):
            self.index(statement)
        for block in blocks(statement):
            self.block(block)
        self.hidden.update(made)

    def index(self, loop: Loop) -> None:
        """The index lies between where the loop starts and where it ends."""
        bounds = self.facts.bounds.get(loop.index)
        if bounds is None or all(map(self.readable, bounds)):
            return
        start, stop = map(self.facts.integer, (loop.start, loop.stop))
        assert isinstance(loop.step, Constant)
        self.facts.bounds[loop.index] = (start, stop - 1) if loop.step.value.real > 0 else (
            stop + 1, start)

    def define(self, values: tuple[Value, ...]) -> None:
        self.hidden.difference_update(values)
        for value in values:
            integer = self.facts.integers.get(value)
            if integer is not None and not self.readable(integer):
                del self.facts.integers[value]
            extents = self.facts.extents.get(value, ())
            if not all(map(self.readable, extents)):
                self.facts.extents[value] = tuple(
                    e if self.readable(e) else root(value, axis)
                    for axis, e in enumerate(extents))

    def readable(self, extent: Extent) -> bool:
        return all(t.value not in self.hidden if isinstance(t, Root) else all(
            map(self.readable, t.args)) for t, _ in extent.terms)
