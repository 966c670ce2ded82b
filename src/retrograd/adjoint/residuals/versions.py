"""Versions of an array: which elements are final, so that they are still there in the end.

    for i in range(1, n):
        u1 = update(u0, i, f(load(u0, i - 1)))     u0[i - 1] is never written again: in the
                                                   reverse sweep it is load(u_last, i - 1)

From a version, the values that take over its content are followed: updates, what a loop carries,
the joins of branches. All updates on the way are later writes. An element is final where none of
them touches it, in this iteration and in those that follow; that is proved with the bounds of
loop indices. The content must end in one value outside all loops and branches, whatever path is
taken (`lineage.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from retrograd.adjoint.residuals.lineage import STORES, Lineage, lineage
from retrograd.adjoint.scopes import Places, Scope
from retrograd.ir.extents import Extent, Root, Term, mentions, nonnegative, root, substituted
from retrograd.ir.facts import Facts
from retrograd.ir.index import Index, Slice, parts
from retrograd.ir.nodes import Atom, Branch, Constant, Function, Let, Loop, Value, While, walk
from retrograd.ir.types import INT

Found = tuple[Value, Index, tuple[Atom, ...]]
Span = tuple[Extent, Extent]             # the first and the last place along an axis


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A part of an array: one span an axis, None where nothing is known about it."""

    spans: tuple[Span | None, ...]
    scope: Scope


@dataclass(frozen=True, slots=True)
class Write:
    """A later store; `loop` is the outermost loop around the reader of which it happens in a
    later iteration (None: in the same iterations)."""

    let: Let
    loop: Scope | None


