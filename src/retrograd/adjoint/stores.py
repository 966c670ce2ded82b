"""The adjoint of what a store writes: that of the place, for the value that is there in the end."""

from __future__ import annotations

from collections.abc import Sequence

from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent
from retrograd.ir.index import Index, Slice, advanced, apart, parts
from retrograd.ir.nodes import Atom, Let, Value, integer, number
from retrograd.ir.operations_arrays import size
from retrograd.ir.types import Array, Scalar


def part_of_adjoint(builder: Builder, let: Let, g: Atom, atoms: Sequence[Atom]) -> Atom:
    """The part of the array's adjoint `g` that belongs to the stored value.

    Of several elements that an integer array stores to one place only the last one is there: the
    others have the adjoint 0.
    """
    index = let.static["index"]
    if not advanced(index):
        op = "load" if all(item == "int" for item in index) else "view"
        return builder.let(op, g, *atoms, index=index)
    part = builder.let("take", g, *atoms, index=index)
    if let.op == "add_at" or "array" not in index:
        return part
    won = _last_writers(builder, g, index, tuple(atoms), part.type.rank)
    return builder.let("where", won, part, number(0, Scalar(g.type.dtype)))


def _last_writers(builder: Builder, g: Atom, index: Index, atoms: tuple[Atom, ...],
                  rank: int) -> Atom:
    """Which elements of an index are the last ones to name their place: every element leaves its
    number there, and looks whether it is still there."""
    places: list[Atom] = []
    extents: list[Extent] = []
    axes = iter(builder.facts.of(g))
    before, gathered = 0, False
    for item, found in parts(index, atoms):
        if item == "new" or isinstance(item, Slice):
            before += not gathered
            if item != "new":
                next(axes)
            continue
        gathered = True
        assert found[0] is not None
        places.append(found[0])
        extents.append(next(axes))
    items = tuple("array" if p.type.rank else "int" for p in places)
    empty = builder.let("zeros", *map(builder.atom_of, extents), dtype="int64")
    block = builder.let("take", empty, *places, index=items)
    shape = builder.facts.of(block)
    numbers = builder.let("arange", integer(0), builder.atom_of(size(shape)), integer(1),
                          dtype="int64")
    numbers = builder.let("reshape", numbers, *map(builder.atom_of, shape))
    owners = builder.let("update", empty, *places, numbers, index=items)
    won = builder.let("equal", builder.let("take", owners, *places, index=items), numbers)
    trailing = rank - len(shape) - (0 if apart(index) else before)
    if trailing <= 0:
        return won
    assert isinstance(won, Value) and isinstance(won.type, Array)
    return builder.let("reshape", won, *map(builder.atom_of, shape), *[integer(1)] * trailing)
