"""A function traced into a block of its own, on arguments of its own, so that the block can be
differentiated before it becomes part of the caller.

    g = grad(f)(x, y)        x' stands for x: the gradient is that with respect to this parameter,
                             whatever else x is used for; what f writes into it stays in the block
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import FunctionType

import numpy as np

from retrograd.frontend import calls, cells
from retrograd.frontend.certain import Certain, certain
from retrograd.frontend.endings import structure
from retrograd.frontend.things import (
    Base,
    Closure,
    Derived,
    Grown,
    Handle,
    Items,
    Static,
    Thing,
    fresh,
    leaves,
    thing_of,
    with_leaves,
)
from retrograd.frontend.tracer import Tracer, static_thing
from retrograd.ir.nodes import Atom, Block, Constant, Function, Value, free
from retrograd.ir.rewrite import replaced, standing
from retrograd.ir.types import Scalar, is_float
from retrograd.optimise.dead import remove_dead
from retrograd.places import ATTRIBUTE, Place
from retrograd.program import Position
from retrograd.trees import Fixed, Tree


@dataclass(slots=True)
class Isolated:
    """The traced function: `own` are its parameters and what they stand for, `inputs` the leaves
    of the arguments that are differentiated, by place. `tree` over `atoms` is what it returns."""

    tracer: Tracer
    own: dict[Value, Atom] = field(default_factory=dict)
    inputs: dict[Position, list[Value]] = field(default_factory=dict)
    given: dict[Position, Thing] = field(default_factory=dict)
    tree: Tree = field(default_factory=lambda: Fixed(None))
    atoms: tuple[Atom, ...] = ()

    @property
    def function(self) -> Function:
        """The function's block, without what nobody reads. What it uses of the caller's is given
        to it like its own parameters."""
        body = self.tracer.builder.block
        params = dict.fromkeys((*self.own, *free(body, self.atoms)))
        return remove_dead(Function("inner", tuple(params), body, self.atoms))

    @property
    def leaves(self) -> list[Value]:
        return [v for values in self.inputs.values() for v in values]

    def spliced(self, tracer: Tracer, block: Block) -> None:
        """Make a block over the own parameters part of the caller's."""
        for statement in replaced(block, self.own):
            tracer.builder.append(statement)

    def outside(self, atom: Atom) -> Atom:
        return standing(atom, self.own)


def signature_of(function: Thing) -> inspect.Signature:
    """The parameters of something to call; defaults are things."""
    from retrograd.api import parameters

    if isinstance(function, Derived):
        inner = signature_of(function.function)
        if function.kind == "jvp":
            return inspect.Signature([inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)])
        return parameters.with_direction(inner, function.positions[0]) \
            if function.kind == "hvp" else inner
    if isinstance(function, Closure):
        return _signature_of_closure(function)
    assert isinstance(function, Static)
    found = parameters.signature_of(function.value)
    return found.replace(parameters=[
        p if p.default is p.empty else p.replace(default=static_thing(p.default))
        for p in found.parameters.values()])


def _signature_of_closure(function: Closure) -> inspect.Signature:
    spec = function.node.args
    positional = [*spec.posonlyargs, *spec.args]
    without = len(positional) - len(function.defaults)
    made = [inspect.Parameter(
        a.arg, inspect.Parameter.POSITIONAL_ONLY if k < len(spec.posonlyargs)
        else inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=function.defaults[k - without] if k >= without else inspect.Parameter.empty)
        for k, a in enumerate(positional)]
    if spec.vararg is not None:
        made.append(inspect.Parameter(spec.vararg.arg, inspect.Parameter.VAR_POSITIONAL))
    made += [inspect.Parameter(
        a.arg, inspect.Parameter.KEYWORD_ONLY,
        default=function.keyword_defaults.get(a.arg, inspect.Parameter.empty))
        for a in spec.kwonlyargs]
    return inspect.Signature(made)


