"""What the elements of a list look like whose length only the program knows (see `grown.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retrograd.frontend import cells
from retrograd.frontend.branches import join_types
from retrograd.frontend.things import (
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
from retrograd.ir.extents import Extent
from retrograd.ir.index import FULL, Index, Slice
from retrograd.ir.nodes import Atom, Value, zero
from retrograd.ir.types import Array, Scalar, Type

AMPLE, PUSH, EXACT = "ample", "push", "exact"       # see grown.py
FIRST_ROWS = 16
MIXED = ("the elements of a list that grows in a loop, or is indexed with an int that only the "
         "program knows, are of different kinds",
         "keep one list for each kind, or put numbers of one type into it")


def row_of(tracer: Tracer, things: Sequence[Thing]) -> Thing | None:
    """What all these elements look like; None where they differ too much."""
    row: Thing | None = None
    for thing in things:
        sample = _sample(tracer, content_of(tracer, thing))
        row = sample if row is None or sample is None else joined_rows(tracer, row, sample)
        if row is None:
            return None
    return row


def content_of(tracer: Tracer, thing: Thing) -> Thing:
    """An element with the contents of lists in it, their buffers without what is not there."""
    thing = cells.frozen(tracer, thing)
    if isinstance(thing, Items):
        return Items(thing.kind, tuple(content_of(tracer, i) for i in thing.items), thing.keys)
    if isinstance(thing, Grown):
        buffers = tuple(owned(stacked(tracer, thing, k)) for k in range(len(thing.buffers)))
        return replace(thing, buffers=buffers, room=EXACT)
    return thing


def _sample(tracer: Tracer, thing: Thing) -> Thing | None:
    if not _plain(thing):
        return None

    def sample(leaf: Thing) -> Thing:
        atom = atom_of(leaf)
        assert atom is not None
        return sampled(tracer, atom.type, tracer.builder.facts.of(atom))

    return with_leaves(thing, sample)


def _plain(thing: Thing) -> bool:
    if isinstance(thing, Items):
        return bool(thing.items) and all(map(_plain, thing.items))
    return atom_of(thing) is not None or isinstance(thing, (Static, Grown))


def sampled(tracer: Tracer, type: Type, extents: tuple[Extent, ...]) -> Thing:
    if isinstance(type, Scalar):
        return zero(type)
    assert isinstance(type, Array)
    value = Value("row", replace(type, layout="C"))
    tracer.builder.facts.extents[value] = extents
    return fresh(value)


def joined_rows(tracer: Tracer, a: Thing, b: Thing) -> Thing | None:
    """What elements look like that look like the one or the other."""
    if not same_structure(a, b):
        return None
    facts = tracer.builder.facts
    found: list[Thing] = []
    for one, other in zip(leaves(a), leaves(b), strict=True):
        first, second = atom_of(one), atom_of(other)
        assert first is not None and second is not None
        type = join_types(first.type, second.type)
        if type is None:
            return None
        found.append(sampled(tracer, type, facts.of(first)))
    rest = iter(found)
    return with_leaves(a, lambda _: next(rest))


def samples(grown: Grown) -> list[Atom]:
    """The samples of the numbers and arrays in an element."""
    found = [atom_of(leaf) for leaf in leaves(grown.row)]
    return [a for a in found if a is not None]


def stacked(tracer: Tracer, grown: Grown, k: int) -> Value:
    """The elements' numbers or arrays number k as one array."""
    builder, facts = tracer.builder, tracer.builder.facts
    value, count = tracer.current(grown.buffers[k]), tracer.builder.facts.integer(grown.count)
    if facts.provably_equal(facts.of(value)[0], count):
        return value
    index: Index = (Slice(stop=True), *(FULL,) * (value.type.rank - 1))
    part = builder.let("view", value, grown.count, index=index)
    assert isinstance(part, Value)
    facts.extents[part] = (count, *facts.of(value)[1:])
    return part


def owned(value: Atom) -> Handle:
    assert isinstance(value, Value)
    return fresh(value)
