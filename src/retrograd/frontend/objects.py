"""Objects of classes: named tuples, dataclasses and other classes of the user's.

An object is its attributes: `Items` whose kind is the class and whose keys are the attributes'
names. One that can be changed is in a cell, like a list (`cells.py`). Methods and properties are
inlined; what is not an attribute of the object is one of its class.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from types import FunctionType, MethodType
from typing import Any, NoReturn

from retrograd import containers
from retrograd.containers import Kind
from retrograd.frontend import cells, inline
from retrograd.frontend.certain import certain
from retrograd.frontend.things import Cell, Items, Method, Static, Thing
from retrograd.frontend.tracer import Tracer, known, static_thing
from retrograd.places import ATTRIBUTE, Place

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]
Called = Callable[..., Thing]
_MISSING = object()


def content(tracer: Tracer, thing: Thing) -> Items | None:
    """The attributes of an object; None of anything else."""
    if isinstance(thing, Cell) and isinstance(held := tracer.memory.held.get(
            thing, tracer.context.outside.get(thing)), Items) and isinstance(held.kind, type):
        found = cells.content(tracer, thing)
        assert isinstance(found, Items)
        return found
    return thing if isinstance(thing, Items) and isinstance(thing.kind, type) else None


def class_of(found: Items) -> type:
    assert isinstance(found.kind, type)
    return found.kind


def container(tracer: Tracer, kind: Kind, parts: tuple[Thing, ...], keys: tuple[Any, ...],
              ) -> Thing:
    """The container of these parts. A registered class says itself how its objects are made."""
    from retrograd.frontend import calls

    if isinstance(kind, type) and kind in containers.REGISTERED:
        unflatten = containers.REGISTERED[kind].unflatten
        rest = (static_thing(keys[0]), Items("tuple", parts))
        return calls.call(tracer, Static(unflatten), rest, {})
    return Items(kind, parts, keys)


def parts_of(tracer: Tracer, owner: Thing, found: Items) -> tuple[tuple[Thing, ...],
                                                                   tuple[Any, ...]]:
    """How a container is taken apart as a result; the opposite of `container`."""
    from retrograd.frontend import calls

    if not isinstance(found.kind, type) or containers.is_named_tuple(found.kind) or (
            containers.is_dataclass(found.kind)):
        return found.items, found.keys
    registered = containers.REGISTERED.get(found.kind)
    if registered is None:
        tracer.refuse(f"the function returns a {found.kind.__name__}, of which it is not known "
                      "how it is taken apart", "return its attributes, make it a dataclass, or "
                      "use retrograd.register_container")
    pair = calls.call(tracer, Static(registered.flatten), (owner,), {})
    parts = cells.opened(tracer, pair.items[0]) if isinstance(pair, Items) and len(
        pair.items) == 2 else None
    if not isinstance(pair, Items) or not isinstance(parts, Items):
        tracer.refuse(f"flatten of {found.kind.__name__} does not give (parts, rest)",
                      "let it return a tuple of parts, and the rest")
    ok, rest = known(cells.frozen(tracer, pair.items[1]))
    if not ok:
        tracer.refuse(f"the rest that flatten of {found.kind.__name__} gives is not known while "
                      "compiling", "make it a part")
    return parts.items, (rest,)


def is_constructible(cls: Any) -> bool:
    """Whether calling a class makes an object in the ordinary way."""
    if not isinstance(cls, type) or type(cls).__call__ is not type.__call__ or (
            issubclass(cls, BaseException)):
        return False
    if containers.is_named_tuple(cls):
        return _own_new(cls) is None
    return cls.__new__ is object.__new__ and isinstance(
        cls.__init__, FunctionType)


def _own_new(cls: type) -> type | None:
    """The class that changes how a named tuple is made."""
    for base in cls.__mro__:
        if "_fields" in vars(base):
            return None
        if "__new__" in vars(base) or "__init__" in vars(base):
            return base
    return None


# --- reading -------------------------------------------------------------------------------------


def attribute(tracer: Tracer, owner: Thing, found: Items, name: str) -> Thing:
    """`owner.name`, where `found` are the object's attributes."""
    cls = class_of(found)
    of_class = inspect.getattr_static(cls, name, _MISSING)
    if isinstance(of_class, property) and of_class.fget is not None:
        class_attribute(tracer, cls, name)
        return inline.function(tracer, of_class.fget, (owner,), {}, user=True)
    if name in found.keys:
        part: Thing = found.items[found.keys.index(name)]
        return part
    if isinstance(of_class, functools.cached_property):
        class_attribute(tracer, cls, name)
        return inline.function(tracer, of_class.func, (owner,), {}, user=True)
    if name == "__class__":
        return Static(cls)
    if containers.is_named_tuple(cls) and name in _NAMED:
        return Method(owner, name)
    if isinstance(of_class, FunctionType):
        class_attribute(tracer, cls, name)
        return Method(owner, name)
    if of_class is _MISSING or inspect.isdatadescriptor(of_class):
        _missing(tracer, owner, cls, name)
    return class_attribute(tracer, cls, name)


def _missing(tracer: Tracer, owner: Thing, cls: type, name: str) -> NoReturn:
    reader = inspect.getattr_static(cls, "__getattribute__")
    if hasattr(cls, "__getattr__") or reader is not object.__dict__["__getattribute__"]:
        tracer.refuse(f"{cls.__name__} makes its attributes itself, in __getattr__",
                      "define the attribute, or a property")
    if name.startswith("__"):
        tracer.refuse(f"{name} of an object is not supported", "use its attributes")
    if isinstance(owner, Cell) and not any(c.outside for c in owner.closure()):
        raise certain(AttributeError)(f"{cls.__name__!r} object has no attribute {name!r}")
    tracer.refuse(f"{name!r} is no field of {cls.__name__}: of an argument only the fields are "
                  "seen", "make it a field or a property, or give it as an argument")


