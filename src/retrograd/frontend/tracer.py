"""The state of a trace: where we are in the user's program, and what its names stand for."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, NoReturn

import numpy as np

from retrograd import containers
from retrograd.errors import Span, Unsupported
from retrograd.frontend.certain import certain
from retrograd.frontend.memory import Memory
from retrograd.frontend.reading import NeedStatic, Source
from retrograd.frontend.things import (
    Base,
    Cell,
    Handle,
    Items,
    Lost,
    Maybe,
    Static,
    Store,
    Stream,
    Thing,
    atom_of,
    leaves,
)
from retrograd.ir.build import TEMPORARY, Builder
from retrograd.ir.extents import Opaque, Root
from retrograd.ir.foreign import Foreign
from retrograd.ir.nodes import Atom, Branch, Constant, Raise, Value
from retrograd.ir.types import DTYPES, Array, Generator, Scalar, Type, is_generator
from retrograd.places import ATTRIBUTE, ITEM, STRUCTURE, Place, structure
from retrograd.program import Capture, Guard

_UNBOUND = "cannot access local variable '{}' where it is not associated with a value"


@dataclass(eq=False)
class Context:
    """What is shared by the whole trace of one function."""

    captures: list[Capture] = field(default_factory=list)
    capture_values: list[Value] = field(default_factory=list)
    captured: dict[Hashable, Thing] = field(default_factory=dict)
    known_captures: Mapping[str, Any] = field(default_factory=dict)
    guards: dict[Hashable, Guard] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)
    parameters: dict[Value, str] = field(default_factory=dict)
    modules: dict[str, None] = field(default_factory=dict)
    trying: int = 0                  # loops being traced that can also be written out
    stores: dict[Base, Store] = field(default_factory=dict)     # into arguments, the first of each
    top: Builder | None = None                                  # the function's own block
    lasting: list[Base] = field(default_factory=list)           # arguments and captured arrays
    foreign: dict[Hashable, Foreign] = field(default_factory=dict)        # opaque functions
    rules_wanted: int = 1            # so deep rules are traced that are called inside rules
    rules_inside: int = 0
    opening: set[int] = field(default_factory=set)              # captured containers, by identity
    outside: dict[Cell, Items] = field(default_factory=dict)    # lists, dicts, objects, as well

    def given(self, value: Value, captured: bool = False) -> Thing:
        """A number, an array or a generator that the function is called with, or captures."""
        if not isinstance(value.type, Array):
            return Stream(value) if isinstance(value.type, Generator) else value
        base = Base(value, argument=not captured, captured=captured)
        self.lasting.append(base)
        return Handle(value, base)

    def from_outside(self, thing: Thing) -> Thing:
        """A container that the function is called with, or captures: it must not be changed."""
        if isinstance(thing, Items):
            thing = Items(thing.kind, tuple(map(self.from_outside, thing.items)), thing.keys)
            if containers.is_changeable(thing.kind):
                cell = Cell(outside=True)
                self.outside[cell] = thing
                return cell
        return thing


@dataclass(eq=False)
class Frame:
    """One call: the function, where its names come from, and the user's place in it.

    `user` is False for functions of the prelude and of rules: they take the place of the call.
    """

    source: Source
    outer: Frame | None
    names: dict[str, Thing] = field(default_factory=dict)   # enclosing function's, for closures
    user: bool = True
    leave: dict[ast.stmt, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    live_after: dict[ast.stmt, frozenset[str]] = field(default_factory=dict)
    live_inside: dict[ast.stmt, frozenset[str]] = field(default_factory=dict)
    local: frozenset[str] = frozenset()                     # the names that it assigns
    site: Span | None = None
    caller: Tracer | None = None
    home: Tracer | None = None       # where a closure was defined
    ended: list[dict[str, Thing]] = field(default_factory=list)   # its names where it returned
    entrance: bool = False           # not a call yet: a derivative of the function is what runs

    @property
    def function(self) -> Any:
        return self.source.function

    def user_frame(self) -> Frame:
        frame = self
        while not frame.user and frame.outer is not None:
            frame = frame.outer
        return frame


class Tracer:
    """A position in a trace: a context, a frame, its local names, the block being built, and what
    arrays hold here."""

    def __init__(self, context: Context, frame: Frame, builder: Builder,
                 env: dict[str, Thing] | None = None, memory: Memory | None = None) -> None:
        self.context = context
        self.frame = frame
        self.builder = builder
        self.memory = Memory() if memory is None else memory
        self.env: dict[str, Thing] = {} if env is None else env
        self.node: ast.AST = frame.source.node
        self.binds = True                # whether names bound here are seen afterwards
        self.passing: frozenset[str] = frozenset()      # variables of comprehensions around

    def inner(self, binds: bool = True) -> Tracer:
        """A tracer for a block inside this one, with its own copy of the names.

        Parts of expressions that are evaluated only sometimes do not bind: nobody joins names
        that they would assign.
        """
        tracer = Tracer(self.context, self.frame, self.builder.inner(), dict(self.env),
                        self.memory.inner())
        tracer.node = self.node
        tracer.binds, tracer.passing = self.binds and binds, self.passing
        return tracer

    def outer_things(self) -> Iterator[Thing]:
        """What the names of all the functions stand for that are waiting for this one."""
        caller = self.frame.caller
        while caller is not None:
            yield from caller.env.values()
            yield from caller.frame.names.values()
            caller = caller.frame.caller

    # --- places and refusals -------------------------------------------------------------------

    def span(self, node: ast.AST | None = None) -> Span | None:
        """The user's place: of the node, or of the call that led into the prelude."""
        if not self.frame.user:
            return self.frame.site
        return self.frame.source.span(self.node if node is None else node)

    @contextmanager
    def visiting(self, node: ast.AST) -> Iterator[None]:
        before, self.node = self.node, node
        try:
            yield
        finally:
            self.node = before

    def refuse(self, reason: str, remedy: str, node: ast.AST | None = None) -> NoReturn:
        raise self.unsupported(reason, remedy, node)

    def unsupported(self, reason: str, remedy: str, node: ast.AST | None = None) -> Unsupported:
        span = self.span(node)
        line = self.frame.user_frame().source.line(span) if span else ""
        return Unsupported(reason, remedy, span, line)

    @contextmanager
    def trying(self, other_way: bool) -> Iterator[None]:
        """What is refused for an unknown index can still be done in another way, if there is one:
        by writing a loop out."""
        self.context.trying += other_way
        try:
            yield
        finally:
            self.context.trying -= other_way

    # --- arrays --------------------------------------------------------------------------------

    def current(self, handle: Handle) -> Value:
        """What an array holds now."""
        self.settled(handle)
        return self.memory.current(handle, self.builder)

    def settled(self, handle: Handle) -> None:
        """Refuse an array of which only the program knows whether it was written."""
        other = self.memory.conflict(handle.base)
        if other is not None:
            name, first = handle.value.name, other.first.name
            what = "an array" if first in TEMPORARY or first == name else f"{first!r}"
            self.refuse(f"{name!r} may or may not be the same array as {what} that was written "
                        "before: which, a branch or a loop decides",
                        f"make {name!r} a copy where it is bound: .copy()")

    def atom(self, thing: Thing) -> Atom | None:
        """The value of a number or an array now."""
        return self.current(thing) if isinstance(thing, Handle) else atom_of(thing)

    # --- names ---------------------------------------------------------------------------------

    def lookup(self, name: str) -> Thing:
        """What a name stands for: local, enclosing, global, built in."""
        if name in self.env:
            return self._defined(name, self.env[name])
        if name in self.frame.local:
            raise certain(UnboundLocalError)(_UNBOUND.format(name))
        if name in self.frame.names:
            return self._defined(name, self.frame.names[name])
        function = self.frame.function
        if name in function.__code__.co_freevars:
            cell = (function.__closure__ or ())[function.__code__.co_freevars.index(name)]
            return self.captured(Place(cell, ATTRIBUTE, "cell_contents"), name)
        names = function.__globals__
        if name in names:
            return self.captured(Place(names, ITEM, name), name)
        if hasattr(builtins, name):
            return Static(getattr(builtins, name))
        self.refuse(f"the name {name!r} is not defined", "define it before it is used")

    def _defined(self, name: str, thing: Thing) -> Thing:
        if isinstance(thing, Lost):
            self.refuse(f"{name!r} is a function or method made inside {thing.where}, and is used "
                        "after it", "define it before, or call it there")
        if not isinstance(thing, Maybe) or name in self.frame.flags:
            return thing.thing if isinstance(thing, Maybe) else thing
        message = _UNBOUND.format(name)
        self.builder.append(Branch(
            self.builder.let("logical_not", thing.defined),
            (Raise(UnboundLocalError, (message,), self.builder.origin),), (), (),
            self.builder.origin))
        self.env[name] = thing.thing
        return thing.thing

    def guard_code(self, function: FunctionType) -> None:
        """Tools that reload modules put new code into old functions: then this is compiled anew."""
        place = Place(function, ATTRIBUTE, "__code__")
        self._guard(place, function.__name__, function.__code__)

    def _guard(self, place: Place, name: str, value: Any) -> None:
        self.context.guards[place.identity()] = Guard(name, place.reader(), value, place)

    def guarded(self, place: Place, name: str) -> Any:
        """A value from outside that is static, whatever it is: another one makes new code."""
        value = place.reader()()
        self._guard(place, name, value)
        return value

    def captured(self, place: Place, name: str) -> Thing:
        """A value from outside: numbers and arrays become hidden arguments, the rest is static."""
        name = re.sub(r"\W+", "_", name.replace("<lambda>", "f"))      # keys may be any strings
        key = place.identity()
        if key in self.context.captured:
            return self.context.captured[key]
        read = place.reader()
        try:
            value = read()
        except ValueError:
            self.refuse(f"the variable {name!r} has no value yet", "assign it before the call")
        if not self.frame.user:
            return Static(value) if not isinstance(value, (bool, int, float, complex)) \
                else constant_of(value)
        if containers.kind_of(value) is not None and self._opens(value):
            return self.context.captured.setdefault(key, self._captured_items(place, name, value))
        kind = type_of_value(value)
        if kind is None:
            self._guard(place, name, value)
            return self.context.captured.setdefault(key, static_thing(value))
        if name in self.context.known_captures:
            self._guard(place, name, value)
            return self.context.captured.setdefault(key, constant_of(value))
        parameter = Value(name, kind)
        self.context.captures.append(Capture(name, read, kind, place))
        self.context.capture_values.append(parameter)
        self.context.parameters[parameter] = name
        self.builder.facts.arguments.add(parameter)
        return self.context.captured.setdefault(key, self.context.given(
            parameter, captured=True))

    def _captured_items(self, place: Place, name: str, value: Any) -> Thing:
        """A captured container: its structure is guarded, its numbers and arrays are captured."""
        kind = containers.kind_of(value)
        assert kind is not None
        parts, keys = containers.taken_apart(value, kind)
        self._guard(Place(place, STRUCTURE), name, structure(value))
        if id(value) in self.context.opening:
            self.refuse(f"{name!r} contains itself", "capture what is needed of it")
        self.context.opening.add(id(value))
        if containers.is_dataclass(kind):
            items = tuple(self.captured(Place(place, ATTRIBUTE, k), f"{name}_{k}") for k in keys)
        else:
            items = tuple(self.captured(place.item(k), f"{name}_{k}") for k in (
                keys if kind == "dict" else range(len(parts))))
        self.context.opening.discard(id(value))
        return self.context.from_outside(Items(kind, items, keys))

    def _opens(self, value: Any) -> bool:
        """Whether a captured container is read part by part; other objects by attribute."""
        kind: type = type(value)
        return kind not in containers.REGISTERED and (not containers.is_dataclass(kind) or all(
            hasattr(value, name) for name in containers.fields_of(kind)))

    def need_static(self, atom: Atom, what: str) -> NoReturn:
        """`atom` must be known while compiling: ask for the parameters that it comes from."""
        names: list[str] = []
        captures: list[str] = []
        for value in self._roots(atom):
            name = self.context.parameters.get(value)
            if name is None:
                self.refuse(f"{what} must be known while compiling",
                            "pass it as an int argument, or write the number")
            (captures if value in self.context.capture_values else names).append(name)
        if not names and not captures:
            self.refuse(f"{what} must be known while compiling",
                        "pass it as an int argument, or write the number")
        raise NeedStatic(tuple(names), tuple(captures))

    def from_parameters(self, atom: Atom) -> bool:
        """Whether an int is made of int parameters alone, which may be asked for."""
        roots = self._roots(atom)
        return bool(roots) and all(value in self.context.parameters for value in roots)

    def _roots(self, atom: Atom) -> list[Value]:
        found: list[Value] = []
        pending = [self.builder.facts.integer(atom)] if isinstance(atom, Value) else []
        while pending:
            for term, _ in pending.pop().terms:
                if isinstance(term, Root):
                    found.append(term.value)
                elif isinstance(term, Opaque):
                    pending += term.args
        return found


