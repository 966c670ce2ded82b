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

from retrograd.ir.nodes import (
    Block,
    Branch,
    Effect,
    Function,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
    walk,
)
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
    match statement:
        case Effect():
            covered = statement.static.get("covers") in present
            return replace(statement, args=()) if covered else statement
        case Loop():
            return replace(statement, body=_block(statement.body, present))
        case While():
            return replace(statement, test=_block(statement.test, present),
                           body=_block(statement.body, present))
        case Branch():
            return replace(statement, then=_block(statement.then, present),
                           otherwise=_block(statement.otherwise, present))
        case Let() | Raise():
            return statement
