"""Every prelude function, called as the plain Python function that it is, equals NumPy's."""

from __future__ import annotations

import cmath
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from prelude.cases import CASES, B, Call, F, I, M, N, S, T, V, W, Z, case, rng
from retrograd.errors import Unsupported
from retrograd.ir.operations import OPERATIONS
from retrograd.prelude import ATTRIBUTES, ELEMENTWISE, FUNCTIONS, METHODS, OF_COMPLEX, WEAK
from retrograd.prelude.complex_numbers import CMATH

UNDETERMINED = {np.empty, np.empty_like}


def name_of(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '')}.{function.__name__}"


def same(found: Any, expected: Any, exact_dtype: bool = True) -> None:
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            same(a, b, exact_dtype)
        return
    assert np.shape(found) == np.shape(expected)
    if exact_dtype:
        assert np.result_type(found) == np.result_type(expected)
    single = np.result_type(expected) in (np.float32, np.complex64)
    np.testing.assert_allclose(found, expected, rtol=2e-5 if single else 1e-12,
                               atol=1e-6 if single else 1e-13)


@pytest.mark.parametrize("call", CASES, ids=lambda c: name_of(c[0]))
def test_equals_the_function_that_it_stands_for(call: Call) -> None:
    function, args, kwargs = call
    before = [np.copy(x) for x in args if isinstance(x, np.ndarray)]
    same(FUNCTIONS[function](*args, **kwargs), function(*args, **kwargs))
    for old, now in zip(before, [x for x in args if isinstance(x, np.ndarray)]):
        np.testing.assert_array_equal(old, now)


def test_every_function_has_a_case() -> None:
    assert {f for f, _, _ in CASES} == set(FUNCTIONS) - UNDETERMINED - {
        f for f, _, _ in WRITERS}


WRITERS = [
    case(np.copyto, M, M[::-1] + 1), case(np.copyto, M, 2.0), case(np.copyto, M, -M, where=M > 0),
    case(np.fill_diagonal, M, 7.0), case(np.fill_diagonal, M[:, :2], np.arange(2.0)),
    case(np.putmask, M, M < 0, 3.0),
]


@pytest.mark.parametrize("call", WRITERS, ids=lambda c: name_of(c[0]))
def test_functions_that_write(call: Call) -> None:
    function, (array, *args), keywords = call
    ours, theirs = array.copy(), array.copy()
    assert FUNCTIONS[function](ours, *args, **keywords) is None
    function(theirs, *args, **keywords)
    np.testing.assert_array_equal(ours, theirs)


def test_fill() -> None:
    array = M.copy()
    METHODS["fill"](array, 3.0)
    assert (array == 3.0).all()


def test_empty() -> None:
    assert FUNCTIONS[np.empty]((2, 3)).shape == (2, 3)
    assert FUNCTIONS[np.empty_like](F).dtype == np.float32


LEFT_OUT = {"device", "like", "casting", "signature", "axis1", "order", "dtype", "subok", "where",
            "copy", "max", "min", "ndmax", "axes"}


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if not isinstance(f, (type, np.ufunc))],
                         ids=name_of)
def test_parameters_are_those_of_the_function(function: Callable[..., Any]) -> None:
    """The same names in the same order; some keywords of NumPy are left out at the end."""
    try:
        theirs = list(inspect.signature(function).parameters.values())
    except ValueError:
        pytest.skip("this function does not tell its parameters")
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if any(p.kind in variadic for p in theirs):
        pytest.skip("this function tells only *args")
    ours = list(inspect.signature(FUNCTIONS[function]).parameters.values())
    common = [p.name for p in theirs if p.name in {q.name for q in ours}]
    assert [q.name for q in ours if q.name in common] == common
    for missing in {p.name for p in theirs} - set(common):
        kind = next(p.kind for p in theirs if p.name == missing)
        assert missing in LEFT_OUT or kind is inspect.Parameter.POSITIONAL_ONLY


# --- elementwise functions -----------------------------------------------------------------------

INTEGER = {np.left_shift, np.right_shift, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert}


