"""How objects are made inside a function: `Point(x, y)`, `State(...)`, `dataclasses.replace(...)`.

What a dataclass generates (`__init__`) is done as its fields say; an `__init__` or `__post_init__`
of the user's is inlined, with the object as a cell that gets its attributes there.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from retrograd import containers
from retrograd.frontend import calls, cells, inline, objects
from retrograd.frontend.certain import certain
from retrograd.frontend.things import Cell, Handle, Items, Static, Thing
from retrograd.frontend.tracer import Tracer
from retrograd.places import ATTRIBUTE, Place

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]


def construct(tracer: Tracer, cls: type, args: Args, keywords: Keywords) -> Thing:
    """`cls(*args, **keywords)`."""
    if containers.is_named_tuple(cls):
        return _named(tracer, cls, args, keywords)
    cell = tracer.memory.make(Items(cls, (), ()), Cell(born=tracer.memory.clock, name="self"))
    if cls.__init__.__code__.co_filename == "<string>":  # type: ignore[misc]
        _dataclass(tracer, cls, cell, args, keywords)
    else:
        objects.class_attribute(tracer, cls, "__init__")
        inline.function(tracer, cls.__init__, (cell, *args), keywords,  # type: ignore[misc]
                        user=True)
    return cell if containers.is_changeable(cls) else cells.content(tracer, cell)


def _bound(cls: type, args: Args, keywords: Keywords) -> dict[str, Any]:
    try:
        return dict(inspect.signature(cls).bind(*args, **keywords).arguments)
    except TypeError as error:
        raise certain(TypeError)(f"{cls.__name__}: {error}") from None


def _named(tracer: Tracer, cls: type, args: Args, keywords: Keywords) -> Thing:
    bound = _bound(cls, args, keywords)
    tracer.guarded(Place(cls, ATTRIBUTE, "_fields"), cls.__name__)
    defaults = Place(cls, ATTRIBUTE, "_field_defaults")
    names = containers.fields_of(cls)
    return Items(cls, tuple(
        bound[n] if n in bound else tracer.captured(defaults.item(n), f"{cls.__name__}_{n}")
        for n in names), names)


def _dataclass(tracer: Tracer, cls: type, cell: Cell, args: Args, keywords: Keywords) -> None:
    """What a generated `__init__` does: another one, after an edit, makes new code."""
    tracer.guarded(Place(Place(cls, ATTRIBUTE, "__init__"), ATTRIBUTE, "__code__"), cls.__name__)
    bound = _bound(cls, args, keywords)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    place = Place(cls, ATTRIBUTE, "__dataclass_fields__")
    names, items = [], []
    for name, field in fields.items():
        if name in bound:
            item = bound.pop(name)
        elif field.default is not dataclasses.MISSING:
            item = tracer.captured(Place(place.item(name), ATTRIBUTE, "default"),
                                   f"{cls.__name__}_{name}")
        elif field.default_factory is not dataclasses.MISSING:
            factory = tracer.captured(Place(place.item(name), ATTRIBUTE, "default_factory"), name)
            item = calls.call(tracer, factory, (), {})
        else:
            continue                                  # `__post_init__` sets it
        names.append(name)
        items.append(item)
    tracer.memory.held[cell] = Items(cls, tuple(items), tuple(names))
    if "__post_init__" in cls.__init__.__code__.co_names:  # type: ignore[misc]
        objects.class_attribute(tracer, cls, "__post_init__")
        post_init = inspect.getattr_static(cls, "__post_init__")
        inline.function(tracer, post_init, (cell, *_only_for_init(tracer, cls, bound)), {},
                        user=True)


def _only_for_init(tracer: Tracer, cls: type, bound: Mapping[str, Thing]) -> list[Thing]:
    """What `__post_init__` gets: the `InitVar`s, in their order."""
    names = [n for n in inspect.signature(cls).parameters if n not in {
        f.name for f in dataclasses.fields(cls)}]
    return [bound[n] if n in bound else objects.class_attribute(tracer, cls, n) for n in names]


def replace(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    """`dataclasses.replace(object, **changes)`."""
    found = objects.content(tracer, args[0]) if len(args) == 1 else None
    if found is None or not containers.is_dataclass(found.kind):
        raise certain(TypeError)("replace() should be called on dataclass instances")
    cls = objects.class_of(found)
    given = dict(keywords)
    for field in dataclasses.fields(cls):
        if field.init and field.name not in given and field.name in found.keys:
            given[field.name] = found.items[found.keys.index(field.name)]
        elif not field.init and field.name in given:
            raise certain(ValueError)(
                f"field {field.name} is declared with init=False, it cannot be specified with "
                "replace()")
    return construct(tracer, cls, (), given)


def as_dict(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    """`dataclasses.asdict(object)`, of fields that are no containers."""
    found = _flat_fields(tracer, args)
    return cells.made(tracer, Items("dict", found.items, found.keys))


def as_tuple(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    """`dataclasses.astuple(object)`, of fields that are no containers."""
    return Items("tuple", _flat_fields(tracer, args).items)


def _flat_fields(tracer: Tracer, args: Args) -> Items:
    found = objects.content(tracer, args[0]) if len(args) == 1 else None
    if found is None or not containers.is_dataclass(found.kind):
        raise certain(TypeError)("asdict() should be called on dataclass instances")
    names = containers.fields_of(objects.class_of(found))
    items = tuple(found.items[found.keys.index(name)] for name in names)
    if any(tracer.atom(item) is None and not isinstance(item, Static) for item in items):
        tracer.refuse("asdict and astuple of nested containers are not supported",
                      "take the fields that are needed")
    copies = tuple(calls.call(tracer, Static(np.copy), (item,), {}) if isinstance(item, Handle)
                   else item for item in items)
    return Items("dict", copies, names)
