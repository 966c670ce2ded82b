"""Operations on arrays: emitted source against the interpreter, and how it looks."""

from __future__ import annotations

import numpy as np
import pytest

from backend.emit_help import check
from retrograd.ir.build import Builder
from retrograd.ir.index import FULL, Slice
from retrograd.ir.nodes import Constant, Function, Value, integer
from retrograd.ir.types import FLOAT, Array, Scalar

A = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 5.0]])
V = np.array([0.5, -1.0, 2.0])
K = np.array([2, 0, 2])
M = np.array([True, False, True])
T = np.arange(24.0).reshape(2, 3, 4)


def const(value: float) -> Constant:
    return Constant(value, FLOAT)


def value(name: str, array) -> Value:
    array = np.asarray(array)
    dtype = str(array.dtype)
    return Value(name, Array(dtype, (None,) * array.ndim) if array.ndim else Scalar(dtype))


# name, arguments, static, the text of the expression in readable source
CASES = [
    ("sum", (A,), {"axes": None}, "np.sum(a)"),
    ("sum", (A,), {"axes": (0,)}, "np.sum(a, axis=0)"),
    ("sum", (A,), {"axes": (0, 1)}, "np.sum(a)"),
    ("sum", (T,), {"axes": (0, 2)}, "np.sum(a, axis=(0, 2))"),
    ("sum", (M,), {"axes": None}, "np.sum(a)"),
    ("prod", (V,), {"axes": (0,)}, "np.prod(a)"),
    ("max", (A,), {"axes": (1,)}, "np.max(a, axis=1)"),
    ("any", (M,), {"axes": None}, "np.any(a)"),
    ("argmax", (A,), {"axes": (1,)}, "np.argmax(a, axis=1)"),
    ("argmin", (A,), {"axes": None}, "np.argmin(a)"),
    ("transpose", (A,), {"axes": (1, 0)}, "a.T"),
    ("transpose", (T,), {"axes": (1, 0, 2)}, "np.transpose(a, (1, 0, 2))"),
    ("reshape", (T, 6, 4), {}, "a.reshape(6, 4)"),
    ("reshape", (A, 9), {}, "a.reshape(9)"),
    ("broadcast_to", (V, 2, 3), {}, "np.broadcast_to(a, (2, 3))"),
    ("diagonal", (A,), {}, "np.diagonal(a)"),
    ("view", (A, 1), {"index": ("int", FULL)}, "a[1]"),
    ("view", (A, 1), {"index": (FULL, "int")}, "a[:, 1]"),
    ("view", (V, 1, -1), {"index": (Slice(True, True, 1),)}, "a[1:-1]"),
    ("view", (V,), {"index": (Slice(False, False, -1),)}, "a[::-1]"),
    ("view", (V, 2), {"index": (Slice(False, True, 2),)}, "a[:2:2]"),
    ("view", (V,), {"index": (FULL, "new")}, "a[:, np.newaxis]"),
    ("view", (A, 1, 2), {"index": ("int", "int")}, "a[1, 2, ...]"),
    ("view", (A,), {"index": (FULL, FULL)}, "a[:]"),
    ("load", (A, 1, -1), {"index": ("int", "int")}, "a[1, -1]"),
    ("take", (A, K), {"index": ("array", FULL)}, "a[b]"),
    ("take", (A, K, 1), {"index": ("array", "int")}, "a[b, 1]"),
    ("take", (V, M), {"index": ("mask",)}, "a[b]"),
    ("matmul", (A, V), {}, "a @ b"),
    ("einsum", (A, V), {"spec": "ij,j->i"}, "np.einsum('ij,j->i', a, b)"),
    ("einsum", (A,), {"spec": "ij->ji"}, "np.einsum('ij->ji', a)"),
    ("cumsum", (A,), {"axis": 0}, "np.cumsum(a, axis=0)"),
    ("cumprod", (V,), {"axis": 0}, "np.cumprod(a)"),
    ("recurrence", (V, V), {"axis": 0, "backwards": False}, "recurrence(a, b, 0, 1)"),
    ("recurrence", (A, A), {"axis": 1, "backwards": True}, "recurrence(a, b, 1, -1)"),
    ("recurrence", (T, T), {"axis": 1, "backwards": False}, "recurrence(a, b, 1, 1)"),
    ("zeros", (2, 3), {"dtype": "float64"}, "np.zeros((2, 3))"),
    ("ones", (2,), {"dtype": "float32"}, "np.ones(2, np.float32)"),
    ("zeros", (), {"dtype": "float64"}, "np.zeros(())"),
    ("zeros", (3,), {"dtype": "bool"}, "np.zeros(3, np.bool_)"),
    ("full", (0.5, 2, 2), {"dtype": "float64"}, "np.full((2, 2), 0.5)"),
    ("full", (1, 2), {"dtype": "float64"}, "np.full(2, 1, np.float64)"),
    ("eye", (2, 3), {"k": 1, "dtype": "float64"}, "np.eye(2, 3, 1)"),
    ("eye", (3, 3), {"k": 0, "dtype": "float32"}, "np.eye(3, dtype=np.float32)"),
    ("arange", (0, 4, 1), {"dtype": "int64"}, "np.arange(4)"),
    ("arange", (1, 7, 2), {"dtype": "float64"}, "np.arange(1, 7, 2, dtype=np.float64)"),
    ("array", (1.0, 2.0, 3.0, 4.0), {"shape": (2, 2)}, "np.array([[1.0, 2.0], [3.0, 4.0]])"),
    ("array", (1, 2), {"shape": (2,)}, "np.array([1, 2], np.int64)"),
    ("concatenate", (V, V), {"axis": 0}, "np.concatenate((a, b))"),
    ("concatenate", (A, A), {"axis": 1}, "np.concatenate((a, b), axis=1)"),
    ("copy", (A,), {}, "a.copy()"),
    ("dim", (A,), {"axis": 1}, "a.shape[1]"),
    ("solve", (A, V), {}, "np.linalg.solve(a, b)"),
    ("inv", (A,), {}, "np.linalg.inv(a)"),
    ("det", (A,), {}, "np.linalg.det(a)"),
    ("slogdet_sign", (A,), {}, "np.linalg.slogdet(a)[0]"),
    ("slogdet_log", (A,), {}, "np.linalg.slogdet(a)[1]"),
    ("cholesky", (A,), {}, "np.linalg.cholesky(a)"),
]
STORES = [
    ("update", (V, 1, 9.0), {"index": ("int",)}, "r[1] = 9.0"),
    ("update", (A, 1, V), {"index": ("int", FULL)}, "r[1] = b"),
    ("update", (A, 0.0), {"index": (FULL, FULL)}, "r[:] = 0.0"),
    ("update", (V, M, 0.5), {"index": ("mask",)}, "r[b] = 0.5"),
    ("update", (V, K, V), {"index": ("array",)}, "r[b] = c"),
    ("add_at", (V, 1, 9.0), {"index": ("int",)}, "r[1] += 9.0"),
    ("add_at", (V, 1, 0.5), {"index": (Slice(True, False, 1),)}, "r[1:] += 0.5"),
    ("add_at", (V, M, 0.5), {"index": ("mask",)}, "r[b] += 0.5"),
    ("add_at", (V, K, V), {"index": ("array",)}, "np.add.at(r, b, c)"),
    ("add_at", (A, K, 1.0), {"index": (FULL, "array")}, "np.add.at(r, np.s_[:, b], 1.0)"),
]
# Lowering leaves these to Numba as they are.
COMPILED = frozenset({"transpose", "view", "load", "zeros", "ones", "full", "eye", "arange",
                      "array", "copy", "dim", "solve", "reshape", "inv", "det", "slogdet_sign",
                      "slogdet_log", "cholesky", "update", "add_at"})


