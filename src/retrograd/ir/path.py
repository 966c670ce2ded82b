"""Which path a function takes: a program that returns a number for its branches and trip counts.

    def f(x):                       def f_path(x):
        if x > 0:                       test = x > 0
            y = x                       path = path * P + test
        else:                           ...
            y = -x                      return path
        return y

Two calls that decide a branch differently, or run a loop a different number of times, give
different numbers (but for collisions, one in two thousand million). `check_grads` compares
them: where the path changes within a step, finite differences say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from retrograd.ir.build import Builder
from retrograd.ir.facts import Facts
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
    Value,
    While,
    integer,
)
from retrograd.ir.types import INT

_PRIME, _MODULUS = 1_000_003, (1 << 31) - 1


def path_of(function: Function, facts: Facts) -> Function:
    """The function that returns the number of the path that `function` takes."""
    block, path = _Paths(facts).block(function.body, integer(17))
    return replace(function, name=f"{function.name}_path", body=block, returns=(path,))


@dataclass(frozen=True, slots=True)
class _Paths:
    facts: Facts

    def block(self, block: Block, path: Atom) -> tuple[Block, Atom]:
        builder = Builder(self.facts, checks=False)
        for statement in block:
            match statement:
                case Branch():
                    path = self.branch(statement, path, builder)
                case Loop() | While():
                    path = self.loop(statement, path, builder)
                case Let() | Effect() | Raise():
                    builder.statements.append(statement)
        return builder.block, path

    def branch(self, branch: Branch, path: Atom, builder: Builder) -> Atom:
        then, first = self.block(branch.then, _then(builder, path, integer(1)))
        otherwise, second = self.block(branch.otherwise, _then(builder, path, integer(2)))
        result = Value("path", INT)
        builder.append(replace(branch, then=then, otherwise=otherwise,
                               joins=(*branch.joins, Join(first, second, result))))
        return result

    def loop(self, loop: Loop | While, path: Atom, builder: Builder) -> Atom:
        if isinstance(loop, Loop):
            for bound in (loop.start, loop.stop, loop.step):
                if not isinstance(bound, Constant):
                    path = _then(builder, path, bound)
        carried, body = self.carried(loop.body, path)
        if carried is None:
            builder.append(loop)
        else:
            builder.append(replace(loop, body=body, carried=(*loop.carried, carried)))
            path = carried.result
        return path if loop.trips is None else _then(builder, path, loop.trips)

    def carried(self, body: Block, path: Atom) -> tuple[Carried | None, Block]:
        """The path through a loop's body, where there is more than one."""
        inner = Value("path", INT)
        block, end = self.block(body, inner)
        if end is inner:
            return None, body
        return Carried(path, inner, end, Value("path", INT)), block


def _then(builder: Builder, path: Atom, decision: Atom) -> Atom:
    """The number of a path that goes on so."""
    scaled = builder.let("multiply", path, integer(_PRIME))
    total = builder.let("add", scaled, builder.let("remainder", decision, integer(_PRIME)))
    return builder.let("remainder", total, integer(_MODULUS), name="path")
