"""Products of one matrix with a vector for each iteration are made for many iterations at once.

    before:                                after:
        for k in range(n):                     size = 2 * dim(W) + dim(V)
            h = tanh(matmul(W, view(x, k)))    size = minimum(2097152 // maximum(size, 1), 256)
            s = add(s, sum(matmul(V, h)))      size = maximum(size, 1)
                                               for first in range(0, n, size):
                                                   last = minimum(first + size, n)
                                                   count = last - first
                                                   hs = empty(count, dim(W))
                                                   ts = matmul(rows(x, first, last), transpose(W))
                                                   for k in range(first, last):
                                                       row = k - first
                                                       h = tanh(view(ts, row))
                                                       hs = update(hs, row, h)
                                                   ts = matmul(hs, transpose(V))
                                                   for k in range(first, last):
                                                       row = k - first
                                                       s = add(s, sum(view(ts, row)))

Where the loop is cut, and which loops can be, is in `segments.py`. It runs in pieces of 256
iterations, fewer where the numbers and vectors of so many would need more than 16 MiB. Only for
compiled source, where a product of two matrices is one of BLAS. Exact up to rounding, in products;
where several iterations would raise, the exception may be that of another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent, mentions
from retrograd.ir.facts import Facts
from retrograd.ir.index import FULL, Slice
from retrograd.ir.nodes import (
    Atom,
    Block,
    Carried,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    alike,
    defined,
    free,
    integer,
    walk,
)
from retrograd.ir.rewrite import replaced, standing, with_blocks
from retrograd.ir.types import INT, Scalar
from retrograd.optimise.outer_sums import OuterSum
from retrograd.optimise.seen import see, seen
from retrograd.optimise.segments import Segments, made_in, multiplies, operands_of, segments_of
from retrograd.optimise.signs import nonnegative_ints

ITERATIONS = 256
_NUMBERS = 1 << 21                   # of all iterations of a piece


def distribute(function: Function) -> Function:
    """The function with its loops cut at products with matrices that they do not change."""
    if not any(isinstance(s, Loop) and multiplies(s) for s in walk(function.body)):
        return function
    return replace(function, body=_block(function.body, nonnegative_ints(function),
                                         seen(function)))


def _block(block: Block, nonnegative: Collection[Value], facts: Facts) -> Block:
    result: list[Statement] = []
    for statement in block:
        new = with_blocks(statement, lambda inner: _block(inner, nonnegative, facts))
        segments = segments_of(new, nonnegative) if isinstance(new, Loop) else None
        if segments is not None:
            assert isinstance(new, Loop)
            result += _Distributed(new, segments, facts).statements() or [new]
        else:
            result.append(new)
    return tuple(result)


@dataclass(eq=False, slots=True)
class _Distributed:
    """One loop while it is cut. `rows` holds, for numbers and vectors of an iteration, the array of
    those of all iterations at this point."""

    loop: Loop
    cut: Segments
    facts: Facts                         # what is known of what is outside
    outside: Builder = field(default_factory=lambda: Builder(checks=False))
    builder: Builder = field(init=False)
    first: Value = field(default_factory=lambda: Value("first", INT))
    last: Atom = field(init=False)
    rows: dict[Value, Atom] = field(default_factory=dict)

    def statements(self) -> list[Statement]:
        """The loop in its new form; nothing where the shape of a vector is not known before it."""
        loop = self.loop
        extents = self.extents()
        if extents is None:
            return []
        self.outside.origin = loop.origin
        size = self.size(extents)
        self.builder = builder = self.outside.inner()
        end = builder.let("add" if self.up else "subtract", self.first, size)
        self.last = builder.let("minimum" if self.up else "maximum", end, loop.stop, name="last")
        count = self.distance(self.last, builder, "count")
        for value, extent in extents.items():
            self.rows[value] = builder.let(
                "empty", count, *map(builder.atom_of, extent), name=f"{value.name}_rows",
                dtype=value.type.dtype)
        slots = [Carried(c.init, alike(c.inner), alike(c.inner), c.result) for c in loop.carried]
        for number in range(len(self.cut.segments)):
            self.segment(number, slots)
            if number < len(self.cut.products):
                self.product(self.cut.products[number])
        for sum_ in self.cut.sums:
            self.add(sum_, slots)
        step = size if self.up else self.outside.let("negative", size, name="step")
        return [*self.cut.moved, *self.outside.block, replace(loop, index=self.first, step=step,
                                                              carried=tuple(slots),
                                                              body=builder.block)]

    def size(self, extents: Mapping[Value, tuple[Extent, ...]]) -> Atom:
        """How many iterations make a piece."""
        outside = self.outside
        shapes = [*extents.values(), *((outside.facts.of(matrix)[axis],)
                                       for matrix, axis in map(_long, self.cut.products))]
        width = sum((e for shape in shapes for e in shape), Extent(0))
        atom = outside.let("maximum", outside.atom_of(width), integer(1), name="width")
        size = outside.let("minimum", outside.let("floor_divide", integer(_NUMBERS), atom),
                           integer(ITERATIONS), name="size")
        return outside.let("maximum", size, integer(1), name="size")

    @property
    def up(self) -> bool:
        return self.loop.step == integer(1)

    def distance(self, place: Atom, builder: Builder, name: str) -> Atom:
        """How many iterations lie between the first one of these and another one."""
        ends = (place, self.first) if self.up else (self.first, place)
        return builder.let("subtract", *ends, name=name)

    def product(self, product: Let) -> None:
        matrix, vector = operands_of(product)
        vectors, turned = self.together(vector), matrix
        if product.args[0] is matrix:
            turned = _value(self.builder.let("transpose", matrix, axes=(1, 0)))
        self.rows[product.result] = self.builder.let(
            "matmul", vectors, turned, name=f"{product.result.name}_rows")

    def together(self, vector: Value) -> Atom:
        """The vectors of all iterations as the rows of a matrix."""
        if vector in self.cut.rows:
            return self.builder.let("view", self.cut.rows[vector], self.first, self.last,
                                    name=f"{vector.name}_rows", index=(Slice(True, True), FULL))
        return self.rows[vector]

    def add(self, sum_: OuterSum, slots: list[Carried]) -> None:
        """The outer products of all iterations at this point, as one product."""
        builder, slot = self.builder, slots[sum_.slot]
        columns = builder.let("transpose", self.together(sum_.column), axes=(1, 0))
        total = builder.let("matmul", columns, self.together(sum_.row),
                            name=sum_.product.result.name)
        started = any(s.slot == sum_.slot for s in self.cut.sums[:self.cut.sums.index(sum_)])
        new = builder.let(sum_.addition.op, slot.next if started else slot.inner, total,
                          name=slot.inner.name, **sum_.addition.static)
        slots[sum_.slot] = replace(slot, next=new)

    def segment(self, number: int, slots: Sequence[Carried]) -> None:
        """The loop over the iterations of a segment, if there is something in it."""
        cut, loop = self.cut, self.loop
        mine = [k for k, home in enumerate(cut.slots) if home == number]
        kept = [v for v, home in cut.crossing.items() if home == number]
        if not cut.segments[number] and not kept and not mine:
            return
        inside = self.builder.inner()
        index = alike(loop.index)
        row = self.distance(index, inside, "row")
        stand = self.given(number, [loop.carried[k] for k in mine], inside, index, row)
        inside.statements += replaced(cut.segments[number], stand)
        carried = [replace(c, init=slots[k].inner, next=standing(c.next, stand),
                           result=_value(slots[k].next))
                   for k, c in ((k, loop.carried[k]) for k in mine)]
        for value in kept:
            before = self.rows[value]
            assert isinstance(before, Value)
            inner, result = alike(before), alike(before)
            following = inside.let("update", inner, row, stand.get(value, value),
                                   name=inner.name, index=("int", *(FULL,) * value.type.rank))
            carried.append(Carried(before, inner, following, result))
            self.rows[value] = result
        self.builder.append(Loop(index, self.first, self.last, loop.step, tuple(carried),
                                 inside.block, origin=loop.origin))

    def given(self, number: int, slots: Sequence[Carried], inside: Builder, index: Value,
              row: Atom) -> dict[Value, Atom]:
        """What stands in a segment for values that are made in others; makes it."""
        cut = self.cut
        stand: dict[Value, Atom] = {self.loop.index: index}
        here = {v for s in cut.segments[number] for v in defined(s)} | {c.inner for c in slots}
        read = [*free(cut.segments[number], [c.next for c in slots]),
                *(v for v, home in cut.crossing.items() if home == number)]
        wanted = self.repeated(read)
        for value, let in cut.repeated.items():
            if value in wanted and value not in here:
                new = alike(value)
                inside.append(*replaced((replace(let, result=new),), stand))
                stand[value] = new
        for value in read:
            if value in self.rows and value not in here and value not in stand:
                stand[value] = self.row_of(value, row, inside)
        return stand

    def repeated(self, read: Iterable[Value]) -> set[Value]:
        """The cheap values among these, and those that they are made of."""
        wanted = set(read)
        for value, let in reversed(self.cut.repeated.items()):
            if value in wanted:
                wanted.update(a for a in let.args if isinstance(a, Value))
        return wanted

    def row_of(self, value: Value, row: Atom, inside: Builder) -> Atom:
        """A number or a vector of this iteration."""
        if value.type.rank:
            return inside.let("view", self.rows[value], row, name=value.name, index=("int", FULL))
        found = inside.let("load", self.rows[value], row, name=value.name, index=("int",))
        assert isinstance(found, Value)
        if found.type == value.type:
            return found
        assert isinstance(value.type, Scalar)
        return inside.retyped(found, value.type)

    def extents(self) -> dict[Value, tuple[Extent, ...]] | None:
        """The shape of what crosses; None where it is not known before the loop. What is only
        equal by a check of the loop is not asked for: memory is made before that check."""
        see(self.loop, self.facts)
        inside = made_in(self.loop) - {let.result for let in self.cut.moved}
        result = {v: self.facts.of(v) for v in self.cut.crossing}
        if any(mentions(e, inside) for shape in result.values() for e in shape):
            return None
        return result


def _long(product: Let) -> tuple[Value, int]:
    """The matrix of a product, and its axis that the result has."""
    matrix, _ = operands_of(product)
    return matrix, 0 if product.args[0] is matrix else 1


def _value(atom: Atom) -> Value:
    assert isinstance(atom, Value)
    return atom
