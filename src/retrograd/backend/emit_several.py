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
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_context import Context
from retrograd.backend.emit_foreign import (
    call_of,
    converted,
    interpreted,
    targets,
    through_interpreter,
)
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
        return [syntax.assign(targets(call.names), call_of(context, let))]
    through = through_interpreter(context, let)
    printed: list[ast.stmt] = []
    if not call.names:
        call.names = tuple(context.fresh("found") for _ in count)
        printed = [_through(context, call, let) if through
                   else syntax.assign(targets(call.names), call_of(context, let))]
    found: ast.expr = syntax.name(call.names[let.static["number"]])
    if context.compiled and not through:
        found = converted(context, let, found)
    return [*printed, syntax.assign(target(let.result), found)]


def _through(context: Context, call: Several, let: Let) -> ast.stmt:
    """A call through the interpreter, which gives what is wanted."""
    wanted = sorted(call.members)
    names = [call.names[k] for k in wanted]
    target = targets(names) if len(names) > 1 else syntax.target(names[0])
    return syntax.assign(target, interpreted(context, let, let.static["results"], wanted))
