"""Stores: `A[i] = v`, `A[i] += v`, `a += b`. A store makes a new content of a base (`memory.py`).

A store through a view is a store into the base with the composed index; where there is none, the
view's content is changed and put back as a whole.
"""

from __future__ import annotations

import ast

import numpy as np

from retrograd.frontend import endings, indexing
from retrograd.frontend.arithmetic import BINARY, arithmetic, binary
from retrograd.frontend.atoms import need_atom
from retrograd.frontend.certain import certain
from retrograd.frontend.composing import Shape, through
from retrograd.frontend.things import Handle, Thing, View
from retrograd.frontend.tracer import Tracer
from retrograd.ir.index import Index, advanced, everything
from retrograd.ir.nodes import Atom, Constant, Value
from retrograd.ir.types import Array, Scalar, is_complex

_READ_ONLY = ("broadcast_to", "diagonal")      # NumPy gives views that cannot be written to


def assign(tracer: Tracer, owner: Handle, node: ast.expr, value: Thing) -> None:
    """`owner[node] = value`."""
    index, atoms = indexing.subscript(tracer, owner, node)
    store(tracer, owner, index, atoms, need_atom(tracer, value))


def augment(tracer: Tracer, owner: Handle, node: ast.expr, op: ast.operator, value: ast.expr,
            ) -> None:
    """`owner[node] op= value`."""
    from retrograd.frontend.expressions import evaluate

    index, atoms = indexing.subscript(tracer, owner, node)
    clock = tracer.memory.clock
    right = evaluate(tracer, value)
    if any(base.overlaps(owner.base) for base in tracer.memory.since(clock)):
        tracer.refuse("the right-hand side writes into an array while an element waits to be "
                      "changed", "compute it in a statement of its own before", value)
    added = None if advanced(index) else _added(tracer, owner, op, need_atom(tracer, right))
    if added is not None:
        store(tracer, owner, index, atoms, added, op="add_at")
        return
    part = indexing.read_parts(tracer, owner, index, atoms)
    new = need_atom(tracer, binary(tracer, op, part, right))
    if isinstance(part, Handle):
        _check_in_place(tracer, op, part.value, new)
    store(tracer, owner, index, atoms, new)


def augment_whole(tracer: Tracer, old: Handle, op: ast.operator, value: Thing) -> None:
    """`a op= b`: writes into a."""
    rank = old.type.rank
    right = need_atom(tracer, value)
    added = _added(tracer, old, op, right) if old.path else None
    if added is not None:
        store(tracer, old, everything(rank), (), added, op="add_at")
        return
    before = tracer.current(old)
    new = need_atom(tracer, binary(tracer, op, old, value)) if isinstance(op, ast.MatMult) \
        else arithmetic(tracer, BINARY[type(op)], before, right)
    _check_in_place(tracer, op, before, new)
    if old.path or not isinstance(new, Value) or not replaces(before, new):
        store(tracer, old, everything(rank), (), new)
        return
    _writable(tracer, old)
    tracer.builder.facts.extents[new] = tracer.builder.facts.of(before)
    tracer.memory.write(old.base, tracer.builder.renamed(new, before.name))


def replaces(before: Value, new: Value) -> bool:
    """Whether an array can take the place of another one of the same shape."""
    a, b = before.type, new.type
    return isinstance(a, Array) and isinstance(b, Array) and (a.dtype, a.dims) == (b.dtype, b.dims)


def _added(tracer: Tracer, owner: Handle, op: ast.operator, right: Atom) -> Atom | None:
    """What `op=` adds, where it adds something of the array's own dtype."""
    dtype = owner.type.dtype
    weak = isinstance(right.type, Scalar) and right.type.weak
    if not isinstance(op, (ast.Add, ast.Sub)) or dtype == "bool" or is_complex(owner.type) or not (
            right.type.dtype == dtype or (weak and np.can_cast(right.type.dtype, dtype,
                                                               "same_kind"))):
        return None
    if isinstance(op, ast.Add):
        return right
    if isinstance(right, Constant):
        return Constant(-right.value, right.type)
    return tracer.builder.let("negative", right)


def _check_in_place(tracer: Tracer, op: ast.operator, before: Value, new: Atom) -> None:
    """What NumPy asks of `a op= b`: the dtype must fit, the shape must be that of a."""
    check_cast("matmul" if isinstance(op, ast.MatMult) else BINARY[type(op)], new, before)
    facts = tracer.builder.facts
    if new.type.rank > before.type.rank:
        raise certain(ValueError)("non-broadcastable output operand with shape "
                                  f"{before.type} doesn't match the broadcast shape {new.type}")
    for a, b in zip(facts.of(before), facts.of(new), strict=False):
        tracer.builder.require_equal(a, b, ValueError, [
            "non-broadcastable output operand with extent ", a,
            " doesn't match the broadcast extent ", b])


def check_cast(function: str, result: Atom, array: Atom) -> None:
    """The error of NumPy where a result goes into an array whose dtype it does not fit."""
    if not np.can_cast(result.type.dtype, array.type.dtype, "same_kind"):
        raise certain(TypeError)(
            f"Cannot cast ufunc '{function}' output from dtype('{result.type.dtype}') to "
            f"dtype('{array.type.dtype}') with casting rule 'same_kind'")


