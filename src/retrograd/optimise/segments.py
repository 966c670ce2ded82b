"""Where the body of a loop is cut so that products with one matrix can be made for many iterations
at once.

        x_1 = view(x, k)                 repeated wherever it is read
        t = matmul(W, x_1)               product 0
        h = tanh(t)                      segment 1
        z = matmul(V, h)                 product 1
        y = update(y, k, add(z, h))      segment 2, to which h crosses

A cut is at every product of a matrix that the loop does not change and a vector that it does, if
the vector does not depend on other iterations; what does depend on them is in the last segment.
Sums of outer products come behind it (`outer_sums.py`), and may be all that there is. Otherwise the
order of statements stays as it is, but for cheap reads, which later segments repeat, and for
matrices, which are made in the segment that reads them: only numbers and vectors cross from one
segment to another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from retrograd.ir.effects import SILENT
from retrograd.ir.index import FULL, Slice
from retrograd.ir.nodes import (
    Atom,
    Branch,
    Carried,
    Constant,
    Effect,
    Let,
    Loop,
    Statement,
    Value,
    While,
    bound,
    defined,
    free,
    integer,
    operands,
    walk,
    yields,
)
from retrograd.ir.types import Array, kind
from retrograd.optimise.outer_sums import OuterSum, outer_sums

_CHEAP = frozenset({"view", "load", "dim", "transpose", "let"})
_LAST = -1                           # stands for the number of the last segment


@dataclass(frozen=True, slots=True)
class Segments:
    """A loop that is cut: `products[p]` lies between `segments[p]` and `segments[p + 1]`.

    `moved` comes before the loop; later segments may make what is `repeated` again. `crossing` says
    for each value that is read beyond its segment in which one it is made, and `slots` in which
    segment each slot of the loop is, None for those of `sums`. `rows` are vectors that lie in the
    array given, iteration k in row k.
    """

    moved: tuple[Let, ...]
    repeated: dict[Value, Let]
    products: tuple[Let, ...]
    segments: tuple[tuple[Statement, ...], ...]
    sums: tuple[OuterSum, ...]
    crossing: dict[Value, int]
    slots: tuple[int | None, ...]
    rows: dict[Value, Atom]


def operands_of(product: Let) -> tuple[Value, Value]:
    """The matrix and the vector."""
    first, second = product.args
    assert isinstance(first, Value) and isinstance(second, Value)
    return (first, second) if first.type.rank == 2 else (second, first)


def made_in(loop: Loop) -> set[Value]:
    """All values that a loop binds or makes."""
    return {v for s in walk((loop,)) for v in (*bound(s), *defined(s))} \
        - set(defined(loop))


def segments_of(loop: Loop, nonnegative: Collection[Value]) -> Segments | None:
    """How a loop is cut; None where there is no such product, or where it cannot be cut. Some ints
    are known not to be negative."""
    if not multiplies(loop) or loop.step not in (integer(1), integer(-1)) \
            or loop.leave is not None or loop.trips is not None or loop.parallel or _ordered(loop):
        return None
    rising = loop.step == integer(1) and loop.index in nonnegative
    cutter = _Cutter(loop, rising)
    found = cutter.cut() if cutter.products or cutter.sums else None
    if found is None and cutter.products and cutter.sums:
        return _Cutter(loop, rising, only_sums=True).cut()
    return found


def multiplies(loop: Loop) -> bool:
    """Whether a loop makes products of matrices or outer products itself, not in one inside it."""
    return any(isinstance(s, Let) and (s.op == "matmul" or (
        s.op == "multiply" and s.result.type.rank == 2)) for s in loop.body)


def _ordered(loop: Loop) -> bool:
    """Whether something is done in the order of the iterations, beside what is computed."""
    return any((isinstance(s, Effect) and s.kind in SILENT)
               or (isinstance(s, Let) and s.op == "opaque") for s in walk(loop.body))


@dataclass(eq=False, slots=True)
class _Cutter:
    loop: Loop
    rising: bool                         # from row to row of what it reads
    only_sums: bool = False
    inside: set[Value] = field(init=False)
    moved: list[Let] = field(default_factory=list)
    repeated: dict[Value, Let] = field(default_factory=dict)
    products: list[Let] = field(default_factory=list)
    rest: list[tuple[int, Statement]] = field(default_factory=list)     # with their segments
    sums: tuple[OuterSum, ...] = field(init=False)
    handed: set[Value] = field(init=False)            # arrays that the loop carries, all versions
    dependent: set[Value] = field(init=False)         # on other iterations

    def __post_init__(self) -> None:
        loop = self.loop
        self.inside = made_in(loop)
        self.handed = {v for c in loop.carried for v in _written(c, loop)}
        self.dependent = {c.inner for c in loop.carried if not _only_written(c, loop)}
        sums = outer_sums(loop)
        others = {s.slot for s in sums if not {s.column, s.row} <= self.inside}
        self.sums = tuple(s for s in sums if s.slot not in others)
        summed = {let.result for s in self.sums for let in (s.product, s.addition)}
        for statement in loop.body:
            if not (isinstance(statement, Let) and statement.result in summed):
                self._sort(statement)

    def _sort(self, statement: Statement) -> None:
        if isinstance(statement, Let):
            if _is_view(statement) and self.inside.isdisjoint(statement.args):
                self.moved.append(statement)
                self.inside.discard(statement.result)
                return
            if statement.op in _CHEAP and all(map(self._is_known, statement.args)):
                self.repeated[statement.result] = statement
            if self._is_product(statement):
                self.products.append(statement)
                return
        if self.dependent.isdisjoint(free((statement,))):
            self.rest.append((len(self.products), statement))
        else:
            self.rest.append((_LAST, statement))
            self.dependent.update(defined(statement))

    def _is_known(self, atom: Atom) -> bool:
        """Whether every segment has this."""
        return isinstance(atom, Constant) or atom not in self.inside \
            or atom is self.loop.index or atom in self.repeated

    def _is_product(self, let: Let) -> bool:
        types = [a.type for a in let.args]
        if self.only_sums or let.op != "matmul" or sorted(t.rank for t in types) != [1, 2] \
                or any(t.dtype != let.result.type.dtype or 1 in t.dims for t in types):
            return False
        matrix, vector = operands_of(let)
        return kind(let.result.type.dtype) in "fc" and matrix not in self.inside \
            and vector in self.inside and vector not in self.dependent

    def cut(self) -> Segments | None:
        placed = self._placed()
        made = {v: k for k, s in placed for v in defined(s)}
        segments = tuple(self._needed([s for k, s in placed if k == number])
                         for number in range(len(self.products) + 1))
        slots = self._slots(segments, made)
        if slots is None:
            return None
        made.update((c.inner, home) for c, home in zip(self.loop.carried, slots, strict=True)
                    if home is not None)
        read = [(v, number) for number, segment in enumerate(segments) for v in free(segment)]
        read += [(c.next, home) for c, home in zip(self.loop.carried, slots, strict=True)
                 if isinstance(c.next, Value) and home is not None]
        crossing = {v: made[v] for v, number in read if made.get(v, number) < number
                    and v not in self.repeated}
        rows = {v: self.repeated[v].args[0] for v in self._multiplied() if self._is_row(v)}
        crossing.update((v, made[v]) for v in self._multiplied() if v in made and v not in rows)
        if not all(_crosses(v) and v not in self.handed for v in crossing):
            return None
        return Segments(tuple(self.moved), self.repeated, tuple(self.products), segments,
                        self.sums, crossing, slots, rows)

    def _is_row(self, value: Value) -> bool:
        """Whether a vector is row k of an array in iteration k."""
        let = self.repeated.get(value)
        return self.rising and let is not None and let.op == "view" \
            and let.static["index"] == ("int", FULL) and let.args[1] is self.loop.index \
            and let.args[0] not in self.inside

    def _multiplied(self) -> list[Value]:
        """The vectors that are multiplied for many iterations at once."""
        return [*(operands_of(p)[1] for p in self.products),
                *(v for s in self.sums for v in (s.column, s.row))]

    def _needed(self, segment: list[Statement]) -> tuple[Statement, ...]:
        """A segment without cheap reads that only others need."""
        wanted = {v for v in self._multiplied() if not self._is_row(v)}
        kept: list[Statement] = []
        for statement in reversed(segment):
            if not isinstance(statement, Let) or statement.result not in self.repeated \
                    or statement.result in wanted:
                kept.append(statement)
                wanted.update(free((statement,)))
        return tuple(kept[::-1])

    def _placed(self) -> list[tuple[int, Statement]]:
        """The statements with their segments, matrices and views where they are read first."""
        first = {operands_of(p)[1]: k for k, p in reversed(list(enumerate(self.products)))}
        stay = {*(c.next for c in self.loop.carried), *self.repeated}
        placed: list[tuple[int, Statement]] = []
        for home, statement in reversed(self.rest):
            number = home if home != _LAST else len(self.products)
            if number == home and isinstance(statement, Let) and statement.result not in stay \
                    and (statement.result.type.rank > 1 or statement.op in _CHEAP) \
                    and self.handed.isdisjoint(statement.args):
                number = max(home, first.get(statement.result, home))
            for value in free((statement,)):
                first[value] = min(number, first.get(value, number))
            placed.append((number, statement))
        return placed[::-1]

    def _slots(self, segments: tuple[tuple[Statement, ...], ...], made: Mapping[Value, int],
               ) -> tuple[int | None, ...] | None:
        """The segment of each slot: the one that reads it, if there is no other, and what it hands
        on is there by then."""
        read = [set(free(s)) for s in segments]
        ready = {**made, **{p.result: k + 1 for k, p in enumerate(self.products)}}
        sums = {s.slot for s in self.sums}
        result: list[int | None] = []
        for slot, c in enumerate(self.loop.carried):
            homes = [k for k, values in enumerate(read) if c.inner in values]
            first = ready.get(c.next, 0) if isinstance(c.next, Value) else 0
            home = homes[0] if homes else first
            exchanged = c.next is not c.inner and c.next in self._inners()
            if slot not in sums and (len(homes) > 1 or first > home or exchanged):
                return None
            result.append(None if slot in sums else home)
        return tuple(result)

    def _inners(self) -> set[Value]:
        return {c.inner for c in self.loop.carried}


def _written(carried: Carried, loop: Loop) -> set[Value]:
    """The versions of an array that a loop writes in place."""
    versions = {carried.inner}
    for statement in loop.body:
        versions.update(v for v, before in _versions(statement) if before in versions)
    return versions if carried.inner.type.rank and len(versions) > 1 else set()


def _only_written(carried: Carried, loop: Loop) -> bool:
    """Whether an iteration writes into an array and does nothing else with it."""
    reads = [s for s in walk(loop.body) if carried.inner in operands(s)]
    ends = [a for s in walk((loop,)) for atoms in yields(s) for a in atoms]
    return len(reads) == 1 and any(reads[0] is s for s in loop.body) \
        and isinstance(reads[0], Let) and reads[0].op in ("update", "add_at") \
        and reads[0].args[0] is carried.inner and carried.inner not in reads[0].args[1:] \
        and reads[0].result is carried.next and ends.count(carried.next) == 1 \
        and not any(carried.next in operands(s) for s in walk(loop.body)) \
        and carried.inner not in ends


def _versions(statement: Statement) -> list[tuple[Value, Atom]]:
    """Arrays that a statement hands on, and what they were before."""
    match statement:
        case Let(op="update" | "add_at" | "push" | "let"):
            return [(statement.result, statement.args[0])]
        case Loop() | While():
            return [(c.result, c.init) for c in statement.carried]
        case Branch():
            return [(j.result, a) for j in statement.joins for a in (j.then, j.otherwise)]
        case _:
            return []


def _is_view(let: Let) -> bool:
    """Whether this is another view of a whole array, which costs nothing and cannot fail."""
    return let.op == "transpose" or (let.op == "view" and not any(
        item == "int" or (isinstance(item, Slice) and (item.start or item.stop))
        for item in let.static["index"]))


def _crosses(value: Value) -> bool:
    """Whether a value can be kept for each of many iterations: a number, or a vector."""
    return value.type.rank == 1 or (not value.type.rank and not isinstance(value.type, Array))
