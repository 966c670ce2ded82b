"""The verifier: is this a program of the IR's grammar, single-assignment, scoped and typed?"""

from __future__ import annotations

from retrograd.errors import InternalError
from retrograd.ir.build import Builder
from retrograd.ir.effects import KINDS
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
    blocks,
    bound,
    defined,
    operands,
    yields,
)
from retrograd.ir.operations import OPERATIONS
from retrograd.ir.show import show
from retrograd.ir.types import Array, Generator, Type


def verify(function: Function) -> Function:
    """Return the function, or raise InternalError that shows it and says what is wrong."""
    try:
        _Verifier().function(function)
    except _Wrong as wrong:
        raise InternalError(f"{wrong}\n{show(function)}") from None
    return function


class _Wrong(Exception):
    pass


class _Verifier:
    def __init__(self) -> None:
        self.everywhere: set[Value] = set()
        self.visible: set[Value] = set()

    def function(self, function: Function) -> None:
        self.define(function.params)
        self.block(function.body, function.returns, leave_visible=True)

    def define(self, values: tuple[Value, ...]) -> None:
        for value in values:
            if value in self.everywhere:
                raise _Wrong(f"{value!r} is defined twice")
            self.everywhere.add(value)
            self.visible.add(value)

    def read(self, atoms: tuple[Atom, ...], where: str) -> None:
        for atom in atoms:
            if isinstance(atom, Value) and atom not in self.visible:
                raise _Wrong(f"{atom!r} is read where it is not visible, in {where}")

    def block(self, block: Block, ends: tuple[Atom, ...], leave_visible: bool = False) -> None:
        here: list[Value] = []
        for statement in block:
            self.statement(statement)
            here += defined(statement)
        self.read(ends, "the end of a block")
        if not leave_visible:
            self.visible.difference_update(here)

    def statement(self, statement: Statement) -> None:
        self.read(operands(statement), type(statement).__name__)
        inside = bound(statement)
        self.define(inside)
        for block, ends in zip(blocks(statement), yields(statement), strict=True):
            self.block(block, ends)
        self.visible.difference_update(inside)
        self.define(defined(statement))
        match statement:
            case Let():
                self.let(statement)
            case Loop() | While():
                if isinstance(statement, Loop) and statement.blocks:
                    self.independent(statement)
                for c in statement.carried:
                    self.same(c.init.type, c.inner.type, c.inner)
                    self.same(c.next.type, c.inner.type, c.inner)
                    self.same(c.result.type, c.inner.type, c.result)
            case Branch():
                for j in statement.joins:
                    self.same(j.then.type, j.result.type, j.result)
                    self.same(j.otherwise.type, j.result.type, j.result)
            case Effect():
                self.effect(statement)

    def same(self, given: Type, declared: Type, value: Value) -> None:
        if (given.dtype, given.rank, isinstance(given, Array)) != (
                declared.dtype, declared.rank, isinstance(declared, Array)):
            raise _Wrong(f"{given} flows into {value!r}")
        if any(d == 1 and g != 1 for g, d in zip(given.dims, declared.dims, strict=True)):
            raise _Wrong(f"{given} flows into {value!r}, whose extent of 1 is not certain")

    def independent(self, loop: Loop) -> None:
        if loop.leave is not None or not all(isinstance(c.inner.type, Array)
                                             for c in loop.carried):
            raise _Wrong("blocks that run at the same time carry something that is no array, or "
                         "end early")

    def effect(self, effect: Effect) -> None:
        if effect.kind not in KINDS:
            raise _Wrong(f"no effect is called {effect.kind!r}")
        if (effect.kind == "draw") != (effect.result is not None):
            raise _Wrong(f"a draw has a result, and nothing else has: {effect.kind}")
        if effect.kind == "draw" and not isinstance(effect.args[0].type, Generator):
            raise _Wrong(f"{effect.args[0]!r} is no generator")

    def let(self, let: Let) -> None:
        if let.op not in OPERATIONS:
            raise _Wrong(f"no operation is called {let.op!r}")
        operation = OPERATIONS[let.op]
        query = Builder(checks=False).query(let.args, dict(let.static))
        rank, dtype = len(operation.shape(query)), operation.dtype(query)
        if rank != let.result.type.rank or dtype != let.result.type.dtype:
            raise _Wrong(f"{let.op}({', '.join(str(a.type) for a in let.args)}) has dtype "
                         f"{dtype} and rank {rank}, but defines {let.result!r}")