def isolated(tracer: Tracer, function: Thing, args: Iterable[Thing],
             keywords: Mapping[str, Thing], wanted: Iterable[Position],
             returns: tuple[str, ...] = ()) -> Isolated:
    """Trace a call; the arguments at the `wanted` places are differentiated. Of `returns`, the
    last contents are results."""
    bound = bound_to(tracer, function, args, keywords)
    names = list(bound.signature.parameters)
    result = Isolated(tracer.inner())
    for name, thing in bound.arguments.items():
        place = names.index(name)
        if isinstance(thing, tuple):
            bound.arguments[name] = tuple(
                _own(result, tracer, f"{name}_{k}", t, (place, k), wanted)
                for k, t in enumerate(thing))
        else:
            bound.arguments[name] = _own(result, tracer, name, thing, place, wanted)
    clock = tracer.memory.clock
    try:
        returned = calls.call(result.tracer, function, bound.args, bound.kwargs)
    except Certain:
        result.spliced(tracer, result.tracer.builder.block)      # what it prints before it raises
        raise
    _check_writes(tracer, result.tracer, clock)
    check_copies(tracer, result.tracer, clock, (*bound.args, *bound.kwargs.values()))
    atoms: list[Atom] = []
    returned = with_contents(returned, bound, returns)
    result.tree = structure(result.tracer, returned, atoms)
    result.atoms = tuple(atoms)
    return result


def with_contents(returned: Thing, bound: inspect.BoundArguments, returns: tuple[str, ...],
                  ) -> Thing:
    """What a function returns, and behind it the arguments whose last contents are asked for."""
    if not returns:
        return returned
    contents = tuple(bound.arguments[name] for name in returns)
    nothing = isinstance(returned, Static) and returned.value is None
    parts = contents if nothing else (returned, *contents)
    return parts[0] if len(parts) == 1 else Items("tuple", parts)


def bound_to(tracer: Tracer, function: Thing, args: Iterable[Thing],
             keywords: Mapping[str, Thing]) -> inspect.BoundArguments:
    """The arguments of a call by the names of the parameters, with defaults."""
    try:
        bound = signature_of(function).bind(*args, **keywords)
    except TypeError as error:
        raise certain(TypeError)(str(error)) from None
    given = set(bound.arguments)
    bound.apply_defaults()
    for name, thing in list(bound.arguments.items()):
        if isinstance(thing, Static) and thing.value is np._NoValue:     # NumPy's "not given"
            del bound.arguments[name]
    inner = _inside(function)
    for name in bound.arguments:
        if name not in given and inner is not None and bound.signature.parameters[
                name].default is not inspect.Parameter.empty:
            place = _place_of_default(inner, name)
            bound.arguments[name] = tracer.captured(place, f"{inner.__name__}_default_{name}")
    return bound


def _inside(function: Thing) -> FunctionType | None:
    """The user's function that a derivative is of, whose default values are read at every call."""
    while isinstance(function, Derived):
        function = function.function
    return function.value if isinstance(function, Static) and isinstance(
        function.value, FunctionType) else None


def _place_of_default(function: FunctionType, name: str) -> Place:
    if name in (function.__kwdefaults__ or {}):
        return Place(function, ATTRIBUTE, "__kwdefaults__").item(name)
    code, count = function.__code__, len(function.__defaults__ or ())
    number = code.co_varnames.index(name) - (code.co_argcount - count)
    return Place(function, ATTRIBUTE, "__defaults__").item(number)


def _own(result: Isolated, tracer: Tracer, name: str, thing: Thing, place: Position,
         wanted: Iterable[Position]) -> Thing:
    thing = cells.frozen(tracer, thing)
    if place not in wanted:
        return unfrozen(result.tracer, with_leaves(thing, lambda t: apart(tracer, t)))
    if any(isinstance(part, Grown) for part in (thing, *_parts(thing))):
        tracer.refuse("a list whose length only the program knows is differentiated",
                      "make it an array first: np.array(...)")
    result.inputs[place] = []
    atom = tracer.atom(thing)
    if atom is not None and isinstance(atom.type, Scalar) and atom.type.weak and (
            not is_float(atom.type)):
        thing = tracer.builder.let("cast", atom, dtype="float64", weak=True)   # a Python int
    result.given[place] = thing
    return unfrozen(result.tracer, with_leaves(
        thing, lambda leaf: _parameter(result, tracer, name, leaf, place)))


