"""Subscripts: which part of an array or a container is read."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from retrograd.errors import Unsupported
from retrograd.frontend.atoms import need_atom
from retrograd.frontend.certain import certain
from retrograd.frontend.composing import through
from retrograd.frontend.things import (
    Cell,
    Handle,
    Items,
    Static,
    Thing,
    View,
    as_tuple,
    fresh,
    is_tuple,
)
from retrograd.frontend.tracer import Tracer, known
from retrograd.ir.extents import at_most_one, nonnegative
from retrograd.ir.index import FULL, Item, Slice, advanced
from retrograd.ir.nodes import Atom, Constant, Value, integer
from retrograd.ir.operations_arrays import index_shape
from retrograd.ir.types import Array, is_integer


class UnknownItem(Unsupported):
    """A container is indexed with an int that is not known: unrolling the loop may help."""


def item(tracer: Tracer, owner: Items, key: Thing) -> Thing:
    """An element or a slice of a container."""
    ok, value = known(key)
    if not ok:
        unknown(tracer, owner)
    if owner.kind == "dict":
        if value not in owner.keys:
            raise certain(KeyError)(value)
        return owner.items[owner.keys.index(value)]
    if isinstance(owner.kind, type) and not is_tuple(owner):
        raise certain(TypeError)(f"{owner.kind.__name__!r} object is not subscriptable")
    if isinstance(value, slice):
        return Items(as_tuple(owner).kind, owner.items[value])
    if not -len(owner.items) <= value < len(owner.items):
        raise certain(IndexError)(f"{as_tuple(owner).kind} index out of range")
    found: Thing = owner.items[value]
    return found


def unknown(tracer: Tracer, owner: Items) -> NoReturn:
    span = tracer.span()
    raise UnknownItem(f"a {owner.kind} is indexed with an int that is not known while "
                      "compiling", "loop over the container itself, or use an array",
                      span, tracer.frame.user_frame().source.line(span) if span else "")


def read(tracer: Tracer, owner: Handle, node: ast.expr) -> Thing:
    """`owner[node]`: an element, a view or a copy."""
    items, atoms = subscript(tracer, owner, node)
    return read_parts(tracer, owner, items, atoms)


def read_parts(tracer: Tracer, owner: Handle, items: tuple[Item, ...],
               atoms: tuple[Atom, ...]) -> Thing:
    """Read the part of an array that an index names."""
    builder = tracer.builder
    op = "take" if advanced(items) else "load" if all(i == "int" for i in items) else "view"
    if op == "view" and all(i == FULL for i in items):
        return owner
    result = _of_the_array(tracer, owner, op, items, atoms)
    array = owner.value
    if result is None:
        array = tracer.current(owner)
        made = builder.let(op, array, *atoms, index=items)
        assert isinstance(made, Value)
        check(tracer, array, items, atoms, made)
        result = made
    if op == "view":
        return looked_into(tracer, owner, array, result, op, atoms, {"index": items})
    return fresh(result) if isinstance(result.type, Array) else result


def _of_the_array(tracer: Tracer, owner: Handle, op: str, items: tuple[Item, ...],
                  atoms: tuple[Atom, ...]) -> Value | None:
    """A part of a view, read from the array itself: where that was written since, the view would
    have to be made again, and its adjoint too. None where there is no such index."""
    memory, builder = tracer.memory, tracer.builder
    written = memory.contents.get(owner.base) is not owner.version
    if op == "take" or not owner.path or not written or any(
            isinstance(item, Slice) and item.one for item in items):
        return None
    tracer.settled(owner)
    shape = builder.facts.of(owner.value)
    path, _, index, found = through(builder, owner.path, shape, items, atoms)
    if path == owner.path:
        return None
    check(tracer, owner.value, items, atoms, None)
    array: Atom = memory.content(owner.base)
    for view in path:
        array = builder.let(view.op, array, *view.atoms, **view.static)
    result = builder.let(op, array, *found, index=index)
    assert isinstance(result, Value)
    if op == "view":
        query = builder.query((owner.value, *atoms), {"index": items})
        builder.facts.extents[result] = tuple(
            own if seen is None else seen for own, seen in zip(
                builder.facts.of(result), index_shape(query, len(atoms)), strict=True))
    return result


def looked_into(tracer: Tracer, owner: Handle, array: Value, result: Value, op: str,
                atoms: tuple[Atom, ...], static: Mapping[str, Any]) -> Handle:
    """The handle of a view that was just made of what `owner` sees."""
    assert isinstance(array.type, Array)
    step = View(op, atoms, static, array.type, tracer.builder.facts.of(array))
    return Handle(result, owner.base, (*owner.path, step),
                  tracer.memory.contents.get(owner.base))


def subscript(tracer: Tracer, owner: Handle, node: ast.expr,
              ) -> tuple[tuple[Item, ...], tuple[Atom, ...]]:
    """The index that a subscript spells out, naming every axis of the array."""
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    return _full(owner, [part for n in nodes for part in _opened(tracer, _part(tracer, n))])


def spelled(tracer: Tracer, owner: Handle, key: Thing) -> tuple[tuple[Item, ...], tuple[Atom, ...]]:
    """The index that a thing stands for, naming every axis of the array."""
    things = key.items if is_tuple(key) else (key,)
    return _full(owner, [_part_of(tracer, thing) for thing in things])


def _full(owner: Handle, found: list[Part]) -> tuple[tuple[Item, ...], tuple[Atom, ...]]:
    rank = owner.type.rank
    used = sum(_axes(item, atoms) for item, atoms in found)
    if used > rank:
        raise certain(IndexError)(
            f"too many indices for array: array is {rank}-dimensional, but {used} "
            "were indexed")
    full: list[tuple[Item, tuple[Atom, ...]]] = []
    dots = [k for k, (item, _) in enumerate(found) if item == "..."]
    if len(dots) > 1:
        raise certain(IndexError)("an index can only have a single ellipsis ('...')")
    place = dots[0] if dots else len(found)
    fill: list[tuple[Item, tuple[Atom, ...]]] = [(FULL, ())] * (rank - used)
    full = [*found[:place], *fill, *found[place + 1:]]
    return tuple(i for i, _ in full), tuple(a for _, atoms in full for a in atoms)


Part = tuple[Item, tuple[Atom, ...]]


def _axes(item: Item, atoms: tuple[Atom, ...]) -> int:
    if item in ("new", "..."):
        return 0
    return atoms[0].type.rank if item == "mask" else 1


def _opened(tracer: Tracer, part: Part | Items) -> list[Part]:
    return [part] if not isinstance(part, Items) else [
        _part_of(tracer, thing) for thing in part.items]


def _part(tracer: Tracer, node: ast.expr) -> Part | Items:
    from retrograd.frontend.expressions import evaluate

    if isinstance(node, ast.Slice):
        return slice_of(tracer, node)
    thing = evaluate(tracer, node)
    if is_tuple(thing):
        return thing
    return _part_of(tracer, thing, node)


def _part_of(tracer: Tracer, thing: Thing, node: ast.AST | None = None) -> Part:
    from retrograd.frontend import calls

    if isinstance(thing, Static):
        if thing.value is None:
            return "new", ()
        if thing.value is Ellipsis:
            return "...", ()
        if isinstance(thing.value, slice):
            return _static_slice(thing.value)
    if isinstance(thing, (Items, Cell)):
        thing = calls.call(tracer, Static(np.array), (thing,), {})
    atom = tracer.atom(thing)
    if atom is None or (atom.type.dtype == "bool" and not isinstance(atom.type, Array)):
        tracer.refuse("this cannot index an array", "use ints, slices, None, ... , integer arrays "
                      "or boolean arrays", node)
    if isinstance(atom.type, Array) and atom.type.dtype == "bool":
        return "mask", (atom,)
    if not is_integer(atom.type):
        raise certain(IndexError)(
            "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) "
            "and integer or boolean arrays are valid indices")
    return ("array" if isinstance(atom.type, Array) else "int"), (atom,)


def _static_slice(value: slice) -> Part:
    bounds = [(b is not None, b) for b in (value.start, value.stop)]
    return (Slice(bounds[0][0], bounds[1][0], value.step or 1),
            tuple(integer(b) for present, b in bounds if present))


def slice_of(tracer: Tracer, node: ast.Slice) -> tuple[Slice, tuple[Atom, ...]]:
    """A slice and the bounds that it has."""
    from retrograd.frontend.expressions import evaluate

    bounds: list[Atom | None] = []
    for part in (node.lower, node.upper):
        thing = None if part is None else evaluate(tracer, part)
        if thing is None or thing == Static(None):
            bounds.append(None)
            continue
        atom = need_atom(tracer, thing, part)
        if not is_integer(atom.type) or isinstance(atom.type, Array):
            raise certain(TypeError)(
                "slice indices must be integers or None or have an __index__ method")
        bounds.append(atom)
    step = _step(tracer, node.step)
    facts = tracer.builder.facts
    low, high = (None if b is None else facts.integer(b) for b in bounds)
    # of bounds of unknown sign it is not known how many elements there are, and nothing checks it
    signs = all(b is None or b.known is not None or nonnegative(facts.least(b))
                for b in (low, high))
    one = tracer.frame.user and step == 1 and signs and at_most_one(low, high)
    return (Slice(bounds[0] is not None, bounds[1] is not None, step, one),
            tuple(b for b in bounds if b is not None))


def _step(tracer: Tracer, node: ast.expr | None) -> int:
    from retrograd.frontend.expressions import evaluate

    if node is None:
        return 1
    thing = evaluate(tracer, node)
    if thing == Static(None):
        return 1
    atom = need_atom(tracer, thing, node)
    if not isinstance(atom, Constant):
        tracer.need_static(atom, "the step of a slice")
    if not atom.value:
        raise certain(ValueError)("slice step cannot be zero")
    return int(atom.value.real)


def check(tracer: Tracer, array: Atom, items: tuple[Item, ...], atoms: tuple[Atom, ...],
          covers: Value | None) -> None:
    """Check every int and integer array of an index against its axis, before the last statement
    where that defines `covers`."""
    facts = tracer.builder.facts
    extents = facts.of(array)
    axis = 0
    rest = iter(atoms)
    for part in items:
        if isinstance(part, Slice):
            for _ in range(part.start + part.stop):
                next(rest)
        if part == "new":
            continue
        if part == "int":
            index = next(rest)
            if not facts.within(facts.integer(index), extents[axis]):
                tracer.builder.check_index(index, extents[axis], axis, covers)
        elif part == "array":
            tracer.builder.check_bounds(next(rest), extents[axis], axis, covers)
        elif part == "mask":
            axis = _check_mask(tracer, array, next(rest), axis, covers) - 1
        axis += 1


def _check_mask(tracer: Tracer, array: Atom, mask: Atom, axis: int, covers: Value | None) -> int:
    facts = tracer.builder.facts
    last = None if covers is None else tracer.builder.statements.pop()
    for own in facts.of(mask):
        other = facts.of(array)[axis]
        tracer.builder.require_equal(other, own, IndexError, [
            f"boolean index did not match indexed array along axis {axis}; size of axis is ",
            other, " but size of corresponding boolean axis is ", own])
        axis += 1
    if last is not None:
        tracer.builder.statements.append(last)
    return axis
