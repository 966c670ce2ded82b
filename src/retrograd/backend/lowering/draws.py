"""Draws: an array is drawn number by number, in the order in which NumPy fills it."""

from __future__ import annotations

from retrograd.backend.lowering.context import Context
from retrograd.backend.lowering.nest import Indices, empty, fill, put
from retrograd.backend.lowering.scope import Scope
from retrograd.ir import draws
from retrograd.ir.nodes import Atom, Effect, Value


def draw(context: Context, scope: Scope, effect: Effect) -> Value:
    generator, bounds, shape = draws.parts(effect)
    source = context.atom(scope, generator)
    limits = [context.atom(scope, b) for b in bounds]
    method, endpoint = effect.static["method"], effect.static["endpoint"]
    assert effect.result is not None
    name = effect.result.name
    if shape is None:
        return scope.renamed(draws.draw(scope, method, source, limits, None, endpoint), name)
    extents = [scope.facts.integer(context.atom(scope, a)) for a in shape]

    def write(inner: Scope, array: Value, indices: Indices) -> Atom:
        return put(inner, array, indices,
                   draws.draw(inner, method, source, limits, None, endpoint))

    return fill(scope, empty(scope, extents, effect.result.type.dtype, name), extents, write)
