"""Lists, dicts and objects that can be changed: every name that stands for one sees its changes.

A list display makes a cell, and the trace's memory says what the cell holds now (`memory.py`).
Where an operation only reads, it gets the content: `opened` for the container itself, `frozen` for
what is inside as well. Where blocks are joined a cell may become another one: then it is `held`
together with its content, and `closed` again afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from retrograd import containers
from retrograd.frontend.things import Cell, Grown, Held, Items, Maybe, Thing
from retrograd.frontend.tracer import Tracer

OUTSIDE = ("this list, dict or object comes from outside the function, and changing it would be "
           "seen there", "make a copy of it: .copy(), or dataclasses.replace(...)")


def made(tracer: Tracer, thing: Thing) -> Thing:
    """A new list or dict of the user's as an object. The prelude and rules change none."""
    if tracer.frame.user and (isinstance(thing, Grown) or (
            isinstance(thing, Items) and containers.is_changeable(thing.kind))):
        return tracer.memory.make(thing)
    return thing


def content(tracer: Tracer, cell: Cell) -> Items | Grown:
    """What a list, dict or object holds now."""
    if tracer.memory.doubtful(cell):
        tracer.refuse("this may or may not be the same list as another one that was changed "
                      "before: which, a branch or a loop decides",
                      "make one of them a copy where it is bound: .copy()")
    found = tracer.memory.held.get(cell, tracer.context.outside.get(cell))
    if found is None:
        tracer.refuse("this list was made inside a loop or a branch, and is used after it in a "
                      "way that is not supported", "make it before")
    return found


def opened(tracer: Tracer, thing: Thing) -> Thing:
    """What a cell holds; anything else as it is."""
    return content(tracer, thing) if isinstance(thing, Cell) else thing


def frozen(tracer: Tracer, thing: Thing) -> Thing:
    """The thing with the present contents in place of all cells in it."""
    if isinstance(thing, Cell):
        return frozen(tracer, content(tracer, thing))
    if isinstance(thing, Items):
        items = tuple(frozen(tracer, i) for i in thing.items)
        if any(a is not b for a, b in zip(items, thing.items, strict=True)):
            return Items(thing.kind, items, thing.keys)
    return thing


def change(tracer: Tracer, cell: Cell, new: Items | Grown) -> None:
    """The cell holds something else from here on."""
    if any(one.outside for one in cell.closure()):
        tracer.refuse(*OUTSIDE)
    if cell.frozen:
        tracer.refuse("this list is also an element of a list that grows, and is changed",
                      "make it a copy: .copy()")
    if isinstance(new, Items) and any(found is cell for item in new.items
                                      for found in _reached(tracer, item)):
        tracer.refuse("a container that contains itself is not supported", "keep them apart")
    tracer.memory.change(cell, new)


def _reached(tracer: Tracer, thing: Thing) -> Iterator[Cell]:
    if isinstance(thing, Cell):
        yield thing
        yield from _reached(tracer, content(tracer, thing))
    elif isinstance(thing, Items):
        for item in thing.items:
            yield from _reached(tracer, item)


def name_of(tracer: Tracer, cell: Cell) -> str:
    """The user's name for a list, if it has one."""
    at: Tracer | None = tracer
    while at is not None:
        for name, thing in at.env.items():
            if thing is cell and at.frame.user:
                return name
        at = at.frame.caller
    return cell.name


# --- while blocks are joined ---------------------------------------------------------------------


def held(tracer: Tracer, thing: Thing,
         which: Callable[[Cell], bool] = lambda cell: True) -> Thing:
    """The thing with every such cell together with what it holds; a container from outside the
    function becomes a cell, too."""
    match thing:
        case Cell():
            return Held(thing, inside(tracer, content(tracer, thing), which)) \
                if which(thing) else thing
        case Items(kind=kind) if containers.is_changeable(kind):
            return Held(Cell(), inside(tracer, thing, which))
        case Items():
            return inside(tracer, thing, which)
        case Maybe(thing=inner, defined=defined):
            return Maybe(held(tracer, inner, which), defined)
        case _:
            return thing


def inside(tracer: Tracer, thing: Items | Grown,
           which: Callable[[Cell], bool] = lambda cell: True) -> Thing:
    """The content of a cell with every cell in it together with what it holds."""
    if isinstance(thing, Grown):
        return thing
    items = tuple(held(tracer, i, which) for i in thing.items)
    same = all(a is b for a, b in zip(items, thing.items, strict=True))
    return thing if same else Items(thing.kind, items, thing.keys)


def closed(tracer: Tracer, thing: Thing, new: Callable[[Cell], Cell]) -> Thing:
    """The opposite of `held`: the tracer's memory learns what `new(cell)` holds."""
    match thing:
        case Held(cell=cell, content=content):
            found = new(cell)
            inner = closed(tracer, content, new)
            assert isinstance(inner, (Items, Grown))
            return tracer.memory.make(inner, found)
        case Items(kind=kind, items=items, keys=keys):
            return Items(kind, tuple(closed(tracer, i, new) for i in items), keys)
        case Maybe(thing=inner, defined=defined):
            return Maybe(closed(tracer, inner, new), defined)
        case _:
            return thing


def cells_of(thing: Thing) -> list[Cell]:
    """The cells in a thing whose cells are held, outer before inner."""
    match thing:
        case Held(cell=cell, content=content):
            return [cell, *cells_of(content)]
        case Items(items=items):
            return [cell for item in items for cell in cells_of(item)]
        case Maybe(thing=inner):
            return cells_of(inner)
        case _:
            return []


def has_cell(thing: Thing) -> bool:
    """Whether there is a list or dict in a thing."""
    match thing:
        case Cell() | Held():
            return True
        case Items(kind=kind, items=items):
            return containers.is_changeable(kind) or any(has_cell(i) for i in items)
        case Maybe(thing=inner):
            return has_cell(inner)
        case _:
            return False
