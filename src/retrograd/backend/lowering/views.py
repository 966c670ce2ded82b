"""Parts and rearrangements of arrays: maps from indices to the indices of what they show.

    before   v = view(a, 1:, ::-1)        after   v[i, j] is a[i + 1, n - 1 - j]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from retrograd.backend.lowering.context import Context, Lowered
from retrograd.backend.lowering.elementwise import integers
from retrograd.backend.lowering.lazy import (
    Extents,
    Lazy,
    Map,
    Reads,
    after,
    array_type,
    reordered,
    stored,
)
from retrograd.backend.lowering.nest import Indices, element
from retrograd.backend.lowering.scope import Scope
from retrograd.backend.lowering.selection import Selection, Step, select
from retrograd.ir.extents import smallest
from retrograd.ir.index import FULL
from retrograd.ir.nodes import Atom, Let, Value, integer
from retrograd.ir.operations_arrays import size as total
from retrograd.ir.types import Array

Place = Callable[[Scope, Indices], Indices]


def _shown(lazy: Lazy, extents: Extents, place: Place, reads: Reads) -> Lazy:
    """The elements of `lazy` at other places; the extents are those of the view."""
    return Lazy(array_type(lazy.type.dtype, extents, "A"), extents,
                lambda s, i: lazy.at(s, place(s, i)), reads, lazy.cost, lazy.free, lazy.loops,
                depth=lazy.depth + 1, array=lazy.array,
                place=lambda s, i: lazy.place(s, place(s, i)))


def load(context: Context, scope: Scope, let: Let) -> Lowered:
    """One element."""
    lazy = context.operand(scope, let.args[0])
    atoms = tuple(context.atom(scope, a) for a in let.args[1:])
    if lazy.wraps:
        (array,) = lazy.reads
        return element(scope, array, atoms)
    return lazy.at(scope, _wrapped(scope, lazy, atoms))


def _wrapped(scope: Scope, lazy: Lazy, indices: Indices) -> Indices:
    return tuple(scope.wrapped(i, scope.atom_of(e))
                 for i, e in zip(indices, lazy.extents, strict=True))


def view(context: Context, scope: Scope, let: Let) -> Lowered:
    """Slices, ints and new axes."""
    lazy = context.operand(scope, let.args[0])
    selection = select(context, scope, lazy.extents, let.static["index"], let.args[1:])
    raw = lazy.wraps

    def place(inner: Scope, indices: Indices) -> Indices:
        where = selection.place(inner, indices)
        return where if raw else ints_wrapped(inner, lazy, selection, where)

    result = _shown(lazy, selection.extents, place, after(lazy.reads, selection.map, lazy.rank))
    return _with_rows(scope, result, lazy, selection, let)


def ints_wrapped(scope: Scope, lazy: Lazy, selection: Selection, where: Indices) -> Indices:
    """Ints and index arrays may be negative; slices count from the front already."""
    return tuple(scope.wrapped(i, scope.atom_of(e)) if selection.may_wrap(axis) else i
                 for axis, (i, e) in enumerate(zip(where, lazy.extents, strict=True)))


def _with_rows(scope: Scope, result: Lazy, lazy: Lazy, selection: Selection, let: Let) -> Lazy:
    """`a[k]` of a contiguous array is contiguous: library operations may read it in place."""
    index = let.static["index"]
    ints = next((k for k, item in enumerate(index) if item != "int"), len(index))
    if lazy.contiguous is None or lazy.layout != "C" or any(i != FULL for i in index[ints:]):
        return result
    base, atoms = lazy.contiguous, selection.axes[:ints]

    def rows(inner: Scope) -> Value:
        dims = tuple(1 if e.known == 1 else None for e in selection.extents)
        row = Value(let.result.name, Array(lazy.type.dtype, dims, "C"))
        args = (base(inner), *(a for a in atoms if not isinstance(a, Lazy | Step)))
        inner.append(Let(row, "view", args, {"index": index}, inner.origin))
        inner.facts.extents[row] = selection.extents
        return row

    return replace(result, contiguous=rows, layout="C") if ints < len(index) else result


def take(context: Context, scope: Scope, let: Let) -> Lowered:
    """Elements at integer arrays or under masks, mixed with slices."""
    lazy = context.repeatable(scope, context.operand(scope, let.args[0]))
    selection = select(context, scope, lazy.extents, let.static["index"], let.args[1:])
    raw = lazy.wraps

    def place(inner: Scope, indices: Indices) -> Indices:
        where = selection.place(inner, indices)
        return where if raw else ints_wrapped(inner, lazy, selection, where)

    reads: dict[Value, Map | None] = dict.fromkeys(lazy.reads)
    for axis in selection.gathered:
        reads.update(dict.fromkeys(axis.reads))
    result = _shown(lazy, selection.extents, place, reads)
    return replace(result, free=False, cost=lazy.cost + 2.0)


def transpose(context: Context, scope: Scope, let: Let) -> Lowered:
    lazy = context.operand(scope, let.args[0])
    axes = tuple(let.static["axes"])
    extents = tuple(lazy.extents[a] for a in axes)

    def place(inner: Scope, indices: Indices) -> Indices:
        return tuple(indices[axes.index(axis)] for axis in range(len(axes)))

    how: Map = tuple((axes.index(axis), integer(0), 1) for axis in range(len(axes)))
    result = _shown(lazy, extents, place, after(lazy.reads, how, lazy.rank))
    if lazy.contiguous is None or axes != tuple(reversed(range(lazy.rank))):
        return result
    base = lazy.contiguous
    return replace(result, layout={"C": "F", "F": "C"}[lazy.layout],
                   contiguous=lambda s: _transposed(s, base(s), axes, let.result.name))


def _transposed(scope: Scope, array: Value, axes: tuple[int, ...], name: str) -> Value:
    result = scope.let("transpose", array, name=name, axes=axes)
    assert isinstance(result, Value)
    return result


def broadcast_to(context: Context, scope: Scope, let: Let) -> Lowered:
    lazy = context.operand(scope, let.args[0])
    extents = integers(context, scope, let.args[1:])
    shift = len(extents) - lazy.rank
    if any(e.known == 1 and extents[k + shift].known != 1
           for k, e in enumerate(lazy.extents)) or shift:
        lazy = context.repeatable(scope, lazy)
    return Lazy(array_type(lazy.type.dtype, extents, "A"), extents, lazy.broadcast,
                reordered(lazy.reads), lazy.cost, lazy.free, lazy.loops, depth=lazy.depth + 1)


def diagonal(context: Context, scope: Scope, let: Let) -> Lowered:
    lazy = context.operand(scope, let.args[0])
    extent = smallest(lazy.extents[0], lazy.extents[1])
    return _shown(lazy, (extent,), lambda s, i: (i[0], i[0]), reordered(lazy.reads))


# --- reshape -----------------------------------------------------------------------------------


def reshape(context: Context, scope: Scope, let: Let) -> Lowered:
    """Adding and removing axes of 1 is a map of axes; anything else a view of contiguous memory."""
    lazy = context.operand(scope, let.args[0])
    extents = integers(context, scope, let.args[1:])

    def whole(inner: Scope, base: Value) -> Value:
        return reshaped(context, inner, base, extents, let.result.name)

    axes = _matched(lazy.extents, extents)
    if axes is None and lazy.rank > 1 and lazy.array is not None and context.is_piece(let):
        return _piece(context, scope, lazy, extents, let.result.name)
    if axes is not None or lazy.rank == 1:
        shown = _unflattened(scope, lazy, extents) if axes is None \
            else _moved(lazy, extents, axes)
        base = lazy.contiguous if lazy.layout == "C" else None
        return shown if base is None else replace(shown, whole=lambda s: whole(s, base(s)))
    made = whole(scope, context.in_memory(scope, let.args[0]))
    return replace(stored(scope, made), whole=lambda _: made)


def reshaped(context: Context, scope: Scope, base: Value, extents: Extents, name: str) -> Value:
    """All of an array in memory in another shape."""
    made = scope.let("reshape", base, *(scope.atom_of(e) for e in extents), name=name)
    assert isinstance(made, Value)
    scope.facts.extents[made] = extents
    context.shows(made, base)
    return made


def _matched(old: Extents, new: Extents) -> list[int] | None:
    """For each axis of `old` its axis in `new`, where they differ by axes of 1 only (-1 for
    one that is gone)."""
    rest = [axis for axis, e in enumerate(new) if e.known != 1]
    result: list[int] = []
    for extent in old:
        if extent.known == 1:
            result.append(-1)
        elif rest and new[rest[0]] == extent:
            result.append(rest.pop(0))
        else:
            return None
    return None if rest else result


def _moved(lazy: Lazy, extents: Extents, axes: Sequence[int]) -> Lazy:
    def place(_: Scope, indices: Indices) -> Indices:
        return tuple(integer(0) if a < 0 else indices[a] for a in axes)

    how: Map = tuple((None, integer(0), 0) if a < 0 else (a, integer(0), 1) for a in axes)
    return _shown(lazy, extents, place, after(lazy.reads, how, lazy.rank))


def _unflattened(scope: Scope, lazy: Lazy, extents: Extents) -> Lazy:
    """A vector shown as an array of more axes: element (i, j) is i * m + j."""
    sizes = [scope.atom_of(e) for e in extents]

    def place(inner: Scope, indices: Indices) -> Indices:
        return (_number(inner, indices, sizes),)

    return _shown(lazy, extents, place, after(lazy.reads, ("flat", *sizes), lazy.rank))


def _number(scope: Scope, indices: Indices, sizes: Sequence[Atom]) -> Atom:
    """The number of an element in C order."""
    flat: Atom = integer(0)
    for index, size in zip(indices, sizes, strict=True):
        flat = scope.plus(scope.times(flat, size), index)
    return flat


def _piece(context: Context, scope: Scope, lazy: Lazy, extents: Extents, name: str) -> Lazy:
    """A part in one piece, in another shape: elements that follow each other in the array."""
    array = lazy.array
    assert array is not None
    own = scope.facts.of(array)
    flat = reshaped(context, scope, array, (total(own),), name)
    context.wrote(array, flat)
    sizes, shape = ([scope.atom_of(e) for e in both] for both in (own, extents))
    first = lazy.place(scope, (integer(0),) * lazy.rank)
    offset = _number(scope, tuple(map(scope.wrapped, first, sizes)), sizes)

    def place(inner: Scope, indices: Indices) -> Indices:
        return (inner.plus(offset, _number(inner, indices, shape)),)

    return Lazy(array_type(lazy.type.dtype, extents, "A"), extents,
                lambda s, i: element(s, flat, place(s, i)), {flat: ("piece", offset, *shape)},
                free=True, depth=lazy.depth + 1, array=flat, place=place)
