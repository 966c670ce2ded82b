"""The results of calls with rules become what the functions computed.

    before:                                  after:
        y = exp(x)                               y = exp(x)
        r = ruled(y, x, call=f, index=0)         z = sin(y)
        z = sin(r)                               w = copy(x)
        w = stop(x)                              return z, w
        return z, w

Derivatives have been made by then: a rule and `stop_gradient` mean nothing any more. What the
function computed without a name of its own has the result's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from retrograd.ir.build import TEMPORARY
from retrograd.ir.nodes import Atom, Block, Function, Let, Statement, Value, walk
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
    stand = {old: standing(new, named) for old, new in stand.items()}
    stand.update(named)
    return replace(function, body=replaced(_block(function.body, named), stand),
                   returns=tuple(standing(r, stand) for r in function.returns))


def _named(function: Function, stand: Mapping[Value, Atom]) -> dict[Value, Value]:
    """For values without a name of the user's, one with the name of the result that they are."""
    made = {s.result for s in walk(function.body) if isinstance(s, Let)}
    found: dict[Value, Value] = {}
    for result, same in stand.items():
        if same in made and isinstance(same, Value) and same.name in TEMPORARY \
                and result.name not in TEMPORARY:
            found.setdefault(same, Value(result.name, same.type))
    return found


def _same(let: Let) -> Atom | None:
    """What stands for the result; None where it stays."""
    if let.op == "ruled":
        return let.args[let.static["index"]]
    if let.op == "stop" and not let.result.type.rank:
        return let.args[0]
    return None


def _block(block: Block, named: Mapping[Value, Value]) -> Block:
    kept: list[Statement] = []
    for statement in block:
        if not isinstance(statement, Let):
            kept.append(with_blocks(statement, lambda inner: _block(inner, named)))
        elif _same(statement) is None:
            op = "copy" if statement.op == "stop" else statement.op
            result = named.get(statement.result, statement.result)
            kept.append(statement if op == statement.op and result is statement.result
                        else replace(statement, op=op, result=result))
    return tuple(kept)
