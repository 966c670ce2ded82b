"""Calls of opaque functions (`api/opaque.py`): operations of the declared types and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.api.opaque import Opaque, declared, direct, module_of
from retrograd.api.rules import Definition
from retrograd.frontend import calls
from retrograd.frontend.things import Items, Static, Thing, is_tuple, thing_of
from retrograd.frontend.tracer import Tracer
from retrograd.ir.extents import Extent
from retrograd.ir.foreign import Foreign
from retrograd.ir.nodes import Atom
from retrograd.ir.operations_elementwise import shape_text
from retrograd.ir.types import DTYPES, Array, Scalar, Type


@dataclass(frozen=True, slots=True)
class Result:
    """A result's type, and its extents where they are said."""

    type: Type
    extents: tuple[Extent, ...] | None = None


def call(tracer: Tracer, opaque: Opaque, things: Sequence[Thing]) -> Thing:
    """`opaque(*things)`. One that returns a tuple is an operation for each result, which are
    printed as one call."""
    definition = opaque.definition
    atoms = [_argument(tracer, definition, t) for t in things]
    expected = _results(tracer, definition, things, atoms)
    static: dict[str, Any] = {"function": _foreign(tracer, opaque)}
    if isinstance(expected, Result):
        found = _made(tracer, atoms, expected, static)
        return _of_extents(tracer, definition, found, expected)
    static["results"] = tuple((e.type.dtype, e.type.rank) for e in expected)
    several = [_made(tracer, atoms, e, {**static, "number": k}, f"{static['function']}_{k}")
               for k, e in enumerate(expected)]
    return Items("tuple", tuple(
        _of_extents(tracer, definition, found, e, f" as result {k}")
        for k, (found, e) in enumerate(zip(several, expected, strict=True))))


def _made(tracer: Tracer, atoms: Sequence[Atom], expected: Result, static: dict[str, Any],
          name: str = "t") -> Atom:
    return tracer.builder.let("opaque", *atoms, name=name, weak=False, dtype=expected.type.dtype,
                              rank=expected.type.rank, **static)


def _of_extents(tracer: Tracer, definition: Definition, found: Atom, expected: Result,
                which: str = "") -> Thing:
    """A result, of the extents that are said."""
    extents, builder = expected.extents, tracer.builder
    if extents is None or not found.type.rank:
        return thing_of(found)
    made = builder.facts.of(found)
    for a, b in zip(made, extents, strict=True):
        builder.require_equal(a, b, ValueError, [
            f"{definition.name!r} returned an array of shape ", *shape_text(made), which,
            ", and its result= says ", *shape_text(extents)])
    if any(e.known == 1 for e in extents):
        return thing_of(builder.let("reshape", found, *map(builder.atom_of, extents)))
    return thing_of(found)


def _argument(tracer: Tracer, definition: Definition, thing: Thing) -> Atom:
    atom = tracer.atom(thing)
    if atom is None:
        tracer.refuse(f"{definition.name!r} is opaque, and is called with something that is "
                      "neither a number nor an array", "bind it before: "
                      "rg.rule(functools.partial(...), opaque=True)")
    if atom.type.dtype not in DTYPES:
        tracer.refuse(f"{definition.name!r} is opaque, and is called with a {atom.type}",
                      "give it numbers and arrays")
    return atom


def _results(tracer: Tracer, definition: Definition, things: Sequence[Thing],
             atoms: Sequence[Atom]) -> Result | tuple[Result, ...]:
    """What is returned: one result, or a tuple of them."""
    if definition.result is None:
        return _of_ufunc(tracer, definition, atoms)
    if not callable(definition.result):
        types = declared(definition)
        return tuple(map(Result, types)) if isinstance(types, tuple) else Result(types)
    like = calls.call(tracer, Static(definition.result), tuple(things), {})
    if is_tuple(like):
        return tuple(_alike(tracer, definition, part) for part in like.items)
    return _alike(tracer, definition, like)


def _alike(tracer: Tracer, definition: Definition, like: Thing) -> Result:
    atom = tracer.atom(like)
    if atom is None:
        tracer.refuse(f"result= of {definition.name!r} gives something that is neither a number "
                      "nor an array", "let it return numbers and arrays, several as a tuple")
    return Result(atom.type, tracer.builder.facts.of(atom))


def _of_ufunc(tracer: Tracer, definition: Definition, atoms: Sequence[Atom],
              ) -> Result | tuple[Result, ...]:
    """A ufunc broadcasts its arguments, and says what dtypes it returns."""
    ufunc = definition.function
    assert isinstance(ufunc, np.ufunc)
    if len(atoms) != ufunc.nin:
        tracer.refuse(f"{definition.name!r} takes {ufunc.nin} arguments",
                      f"call it with {ufunc.nin} numbers or arrays")
    given = [_dtype(a) for a in atoms]
    dtypes = ufunc.resolve_dtypes((*given, *(None,) * ufunc.nout))[ufunc.nin:]
    shape = atoms[0]
    for other in atoms[1:]:
        shape = tracer.builder.let("add", shape, other)
    extents = tracer.builder.facts.of(shape)
    dims = tuple(1 if e.known == 1 else None for e in extents)
    found = tuple(Result(Array(d.name, dims) if dims else Scalar(d.name), extents) for d in dtypes)
    return found if len(found) > 1 else found[0]


def _dtype(atom: Atom) -> np.dtype[np.generic] | type:
    """What NumPy takes for the argument of a ufunc when it promotes."""
    weak = isinstance(atom.type, Scalar) and atom.type.weak
    python = {"i": int, "f": float, "c": complex}.get(atom.type.dtype[0]) if weak else None
    return np.dtype(atom.type.dtype) if python is None else python


def _foreign(tracer: Tracer, opaque: Opaque) -> Foreign:
    """One for each function of a trace; it is called what the user calls it."""
    found = tracer.context.foreign.get(opaque)
    if found is None:
        scope = tracer.frame.user_frame().function.__globals__
        name = next((n for n, v in scope.items() if v is opaque), opaque.__name__)
        name = name if name.isidentifier() else "opaque"
        found = tracer.context.foreign[opaque] = Foreign(
            name, opaque, direct(opaque.function), module_of(opaque, scope, name))
    return found


