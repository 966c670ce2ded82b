"""Elements that a loop comes back to are numbers in it.

    before:                                   after:
        for i in range(n):                        if 0 < n:
            e = load(x, i)                            w_k = load(w, k)
            g = multiply(e, load(w, k))               s_k = load(s, k)
            s = add_at(s, k, g)                       for i in range(n):
                                                          e = load(x, i)
                                                          g = multiply(e, w_k)
                                                          s_k = add(s_k, g)
                                                      s = update(s, k, s_k)

An element at a place that does not depend on the loop is loaded once before it, and, if the loop
writes to it, written back once after it; all else that the loop does to the array must be at
places that are certainly others. Exact: the sum is in the same order. Where it is not known that
the place exists, the loop is guarded by the test whether it runs, because its first iteration
comes to the place. Only in compiled source: memory is slower than registers, and a write to one
array makes the compiler load again from all others.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from retrograd.ir.effects import SILENT
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Constant,
    Effect,
    Function,
    Join,
    Let,
    Loop,
    Raise,
    Statement,
    Static,
    Value,
    While,
    alike,
    blocks,
    bound,
    defined,
    integer,
    operands,
    walk,
)
from retrograd.ir.rewrite import replaced, with_blocks
from retrograd.ir.types import BOOL, Array, Scalar
from retrograd.optimise.disjoint import Elements, Place, elements, place_of
from retrograd.optimise.element import Follower

_MOST = 16                # elements of a loop: more would not stay in registers anyway


def promote_elements(function: Function) -> Function:
    """The function with invariant elements of arrays in numbers while a loop runs."""
    return replace(function, body=_Promoter(elements(function)).block(function.body))


@dataclass(eq=False, slots=True)
class _Promoter:
    """`reached` are the places that exist, because a statement before has come to them."""

    known: Elements
    reached: set[object] = field(default_factory=set)

    def block(self, block: Block) -> Block:
        result: list[Statement] = []
        added: set[object] = set()
        for statement in block:
            new = with_blocks(statement, self.block)
            result += self.promoted(new) if isinstance(new, Loop) and not new.blocks else [new]
            place = place_of(new) if isinstance(new, Let) else None
            if place is not None:
                key = self.known.key(operands(new)[0], place)
                added |= {key} - self.reached
                self.reached.add(key)
        self.reached -= added
        return tuple(result)

    def promoted(self, loop: Loop) -> list[Statement]:
        if not (isinstance(loop.step, Constant) and loop.step.value):
            return [loop]
        return _Promotion(loop, self.known, self.reached).statements()


@dataclass(frozen=True, slots=True)
class _Candidate:
    array: Value                  # a carried array in the loop, or one from before it
    place: Place
    first: bool                   # the first iteration certainly comes to the place


@dataclass(eq=False, slots=True)
class _Promotion:
    """One loop while its elements become numbers."""

    loop: Loop
    known: Elements
    reached: set[object]
    before: list[Statement] = field(default_factory=list)
    after: list[Statement] = field(default_factory=list)
    fresh: set[Value] = field(default_factory=set)       # arrays to which elements are missing
    unsure: bool = False          # an element before the loop may not exist if it does not run

    def statements(self) -> list[Statement]:
        whole = self.loop
        for candidate in _candidates(whole)[:_MOST]:
            self.consider(candidate)
        if not self.before:
            return [whole]
        self.without_unchanged()
        inner = [*self.before, self.loop, *self.after]
        return _guarded(inner, whole) if self.unsure and not self.known.runs(whole) else inner

    def consider(self, candidate: _Candidate) -> None:
        slot = next((k for k, c in enumerate(self.loop.carried)
                     if c.inner is candidate.array), None)
        array = candidate.array if slot is None else self.loop.carried[slot].init
        assert isinstance(array, Value)
        sure = self.known.within(array, candidate.place) \
            or self.known.key(array, candidate.place) in self.reached
        if not (sure or candidate.first):
            return
        start, inner = (Value(array.name, Scalar(array.type.dtype)) for _ in range(2))
        if self.only_read(candidate, slot, start) or (
                slot is not None and self.written(candidate, slot, start, inner)):
            self.unsure |= not sure
            self.before.append(Let(start, "load", (array, *candidate.place),
                                   _at(candidate.place), self.loop.origin))

    def only_read(self, candidate: _Candidate, slot: int | None, start: Value) -> bool:
        """Read the element once, if the loop never writes to it."""
        follower = Follower(self.known, candidate.place, {candidate.array: start})
        new = follower.inside(self.loop)
        assert isinstance(new, Loop)
        if not follower.stand or (
                slot is not None and follower.holds(new.carried[slot].next) is not start):
            return False
        self.loop = new
        return True

    def written(self, candidate: _Candidate, slot: int, start: Value, inner: Value) -> bool:
        """Carry the element through the loop and write it back afterwards."""
        follower = Follower(self.known, candidate.place, {candidate.array: inner}, removes=True)
        new = follower.inside(self.loop)
        end = follower.holds(new.carried[slot].next)
        follower.reads(c.next for k, c in enumerate(new.carried) if k != slot)
        if follower.read or not follower.written or end is None:
            return False
        (new,) = replaced((new,), follower.versions)  # type: ignore[assignment]
        assert isinstance(new, Loop)
        old = new.carried[slot]
        number, array = (alike(v) for v in (inner, old.result))
        carried = (*new.carried[:slot], replace(old, result=array), *new.carried[slot + 1:],
                   Carried(start, inner, end, number))
        self.loop = replace(new, carried=carried)
        self.fresh.add(array)
        self.after.insert(0, Let(old.result, "update", (array, *candidate.place, number),
                                 _at(candidate.place), new.origin))
        return True

    def without_unchanged(self) -> None:
        """Drop the slots of arrays to which the loop no longer writes."""
        stand: dict[Value, Atom] = {}
        for c in self.loop.carried:
            if c.next is c.inner and c.result in self.fresh:
                stand |= {c.inner: c.init, c.result: c.init}
        carried = tuple(c for c in self.loop.carried if c.inner not in stand)
        (loop,) = replaced((replace(self.loop, carried=carried),), stand)
        assert isinstance(loop, Loop)
        self.loop, self.after = loop, list(replaced(tuple(self.after), stand))


def _at(place: Place) -> Static:
    return {"index": ("int",) * len(place)}


# --- where it is not known that the loop runs -----------------------------------------------------


def _guarded(inner: list[Statement], loop: Loop) -> list[Statement]:
    """The statements that the loop has become where it runs; else what it carries stays."""
    assert isinstance(loop.step, Constant)
    op = "less" if loop.step.value.real > 0 else "greater"
    runs = Value("t", BOOL)
    new = {v: alike(v) for v in defined(loop)}
    otherwise: list[Atom] = [c.init for c in loop.carried]
    if loop.trips is not None:
        otherwise.append(integer(0))
    joins = tuple(Join(new[v], a, v) for v, a in zip(defined(loop), otherwise, strict=True))
    block = tuple(_renamed(s, new) for s in replaced(tuple(inner), new))
    return [Let(runs, op, (loop.start, loop.stop), {}, loop.origin),
            Branch(runs, block, (), joins, loop.origin)]


def _renamed(statement: Statement, new: dict[Value, Value]) -> Statement:
    """The statement with other names for what it defines."""
    if isinstance(statement, Let):
        return replace(statement, result=new.get(statement.result, statement.result))
    assert isinstance(statement, Loop)
    carried = tuple(replace(c, result=new.get(c.result, c.result)) for c in statement.carried)
    trips = statement.trips
    return replace(statement, carried=carried, trips=trips and new.get(trips, trips))


# --- which elements -------------------------------------------------------------------------------


def _candidates(loop: Loop) -> list[_Candidate]:
    """The elements at places from outside the loop that it reads or adds to."""
    search = _Search(loop)
    acted = False
    for statement in loop.body:
        search.statement(statement, first=not acted)
        acted |= any(_raises(s) for s in walk((statement,)))
    return [_Candidate(array, place, first) for (array, place), first in search.found.items()
            if (array, place) in search.worth]


def _raises(statement: Statement) -> bool:
    return isinstance(statement, Raise) or (
        isinstance(statement, Effect) and statement.kind not in SILENT)


@dataclass(eq=False, slots=True)
class _Search:
    """`origin` says which array a version comes from; `found` which elements are accessed, and
    whether the first iteration certainly does."""

    loop: Loop
    inside: set[Value] = field(default_factory=set)
    origin: dict[Value, Value] = field(default_factory=dict)
    found: dict[tuple[Value, Place], bool] = field(default_factory=dict)
    worth: set[tuple[Value, Place]] = field(default_factory=set)

    def __post_init__(self) -> None:
        for statement in walk((self.loop,)):
            self.inside.update((*bound(statement), *defined(statement)))
        for c in self.loop.carried:
            self.origin[c.inner] = c.inner

    def statement(self, statement: Statement, first: bool) -> None:
        match statement:
            case Let():
                self.let(statement, first)
            case Loop() | While():
                for c in statement.carried:
                    self.follows(c.inner, c.init)
                    self.follows(c.result, c.init)
        for block in blocks(statement):
            for inner in block:
                self.statement(inner, first=False)
        if isinstance(statement, Branch):
            for j in statement.joins:
                self.follows(j.result, j.then)

    def follows(self, value: Value, earlier: Atom) -> None:
        origin = self.of(earlier)
        if origin is not None:
            self.origin[value] = origin

    def of(self, atom: Atom) -> Value | None:
        if isinstance(atom, Constant) or not isinstance(atom.type, Array):
            return None
        return self.origin.get(atom) if atom in self.inside else atom

    def let(self, let: Let, first: bool) -> None:
        if let.op in ("update", "add_at", "let"):
            self.follows(let.result, let.args[0])
        place = place_of(let)
        array = self.of(let.args[0]) if place is not None else None
        if place is None or array is None or not self.inside.isdisjoint(place):
            return
        key = array, place
        self.found[key] = self.found.get(key, False) or first
        if let.op != "update":
            self.worth.add(key)