@pytest.mark.parametrize("function", ELEMENTWISE, ids=name_of)
def test_elementwise_functions_are_one_operation(function: Callable[..., Any]) -> None:
    operation = OPERATIONS[ELEMENTWISE[function]]
    assert operation.family == "elementwise"
    for args in ((0.6, 0.3), (1.5, -2.5), (3, 2)) if function not in INTEGER else ((5, 2), (9, 1)):
        count = getattr(function, "nin", 0) or _arity(function)
        if function in CMATH:
            args = (complex(*args), 0)
        try:
            expected = function(*args[:count])
        except ValueError:                        # math's domain errors; the operation gives nan
            assert np.isnan(operation.evaluate(*args[:count]))
            continue
        same(operation.evaluate(*args[:count]), expected, exact_dtype=False)


def _arity(function: Callable[..., Any]) -> int:
    return len(inspect.signature(function).parameters)


def test_complex_numbers_have_a_sign() -> None:
    sign = OF_COMPLEX["sign"]
    same(sign(np.array([3 + 4j, 0j, -2j])), np.array([0.6 + 0.8j, 0j, -1j]))


def test_weak_results_come_from_python_numbers() -> None:
    assert cmath.exp in WEAK and math.exp in WEAK and float in WEAK and math.log in WEAK
    assert np.exp not in WEAK


# --- methods and attributes ----------------------------------------------------------------------

METHOD_CASES: list[tuple[Any, str, tuple[Any, ...], dict[str, Any]]] = [
    *[(x, name, (), {}) for x in (V, M, F) for name in METHODS
      if name not in ("reshape", "astype", "swapaxes", "take", "repeat", "dot", "clip", "item",
                      "diagonal", "trace", "fill")],
    *[(M, name, (), {"axis": 0}) for name in ("sum", "mean", "max", "argmin", "std", "cumsum")],
    *[(M, name, (1,), {"keepdims": True}) for name in ("sum", "prod", "min", "any")],
    (M, "reshape", (4, 3), {}), (M, "reshape", ((4, 3),), {}), (M, "reshape", (-1,), {}),
    (M, "reshape", (2, -1), {}), (T, "transpose", (1, 0, 2), {}), (T, "transpose", ((1, 0, 2),),
    {}),
    (T, "transpose", (None,), {}), (M, "astype", ("float32",), {}), (M, "astype", (int,), {}),
    (T, "swapaxes", (0, 1), {}), (M, "take", ([1, 2],), {}), (M, "take", ([0],), {"axis": 1}),
    (V, "repeat", (2,), {}), (M, "dot", (N,), {}), (M, "clip", (-1, 1), {}),
    (M, "clip", (), {"max": 0}), (V[:1], "item", (), {}), (M, "item", (5,), {}),
    (M, "item", (1, 2), {}), (S, "diagonal", (), {}), (M, "trace", (1,), {}), (M, "round", (1,),
    {}),
    (M[None], "squeeze", (0,), {}), (V, "var", (), {"ddof": 1}), (Z, "conj", (), {}),
    (np.float64(2.5), "item", (), {}), (B, "sum", (), {}),
]


@pytest.mark.parametrize("call", METHOD_CASES, ids=lambda c: c[1])
def test_methods(call: tuple[Any, str, tuple[Any, ...], dict[str, Any]]) -> None:
    owner, name, args, kwargs = call
    same(METHODS[name](owner, *args, **kwargs), getattr(owner, name)(*args, **kwargs))


def test_every_method_has_a_case() -> None:
    assert {name for _, name, _, _ in METHOD_CASES} == set(METHODS) - {"fill"}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes(name: str) -> None:
    for x in (M, Z, F):
        same(ATTRIBUTES[name](x), getattr(x, name))


# --- errors and refusals -------------------------------------------------------------------------