_PYTHON: dict[type, str] = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}


def type_of_value(value: object) -> Type | None:
    """The type of a captured number or array; None for what is static."""
    if isinstance(value, np.ndarray):
        if value.dtype.name not in DTYPES:
            return None
        flags = value.flags
        layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        return Array(value.dtype.name, tuple(1 if n == 1 else None for n in value.shape), layout)
    if isinstance(value, np.generic):
        name = value.dtype.name
        return Scalar(name) if name in DTYPES else None
    if is_generator(value):
        return Generator()
    dtype = _PYTHON.get(type(value))
    return None if dtype is None else Scalar(dtype, weak=True)


def constant_of(value: bool | int | float | complex) -> Constant:
    """A Python number as a weak constant."""
    dtype = next(dtype for kind, dtype in _PYTHON.items() if isinstance(value, kind))
    return Constant(value, Scalar(dtype, weak=True))


def static_thing(value: object) -> Thing:
    """A static object: containers are opened, numbers in them are constants."""
    if isinstance(value, (bool, int, float, complex)) and type(value) in _PYTHON:
        return constant_of(value)
    if type(value) in (tuple, list):
        assert isinstance(value, (tuple, list))
        return Items(type(value).__name__, tuple(static_thing(v) for v in value))
    if type(value) is dict:
        assert isinstance(value, dict)
        return Items("dict", tuple(static_thing(v) for v in value.values()), tuple(value))
    return Static(value)


def known(thing: Thing) -> tuple[bool, Any]:
    """Whether a thing is known while compiling, and its Python value."""
    if isinstance(thing, Constant):
        return True, thing.value
    if isinstance(thing, Static):
        return True, thing.value
    if isinstance(thing, Items):
        parts = [known(i) for i in thing.items]
        if all(ok for ok, _ in parts):
            values = [v for _, v in parts]
            if thing.kind == "dict":
                return True, dict(zip(thing.keys, values, strict=True))
            if isinstance(thing.kind, str):
                return True, tuple(values) if thing.kind == "tuple" else values
            if not containers.is_changeable(thing.kind):
                return True, containers.put_together(thing.kind, thing.keys, values)
    return False, None


def known_value(tracer: Tracer, thing: Thing, what: str) -> Any:
    ok, value = known(thing)
    if ok:
        return value
    for leaf in leaves(thing):
        atom = atom_of(leaf)
        if atom is not None and not isinstance(atom, Constant):
            tracer.need_static(atom, f"an argument of {what}")
    tracer.refuse(f"an argument of {what} is not known while compiling", "write it out")
