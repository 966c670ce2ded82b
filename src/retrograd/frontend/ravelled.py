"""What `unravel(vector)` of `ravel` becomes inside a function: views of the vector."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from retrograd.api.ravel import Part, Unravel
from retrograd.frontend import calls, indexing
from retrograd.frontend.certain import certain
from retrograd.frontend.structures import thing_from
from retrograd.frontend.things import Handle, Items, Static, Thing
from retrograd.frontend.tracer import Tracer
from retrograd.ir.extents import Extent
from retrograd.ir.index import Slice
from retrograd.ir.nodes import integer
from retrograd.ir.types import Array
from retrograd.places import ATTRIBUTE, Place

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]


def unravelled(tracer: Tracer, unravel: Unravel, args: Args, keywords: Keywords) -> Thing:
    """`unravel(vector)`."""
    vector = args[0] if len(args) == 1 and not keywords else None
    if not isinstance(vector, Handle):
        tracer.refuse("the way back from a flat vector takes one array", "give it the vector")
    if vector.type.rank != 1:
        raise certain(ValueError)(f"the vector has {vector.type.rank} dimensions, but must have "
                                  f"shape ({unravel.size},)")
    extent = tracer.builder.facts.of(vector.value)[0]
    tracer.builder.require_equal(extent, Extent(unravel.size), ValueError, [
        "the vector has shape (", extent, f",), but must have ({unravel.size},)"])
    others = Place(unravel, ATTRIBUTE, "others")

    def leaf(number: int) -> Thing:
        part = unravel.parts[number]
        if isinstance(part, int):
            return tracer.captured(others.item(part), f"leaf_{part}")
        return _leaf(tracer, vector, part)

    return thing_from(tracer, unravel.tree, leaf)


def _leaf(tracer: Tracer, vector: Handle, part: Part) -> Thing:
    """One part of the vector, in its shape and type."""
    if not isinstance(part.type, Array):
        number = tracer.builder.let("load", tracer.current(vector), integer(part.start),
                                    index=("int",), weak=part.type.weak)
        return tracer.builder.cast(number, part.type.dtype)
    bounds = (integer(part.start), integer(part.stop))
    piece = indexing.read_parts(tracer, vector, (Slice(True, True),), bounds)
    shape = Items("tuple", tuple(map(integer, part.shape)))
    whole = calls.call(tracer, Static(np.reshape), (piece, shape), {})
    if part.type.dtype == vector.type.dtype:
        return whole
    return calls.call(tracer, Static(np.dtype(part.type.dtype).type), (whole,), {})
