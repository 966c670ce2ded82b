"""Sorting: rows go to memory one after the other, and Numba's stable sort does the work.

    before   p = argsort(a, axis=0)      after   loop j: loop i: row[i] = a[i, j]
                                                 order = argsort(row)
                                                 loop i: p[i, j] = order[i]
    before   k = searchsorted(a, v)      after   k[i] = searchsorted(a, v[i]): lazy
"""

from __future__ import annotations

from collections.abc import Sequence

from retrograd.backend.lowering.context import Context, Lowered
from retrograd.backend.lowering.lazy import Lazy, array_type, reordered
from retrograd.backend.lowering.nest import Indices, element, empty, nest, put
from retrograd.backend.lowering.scope import Scope
from retrograd.ir.extents import Extent
from retrograd.ir.nodes import Atom, Let, Value
from retrograd.ir.operations import OPERATIONS
from retrograd.ir.types import Array


def argsort(context: Context, scope: Scope, let: Let) -> Lowered:
    if let.args[0].type.rank == 1:
        return _sorted(scope, context.in_memory(scope, let.args[0]), let.result.name)
    lazy = context.operand(scope, let.args[0])
    axis, name = let.static["axis"], let.result.name
    extent = (lazy.extents[axis],)
    others = tuple(e for k, e in enumerate(lazy.extents) if k != axis)

    def along(outer: Indices, k: Indices) -> Indices:
        return (*outer[:axis], *k, *outer[axis:])

    def line(inner: Scope, outer: Indices, state: tuple[Atom, ...]) -> Sequence[Atom]:
        row, result = state
        (row,) = nest(inner, extent, (row,), ("row",), lambda s, k, now: (
            put(s, now[0], k, lazy.at(s, along(outer, k))),))
        order = _sorted(inner, row, "order")
        (result,) = nest(inner, extent, (result,), (name,), lambda s, k, now: (
            put(s, now[0], along(outer, k), element(s, order, k)),))
        return row, result

    start = (empty(scope, extent, lazy.type.dtype, "row"),
             empty(scope, lazy.extents, "int64", name))
    return nest(scope, others, start, ("row", name), line)[1]


def _sorted(scope: Scope, row: Atom, name: str) -> Value:
    result = scope.let("argsort", row, name=name, axis=0)
    assert isinstance(result, Value)
    return result


def searchsorted(context: Context, scope: Scope, let: Let) -> Lowered:
    array = context.in_memory(scope, let.args[0])
    name, side = let.result.name, let.static["side"]
    if not isinstance(let.result.type, Array):
        return _searched(scope, array, context.atom(scope, let.args[1]), side, name)
    lazy = context.operand(scope, let.args[1])
    extents: tuple[Extent, ...] = lazy.extents
    return Lazy(array_type("int64", extents, "A"), extents,
                lambda s, i: _searched(s, array, lazy.at(s, i), side, name),
                {array: None, **reordered(lazy.reads)},
                cost=OPERATIONS["searchsorted"].cost + lazy.cost, loops=True,
                depth=1 + lazy.depth)


def _searched(scope: Scope, array: Atom, number: Atom, side: str, name: str) -> Atom:
    return scope.let("searchsorted", array, number, name=name, side=side)