@dataclass(slots=True)
class Versions:
    """What becomes of the arrays of a function."""

    places: Places
    facts: Facts
    lineage: Lineage
    flows: dict[Value, list[tuple[Let | Loop | While | Branch, Value]]] = field(
        default_factory=dict)
    stored: dict[Value, list[Let]] = field(default_factory=dict)
    _inside: dict[Scope, frozenset[Value]] = field(default_factory=dict)
    _last: dict[Value, Found | None] = field(default_factory=dict)
    _ends: dict[tuple[Value, Scope], tuple[Value | None, frozenset[Write]]] = field(
        default_factory=dict)

    def last(self, value: Value) -> Found | None:
        """Where a value can still be found in the end: in an array, at a place."""
        if value not in self._last:
            self._last[value] = self._find(value)
        return self._last[value]

    def _find(self, value: Value) -> Found | None:
        let = self.places.lets.get(value)
        if let is not None and let.op in ("load", "view") and isinstance(let.args[0], Value):
            index, atoms = let.static["index"], let.args[1:]
            found = self._final(let.args[0], index, atoms, self.places.scope[value])
            if found is not None:
                return found, index, atoms
        for store in self.stored.get(value, ()):
            index, atoms = store.static["index"], store.args[1:-1]
            found = self._final(store.result, index, atoms, self.places.scope[store.result])
            if found is not None and self.places.scope[store.result] is self.places.scope[value]:
                return found, index, atoms
        return None

    def _final(self, version: Value, index: Index, atoms: tuple[Atom, ...],
               scope: Scope) -> Value | None:
        end, writes = self._end(version, scope)
        if end is None or end is version:
            return None
        place = Place(self.spans(version, index, atoms), scope)
        return end if all(self._apart(place, write) for write in writes) else None

    # --- following a version ---------------------------------------------------------------------

    def _end(self, version: Value, scope: Scope) -> tuple[Value | None, frozenset[Write]]:
        """The value outside all blocks that holds a version's content in the end, and all that
        is written to it on the way."""
        key = (version, scope)
        if key not in self._ends:
            self._ends[key] = self._follow(version, set(scope.chain()))
        return self._ends[key]

    def _follow(self, version: Value, around: set[Scope],
                ) -> tuple[Value | None, frozenset[Write]]:
        ends: set[Value] = set()
        writes: set[Write] = set()
        pending: list[tuple[Value, Scope | None]] = [(version, None)]
        seen = set(pending)
        while pending:
            value, later = pending.pop()
            flows = self.flows.get(value, [])
            if not flows:
                ends.add(value)
            for statement, target in flows:
                if isinstance(statement, Let) and statement.op in STORES:
                    writes.add(Write(statement, later))
                new = target, self._later(statement, value, target, later, around)
                if new not in seen:
                    seen.add(new)
                    pending.append(new)
        end = ends.pop() if len(ends) == 1 else None
        if end is None or self.places.scope[end] is not self.places.top \
                or not self.lineage.holds(end, version):
            return None, frozenset()
        return end, frozenset(writes)

    def _later(self, statement: Let | Loop | While | Branch, value: Value, target: Value,
               later: Scope | None, around: set[Scope]) -> Scope | None:
        """The outermost loop around the reader whose next iteration this step leads into."""
        if not isinstance(statement, (Loop, While)):
            return later
        body = self.places.of_block[statement, 1 if isinstance(statement, While) else 0]
        carried = next((c for c in statement.carried if c.inner is target), None)
        if carried is None or body not in around or carried.next is not value:
            return later
        return body if later is None or body in later.chain() else later

    # --- proofs --------------------------------------------------------------------------------

    def spans(self, array: Value, index: Index, atoms: tuple[Atom, ...]) -> tuple[Span | None, ...]:
        """The part of each axis that an index names, counted from the front."""
        found: list[Span | None] = []
        extents = iter(self.facts.of(array))
        for item, bounds in parts(index, atoms):
            if item == "new":
                continue
            extent = next(extents)
            if item == "int":
                place = self._front(bounds[0], extent)
                found.append(None if place is None else (place, place))
            elif isinstance(item, Slice) and item.step == 1:
                low = Extent(0) if bounds[0] is None else self._front(bounds[0], extent)
                high = extent if bounds[1] is None else self._front(bounds[1], extent)
                found.append(None if low is None or high is None else (low, high - 1))
            else:
                if item == "mask":
                    return (None,) * len(self.facts.of(array))
                found.append(None)
        return tuple(found)

    def _front(self, atom: Atom | None, extent: Extent) -> Extent | None:
        """An index or bound counted from the front, if its sign is known."""
        assert atom is not None
        place = self.facts.integer(atom)
        if nonnegative(self.facts.least(place)):
            return place
        return extent + place if isinstance(atom, Constant) else None

    def _apart(self, place: Place, write: Write) -> bool:
        """Whether a later store certainly touches other elements."""
        let = write.let
        spans = self.spans(let.args[0], let.static["index"],  # type: ignore[arg-type]
                           let.args[1:-1])
        names, bounds = self._renamed(place.scope, write)
        anew = self._made_in(write.loop)
        for mine, other in zip(place.spans, spans, strict=True):
            if mine is None or other is None:
                continue
            low, high = (substituted(e, names) for e in other)
            if mentions(low, anew) or mentions(high, anew):
                continue
            if self._positive(low - mine[1], bounds) or self._positive(mine[0] - high, bounds):
                return True
        return False

    def _renamed(self, scope: Scope, write: Write) -> tuple[dict[Term, Extent],
                                                            dict[Value, Span]]:
        """The loop indices of a store in its own iteration, and the bounds of all indices."""
        names: dict[Term, Extent] = {}
        bounds: dict[Value, Span] = {}
        around = set(scope.chain())
        anew = self._made_in(write.loop)
        free = False
        for loop in self.places.scope[write.let.result].loops():
            statement = loop.statement
            index = statement.index if isinstance(statement, Loop) else None
            if loop in around and not free and loop is not write.loop:
                continue
            if index is None or index not in self.facts.bounds:
                free |= loop is write.loop
                continue
            new = Value(index.name, INT)
            low, high = (substituted(e, names) for e in self.facts.bounds[index])
            known = not mentions(low, anew) and not mentions(high, anew)
            if loop is write.loop:
                assert isinstance(statement, Loop) and isinstance(statement.step, Constant)
                forward = statement.step.value.real > 0
                low, high = (root(index) + 1, high) if forward else (low, root(index) - 1)
                free = True
            names[Root(index)] = root(new)
            if known:                    # else a later iteration has bounds of its own
                bounds[new] = (low, high)
        return names, bounds

    def _made_in(self, loop: Scope | None) -> frozenset[Value]:
        """The values that every iteration computes anew: nothing is known of them in a later
        one."""
        if loop is None:
            return frozenset()
        if loop not in self._inside:
            self._inside[loop] = frozenset(
                v for v in self.places.scope if self.places.inside(v, loop))
        return self._inside[loop]

    def _positive(self, extent: Extent, bounds: dict[Value, Span]) -> bool:
        """Whether an extent is at least 1, whatever values the indices in it take."""
        extent = substituted(extent, self.facts.equal)
        for value, (low, high) in reversed(bounds.items()):
            for term, factor in extent.terms:
                if isinstance(term, Root) and term.value is value and term.axis is None:
                    extent = extent - Extent(0, ((term, factor),)) + (
                        low if factor > 0 else high).scaled(factor)
                    break
        return nonnegative(self.facts.least(extent) - 1)


def versions(function: Function, places: Places, facts: Facts) -> Versions:
    """Note where the content of every array goes, and where every value is stored."""
    result = Versions(places, facts, lineage(function, places))
    for statement, value, target in _flows(function):
        result.flows.setdefault(value, []).append((statement, target))
    for let in places.lets.values():
        stored = let.args[-1] if let.op == "update" else None
        if isinstance(stored, Value) and stored.type.dtype == let.result.type.dtype and all(
                item == "int" for item in let.static["index"]):
            result.stored.setdefault(stored, []).append(let)
    return result


Flow = tuple[Let | Loop | While | Branch, Value, Value]


def _flows(function: Function) -> Iterator[Flow]:
    """Where the content of an array goes: a statement, what it takes and what then holds it."""
    for statement in walk(function.body):
        pairs: Iterable[tuple[Atom, Value]] = ()
        match statement:
            case Let(op=op, args=args, result=result) if op in STORES or op == "let":
                pairs = [(args[0], result)]
            case Loop() | While():
                pairs = [(a, b) for c in statement.carried for a in (c.init, c.next)
                         for b in (c.inner, c.result)]
            case Branch():
                pairs = [(a, j.result) for j in statement.joins
                         for a in dict.fromkeys((j.then, j.otherwise))]
            case _:
                continue
        for value, target in pairs:
            if isinstance(value, Value) and value.type.rank:
                yield statement, value, target
