"""The results of calls with rules become what the functions computed.

    before:                                  after:
        y = exp(x)                               y = exp(x)
        r = ruled(y, x, call=f, index=0)         z = sin(y)
        z = sin(r)                               v = multiply(x, z)
        s = stop(x)                              w = copy(x)
        v = multiply(s, z)                       return v, w
        w = stop(x)
        return v, w

Derivatives have been made by then: a rule and `stop_gradient` mean nothing any more. What the
function computed is the result that the user has named, so that it has that name. An array that is
stopped is a copy where something else than arithmetic reads it, which may write into it.
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
    operands,
    walk,
    yields,
)
from retrograd.ir.operations import family
from retrograd.ir.rewrite import replaced, standing, with_blocks
from retrograd.ir.types import Array


def without_rules(function: Function) -> Function:
    """The function without `ruled` and `stop`."""
    lets = [s for s in walk(function.body) if isinstance(s, Let) and s.op in ("ruled", "stop")]
    if not lets:
        return function
    held = _held(function)
    stand: dict[Value, Atom] = {}
    for let in lets:
        same = let.args[let.static.get("index", 0)]
        if let.op == "ruled" or not isinstance(let.result.type, Array) or let.result not in held:
            stand[let.result] = standing(same, stand)
    named = _named(function, {x.result: stand[x.result] for x in lets if x.op == "ruled"})
    body = _block(function.body, stand, named)
    stand = {old: standing(new, named) for old, new in stand.items()} | dict[Value, Atom](named)
    return replace(function, body=replaced(body, stand),
                   returns=tuple(standing(r, stand) for r in function.returns))


def _named(function: Function, results: Mapping[Value, Atom]) -> dict[Value, Value]:
    """For what is computed, the result that it is, where the user has a name for that."""
    made = {v for s in walk(function.body) if not isinstance(s, Effect) for v in defined(s)}
    found: dict[Value, Value] = {}
    for result, same in results.items():
        if isinstance(same, Value) and same in made and same.type == result.type \
                and result.name not in TEMPORARY:
            found.setdefault(same, result)
    return found


def _held(function: Function) -> set[Atom]:
    """What is read as more than numbers: written into, looked into, carried, returned."""
    held: set[Atom] = set(function.returns)
    for statement in walk(function.body):
        if not isinstance(statement, Let):
            held.update((*operands(statement), *(a for end in yields(statement) for a in end)))
        elif family(statement.op) not in ("elementwise", "reduction", "contraction"):
            held.update(statement.args)
    return held


def _block(block: Block, gone: Mapping[Value, Atom], named: Mapping[Value, Value]) -> Block:
    return tuple(_statement(s, gone, named) for s in block
                 if not (isinstance(s, Let) and s.op in ("ruled", "stop") and s.result in gone))


def _statement(statement: Statement, gone: Mapping[Value, Atom], named: Mapping[Value, Value],
               ) -> Statement:
    new = with_blocks(statement, lambda inner: _block(inner, gone, named))
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
