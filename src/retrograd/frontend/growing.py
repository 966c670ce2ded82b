"""Where a list gets a length that only the program knows: in loops and at the ends of branches.

What a loop appends to a list of known length is found when the end of its body is compared with
its start; the list then starts as `Grown`, and the body is traced again. Where every iteration
appends equally many elements, the buffers are made as long as they will be, and the length needs
no variable: it is a multiple of the iteration's number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from retrograd.frontend import grown
from retrograd.frontend.rows import AMPLE, EXACT, FIRST_ROWS, MIXED, PUSH, joined_rows, row_of
from retrograd.frontend.sharing import Key, Place
from retrograd.frontend.things import (
    Grown,
    Held,
    Items,
    Maybe,
    Thing,
    atom_of,
    leaves,
    same_structure,
)
from retrograd.frontend.tracer import Tracer
from retrograd.ir.extents import Extent, mentions, nonnegative, product
from retrograd.ir.nodes import Atom, Value

Made = set[Value]
Path = tuple[int, ...]
Where = tuple[Key, Path]             # a list in what a key stands for


@dataclass(frozen=True, slots=True)
class Steps:
    """The iterations of a `for` loop: how many, and the number of the one being traced."""

    count: Extent
    number: Extent


@dataclass
class Growth:
    """What a loop knows of the lists that grow in it.

    `counting` are ints that each iteration increases by the same: they are not carried.
    """

    tracer: Tracer
    steps: Steps | None
    counting: dict[Place, Extent] = field(default_factory=dict)
    uncounted: set[Place] = field(default_factory=set)
    rooms: dict[Where, str] = field(default_factory=dict)     # what this loop has chosen
    origin: dict[Where, Items | Grown] = field(default_factory=dict)
    steps_of: dict[Key, Extent] = field(default_factory=dict)    # where it has made ample room

    # --- how a list starts ---------------------------------------------------------------------

    def widened(self, key: Key, begin: Thing, end: Thing, inner: Tracer, made: Made, name: str,
                path: Path = ()) -> Thing | None:
        """What a thing starts as, so that it can end as it does; None if nothing serves."""
        match begin, end:
            case Held(cell=cell, content=a), Held(content=b):
                found = self.widened(key, a, b, inner, made, name, path)
                return None if found is None else Held(cell, found)
            case Maybe(thing=a, defined=defined), Maybe(thing=b):
                found = self.widened(key, a, b, inner, made, name, path)
                return None if found is None else Maybe(found, defined)
            case (Items() | Grown(), Items() | Grown()) if lists_differ(begin, end):
                return self._started((key, path), begin, end, inner, made, name)
            case Items(kind=kind, items=a, keys=keys), Items(items=b) if len(a) == len(b) and (
                    kind, keys) == (end.kind, end.keys):
                parts = [x if _fits(x, y) else self.widened(key, x, y, inner, made, name,
                                                            (*path, k))
                         for k, (x, y) in enumerate(zip(a, b, strict=True))]
                return None if any(p is None for p in parts) else Items(
                    kind, tuple(p for p in parts if p is not None), keys)
            case _:
                return None

    def _started(self, where: Where, begin: Items | Grown, end: Items | Grown, inner: Tracer,
                 made: Made, name: str) -> Thing | None:
        row = _row(self.tracer, begin, inner, end)
        if row is None:
            self.tracer.refuse(*MIXED)
        check_shapes(self.tracer, row, made)
        step = _length(inner, end) - _length(inner, begin)
        irregular = mentions(step, made) or not nonnegative(
            self.tracer.builder.facts.least(step))
        room = self._room(where, begin, end, irregular)
        begin = self.origin.setdefault(where, begin)
        first = _length(self.tracer, begin)
        rows = first.scaled(2) + FIRST_ROWS
        if room == AMPLE and where in self.rooms:
            assert self.steps is not None
            rows = first + product(step, self.steps.count)
            self.steps_of[where[0]] = step
        if isinstance(begin, Items):
            return grown.of_items(self.tracer, begin.items, row, rows, room, name)
        begin = grown.retyped(self.tracer, begin, row)
        if begin.room == EXACT and room != EXACT:
            return grown.with_rows(self.tracer, begin, rows, room)
        return replace(begin, room=room)

    def _room(self, where: Where, begin: Items | Grown, end: Items | Grown,
              irregular: bool) -> str:
        """The best room that has not been found wanting."""
        given = begin.room if isinstance(begin, Grown) else EXACT
        fits = isinstance(end, Grown) and end.room == given
        before = self.rooms.get(where)
        if before is None and given != EXACT:
            return given if fits else EXACT
        if before is None:
            regular = self.steps is not None and not irregular and not where[1]
            found = AMPLE if regular else PUSH
        elif fits and not (before == AMPLE and irregular):
            found = before
        else:
            found = PUSH if before == AMPLE else EXACT
        self.rooms[where] = found
        return found

    def wanting(self, key: Key, begin: Thing, end: Thing, inner: Tracer) -> bool:
        """Whether the room that this loop has made may not be enough."""
        if self.rooms.get((key, ())) != AMPLE:
            return False
        facts = inner.builder.facts
        (first,), (last,) = growns(begin), growns(end)
        return self.counting.get((key, len(first.buffers))) != self.steps_of[key] or any(
            not facts.provably_equal(facts.of(a.value)[0], facts.of(b.value)[0])
            for a, b in zip(first.buffers, last.buffers, strict=True))

    def forget(self, key: Key) -> None:
        """What a key starts with has changed: its ints have to be looked at anew."""
        self.counting = {p: step for p, step in self.counting.items() if p[0] != key}

    # --- ints that count -----------------------------------------------------------------------

    def start(self, place: Place, first: Atom, inner: Tracer) -> Atom:
        """What an int that counts is as an iteration starts."""
        assert self.steps is not None
        value = self.tracer.builder.facts.integer(first) + product(
            self.counting[place], self.steps.number)
        return _atom(inner, value)

    def finish(self, place: Place, first: Atom, trips: Extent) -> Atom:
        """What it is after the loop."""
        return _atom(self.tracer, self.tracer.builder.facts.integer(first) + product(
            self.counting[place], trips))

    def counts(self, place: Place, begin: Atom, end: Atom, inner: Tracer, made: Made) -> bool:
        """Compare a list's length at the end of an iteration with that at its start; tells
        whether something else was known."""
        facts = inner.builder.facts
        step = facts.integer(end) - facts.integer(begin)
        if place in self.counting:
            if step == self.counting[place]:
                return False
            del self.counting[place]
            self.uncounted.add(place)
            return True
        if self.steps is None or place in self.uncounted or mentions(step, made):
            return False
        self.counting[place] = step
        return True


def _atom(tracer: Tracer, value: Extent) -> Atom:
    """An int of this value, of which this is known."""
    found, facts = tracer.builder.atom_of(value), tracer.builder.facts
    if isinstance(found, Value) and facts.integer(found) != value:
        facts.integers[found] = value
    return found


def _fits(begin: Thing, end: Thing) -> bool:
    return same_structure(begin, end) and rooms_fit(begin, end)


def lists_differ(a: Thing, b: Thing) -> bool:
    """Whether both are contents of lists, and not of the same known length."""
    kinds = [t.kind == "list" for t in (a, b) if isinstance(t, Items)]
    lengths = [len(t.items) for t in (a, b) if isinstance(t, Items)]
    return all(kinds) and (len(lengths) < 2 or lengths[0] != lengths[1])


def _length(tracer: Tracer, thing: Items | Grown) -> Extent:
    return Extent(len(thing.items)) if isinstance(thing, Items) else grown.length(tracer, thing)


def _row(tracer: Tracer, begin: Items | Grown, inner: Tracer, end: Items | Grown) -> Thing | None:
    """What the elements of both look like."""
    rows: list[Thing | None] = []
    for at, thing in ((tracer, begin), (inner, end)):
        if isinstance(thing, Grown):
            rows.append(thing.row)
        elif thing.items:
            rows.append(row_of(at, thing.items))
    if not rows or any(row is None for row in rows):
        return None
    first, *rest = (row for row in rows if row is not None)
    return joined_rows(tracer, first, rest[0]) if rest else first


VARYING = ("the shape of what a sample gives depends on the sample",
           "return arrays whose shapes follow from the arguments' shapes")


def check_shapes(tracer: Tracer, row: Thing, made: Made) -> None:
    facts = tracer.builder.facts
    for leaf in leaves(row):
        atom = atom_of(leaf)
        assert atom is not None
        if not any(mentions(e, made) for e in facts.of(atom)):
            continue
        if not tracer.frame.user:                 # the list is one of samples (`batches.py`)
            tracer.refuse(*VARYING)
        tracer.refuse("the shape of the arrays that are put into this list is only known inside "
                      "the loop", "put one into the list before the loop, or store them into the "
                      "rows of an array")


def fitted(begin: Thing, end: Thing, inner: Tracer, name: str) -> Thing:
    """The end of an iteration with its lists of known length as lists of unknown length, where
    they started as such."""
    match begin, end:
        case Held(content=a), Held(cell=cell, content=b):
            return Held(cell, fitted(a, b, inner, name))
        case Maybe(thing=a), Maybe(thing=b, defined=defined):
            return Maybe(fitted(a, b, inner, name), defined)
        case Grown(), Items(kind="list", items=items):
            row = row_of(inner, items) if items else begin.row
            row = None if row is None else joined_rows(inner, begin.row, row)
            return end if row is None else common(inner, end, row, name)
        case Items(items=a), Items(kind=kind, items=b, keys=keys) if len(a) == len(b):
            return Items(kind, tuple(fitted(x, y, inner, name)
                                     for x, y in zip(a, b, strict=True)), keys)
        case _:
            return end


def growns(thing: Thing) -> Iterator[Grown]:
    """The lists of unknown length in a thing, in order."""
    match thing:
        case Grown():
            yield thing
        case Items(items=items):
            for item in items:
                yield from growns(item)
        case Held(content=inner) | Maybe(thing=inner):
            yield from growns(inner)
        case _:
            pass


def rooms_fit(begin: Thing, end: Thing) -> bool:
    """Whether the lists at the end have the room that those at the start are said to have."""
    pairs = zip(growns(begin), growns(end), strict=True)
    return all(a.room in (b.room, EXACT) for a, b in pairs)


def settled(thing: Thing) -> Thing:
    """The thing after the loop that has made room in its lists, all of which is used up."""
    match thing:
        case Grown(room=room):
            return replace(thing, room=EXACT) if room == AMPLE else thing
        case Items(kind=kind, items=items, keys=keys):
            return Items(kind, tuple(map(settled, items)), keys)
        case Held(cell=cell, content=content):
            return Held(cell, settled(content))
        case Maybe(thing=inner, defined=defined):
            return Maybe(settled(inner), defined)
        case _:
            return thing


def roles(thing: Thing) -> list[str]:
    """What each number and array in a thing is: a "buffer" or the "count" of a list, or ""."""
    match thing:
        case Grown(buffers=buffers):
            return ["buffer"] * len(buffers) + ["count"]
        case Items(items=items):
            return [role for item in items for role in roles(item)]
        case Held(content=inner):
            return roles(inner)
        case Maybe(thing=inner):
            return [*roles(inner), ""]
        case _:
            return [""] * len(leaves(thing))


def trips_after(tracer: Tracer, steps: Steps, trips: Value | None) -> Extent:
    """How many iterations were made: all, or (with an early exit) what the loop has counted."""
    return steps.count if trips is None else tracer.builder.facts.integer(trips)


def common(arm: Tracer, thing: Items | Grown, row: Thing, name: str) -> Grown:
    """A list at the end of an arm of a branch, as one whose length only the program knows."""
    if isinstance(thing, Grown):
        return grown.retyped(arm, thing, row)
    rows = Extent(2 * len(thing.items) + FIRST_ROWS)
    return grown.of_items(arm, thing.items, row, rows, PUSH, name)


def joined_row(arms: tuple[Tracer, Tracer], a: Thing, b: Thing) -> Thing | None:
    """What elements look like in two arms whose lists have different lengths; None if these are
    no such lists."""
    if not isinstance(a, (Items, Grown)) or not isinstance(b, (Items, Grown)) \
            or not lists_differ(a, b):
        return None
    return _row(arms[0], a, arms[1], b)


def same_room(a: Grown, b: Grown) -> tuple[Grown, Grown]:
    """Two lists that become one: with the room that both have."""
    if a.room == b.room:
        return a, b
    return replace(a, room=EXACT), replace(b, room=EXACT)


def leaf_name(name: str, thing: Thing, k: int) -> str:
    """The name of the number or array number k in what the user calls `name`: numbered for the
    parts of a container, marked for the flag of a Maybe."""
    count = len(leaves(thing))
    if isinstance(thing, Maybe) and k == count - 1:
        return f"{name}_is_bound"
    inner = thing.thing if isinstance(thing, Maybe) else thing
    inner = inner.content if isinstance(inner, Held) else inner
    if isinstance(inner, Grown) and k == len(inner.buffers):
        return "n"
    alone = atom_of(inner) is not None or (isinstance(inner, Grown) and len(inner.buffers) == 1)
    return name if alone else f"{name}_{k}"
