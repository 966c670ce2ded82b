"""Compute common subexpressions once.

    before:                      after:
        a = multiply(x, y)           a = multiply(x, y)
        b = multiply(x, y)           c = add(a, a)
        c = add(a, b)

Only within a block and the blocks inside it. Fresh memory that is written afterwards (`zeros`,
`copy`, `empty`) is never shared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Constant,
    Effect,
    Function,
    Join,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
)
from retrograd.ir.operations import OPERATIONS

_FRESH = frozenset({"zeros", "ones", "empty", "given", "full", "eye", "arange", "array", "copy",
                    "update", "add_at", "push", "let"})
Known = dict[Any, Value]


def share_common(function: Function) -> Function:
    """The function with every pure expression computed once on each path."""
    sharer = _Sharer()
    body = sharer.block(function.body, {})
    return replace(function, body=body, returns=sharer.atoms(function.returns))


def shared_in_blocks(function: Function) -> tuple[Function, dict[Value, Value]]:
    """The same within each block alone (ints also in the blocks inside it), and for each value
    that is gone the one that stands for it."""
    sharer = _Sharer(alone=True)
    body = sharer.block(function.body, {})
    return replace(function, body=body, returns=sharer.atoms(function.returns)), sharer.stand


def _key(let: Let) -> Any:
    return (let.op, let.args, tuple(sorted(let.static.items())),
            str(let.result.type))


class _Sharer:
    def __init__(self, alone: bool = False) -> None:
        self.alone = alone
        self.stand: dict[Value, Value] = {}

    def atom(self, atom: Atom) -> Atom:
        return atom if isinstance(atom, Constant) else self.stand.get(atom, atom)

    def atoms(self, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        return tuple(self.atom(a) for a in atoms)

    def block(self, block: Block, known: Known) -> Block:
        """`known` holds the expressions of this block and of those around it."""
        if self.alone:
            known = {k: v for k, v in known.items() if v.type.dtype == "int64"}
        result: list[Statement] = []
        added: list[Any] = []
        for statement in block:
            new = self.statement(statement, known, added)
            if new is not None:
                result.append(new)
        for key in added:
            del known[key]
        return tuple(result)

    def statement(self, statement: Statement, known: Known, added: list[Any],
                  ) -> Statement | None:
        match statement:
            case Let():
                return self.let(statement, known, added)
            case Loop():
                carried = self.inits(statement.carried)
                start, stop, step = self.atoms((statement.start, statement.stop, statement.step))
                body = self.block(statement.body, known)
                leave = None if statement.leave is None else self.atom(statement.leave)
                return replace(statement, carried=self.nexts(carried), body=body, start=start,
                               stop=stop, step=step, leave=leave)
            case While():
                carried = self.inits(statement.carried)
                test = self.block(statement.test, known)
                condition = self.atom(statement.condition)
                body = self.block(statement.body, known)
                return replace(statement, carried=self.nexts(carried), test=test, body=body,
                               condition=condition)
            case Branch():
                test_atom = self.atom(statement.test)
                then = self.block(statement.then, known)
                otherwise = self.block(statement.otherwise, known)
                joins = tuple(Join(self.atom(j.then), self.atom(j.otherwise), j.result)
                              for j in statement.joins)
                return replace(statement, test=test_atom, then=then, otherwise=otherwise,
                               joins=joins)
            case Raise():
                return replace(statement, message=tuple(
                    p if isinstance(p, str) else self.atom(p) for p in statement.message))
            case Effect():
                return replace(statement, args=self.atoms(statement.args)) if statement.args \
                    else statement

    def inits(self, carried: tuple[Carried, ...]) -> tuple[Carried, ...]:
        return tuple(replace(c, init=self.atom(c.init)) for c in carried)

    def nexts(self, carried: tuple[Carried, ...]) -> tuple[Carried, ...]:
        return tuple(replace(c, next=self.atom(c.next)) for c in carried)

    def let(self, let: Let, known: Known, added: list[Any]) -> Let | None:
        let = replace(let, args=self.atoms(let.args))
        if let.op in _FRESH or (OPERATIONS[let.op].family == "create" and let.op != "dim"):
            return let
        key = _key(let)
        found = known.get(key)
        if found is not None:
            self.stand[let.result] = found
            return None
        known[key] = let.result
        added.append(key)
        return let
