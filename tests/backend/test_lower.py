"""Lowering computes what the IR says, for every operation, and leaves only loops and scalars."""

from __future__ import annotations

import time
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from backend.lowering_support import check, function_of, lower
from retrograd.ir.index import FULL, Slice
from retrograd.ir.nodes import (
    Branch,
    Carried,
    Constant,
    Effect,
    Join,
    Let,
    Loop,
    Value,
    While,
    integer,
    walk,
)
from retrograd.ir.operations_elementwise import ALL
from retrograd.ir.types import INT, Scalar

DTYPES = ("float64", "float32", "int64", "bool")
SHAPES: tuple[tuple[int, ...], ...] = (
    (), (5,), (1,), (0,), (3, 4), (1, 4), (3, 1), (0, 3), (3, 0), (2, 3, 4), (2, 1, 3), (1, 1, 2))


def sample(shape: tuple[int, ...], dtype: str = "float64", seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return np.asarray(rng.integers(0, 2, shape), bool)
    if dtype.startswith("int"):
        return np.asarray(rng.integers(-5, 6, shape), dtype)
    if dtype.startswith("complex"):
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    return np.asarray(rng.normal(size=shape), dtype)


def number(value: float) -> Constant:
    return Constant(value, Scalar("float64", weak=True))


# --- elementwise -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_elementwise(shape: tuple[int, ...], dtype: str) -> None:
    check(lambda b, x, y: b.let("where", b.let("less", x, y), b.let("maximum", x, y),
                                b.let("multiply", x, y)),
          sample(shape, dtype), sample(shape, dtype, 1))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_elementwise_with_weak_numbers(dtype: str) -> None:
    check(lambda b, x, a: b.let("add", b.let("exp", b.let("multiply", x, a)), number(0.5)),
          sample((3, 4), dtype), 2.5)


@pytest.mark.parametrize("left, right", [
    ((3, 1), (4,)), ((3, 4), (4,)), ((3, 4), (1, 4)), ((1,), (3, 4)), ((2, 1, 4), (3, 1)),
    ((), (3,)), ((1, 1), (3, 4)), ((0, 1), (1, 4))])
def test_broadcasting(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    check(lambda b, x, y: b.let("add", b.let("exp", x), b.let("sin", y)),
          sample(left), sample(right))


BITS = ("bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift")


@pytest.mark.parametrize(
    "operation", [o for o in ALL if o.name not in ("cast", "where", "strong", "accumulate")],
    ids=lambda o: o.name)
def test_every_elementwise_operation(operation: Any) -> None:
    dtype = "int64" if operation.name in BITS else "float64"
    x = np.abs(sample((2, 3), dtype)) + (1 if dtype == "int64" else 0.1)
    arity = 2 if getattr(getattr(np, operation.name, None), "nin", 1) == 2 else 1
    check(lambda b, *xs: b.let(operation.name, *xs), *(x,) * arity,
          exact=operation.cost < 20)


def test_one_loop_without_temporaries() -> None:
    lowered = check(lambda b, x, w, c: b.let("sum", b.let("add", b.let("exp", b.let(
        "multiply", x, w)), c), axes=None), sample((6,)), sample((6,)), 0.5, exact=False)
    assert not any(isinstance(s, Let) and s.op in ("empty", "zeros") for s in walk(lowered.body))
    assert sum(isinstance(s, Loop) for s in walk(lowered.body)) == 2


def exponentials(lowered: Any, trips: dict[int, int]) -> int:
    """How often `exp` is evaluated, with the trip counts by depth."""
    def count(block: Any, times: int, depth: int) -> int:
        total = 0
        for s in block:
            if isinstance(s, Loop):
                total += count(s.body, times * trips[depth], depth + 1)
            total += times * (isinstance(s, Let) and s.op == "exp")
        return total

    return count(lowered.body, 1, 0)


@pytest.mark.parametrize("shape, evaluations", [((3, 1), 3), ((1, 4), 4), ((4,), 4)])
def test_an_expensive_operand_is_not_evaluated_again(shape: tuple[int, ...],
                                                     evaluations: int) -> None:
    lowered = check(lambda b, x, y: b.let("add", b.let("exp", x), y), sample(shape),
                    sample((3, 4)))
    assert exponentials(lowered, {0: evaluations, 1: 4}) == evaluations


# --- creation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", ["zeros", "ones", "empty"])
def test_creation(op: str, dtype: str) -> None:
    check(lambda b, n: (b.let(op, n, dtype=dtype), b.let(op, n, integer(2), dtype=dtype)), 3)


def test_full_eye_arange_array() -> None:
    check(lambda b, n, x: b.let("full", x, n, integer(1), dtype="float64"), 3, 2.5)
    for k in (-1, 0, 2):
        check(lambda b, n, k=k: b.let("eye", n, integer(4), k=k, dtype="float64"), 3)
    for step in (1, 2, -1, -3):
        check(lambda b, a, z, step=step: b.let("arange", a, z, integer(step), dtype="int64"), -2, 9)
        check(lambda b, a, z, s: b.let("arange", a, z, s, dtype="int64"), 9, -4, step)
    check(lambda b, a, z, s: b.let("arange", a, z, s, dtype="float64"), 0.5, 3.2, 0.3, exact=False)
    check(lambda b, x, y: b.let("array", x, y, number(3.0), x, shape=(2, 2)), 1.5, 2.5)


@pytest.mark.parametrize("axis", [0, 1])
def test_concatenate(axis: int) -> None:
    check(lambda b, x, y, z: b.let("concatenate", x, b.let("exp", y), z, axis=axis),
          sample((2, 2)), sample((2, 2), seed=1), sample((2, 2), "int64"))
    check(lambda b, x, y: b.let("concatenate", x, y, axis=0), sample((0,)), sample((1,)))


@pytest.mark.parametrize("shape", SHAPES)
def test_copy_and_let(shape: tuple[int, ...]) -> None:
    check(lambda b, x: (b.let("copy", x), b.let("let", x)), sample(shape))


# --- views -------------------------------------------------------------------------------------

A3 = sample((4, 5, 6))


@pytest.mark.parametrize("index, atoms", [
    ((Slice(True, False), FULL, FULL), (1,)),
    ((Slice(True, True), FULL, FULL), (-3, -1)),
    ((Slice(step=-1), Slice(step=2), Slice(True, True, -2)), (-1, 1)),
    (("int", FULL, FULL), (2,)), (("int", FULL, FULL), (-1,)),
    ((FULL, "int", "new", FULL), (-2,)), (("int", "int", FULL), (0, -1)),
    (("new", FULL, FULL, "new", FULL), ()),
    ((Slice(True, True), FULL, FULL), (-9, 9)), ((Slice(True, True), FULL, FULL), (3, 2)),
    ((Slice(True, True, -1), FULL, FULL), (9, -9)), ((Slice(False, True, 3), FULL, FULL), (3,)),
])
@pytest.mark.parametrize("known", [True, False])
def test_view(index: Any, atoms: tuple[int, ...], known: bool) -> None:
    if known:
        check(lambda b, x: b.let("view", x, *map(integer, atoms), index=index), A3)
        check(lambda b, x: b.let("view", b.let("exp", x), *map(integer, atoms), index=index), A3)
    else:
        check(lambda b, x, *at: b.let("view", x, *at, index=index), A3, *atoms)
        check(lambda b, x, *at: b.let("add", b.let("view", b.let("negative", x), *at, index=index),
                                      number(1.0)), A3, *atoms)


def test_slices_with_every_bound() -> None:
    for step in (1, 2, -1, -2):
        for n in (0, 1, 2, 5):
            x = np.arange(float(n))
            bounds = (None, -7, -2, -1, 0, 1, 3, 7)
            for low in bounds:
                for high in bounds:
                    given = tuple(v for v in (low, high) if v is not None)
                    index = (Slice(low is not None, high is not None, step),)
                    check(lambda b, x, *at, index=index: b.let("view", x, *at, index=index),
                          x, *given)
                    check(lambda b, x, index=index, given=given: b.let(
                        "view", x, *map(integer, given), index=index), x)


def test_transpose_diagonal_broadcast() -> None:
    for axes in ((0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)):
        check(lambda b, x, axes=axes: b.let("transpose", x, axes=axes), A3)
    for shape in ((3, 4), (4, 3), (3, 3), (1, 4)):
        check(lambda b, x: b.let("diagonal", x), sample(shape))
    check(lambda b, x, n: b.let("broadcast_to", b.let("exp", x), n, integer(4)), sample((4,)), 3)
    check(lambda b, x, n: b.let("broadcast_to", b.let("exp", x), n, integer(4)), sample((3, 1)), 3)
    check(lambda b, x, n: b.let("broadcast_to", x, n), 2.5, 3)


@pytest.mark.parametrize("old, new", [
    ((12,), (3, 4)), ((3, 4), (12,)), ((3, 4), (4, 3)), ((3, 4), (3, 1, 4)), ((3, 1), (3,)),
    ((1,), ()), ((), (1, 1)), ((2, 3, 4), (6, 4)), ((0, 4), (4, 0))])
def test_reshape(old: tuple[int, ...], new: tuple[int, ...]) -> None:
    x = sample(old)
    for constant in (True, False):
        def build(b: Any, x: Any, *dims: Any, constant: bool = constant) -> Any:
            dims = tuple(map(integer, new)) if constant else dims
            return (b.let("reshape", x, *dims),
                    b.let("add", b.let("reshape", b.let("exp", x), *dims), number(1.0)))

        check(build, x, *new)
    if len(old) == 2:
        check(lambda b, x, *dims: b.let("reshape", x, *dims), np.asfortranarray(x), *new)


# --- indices -----------------------------------------------------------------------------------


def test_load() -> None:
    for i, j in ((0, 1), (-1, -2), (2, 3)):
        check(lambda b, x, i, j: b.let("load", x, i, j, index=("int", "int")),
              sample((3, 4)), i, j)
        check(lambda b, x, i, j: b.let("load", b.let("exp", x), i, j, index=("int", "int")),
              sample((3, 4)), i, j)


P, Q = np.array([2, -1, 0]), np.array([1, 1, -3])
TAKES: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (("array", FULL, FULL), (P,)), ((FULL, "array", FULL), (P,)),
    (("array", "array", FULL), (P, Q)), (("array", FULL, "array"), (P, Q)),
    ((FULL, "array", "array"), (P, Q)), (("int", FULL, "array"), (1, P)),
    (("int", "array", FULL), (-1, P)), (("new", FULL, "array", Slice(step=-2)), (P,)),
    (("array", "array", FULL), (P[:, None], Q)), (("array", FULL, FULL), (np.zeros(0, int),)),
    (("mask", FULL, FULL), (np.array([True, False, True, True]),)),
    ((FULL, "mask"), (A3[0] > 0,)), (("mask",), (A3 > 0.3,)),
    (("mask", "array", FULL), (np.array([True, False, True, True]), P)),
    (("mask", FULL, FULL), (np.zeros(4, bool),)),
)


@pytest.mark.parametrize("index, atoms", TAKES)
def test_take(index: Any, atoms: tuple[Any, ...]) -> None:
    check(lambda b, x, *at: b.let("take", x, *at, index=index), A3, *atoms)
    check(lambda b, x, *at: b.let("sum", b.let("take", b.let("exp", x), *at, index=index),
                                  axes=None), A3, *atoms, exact=False)


@pytest.mark.parametrize("op", ["update", "add_at"])
@pytest.mark.parametrize("index, atoms", TAKES + (
    (("int", "int", "int"), (1, -2, 3)), ((Slice(True), FULL, "int"), (1, 2)),
    ((Slice(step=-1), FULL, Slice(True, True, 2)), (-5, -1))))
def test_stores(op: str, index: Any, atoms: tuple[Any, ...]) -> None:
    from retrograd.ir.index import subscript

    shape = A3[subscript(index, atoms)].shape
    check(lambda b, x, v, *at: b.let(op, b.let("copy", x), *at, v, index=index),
          A3, sample(shape, seed=3), *atoms)
    check(lambda b, x, v, *at: b.let(op, b.let("copy", x), *at, b.let("exp", v), index=index),
          A3, 2.5, *atoms)
    if shape:
        check(lambda b, x, v, *at: b.let(op, b.let("copy", x), *at, b.let("exp", v), index=index),
              A3, sample(shape[-1:], seed=3), *atoms)


def test_last_writer_wins() -> None:
    check(lambda b, x, p, v: b.let("update", b.let("copy", x), p, v, index=("array",)),
          sample((5,)), np.array([1, 1, -4, 2, 1]), sample((5,), seed=1))


def test_index_arrays_that_read_what_is_written() -> None:
    p = np.array([3, 0, 1, 2])
    for op in ("update", "add_at"):
        def build(b: Any, x: Any, v: Any, op: str = op) -> Any:
            a = b.let("copy", x)
            return b.let(op, a, a, v, index=("array",))

        check(build, p, p + 10)
    check(lambda b, x: b.let("update", (a := b.let("copy", x)), b.let("greater", a, number(0.0)),
                             number(1.0), index=("mask",)), sample((6,)))


def test_take_of_something_that_is_not_in_memory() -> None:
    for index, atoms in TAKES:
        check(lambda b, x, *at, index=index: b.let("take", b.let("negative", x), *at, index=index),
              A3, *atoms)


def test_mask_store_of_the_wrong_number_of_values() -> None:
    x = sample((5,))
    check(lambda b, x, m, v: b.let("update", b.let("copy", x), m, v, index=("mask",)),
          x, x > 0, sample((7,)))


@pytest.mark.parametrize("read, written", [
    (Slice(False, True), Slice(True)), (Slice(True), Slice(False, True)), (FULL, FULL),
    (Slice(step=-1), FULL)])
def test_overlapping_right_hand_sides(read: Slice, written: Slice) -> None:
    def build(b: Any, x: Any) -> Any:
        a = b.let("copy", x)
        bounds = [integer(1) if s.start else integer(-1) if s.stop else None
                  for s in (read, written)]
        seen = b.let("view", a, *(k for k in bounds[:1] if k), index=(read,))
        new = b.let("multiply", seen, number(2.0))
        return b.let("update", a, *(k for k in bounds[1:] if k), new, index=(written,))

    check(build, sample((6,)))


def test_a_view_is_kept_when_what_it_shows_is_overwritten() -> None:
    def build(b: Any, x: Any) -> Any:
        a = b.let("copy", x)
        seen = b.let("view", a, integer(1), integer(-1), index=(Slice(True, True),))
        lazy = b.let("exp", a)
        a1 = b.let("update", a, integer(1), integer(-1), number(0.0), index=(Slice(True, True),))
        return a1, b.let("sum", seen, axes=None), b.let("sum", lazy, axes=None), seen

    check(build, sample((6,)), exact=False)


# --- reductions --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", ["sum", "prod", "max", "min", "any", "all"])
@pytest.mark.parametrize("shape", SHAPES)
def test_reductions(shape: tuple[int, ...], op: str, dtype: str) -> None:
    rank = len(shape)
    for size in range(rank + 1):
        for axes in combinations(range(rank), size):
            check(lambda b, x, axes=axes: b.let(op, x, axes=axes), sample(shape, dtype),
                  exact=op in ("max", "min"))
    check(lambda b, x: b.let(op, x, axes=None), sample(shape, dtype), exact=False)
    check(lambda b, x: b.let(op, b.let("negative" if dtype != "bool" else "logical_not", x),
                             axes=None), sample(shape, dtype), exact=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", ["argmax", "argmin"])
@pytest.mark.parametrize("shape", SHAPES)
def test_positions(shape: tuple[int, ...], op: str, dtype: str) -> None:
    x = sample(shape, dtype)
    check(lambda b, x: b.let(op, x, axes=None), x)
    for axis in range(len(shape)):
        check(lambda b, x, axis=axis: b.let(op, x, axes=(axis,)), x)


@pytest.mark.parametrize("op", ["max", "min", "argmax", "argmin", "sum"])
def test_nan_and_infinity(op: str) -> None:
    for special in (np.nan, np.inf, -np.inf):
        for place in (0, 2, 5):
            x = sample((6,))
            x[place] = special
            check(lambda b, x: b.let(op, x, axes=None), x)
            x[(place + 1) % 6] = np.nan
            check(lambda b, x: b.let(op, x, axes=None), x)
    check(lambda b, x: b.let(op, x, axes=None), np.full(3, -np.inf))


def test_sums_are_as_accurate_as_numpys() -> None:
    import math

    for seed in range(3):
        x = np.random.default_rng(seed).uniform(0, 1, 20_000)
        exact = math.fsum(x)
        lowered = check(lambda b, x: b.let("sum", x, axes=None), x, exact=False)
        from retrograd.ir.interpret import interpret

        found = float(interpret(lowered, (x,))[0])
        assert abs(found - exact) <= 8 * np.spacing(exact)


@pytest.mark.parametrize("op", ["cumsum", "cumprod"])
def test_scans(op: str) -> None:
    for shape in SHAPES[1:]:
        for axis in range(len(shape)):
            for dtype in DTYPES:
                check(lambda b, x, axis=axis: b.let(op, x, axis=axis), sample(shape, dtype))


@pytest.mark.parametrize("backwards", [False, True])
def test_recurrences(backwards: bool) -> None:
    for shape in (*SHAPES[1:], (5, 1)):
        for axis in range(len(shape)):
            for dtype in ("float64", "float32", "complex128"):
                factors, terms = sample(shape, dtype), sample(shape, dtype, 1)
                np.moveaxis(factors, axis, 0)[:1] = np.inf          # which is not used
                check(lambda b, x, y, axis=axis: b.let("recurrence", x, y, axis=axis,
                                                       backwards=backwards), factors, terms,
                      exact=False)


# --- products ----------------------------------------------------------------------------------


@pytest.mark.parametrize("left, right", [
    ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((3, 4), (4, 5)), ((1, 4), (4, 5)),
    ((3, 1), (1, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)),
    ((1, 3, 4), (2, 4, 5)), ((2, 3, 4), (4,)), ((4,), (2, 4, 5)), ((0, 4), (4, 2)), ((0,), (0,)),
    ((200,), (200,)), ((2, 300), (300,))])
@pytest.mark.parametrize("dtype", DTYPES)
def test_matmul(left: tuple[int, ...], right: tuple[int, ...], dtype: str) -> None:
    check(lambda b, x, y: b.let("matmul", x, y), sample(left, dtype), sample(right, dtype, 1),
          exact=False)


def test_matmul_operands_are_contiguous() -> None:
    def build(b: Any, x: Any, y: Any) -> Any:
        turned = b.let("transpose", b.let("exp", y), axes=(1, 0))
        product = b.let("matmul", x, turned)
        rows = b.let("view", product, integer(1), index=(Slice(True), FULL))
        return b.let("matmul", b.let("transpose", y, axes=(1, 0)), rows)

    check(build, sample((4, 3)), sample((3, 3)), exact=False)
    check(lambda b, x, y: b.let("matmul", b.let("view", x, integer(1), index=("int", FULL, FULL)),
                                y), sample((2, 3, 4)), sample((4, 3)), exact=False)
    check(lambda b, x, y: b.let("matmul", x, y), sample((3, 6))[:, ::2], sample((3, 2), "int64"),
          exact=False)


@pytest.mark.parametrize("spec, shapes", [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,ik->jk", [(2, 3), (2, 4)]),
    ("ij,kj->ik", [(2, 3), (4, 3)]),
    ("ij,jk->ki", [(2, 3), (3, 4)]), ("i,i->", [(5,), (5,)]), ("i,j->ij", [(3,), (4,)]),
    ("ii->i", [(3, 3)]), ("ii->", [(3, 3)]), ("ijk->kj", [(2, 3, 4)]), ("ij->", [(2, 3)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]),
    ("ij,ij->i", [(3, 4), (3, 4)]), ("ij,ij->j", [(3, 4), (3, 1)]), ("ij,j->", [(3, 4), (1,)])])
def test_einsum(spec: str, shapes: list[tuple[int, ...]]) -> None:
    args = [sample(s, seed=k) for k, s in enumerate(shapes)]
    check(lambda b, *xs: b.let("einsum", *xs, spec=spec), *args, exact=False)
    check(lambda b, *xs: b.let("einsum", *(b.let("exp", x) for x in xs), spec=spec), *args,
          exact=False)


def test_library() -> None:
    a = sample((3, 3)) + 4 * np.eye(3)
    s = a @ a.T
    for op in ("inv", "det", "slogdet_sign", "slogdet_log"):
        check(lambda b, x, op=op: b.let(op, x), a, exact=False)
        check(lambda b, x, op=op: b.let(op, b.let("transpose", x, axes=(1, 0))), a, exact=False)
    check(lambda b, x: b.let("cholesky", x), s, exact=False)
    check(lambda b, x, y: b.let("solve", x, y), a, sample((3,)), exact=False)
    check(lambda b, x, y: b.let("solve", x, b.let("view", y, index=(FULL, Slice(step=2)))), a,
          sample((3, 4)), exact=False)


# --- structure ---------------------------------------------------------------------------------


def for_loop(b: Any, count: Any, inits: Any, step: Any) -> list[Value]:
    """A loop of the program; `step(builder, index, inners)` gives the next values."""
    inner = b.inner()
    index = Value("i", INT)
    inners = [Value(f"c{k}", a.type) for k, a in enumerate(inits)]
    ends = step(inner, index, inners)
    results = [Value(f"c{k}", a.type) for k, a in enumerate(inits)]
    b.append(Loop(index, integer(0), count, integer(1),
                  tuple(map(Carried, inits, inners, ends, results)), inner.block))
    return results


def test_a_stencil_in_a_loop() -> None:
    middle, right, left = Slice(True, True), Slice(True), Slice(False, True)

    def build(b: Any, u0: Any, steps: Any) -> Any:
        def step(b: Any, i: Any, inners: Any) -> Any:
            (u,) = inners
            un = b.let("copy", u)
            right_of = b.let("view", un, integer(2), index=(right,))
            left_of = b.let("view", un, integer(-2), index=(left,))
            new = b.let("multiply", b.let("add", right_of, left_of), number(0.5))
            return [b.let("update", u, integer(1), integer(-1), new, index=(middle,))]

        (u,) = for_loop(b, steps, [b.let("copy", u0)], step)
        return u, b.let("sum", b.let("multiply", u, u), axes=None)

    lowered = check(build, sample((7,)), 3, exact=False)
    copies = [s for s in walk(lowered.body) if isinstance(s, Let) and s.op == "copy"]
    assert len(copies) == 1


def test_swapped_buffers_and_a_row_at_a_time() -> None:
    def build(b: Any, x: Any, w: Any, n: Any) -> Any:
        def step(b: Any, i: Any, inners: Any) -> Any:
            u, v = inners
            row = b.let("view", w, i, index=("int", FULL))
            new = b.let("add", b.let("multiply", u, row), b.let("tanh", v))
            return [v, new]

        return tuple(for_loop(b, n, [b.let("copy", x), b.let("zeros", integer(4),
                                                              dtype="float64")], step))

    check(build, sample((4,)), sample((3, 4)), 3)
    check(build, sample((4,)), sample((3, 4)), 0)


def test_views_across_a_loop_that_writes() -> None:
    def build(b: Any, x: Any, n: Any) -> Any:
        a = b.let("copy", x)
        seen = b.let("view", a, index=(Slice(step=-1),))

        def step(b: Any, i: Any, inners: Any) -> Any:
            value = b.let("load", seen, i, index=("int",))
            return [b.let("update", inners[0], i, b.let("exp", value), index=("int",))]

        (result,) = for_loop(b, n, [a], step)
        return result, seen

    check(build, sample((5,)), 5)


def test_loops_inside_loops_and_shapes_of_carried_arrays() -> None:
    def build(b: Any, x: Any, n: Any) -> Any:
        def outer(b: Any, i: Any, arrays: Any) -> Any:
            def inner(b: Any, j: Any, arrays: Any) -> Any:
                old = b.let("load", arrays[0], i, j, index=("int", "int"))
                return [b.let("update", arrays[0], j, i, b.let("multiply", old, number(0.5)),
                              index=("int", "int"))]

            return for_loop(b, n, arrays, inner)

        (a,) = for_loop(b, n, [b.let("copy", x)], outer)
        return b.let("add", a, b.let("dim", a, axis=1))

    lowered = check(build, sample((3, 3)), 3)
    dims = {s.args[0].name for s in walk(lowered.body) if isinstance(s, Let) and s.op == "dim"}
    assert dims == {"x0"}


@pytest.mark.parametrize("taken", [True, False])
def test_branches(taken: bool) -> None:
    def build(b: Any, x: Any, c: Any) -> Any:
        a = b.let("copy", x)
        seen = b.let("view", a, integer(1), index=(Slice(True),))
        then, other = b.inner(), b.inner()
        first = then.let("update", a, integer(0), number(5.0), index=("int",))
        second = other.let("multiply", a, number(2.0))
        result = Value("a", a.type)
        b.append(Branch(c, then.block, other.block, (Join(first, second, result),)))
        return b.let("sum", seen, axes=None), result, b.let("exp", result)

    check(build, sample((5,)), taken, exact=False)


def test_a_while_loop_with_an_array() -> None:
    def build(b: Any, x: Any) -> Any:
        start = b.let("copy", x)
        inner, result = Value("u", start.type), Value("u", start.type)
        test, body = b.inner(), b.inner()
        holds = test.let("greater", test.let("sum", inner, axes=None), number(0.1))
        new = body.let("multiply", inner, number(0.5))
        trips = Value("trips", INT)
        b.append(While((Carried(start, inner, new, result),), test.block, holds, body.block,
                       trips))
        return result, trips

    check(build, np.abs(sample((5,))))


def test_a_loop_that_leaves() -> None:
    def build(b: Any, x: Any, n: Any) -> Any:
        body = b.inner()
        index, inner = Value("i", INT), Value("s", Scalar("float64"))
        new = body.let("add", inner, body.let("sum", x, axes=None))
        leave = body.let("greater", new, number(3.0))
        result, trips = Value("s", Scalar("float64")), Value("trips", INT)
        start = b.cast(number(0.0), "float64")
        b.append(Loop(index, integer(0), n, integer(1), (Carried(start, inner, new, result),),
                      body.block, leave, trips))
        return result, trips

    check(build, np.abs(sample((3,))), 9, exact=False)


@pytest.mark.parametrize("indices", [[0, 4, -5], [0, 5], [-6, 1], []])
def test_checks_of_index_arrays(indices: list[int]) -> None:
    def build(b: Any, x: Any, p: Any) -> Any:
        n = b.let("dim", x, axis=0)
        b.append(Effect("check_bounds", (p, n), {"axis": 0}))
        return b.let("sum", b.let("take", x, p, index=("array",)), axes=None)

    check(build, sample((5,)), np.array(indices, int), exact=False)


def test_tapes_and_printing(capsys: Any) -> None:
    def build(b: Any, tape: Any, x: Any, n: Any) -> Any:
        b.append(Effect("print", (b.let("exp", x), n), {"parts": (0, 1)}))
        return b.let("push", b.let("copy", tape), n, b.let("exp", x))

    check(build, sample((2, 3)), sample((3,)), 1)
    capsys.readouterr()
    check(lambda b, tape, x, n: b.let("push", b.let("copy", tape), n, x), sample((2,)), 1.5, 1)


def test_shared_elements_that_end_in_one_loop_are_evaluated_once() -> None:
    def build(b: Any, x: Any, w: Any) -> Any:
        e = b.let("exp", x)
        product = b.let("multiply", e, w)
        return b.let("sum", b.let("add", product, b.let("multiply", e, e)), axes=None)

    lowered = check(build, sample((6,)), sample((6,)), exact=False)
    operations = [s.op for s in walk(lowered.body) if isinstance(s, Let)]
    assert operations.count("exp") == 1 and "empty" not in operations


def test_memory_is_taken_over_from_an_array_that_is_read_for_the_last_time() -> None:
    def build(b: Any, x: Any, g: Any, n: Any) -> Any:
        def step(b: Any, i: Any, inners: Any) -> Any:
            return [b.let("add", inners[0], b.let("multiply", g, i))]

        return tuple(for_loop(b, n, [b.let("copy", x)], step))

    lowered = check(build, sample((6,)), sample((6,)), 3)
    assert not any(isinstance(s, Let) and s.op == "empty" for s in walk(lowered.body))


def test_memory_is_not_taken_over_while_it_is_still_read() -> None:
    def build(b: Any, x: Any) -> Any:
        a = b.let("copy", x)
        c = b.let("cumsum", a, axis=0)
        d = b.let("tanh", c)
        e = b.let("add", d, b.let("view", c, index=(Slice(step=-1),)))
        f = b.let("negative", e)
        return d, f, b.let("add", f, c), b.let("update", c, integer(0), number(1.0),
                                               index=("int",))

    check(build, sample((6,)))


def test_lowering_takes_linear_time() -> None:
    def seconds(count: int) -> float:
        def build(b: Any, x: Any) -> Any:
            y = x
            for _ in range(count):
                y = b.let("add", b.let("multiply", y, number(0.5)), x)
            return b.let("sum", y, axes=None)

        function = function_of(build, [sample((3,))])
        start = time.process_time()
        lower(function)
        return time.process_time() - start

    # 64 times if it were quadratic; the machine may do something else meanwhile
    assert any(seconds(2000) < 24 * max(seconds(250), 0.01) for _ in range(3))
