"""Writes into parts of arrays: `update`, `add_at` and `push`.

    before   b = update(a, 1:, v)
    after    loop i carrying a: update(a, i + 1, v[i])

The value is what it was before the write: where it reads the array that is written, at other
places than those being written, it goes to memory first.
"""

from __future__ import annotations

from dataclasses import replace

from retrograd.backend.lowering.context import Context, Lowered, materialise
from retrograd.backend.lowering.lazy import Lazy, Map, after, identity, stored
from retrograd.backend.lowering.nest import Indices, branch, fill, nest, put
from retrograd.backend.lowering.scope import Scope
from retrograd.backend.lowering.selection import Selection, select
from retrograd.backend.lowering.views import ints_wrapped, reshaped
from retrograd.ir.nodes import Atom, Effect, Let, Value
from retrograd.ir.types import Array


def store(context: Context, scope: Scope, let: Let) -> Lowered:
    """`update(a, index, value)` and `add_at(a, index, value)`."""
    back = _put_back(context, scope, let)
    if back is not None:
        return back
    part = context.part(scope, let)
    if part is not None:
        return _in_the_array(context, scope, let, part)
    index = let.static["index"]
    value = context.operand(scope, let.args[-1])
    base = context.owned(scope, let.args[0])
    if all(item == "int" for item in index):
        return _element(context, scope, let, base, value)
    if _simple_mask(index, let, value):
        return _masked(context, scope, let, base, value)
    extents = scope.facts.of(base)
    selection = select(context, scope, extents, index, let.args[1:-1], written=base)
    _check_masked(scope, selection, value, index)
    value = _evaluated(context, scope, value, base, selection, selection.map)

    def write(inner: Scope, array: Value, indices: Indices) -> Atom:
        new = value.broadcast(inner, indices)
        return put(inner, array, selection.place(inner, indices), new, let.op)

    return fill(scope, base, selection.extents, write, let.result.name)


def _element(context: Context, scope: Scope, let: Let, base: Value, value: Lazy) -> Atom:
    where = tuple(context.atom(scope, a) for a in let.args[1:-1])
    new = scope.cast(value.broadcast(scope, ()), base.type.dtype)
    result = Value(let.result.name, base.type)
    scope.append(Let(result, let.op, (base, *where, new), let.static, scope.origin))
    scope.facts.extents[result] = scope.facts.of(base)
    return result


def _evaluated(context: Context, scope: Scope, value: Lazy, base: Value,
               selection: Selection, target: Map | None) -> Lazy:
    """The value, as it is before the write to `target`."""
    if any(array is not base and context.buffer(array) is context.buffer(base)
           for array in value.reads):
        return stored(scope, materialise(scope, value, "value"))
    if base in value.reads:
        how = value.reads[base]
        if how is None or how != target or not _aligned(value, selection):
            return stored(scope, materialise(scope, value, "value"))
    shape = tuple(e.known == 1 for e in selection.extents)
    if tuple(e.known == 1 for e in value.extents) == shape:
        return value
    return context.repeatable(scope, value, "value")


def _aligned(value: Lazy, selection: Selection) -> bool:
    """Whether element (i, j) of the value is stored at target (i, j)."""
    return len(value.extents) == len(selection.extents) and all(
        (a.known == 1) == (b.known == 1)
        for a, b in zip(value.extents, selection.extents, strict=True))


# --- parts of arrays -----------------------------------------------------------------------------


def _in_the_array(context: Context, scope: Scope, let: Let, part: Lazy) -> Lazy:
    """A write into a part that will be put back (`optimise/storage_parts.py`): the elements go to
    their places in the array."""
    base, index = part.array, let.static["index"]
    assert base is not None
    value = context.operand(scope, let.args[-1])
    selection = select(context, scope, part.extents, index, let.args[1:-1], written=base)
    _check_masked(scope, selection, value, index)
    target = after({base: part.reads[base]}, selection.map, part.rank)[base]
    value = _evaluated(context, scope, value, base, selection, target)

    def write(inner: Scope, array: Value, indices: Indices) -> Atom:
        new = value.broadcast(inner, indices)
        where = selection.place(inner, indices)
        if not part.wraps:
            where = ints_wrapped(inner, part, selection, where)
        return put(inner, array, part.place(inner, where), new, let.op)

    result = fill(scope, base, selection.extents, write, base.name)
    context.wrote(base, result)
    return part.over(result)


def _put_back(context: Context, scope: Scope, let: Let) -> Lowered | None:
    """The array that holds already what is put back into it, None where it does not."""
    if let not in context.parts.backs:
        return None
    owner = context.operand(scope, let.args[0])
    part = context.operand(scope, context.parts.backs[let]).array
    if owner.array is None or part is None or not context.is_version(part, owner.array):
        return None
    if part.type.rank != owner.array.type.rank:
        part = reshaped(context, scope, part, scope.facts.of(owner.array), let.result.name)
    if owner.reads[owner.array] == identity(part.type.rank):
        return part
    result, made = owner.over(part), let.result.name
    return result if owner.whole is None else replace(
        result, whole=lambda s: reshaped(context, s, part, owner.extents, made))


# --- masks -------------------------------------------------------------------------------------


def _simple_mask(index: tuple[object, ...], let: Let, value: Lazy) -> bool:
    """Whether one number is stored wherever a mask of the whole array is true."""
    return index == ("mask",) and let.args[1].type.rank == let.args[0].type.rank \
        and all(e.known == 1 for e in value.extents) and not value.reads


def _masked(context: Context, scope: Scope, let: Let, base: Value, value: Lazy) -> Atom:
    mask = context.operand(scope, let.args[1])
    if base in mask.reads and mask.reads[base] != identity(mask.rank):
        mask = stored(scope, materialise(scope, mask, "mask"))
    new = scope.cast(value.broadcast(scope, ()), base.type.dtype)

    def body(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> tuple[Atom, ...]:
        test = mask.at(inner, indices)
        return branch(inner, test, lambda arm: (put(arm, state[0], indices, new, let.op),),
                      state, (let.result.name,))

    (result,) = nest(scope, scope.facts.of(base), (base,), (let.result.name,), body)
    return result


def _check_masked(scope: Scope, selection: Selection, value: Lazy, index: object) -> None:
    """NumPy's error where a mask selects another number of elements than are given."""
    if not selection.masked or value.rank <= len(selection.extents) - selection.at - 1:
        return
    axis = value.rank - (len(selection.extents) - selection.at)
    if axis < 0 or value.extents[axis].known == 1:
        return
    given, count = value.extents[axis], selection.block[0]
    if index == ("mask",) and value.rank == 1:
        message = ("NumPy boolean array indexing assignment cannot assign ", 0,
                   " input values to the ", 1, " output values where the mask is true")
    else:
        message = ("shape mismatch: value array of shape (", 0, ",) could not be broadcast to "
                   "indexing result of shape (", 1, ",)")
    scope.append(Effect("check_equal", (scope.atom_of(given), scope.atom_of(count)),
                        {"exception": ValueError, "message": message}, scope.origin))


# --- tapes -------------------------------------------------------------------------------------


def push(context: Context, scope: Scope, let: Let) -> Lowered:
    """A row at the end of a growable tape: the row goes to memory."""
    base = context.owned(scope, let.args[0])
    position = context.atom(scope, let.args[1])
    row = let.args[2]
    lowered: Atom = context.in_memory(scope, row) if isinstance(row.type, Array) \
        else context.atom(scope, row)
    result = Value(let.result.name, base.type)
    scope.append(Let(result, "push", (base, position, lowered), let.static, scope.origin))
    return result
