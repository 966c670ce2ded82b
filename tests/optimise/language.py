"""Small IR programs as text, so that a pass's before and after can be written and run.

    x_bar = add_at(x_bar, i, multiply(2.0, load(x, i)))

An index of fewer ints than axes takes whole axes behind them; `column(v)` and `row(v)` are views
with a new axis, and `rows(A, i, j)` is A[i:j]. Other calls are operations, arithmetic on ints may
be written with operators, `for` and `if` carry what they assign (over `prange` or `blocks` it has
that mark), `check_index(i, n)` is a check, and a line `sweeps` is the mark between the sweeps.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from types import ModuleType
from typing import Any

from retrograd.ir.build import Builder
from retrograd.ir.index import FULL, Slice
from retrograd.ir.nodes import (
    Atom,
    Branch,
    Carried,
    Constant,
    Effect,
    Function,
    Join,
    Loop,
    Value,
    integer,
)
from retrograd.ir.show import show
from retrograd.ir.types import FLOAT, Array, Scalar, Type
from retrograd.ir.verify import verify
from retrograd.optimise.sweeps import BOUNDARY

VECTOR, F = Array("float64", (None,)), Scalar("float64")
_OPERATORS = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.USub: "negative",
              ast.FloorDiv: "floor_divide", ast.Lt: "less", ast.GtE: "greater_equal",
              ast.Or: "logical_or"}
_STATIC: dict[str, dict[str, Any]] = {
    **{op: {"dtype": "float64"} for op in ("zeros", "ones", "empty", "given", "full")},
    "ruled": {"call": "f", "index": 0}, "transpose": {"axes": (1, 0)}, "sum": {"axes": None}}
_VIEWS = {"column": (FULL, "new"), "row": ("new", FULL), "rows": (Slice(True, True), FULL)}
_INDEXED = {"load": 1, "view": 1, "update": 2, "add_at": 2}


def program(text: str, **params: Type) -> Function:
    """The function of these parameters with this body; the text ends with `return`."""
    values = {name: Value(name, type) for name, type in params.items()}
    reader = _Reader(dict(values))
    tree = ast.parse(textwrap.dedent(text))
    builder = Builder(checks=False)
    for node in tree.body[:-1]:
        reader.statement(node, builder)
    last = tree.body[-1]
    assert isinstance(last, ast.Return) and last.value is not None
    ends = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
    returns = tuple(reader.atom(e, builder) for e in ends)
    return verify(Function("f", tuple(values.values()), builder.block, returns))


def canonical(function: Function) -> str:
    """The program as text with its values numbered: equal where the programs are the same."""
    names: dict[str, str] = {}
    return re.sub(r"%[\w.]+", lambda m: names.setdefault(m[0], f"%{len(names)}"), show(function))


def documented(module: ModuleType, before: str = "before:", after: str = "after:",
               ) -> tuple[str, str]:
    """The two columns of a module's docstring."""
    lines = (inspect.getdoc(module) or "").splitlines()
    start = next(k for k, line in enumerate(lines) if before in line)
    column = lines[start].index(after)
    end = next(k for k in range(start + 1, len(lines) + 1)
               if k == len(lines) or (lines[k].strip() and not lines[k].startswith(" ")))
    rows = lines[start + 1:end]
    return (textwrap.dedent("\n".join(row[:column].rstrip() for row in rows)).strip(),
            textwrap.dedent("\n".join(row[column:].rstrip() for row in rows)).strip())


