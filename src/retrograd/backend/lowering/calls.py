"""Opaque functions get arrays in memory, and return arrays in memory."""

from __future__ import annotations

from retrograd.backend.lowering.context import Context, Lowered
from retrograd.backend.lowering.scope import Scope
from retrograd.ir.nodes import Let
from retrograd.ir.types import Array


def opaque(context: Context, scope: Scope, let: Let) -> Lowered:
    args = [context.in_memory(scope, a) if isinstance(a.type, Array) else context.atom(scope, a)
            for a in let.args]
    return scope.let("opaque", *args, name=let.result.name, weak=False, **dict(let.static))
