"""When every value is alive, in ticks: two for each place in the linear order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Effect,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
    blocks,
    operands,
)
from retrograd.ir.types import Scalar
from retrograd.optimise.storage_positions import Positions, Region

Segment = tuple[int, int]           # alive after the first tick, until the second
Use = tuple[int, Region]


@dataclass(eq=False, slots=True)
class Lives:
    """The segments of every value that gets a variable, in order of definition."""

    segments: dict[Value, list[Segment]] = field(default_factory=dict)


def lives_of(function: Function, positions: Positions, folded: Mapping[Value, Let]) -> Lives:
    uses = _Uses(positions, folded)
    uses.block(function.body, positions.body)
    uses.read(function.returns, 2 * positions.body.end, positions.body)
    owner = {region: statement for statement, regions in positions.inside.items()
             for region in regions}
    measure = _Measure(positions, uses, owner)
    for param in function.params:
        measure.plain(param, 0)
    measure.block(function.body, folded)
    return Lives(measure.segments)


@dataclass(eq=False, slots=True)
class _Uses:
    """Where values are read once folded statements stand inside others."""

    positions: Positions
    folded: Mapping[Value, Let]
    uses: dict[Value, list[Use]] = field(default_factory=dict)

    def leaves(self, atoms: Iterable[Atom]) -> Iterator[Value]:
        for atom in atoms:
            if isinstance(atom, Value):
                let = self.folded.get(atom)
                if let is None:
                    yield atom
                else:
                    yield from self.leaves(let.args)

    def read(self, atoms: Iterable[Atom], tick: int, region: Region) -> None:
        for value in self.leaves(atoms):
            self.uses.setdefault(value, []).append((tick, region))

    def block(self, block: Block, region: Region) -> None:
        for statement in block:
            if not isinstance(statement, Let) or statement.result not in self.folded:
                self.statement(statement, region)

    def statement(self, statement: Statement, region: Region) -> None:
        tick = 2 * self.positions.statement[statement]
        inside = self.positions.inside[statement]
        match statement:
            case Loop():
                self.read((c.init for c in statement.carried), tick, region)
                # the header is printed after the moves into the slots
                self.read((statement.start, statement.stop, statement.step), tick + 1, region)
                self.block(statement.body, inside[0])
                self.read((c.next for c in statement.carried), 2 * inside[0].end, inside[0])
                if statement.leave is not None:
                    self.read((statement.leave,), 2 * inside[0].end + 1, inside[0])
            case While():
                self.read((c.init for c in statement.carried), tick, region)
                self.block(statement.test, inside[0])
                self.read((statement.condition,), 2 * inside[0].end, inside[0])
                self.block(statement.body, inside[1])
                self.read((c.next for c in statement.carried), 2 * inside[1].end, inside[1])
            case Branch():
                self.read((statement.test,), tick, region)
                for place, inner in zip(inside, blocks(statement), strict=True):
                    self.block(inner, place)
                self.read((j.then for j in statement.joins), 2 * inside[0].end, inside[0])
                self.read((j.otherwise for j in statement.joins), 2 * inside[1].end, inside[1])
            case _:
                self.read(operands(statement), tick, region)


@dataclass(eq=False, slots=True)
class _Measure:
    positions: Positions
    reads: _Uses
    owner: dict[Region, Statement]
    segments: dict[Value, list[Segment]] = field(default_factory=dict)

    def plain(self, value: Value, start: int) -> None:
        """A value made at one place."""
        uses = self.reads.uses.get(value, [])
        self.segments[value] = self.within(self.positions.home[value], start, uses) \
            or [(start, start + 1)]

    def block(self, block: Block, folded: Mapping[Value, Let]) -> None:
        for statement in block:
            self.statement(statement, folded)

    def statement(self, statement: Statement, folded: Mapping[Value, Let]) -> None:
        place = self.positions.statement[statement]
        match statement:
            case Let(result=result):
                if result not in folded:
                    self.plain(result, 2 * place)
            case Effect(result=Value() as result):
                self.plain(result, 2 * place)
            case Loop() | While():
                self.loop(statement, 2 * place)
                for inner in blocks(statement):
                    self.block(inner, folded)
                for c in statement.carried:
                    self.plain(c.result, 2 * self.end(statement))
            case Branch():
                for inner in blocks(statement):
                    self.block(inner, folded)
                for j in statement.joins:
                    self.join(j.result, statement)

    def end(self, statement: Statement) -> int:
        """The place after a statement with blocks."""
        return self.positions.inside[statement][-1].end + 1

    def loop(self, loop: Loop | While, tick: int) -> None:
        if loop.trips is not None:
            self.plain(loop.trips, tick)
            start, end = self.segments[loop.trips][0]
            self.segments[loop.trips][0] = (start, max(end, 2 * self.end(loop)))
        inside = self.positions.inside[loop]
        if isinstance(loop, Loop):      # nobody else takes an index's name inside its loop
            self.segments[loop.index] = [(tick + 1, 2 * inside[-1].end)]
        alone = self.read_alone(loop)
        for c in loop.carried:
            uses = self.reads.uses.get(c.inner, [])
            if isinstance(loop, While):
                # the test may end the loop: until then the slot holds the result
                until = 2 * inside[0].end
                uses = [(until, inside[1]), *(use for use in uses if use[0] > until)]
            segments = self.within(inside[-1], tick, uses) or [(tick, tick + 1)]
            # the next value moves in at the end of the body, where all others have been read
            start = 2 * inside[-1].end + (c.next is alone)
            self.segments[c.inner] = [*segments, (start, 2 * self.end(loop))]

    def read_alone(self, loop: Loop | While) -> Value | None:
        """The one value of the body that the test for leaving the loop reads, after the moves.

        Where it is also what a slot becomes, it may be in the slot's variable already: nothing
        else can be lost by the moves.
        """
        if not isinstance(loop, Loop) or loop.leave is None:
            return None
        body = self.positions.inside[loop][0]
        inside = {v for v in self.reads.leaves([loop.leave])
                  if self.positions.defined_at[v] >= body.start}
        only = next(iter(inside)) if len(inside) == 1 else None
        return only if only is not None and isinstance(only.type, Scalar) else None

    def join(self, value: Value, branch: Branch) -> None:
        """Written at the end of each arm; the second arm does not see the first one's."""
        then, otherwise = self.positions.inside[branch]
        self.plain(value, 2 * otherwise.end)
        self.segments[value].insert(0, (2 * then.end, 2 * then.end + 1))

    def within(self, region: Region, start: int, uses: list[Use]) -> list[Segment]:
        """The segments of what is made in `region` at `start`."""
        last, arms = start, dict[Region, list[Use]]()
        for tick, place in uses:
            at, arm = self.seen_from(region, tick, place)
            if arm is None:
                last = max(last, at)
            else:
                arms.setdefault(arm, []).append((at, place))
        late = [arm for arm in arms if 2 * arm.start > last]
        if not late:
            return [(start, last)] if last > start else []
        branch = max((self.owner[arm] for arm in late),
                     key=lambda statement: self.positions.statement[statement])
        segments = [(start, max(last, 2 * self.positions.statement[branch]))]
        for arm in self.positions.inside[branch]:
            if arm in arms:
                segments += self.within(arm, 2 * arm.start, arms[arm])
        return segments

    def seen_from(self, region: Region, tick: int, place: Region) -> tuple[int, Region | None]:
        """A use seen from an outer block: its tick, and the arm of a branch directly in the
        block in which it lies. A use in a loop reaches to the loop's end."""
        arm: Region | None = None
        while place is not region:
            arm = place
            if place.repeats:
                tick, arm = 2 * self.end(self.owner[place]), None
            assert place.parent is not None
            place = place.parent
        return tick, arm
