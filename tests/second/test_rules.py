"""Every rule at second order, in all four compositions of the modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retrograd.api.types import type_of
from retrograd.ir.build import Builder
from retrograd.ir.nodes import Atom, Function, Value, number
from retrograd.ir.types import Scalar, is_float
from retrograd.ir.verify import verify
from retrograd.rules import INDEXED, RULES
from rules.test_elementwise import NAMES, sample
from rules.test_pullbacks import CASES, Case
from second.compositions import Program, assert_second, program, program_of

PAIRS = [((), ()), ((3,), ()), ((), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((1,), (3,)),
         ((2, 3), (2, 3))]
CHOICES = {"where", "strong"}


def operation(op: str, args: tuple[Any, ...], **static: Any) -> Program:
    """`y + y * y / 2` for the result y of an operation, of all its float arguments."""
    builder = Builder()
    params: list[Value] = []
    atoms: list[Atom] = []
    given: list[Any] = []
    for k, arg in enumerate(args):
        if type(arg) in (int, float):
            atoms.append(number(arg, Scalar("int64" if type(arg) is int else "float64", True)))
            continue
        value = Value(f"x{k}", type_of(arg))
        params.append(value)
        atoms.append(value)
        given.append(arg)
    y = builder.let(op, *atoms, **static)
    half = number(0.5, Scalar("float64", True))
    out = builder.let("add", y, builder.let("multiply", half, builder.let("multiply", y, y)))
    function = verify(Function(op, tuple(params), builder.block, (out,)))
    return program(function, builder.facts, [p for p in params if is_float(p.type)], given)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "strong"])
def test_elementwise(name: str) -> None:
    args = tuple(x[:5] for x in sample(name))
    assert_second(operation(name, args))
    assert_second(operation(name, tuple(x[0] for x in args)))


@pytest.mark.parametrize("shapes", PAIRS, ids=str)
@pytest.mark.parametrize("name", [n for n in NAMES if len(RULES[n].domain) == 2
                                  and n not in CHOICES])
def test_broadcast_pairs(name: str, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    pools = sample(name)
    args = tuple(np.resize(pool, shape) if shape else pool[k]
                 for k, (pool, shape) in enumerate(zip(pools, shapes, strict=True)))
    assert_second(operation(name, args))


@pytest.mark.parametrize("name", [n for n in NAMES if n != "strong"])
def test_single_precision(name: str) -> None:
    single = operation(name, tuple(x[:4] for x in sample(name, "float32")))
    assert all(v.type.dtype == "float32" for v in single.inputs)
    assert_second(single, rtol=2e-4, true_rtol=5e-2)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{[np.shape(x) for x in c[1]]}")
def test_others(case: Case) -> None:
    op, args, static = case
    assert_second(operation(op, args, **static))


def powers(x: Any, y: float) -> Any:
    return np.sum(x ** 3 + x ** 2 + x ** 1 + x ** 0 + x ** -1.5 + y ** x)


def stored(x: Any, i: int) -> Any:
    """`load`, `view`, `take`, `update` and `add_at`, of single elements, parts and masks."""
    y = x.copy()
    y[i] = y[i + 1] * x[i] * 2.0
    y[1:-1] += x[2:] * x[:-2]
    y[np.array([0, 2, 0])] *= x[3]
    y[x > 0.5] = x[x > 0.5] ** 2
    z = np.zeros(3)
    np.add.at(z, np.array([0, 1, 0, 2]), y[:4] * x[:4])
    return np.sum(z * z) + y[i] * y[-1] + np.sum(y[::-1] * x ** 2)


def rows(A: Any) -> Any:
    B = A.copy()
    for i in range(1, A.shape[0]):
        B[i, :] = B[i - 1, :] * A[i, :] + B[i, :]
        B[i, 0] *= B[i - 1, 1]
    return np.sum(B * B)


def pushed(x: float) -> float:
    """A growable tape, and a list that grows as long as the program wants."""
    values = []
    y = x
    while y < 3.0:
        values.append(y * x)
        y = y * y + 0.1 * x
    total = 0.0
    for value in values:
        total += np.sin(value) * value
    return total * y


def shrinking(A: Any) -> Any:
    """Arrays of another length in every iteration: rows one after the other on a tape."""
    A = A.copy()
    for k in range(len(A)):
        A[k + 1:, k] /= A[k, k]
    return A


SQUARE = np.array([[1.3, 0.2, 0.4], [0.3, 1.1, 0.6], [0.5, 0.7, 0.9]])
INDICES = {"shrinking": (shrinking, (SQUARE,)),
           "stored": (stored, (np.array([0.3, 0.7, -0.4, 0.9, 1.2, 0.2]), 1)),
           "rows": (rows, (np.array([[0.5, -0.3], [1.1, 0.4], [0.8, -1.2]]),)),
           "pushed": (pushed, (1.3,)),
           "powers": (powers, (np.array([0.5, 1.5, 2.0]), 1.3))}


@pytest.mark.parametrize("name", INDICES)
def test_parts_of_arrays(name: str) -> None:
    function, args = INDICES[name]
    assert_second(program_of(function, *args))


def test_every_rule_is_tested() -> None:
    assert {op for op, _, _ in CASES} | set(NAMES) >= set(RULES) - {"imag", "complex"}
    assert {"load", "view", "take", "update", "add_at", "push"} == set(INDEXED)
