"""The methods of lists and dicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from retrograd.frontend import cells, grown, indexing
from retrograd.frontend.certain import certain
from retrograd.frontend.lists import append, assign, copied, extend, place_of, unsupported, without
from retrograd.frontend.things import Cell, Grown, Items, Static, Thing
from retrograd.frontend.tracer import Tracer, known, static_thing
from retrograd.ir.index import Slice

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]


def method(tracer: Tracer, owner: Thing, name: str, args: Args, keywords: Keywords) -> Thing:
    """`owner.name(...)` of a list, a tuple or a dict."""
    content = cells.opened(tracer, owner)
    kind = str(content.kind) if isinstance(content, Items) else "list"
    if name == "copy" and kind in ("list", "dict") and not args:
        return copied(tracer, owner)
    reading = _READING.get((kind, name))
    if reading is not None and isinstance(content, Items):
        return reading(tracer, content, args)
    changing = _CHANGING.get((kind, name))
    if changing is None or keywords:
        tracer.refuse(f"the method {name!r} of a {kind} is not supported",
                      "use " + ", ".join(n for k, n in (*_CHANGING, *_READING) if k == kind)
                      if kind in ("list", "dict") else "build it in one expression")
    if not isinstance(owner, Cell):
        tracer.refuse(*cells.OUTSIDE)
    return changing(tracer, owner, args)


def _append(tracer: Tracer, cell: Cell, args: Args) -> Thing:
    append(tracer, cell, *args)
    return Static(None)


def _extend(tracer: Tracer, cell: Cell, args: Args) -> Thing:
    extend(tracer, cell, *args)
    return Static(None)


def _insert(tracer: Tracer, cell: Cell, args: Args) -> Thing:
    content = cells.content(tracer, cell)
    ok, place = known(args[0])
    if isinstance(content, Grown) or not ok:
        unsupported(tracer, "insert")
    items = list(content.items)
    items.insert(place, args[1])
    cells.change(tracer, cell, Items("list", tuple(items)))
    return Static(None)


def _pop(tracer: Tracer, cell: Cell, args: Args) -> Thing:
    content = cells.content(tracer, cell)
    ok, place = known(args[0]) if args else (True, -1)
    if isinstance(content, Grown):
        if not ok or place != -1:
            unsupported(tracer, "pop from elsewhere than the end")
        rest, last = grown.popped(tracer, content)
        cells.change(tracer, cell, rest)
        return last
    if not ok:
        unsupported(tracer, "pop")
    if not content.items:
        raise certain(IndexError)("pop from empty list")
    found = content.items[place_of(content, place, "pop index out of range")]
    cells.change(tracer, cell, without(content, place))
    return found


def _clear(tracer: Tracer, cell: Cell, _: Args) -> Thing:
    content = cells.content(tracer, cell)
    cells.change(tracer, cell, Items(content.kind if isinstance(content, Items) else "list", ()))
    return Static(None)


def _reverse(tracer: Tracer, cell: Cell, _: Args) -> Thing:
    content = cells.content(tracer, cell)
    cells.change(tracer, cell, Items("list", content.items[::-1]) if isinstance(content, Items)
                 else grown.part(tracer, content, Slice(step=-1), ()))
    return Static(None)


def _pop_key(tracer: Tracer, cell: Cell, args: Args) -> Thing:
    content = cells.content(tracer, cell)
    ok, key = known(args[0])
    if not ok or isinstance(content, Grown):
        unsupported(tracer, "pop with such a key")
    if key not in content.keys and len(args) > 1:
        return args[1]
    if key not in content.keys:
        raise certain(KeyError)(key)
    found = content.items[content.keys.index(key)]
    cells.change(tracer, cell, without(content, key))
    return found


def _update(tracer: Tracer, cell: Cell, args: Args) -> Thing:
    more = cells.opened(tracer, args[0])
    if not isinstance(more, Items) or more.kind != "dict":
        unsupported(tracer, "update with something that is no dict")
    for key, thing in zip(more.keys, more.items, strict=True):
        assign(tracer, cell, static_thing(key), thing)
    return Static(None)


def _values(_: Tracer, content: Items, __: Args) -> Thing:
    return Items("tuple", content.items)


def _keys(_: Tracer, content: Items, __: Args) -> Thing:
    return Items("tuple", tuple(static_thing(k) for k in content.keys))


def _pairs(_: Tracer, content: Items, __: Args) -> Thing:
    return Items("tuple", tuple(Items("tuple", (static_thing(k), v))
                                for k, v in zip(content.keys, content.items, strict=True)))


def _get(tracer: Tracer, content: Items, args: Args) -> Thing:
    ok, key = known(args[0])
    if not ok:
        unsupported(tracer, "get with such a key")
    default = args[1] if len(args) > 1 else Static(None)
    return indexing.item(tracer, content, args[0]) if key in content.keys else default


_READING: dict[tuple[str, str], Callable[[Tracer, Items, Args], Thing]] = {
    ("dict", "values"): _values, ("dict", "keys"): _keys, ("dict", "items"): _pairs,
    ("dict", "get"): _get,
}
_CHANGING: dict[tuple[str, str], Callable[[Tracer, Cell, Args], Thing]] = {
    ("list", "append"): _append, ("list", "extend"): _extend, ("list", "insert"): _insert,
    ("list", "pop"): _pop, ("list", "clear"): _clear, ("list", "reverse"): _reverse,
    ("dict", "pop"): _pop_key, ("dict", "update"): _update, ("dict", "clear"): _clear,
}
