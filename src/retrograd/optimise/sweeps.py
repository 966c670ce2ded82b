"""The mark between the two sweeps while a function is optimised.

Some passes change the order of sums. They may do so in what retrograd itself has made, the
reverse sweep, and never in the user's own statements before the mark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from retrograd.ir.nodes import Block, Effect, Function, Statement

BOUNDARY = Effect("print", (), {"parts": (), "end": "", "boundary": True})


def is_boundary(statement: Statement) -> bool:
    return isinstance(statement, Effect) and "boundary" in statement.static


def boundary_of(function: Function) -> int | None:
    """Where the mark stands among the statements of a function."""
    return next((k for k, s in enumerate(function.body) if is_boundary(s)), None)


def without_boundary(function: Function) -> Function:
    return replace(function, body=tuple(s for s in function.body if not is_boundary(s)))


def in_reverse_sweep(function: Function, change: Callable[[Block], Block]) -> Function:
    """The function with its reverse sweep changed; without a mark it has none."""
    cut = boundary_of(function)
    if cut is None:
        return function
    body = (*function.body[:cut + 1], *change(function.body[cut + 1:]))
    return replace(function, body=body)
