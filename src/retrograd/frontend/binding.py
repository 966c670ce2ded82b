"""Assignment: what names come to stand for, and the names of values."""

from __future__ import annotations

import ast
from dataclasses import replace

from retrograd.frontend import cells, iteration
from retrograd.frontend.certain import certain
from retrograd.frontend.things import Cell, Handle, Items, Thing, atom_of
from retrograd.frontend.tracer import Tracer
from retrograd.ir.nodes import Value


def bind(tracer: Tracer, target: ast.expr, thing: Thing) -> None:
    """Assign a thing to a name or to a tuple of names."""
    if isinstance(target, ast.Name):
        tracer.env[target.id] = thing
        return
    if isinstance(target, (ast.Tuple, ast.List)):
        _unpack(tracer, target, thing)
        return
    if isinstance(target, ast.Subscript):
        from retrograd.frontend import lists, storing
        from retrograd.frontend.expressions import evaluate

        owner = evaluate(tracer, target.value)
        if isinstance(owner, Handle):
            storing.assign(tracer, owner, target.slice, thing)
            return
        if isinstance(owner, (Cell, Items)):
            lists.assign(tracer, owner, evaluate(tracer, target.slice), thing)
            return
    if isinstance(target, ast.Attribute):
        from retrograd.frontend import objects
        from retrograd.frontend.expressions import evaluate

        owner = evaluate(tracer, target.value)
        found = objects.content(tracer, owner)
        if found is not None:
            objects.assign(tracer, owner, found, target.attr, thing)
            return
    kind = "an attribute" if isinstance(target, ast.Attribute) else "an element of this"
    tracer.refuse(f"assignment to {kind} is not supported", "use a variable of its own, or store "
                  "into an array", target)


def _unpack(tracer: Tracer, target: ast.Tuple | ast.List, thing: Thing) -> None:
    wanted = len(target.elts)
    starred = any(isinstance(t, ast.Starred) for t in target.elts)
    items = iteration.spread(tracer, thing) if starred else iteration.unrolled(
        tracer, thing, wanted)
    if items is None:
        tracer.refuse("this cannot be unpacked: its length is not known",
                      "index its elements instead", target)
    stars = [k for k, t in enumerate(target.elts) if isinstance(t, ast.Starred)]
    if stars:
        k, rest = stars[0], len(items) - wanted + 1
        middle = cells.made(tracer, Items("list", tuple(items[k:k + rest])))
        items = (*items[:k], middle, *items[k + rest:])
    if len(items) > wanted:
        raise certain(ValueError)(f"too many values to unpack (expected {wanted})")
    if len(items) < wanted:
        raise certain(ValueError)(
            f"not enough values to unpack (expected {wanted}, got {len(items)})")
    for part, item in zip(target.elts, items, strict=True):
        bind(tracer, part.value if isinstance(part, ast.Starred) else part, item)


def named(tracer: Tracer, thing: Thing, name: str) -> Thing:
    """Give a value that the last statement made, and nobody has read, the user's name for it.
    Names of the prelude and of rules are not the user's: they name nothing."""
    found = atom_of(thing)
    if not isinstance(found, Value) or not tracer.frame.user:
        return thing
    if isinstance(thing, Handle) and tracer.current(thing) is not found:
        return thing
    new = tracer.builder.renamed(found, name)
    if new is found or not isinstance(thing, Handle):
        return thing if new is found else new
    base = thing.base if thing.path else replace(thing.base, first=new, _known={})
    return Handle(new, base, thing.path, thing.version)
