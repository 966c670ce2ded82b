"""Index checks are left out, where the user takes the responsibility (`boundscheck=False`).

    before:                                  after:
        check_index(i, n)                        y = load(x, i)
        y = load(x, i)                           return y
        return y

Only checks of indices go: shapes, divisors, `raise` and `assert` stay. Negative indices still
count from the end.
"""

from __future__ import annotations

from retrograd.ir.nodes import Block, Effect, Function
from retrograd.ir.rewrite import with_blocks

_OF_INDICES = ("check_index", "check_bounds")


def without_index_checks(function: Function) -> Function:
    """The function without checks of indices."""
    return Function(function.name, function.params, _unchecked(function.body), function.returns,
                    function.notes)


def _unchecked(block: Block) -> Block:
    return tuple(with_blocks(s, _unchecked) for s in block
                 if not (isinstance(s, Effect) and s.kind in _OF_INDICES))
