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

from dataclasses import dataclass, field

from retrograd.adjoint.residuals.limits import Limits
from retrograd.adjoint.residuals.triangles import Triangle, triangle
from retrograd.adjoint.scopes import Places, Scope
from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent, Opaque, floor_divided, largest
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Atom, Block, Constant, Loop, Statement, Value, integer
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
            rows, shared = self._layout(loops)
            if loops and rows is None and scope not in self.pointers:
                self.pointers[scope] = Pointer(scope, Value("n", INT))
            final = Value(f"{value.name}_saved" if loops else value.name,
                          _tape_type(value.type, len(rows) if rows else 1) if loops
                          else value.type)
            self.tapes[value] = Tape(value, scope, rows, final, triangle=shared)
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

    def _layout(self, loops: list[Scope]) -> tuple[tuple[Extent, ...] | None, Triangle | None]:
        """How often each loop runs at the most, as extents that are known before the outermost
        one (None: rows are pushed), and the pair of loops that share an axis."""
        counts = [c for c in (self.count(s.statement) for s in loops) if c is not None]
        if not loops or len(counts) < len(loops):
            return None, None
        shared = triangle(counts, loops, self.facts, lambda e: self.before(e, loops[0]))
        if shared is not None:
            return shared.rows(counts), shared
        most = [m for m in (self.before(c, loops[0]) for c in counts) if m is not None]
        return tuple(largest(Extent(0), m) for m in most) if len(most) == len(counts) \
            else None, None

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
