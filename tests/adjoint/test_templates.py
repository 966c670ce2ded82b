"""Rules as templates: what they read is what must be kept, and only what is wanted is computed."""

from __future__ import annotations

from typing import Any

import pytest

from retrograd.adjoint.templates import Template, template
from retrograd.ir.nodes import Atom, Constant, Value
from retrograd.ir.types import FLOAT, Array
from retrograd.rules import RULES

VECTOR, MATRIX = Array("float64", (None,)), Array("float64", (None, None))


def made(op: str, *types: Any, wanted: tuple[bool, ...] | None = None, out: Any = FLOAT,
         **static: Any) -> Template:
    args: list[Atom] = [t if isinstance(t, Constant) else Value(f"a{k}", t)
                        for k, t in enumerate(types)]
    return template(RULES[op], args, out, static, wanted or (True,) * len(types))


def reads(found: Template) -> set[str]:
    """The placeholders that are read: x0, x1, ... for arguments, out, out_bar."""
    names = {a: f"x{k}" for k, a in enumerate(found.args)}
    names |= {found.out: "out", found.out_bar: "out_bar"}
    return {names[v] for v in found.reads()}


@pytest.mark.parametrize("op, expected", [
    ("exp", {"out"}), ("tanh", {"out"}), ("sqrt", {"out"}), ("sin", {"x0"}), ("log", {"x0"}),
    ("negative", set()),
])
def test_what_rules_of_one_argument_read(op: str, expected: set[str]) -> None:
    assert reads(made(op, FLOAT)) == expected


@pytest.mark.parametrize("op, wanted, expected", [
    ("add", (True, True), set()), ("subtract", (True, True), set()),
    ("multiply", (True, True), {"x0", "x1"}), ("multiply", (True, False), {"x1"}),
    ("multiply", (False, True), {"x0"}), ("divide", (True, False), {"x1"}),
    ("divide", (False, True), {"x1", "out"}),
])
def test_only_what_is_wanted(op: str, wanted: tuple[bool, bool], expected: set[str]) -> None:
    found = made(op, FLOAT, FLOAT, wanted=wanted)
    assert reads(found) == expected
    assert tuple(r is not None for r in found.results) == wanted


def test_matrix_products_read_the_other_operand() -> None:
    first = made("matmul", MATRIX, MATRIX, out=MATRIX, wanted=(True, False))
    assert reads(first) == {"x1", "out_bar"}
    second = made("matmul", MATRIX, VECTOR, out=VECTOR, wanted=(False, True))
    assert reads(second) == {"x0", "out_bar"}


def test_sums_read_shapes_only() -> None:
    found = made("sum", MATRIX, out=VECTOR, axes=(0,))
    assert reads(found) == {"out_bar"}


def test_known_exponents_need_no_logarithm() -> None:
    square = made("power", FLOAT, Constant(2.0, FLOAT), wanted=(True, False))
    assert "log" not in [s.op for s in square.lets] and reads(square) == {"x0"}
    both = made("power", FLOAT, FLOAT)
    assert "log" in [s.op for s in both.lets]


def test_templates_are_made_once_for_each_combination() -> None:
    assert made("sin", FLOAT) is made("sin", FLOAT)
    assert made("sin", FLOAT) is not made("sin", VECTOR)
    assert made("sum", MATRIX, out=VECTOR, axes=(0,)) is not made(
        "sum", MATRIX, out=VECTOR, axes=(1,))


def test_every_rule_has_an_operation_and_gives_one_result_an_argument() -> None:
    from retrograd.ir.operations import OPERATIONS

    for name, rule in RULES.items():
        assert name == rule.op and name in OPERATIONS
