"""How lowering is tested: build a function, lower it, and compare what both compute."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from retrograd.backend.lowering import lower
from retrograd.ir.build import Builder
from retrograd.ir.index import FULL
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Effect,
    Function,
    Let,
    Loop,
    Value,
    While,
    blocks,
    operands,
    walk,
    yields,
)
from retrograd.ir.operations import OPERATIONS
from retrograd.ir.types import Array, Scalar, Type
from retrograd.ir.verify import verify

Build = Callable[..., Any]

LIBRARY = {"matmul", "solve", "inv", "det", "slogdet_sign", "slogdet_log", "cholesky"}
MEMORY = {"empty", "zeros", "copy", "dim", "let", "push", "view", "transpose", "reshape"}


def type_of(arg: Any) -> Type:
    if isinstance(arg, np.ndarray):
        layout = "C" if arg.flags.c_contiguous else "F" if arg.flags.f_contiguous else "A"
        return Array(str(arg.dtype), tuple(1 if n == 1 else None for n in arg.shape), layout)
    if isinstance(arg, np.generic):
        return Scalar(str(arg.dtype))
    return Scalar({bool: "bool", int: "int64", float: "float64", complex: "complex128"}[type(arg)],
                  weak=True)


def function_of(build: Build, args: Sequence[Any]) -> Function:
    """The function that `build(builder, *params)` writes; it returns an atom or several."""
    builder = Builder()
    params = tuple(Value(f"x{k}", type_of(a)) for k, a in enumerate(args))
    returns = build(builder, *params)
    returns = returns if isinstance(returns, tuple) else (returns,)
    return verify(Function("f", params, builder.block, returns))


def check(build: Build, *args: Any, exact: bool = True, linearly: bool = True) -> Function:
    """Lower, verify, look at what remains, and compare; gives the lowered function.

    A program that reads versions after they were overwritten cannot be lowered linearly.
    """
    function = function_of(build, args)
    lowered = verify(lower(function))
    only_allowed(lowered)
    if linearly:
        linear(lowered)
    same_behaviour(function, lowered, args, exact)
    return lowered


def same_behaviour(before: Function, after: Function, args: Sequence[Any], exact: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, found = outcome(before, args), outcome(after, args)
    if isinstance(expected, Exception):
        assert type(found) is type(expected), f"{found!r} instead of {expected!r}"
        assert str(found) == str(expected)
        return
    assert not isinstance(found, Exception), repr(found)
    for a, b in zip(expected, found, strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        if exact or np.asarray(a).dtype.kind in "bi":
            np.testing.assert_array_equal(b, a)
        else:
            scale = 1e-5 if np.asarray(a).dtype in (np.float32, np.complex64) else 1e-13
            np.testing.assert_allclose(b, a, rtol=scale, atol=scale)


def outcome(function: Function, args: Sequence[Any]) -> Any:
    try:
        return interpret(function, args)
    except (ValueError, IndexError, ZeroDivisionError, np.linalg.LinAlgError) as error:
        return error


def only_allowed(function: Function) -> None:
    """Nothing is left but scalar operations, memory, BLAS and structure."""
    for statement in walk(function.body):
        if isinstance(statement, Effect):
            assert statement.kind != "check_bounds"
        if not isinstance(statement, Let):
            continue
        op, static = statement.op, statement.static
        if OPERATIONS[op].family == "elementwise":
            assert not any(isinstance(a.type, Array) for a in statement.args), op
            assert not isinstance(statement.result.type, Array)
        elif op in ("load", "update", "add_at"):
            assert set(static["index"]) <= {"int"}, static
        elif op == "view":
            assert set(static["index"]) <= {"int", FULL}
        else:
            assert op in LIBRARY | MEMORY, op
            if op == "matmul":
                assert all(a.type.rank == 2 and a.type.layout in "CF" for a in statement.args)


def linear(function: Function) -> None:
    """Every version that is written is written once, and not read after that."""
    _Linear().block(function.body, function.returns, set())


class _Linear:
    """Walks in order of execution with the set of versions that are gone."""

    def block(self, block: Block, ends: tuple[Atom, ...], gone: set[Value]) -> None:
        for statement in block:
            self.statement(statement, gone)
        for atom in ends:
            self.read(atom, gone)

    def statement(self, statement: Any, gone: set[Value]) -> None:
        if not (isinstance(statement, Let) and statement.op == "dim"):
            for atom in operands(statement):
                self.read(atom, gone)
        taken = set(self.taken(statement))
        inner = gone | taken
        for block, ends in zip(blocks(statement), yields(statement), strict=True):
            arm = set(inner)
            self.block(block, ends, arm)
            if isinstance(statement, Branch):
                taken |= arm
        gone |= taken

    def read(self, atom: Atom, gone: set[Value]) -> None:
        assert atom not in gone, f"{atom!r} is read after it was written"

    def taken(self, statement: Any) -> list[Value]:
        if isinstance(statement, Let):
            return [statement.args[0]] if statement.op in ("update", "add_at", "push") else []
        if isinstance(statement, Loop | While):
            inits = [c.init for c in statement.carried if isinstance(c.init.type, Array)]
            assert len(set(inits)) == len(inits)
            return inits
        return []
