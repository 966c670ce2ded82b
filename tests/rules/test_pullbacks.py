"""Every pullback against finite differences of a random projection of its operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retrograd.ir.operations import OPERATIONS
from retrograd.rules import RULES
from rules.calls import difference, partials

rng = np.random.default_rng(11)


def normal(*shape: int) -> Any:
    return rng.normal(size=shape) if shape else np.float64(rng.normal())


def zeroed(*shape: int, at: Any) -> Any:
    x = normal(*shape)
    x[at] = 0
    return x


def positive(n: int) -> Any:
    a = normal(n, n)
    return a @ a.T + n * np.eye(n)


Case = tuple[str, tuple[Any, ...], dict[str, Any]]

CASES: list[Case] = [
    *[(op, (normal(*shape),), {"axes": axes}) for op in ("sum", "max", "min", "prod")
      for shape, axes in [((5,), None), ((5,), (0,)), ((3, 4), None), ((3, 4), (0,)),
                          ((3, 4), (1,)), ((2, 3, 4), (0, 2)), ((2, 3, 4), (1, 2)),
                          ((2, 1, 3), (1,)), ((1,), None)]],
    ("prod", (zeroed(5, at=2),), {"axes": None}),
    ("prod", (zeroed(5, at=[1, 2]),), {"axes": None}),
    ("prod", (zeroed(3, 4, at=(slice(None), 1)),), {"axes": (1,)}),
    ("sum", (np.zeros((0, 3)),), {"axes": (0,)}),
    ("prod", (np.zeros((0, 3)),), {"axes": (0,)}),
    ("reshape", (normal(6), 2, 3), {}),
    ("reshape", (normal(2, 3), 6), {}),
    ("reshape", (normal(), 1, 1), {}),
    ("transpose", (normal(2, 3),), {"axes": (1, 0)}),
    ("transpose", (normal(2, 3, 4),), {"axes": (2, 0, 1)}),
    ("broadcast_to", (normal(), 2, 3), {}),
    ("broadcast_to", (normal(3), 2, 3), {}),
    ("broadcast_to", (normal(2, 1), 2, 3), {}),
    ("broadcast_to", (normal(1, 3), 4, 2, 3), {}),
    ("broadcast_to", (normal(1, 1), 2, 3), {}),
    ("broadcast_to", (normal(1), 1), {}),
    *[("diagonal", (normal(*shape),), {}) for shape in [(3, 3), (2, 4), (4, 2)]],
    *[("matmul", (normal(*x), normal(*y)), {}) for x, y in [
        ((3,), (3,)), ((2, 3), (3, 4)), ((2, 3), (3,)), ((3,), (3, 4)), ((5, 2, 3), (5, 3, 4)),
        ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)),
        ((6, 1, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((5, 2, 3), (1, 3, 1)),
        ((1, 3), (3, 1)), ((4, 1), (1, 4)), ((1,), (1,)), ((1,), (5, 1, 2))]],
    *[("einsum", tuple(normal(*s) for s in shapes), {"spec": spec}) for spec, shapes in [
        ("i->", [(3,)]), ("ij->i", [(2, 3)]), ("ij->ji", [(2, 3)]), ("ij->", [(2, 3)]),
        ("i->i", [(3,)]), ("i,i->", [(3,), (3,)]), ("ij,ji->", [(2, 3), (3, 2)]),
        ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk->ki", [(2, 3), (3, 4)]),
        ("ij,jk->", [(2, 3), (3, 4)]), ("ij,j->i", [(2, 3), (3,)]), ("i,j->ij", [(2,), (3,)]),
        ("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)]), ("ijk,kl->il", [(2, 3, 4), (4, 5)]),
        ("i,ij,j->", [(2,), (2, 3), (3,)]), ("ij,ij->ij", [(2, 3), (2, 3)]),
        (",i->i", [(), (3,)]), ("i,->", [(3,), ()]), ("ij,ij->", [(1, 3), (2, 3)]),
        ("ij,kl->il", [(2, 3), (4, 5)]), ("ij,ij->i", [(2, 1), (2, 3)])]],
    *[(op, (normal(*shape),), {"axis": axis}) for op in ("cumsum", "cumprod")
      for shape, axis in [((5,), 0), ((3, 4), 0), ((3, 4), 1), ((2, 3, 4), 1), ((1,), 0),
                          ((0,), 0)]],
    ("cumprod", (zeroed(5, at=2),), {"axis": 0}),
    ("cumprod", (zeroed(5, at=[0, 3]),), {"axis": 0}),
    ("cumprod", (zeroed(6, at=[1, 2, 4]),), {"axis": 0}),
    ("cumprod", (zeroed(3, 4, at=(1, 2)),), {"axis": 0}),
    ("cumprod", (zeroed(2, 4, 3, at=(1, 2)),), {"axis": 1}),
    *[("recurrence", (normal(*shape), normal(*shape)), {"axis": axis, "backwards": backwards})
      for shape, axis in [((5,), 0), ((3, 4), 0), ((3, 4), 1), ((2, 3, 4), 1), ((1,), 0), ((0,), 0)]
      for backwards in (False, True)],
    ("recurrence", (zeroed(5, at=[0, 2, 3]), normal(5)), {"axis": 0, "backwards": False}),
    ("recurrence", (zeroed(5, at=[0, 2, 3]), normal(5)), {"axis": 0, "backwards": True}),
    ("concatenate", (normal(2), normal(3)), {"axis": 0}),
    ("concatenate", (normal(2, 1), normal(2, 3), normal(2, 2)), {"axis": 1}),
    ("concatenate", (normal(2, 3),), {"axis": 1}),
    ("array", (normal(), normal(), normal()), {"shape": (3,)}),
    ("array", (normal(), normal(), normal(), normal()), {"shape": (2, 2)}),
    ("array", (normal(),), {"shape": (1,)}),
    ("full", (normal(), 2, 3), {"dtype": "float64"}),
    ("arange", (normal(), 6.0, np.float64(0.9)), {"dtype": "float64"}),
    ("copy", (normal(3),), {}), ("let", (normal(3),), {}),
    ("cast", (normal(3),), {"dtype": "float64"}), ("cast", (normal(),), {"dtype": "float64"}),
    ("conjugate", (normal(3),), {}), ("real", (normal(3),), {}),
    ("solve", (normal(3, 3) + 3 * np.eye(3), normal(3)), {}),
    ("solve", (normal(3, 3) + 3 * np.eye(3), normal(3, 2)), {}),
    ("inv", (normal(3, 3) + 3 * np.eye(3),), {}), ("det", (normal(3, 3),), {}),
    ("det", (normal(1, 1),), {}), ("slogdet_log", (normal(3, 3),), {}),
    ("cholesky", (positive(4),), {}), ("cholesky", (positive(1),), {}),
]

COMPLEX_ONLY = {"imag", "complex"}


def test_every_pullback_has_a_case() -> None:
    wanted = {name for name, rule in RULES.items() if rule.kind == "pullback"}
    assert {op for op, _, _ in CASES} == wanted - COMPLEX_ONLY


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{[np.shape(x) for x in c[1]]}")
def test_pullback_equals_finite_differences(case: Case) -> None:
    op, args, static = case
    evaluate = OPERATIONS[op].evaluate
    generator = np.random.default_rng(5)
    out_bar = generator.normal(size=np.shape(evaluate(*args, **static)))
    out_bar = out_bar if np.ndim(out_bar) else np.float64(out_bar)

    def projected(*moved: Any) -> Any:
        return np.sum(evaluate(*moved, **static) * out_bar)

    adjoints = partials(RULES[op], args, out_bar, **static)
    assert len(adjoints) == len(args)
    for k, (arg, adjoint) in enumerate(zip(args, adjoints)):
        if not isinstance(arg, (np.ndarray, np.float64)):
            assert adjoint is None
        elif adjoint is not None:
            assert np.shape(adjoint) == np.shape(arg)
            direction = generator.normal(size=np.shape(arg))
            expected = difference(projected, args, k, direction)
            np.testing.assert_allclose(np.sum(adjoint * direction), expected, rtol=2e-7,
                                       atol=2e-8)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{[np.shape(x) for x in c[1]]}")
def test_adjoints_have_the_dtype_of_their_argument(case: Case) -> None:
    op, args, static = case
    args = tuple(x.astype("float32") if isinstance(x, (np.ndarray, np.float64)) else x
                 for x in args)
    static = {**static, "dtype": "float32"} if "dtype" in static else static
    out_bar = np.ones_like(OPERATIONS[op].evaluate(*args, **static))[()]
    for arg, adjoint in zip(args, partials(RULES[op], args, out_bar, **static)):
        if adjoint is not None and isinstance(arg, (np.ndarray, np.float32)):
            assert np.result_type(adjoint) == np.float32


def test_operands_of_two_dtypes_get_each_their_own() -> None:
    x, y = normal(2, 3).astype("float32"), normal(3, 2)
    for op, static in (("matmul", {}), ("einsum", {"spec": "ij,jk->ik"})):
        x_bar, y_bar = partials(RULES[op], (x, y), np.ones((2, 2)), **static)
        assert (x_bar.dtype, y_bar.dtype) == (np.float32, np.float64)
    z_bar, x_bar = partials(RULES["matmul"], (y + 1j, x), np.ones((3, 3), complex))
    assert (z_bar.dtype, x_bar.dtype) == (np.complex128, np.float32)


# --- kinks and conventions -----------------------------------------------------------------------


@pytest.mark.parametrize("op", ["max", "min"])
def test_ties_share_equally(op: str) -> None:
    x = np.array([[1.0, 1, 0], [0, 0, 0]]) * (1 if op == "max" else -1)
    found, = partials(RULES[op], (x,), np.array([4.0, 6.0]), axes=(1,))
    np.testing.assert_array_equal(found, [[2, 2, 0], [2, 2, 2]])


def test_what_was_not_chosen_gets_exactly_nothing() -> None:
    found, = partials(RULES["max"], (np.array([1.0, 2.0]),), np.float64(np.inf), axes=None)
    np.testing.assert_array_equal(found, [0, np.inf])


def test_cholesky_reads_one_triangle() -> None:
    found, = partials(RULES["cholesky"], (positive(3),), normal(3, 3))
    np.testing.assert_array_equal(np.triu(found, 1), np.zeros((3, 3)))


def test_complex_parts_follow_jax() -> None:
    z, bar = np.array([1 + 2j]), np.array([3.0])
    np.testing.assert_array_equal(partials(RULES["real"], (z,), bar)[0], [3])
    np.testing.assert_array_equal(partials(RULES["imag"], (z,), bar)[0], [-3j])
    np.testing.assert_array_equal(partials(RULES["conjugate"], (z,), bar + 1j)[0], [3 - 1j])
    np.testing.assert_array_equal(
        partials(RULES["cast"], (bar,), bar + 1j, dtype="complex128")[0], [3])
