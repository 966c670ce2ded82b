"""Growable tapes: a row is put at the end, and where the tape is full it grows before.

    if n == T.shape[0]:                       while test:
        (grow T)                                  if n == T.shape[0]:
    T[n] = row                                        (grow T)
                                                  while test and n < T.shape[0]:
                                                      T[n] = row
                                                      ...
                                                      n += 1

Asking for memory in a loop makes the whole loop slow even if it is never done, because what lives
across the call cannot stay in registers. So a `while` that pushes in every iteration runs as long
as there is room (*steady* pushes); one that pushes only sometimes has the test in front of the row.
Compiled tapes become four times as long: copying a third of what is kept at the end is cheap, and
memory that is never touched costs nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_context import Context, is_array
from retrograd.ir.nodes import Atom, Carried, Let, While

Body = list[ast.stmt]
_FACTOR = 4


def steady_pushes(loop: While) -> tuple[Let, ...]:
    """The pushes of one row that every iteration makes on a tape it pushes nothing else on, at a
    place that is known when it starts."""
    slots: dict[Atom, Carried] = {c.inner: c for c in loop.carried}
    found = []
    for let in loop.body:
        if isinstance(let, Let) and let.op == "push":
            tape, n, row = let.args
            slot = slots.get(tape)
            if slot is not None and slot.next is let.result and n in slots \
                    and row.type.rank < let.result.type.rank:
                found.append(let)
    return tuple(found)


def push(context: Context, let: Let, room: bool) -> Body:
    """`if n == T.shape[0]: (grow T)`, unless there is `room`, and `T[n] = row`; for rows, one
    after the other, `while n + k > T.shape[0]: (grow T)` and `T[n:n + k] = rows`."""
    _, n, row = let.args
    tape = context.names[let.result]
    if row.type.rank == let.result.type.rank:
        return _push_rows(context, let, tape, n, row)
    grow = [] if room else grown_where_full(context, [let])
    return [*grow, *_push_row(context, tape, n, row)]


def fits(context: Context, let: Let) -> ast.expr:
    """Whether there is room for a row."""
    return syntax.compare("less", context.atom(let.args[1]),
                          _extent(context.names[let.result], 0))


def grown_where_full(context: Context, pushes: Sequence[Let]) -> Body:
    body: Body = []
    for let in pushes:
        tape = context.names[let.result]
        full = syntax.compare("equal", context.atom(let.args[1]), _extent(tape, 0))
        body.append(syntax.branch(full, _grow(context, let, tape), []))
    return body


# --- what is written -----------------------------------------------------------------------------


def _push_rows(context: Context, let: Let, tape: str, n: Atom, rows: Atom) -> Body:
    def end() -> ast.expr:
        count = syntax.subscripted(syntax.attribute(context.atom(rows), "shape"),
                                   ast.Constant(0))
        return syntax.binary("add", context.atom(n), count)

    short = syntax.compare("greater", end(), _extent(tape, 0))
    grow = ast.While(short, _grow(context, let, tape), [])
    if not context.compiled:
        place = syntax.subscripted(syntax.name(tape), ast.Slice(context.atom(n), end(), None),
                                   store=True)
        return [grow, syntax.assign(place, context.atom(rows))]
    counter = context.fresh("k")
    place = syntax.subscripted(syntax.name(tape), syntax.binary(
        "add", context.atom(n), syntax.name(counter)), store=True)
    element = syntax.subscripted(context.atom(rows), syntax.name(counter))
    stop = syntax.subscripted(syntax.attribute(context.atom(rows), "shape"), ast.Constant(0))
    return [grow, syntax.counting(counter, stop, [syntax.assign(place, element)])]


def _push_row(context: Context, tape: str, n: Atom, row: Atom) -> Body:
    if not context.compiled or not is_array(row):
        place = syntax.subscripted(syntax.name(tape), context.atom(n), store=True)
        return [syntax.assign(place, context.atom(row))]
    view = context.fresh(f"{tape}_row")    # without it LLVM looks up the tape for each element
    here = syntax.subscripted(syntax.name(tape), context.atom(n))
    counters = [context.fresh("k") for _ in range(row.type.rank)]

    def element(array: ast.expr, store: bool = False) -> ast.expr:
        return syntax.subscripted(array, _index([syntax.name(k) for k in counters]), store)

    body: Body = [syntax.assign(element(syntax.name(view), True), element(context.atom(row)))]
    for axis in reversed(range(row.type.rank)):
        stop = syntax.subscripted(syntax.attribute(context.atom(row), "shape"),
                                  ast.Constant(axis))
        body = [syntax.counting(counters[axis], stop, body)]
    return [syntax.assign(syntax.target(view), here), *body]


# --- more room -----------------------------------------------------------------------------------


def _grow(context: Context, let: Let, tape: str) -> Body:
    return _grow_by_loop(context, let, tape) if context.compiled else [syntax.assign(
        syntax.target(tape), context.numpy_call("concatenate", syntax.sequence([
            syntax.name(tape), context.numpy_call("empty_like", syntax.name(tape))])))]


def _grow_by_loop(context: Context, let: Let, tape: str) -> Body:
    """Numba needs seconds to compile `concatenate` or a slice copy, and nothing for a loop."""
    rank = let.result.type.rank
    new = context.fresh(f"{tape}_grown")
    extents = [syntax.binary("multiply", ast.Constant(_FACTOR), _extent(tape, 0)),
               *(_extent(tape, axis) for axis in range(1, rank))]
    shape = extents[0] if rank == 1 else syntax.sequence(extents)
    counters = [context.fresh("k") for _ in range(rank)]

    def element(array: str, store: bool) -> ast.expr:
        items = [syntax.name(k) for k in counters]
        return syntax.subscripted(syntax.name(array), _index(items), store)

    body: Body = [syntax.assign(element(new, True), element(tape, False))]
    for axis in reversed(range(rank)):
        body = [syntax.counting(counters[axis], _extent(tape, axis), body)]
    return [syntax.assign(syntax.target(new), context.numpy_call(
                "empty", shape, context.dtype(let.result.type.dtype))),
            *body, syntax.assign(syntax.target(tape), syntax.name(new))]


def _extent(array: str, axis: int) -> ast.expr:
    return syntax.subscripted(syntax.attribute(array, "shape"), ast.Constant(axis))


def _index(items: list[ast.expr]) -> ast.expr:
    return items[0] if len(items) == 1 else syntax.sequence(items)
