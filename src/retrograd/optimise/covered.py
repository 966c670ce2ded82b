"""Checks that NumPy makes itself need not be computed in the readable source.

    before:  n = dim(x, axis=0)              after:  check_index()        covers y
             check_index(i, n)  covers y             y = load(x, i)
             y = load(x, i)

While the operation whose result a check `covers` is there, the check keeps its place but reads
nothing, and the printer leaves it out. An operation that only such a check still read is not
there afterwards, and what covered it is computed after all.
"""

from __future__ import annotations

from dataclasses import replace

from retrograd.ir.nodes import Block, Effect, Function, Let, Statement, Value, walk
from retrograd.ir.rewrite import with_blocks
from retrograd.optimise.dead import remove_dead


def without_covered(function: Function) -> Function:
    """The function whose covered checks read nothing."""
    present = {s.result for s in walk(function.body) if isinstance(s, Let)}
    covering = {s.static.get("covers") for s in walk(function.body) if isinstance(s, Effect)}
    while True:
        new = replace(function, body=_block(function.body, present))
        left = {s.result for s in walk(remove_dead(new).body) if isinstance(s, Let)}
        lost = (covering & present) - left
        if not lost:
            return new
        present -= lost


def _block(block: Block, present: set[Value]) -> Block:
    return tuple(_statement(s, present) for s in block)


def _statement(statement: Statement, present: set[Value]) -> Statement:
    if isinstance(statement, Effect) and statement.static.get("covers") in present:
        return replace(statement, args=())
    return with_blocks(statement, lambda block: _block(block, present))
