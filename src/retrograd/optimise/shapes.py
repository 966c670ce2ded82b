"""Which extents of arrays are the same: for every array its shape, as ints that are known earlier.

    x_1 = empty(n)                       (n,)
    x_2 = update(x_1, i, e)              (n,)
    k = dim(x_2, 0)                      k is n
    for i in range(m):
        x = x_2 ... next: empty(k)       (n,), because every iteration hands on an array of n
    y, any array that a parameter is     ((y, 0), (y, 1)): known by its own name alone

An array that a loop carries is taken to keep its shape until the loop's body shows another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Effect,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
    blocks,
    defined,
    integer,
)
from retrograd.ir.types import Array

Extent = Atom | tuple[Value, int]        # an int, or the extent of an array on an axis
Shape = tuple[Extent, ...]

_KEEP_SHAPE = frozenset({"update", "add_at", "let", "copy"})
_FIRST_EXTENT = {"empty": 0, "zeros": 0, "ones": 0, "eye": 0, "full": 1, "reshape": 1,
                 "broadcast_to": 1}


@dataclass(eq=False, slots=True)
class Shapes:
    """The shape of every array, and ints that are extents as what they are known by."""

    arrays: dict[Value, Shape] = field(default_factory=dict)
    ints: dict[Value, Extent] = field(default_factory=dict)

    def of(self, atom: Atom) -> Shape:
        return self.arrays.get(atom, ()) if isinstance(atom, Value) else ()

    def extent(self, atom: Atom) -> Extent:
        return self.ints.get(atom, atom) if isinstance(atom, Value) else atom

    def own(self, value: Value) -> None:
        """An array nothing is known about, but for extents of 1."""
        if isinstance(value.type, Array):
            self.arrays[value] = tuple(integer(1) if d == 1 else (value, axis)
                                       for axis, d in enumerate(value.type.dims))


def shapes_of(function: Function) -> Shapes:
    shapes = Shapes()
    for param in function.params:
        shapes.own(param)
    _block(function.body, shapes)
    return shapes


def _block(block: Block, shapes: Shapes) -> None:
    for statement in block:
        match statement:
            case Let():
                _let(statement, shapes)
            case Loop() | While():
                _loop(statement, shapes)
            case Branch():
                _branch(statement, shapes)
            case _:
                _others(statement, shapes)


def _others(statement: Statement, shapes: Shapes) -> None:
    assert isinstance(statement, Effect) or not defined(statement)
    for value in defined(statement):
        shapes.own(value)


def _let(let: Let, shapes: Shapes) -> None:
    result = let.result
    if not isinstance(result.type, Array):
        if let.op == "dim":
            shape = shapes.of(let.args[0])
            if shape:
                shapes.ints[result] = shape[let.static["axis"]]
        return
    shapes.own(result)
    known: Shape = ()
    if let.op in _KEEP_SHAPE:
        known = shapes.of(let.args[0])
    elif let.op in _FIRST_EXTENT:
        known = tuple(map(shapes.extent, let.args[_FIRST_EXTENT[let.op]:]))
    elif let.op == "transpose":
        given = shapes.of(let.args[0])
        known = tuple(given[axis] for axis in let.static["axes"])
    if known:
        shapes.arrays[result] = known


def _branch(branch: Branch, shapes: Shapes) -> None:
    for block in blocks(branch):
        _block(block, shapes)
    for j in branch.joins:
        shapes.own(j.result)
        own = shapes.of(j.result)
        shapes.arrays[j.result] = tuple(
            a if a == b else mine for a, b, mine in
            zip(shapes.of(j.then), shapes.of(j.otherwise), own, strict=True))


def _loop(loop: Loop | While, shapes: Shapes) -> None:
    """What a carried array's shape was before holds until an iteration hands on another."""
    carried = [c for c in loop.carried if isinstance(c.inner.type, Array)]
    for c in carried:
        shapes.arrays[c.inner] = shapes.of(c.init)
    while True:
        for block in blocks(loop):
            _block(block, shapes)
        changed = [place for c in carried for place in _changed(c, shapes)]
        if not changed:
            break
        for value, axis in changed:
            shape = list(shapes.arrays[value])
            shape[axis] = (value, axis)
            shapes.arrays[value] = tuple(shape)
    for c in carried:
        shapes.own(c.result)
        shapes.arrays[c.result] = tuple(
            before if before == inside else mine for before, inside, mine in
            zip(shapes.of(c.init), shapes.of(c.inner), shapes.of(c.result), strict=True))


def _changed(c: Carried, shapes: Shapes) -> Iterator[tuple[Value, int]]:
    for axis, (now, later) in enumerate(zip(shapes.of(c.inner), shapes.of(c.next), strict=True)):
        if now not in (later, (c.inner, axis)):
            yield c.inner, axis
