"""Lists and dicts of the user's: elements, slices, methods, and what changes them.

While a list's length and the index are known, a list is what the trace knows of it (`Items`), and
nothing is computed. Where they are not, it is `Grown`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, NoReturn

from retrograd.frontend import cells, grown, indexing, iteration, storing
from retrograd.frontend.atoms import need_atom
from retrograd.frontend.certain import certain
from retrograd.frontend.rows import EXACT, MIXED, row_of
from retrograd.frontend.things import (
    Cell,
    Enumerate,
    Grown,
    Handle,
    Items,
    Reversed,
    Thing,
    Zip,
    as_tuple,
    fresh,
    is_tuple,
)
from retrograd.frontend.tracer import Tracer, known
from retrograd.ir.extents import Extent
from retrograd.ir.nodes import Atom, Value, integer

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]
Container = Cell | Items


# --- reading -------------------------------------------------------------------------------------


def item(tracer: Tracer, owner: Container, node: ast.expr) -> Thing:
    """`owner[node]`: an element, or a slice, which is a list of its own."""
    from retrograd.frontend.expressions import evaluate

    if isinstance(node, ast.Slice) and isinstance(cells.opened(tracer, owner), Grown):
        index, bounds = indexing.slice_of(tracer, node)
        content = cells.opened(tracer, owner)          # as it is now
        assert isinstance(content, Grown)
        return cells.made(tracer, grown.part(tracer, content, index, bounds))
    key = evaluate(tracer, node)
    content = cells.opened(tracer, owner)
    if isinstance(content, Items) and (known(key)[0] or content.kind == "dict"):
        found = indexing.item(tracer, content, key)
        ok, value = known(key)
        return cells.made(tracer, found) if ok and isinstance(value, slice) else found
    whole = _indexable(tracer, owner, key)
    place = grown.position(tracer, whole, need_atom(tracer, key), _out_of_range(owner, content))
    return grown.element(tracer, whole, place)


def _out_of_range(owner: Container, content: Thing) -> str:
    kind = as_tuple(content).kind if isinstance(content, Items) else "list"
    return f"{kind} index out of range"


def _indexable(tracer: Tracer, owner: Container, key: Thing) -> Grown:
    """The list as one that can be indexed with any int."""
    content = cells.opened(tracer, owner)
    if isinstance(content, Grown):
        return content
    assert isinstance(content, Items)
    row = None if tracer.context.trying else row_of(tracer, content.items)
    if row is None:
        return indexing.unknown(tracer, content)
    name = cells.name_of(tracer, owner) if isinstance(owner, Cell) else "items"
    new = grown.of_items(tracer, content.items, row, Extent(len(content.items)), EXACT, name)
    if isinstance(owner, Cell):
        tracer.memory.held[owner] = new
    return new


def same(tracer: Tracer, a: Cell, b: Cell) -> bool:
    """`a is b`."""
    if a is not b and a.overlaps(b):
        tracer.refuse("whether these are the same list is decided by a branch or a loop",
                      "compare what they are made of")
    return a is b


def binary(tracer: Tracer, op: ast.operator, left: Thing, right: Thing) -> Thing | None:
    """`a + b` of two lists, one of which has a length that only the program knows."""
    if not isinstance(op, ast.Add) or not all(
            isinstance(t, Grown) or (isinstance(t, Items) and t.kind == "list")
            for t in (left, right)):
        return None
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Items) and not one.items and isinstance(other, Grown):
            return cells.made(tracer, _copy(tracer, other))
    return cells.made(tracer, grown.joined(tracer, *(_as_grown(tracer, t) for t in (left, right))))


def _as_grown(tracer: Tracer, thing: Thing) -> Grown:
    if isinstance(thing, Grown):
        return thing
    assert isinstance(thing, Items)
    row = row_of(tracer, thing.items)
    if row is None:
        tracer.refuse(*MIXED)
    return grown.of_items(tracer, thing.items, row, Extent(len(thing.items)), EXACT, "t")


def repeated(tracer: Tracer, thing: Thing, count: Atom) -> Thing | None:
    """`[x] * n`; None where the list cannot be one of unknown length."""
    row = row_of(tracer, [thing])
    builder = tracer.builder
    if row is None or builder.facts.integer(count).known is not None:
        return None
    rows = builder.let("maximum", count, integer(0), name="n")
    made = grown.filled(tracer, thing, row, rows)
    return cells.made(tracer, made)


def of_array(tracer: Tracer, array: Handle) -> Thing:
    """`list(x)` of an array: a list of its elements, or of its rows."""
    value = tracer.current(array)
    row = row_of(tracer, [iteration.element(tracer, array, integer(0))])
    assert row is not None
    tracer.memory.lent[array.base] = None
    copied = tracer.builder.let("copy", value, name=value.name)
    assert isinstance(copied, Value)
    count = tracer.builder.atom_of(tracer.builder.facts.of(value)[0])
    return cells.made(tracer, Grown(row, (fresh(copied),), count, EXACT))


def copied(tracer: Tracer, thing: Thing) -> Thing:
    """A list or dict of the same elements."""
    content = cells.opened(tracer, thing)
    if isinstance(content, Grown):
        content = _copy(tracer, content)
    return cells.made(tracer, content)


def _copy(tracer: Tracer, content: Grown) -> Grown:
    from retrograd.ir.index import FULL

    return grown.part(tracer, content, FULL, ())


# --- changing ------------------------------------------------------------------------------------


def assign(tracer: Tracer, owner: Container, key: Thing, thing: Thing) -> None:
    """`owner[key] = thing`."""
    cell, content = _changeable(tracer, owner)
    ok, value = known(key)
    if isinstance(content, Items) and ok and not isinstance(value, slice):
        cells.change(tracer, cell, _with_item(tracer, content, value, thing))
        return
    if isinstance(content, Items) and content.kind == "dict":
        tracer.refuse("keys of a dict must be known while compiling", "use string keys")
    if ok and isinstance(value, slice):
        tracer.refuse("assignment to a slice of a list is not supported",
                      "assign the elements, or use an array")
    whole = _indexable(tracer, cell, key)
    place = grown.position(tracer, whole, need_atom(tracer, key),
                           "list assignment index out of range")
    cells.change(tracer, cell, grown.replaced(tracer, whole, place, thing))


def _with_item(tracer: Tracer, content: Items, key: Any, thing: Thing) -> Items:
    if content.kind == "dict":
        if key in content.keys:
            place = content.keys.index(key)
            return Items("dict", (*content.items[:place], thing, *content.items[place + 1:]),
                         content.keys)
        return Items("dict", (*content.items, thing), (*content.keys, key))
    place = place_of(content, key, "list assignment index out of range")
    return Items(content.kind, (*content.items[:place], thing, *content.items[place + 1:]))


def key_of(tracer: Tracer, thing: Thing) -> Any:
    """The key of a dict that a thing stands for."""
    ok, key = known(cells.frozen(tracer, thing))
    if not ok:
        tracer.refuse("keys of a dict must be known while compiling", "use string keys")
    if type(key).__hash__ is None:
        raise certain(TypeError)(f"unhashable type: {type(key).__name__!r}")
    return key


def place_of(content: Items, key: Any, message: str) -> int:
    if not isinstance(key, int):
        raise certain(TypeError)("list indices must be integers or slices, not "
                                 f"{type(key).__name__}")
    if not -len(content.items) <= key < len(content.items):
        raise certain(IndexError)(message)
    return key % len(content.items)


def augment(tracer: Tracer, owner: Container, node: ast.expr, op: ast.operator, value: ast.expr,
            ) -> None:
    """`owner[node] op= value`."""
    from retrograd.frontend.arithmetic import augmented
    from retrograd.frontend.expressions import evaluate

    key = evaluate(tracer, node)
    content = cells.opened(tracer, owner)
    if isinstance(content, Items) and known(key)[0]:
        old = indexing.item(tracer, content, key)
    else:
        whole = _indexable(tracer, owner, key)
        old = grown.element(tracer, whole, grown.position(
            tracer, whole, need_atom(tracer, key), "list index out of range"))
    if isinstance(old, Handle):
        storing.augment_whole(tracer, old, op, evaluate(tracer, value))
        return
    right = evaluate(tracer, value)
    if isinstance(old, Cell) and isinstance(op, ast.Add) and not isinstance(
            getattr(cells.content(tracer, old), "kind", ""), type):
        extend(tracer, old, right)
        return
    assign(tracer, owner, key, augmented(tracer, op, old, right))


def delete(tracer: Tracer, owner: Container, key: Thing) -> None:
    """`del owner[key]`."""
    cell, content = _changeable(tracer, owner)
    ok, value = known(key)
    if isinstance(content, Grown) or not ok:
        unsupported(tracer, "del")
    cells.change(tracer, cell, without(content, value))


def without(content: Items, key: Any) -> Items:
    if content.kind == "dict":
        if key not in content.keys:
            raise certain(KeyError)(key)
        place = content.keys.index(key)
        return Items("dict", (*content.items[:place], *content.items[place + 1:]),
                     (*content.keys[:place], *content.keys[place + 1:]))
    items = list(content.items)
    if isinstance(key, slice):
        del items[key]
        return Items(content.kind, tuple(items))
    del items[place_of(content, key, "list assignment index out of range")]
    return Items(content.kind, tuple(items))


def _changeable(tracer: Tracer, owner: Container) -> tuple[Cell, Items | Grown]:
    if isinstance(owner, Items):
        if is_tuple(owner):
            name = owner.kind if isinstance(owner.kind, str) else owner.kind.__name__
            raise certain(TypeError)(f"{name!r} object does not support item assignment")
        tracer.refuse(*cells.OUTSIDE)
    return owner, cells.content(tracer, owner)


def append(tracer: Tracer, cell: Cell, thing: Thing) -> None:
    content = cells.content(tracer, cell)
    if isinstance(content, Items):
        new: Items | Grown = Items("list", (*content.items, thing))
    else:
        new = grown.push(tracer, content, thing)
    cells.change(tracer, cell, new)


def extend(tracer: Tracer, cell: Cell, more: Thing) -> None:
    """Append everything that iterating gives."""
    opened = cells.opened(tracer, more)
    items = iteration.unrolled(tracer, opened)
    if items is not None:
        for thing in items:
            append(tracer, cell, thing)
        return
    if isinstance(opened, Handle):
        opened = cells.opened(tracer, of_array(tracer, opened))
    if not isinstance(opened, Grown):
        tracer.refuse("a list is extended by something whose length is not known",
                      "append in a loop")
    content = cells.content(tracer, cell)
    if isinstance(content, Items) and not content.items:
        cells.change(tracer, cell, _copy(tracer, opened))
        return
    both = cells.opened(tracer, _needed(binary(tracer, ast.Add(), content, opened)))
    assert isinstance(both, Grown)
    cells.change(tracer, cell, both)


def _needed(thing: Thing | None) -> Thing:
    assert thing is not None
    return thing


# --- while it is iterated over -------------------------------------------------------------------


def watched(tracer: Tracer, iterable: Thing) -> dict[Cell, Extent]:
    """The lists that a loop iterates over, and how long they are."""
    match iterable:
        case Cell():
            return {iterable: _extent(tracer, iterable)}
        case Zip(parts=parts):
            return {c: n for part in parts for c, n in watched(tracer, part).items()}
        case Enumerate(inner=inner) | Reversed(inner=inner):
            return watched(tracer, inner)
        case _:
            return {}


def check_watched(tracer: Tracer, lengths: Mapping[Cell, Extent], node: ast.AST) -> None:
    """Refuse a loop that changes the length of what it iterates over."""
    for cell, before in lengths.items():
        if not tracer.builder.facts.provably_equal(_extent(tracer, cell), before):
            tracer.refuse("a list changes its length while a loop iterates over it",
                          "iterate over a copy of it", node)


def _extent(tracer: Tracer, cell: Cell) -> Extent:
    return tracer.builder.facts.integer(iteration.length(tracer, cell))


def unsupported(tracer: Tracer, what: str) -> NoReturn:
    tracer.refuse(f"{what} is not supported for a list whose length only the program knows, or "
                  "with what is not known while compiling",
                  "append and pop at the end, or build another list")