def class_attribute(tracer: Tracer, cls: type, name: str) -> Thing:
    """What a class holds under a name; another one there makes new code."""
    place = Place(cls, ATTRIBUTE, name)
    value = getattr(cls, name)
    if isinstance(value, MethodType):                  # a new one at every access
        tracer.captured(Place(place, ATTRIBUTE, "__func__"), name)
        return Static(value)
    return tracer.captured(place, name)


def method(tracer: Tracer, owner: Thing, found: Items, name: str, args: Args,
           keywords: Keywords) -> Thing:
    """`owner.name(...)`."""
    cls = class_of(found)
    if containers.is_named_tuple(cls) and name in _NAMED:
        return _NAMED[name](tracer, found, args, keywords)
    function = inspect.getattr_static(cls, name)
    return inline.function(tracer, function, (owner, *args), keywords, user=True)


def _replaced(tracer: Tracer, found: Items, args: Args, keywords: Keywords) -> Thing:
    unknown = [name for name in keywords if name not in found.keys]
    if args or unknown:
        raise certain(ValueError)(f"Got unexpected field names: {unknown!r}")
    return Items(found.kind, tuple(keywords.get(name, item) for name, item in zip(
        found.keys, found.items, strict=True)), found.keys)


def _as_dict(tracer: Tracer, found: Items, args: Args, keywords: Keywords) -> Thing:
    return cells.made(tracer, Items("dict", found.items, found.keys))


_NAMED: dict[str, Callable[[Tracer, Items, Args, Keywords], Thing]] = {
    "_replace": _replaced, "_asdict": _as_dict,
}


# --- changing ------------------------------------------------------------------------------------


def assign(tracer: Tracer, owner: Thing, found: Items, name: str, thing: Thing) -> None:
    """`owner.name = thing`."""
    cls = class_of(found)
    of_class = inspect.getattr_static(cls, name, _MISSING)
    if containers.is_named_tuple(cls):
        raise certain(AttributeError)("can't set attribute" if name in found.keys else
                                      f"{cls.__name__!r} object has no attribute {name!r}")
    if not containers.is_changeable(cls):
        raise certain(dataclasses.FrozenInstanceError)(f"cannot assign to field {name!r}")
    if inspect.getattr_static(cls, "__setattr__") is not object.__dict__["__setattr__"]:
        tracer.refuse(f"{cls.__name__} sets its attributes itself, in __setattr__",
                      "make a new object")
    if isinstance(of_class, property):
        if of_class.fset is None:
            raise certain(AttributeError)(
                f"property {name!r} of {cls.__name__!r} object has no setter")
        class_attribute(tracer, cls, name)
        inline.function(tracer, of_class.fset, (owner, thing), {}, user=True)
        return
    write(tracer, owner, found, name, thing)


def write(tracer: Tracer, owner: Thing, found: Items, name: str, thing: Thing) -> None:
    """Set an attribute of the object itself."""
    if not isinstance(owner, Cell):
        tracer.refuse("an attribute of something that cannot be changed is set",
                      "make a new object")
    if name in found.keys:
        place = found.keys.index(name)
        items = (*found.items[:place], thing, *found.items[place + 1:])
        cells.change(tracer, owner, Items(found.kind, items, found.keys))
        return
    cells.change(tracer, owner, Items(found.kind, (*found.items, thing), (*found.keys, name)))


def set_attribute(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    """`setattr(owner, name, thing)`, and `object.__setattr__`, which frozen dataclasses use."""
    found = content(tracer, args[0])
    ok, name = known(args[1])
    if found is None or not ok:
        tracer.refuse("an attribute of something else than an object is set, or one whose name is "
                      "not known while compiling", "write owner.name = value")
    assign(tracer, args[0], found, name, args[2])
    return Static(None)


def set_directly(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    """`object.__setattr__(self, name, thing)`, where an object is being made."""
    found = content(tracer, args[0])
    ok, name = known(args[1])
    if found is None or not ok:
        tracer.refuse("object.__setattr__ is called with something else than an object",
                      "make a new object")
    write(tracer, args[0], found, name, args[2])
    return Static(None)


# --- operators -----------------------------------------------------------------------------------


def special_method(tracer: Tracer, thing: Thing, name: str) -> Called | None:
    """What calls the method of the user's that makes an operator work; None where there is
    none."""
    found = content(tracer, thing)
    function = None if found is None else inspect.getattr_static(class_of(found), name, None)
    if found is None or not isinstance(function, FunctionType) or (
            function.__code__.co_filename.startswith("<")):
        return None
    class_attribute(tracer, class_of(found), name)


    def call(args: Args, keywords: Keywords | None = None) -> Thing:
        return inline.function(tracer, function, (thing, *args), keywords or {}, user=True)

    return call


def augmented(tracer: Tracer, name: str, owner: Thing, other: Thing) -> Thing | None:
    """`owner op= other`, where the owner's class says itself what that is."""
    call = special_method(tracer, owner, f"__i{name}__")
    result = None if call is None else call((other,))
    return None if result == Static(NotImplemented) else result


def operated(tracer: Tracer, name: str, left: Thing, right: Thing) -> Thing | None:
    """`left op right`, where one of them is an object whose class defines it: `name` is add,
    sub, ..."""
    for owner, other, method_name in ((left, right, f"__{name}__"), (right, left, f"__r{name}__")):
        call = special_method(tracer, owner, method_name)
        if call is not None:
            result = call((other,))
            if result != Static(NotImplemented):
                return result
    return None