class _Reader:
    def __init__(self, env: dict[str, Atom]) -> None:
        self.env = env

    def statement(self, node: ast.stmt, builder: Builder) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.env[name] = self.atom(value, builder, name)
            case ast.Expr(value=ast.Name(id="sweeps")):
                builder.append(BOUNDARY)
            case ast.Expr(value=ast.Call(func=ast.Name(id="check_index"), args=args)):
                builder.append(Effect("check_index", tuple(self.atom(a, builder) for a in args),
                                      {"axis": 0}))
            case ast.For():
                self.loop(node, builder)
            case ast.If():
                self.branch(node, builder)
            case _:
                raise AssertionError(ast.dump(node))

    def atom(self, node: ast.expr, builder: Builder, name: str = "t") -> Atom:
        match node:
            case ast.Name(id=known):
                return self.env[known]
            case ast.Constant(value=int() as value):
                return integer(value)
            case ast.Constant(value=float() as value):
                return Constant(value, FLOAT)
            case ast.UnaryOp(op=op, operand=a):
                return builder.let(_OPERATORS[type(op)], self.atom(a, builder), name=name)
            case ast.BinOp(left=a, op=op, right=b):
                return builder.let(_OPERATORS[type(op)], self.atom(a, builder),
                                   self.atom(b, builder), name=name)
            case ast.Compare(left=a, ops=[op], comparators=[b]):
                return builder.let(_OPERATORS[type(op)], self.atom(a, builder),
                                   self.atom(b, builder), name=name, weak=False)
            case ast.BoolOp(op=op, values=[a, b]):
                return builder.let(_OPERATORS[type(op)], self.atom(a, builder),
                                   self.atom(b, builder), name=name, weak=False)
            case ast.Call(func=ast.Name(id=op), args=args):
                return self.call(op, [self.atom(a, builder) for a in args], builder, name)
        raise AssertionError(ast.dump(node))

    def call(self, op: str, args: list[Atom], builder: Builder, name: str) -> Atom:
        if op in _INDEXED:
            ints = len(args) - _INDEXED[op]
            index = ("int",) * ints + (FULL,) * (args[0].type.rank - ints)
            return builder.let(op, *args, name=name, index=index)
        if op in _VIEWS:
            return builder.let("view", *args, name=name, index=_VIEWS[op])
        if op == "dim":
            axis = int(args[1].value.real) if len(args) > 1 else 0  # type: ignore[union-attr]
            return builder.let(op, args[0], name=name, axis=axis)
        return builder.let(op, *args, name=name, **_STATIC.get(op, {}))

    def loop(self, node: ast.For, builder: Builder) -> None:
        assert isinstance(node.target, ast.Name) and isinstance(node.iter, ast.Call)
        bounds = [self.atom(a, builder) for a in node.iter.args]
        if len(bounds) == 1:
            bounds.insert(0, integer(0))
        if len(bounds) == 2:
            bounds.append(integer(1))
        names = [n for n in _assigned(node.body) if n in self.env]
        index = Value(node.target.id, integer(0).type)
        inits = [self.env[n] for n in names]
        inners = [Value(n, init.type) for n, init in zip(names, inits, strict=True)]
        inside = _Reader(self.env | {index.name: index} | dict(zip(names, inners, strict=True)))
        inner = builder.inner()
        for statement in node.body:
            inside.statement(statement, inner)
        results = [Value(n, init.type) for n, init in zip(names, inits, strict=True)]
        carried = tuple(Carried(init, value, inside.env[n], result) for n, init, value, result
                        in zip(names, inits, inners, results, strict=True))
        assert isinstance(node.iter.func, ast.Name)
        mark = node.iter.func.id
        builder.append(Loop(index, *bounds, carried, inner.block, parallel=mark == "prange",
                            blocks=mark == "blocks"))
        self.env.update(zip(names, results, strict=True))

    def branch(self, node: ast.If, builder: Builder) -> None:
        test = self.atom(node.test, builder)
        names = [n for n in _assigned([*node.body, *node.orelse]) if n in self.env]
        arms = []
        for body in (node.body, node.orelse):
            inside, inner = _Reader(dict(self.env)), builder.inner()
            for statement in body:
                inside.statement(statement, inner)
            arms.append((inner.block, inside.env))
        joins = tuple(Join(arms[0][1][n], arms[1][1][n], Value(n, self.env[n].type))
                      for n in names)
        builder.append(Branch(test, arms[0][0], arms[1][0], joins))
        self.env.update({j.result.name: j.result for j in joins})


def _assigned(body: list[ast.stmt]) -> list[str]:
    """The names that statements assign, in order."""
    found = [n.id for s in body for n in ast.walk(s)
             if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
             and not any(isinstance(f, ast.For) and f.target is n for f in ast.walk(s))]
    return list(dict.fromkeys(found))
