"""Calls of opaque functions (`api/opaque.py`): one operation, of the declared type and shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrograd.api.opaque import Opaque, declared, direct, module_of
from retrograd.api.rules import Definition
from retrograd.frontend import calls
from retrograd.frontend.atoms import need_atom
from retrograd.frontend.things import Static, Thing, thing_of
from retrograd.frontend.tracer import Tracer
from retrograd.ir.extents import Extent
from retrograd.ir.foreign import Foreign
from retrograd.ir.nodes import Atom
from retrograd.ir.operations_elementwise import shape_text
from retrograd.ir.types import DTYPES, Array, Scalar, Type


def call(tracer: Tracer, opaque: Opaque, things: Sequence[Thing]) -> Thing:
    """`opaque(*things)`."""
    definition = opaque.definition
    atoms = [_argument(tracer, definition, t) for t in things]
    type, extents = _result(tracer, definition, things, atoms)
    builder = tracer.builder
    found = builder.let("opaque", *atoms, weak=False, function=_foreign(tracer, opaque),
                        dtype=type.dtype, rank=type.rank)
    if extents is None or not type.rank:
        return thing_of(found)
    made = builder.facts.of(found)
    for a, b in zip(made, extents, strict=True):
        builder.require_equal(a, b, ValueError, [
            f"{definition.name!r} returned an array of shape ", *shape_text(made),
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


def _result(tracer: Tracer, definition: Definition, things: Sequence[Thing],
            atoms: Sequence[Atom]) -> tuple[Type, tuple[Extent, ...] | None]:
    """The type of the result, and its extents where they are said."""
    if isinstance(definition.result, str):
        return declared(definition), None
    if definition.result is None:
        return _of_ufunc(tracer, definition, atoms)
    like = need_atom(tracer, calls.call(tracer, Static(definition.result), tuple(things), {}))
    return like.type, tracer.builder.facts.of(like)


def _of_ufunc(tracer: Tracer, definition: Definition, atoms: Sequence[Atom],
              ) -> tuple[Type, tuple[Extent, ...]]:
    """A ufunc broadcasts its arguments, and says what dtype it returns."""
    ufunc = definition.function
    assert isinstance(ufunc, np.ufunc)
    if len(atoms) != ufunc.nin:
        tracer.refuse(f"{definition.name!r} takes {ufunc.nin} arguments",
                      f"call it with {ufunc.nin} numbers or arrays")
    given = [_dtype(a) for a in atoms]
    dtype = ufunc.resolve_dtypes((*given, None))[-1].name
    shape = atoms[0]
    for other in atoms[1:]:
        shape = tracer.builder.let("add", shape, other)
    extents = tracer.builder.facts.of(shape)
    if not extents:
        return Scalar(dtype), ()
    return Array(dtype, tuple(1 if e.known == 1 else None for e in extents)), extents


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


