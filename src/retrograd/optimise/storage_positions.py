"""Where everything stands: a linear order of statements, and which uses come after a place.

Statements are numbered outer before inner; the end of every block has a number too, at which
what it yields is read. A place later in the order comes later in time, but for two things: the
arms of one `Branch` exclude each other, and the body of a loop comes again. The second needs no
care here: a value whose buffer is taken over belongs to one iteration.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field

from retrograd.ir.nodes import (
    Block,
    Branch,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
    blocks,
    bound,
    defined,
    operands,
    yields,
)


@dataclass(eq=False, slots=True)
class Region:
    """A block in the linear order.

    `loop` is the nearest region that can run several times (or the function itself): a buffer
    is owned there or not at all. `sibling` is the arm that is not taken when this one is.
    """

    parent: Region | None
    start: int
    end: int = 0
    repeats: bool = False
    sibling: Region | None = None

    @property
    def loop(self) -> Region:
        region = self
        while not region.repeats and region.parent is not None:
            region = region.parent
        return region

    @property
    def in_loop(self) -> bool:
        return self.loop.parent is not None


@dataclass(eq=False, slots=True)
class Positions:
    """Numbers of statements, regions of blocks, places of definitions and uses."""

    statement: dict[Statement, int] = field(default_factory=dict)
    inside: dict[Statement, tuple[Region, ...]] = field(default_factory=dict)
    uses: dict[Value, list[int]] = field(default_factory=dict)
    defined_at: dict[Value, int] = field(default_factory=dict)
    home: dict[Value, Region] = field(default_factory=dict)
    definition: dict[Value, Statement] = field(default_factory=dict)
    body: Region = field(default_factory=lambda: Region(None, 0, repeats=True))

    def used_after(self, value: Value, position: int, region: Region,
                   but: Collection[int] = ()) -> bool:
        """Whether `value` may be read after `position`, which lies in `region`, at a place that
        is not one of `but`."""
        uses = self.uses.get(value)
        if not uses or uses[-1] <= position:
            return False
        excluded = []
        outer: Region | None = region
        while outer is not None:
            if outer.sibling is not None and outer.sibling.start > outer.start:
                excluded.append((outer.sibling.start, outer.sibling.end))
            outer = outer.parent
        later = uses[bisect_right(uses, position):]
        return any(use not in but and not any(low <= use <= high for low, high in excluded)
                   for use in reversed(later))


def positions_of(function: Function) -> Positions:
    """Number the statements of a function."""
    result = Positions()
    numbering = _Numbering(result)
    numbering.define(function.params, result.body)
    numbering.block(function.body, function.returns, result.body)
    for uses in result.uses.values():
        uses.sort()
    return result


class _Numbering:
    def __init__(self, result: Positions) -> None:
        self.result = result
        self.count = 0

    def next(self) -> int:
        self.count += 1
        return self.count

    def define(self, values: tuple[Value, ...], region: Region) -> None:
        for value in values:
            self.result.defined_at[value] = self.count
            self.result.home[value] = region

    def read(self, atoms: tuple[object, ...]) -> None:
        for atom in atoms:
            if isinstance(atom, Value):
                self.result.uses.setdefault(atom, []).append(self.count)

    def block(self, block: Block, ends: tuple[object, ...], region: Region) -> None:
        region.start = self.next()
        for statement in block:
            self.statement(statement, region)
        region.end = self.next()
        self.read(ends)

    def statement(self, statement: Statement, region: Region) -> None:
        self.result.statement[statement] = self.next()
        if not (isinstance(statement, Let) and statement.op == "dim"):
            self.read(operands(statement))      # a shape stays what it is when a buffer is written
        regions = tuple(Region(region, self.count, repeats=isinstance(statement, Loop | While))
                        for _ in blocks(statement))
        self.result.inside[statement] = regions
        if isinstance(statement, Branch):
            regions[0].sibling, regions[1].sibling = regions[1], regions[0]
        if regions:
            self.define(bound(statement), regions[-1])
        for inner, ends, place in zip(blocks(statement), yields(statement), regions, strict=True):
            self.block(inner, ends, place)
        if regions:
            self.next()
        self.define(defined(statement), region)
        self.result.definition.update(dict.fromkeys(defined(statement), statement))
