"""Every elementwise operation on every dtype, in both dialects, against its own definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from backend.emit_help import flat, load
from retrograd.backend.emit import emit
from retrograd.backend.emit_elementwise import ALL
from retrograd.ir.build import Builder
from retrograd.ir.nodes import Constant, Function, Let, Value
from retrograd.ir.operations import OPERATIONS
from retrograd.ir.types import Array, Scalar

FLOATS = [-2.5, -1.0, 0.0, 0.5, 1.0, 3.0, np.inf, -np.inf, np.nan]
SAMPLES = {"float64": FLOATS, "float32": FLOATS, "int64": [-3, -1, 0, 1, 2, 5],
           "int32": [-3, -1, 0, 1, 2, 5], "bool": [False, True],
           "complex128": [0.5 + 1j, -1 + 0.25j, 2 + 0j]}
UNARY = frozenset({
    "negative", "sign", "floor", "ceil", "trunc", "conjugate", "absolute", "real", "imag", "rint",
    "sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "sin", "cos", "tan",
    "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "erf",
    "erfc", "gammaln", "logical_not", "invert", "isnan", "isinf", "isfinite", "signbit"})
MIXED = [("float32", "int64"), ("int64", "float64"), ("int32", "float32"), ("float32", "float64")]
INTS = frozenset({"int64", "int32"})
# Between bools alone NumPy has int8 or half precision here, and the front end casts.
BOOLS = frozenset({"add", "multiply", "maximum", "minimum", "logical_and", "logical_or",
                   "logical_not", "equal", "less", "where", "bitwise_and", "bitwise_or"})
COMPLEX = frozenset({"add", "subtract", "multiply", "divide", "negative", "conjugate", "real",
                     "imag", "absolute", "exp", "sin", "equal", "where"})
LIMITS = {"gammaln": lambda x: np.isfinite(x), "power": lambda x, y: np.isfinite(x) or y != 0.5}


def signatures(op: str) -> list[tuple[str, ...]]:
    if op == "where":
        return [("bool", d, d) for d in ("float64", "float32", "int64", "bool")] + [
            ("bool", "float64", "int64")]
    found = [(d,) if op in UNARY else (d, d) for d in ("float64", "float32", "int64", "int32")]
    found += [] if op in UNARY else MIXED
    found += [("bool",) * len(found[0])] if op in BOOLS else []
    found += [("complex128",) * len(found[0])] if op in COMPLEX else []
    return found


def rows(op: str, dtypes: tuple[str, ...]) -> list[tuple]:
    """Arguments for which the operation is defined."""
    found = [tuple(np.dtype(d).type(v) for d, v in zip(dtypes, values))
             for values in itertools.product(*(SAMPLES[d] for d in dtypes))]
    ints = INTS.issuperset(dtypes)
    if ints and op in ("floor_divide", "remainder", "fmod"):
        found = [r for r in found if r[1] != 0]
    if ints and op in ("power", "left_shift", "right_shift"):
        found = [r for r in found if r[1] >= 0]
    if op in LIMITS:
        found = [r for r in found if LIMITS[op](*r)]
    return found


def expected(op: str, args) -> np.ndarray | None:
    """What NumPy says, or None where it has no such operation."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray([OPERATIONS[op].evaluate(*a) for a in args])
    except TypeError:
        return None


CASES = [(op, dtypes) for op in sorted(ALL - {"cast"}) for dtypes in signatures(op)
         if expected(op, rows(op, dtypes)) is not None]


def function_of(op: str, dtypes: tuple[str, ...], array: bool = False) -> Function:
    make = (lambda d: Array(d, (None,))) if array else Scalar
    params = tuple(Value("xyz"[k], make(d)) for k, d in enumerate(dtypes))
    builder = Builder(checks=False)
    result = builder.let(op, *params, name="r")
    return Function("f", params, builder.block, (result,))


def same(got, wanted, dtype: str, where: str) -> None:
    rtol = 1e-5 if dtype in ("float32", "complex64") else 1e-12
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=1e-300, err_msg=where)


@pytest.mark.parametrize(("op", "dtypes"), CASES, ids=lambda v: "-".join(
    [v] if isinstance(v, str) else v))
def test_readable(op, dtypes):
    args = rows(op, dtypes)
    wanted = expected(op, args)
    function = function_of(op, dtypes)
    dtype = function.returns[0].type.dtype
    emitted = emit(function, "readable", flat(1))
    run = load(emitted)
    with np.errstate(all="ignore"):
        results = [run(*a)[0] for a in args]
        columns = [np.array(c) for c in zip(*args)]
        array_source = emit(function_of(op, dtypes, array=True), "readable", flat(1))
        array = load(array_source)(*columns)[0]
    same(results, wanted, dtype, emitted.source)
    same(array, wanted, dtype, array_source.source)
    assert str(array.dtype) == dtype, array_source.source
    assert all(str(np.asarray(r).dtype) == dtype for r in results), emitted.source


@pytest.mark.parametrize("op", sorted({op for op, _ in CASES}))
def test_compiled(op):
    import numba

    for dtypes in (d for o, d in CASES if o == op):
        args = rows(op, dtypes)
        function = function_of(op, dtypes)
        dtype = function.returns[0].type.dtype
        emitted = emit(function, "compiled", flat(1))
        run = load(emitted, jit=True)
        same([run(*a) for a in args], expected(op, args), dtype, emitted.source)
        returned = numba.types.unliteral(run.nopython_signatures[0].return_type)
        assert returned == numba.from_dtype(np.dtype(dtype)), f"{dtypes}\n{emitted.source}"


@pytest.mark.parametrize("dialect", ["readable", "compiled"])
@pytest.mark.parametrize("to", ["float64", "float32", "int64", "int32", "bool"])
def test_casts(dialect, to):
    for given in ("float64", "float32", "int64", "bool"):
        x = Value("x", Scalar(given))
        builder = Builder()
        result = builder.let("cast", x, name="r", dtype=to)
        emitted = emit(Function("f", (x,), builder.block, (result,)), dialect, flat(1))
        value = np.dtype(given).type(1.5)
        got = load(emitted, jit=dialect == "compiled")(value)
        got = got[0] if dialect == "readable" else np.dtype(to).type(got)
        assert got == value.astype(to) and got.dtype == np.dtype(to)


@pytest.mark.parametrize("value", [0.1, -0.0, 1e300, np.inf, -np.inf, np.nan, -2.5])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("dialect", ["readable", "compiled"])
def test_constants_keep_their_bits(value, dtype, dialect):
    x = Value("x", Scalar(dtype))
    constant = Constant(float(np.dtype(dtype).type(value)), Scalar(dtype))
    r = Value("r", Scalar(dtype))
    block = (Let(r, "copysign" if np.isnan(value) else "power", (constant, x)),)
    emitted = emit(Function("f", (x,), block, (constant, r)), dialect, flat(2))
    first, second = load(emitted)(np.dtype(dtype).type(1))
    assert np.asarray(first, dtype).tobytes() == np.asarray(constant.value, dtype).tobytes()
    if not np.isnan(value):
        assert second == first
        assert np.asarray(second).dtype == dtype
