"""Rewriting statements: other blocks inside them, other atoms in the place of values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Constant,
    Effect,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
)

Standing = Mapping[Value, Atom]


def with_blocks(statement: Statement, change: Callable[[Block], Block]) -> Statement:
    """The statement with every block inside it changed."""
    match statement:
        case Loop():
            return replace(statement, body=change(statement.body))
        case While():
            return replace(statement, test=change(statement.test), body=change(statement.body))
        case Branch():
            return replace(statement, then=change(statement.then),
                           otherwise=change(statement.otherwise))
        case Let() | Raise() | Effect():
            return statement


def without_marks(block: Block) -> Block:
    """The block without the marks that only reverse mode reads."""
    statements = (with_blocks(s, without_marks) for s in block)
    return tuple(replace(s, snapshots=None) if isinstance(s, Loop) and s.snapshots is not None
                 else s for s in statements)


def standing(atom: Atom, stand: Standing) -> Atom:
    return atom if isinstance(atom, Constant) else stand.get(atom, atom)


def replaced(block: Block, stand: Standing) -> Block:
    """The block with atoms in the place of values that it reads."""
    return tuple(_replaced(s, stand) for s in block) if stand else block


def _replaced(statement: Statement, stand: Standing) -> Statement:
    def at(atom: Atom) -> Atom:
        return standing(atom, stand)

    statement = with_blocks(statement, lambda block: replaced(block, stand))
    match statement:
        case Let() | Effect():
            return replace(statement, args=tuple(map(at, statement.args))) if statement.args \
                else statement
        case Loop(leave=leave, snapshots=snapshots):
            carried = tuple(replace(c, init=at(c.init), next=at(c.next))
                            for c in statement.carried)
            return replace(statement, start=at(statement.start), stop=at(statement.stop),
                           step=at(statement.step), carried=carried,
                           leave=None if leave is None else at(leave),
                           snapshots=None if snapshots is None else at(snapshots))
        case While():
            carried = tuple(replace(c, init=at(c.init), next=at(c.next))
                            for c in statement.carried)
            return replace(statement, carried=carried, condition=at(statement.condition))
        case Branch():
            joins = tuple(replace(j, then=at(j.then), otherwise=at(j.otherwise))
                          for j in statement.joins)
            return replace(statement, test=at(statement.test), joins=joins)
        case Raise():
            return replace(statement, message=tuple(
                p if isinstance(p, str) else at(p) for p in statement.message))
