"""Every rule in forward mode: against central differences, and against its own reverse mode."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from retrograd.rules import RULES
from rules.one_operation import OneOperation, paired, random_like
from rules.test_elementwise import NAMES
from rules.test_pullbacks import CASES, COMPLEX_ONLY, Case, normal

COMPLEX = [("imag", (normal(3) + 1j,), {}), ("complex", (normal(), normal()), {})]
ALL: list[Case] = [*CASES, *COMPLEX]
SHAPES = {1: [((),), ((4,),), ((2, 3),), ((1,),)],
          2: [((), ()), ((4,), (4,)), ((), (4,)), ((4,), ()), ((4,), (3, 4)), ((3, 1), (4,)),
              ((3, 1), (1, 4)), ((1,), (4,)), ((1, 1), ()), ((1,), (1,))],
          3: [((4,), (4,), (4,)), ((3, 1), (), (4,)), ((4,), (1, 4), (3, 4)), ((), (), ())]}


def shown(case: Case) -> str:
    return f"{case[0]}-{[np.shape(x) for x in case[1]]}"


def agree(one: OneOperation, rtol: float = 2e-7) -> None:
    """The tangent has the shape and dtype of the value, equals the central difference, and pairs
    with adjoints as reverse mode says."""
    dots, value = one.directions(7), one.value()
    tangent = one.tangent(dots)
    assert np.shape(tangent) == np.shape(value)
    assert np.asarray(tangent).dtype == np.asarray(value).dtype
    np.testing.assert_allclose(tangent, one.difference(dots), rtol=rtol, atol=rtol / 5)
    pairs(one, dots, tangent, 1e-12)


def pairs(one: OneOperation, dots: list[Any], tangent: Any, rtol: float) -> None:
    bar = random_like(tangent, np.random.default_rng(8))
    reverse = sum(paired(g, d) for g, d in zip(one.adjoints(bar), dots, strict=True))
    np.testing.assert_allclose(paired(tangent, bar), reverse, rtol=rtol, atol=rtol)


def sample(op: str, shapes: tuple[tuple[int, ...], ...], dtypes: tuple[str, ...]) -> list[Any]:
    rng = np.random.default_rng(3)
    args = [np.asarray(rng.uniform(low, high, shape)).astype(dtype)[()] for (low, high), shape,
            dtype in zip(RULES[op].domain, shapes, dtypes, strict=True)]
    if op == "where":
        args[0] = args[0] > 0.5
    return args


def test_every_rule_has_a_forward_mode() -> None:
    for name, rule in RULES.items():
        assert rule.kind == "elementwise" or rule.linear or rule.pushforward is not None, name
        assert not (rule.linear and rule.pushforward is not None), name


def test_every_rule_is_tested() -> None:
    assert {op for op, _, _ in ALL} | set(NAMES) == set(RULES)
    assert {op for op, _, _ in COMPLEX} == COMPLEX_ONLY


@pytest.mark.parametrize("case", ALL, ids=shown)
def test_operations_on_arrays(case: Case) -> None:
    op, args, static = case
    agree(OneOperation(op, args, static))


@pytest.mark.parametrize("case", [c for c in ALL if len(c[1]) > 1], ids=shown)
def test_one_argument_alone(case: Case) -> None:
    """The others have no tangent, and no work is done for them."""
    op, args, static = case
    for k in range(len(args)):
        one = OneOperation(op, args, static, moved=[k])
        if one.inputs and not (op == "arange" and k == 1):
            agree(one)


@pytest.mark.parametrize("name", NAMES)
def test_elementwise_with_every_pair_of_shapes(name: str) -> None:
    count = len(RULES[name].domain)
    for shapes in SHAPES[count]:
        args = sample(name, shapes, ("float64",) * count)
        agree(OneOperation(name, args, {}))
        for k in range(count):
            one = OneOperation(name, args, {}, moved=[k])
            if one.inputs:
                agree(one)


@pytest.mark.parametrize("name", NAMES)
def test_elementwise_of_every_pair_of_dtypes(name: str) -> None:
    count = len(RULES[name].domain)
    for dtypes in itertools.product(("float32", "float64"), repeat=count):
        for shapes in (SHAPES[count][0], SHAPES[count][1]):
            one = OneOperation(name, sample(name, shapes, dtypes), {})
            dots, value = one.directions(7), one.value()
            tangent = one.tangent(dots)
            assert np.asarray(tangent).dtype == np.asarray(value).dtype
            pairs(one, dots, tangent, 1e-5 if "float32" in dtypes else 1e-12)


@pytest.mark.parametrize("case", ALL, ids=shown)
def test_operations_on_arrays_of_float32(case: Case) -> None:
    op, args, static = case
    args = tuple(x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)
                 if isinstance(x, (np.ndarray, np.float64)) else x for x in args)
    static = {**static, "dtype": "float32"} if "dtype" in static else static
    one = OneOperation(op, args, static)
    dots, value = one.directions(7), one.value()
    tangent = one.tangent(dots)
    assert np.asarray(tangent).dtype == np.asarray(value).dtype
    pairs(one, dots, tangent, 2e-4)


@pytest.mark.parametrize("op, args, static", [
    ("matmul", (normal(2, 3).astype("float32"), normal(3, 2)), {}),
    ("matmul", (normal(2, 3), normal(3, 2) + 1j), {}),
    ("einsum", (normal(2, 3).astype("float32"), normal(3, 2)), {"spec": "ij,jk->ik"}),
    ("concatenate", (normal(2).astype("float32"), normal(3)), {"axis": 0}),
    ("concatenate", (np.array([1, 2]), normal(3)), {"axis": 0}),
    ("array", (normal(), np.float32(2), 3), {"shape": (3,)}),
    ("array", (normal(), np.complex128(2 + 1j)), {"shape": (2,)}),
    ("cast", (normal(3),), {"dtype": "complex128"}),
    ("cast", (normal(3).astype("float32"),), {"dtype": "float64"}),
    ("full", (normal(), 2), {"dtype": "complex128"}),
], ids=str)
def test_operands_of_several_dtypes(op: str, args: tuple[Any, ...], static: dict[str, Any],
                                    ) -> None:
    for moved in (None, *([k] for k in range(len(args)))):
        one = OneOperation(op, args, static, moved)
        if one.inputs:
            dots, value = one.directions(7), one.value()
            tangent = one.tangent(dots)
            assert np.asarray(tangent).dtype == np.asarray(value).dtype
            pairs(one, dots, tangent, 1e-6)


Z = np.array([0.3 + 0.4j, -0.7 + 0.2j, 1.1 - 0.5j])
HOLOMORPHIC = ("negative", "sqrt", "exp", "expm1", "log", "log10", "log1p", "sin", "cos", "tan",
               "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh",
               "arctanh")


@pytest.mark.parametrize("op, args, static", [
    *[(op, (Z,), {}) for op in (*HOLOMORPHIC, "absolute", "conjugate", "real", "imag", "copy")],
    *[(op, (Z, y), {}) for op in ("add", "subtract", "multiply", "divide", "power")
      for y in (Z[::-1].copy() + 2, np.array([0.5, 1.5, 2.5]))],
    *[(op, (np.array([0.5, 1.5, 2.5]), Z), {}) for op in ("multiply", "divide", "power")],
    *[("power", (Z, y), {}) for y in (2, 3, 0.5)],
    *[("cast", (Z,), {"dtype": d}) for d in ("complex128", "float64")],
    ("sum", (Z,), {"axes": None}), ("prod", (Z,), {"axes": None}), ("cumsum", (Z,), {"axis": 0}),
    ("cumprod", (Z,), {"axis": 0}), ("recurrence", (Z, Z + 1), {"axis": 0, "backwards": True}),
    ("matmul", (Z, Z + 1), {}),
    ("solve", (np.outer(Z, Z) + np.eye(3), Z), {}), ("inv", (np.outer(Z, Z) + np.eye(3),), {}),
    ("det", (np.outer(Z, Z) + np.eye(3),), {}),
], ids=lambda x: x if isinstance(x, str) else "")
def test_complex_numbers(op: str, args: tuple[Any, ...], static: dict[str, Any]) -> None:
    agree(OneOperation(op, args, static))


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, -1.5])
def test_known_exponents(exponent: float) -> None:
    agree(OneOperation("power", (np.array([0.7, 1.3]), exponent), {}))


@pytest.mark.parametrize("op", ["max", "min"])
def test_ties_share_equally(op: str) -> None:
    one = OneOperation(op, (np.array([[1.0, 1.0, 3.0]]) * (-1 if op == "max" else 1),),
                       {"axes": (1,)})
    np.testing.assert_array_equal(one.tangent([np.array([[2.0, 4.0, 9.0]])]), [3.0])


def test_cholesky_reads_one_triangle() -> None:
    a = np.array([[4.0, 1.0], [1.0, 3.0]])
    one = OneOperation("cholesky", (a,), {})
    np.testing.assert_array_equal(one.tangent([np.array([[0.0, 5.0], [0.0, 0.0]])]),
                                  np.zeros((2, 2)))


def test_a_planted_error_is_found() -> None:
    one = OneOperation("prod", (normal(3),), {"axes": None})
    dots = one.directions(7)
    assert not np.allclose(one.tangent([2 * dots[0]]), one.difference(dots))
