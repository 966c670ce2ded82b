"""Calls of functions with rules of the user's (`api/rules.py`).

    r = f(x, y)     the statements of f, on x and y as they are now
                    r = ruled(what f returned, x, y)      with the bodies of f's rule

Arguments and results may be containers: their numbers and arrays are the operands and the results
of the call (`ruled_values.py`). The bodies are traced here, for every call, so that what they read
from outside is captured as what the function reads is.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import FunctionType
from typing import Any

from retrograd import containers
from retrograd.adjoint.activity import influences
from retrograd.api.rules import Definition, Ruled
from retrograd.frontend import calls, cells
from retrograd.frontend.certain import certain
from retrograd.frontend.pure import Surroundings, surroundings
from retrograd.frontend.rule_bodies import bodies
from retrograd.frontend.ruled_values import Flat, Given, Opener, Traced
from retrograd.frontend.things import (
    Handle,
    Items,
    Static,
    Thing,
    atom_of,
    has_function,
    leaves,
    thing_of,
)
from retrograd.frontend.tracer import Tracer, static_thing
from retrograd.ir.nodes import Atom, Value, free
from retrograd.ir.ruled import Call
from retrograd.ir.types import Array, Scalar, is_float
from retrograd.places import ATTRIBUTE, Place
from retrograd.trees import Node

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]


def call(tracer: Tracer, ruled: Ruled, args: Args, keywords: Keywords) -> Thing:
    """A call of a function with a rule."""
    definition = _definition(tracer, ruled)
    given = _given(tracer, definition, args, keywords)
    around, start = surroundings(tracer, given.things), len(tracer.builder.statements)
    found = _called(tracer, ruled, definition, given)
    around.check(tracer, tracer, f"{definition.name!r}, which has a rule of its own,")
    results = _results(tracer, definition, found, around)
    read = _read(tracer, given, results, start) if given.functions else ()
    things = _with_rule(tracer, definition, given, results, read)
    return results.together(tracer, things.__getitem__)


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
        return _arguments(tracer, definition, _names(definition, len(args)), args, {})
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
    return _arguments(tracer, definition, names, things, settings)


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


def _arguments(tracer: Tracer, definition: Definition, names: Sequence[str],
               things: Sequence[Thing], settings: dict[str, Thing]) -> Given:
    """The arguments: numbers, arrays as they are now, containers of these, known things."""
    opener = Opener(tracer, f"is passed to {definition.name!r}", lambda _, atom: atom)
    tree = Node("tuple", tuple(opener.tree(t, n) for n, t in zip(names, things, strict=True)))
    flat = opener.flat(tree)
    functions = any(has_function(cells.frozen(tracer, t)) for t in (*things, *settings.values()))
    if functions:                       # what they read is told from what is an argument
        flat = replace(flat, atoms=tuple(_own(tracer, a) for a in flat.atoms))
    parts = [thing_of(atom) for atom in flat.atoms]
    found = flat.together(tracer, parts.__getitem__)
    assert isinstance(found, Items)
    return Given(tuple(names), found.items, settings, flat, functions)


def _own(tracer: Tracer, atom: Atom) -> Atom:
    if not isinstance(atom, Value) or not is_float(atom.type):
        return atom
    weak = isinstance(atom.type, Scalar) and atom.type.weak
    return tracer.builder.let("let", atom, name=atom.name, weak=weak)


def _read(tracer: Tracer, given: Given, results: Flat, start: int) -> tuple[Value, ...]:
    """What functions among the arguments have read around the call, on which its results
    depend."""
    block = tuple(tracer.builder.statements[start:])
    needed = influences(block, results.atoms)
    known = {*given.flat.atoms, *tracer.context.capture_values}
    return tuple(v for v in free(block, results.atoms) if v in needed and v not in known)


def _check_setting(tracer: Tracer, definition: Definition, name: str, thing: Thing) -> None:
    for leaf in leaves(cells.frozen(tracer, thing)):
        atom = atom_of(leaf)
        if isinstance(atom, Value) and is_float(atom.type):
            tracer.refuse(f"{name!r} of {definition.name!r} is keyword-only: rules give no "
                          "derivative with respect to such arguments",
                          f"let {definition.name!r} take it by position, or pass "
                          "rg.stop_gradient of it as an argument of its own")


# --- results -------------------------------------------------------------------------------------


def _results(tracer: Tracer, definition: Definition, found: Thing, around: Surroundings) -> Flat:
    """The results, in memory of their own."""
    def own(thing: Thing, atom: Atom) -> Atom:
        if isinstance(thing, Handle) and isinstance(atom.type, Array) and (
                atom.type.layout != "C" or thing.path or not _fresh(thing, around)):
            return tracer.builder.let("copy", atom, name=thing.value.name)
        return atom

    opener = Opener(tracer, f"is returned by {definition.name!r}", own, results=True)
    opened = cells.opened(tracer, found)
    if isinstance(opened, Items) and opened.kind == "tuple":
        flat = opener.flat(Node("tuple", tuple(
            opener.tree(part, f"result {k}" if tracer.atom(part) is not None else f"out[{k}]")
            for k, part in enumerate(opened.items))))
    else:
        path = "the result" if tracer.atom(found) is not None else "out"
        flat = opener.flat(opener.tree(found, path))
    if not flat.atoms:
        tracer.refuse(f"{definition.name!r}, which has a rule of its own, returns nothing that is "
                      "a number or an array", "return numbers, arrays, or containers of them")
    return flat


def _fresh(handle: Handle, around: Surroundings) -> bool:
    """Whether an array is certainly none that was there before."""
    return around.bases.isdisjoint(handle.base.closure())


def _with_rule(tracer: Tracer, definition: Definition, given: Given, flat: Flat,
               read: tuple[Value, ...]) -> list[Thing]:
    """The results with the rule's derivative; nothing is `read` besides the arguments, or that is
    not differentiated."""
    results, operands = flat.atoms, given.flat.atoms
    outs = tuple(_like(tracer, "out", r) for r in results)
    bars = tuple(_like(tracer, "out_bar", r) if is_float(r.type) else None for r in results)
    dots = tuple(_like(tracer, f"{_identifier(path)}_dot", a) if is_float(a.type) else None
                 for path, a in zip(given.flat.paths, operands, strict=True))
    found = bodies(tracer, Traced(definition, given, flat, outs, bars, dots))
    own = {*outs, *bars, *dots, *results, *operands}
    inside = (v for body in found.values()
              for v in free(body.block, tuple(r for r in body.results if r is not None)))
    others = dict.fromkeys((*read, *(v for v in inside if v not in own)))
    formals = (*results, *operands, *others)
    call = Call(definition.name, len(results), len(operands), outs, bars, dots, found, formals,
                len(read))
    return [_ruled(tracer, call, k, r) for k, r in enumerate(results)]


def _identifier(path: str) -> str:
    """`params_w` for `params['w']`."""
    name = re.match(r"\w*", path)
    assert name is not None
    return containers.identifier(name[0], path[name.end():]) if path != name[0] else path


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