# --- one store -----------------------------------------------------------------------------------


def store(tracer: Tracer, owner: Handle, index: Index, atoms: tuple[Atom, ...], value: Atom,
          op: str = "update") -> None:
    """Write `value` into a part of an array (with `add_at`: add it)."""
    _writable(tracer, owner)
    array = tracer.current(owner)
    value = _fitting(tracer, value, array)
    if owner.path:
        indexing.check(tracer, array, index, atoms, None)
    content = tracer.memory.content(owner.base)
    new = _stored(tracer, content, owner.path, tracer.builder.facts.of(array), index, atoms,
                  value, op)
    if not owner.path:
        indexing.check(tracer, array, index, atoms, new)
    tracer.memory.write(owner.base, new)


def _writable(tracer: Tracer, owner: Handle) -> None:
    if any(view.op in _READ_ONLY for view in owner.path):
        raise certain(ValueError)("assignment destination is read-only")
    if any(base.captured for base in owner.base.closure()):
        tracer.refuse(f"{owner.value.name!r} is an array from outside the function, and writing "
                      "into it would be seen there", "pass it as an argument, or copy it first")
    if any(base.listed for base in owner.base.closure()):
        tracer.refuse("an array that is an element of a list that has grown is written",
                      "make it a copy: .copy(); or put it back: xs[k] = xs[k] + ...")
    if any(base.overlaps(owner.base) for base in tracer.memory.lent):
        tracer.refuse(f"{owner.value.name!r} was put into a list that grows, and is written "
                      "afterwards: the list would see that",
                      "put a copy into the list: .append(x.copy())")
    endings.note_store(tracer, owner.base)


def _fitting(tracer: Tracer, value: Atom, array: Value) -> Atom:
    """The value in the array's dtype."""
    dtype = array.type.dtype
    if is_complex(value.type) and not is_complex(array.type):
        tracer.refuse(f"a complex number is stored into an array of {dtype}",
                      "store its .real, or make the array complex")
    return tracer.builder.cast(value, dtype)


def _stored(tracer: Tracer, content: Value, path: tuple[View, ...], shape: Shape, index: Index,
            atoms: tuple[Atom, ...], value: Atom, op: str) -> Value:
    """The new content of a base: `content`, stored into through a path of views to an array of
    this shape."""
    builder = tracer.builder
    if not content.type.rank:
        return _number(tracer, content, value, op)
    if not path:
        value = _ranked(tracer, content, index, atoms, value)
        new = builder.let(op, content, *atoms, value, name=content.name, index=index)
        assert isinstance(new, Value)
        return new
    path, shape, index, atoms = through(builder, path, shape, index, atoms)
    if not path:
        return _stored(tracer, content, (), shape, index, atoms, value, op)
    *front, last = path
    with builder.unchecked():
        below = _seen(tracer, content, tuple(front))
        part = _seen(tracer, below, (last,))
    value = _ranked(tracer, part, index, atoms, value)
    changed = builder.let(op, part, *atoms, value, name=part.name, index=index)
    if last.op == "view":
        return _stored(tracer, content, tuple(front), last.extents, last.static["index"],
                       last.atoms, changed, "update")
    with builder.unchecked():
        back = builder.let("reshape", changed, *builder.shape_atoms(below), name=below.name) \
            if last.op == "reshape" else builder.let(
                "transpose", changed, axes=_inverse(last.static["axes"]))
    assert isinstance(back, Value)
    builder.facts.extents[back] = builder.facts.of(below)
    if not front and last.op == "reshape":
        return back
    return _stored(tracer, content, tuple(front), last.extents, everything(below.type.rank), (),
                   back, "update")


def _number(tracer: Tracer, content: Value, value: Atom, op: str) -> Value:
    """An array without axes holds what was stored last."""
    if op == "add_at":
        value = tracer.builder.let("add", content, value)
    new = tracer.builder.let("reshape", value, name=content.name)
    assert isinstance(new, Value)
    return new


def _seen(tracer: Tracer, content: Value, path: tuple[View, ...]) -> Value:
    for view in path:
        new = tracer.builder.let(view.op, content, *view.atoms, **view.static)
        assert isinstance(new, Value)
        content = new
    return content


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(k) for k in np.argsort(axes))


def _ranked(tracer: Tracer, array: Value, index: Index, atoms: tuple[Atom, ...],
            value: Atom) -> Atom:
    """The value without leading axes of extent 1 that the place it is stored to does not have."""
    from retrograd.ir.operations_arrays import index_shape

    builder = tracer.builder
    surplus = value.type.rank - len(index_shape(
        builder.query((array, *atoms), {"index": index}), len(atoms)))
    if surplus <= 0:
        return value
    extents = builder.facts.of(value)
    for extent in extents[:surplus]:
        builder.require_equal(extent, type(extent)(1), ValueError, [
            "could not broadcast input array with extent ", extent, " into a shape without it"])
    return builder.let("reshape", value, *map(builder.atom_of, extents[surplus:]))
