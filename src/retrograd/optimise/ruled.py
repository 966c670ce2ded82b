"""The results of calls with rules become what the functions computed.

    before:                                  after:
        y = exp(x)                               y = exp(x)
        r = ruled(y, x, call=f, index=0)         z = sin(y)
        z = sin(r)                               w = copy(x)
        w = stop(x)                              return z, w
        return z, w

Derivatives have been made by then: a rule and `stop_gradient` mean nothing any more. What the
function computed is the result that the user has named, so that it has that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from retrograd.ir.build import TEMPORARY
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Effect,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
    defined,
    walk,
)
from retrograd.ir.rewrite import replaced, standing, with_blocks


def without_rules(function: Function) -> Function:
    """The function without `ruled` and `stop`."""
    stand: dict[Value, Atom] = {}
    for statement in walk(function.body):
        if isinstance(statement, Let):
            same = _same(statement)
            if same is not None:
                stand[statement.result] = standing(same, stand)
    if not stand and not any(isinstance(s, Let) and s.op == "stop" for s in walk(function.body)):
        return function
    named = _named(function, stand)
    stand = {old: standing(new, named) for old, new in stand.items()} | dict[Value, Atom](named)
    return replace(function, body=replaced(_block(function.body, named), stand),
                   returns=tuple(standing(r, stand) for r in function.returns))


def _named(function: Function, stand: Mapping[Value, Atom]) -> dict[Value, Value]:
    """For what is computed, the result that it is, where the user has a name for that."""
    made = {v for s in walk(function.body) if not isinstance(s, Effect) for v in defined(s)}
    found: dict[Value, Value] = {}
    for result, same in stand.items():
        if isinstance(same, Value) and same in made and same.type == result.type \
                and result.name not in TEMPORARY:
            found.setdefault(same, result)
    return found


def _same(let: Let) -> Atom | None:
    """What stands for the result; None where it stays."""
    if let.op == "ruled":
        return let.args[let.static["index"]]
    if let.op == "stop" and not let.result.type.rank:
        return let.args[0]
    return None


def _block(block: Block, named: Mapping[Value, Value]) -> Block:
    return tuple(_statement(s, named) for s in block
                 if not isinstance(s, Let) or _same(s) is None)


def _statement(statement: Statement, named: Mapping[Value, Value]) -> Statement:
    new = with_blocks(statement, lambda inner: _block(inner, named))
    match new:
        case Let(op=op, result=result) if op == "stop" or result in named:
            return replace(new, op="copy" if op == "stop" else op,
                           result=named.get(result, result))
        case Loop(carried=carried) | While(carried=carried):
            return replace(new, carried=tuple(
                replace(c, result=named.get(c.result, c.result)) for c in carried))
        case Branch(joins=joins):
            return replace(new, joins=tuple(
                replace(j, result=named.get(j.result, j.result)) for j in joins))
        case _:
            return new
