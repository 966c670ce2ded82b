"""Blocks of iterations that Numba runs on all cores.

    def f_block(block, X, out):                one block, with all that is temporary in it
        ...
        return (0,)                            or the number of what failed, and its payload
    def f_block_tried(block, X, out):
        try:
            return f_block(block, X, out)
        except Exception:                      what compiled code itself raises: Numba loses
            return (-1,)                       exceptions that leave a `prange`
    def f_blocks(blocks, status, X, out):      compiled with parallel=True
        for block in prange(blocks):
            failed = f_block_tried(block, X, out)
            status[block] = failed[0]

The loop itself becomes the call of the last one and a look at the statuses, in the order of the
blocks: the first failing iteration reports, whichever came first in time. A block that raised is
run again, alone, so that it raises for good. Arrays are written in place, parts of their own by
each block; nothing else leaves a block, which is why Numba finds no reduction in this loop.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_checks import unread
from retrograd.backend.emit_context import Context
from retrograd.ir.effects import SILENT
from retrograd.ir.nodes import Atom, Effect, Loop, Raise, Value, free, walk
from retrograd.ir.types import Type
from retrograd.optimise.independent import written_in_place
from retrograd.program import Helper

SERIAL = "serial: the iterations of this loop are not proven to be independent"
_AGAIN = "an iteration of a parallel loop failed, and did not when it was run again"
Body = list[ast.stmt]


def runs_at_once(context: Context, loop: Loop) -> bool:
    """Whether the blocks of a loop may run at the same time as this source stands."""
    return context.compiled and loop.blocks and written_in_place(loop)


def parallel(context: Context, loop: Loop, body: Body, results: Sequence[Type]) -> Body:
    """The call that runs all blocks; `body` is that of the loop, printed without results."""
    index = context.names[loop.index]
    arguments = _arguments(context, loop)
    block = context.fresh(f"{context.function}_block")
    helper = _Helper(context, block, index, arguments)
    names = [context.fresh("status"),
             *(context.fresh(f"status_{k}") for k in range(helper.payload))]
    driver = context.fresh(f"{context.function}_blocks")
    context.helpers[Helper(block)] = helper.one(body)
    tried = context.fresh(f"{block}_tried")
    context.helpers[Helper(tried)] = helper.tried(tried)
    context.helpers[Helper(driver, parallel=True)] = helper.all(driver, tried, names)
    count = context.bare(loop.stop)
    made: Body = [syntax.assign(syntax.target(name), context.numpy_call(
        "empty", context.bare(loop.stop), context.dtype(dtype)))
        for name, dtype in zip(names, helper.dtypes, strict=True)]
    call = ast.Expr(syntax.call(driver, count, *map(syntax.name, (*names, *arguments))))
    return [*made, call, helper.looked_at(context.bare(loop.stop), names,
                                          _may_fail(loop), results)]


def _arguments(context: Context, loop: Loop) -> list[str]:
    """The variables that a block reads, in order of appearance."""
    found: dict[str, None] = {}

    def note(atoms: Iterable[Atom]) -> None:
        for atom in atoms:
            let = context.folded.get(atom) if isinstance(atom, Value) else None
            if let is not None:
                note(let.args)
            elif isinstance(atom, Value) and atom is not loop.index:
                found[context.names[atom]] = None

    note(free(loop.body, [c.next for c in loop.carried]))
    note(c.inner for c in loop.carried)
    return list(found)


def _may_fail(loop: Loop) -> bool:
    return any(isinstance(s, Raise) or (isinstance(s, Effect) and s.kind not in SILENT)
               for s in walk(loop.body))


class _Helper:
    """The functions of one loop: their arguments, and what a block returns."""

    def __init__(self, context: Context, block: str, index: str, arguments: list[str]) -> None:
        self.context = context
        self.block = block
        self.index = index
        self.arguments = arguments
        failures = context.failures
        self.payload = failures.integers + failures.floats
        self.dtypes = ["int64"] * (1 + failures.integers) + ["float64"] * failures.floats

    def returned(self, status: int) -> ast.stmt:
        zeros: list[ast.expr] = [ast.Constant(0 if dtype == "int64" else 0.0)
                                 for dtype in self.dtypes[1:]]
        return ast.Return(syntax.sequence([syntax.integer(status), *zeros]))

    def called(self, function: str) -> ast.expr:
        return syntax.call(function, *map(syntax.name, (self.index, *self.arguments)))

    def one(self, body: Body) -> ast.stmt:
        return syntax.function(self.block, (self.index, *self.arguments), [*body, self.returned(0)])

    def tried(self, name: str) -> ast.stmt:
        handler = ast.ExceptHandler(syntax.name("Exception"), None, [self.returned(-1)])
        return syntax.function(name, (self.index, *self.arguments),
                         [ast.Try([ast.Return(self.called(self.block))], [handler], [], [])])

    def all(self, name: str, tried: str, statuses: list[str]) -> ast.stmt:
        count, failed = (self.context.fresh(n) for n in ("count", "failed"))
        body: Body = [syntax.assign(syntax.target(failed), self.called(tried))]
        body += [syntax.assign(self.at(status, store=True),
                               syntax.subscripted(syntax.name(failed), ast.Constant(k)))
                 for k, status in enumerate(statuses)]
        loop = ast.For(syntax.target(self.index),
                       syntax.call(self.context.alias("prange"), syntax.name(count)), body, [])
        return syntax.function(name, (count, *statuses, *self.arguments), [loop])

    def at(self, status: str, store: bool = False) -> ast.expr:
        return syntax.subscripted(syntax.name(status), syntax.name(self.index), store)

    def looked_at(self, count: ast.expr, statuses: list[str], may_fail: bool,
                  results: Sequence[Type]) -> ast.stmt:
        """Ends the function with the first failure."""
        again: Body = [ast.Expr(self.called(self.block)),
                       ast.Raise(syntax.call("RuntimeError", syntax.text(_AGAIN)), None)]
        body: Body = [syntax.branch(
            syntax.compare("less", self.at(statuses[0]), ast.Constant(0)), again, [])]
        if may_fail:
            values = [*map(self.at, statuses), *unread(self.context, results)]
            body.append(syntax.branch(
                syntax.compare("greater", self.at(statuses[0]), ast.Constant(0)),
                [ast.Return(syntax.sequence(values))], []))
        return ast.For(syntax.target(self.index), syntax.call("range", count), body, [])
