"""Which tangents have strong zeros: what does not depend on the inputs has exactly no tangent.

    y = where(x > 0, x, 0.0)      y depends on x in some elements only: its tangent is mixed
    z = sqrt(y)                   z_dot is exactly 0 where y_dot is, and not 0 * inf

This is to forward mode what `strong.py` is to reverse mode. Every value is full (all of it depends
on differentiated inputs), constant, or mixed: made of both by a choice, a store, a join or a loop.
What only `empty` has made is neither yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from retrograd.adjoint.activity import differentiable_args, overwrites
from retrograd.ir.nodes import (
    Atom,
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
    defined,
)

NEITHER, CONSTANT, FULL, MIXED = 0, 1, 2, 3
# These put parts together: what comes out is as mixed as what goes in.
_JOINING = frozenset({"array", "concatenate", "complex"})


@dataclass(slots=True)
class Kinds:
    """What kind every value is of; together, two kinds are their union."""

    of: dict[Value, int] = field(default_factory=dict)

    def __getitem__(self, atom: Atom) -> int:
        return self.of.get(atom, CONSTANT) if isinstance(atom, Value) else CONSTANT


def kinds(function: Function, inputs: Iterable[Value]) -> Kinds:
    """The kinds of a function's values when these inputs are differentiated."""
    found = Kinds(dict.fromkeys(inputs, FULL))
    _block(function.body, found)
    return found


def _block(block: Block, found: Kinds) -> None:
    for statement in block:
        _statement(statement, found)


def _statement(statement: Statement, found: Kinds) -> None:
    match statement:
        case Let(result=result):
            found.of[result] = _result(statement, found)
        case Loop() | While():
            _loop(statement, found)
        case Branch(joins=joins):
            _block(statement.then, found)
            _block(statement.otherwise, found)
            found.of.update((j.result, found[j.then] | found[j.otherwise]) for j in joins)
        case Raise() | Effect():
            found.of.update(dict.fromkeys(defined(statement), CONSTANT))


def _loop(loop: Loop | While, found: Kinds) -> None:
    found.of.update((c.inner, found[c.init]) for c in loop.carried)
    while True:
        _block(loop.body, found)
        grown = {c.inner: found[c.inner] | found[c.next] for c in loop.carried}
        if all(found[v] == k for v, k in grown.items()):
            break
        found.of.update(grown)
    found.of.update((c.result, found[c.inner]) for c in loop.carried)


def _result(let: Let, found: Kinds) -> int:
    if let.op == "empty":
        return NEITHER
    args = [found[a] for a in differentiable_args(let)]
    if not args:
        return CONSTANT
    if let.op == "strong":
        return args[0] | CONSTANT
    if let.op == "add_at":
        return FULL if args[0] == FULL else args[0] | found[let.args[-1]]
    if let.op in ("update", "push"):
        return found[let.args[-1]] | (NEITHER if overwrites(let) else found[let.args[0]])
    if let.op in _JOINING or let.op == "where":
        return _union(found[a] for a in let.args[let.op == "where":])
    return FULL if FULL in args else _union(args)


def _union(parts: Iterable[int]) -> int:
    total = NEITHER
    for part in parts:
        total |= part
    return total
