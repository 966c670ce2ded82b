"""Small pieces of Python syntax, and numbers as syntax.

Every call makes new nodes: the printer writes precedences into them, so none may be shared.
Numbers are non-negative and finite where they stand in the tree: a sign is an operator, and
what is not finite is an attribute of NumPy.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

BINARY: dict[str, type[ast.operator]] = {
    "add": ast.Add, "subtract": ast.Sub, "multiply": ast.Mult, "divide": ast.Div,
    "floor_divide": ast.FloorDiv, "remainder": ast.Mod, "power": ast.Pow, "matmul": ast.MatMult,
    "bitwise_and": ast.BitAnd, "bitwise_or": ast.BitOr, "bitwise_xor": ast.BitXor,
    "left_shift": ast.LShift, "right_shift": ast.RShift,
}
COMPARE: dict[str, type[ast.cmpop]] = {
    "equal": ast.Eq, "not_equal": ast.NotEq, "less": ast.Lt, "less_equal": ast.LtE,
    "greater": ast.Gt, "greater_equal": ast.GtE,
}


def name(identifier: str) -> ast.expr:
    return ast.Name(identifier, ast.Load())


def target(identifier: str) -> ast.expr:
    return ast.Name(identifier, ast.Store())


def attribute(value: ast.expr | str, *parts: str) -> ast.expr:
    node = name(value) if isinstance(value, str) else value
    for part in parts:
        node = ast.Attribute(node, part, ast.Load())
    return node


def call(function: ast.expr | str, *args: ast.expr, **keywords: ast.expr) -> ast.expr:
    node = name(function) if isinstance(function, str) else function
    return ast.Call(node, list(args), [ast.keyword(k, v) for k, v in keywords.items()])


def binary(op: str, left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.BinOp(left, BINARY[op](), right)


def compare(op: str, left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.Compare(left, [COMPARE[op]()], [right])


def negated(value: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.USub(), value)


def inverted(value: ast.expr) -> ast.expr:
    """`not value`, without `not not`."""
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not):
        return value.operand
    return ast.UnaryOp(ast.Not(), value)


def both(op: type[ast.boolop], *values: ast.expr) -> ast.expr:
    return ast.BoolOp(op(), list(values))


def chosen(test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.expr:
    return ast.IfExp(test, then, otherwise)


def text(value: str) -> ast.expr:
    return ast.Constant(value)


def sequence(items: Sequence[ast.expr]) -> ast.expr:
    return ast.Tuple(list(items), ast.Load())


def integer(value: int) -> ast.expr:
    return negated(ast.Constant(-value)) if value < 0 else ast.Constant(value)


def real(value: bool | int | float, np: str) -> ast.expr:
    """A bool, an int or a float; `np` is what NumPy is called here."""
    if isinstance(value, bool):
        return ast.Constant(value)
    if isinstance(value, int):
        return integer(value)
    if math.isnan(value):
        return attribute(np, "nan")
    size = attribute(np, "inf") if math.isinf(value) else ast.Constant(abs(value))
    return negated(size) if math.copysign(1.0, value) < 0 else size


def literal(value: bool | int | float | complex, np: str) -> ast.expr:
    return _complex(value, np) if isinstance(value, complex) else real(value, np)


def _complex(value: complex, np: str) -> ast.expr:
    """`2j`, `-2j`, `1.0 - 2j`, and `complex(-0.0, inf)` where a sum would have other bits."""
    size = ast.Constant(complex(0.0, abs(value.imag)))
    negative = math.copysign(1.0, value.imag) < 0
    finite = math.isfinite(value.real) and math.isfinite(value.imag)
    if finite and not value.real and negative == (math.copysign(1.0, value.real) < 0):
        return negated(size) if negative else size
    if finite and value.real and (value.imag or not negative):
        return binary("subtract" if negative else "add", real(value.real, np), size)
    return call("complex", real(value.real, np), real(value.imag, np))


def assign(to: ast.expr, value: ast.expr) -> ast.stmt:
    return ast.Assign([to], value)


def augmented(to: ast.expr, op: str, value: ast.expr) -> ast.stmt:
    assert isinstance(to, ast.Name | ast.Subscript)
    return ast.AugAssign(to, BINARY[op](), value)


def subscripted(value: ast.expr, index: ast.expr, store: bool = False) -> ast.expr:
    return ast.Subscript(value, index, ast.Store() if store else ast.Load())


def branch(test: ast.expr, then: list[ast.stmt], otherwise: list[ast.stmt]) -> ast.stmt:
    return ast.If(test, then, otherwise)


def counting(index: str, stop: ast.expr, body: list[ast.stmt]) -> ast.stmt:
    return ast.For(target(index), call("range", stop), body, [])


def function(name: str, params: Sequence[str], body: list[ast.stmt]) -> ast.stmt:
    arguments = ast.arguments([], [ast.arg(p) for p in params], None, [], [], None, [])
    return ast.FunctionDef(name, arguments, body, [])