def program(op, args, static) -> tuple[Function, list]:
    builder, params, given, atoms = Builder(checks=False), [], [], []
    for arg in args:
        if isinstance(arg, np.ndarray):
            params.append(value("abc"[len(params)], arg))
            given.append(arg)
            atoms.append(params[-1])
        else:
            atoms.append(integer(arg) if isinstance(arg, int) else const(arg))
    if op in ("update", "add_at", "push"):
        atoms[0] = builder.let("copy", atoms[0], name="r")
    result = builder.let(op, *atoms, name="r", **static)
    return Function("f", tuple(params), builder.block, (result,)), given


@pytest.mark.parametrize(("op", "args", "static", "text"), CASES + STORES,
                         ids=[c[3] for c in CASES + STORES])
def test_readable(op, args, static, text):
    function, given = program(op, args, static)
    assert text in check(function, given)


@pytest.mark.parametrize("op", sorted(COMPILED))
def test_compiled(op):
    for name, args, static, _ in CASES + STORES:
        basic = not {"array", "mask"} & set(static.get("index", ()))
        if name == op and basic and static.get("axes") != (1, 0, 2) and (
                args or op != "zeros") and static.get("index") != ("int", "int"):
            function, given = program(op, args, static)
            check(function, given, "compiled", jit=True)


@pytest.mark.parametrize("arrangement", ["C", "F", "strided"])
def test_results_are_in_c_order_whatever_the_arguments_are(arrangement):
    a = {"C": A, "F": np.asfortranarray(A), "strided": np.repeat(A, 2, 1)[:, ::2]}[arrangement]
    layout = {"C": "C", "F": "F", "strided": "A"}[arrangement]
    for op, args, static, _ in CASES:
        if args and args[0] is A and len(args) == 1:
            x, builder = Value("a", Array("float64", (None, None), layout)), Builder(checks=False)
            result = builder.let(op, x, name="r", **static)
            more = builder.let("multiply", result, const(2.0), name="s")
            function = Function("f", (x,), builder.block, (result, more))
            _in_order(function, a)


def _in_order(function: Function, a) -> None:
    from backend.emit_help import flat, load
    from retrograd.backend.emit import emit

    emitted = emit(function, "readable", flat(2))
    results = load(emitted)(a)
    arrays = [r for r in results if isinstance(r, np.ndarray)]
    assert all(r.flags.c_contiguous and r.flags.writeable for r in arrays), emitted.source
    assert not any(np.may_share_memory(r, a) for r in arrays)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_a_growable_tape(rank, jit):
    from retrograd.ir.nodes import Carried, Loop

    row = np.arange(1.0, 1.0 + 2 ** rank).reshape((2,) * rank)
    x, b = value("x", row), Builder(checks=False)
    tape = b.let("empty", integer(2), *([integer(2)] * rank), dtype="float64", name="x_saved")
    inner, result = Value("x_saved", tape.type), Value("x_saved", tape.type)
    i, body = Value("i", Scalar("int64")), b.inner()
    end = body.let("push", inner, i, x, name="x_saved")
    b.append(Loop(i, integer(0), integer(8), integer(1), (Carried(tape, inner, end, result),),
                  body.block))
    function = Function("f", (x,), b.block, (result,))
    source = check(function, (row,), "compiled", jit=jit)
    assert "if i == x_saved.shape[0]:" in source
    assert "np.concatenate((x_saved, np.empty_like(x_saved)))" in check(function, (row,))
