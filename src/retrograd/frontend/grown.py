"""Lists whose length only the program knows: their elements lie one after the other in buffers.

    ys = []                         ys = np.empty(n)
    for i in range(n):              for i in range(n):
        ys.append(x[i] * i)             ys[i] = x[i] * i
    return np.array(ys)             return ys

A list of pairs of a number and an array has two buffers, and so on. All elements have the same
structure, and their arrays the same shape, which is checked when they are appended. The room for
what is appended is

    AMPLE   made by a loop around: it knows how many there will be
    PUSH    doubled when it is used up
    EXACT   none: the buffers are exactly as long as the list, and cannot grow

A buffer has the contents of the arrays that were appended, while Python's list refers to the
arrays. So these arrays, and the arrays that are read from such a list, must not be written.

A list of arrays that stays empty becomes an array of no rows of the others' length, and one of
ints an array of ints, where NumPy, which cannot know what is not there, makes one of floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from retrograd import containers
from retrograd.frontend.branches import converted, join_types
from retrograd.frontend.rows import (
    AMPLE,
    EXACT,
    FIRST_ROWS,
    MIXED,
    PUSH,
    content_of,
    joined_rows,
    owned,
    row_of,
    sampled,
    samples,
    stacked,
)
from retrograd.frontend.things import (
    Base,
    Cell,
    Grown,
    Handle,
    Items,
    Static,
    Thing,
    atom_of,
    fresh,
    leaves,
    same_structure,
    with_leaves,
)
from retrograd.frontend.tracer import Tracer
from retrograd.ir.extents import Extent, nonnegative
from retrograd.ir.index import FULL, Index, Slice
from retrograd.ir.nodes import Atom, Branch, Constant, Raise, Value, integer
from retrograd.ir.types import Array, is_integer

# --- making one ----------------------------------------------------------------------------------


def of_items(tracer: Tracer, items: Sequence[Thing], row: Thing, rows: Extent, room: str,
             name: str) -> Grown:
    """These elements in buffers of so many rows."""
    builder, facts = tracer.builder, tracer.builder.facts
    elements = [_parts(tracer, row, item) for item in items]
    buffers: list[Handle] = []
    for k, leaf in enumerate(leaves(row)):
        sample = atom_of(leaf)
        assert sample is not None
        shape = facts.of(sample)
        buffer = builder.let("empty", builder.atom_of(rows), *map(builder.atom_of, shape),
                             name=_named(name, k, row), dtype=sample.type.dtype)
        facts.extents[buffer] = (rows, *shape)      # type: ignore[index]
        for position, element in enumerate(elements):
            buffer = _put(tracer, buffer, integer(position), element[k], sample)
        buffers.append(owned(buffer))
    return Grown(row, tuple(buffers), integer(len(items)), room)


def _named(name: str, k: int, row: Thing) -> str:
    return name if len(leaves(row)) == 1 else f"{name}_{k}"


def _parts(tracer: Tracer, row: Thing, thing: Thing) -> list[Atom]:
    """The numbers and arrays of an element as they are stored, in the types of the row. Arrays
    must have the shape that the others have, and stay as they are from now on."""
    thing = content_of(tracer, thing)
    if not same_structure(row, thing):
        tracer.refuse(*MIXED)
    found: list[Atom] = []
    for leaf, own in zip(leaves(row), leaves(thing), strict=True):
        sample, atom = atom_of(leaf), tracer.atom(own)
        assert sample is not None and atom is not None
        type = join_types(sample.type, atom.type)
        if type is None or type.dtype != sample.type.dtype:
            tracer.refuse(*MIXED)
        if isinstance(own, Handle):
            tracer.memory.lent[own.base] = None
            facts = tracer.builder.facts
            for axis, (a, b) in enumerate(zip(facts.of(sample), facts.of(atom), strict=True)):
                tracer.builder.require_equal(b, a, ValueError, [
                    "an array with extent ", b, f" along axis {axis} is put into a list of arrays "
                    "with extent ", a, ": give them one shape"])
        found.append(converted(tracer.builder, atom, sample.type))
    return found


def _put(tracer: Tracer, buffer: Atom, position: Atom, part: Atom, sample: Atom) -> Atom:
    index: Index = ("int", *(FULL,) * sample.type.rank)
    name = buffer.name if isinstance(buffer, Value) else "t"
    return tracer.builder.let("update", buffer, position, part, name=name, index=index)


def retyped(tracer: Tracer, grown: Grown, row: Thing) -> Grown:
    """The same elements in the types of another row."""
    buffers = []
    for buffer, leaf in zip(grown.buffers, leaves(row), strict=True):
        sample, value = atom_of(leaf), tracer.current(buffer)
        assert sample is not None
        if sample.type.dtype != value.type.dtype:
            buffers.append(owned(tracer.builder.let(
                "cast", value, name=value.name, dtype=sample.type.dtype)))
        else:
            buffers.append(buffer)
    return replace(grown, row=row, buffers=tuple(buffers))


def with_rows(tracer: Tracer, grown: Grown, rows: Extent, room: str) -> Grown:
    """The same elements in buffers of so many rows."""
    builder, facts = tracer.builder, tracer.builder.facts
    new: list[Handle] = []
    for k, (buffer, sample) in enumerate(zip(grown.buffers, samples(grown), strict=True)):
        shape = facts.of(tracer.current(buffer))[1:]
        empty = builder.let("empty", builder.atom_of(rows), *map(builder.atom_of, shape),
                            name=buffer.value.name, dtype=sample.type.dtype)
        facts.extents[empty] = (rows, *shape)       # type: ignore[index]
        index: Index = (Slice(stop=True), *(FULL,) * len(shape))
        new.append(owned(builder.let("update", empty, grown.count, stacked(tracer, grown, k),
                                    name=buffer.value.name, index=index)))
    return replace(grown, buffers=tuple(new), room=room)


def roomy(tracer: Tracer, grown: Grown) -> Grown:
    """The same elements with room for more."""
    if grown.room != EXACT:
        return grown
    count = tracer.builder.facts.integer(grown.count)
    return with_rows(tracer, grown, count.scaled(2) + FIRST_ROWS, PUSH)


# --- changing it ---------------------------------------------------------------------------------


def push(tracer: Tracer, grown: Grown, thing: Thing) -> Grown:
    """One more element at the end."""
    row = row_of(tracer, [thing])
    both = None if row is None else joined_rows(tracer, grown.row, row)
    if both is None:
        tracer.refuse(*MIXED)
    grown = roomy(tracer, retyped(tracer, grown, both))
    parts = _parts(tracer, _shaped(tracer, grown), thing)
    buffers: list[Handle] = []
    for buffer, part, sample in zip(grown.buffers, parts, samples(grown), strict=True):
        value = tracer.current(buffer)
        if grown.room == AMPLE:
            buffers.append(owned(_put(tracer, value, grown.count, part, sample)))
            continue
        new = tracer.builder.let("push", value, grown.count, part, name=value.name)
        buffers.append(owned(new))
    count = tracer.builder.let("add", grown.count, integer(1), name="n")
    return replace(grown, buffers=tuple(buffers), count=count)


def _shaped(tracer: Tracer, grown: Grown) -> Thing:
    """The row with the shapes that the buffers have."""
    facts = tracer.builder.facts
    found = [sampled(tracer, sample.type, facts.of(buffer.value)[1:])
             for buffer, sample in zip(grown.buffers, samples(grown), strict=True)]
    rest = iter(found)
    return with_leaves(grown.row, lambda _: next(rest))


def replaced(tracer: Tracer, grown: Grown, position: Atom, thing: Thing) -> Grown:
    """Another element at this position, which is within the length."""
    row = row_of(tracer, [thing])
    both = None if row is None else joined_rows(tracer, grown.row, row)
    if both is None:
        tracer.refuse(*MIXED)
    grown = retyped(tracer, grown, both)
    parts = _parts(tracer, _shaped(tracer, grown), thing)
    buffers = tuple(
        owned(_put(tracer, tracer.current(buffer), position, part, sample))
        for buffer, part, sample in zip(grown.buffers, parts, samples(grown), strict=True))
    return replace(grown, buffers=buffers)


def popped(tracer: Tracer, grown: Grown) -> tuple[Grown, Thing]:
    """The list without its last element, and that."""
    last = position(tracer, grown, integer(-1), "pop from empty list")
    found = element(tracer, grown, last)
    return replace(grown, count=last, room=EXACT if grown.room == AMPLE else grown.room), found


def joined(tracer: Tracer, a: Grown, b: Grown) -> Grown:
    """The elements of both."""
    row = joined_rows(tracer, a.row, b.row)
    if row is None:
        tracer.refuse(*MIXED)
    a, b = retyped(tracer, a, row), retyped(tracer, b, row)
    buffers = [owned(tracer.builder.let("concatenate", stacked(tracer, a, k), stacked(tracer, b, k),
                                       name=a.buffers[k].value.name, axis=0))
               for k in range(len(a.buffers))]
    facts = tracer.builder.facts
    count = facts.integer(a.count) + facts.integer(b.count)
    return Grown(row, tuple(buffers), tracer.builder.atom_of(count), EXACT)


# --- reading it ----------------------------------------------------------------------------------


def length(tracer: Tracer, grown: Grown) -> Extent:
    return tracer.builder.facts.integer(grown.count)


def position(tracer: Tracer, grown: Grown, index: Atom, message: str) -> Atom:
    """An index counted from the front; IndexError, as Python says it, where it is not within the
    length."""
    builder, facts = tracer.builder, tracer.builder.facts
    if not is_integer(index.type) or isinstance(index.type, Array):
        tracer.refuse("a list is indexed with something that is not an int", "use ints")
    count, place = length(tracer, grown), facts.integer(index)
    if isinstance(index, Constant) and index.value.real < 0:
        place = count + place
        index = builder.atom_of(place)
        _require(tracer, nonnegative(facts.least(place)), index, grown.count, message, low=True)
        return index
    if not nonnegative(facts.least(place)):
        negative = builder.let("less", index, integer(0))
        index = builder.let("where", negative, builder.let("add", index, grown.count), index)
        _require(tracer, False, index, grown.count, message, low=True)
    _require(tracer, nonnegative(facts.least(count - place - 1)), index, grown.count, message)
    return index


def _require(tracer: Tracer, known: bool, index: Atom, count: Atom, message: str,
             low: bool = False) -> None:
    """Raise IndexError unless the index is not below 0 (`low`), or not beyond the end."""
    if known:
        return
    builder = tracer.builder
    bad = builder.let("less", index, integer(0)) if low else builder.let(
        "greater_equal", index, count)
    builder.append(Branch(bad, (Raise(IndexError, (message,), builder.origin),), (), (),
                          builder.origin))


def element(tracer: Tracer, grown: Grown, position: Atom) -> Thing:
    """The element at this position, which is within the length."""
    found: list[Thing] = []
    for buffer, sample in zip(grown.buffers, samples(grown), strict=True):
        array, rank = tracer.current(buffer), sample.type.rank
        if not isinstance(sample.type, Array):
            found.append(tracer.builder.let("load", array, position, index=("int",),
                                            weak=sample.type.weak))
            continue
        index: Index = ("int", *(FULL,) * rank)
        part = tracer.builder.let("view", array, position, index=index)
        assert isinstance(part, Value)
        found.append(Handle(part, Base(part, listed=True)))
    rest = iter(found)
    return _thawed(tracer, with_leaves(grown.row, lambda _: next(rest)))


def _thawed(tracer: Tracer, thing: Thing) -> Thing:
    """Lists and dicts in an element as objects that must not be changed."""
    new = thing
    if isinstance(thing, Items):
        new = Items(thing.kind, tuple(_thawed(tracer, i) for i in thing.items), thing.keys)
        if not containers.is_changeable(thing.kind):
            return new
    if not tracer.frame.user or not isinstance(new, (Items, Grown)):
        return new
    return tracer.memory.make(new, Cell(born=tracer.memory.clock, frozen=True))


def part(tracer: Tracer, grown: Grown, index: Slice, bounds: tuple[Atom, ...]) -> Grown:
    """A slice of the list, which is a list of its own."""
    builder, facts = tracer.builder, tracer.builder.facts
    buffers: list[Handle] = []
    for k in range(len(grown.buffers)):
        whole = stacked(tracer, grown, k)
        spelled: Index = (index, *(FULL,) * (whole.type.rank - 1))
        view = builder.let("view", whole, *bounds, index=spelled)
        buffers.append(owned(builder.let("copy", view, name=grown.buffers[k].value.name)))
    count = builder.atom_of(facts.of(buffers[0].value)[0])
    return replace(grown, buffers=tuple(buffers), count=count, room=EXACT)


def as_array(tracer: Tracer, grown: Grown) -> Thing:
    """What `np.array` makes of the list."""
    from retrograd.frontend import calls

    arrays = iter([fresh(stacked(tracer, grown, k)) for k in range(len(grown.buffers))])

    def array(row: Thing) -> Thing:
        if isinstance(row, Items):
            parts = Items("tuple", tuple(map(array, row.items)))
            return calls.call(tracer, Static(np.stack), (parts,), {"axis": integer(1)})
        if isinstance(row, Static):
            tracer.refuse("a list of things that are not numbers is no array",
                          "put numbers and arrays into it")
        if isinstance(row, Grown):
            if len(row.buffers) > 1:
                tracer.refuse("a list of lists of tuples is not made into an array here",
                              "make an array of each list")
            found = next(arrays)
            next(arrays)                                # their lengths
            return found
        return next(arrays)

    return array(grown.row)


def filled(tracer: Tracer, thing: Thing, row: Thing, rows: Atom) -> Grown:
    """A list of so many elements that are all the same."""
    builder, facts = tracer.builder, tracer.builder.facts
    parts = _parts(tracer, row, thing)
    buffers: list[Handle] = []
    for part, leaf in zip(parts, leaves(row), strict=True):
        sample = atom_of(leaf)
        assert sample is not None
        shape = [builder.atom_of(e) for e in facts.of(sample)]
        buffer = builder.let("full", part, rows, dtype=sample.type.dtype) if not shape else \
            builder.let("copy", builder.let("broadcast_to", part, rows, *shape))
        buffers.append(owned(buffer))
    return Grown(row, tuple(buffers), rows, EXACT)