WRONG = [
    case(np.sum, M, axis=2), case(np.sum, M, axis=(0, 0)), case(np.max, M, axis=-3),
    case(np.cumsum, M, axis=2), case(np.argmax, M, axis=5), case(np.transpose, M, (0,)),
    case(np.transpose, M, (0, 0)), case(np.swapaxes, M, 0, 2), case(np.moveaxis, M, 3, 0),
    case(np.moveaxis, M, (0, 0), (0, 1)), case(np.moveaxis, M, (0, 1), 0),
    case(np.expand_dims, V, 3), case(np.expand_dims, V, (0, 0)), case(np.squeeze, M, axis=0),
    case(np.flip, M, 2), case(np.roll, M, 1, 2), case(np.concatenate, (V, M)),
    case(np.concatenate, (V, W), axis=1), case(np.concatenate, ()),
    case(np.concatenate, (1.0, 2.0)),
    case(np.concatenate, (M, N)), case(np.stack, ()), case(np.stack, (V, M)),
    case(np.reshape, V, (-1, -1)), case(np.reshape, V, (3,)), case(np.matmul, V, 2.0),
    case(np.matmul, M, M), case(np.einsum, "ij->ik", M), case(np.einsum, "i", M),
    case(np.einsum, "ij,jk", M), case(np.einsum, "ij->ii", M), case(np.linalg.solve, M, V),
    case(np.linalg.inv, M), case(np.linalg.det, V), case(np.linalg.inv, np.zeros((2, 2))),
    case(np.diag, T), case(np.diagonal, V), case(np.diff, V, -1), case(np.tensordot, V, W, 2),
    case(np.tensordot, V, W, ((1,), (0,))), case(np.tensordot, V, W, ((0,), ())),
    case(np.broadcast_to, M, (4,)), case(np.fliplr, V), case(np.meshgrid, V, indexing="no"),
    case(np.convolve, V, W, "no"), case(np.sort, 2.0), case(np.sort, M, 2),
    case(np.sort, V, kind="no"), case(np.argsort, M, 3), case(np.median, M, 2),
    case(np.quantile, V, 1.5), case(np.quantile, V, [0.5, -0.1]), case(np.percentile, V, 101),
    case(np.quantile, V[:0], 0.5), case(np.take_along_axis, M, I[0], 0),
    case(np.take_along_axis, M, I, None),
    case(np.convolve, V, W, "no"), case(max, []),
    case(np.linalg.norm, V, "fro"), case(np.array, [[1.0], [1.0, 2.0]]),
]


@pytest.mark.parametrize("call", WRONG, ids=lambda c: name_of(c[0]))
def test_wrong_arguments_raise_what_numpy_raises(call: Call) -> None:
    function, args, kwargs = call
    with pytest.raises(Exception) as theirs:
        function(*args, **kwargs)
    with pytest.raises(type(theirs.value)) as ours:
        FUNCTIONS[function](*args, **kwargs)
    if isinstance(theirs.value, np.exceptions.AxisError):
        assert str(ours.value) == str(theirs.value)


REFUSED = [
    (case(np.sum, M, out=np.zeros(())), "the argument out= of np.sum is not supported"),
    (case(np.sum, M, where=B), "where="), (case(np.max, M, initial=0.0), "initial="),
    (case(np.where, B), "np.where with one argument"), (case(np.ravel, M, "F"), "order='C'"),
    (case(np.reshape, M, -1, order="F"), "order='C'"), (case(np.einsum, "...i", V), "ellipsis"),
    (case(np.einsum, "iij->j", rng.normal(size=(2, 2, 3))), "repeated"),
    (case(np.zeros, 3, dtype="int8"), "int8"), (case(np.linalg.norm, M, 2), "singular values"),
    (case(np.linalg.norm, M, "nuc"), "singular values"), (case(np.linalg.norm, V, 0), "order 0"),
    (case(np.linalg.inv, T[:, :, :3]), "stack"), (case(np.diagonal, T), "more than two axes"),
    (case(np.repeat, V, [1, 2, 3, 4]), "one count an element"), (case(np.reciprocal, I), "ints"),
    (case(np.linspace, V, W), "between arrays"), (case(np.take, V, [0], mode="clip"), "mode"),
    (case(np.max, Z), "no order"), (case(np.average, V, returned=True), "returned"),
    (case(np.linalg.slogdet, Z[:, :3]), "complex"), (case(np.linalg.cholesky, Z[:, :3]), "complex"),
    (case(np.gradient, V, W), "uneven"),
    (case(max, V, W), "no single truth value"), (case(max, M), "whole rows"),
    (case(pow, 2, 3, 5), "three arguments"), (case(np.diff, V, prepend=0), "prepend="),
]


@pytest.mark.parametrize("refused", REFUSED, ids=lambda r: name_of(r[0][0]))
def test_refusals_say_why_and_what_to_do(refused: tuple[Call, str]) -> None:
    (function, args, kwargs), reason = refused
    with pytest.raises(Unsupported, match="remedy: ") as error:
        FUNCTIONS[function](*args, **kwargs)
    assert reason in error.value.reason
