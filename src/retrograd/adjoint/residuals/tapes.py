"""Tapes: where values of loops wait for the reverse sweep.

A tape with a known number of rows is an array with one axis a loop, indexed by the iteration
numbers. Where a count is not known when the outermost loop is entered (a `while`, a bound that the
loop computes) rows are pushed onto an array that doubles, and a pointer counts them. A value of a
branch outside all loops needs no tape: it leaves the branch as one more result.

Arrays whose shape changes from one iteration to the next are *ragged*: their elements are pushed
one after the other onto an array with one axis, and what of their shape cannot be computed again
is taped like any int.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from retrograd.adjoint.residuals.limits import Limits
from retrograd.adjoint.residuals.triangles import Triangle, triangle
from retrograd.adjoint.scopes import Places, Scope
from retrograd.frontend.branches import default
from retrograd.ir.build import Builder, Facts
from retrograd.ir.extents import Extent, Opaque, floor_divided, largest
from retrograd.ir.index import FULL
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Constant,
    Function,
    Join,
    Let,
    Loop,
    Statement,
    Value,
    While,
    blocks,
    bound,
    defined,
    integer,
)
from retrograd.ir.operations_arrays import size
from retrograd.ir.rewrite import without_marks
from retrograd.ir.types import INT, Array, Type

FIRST_ROWS = 16


@dataclass(slots=True, eq=False)
class Tape:
    """Where one value is kept. `final` is the tape after the forward sweep (the value itself,
    carried out of its branches, where there is no loop around it). For a ragged one `lengths` are
    the ints that its shape is taped as, None for an axis whose extent is computed again."""

    value: Value
    scope: Scope
    rows: tuple[Extent, ...] | None        # one count a loop; None: pushed
    final: Value
    ragged: bool = False
    lengths: tuple[Value | None, ...] = ()
    triangle: Triangle | None = None       # two of the loops share an axis

    def places(self, builder: Builder, numbers: list[Atom]) -> list[Atom]:
        """The index of a row, for the numbers of the iterations of the loops."""
        return numbers if self.triangle is None else self.triangle.places(builder, numbers)

    @property
    def name(self) -> str:
        return f"{self.value.name}_saved"

    @property
    def in_loop(self) -> bool:
        return bool(self.scope.loops())


@dataclass(slots=True, eq=False)
class Pointer:
    """The number of rows pushed in a scope, shared by the tapes of that scope; a ragged tape has
    its own, which counts elements."""

    scope: Scope
    final: Value


@dataclass(slots=True)
class Tapes:
    """All the tapes of one adjoint, in the order in which they were asked for.

    `instead` has what the forward sweep runs in the place of a statement.
    """

    places: Places
    facts: Facts
    tapes: dict[Value, Tape] = field(default_factory=dict)
    pointers: dict[Scope, Pointer] = field(default_factory=dict)
    places_in: dict[Value, Pointer] = field(default_factory=dict)     # of ragged tapes
    old: dict[Statement, Value] = field(default_factory=dict)      # what writes overwrite
    instead: dict[Statement, Block] = field(default_factory=dict)
    rooms: dict[Value, Atom] = field(default_factory=dict)         # what holds each taped value
    snapshots: dict[Value, tuple[Value, Loop]] = field(default_factory=dict)

    def tape(self, value: Value) -> Tape:
        """The tape of a value that is defined inside a loop or a branch."""
        if value not in self.tapes:
            scope = self.places.scope[value]
            loops = scope.loops()
            if self.changes_shape(value):
                self.tapes[value] = self._ragged(value, scope)
                return self.tapes[value]
            rows = self._rows(loops) if loops else None
            if loops and rows is None and scope not in self.pointers:
                self.pointers[scope] = Pointer(scope, Value("n", INT))
            final = Value(f"{value.name}_saved" if loops else value.name,
                          _tape_type(value.type, len(rows) if rows else 1) if loops
                          else value.type)
            self.tapes[value] = Tape(value, scope, rows, final, triangle=self._triangle(loops))
        return self.tapes[value]

    def changes_shape(self, value: Value) -> bool:
        """Whether the shape of a value differs from one iteration to another."""
        loops = self.places.scope[value].loops()
        return bool(loops) and any(
            self.before(e, loops[0]) != e for e in self.facts.of(value))

    def _ragged(self, value: Value, scope: Scope) -> Tape:
        lengths = tuple(None if self._computable(e, scope.loops()[0]) else Value("n", INT)
                        for e in self.facts.of(value))
        for length in lengths:
            if length is not None:
                self.places.scope[length] = scope
                self.places.position[length] = self.places.position[value]
        self.places_in[value] = Pointer(scope, Value("n", INT))
        final = Value(f"{value.name}_saved", Array(value.type.dtype, (None,)))
        return Tape(value, scope, None, final, True, lengths)

    def _computable(self, extent: Extent, loop: Scope) -> bool:
        """Whether an extent is made of loop indices and of what is defined before the loop."""
        for term, _ in extent.terms:
            if isinstance(term, Opaque):
                if not all(self._computable(a, loop) for a in term.args):
                    return False
            elif term.value in self.places.scope and self.places.inside(term.value, loop) and (
                    term.value not in self.facts.bounds):
                return False
        return True

    def _rows(self, loops: list[Scope]) -> tuple[Extent, ...] | None:
        """How often each loop runs at the most, as extents that are known before the outermost."""
        counts = [self.count(s.statement) for s in loops]
        found = self._triangle(loops)
        if found is not None:
            return found.rows([c for c in counts if c is not None])
        known = [None if c is None else self.before(c, loops[0]) for c in counts]
        return None if None in known else tuple(
            largest(Extent(0), k) for k in known if k is not None)

    def _triangle(self, loops: list[Scope]) -> Triangle | None:
        counts = [self.count(s.statement) for s in loops]
        known = [c for c in counts if c is not None]
        return triangle(known, loops, self.facts, lambda e: self.before(e, loops[0])) \
            if len(known) == len(counts) else None

    def count(self, loop: Statement | None) -> Extent | None:
        """The number of iterations of a `for` loop (at the most, where it has an exit)."""
        if not isinstance(loop, Loop) or not isinstance(loop.step, Constant):
            return None
        step = int(loop.step.value.real)
        start, stop = self.facts.integer(loop.start), self.facts.integer(loop.stop)
        span = stop - start if step > 0 else start - stop
        size = abs(step)
        return floor_divided(largest(Extent(0), span, self.facts.least) + (size - 1), size)

    def before(self, extent: Extent, loop: Scope) -> Extent | None:
        """The most that an extent can be, in terms of what is defined before a loop; None where
        that is not known then."""
        span = Limits(self.places, self.facts, loop).of(extent)
        return None if span is None else span[1]

    def row_shape(self, tape: Tape, builder: Builder) -> list[Atom]:
        """The shape of one row, computed before the outermost loop."""
        return [] if tape.ragged else [builder.atom_of(e) for e in self.facts.of(tape.value)]


def _tape_type(type: Type, axes: int) -> Array:
    return Array(type.dtype, (None,) * axes + type.dims)


# --- the forward sweep, rewritten so that it fills the tapes -------------------------------------


def with_tapes(function: Function, tapes: Tapes) -> Block:
    """The statements of the function, storing what the reverse sweep will read."""
    if not tapes.tapes and not tapes.instead and not tapes.old:
        return without_marks(function.body)
    builder = Builder(tapes.facts, checks=False)
    _Writer(tapes).block(function.body, tapes.places.top, builder, {})
    return without_marks(builder.block)


Current = dict["Tape | Pointer", Atom]


class _Writer:
    def __init__(self, tapes: Tapes) -> None:
        self.tapes = tapes
        self.by_scope: dict[Scope, list[Tape]] = {}
        self.below: dict[Scope, list[Tape]] = {}
        self.order = {tape: k for k, tape in enumerate(tapes.tapes.values())}
        for tape in tapes.tapes.values():
            self.by_scope.setdefault(tape.scope, []).append(tape)
            for scope in tape.scope.chain():
                self.below.setdefault(scope, []).append(tape)

    def block(self, block: Block, scope: Scope, builder: Builder, current: Current) -> None:
        """Copy a block, storing each taped value right after it is defined."""
        waiting = {t.value: t for t in self.by_scope.get(scope, ()) if t.in_loop}
        pointer = self.tapes.pointers.get(scope)
        if scope.statement is not None:
            self.store(bound(scope.statement), waiting, builder, current)
        for statement in block:
            with builder.at(statement.origin):
                self.store_overwritten(statement, waiting, builder, current)
                self.statement(statement, scope, builder, current)
                self.store(defined(statement), waiting, builder, current)
        if pointer is not None:
            current[pointer] = builder.let("add", current[pointer], integer(1), name="n")

    def store(self, values: tuple[Value, ...], waiting: dict[Value, Tape], builder: Builder,
              current: Current) -> None:
        for value in values:
            tape = waiting.get(value)
            if tape is None:
                continue
            old = current[tape]
            if tape.ragged:
                new = self.push_elements(tape, value, old, waiting, builder, current)
            elif tape.rows is None:
                pointer = current[self.tapes.pointers[tape.scope]]
                new = builder.let("push", old, pointer, value, name=tape.name)
            else:
                numbers = tape.places(builder, [self.iteration(s, builder)
                                                for s in tape.scope.loops()])
                index = ("int",) * len(numbers) + (FULL,) * value.type.rank
                new = builder.let("update", old, *numbers, value, name=tape.name, index=index)
            current[tape] = new

    def store_overwritten(self, statement: Statement, waiting: dict[Value, Tape],
                          builder: Builder, current: Current) -> None:
        """What a write to an array that is restored is going to overwrite."""
        old = self.tapes.old.get(statement)
        if old is not None and (old in self.tapes.tapes
                                or self.tapes.places.scope[old] is self.tapes.places.top):
            assert isinstance(statement, Let)
            op = "view" if old.type.rank else "load"
            builder.append(Let(old, op, statement.args[:-1], {"index": statement.static["index"]},
                               statement.origin))
            self.store((old,), waiting, builder, current)

    def push_elements(self, tape: Tape, value: Value, old: Atom, waiting: dict[Value, Tape],
                      builder: Builder, current: Current) -> Atom:
        """The elements of an array at the end of a ragged tape, and its shape on other tapes."""
        pointer = self.tapes.places_in[value]
        extents = self.tapes.facts.of(value)
        for axis, length in enumerate(tape.lengths):
            if length is not None:
                builder.append(Let(length, "dim", (value,), {"axis": axis}, builder.origin))
                self.store((length,), waiting, builder, current)
        count = builder.atom_of(size(extents))
        flat = builder.let("reshape", value, count) if value.type.rank > 1 else value
        new = builder.let("push", old, current[pointer], flat, name=tape.name)
        current[pointer] = builder.let("add", current[pointer], count, name="n")
        return new

    def iteration(self, scope: Scope, builder: Builder) -> Atom:
        loop = scope.statement
        assert isinstance(loop, Loop)
        return iteration_number(builder, loop.index, loop.start, loop.step)

    def statement(self, statement: Statement, scope: Scope, builder: Builder,
                  current: Current) -> None:
        if statement in self.tapes.instead:
            for other in self.tapes.instead[statement]:
                builder.append(other)
        elif isinstance(statement, Branch):
            self.branch(statement, builder, current)
        elif isinstance(statement, (Loop, While)):
            self.loop(statement, scope, builder, current)
        else:
            builder.append(statement)

    def inside(self, statement: Statement) -> tuple[list[Tape], list[Pointer]]:
        """The tapes and pointers that belong to blocks inside a statement."""
        scopes = {self.tapes.places.of_block[statement, k]
                  for k in range(len(blocks(statement)))}
        found = sorted((t for scope in scopes for t in self.below.get(scope, ())),
                       key=self.order.__getitem__)
        pointers = (*self.tapes.pointers.values(), *self.tapes.places_in.values())
        return found, [p for p in pointers if scopes & set(p.scope.chain())]

    def loop(self, loop: Loop | While, scope: Scope, builder: Builder, current: Current) -> None:
        found, pointers = self.inside(loop)
        if not found:
            builder.append(loop)
            return
        outermost = not scope.loops()
        if outermost:
            for tape in found:
                current[tape] = self.allocate(tape, builder)
            for pointer in pointers:
                current[pointer] = integer(0)
        extra: list[Carried] = []
        slots: list[tuple[Tape | Pointer, Atom, Value]] = []
        inner = builder.inner()
        here: Current = {}
        items: list[Tape | Pointer] = [*found, *pointers]
        for item in items:
            value = Value(_name(item), item.final.type)
            slots.append((item, current[item], value))
            here[item] = value
            if isinstance(value.type, Array):
                self.tapes.facts.extents[value] = self.tapes.facts.of(current[item])
        last = len(blocks(loop)) - 1
        self.block(loop.body, self.tapes.places.of_block[loop, last], inner, here)
        for item, init, value in slots:
            result = item.final if scope.outer is None else Value(_name(item), value.type)
            if isinstance(value.type, Array) and not (
                    isinstance(item, Tape) and item.rows is None):
                self.tapes.facts.extents[result] = self.tapes.facts.of(init)
            extra.append(Carried(init, value, here[item], result))
            current[item] = result
        builder.append(replace(loop, carried=(*loop.carried, *extra), body=inner.block))

    def allocate(self, tape: Tape, builder: Builder) -> Atom:
        rows = [integer(FIRST_ROWS)] if tape.rows is None else [
            builder.atom_of(n) for n in tape.rows]
        shape = self.tapes.row_shape(tape, builder)
        room = builder.let("empty", *rows, *shape, name=tape.name, dtype=tape.value.type.dtype)
        self.tapes.rooms[tape.value] = room
        return room

    def branch(self, branch: Branch, builder: Builder, current: Current) -> None:
        found, pointers = self.inside(branch)
        if not found and not pointers:
            builder.append(branch)
            return
        items: list[Tape | Pointer] = [*found, *pointers]
        arms: list[tuple[Builder, Current]] = []
        for k, block in enumerate(blocks(branch)):
            inner, here = builder.inner(), dict(current)
            scope = self.tapes.places.of_block[branch, k]
            self.block(block, scope, inner, here)
            for tape in found:
                if tape.scope is scope and not tape.in_loop:
                    here[tape] = tape.value
            arms.append((inner, here))
        joins: list[Join] = []
        at_top = not self.tapes.places.of_block[branch, 0].outer.outer  # type: ignore[union-attr]
        for item in items:
            then, otherwise = (here.get(item) for _, here in arms)
            first = then if then is not None else default(arms[0][0], item.final.type)
            second = otherwise if otherwise is not None else default(arms[1][0], item.final.type)
            result = item.final if at_top else Value(_name(item), item.final.type)
            if isinstance(result.type, Array) and item in current:
                self.tapes.facts.extents[result] = self.tapes.facts.of(current[item])
            joins.append(Join(first, second, result))
            current[item] = result
        builder.append(replace(branch, joins=(*branch.joins, *joins),
                               then=arms[0][0].block, otherwise=arms[1][0].block))


def _name(item: Tape | Pointer) -> str:
    if isinstance(item, Pointer):
        return "n"
    return item.name if item.in_loop else item.value.name


def iteration_number(builder: Builder, index: Atom, start: Atom, step: Atom) -> Atom:
    """Which iteration of `range(start, ...)` has this index: (index - start) // step."""
    assert isinstance(step, Constant)
    size = int(step.value.real)
    distance = builder.let("subtract", index, start) if start != integer(0) else index
    if size < 0:
        distance = builder.let("subtract", start, index)
    if abs(size) == 1:
        return distance
    return builder.let("floor_divide", distance, integer(abs(size)))


