"""Arrays put together from parts: `array`, `concatenate`; and `dim`."""

from __future__ import annotations

import itertools

from retrograd.backend.lowering.context import Context, Lowered, converted
from retrograd.backend.lowering.nest import Indices, empty, fill, put
from retrograd.backend.lowering.scope import Scope
from retrograd.ir.extents import Extent
from retrograd.ir.nodes import Atom, Let, Value, integer


def array(context: Context, scope: Scope, let: Let) -> Lowered:
    """`np.array([[a, b], [c, d]])`: one write an element."""
    extents = tuple(Extent(n) for n in let.static["shape"])
    places = itertools.product(*(range(n) for n in let.static["shape"]))
    result: Atom = empty(scope, extents, let.result.type.dtype, let.result.name)
    for place, item in zip(places, let.args, strict=True):
        indices = tuple(integer(k) for k in place)
        result = put(scope, result, indices, context.atom(scope, item))
    return result


def concatenate(context: Context, scope: Scope, let: Let) -> Lowered:
    """One nest for each part, at its offset."""
    axis = let.static["axis"]
    dtype = let.result.type.dtype
    parts = [converted(context.operand(scope, a), dtype) for a in let.args]
    extent = Extent(0)
    for part in parts:
        extent = extent + part.extents[axis]
    first = parts[0].extents
    result = empty(scope, (*first[:axis], extent, *first[axis + 1:]), dtype, let.result.name)
    offset = Extent(0)
    for part in parts:
        start = scope.atom_of(offset)

        def write(inner: Scope, base: Value, indices: Indices, part: object = part,
                  start: Atom = start) -> Atom:
            where = (*indices[:axis], inner.plus(start, indices[axis]), *indices[axis + 1:])
            return put(inner, base, where, part.at(inner, indices))  # type: ignore[attr-defined]

        result = fill(scope, result, part.extents, write)
        offset = offset + part.extents[axis]
    return result


def dim(context: Context, scope: Scope, let: Let) -> Lowered:
    extents = context.operand(scope, let.args[0]).extents
    return scope.atom_of(extents[let.static["axis"]])
