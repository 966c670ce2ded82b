"""Opaque functions get arrays in memory, and return arrays in memory."""

from __future__ import annotations

from retrograd.backend.lowering.context import Called, Context, Lowered
from retrograd.backend.lowering.scope import Scope
from retrograd.ir.nodes import Atom, Let, Value
from retrograd.ir.types import Array


def opaque(context: Context, scope: Scope, let: Let) -> Lowered:
    """The results of one call get the same arguments, by which they are found to be of one."""
    now = [scope.lookup(a) if isinstance(a, Value) else a for a in let.args]
    key = (scope, let.static["function"], let.args)
    before = context.calls.get(key)
    if before is not None and all(a is b for a, b in zip(before.seen, now, strict=True)):
        args = before.args
    else:
        args = tuple(_argument(context, scope, a) for a in let.args)
        context.calls[key] = Called(tuple(now), args)
    return scope.let("opaque", *args, name=let.result.name, weak=False, **dict(let.static))


def _argument(context: Context, scope: Scope, atom: Atom) -> Atom:
    if isinstance(atom.type, Array):
        return context.in_memory(scope, atom)
    return context.atom(scope, atom)
