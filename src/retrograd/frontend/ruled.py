"""Calls of functions with rules of the user's (`api/rules.py`).

    r = f(x, y)     the statements of f, on x and y as they are now
                    r = ruled(what f returned, x, y)      with the bodies of f's rule

The bodies are traced here, for every call, so that what they read from outside is captured as what
the function reads is.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

from retrograd.api.rules import Definition, Ruled
from retrograd.frontend import calls, cells
from retrograd.frontend.certain import certain
from retrograd.frontend.pure import surroundings
from retrograd.frontend.rule_bodies import Traced, bodies
from retrograd.frontend.things import Handle, Items, Static, Thing, atom_of, leaves, thing_of
from retrograd.frontend.tracer import Tracer, known, static_thing
from retrograd.ir.nodes import Atom, Value, free
from retrograd.ir.ruled import Call
from retrograd.ir.types import Array, Scalar, is_float
from retrograd.places import ATTRIBUTE, Place

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """The arguments of a call, in the order of the parameters; `names` are those of the parameters
    by position. `settings` are the keyword-only ones."""

    names: tuple[str, ...]
    things: tuple[Thing, ...]
    settings: dict[str, Thing]


def call(tracer: Tracer, ruled: Ruled, args: Args, keywords: Keywords) -> Thing:
    """A call of a function with a rule."""
    definition = _definition(tracer, ruled)
    given = _given(tracer, definition, args, keywords)
    around = surroundings(tracer, given.things)
    found = _called(tracer, ruled, definition, given)
    around.check(tracer, tracer, f"{definition.name!r}, which has a rule of its own,")
    several = isinstance(found, Items) and found.kind == "tuple"
    results = [_result(tracer, definition, r, given)
               for r in (found.items if isinstance(found, Items) and several else (found,))]
    things = _with_rule(tracer, definition, given, results, several)
    return Items("tuple", tuple(things)) if several else things[0]


def _called(tracer: Tracer, ruled: Ruled, definition: Definition, given: Given) -> Thing:
    if not definition.opaque:
        return calls.call(tracer, Static(definition.function), given.things, given.settings)
    from retrograd.api.opaque import Opaque
    from retrograd.frontend import opaque

    assert isinstance(ruled, Opaque)
    if given.settings:
        tracer.refuse(f"{definition.name!r} is opaque, and takes keyword-only arguments",
                      "bind them before: rg.rule(functools.partial(...), opaque=True)")
    return opaque.call(tracer, ruled, given.things)


def _definition(tracer: Tracer, ruled: Ruled) -> Definition:
    """What the rule is now; another one is compiled anew."""
    definition: Definition = tracer.guarded(Place(ruled, ATTRIBUTE, "definition"), ruled.__name__)
    return definition


# --- arguments -----------------------------------------------------------------------------------


def _given(tracer: Tracer, definition: Definition, args: Args, keywords: Keywords) -> Given:
    signature = _signature(definition)
    if signature is None:
        if keywords:
            tracer.refuse(f"{definition.name!r} is called with keywords, and does not tell its "
                          "parameters", "pass the arguments by position")
        return Given(_names(definition, len(args)),
                     tuple(_argument(tracer, definition, a) for a in args), {})
    try:
        bound = signature.bind(*args, **keywords)
    except TypeError as error:
        if not definition.opaque:            # Python's own words
            calls.call(tracer, Static(definition.function), args, keywords)
        raise certain(TypeError)(f"{definition.name}() {error}") from None
    names: list[str] = []
    things: list[Thing] = []
    settings: dict[str, Thing] = {}
    for name, parameter in signature.parameters.items():
        found = bound.arguments.get(name)
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            names += [f"{name}_{k}" for k in range(len(found or ()))]
            things += found or ()
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            settings.update(found or {})
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            settings[name] = static_thing(parameter.default) if found is None else found
        else:
            names.append(name)
            things.append(static_thing(parameter.default) if found is None else found)
    for name, thing in settings.items():
        _check_setting(tracer, definition, name, thing)
    return Given(tuple(names), tuple(_argument(tracer, definition, t) for t in things), settings)


def _signature(definition: Definition) -> inspect.Signature | None:
    function = getattr(definition.function, "py_func", definition.function)
    if definition.opaque and not isinstance(function, FunctionType | functools.partial):
        return None                        # what C functions say, they need not mean
    return inspect.signature(function)


def _names(definition: Definition, count: int) -> tuple[str, ...]:
    """The arguments' names, as the rule has them."""
    for function in (definition.partials, definition.pullback, definition.pushforward):
        if function is not None:
            found = [p.name for p in inspect.signature(function).parameters.values()
                     if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
            if len(found) == count:
                return tuple(found)
    return tuple(f"x{k}" for k in range(count))


def _argument(tracer: Tracer, definition: Definition, thing: Thing) -> Thing:
    """A number, an array as it is now, or something that is known."""
    atom = tracer.atom(thing)
    if atom is not None:
        return thing_of(atom)
    thing = cells.frozen(tracer, thing)
    if any(not known(leaf)[0] for leaf in leaves(thing)):
        tracer.refuse(f"a container of numbers or arrays is passed to {definition.name!r}, which "
                      "has a rule of its own", "pass the numbers and arrays one by one")
    return thing


def _check_setting(tracer: Tracer, definition: Definition, name: str, thing: Thing) -> None:
    for leaf in leaves(cells.frozen(tracer, thing)):
        atom = atom_of(leaf)
        if isinstance(atom, Value) and is_float(atom.type):
            tracer.refuse(f"{name!r} of {definition.name!r} is keyword-only: rules give no "
                          "derivative with respect to such arguments",
                          f"let {definition.name!r} take it by position, or pass "
                          "rg.stop_gradient of it as an argument of its own")


# --- results -------------------------------------------------------------------------------------


def _result(tracer: Tracer, definition: Definition, thing: Thing, given: Given) -> Atom:
    """A result in memory of its own."""
    thing = cells.frozen(tracer, thing)
    atom = tracer.atom(thing)
    if atom is None:
        tracer.refuse(f"{definition.name!r}, which has a rule of its own, returns something that "
                      "is neither a number nor an array", "return numbers and arrays, several as "
                      "a tuple")
    if isinstance(thing, Handle) and isinstance(atom.type, Array) and (
            atom.type.layout != "C" or thing.path or not _fresh(tracer, thing, given)):
        return tracer.builder.let("copy", atom, name=thing.value.name)
    return atom


def _fresh(tracer: Tracer, handle: Handle, given: Given) -> bool:
    """Whether an array is certainly none that was there before."""
    before = {t.base for t in given.things if isinstance(t, Handle)} | set(tracer.context.lasting)
    return before.isdisjoint(handle.base.closure())


def _with_rule(tracer: Tracer, definition: Definition, given: Given, results: list[Atom],
               several: bool) -> list[Thing]:
    """The results with the rule's derivative."""
    operands = tuple(a for a in map(atom_of, given.things) if a is not None)
    outs = tuple(_like(tracer, "out", r) for r in results)
    bars = tuple(_like(tracer, "out_bar", r) if is_float(r.type) else None for r in results)
    dots = tuple(_like(tracer, f"{n}_dot", a) if is_float(a.type) else None
                 for n, a in _numbers(given))
    traced = Traced(definition, given.names, given.things, given.settings, operands, results,
                    outs, bars, dots, several)
    found = bodies(tracer, traced)
    own = {*outs, *bars, *dots, *results, *operands}
    others = dict.fromkeys(
        v for body in found.values()
        for v in free(body.block, tuple(r for r in body.results if r is not None)) if v not in own)
    formals = (*results, *operands, *others)
    call = Call(definition.name, len(results), len(operands), outs, bars, dots, found, formals)
    return [_ruled(tracer, call, k, r) for k, r in enumerate(results)]


def _numbers(given: Given) -> list[tuple[str, Atom]]:
    return [(n, a) for n, t in zip(given.names, given.things, strict=True)
            if (a := atom_of(t)) is not None]


def _like(tracer: Tracer, name: str, atom: Atom) -> Value:
    """A placeholder of the type and shape of an atom."""
    type = atom.type
    value = Value(name, replace(type, layout="C") if isinstance(type, Array) else type)
    if type.rank:
        tracer.builder.facts.extents[value] = tracer.builder.facts.of(atom)
    return value


def _ruled(tracer: Tracer, call: Call, index: int, result: Atom) -> Thing:
    if not is_float(result.type):
        return thing_of(result)
    weak = isinstance(result.type, Scalar) and result.type.weak
    static: dict[str, Any] = {"call": call, "index": index}
    return thing_of(tracer.builder.let("ruled", *call.formals, weak=weak, **static))
