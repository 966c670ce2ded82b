"""What a name can stand for while a function is traced.

    thing = Value | Constant          a number
          | Handle                    an array: a base, and how this name looks into it
          | Static                    a Python object that is known while compiling
          | Items                     a tuple, list, dict or object of things, as it is at one time
          | Grown                     a list whose length only the program knows, at one time
          | Cell                      a list, dict or object as something that can be changed
          | Held                      a cell with what it holds, while blocks are joined
          | Stream                    a random generator, from which numbers are drawn
          | Range | Zip | Enumerate   iterables
          | Checkpointed              an iterable whose loop is checkpointed
          | Method | Closure          something to call
          | Derived | Inner           a derivative of one of these, a pullback: to call
          | Maybe                     a name that is only sometimes defined
          | Lost                      a name whose function was made in a block that has ended
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from retrograd.containers import Kind, is_named_tuple
from retrograd.errors import Span
from retrograd.frontend.shared import Shared
from retrograd.ir.extents import Extent
from retrograd.ir.nodes import Atom, Constant, Value
from retrograd.ir.types import Array, Type
from retrograd.program import Position

Pairs = set[frozenset["Base"]]


@dataclass(frozen=True, slots=True, eq=False)
class Base(Shared):
    """One piece of memory, whose content at first is `first`. Names with the same base see each
    other's writes. An element of a list that has grown (`listed`) is read, never written. A
    derivative works on a copy `of` what it is given.
    """

    first: Value
    shares: frozenset[Base] = frozenset()
    argument: bool = False
    captured: bool = False
    born: int = 0
    group: Pairs | None = None
    listed: bool = False
    of: Base | None = None
    _known: dict[Base, bool] = field(default_factory=dict)

    def closure(self) -> frozenset[Base]:
        """The base and all that it may turn out to be."""
        found = {self}
        for base in self.shares:
            found |= base.closure()
        return frozenset(found)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One step from an array to a part of it: an operation of the view family and its operands."""

    op: str
    atoms: tuple[Atom, ...]
    static: Mapping[str, Any]
    type: Array                        # of what is looked into
    extents: tuple[Extent, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    """An array as a name sees it: `path`, a chain of views, of a base.

    `value` is what it saw when it was made, with `version` as the base's content (None: the first
    content). What it sees now is for the trace's memory to say (`memory.py`).
    """

    value: Value
    base: Base
    path: tuple[View, ...] = ()
    version: Value | None = None

    @property
    def type(self) -> Array:
        assert isinstance(self.value.type, Array)
        return self.value.type


@dataclass(frozen=True, slots=True)
class Store:
    """A place where an array is written; `always`: every call that returns passes it. With
    `copied` it is a copy of the array that is written."""

    span: Span | None
    line: str
    always: bool
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Static:
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A `np.random.Generator`: the argument that it is. It is no number, and the same for all
    names that are bound to it."""

    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A container or object whose structure is known; `kind` is tuple, list or dict, or the class
    of an object, whose attributes have the names `keys`."""

    kind: Kind
    items: tuple[Thing, ...]
    keys: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """A list whose length only the program knows.

    An element looks like `row`, whose numbers and arrays are samples. For each of them a buffer
    holds those of all the elements, one after the other; `count` elements are there. `room` says
    who sees to it that there is room for more (`grown.py`).
    """

    row: Thing
    buffers: tuple[Handle, ...]
    count: Atom
    room: str


@dataclass(frozen=True, slots=True, eq=False)
class Cell(Shared):
    """A list, a dict or an object that can be changed: all names that stand for it see its
    changes. What it holds now is for the trace's memory to say. A cell whose content is also an
    element of a list that has grown is `frozen`: it must not be changed."""

    shares: frozenset[Cell] = frozenset()
    born: int = 0
    group: set[frozenset[Cell]] | None = None
    frozen: bool = False
    name: str = "items"              # where the user has none for it
    outside: bool = False            # it belongs to the caller, or was found outside the function
    _known: dict[Cell, bool] = field(default_factory=dict)

    @property
    def base(self) -> Cell:
        """Cells are compared as the memory of arrays is (`sharing.py`)."""
        return self

    def closure(self) -> frozenset[Cell]:
        """The cell and all that it may turn out to be."""
        return frozenset({self}).union(*(cell.closure() for cell in self.shares))


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A cell and what it holds, where it is going to be another one or another content."""

    cell: Cell
    content: Thing


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """`count` is the number of elements where only the program knows the step; `parallel` marks
    a loop over this."""

    start: Atom
    stop: Atom
    step: Atom
    count: Atom | None = None
    parallel: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Zip:
    parts: tuple[Thing, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Enumerate:
    inner: Thing
    start: Atom


@dataclass(frozen=True, slots=True, eq=False)
class Reversed:
    inner: Thing


@dataclass(frozen=True, slots=True, eq=False)
class Checkpointed:
    """What `checkpointed` gives; `snapshots` is None where it was not said how many."""

    inner: Thing
    snapshots: Atom | None


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """A method of an array or a container."""

    owner: Thing
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """A function that is defined inside the traced one; it sees its frame's names when called."""

    node: ast.FunctionDef | ast.Lambda
    frame: Any
    defaults: tuple[Thing, ...]
    keyword_defaults: dict[str, Thing]


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """A transformation of a function, to be called: `grad(f)` and its kin (`derived.py`)."""

    kind: str
    function: Thing
    positions: tuple[Position, ...] = (0,)
    single: bool = True
    has_aux: bool = False
    holomorphic: bool = False
    settings: tuple[Any, ...] = ()
    returns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Inner:
    """A function that the trace itself makes: a pullback, one sample of a batch. It may be called
    in the block where it was made, and inside that."""

    run: Callable[..., Thing]


@dataclass(frozen=True, slots=True, eq=False)
class Maybe:
    """A name that is bound only where `defined` holds; reading it elsewhere raises
    UnboundLocalError, as Python does."""

    thing: Thing
    defined: Atom


@dataclass(frozen=True, slots=True, eq=False)
class Lost:
    """A name whose function or method was made inside a loop or a branch and may read values of
    that block: it cannot be used after it. `where` says which block that was."""

    where: str


Thing = (Value | Constant | Handle | Static | Items | Range | Zip | Enumerate | Reversed
         | Checkpointed | Method | Closure | Derived | Inner | Maybe | Lost | Stream | Grown
         | Cell | Held)


def fresh(value: Value, of: Thing | None = None) -> Handle:
    """An array in memory of its own, perhaps a copy `of` another one."""
    return Handle(value, Base(value, of=of.base if isinstance(of, Handle) else None))


def thing_of(atom: Atom) -> Thing:
    """A number as itself, an array as a handle on memory of its own."""
    return fresh(atom) if isinstance(atom, Value) and isinstance(atom.type, Array) else atom


def atom_of(thing: Thing) -> Atom | None:
    """A number, or an array as it was when its handle was made: good for its type and extents,
    which no write changes. What an array holds now is `Tracer.atom`."""
    if isinstance(thing, Handle):
        return thing.value
    return thing if isinstance(thing, (Value, Constant)) else None


def is_tuple(thing: Thing) -> TypeGuard[Items]:
    """Whether a thing is a tuple, perhaps a named one."""
    return isinstance(thing, Items) and (thing.kind == "tuple" or is_named_tuple(thing.kind))


def as_tuple(thing: Items) -> Items:
    """A named tuple as the tuple that it is; anything else as it is."""
    return Items("tuple", thing.items) if is_named_tuple(thing.kind) else thing


def type_of(thing: Thing) -> Type | None:
    atom = atom_of(thing)
    return None if atom is None else atom.type


def leaves(thing: Thing) -> list[Thing]:
    """The numbers and arrays in a thing, in order."""
    match thing:
        case Value() | Constant() | Handle():
            return [thing]
        case Items(items=items) | Zip(parts=items):
            return [leaf for item in items for leaf in leaves(item)]
        case Maybe(thing=inner, defined=defined):
            return [*leaves(inner), defined]
        case Grown(buffers=buffers, count=count):
            return [*buffers, count]
        case Held(content=content):
            return leaves(content)
        case Range(start=start, stop=stop, step=step):
            return [start, stop, step, *(() if thing.count is None else (thing.count,))]
        case Enumerate(inner=inner, start=start):
            return [*leaves(inner), start]
        case Reversed(inner=inner):
            return leaves(inner)
        case Checkpointed(inner=inner, snapshots=snapshots):
            return [*leaves(inner), *(() if snapshots is None else (snapshots,))]
        case _:
            return []


def has_function(thing: Thing | None) -> bool:
    """Whether there is a function in a thing that may read values of the block where it was
    made."""
    match thing:
        case Closure() | Method() | Lost() | Inner():
            return True
        case Derived(function=inner):
            return has_function(inner)
        case Items(items=items) | Zip(parts=items):
            return any(has_function(i) for i in items)
        case (Maybe(thing=inner) | Enumerate(inner=inner) | Reversed(inner=inner)
              | Checkpointed(inner=inner) | Held(content=inner)):
            return has_function(inner)
        case _:
            return False


def with_leaves(thing: Thing, new: Callable[[Thing], Thing]) -> Thing:
    """The same thing with `new(leaf)` in place of every number and array."""
    match thing:
        case Value() | Constant() | Handle():
            return new(thing)
        case Items(kind=kind, items=items, keys=keys):
            return Items(kind, tuple(with_leaves(i, new) for i in items), keys)
        case Zip(parts=parts):
            return Zip(tuple(with_leaves(p, new) for p in parts))
        case Maybe(thing=inner, defined=defined):
            return Maybe(with_leaves(inner, new), _atom(new(defined)))
        case Grown(row=row, buffers=buffers, count=count, room=room):
            return Grown(row, tuple(_array(new(b)) for b in buffers), _atom(new(count)), room)
        case Held(cell=cell, content=content):
            return Held(cell, with_leaves(content, new))
        case _:
            return _iterable_with(thing, new)


def _iterable_with(thing: Thing, new: Callable[[Thing], Thing]) -> Thing:
    match thing:
        case Range(start=start, stop=stop, step=step):
            count = None if thing.count is None else _atom(new(thing.count))
            return Range(_atom(new(start)), _atom(new(stop)), _atom(new(step)), count,
                         thing.parallel)
        case Enumerate(inner=inner, start=start):
            return Enumerate(with_leaves(inner, new), _atom(new(start)))
        case Reversed(inner=inner):
            return Reversed(with_leaves(inner, new))
        case Checkpointed(inner=inner, snapshots=snapshots):
            return Checkpointed(with_leaves(inner, new),
                                None if snapshots is None else _atom(new(snapshots)))
        case _:
            return thing


def _atom(thing: Thing) -> Atom:
    assert isinstance(thing, (Value, Constant))
    return thing


def _array(thing: Thing) -> Handle:
    assert isinstance(thing, Handle)
    return thing


def same_structure(a: Thing, b: Thing) -> bool:
    """Whether two things differ at most in their numbers and arrays."""
    if atom_of(a) is not None or atom_of(b) is not None:
        return (atom_of(a) is None) == (atom_of(b) is None)
    if type(a) is not type(b):
        return False
    if isinstance(a, (Static, Stream, Closure, Method, Derived, Inner, Cell)):
        return _same_object(a, b)
    if isinstance(a, Items) and isinstance(b, Items) and (a.kind, a.keys) != (b.kind, b.keys):
        return False
    if isinstance(a, Grown) and isinstance(b, Grown):
        return same_structure(a.row, b.row) and _sampled(a) == _sampled(b)
    first, second = _parts(a), _parts(b)
    return len(first) == len(second) and all(
        same_structure(x, y) for x, y in zip(first, second, strict=True))


def _same_object(a: Thing, b: Thing) -> bool:
    match a, b:
        case Static(value=first), Static(value=second):
            return first is second or bool(type(first) is type(second) and first == second)
        case Stream(value=first), Stream(value=second):
            return first is second
        case Closure(node=first, frame=frame), Closure(node=second):
            return first is second and frame is b.frame
        case Method(owner=first, name=name), Method(owner=second):
            return first is second and name == b.name
        case Derived(), Derived():
            return (a.kind, a.positions, a.settings) == (b.kind, b.positions, b.settings) and (
                same_structure(a.function, b.function))
        case _:
            return a is b


def _sampled(grown: Grown) -> list[tuple[str, int, bool]]:
    """The types of the numbers and arrays in an element."""
    types = [t for t in map(type_of, leaves(grown.row)) if t is not None]
    return [(t.dtype, t.rank, getattr(t, "weak", False)) for t in types]


def _parts(thing: Thing) -> tuple[Thing, ...]:
    """The things inside a container or an iterable."""
    match thing:
        case Items(items=parts) | Zip(parts=parts):
            return parts
        case (Maybe(thing=inner) | Enumerate(inner=inner) | Reversed(inner=inner)
              | Checkpointed(inner=inner) | Held(content=inner)):
            return (inner,)
        case _:
            return ()