def _parts(thing: Thing) -> tuple[Thing, ...]:
    return tuple(p for i in thing.items for p in (i, *_parts(i))) \
        if isinstance(thing, Items) else ()


def apart(tracer: Tracer, leaf: Thing) -> Thing:
    """An array as it is now, in memory of its own: in a loop, another one in each iteration."""
    if not isinstance(leaf, Handle):
        return leaf
    value = tracer.current(leaf)
    own = tracer.builder.let("let", value, name=value.name)
    assert isinstance(own, Value)
    return fresh(own, leaf)


def _parameter(result: Isolated, tracer: Tracer, name: str, leaf: Thing, place: Position,
               ) -> Thing:
    """A parameter for a float; anything else stays what it is."""
    atom = tracer.atom(leaf)
    assert atom is not None
    if not is_float(atom.type):
        return apart(tracer, leaf)
    shown = atom.name if isinstance(atom, Value) else name
    own = Value(shown, atom.type)
    if atom.type.rank:
        tracer.builder.facts.extents[own] = tracer.builder.facts.of(atom)
    result.own[own] = atom
    result.inputs[place].append(own)
    return fresh(own, leaf) if isinstance(leaf, Handle) else own


def unfrozen(tracer: Tracer, thing: Thing) -> Thing:
    """The thing with lists and dicts in it as objects, which can be changed."""
    if not isinstance(thing, Items):
        return thing
    return cells.made(tracer, Items(thing.kind, tuple(unfrozen(tracer, i) for i in thing.items),
                                    thing.keys))


def _check_writes(tracer: Tracer, inner: Tracer, clock: int) -> None:
    """A derivative changes nothing: what the function writes must be its own."""
    outer: set[Base] = set(tracer.context.lasting)
    for thing in (*tracer.env.values(), *tracer.outer_things(), *tracer.memory.held.values()):
        outer.update(leaf.base for leaf in leaves(thing) if isinstance(leaf, Handle))
    if any(base in outer for base in inner.memory.since(clock)):
        tracer.refuse("a function that is differentiated here writes into an array of the "
                      "function around it", "pass the array as an argument, or let it work on a "
                      "copy")
    before = set(tracer.memory.held)
    if any(cell in before and time > clock for cell, time in inner.memory.changed.items()):
        tracer.refuse("a function that is differentiated here changes a list or dict of the "
                      "function around it", "pass it as an argument, or let it work on a copy")


def check_copies(tracer: Tracer, inner: Tracer, clock: int, given: Iterable[Thing]) -> None:
    """What is written since must not be a copy of an array of which another argument is one, too:
    the function would have seen the write there."""
    bases = [leaf.base for thing in given for leaf in leaves(cells.frozen(inner, thing))
             if isinstance(leaf, Handle)]
    for base in inner.memory.since(clock):
        if base.of is not None and any(
                other is not base and other.of is not None and base.of.overlaps(other.of)
                for other in bases):
            tracer.refuse(f"{base.first.name!r} is given for two arguments (or parts of it are), "
                          "and one of them is written to", "pass a copy: .copy()")


# --- results -------------------------------------------------------------------------------------


def like_argument(tracer: Tracer, thing: Thing, adjoints: Iterable[Thing]) -> Thing:
    """What belongs to an argument's float leaves in its structure; None at the other leaves."""
    remaining = iter(adjoints)

    def build(part: Thing) -> Thing:
        if isinstance(part, Items):
            return cells.made(tracer, Items(part.kind, tuple(build(i) for i in part.items),
                                            part.keys))
        atom = tracer.atom(part)
        return next(remaining) if atom is not None and (
            is_float(atom.type)) else Static(None)

    return build(thing)


def typed_as(tracer: Tracer, atom: Atom, like: Atom) -> Thing:
    """The derivative of a Python number is one: it takes the precision of what it meets."""
    if atom.type == like.type or not isinstance(like.type, Scalar) or atom.type.rank:
        return thing_of(atom)
    if isinstance(atom, Constant):
        return thing_of(Constant(atom.value, like.type))
    return thing_of(tracer.builder.retyped(atom, like.type))
