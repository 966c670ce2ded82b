"""Calls of opaque functions that return tuples: operations for the results, printed as one call.

    a = opaque(x, function=F, number=0)      a, b = F(x)
    b = opaque(x, function=F, number=1)
    a = opaque(x, function=F, number=0)      found, found_1 = F(x)
    ...                                      a = found
    b = opaque(x, function=F, number=1)      ...
                                             b = found_1

Compiled source has the second form always: what comes back is converted, one by one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_context import Context
from retrograd.backend.emit_foreign import call_of, converted, in_interpreter, through_interpreter
from retrograd.ir.foreign import Foreign
from retrograd.ir.nodes import Atom, Let, Statement, Value


@dataclass(slots=True, eq=False)
class Several:
    """The results of one call in a block, by number. They stand `together` where nothing is
    between them; once the call is printed, what it returned is in variables with these `names`."""

    members: dict[int, Let]
    last: int
    together: bool = True
    names: tuple[str, ...] = ()


def several(block: Sequence[Statement]) -> dict[Let, Several]:
    """The calls of a block that return tuples: for every result its call."""
    open_: dict[tuple[Foreign, tuple[Atom, ...]], Several] = {}
    found: dict[Let, Several] = {}
    for place, statement in enumerate(block):
        if not isinstance(statement, Let) or statement.op != "opaque" \
                or "number" not in statement.static:
            continue
        key, number = (statement.static["function"], statement.args), statement.static["number"]
        call = open_.get(key)
        if call is None or number in call.members:
            call = open_[key] = Several({}, place - 1)
        call.together = call.together and call.last == place - 1
        call.members[number], call.last = statement, place
        found[statement] = call
    return found


def one_of_several(context: Context, call: Several, let: Let,
                   target: Callable[[Value], ast.expr]) -> list[ast.stmt]:
    """One of the results of a call, with the call where it is the first of them."""
    count = range(len(let.static["results"]))
    if not context.compiled and call.together:
        if call.names:
            return []
        call.names = tuple(context.names[call.members[k].result] if k in call.members
                           else context.fresh("unused") for k in count)
        return [syntax.assign(_targets(call.names), call_of(context, let))]
    printed: list[ast.stmt] = []
    if not call.names:
        call.names = tuple(context.fresh("found") for _ in count)
        printed = _call(context, call, let)
    found: ast.expr = syntax.name(call.names[let.static["number"]])
    if context.compiled and not through_interpreter(context, let):
        found = converted(context, let, found)
    return [*printed, syntax.assign(target(let.result), found)]


def _call(context: Context, call: Several, let: Let) -> list[ast.stmt]:
    target, types = _targets(call.names), let.static["results"]
    if not through_interpreter(context, let):
        return [syntax.assign(target, call_of(context, let))]
    return in_interpreter(context, let, target,
                          {call.names[k]: types[k] for k in sorted(call.members)})


def _targets(names: Iterable[str]) -> ast.expr:
    return ast.Tuple([syntax.target(name) for name in names], ast.Store())
