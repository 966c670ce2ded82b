"""Sorting, medians and quantiles: what a stable `argsort` and gathering make.

Equal numbers keep their order, so which of them receives the adjoint is certain. nan comes last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import (
    at_place,
    fail,
    is_complex,
    normal_axis,
    not_given,
    sort_kind,
)
from retrograd.prelude.elementwise import cast
from retrograd.prelude.language import (
    dtype_of,
    is_float,
    is_scalar,
    is_sequence,
    is_weak,
    primitive,
    refuse,
)
from retrograd.prelude.reductions import restored


def _ordered(a: Any) -> Any:
    x = np.asarray(a)
    if is_complex(dtype_of(x)):
        refuse("complex numbers have no order", "take np.abs or np.real first")
    return x


def _numbers(q: Any) -> Any:
    """An array, or a number, which stays a Python number if it is one."""
    return q if is_scalar(q) and not is_sequence(q) else _ordered(q)


def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *,
            stable: Any = None) -> Any:
    not_given("np.argsort", "order", order)
    sort_kind(kind)
    x = _ordered(a)
    if axis is None:
        return primitive("argsort", np.ravel(x), axis=0)
    if np.ndim(x) == 0:
        return primitive("argsort", np.reshape(x, (1,)), axis=normal_axis(axis, 1))
    return primitive("argsort", x, axis=normal_axis(axis, np.ndim(x)))


def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *,
         stable: Any = None) -> Any:
    not_given("np.sort", "order", order)
    sort_kind(kind)
    x = np.ravel(_ordered(a)) if axis is None else _ordered(a)
    return _sorted(x, 0 if axis is None else normal_axis(axis, np.ndim(x)))


def _sorted(x: Any, axis: int) -> Any:
    order = primitive("argsort", x, axis=axis)
    return primitive("take", x, *_along(x, order, axis), index=("array",) * np.ndim(x))


def _along(x: Any, indices: Any, axis: int) -> Any:
    """The index arrays that pick `indices` along one axis and everything along the others."""
    dims = np.shape(x)
    return tuple([
        indices if k == axis else np.reshape(
            np.arange(n), [n if j == k else 1 for j in range(len(dims))])
        for k, n in enumerate(dims)])


def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    x, places = np.asarray(arr), np.asarray(indices)
    if axis is None and np.ndim(places) != 1:
        fail("ValueError", "when axis=None, `indices` must have a single dimension.")
    if axis is None:
        return np.ravel(x)[places]
    k = normal_axis(axis, np.ndim(x))
    if np.ndim(places) != np.ndim(x):
        fail("ValueError", "`indices` and `arr` must have the same number of dimensions")
    return x[_along(x, places, k)]


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    not_given("np.searchsorted", "sorter", sorter)
    if side not in ("left", "right"):
        fail("ValueError", "search side must be 'left' or 'right' (got '" + side + "')")
    x, y = _ordered(a), _numbers(v)
    if np.ndim(x) != 1:
        fail("ValueError", "object too deep for desired array")
    return primitive("searchsorted", x, y, side=side)


# --- medians -------------------------------------------------------------------------------------


def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
           keepdims: bool = False) -> Any:
    not_given("np.median", "out", out)
    _one_axis("np.median", axis)
    x = _floating(_ordered(a))
    k = 0 if axis is None else normal_axis(axis, np.ndim(x))
    result = _middle(_sorted(np.ravel(x) if axis is None else x, k), k)
    return restored(result, x, None if axis is None else (k,)) if keepdims else result


def _one_axis(function: str, axis: Any) -> None:
    if is_sequence(axis):
        refuse(function + " over several axes is not supported",
               "bring them together first: " + function + "(np.reshape(x, ...), axis=...)")


def _floating(x: Any) -> Any:
    return x if is_float(x) else cast(x, "float64")


def _middle(s: Any, axis: int) -> Any:
    """Half of the sum of the two middle numbers, or the middle one; nan of nothing."""
    n = np.shape(s)[axis]
    if n % 2 == 1:
        return _unless_nan(s, axis, at(s, axis, n // 2))
    if n == 0:
        return cast(np.sum(s, axis) + np.nan, dtype_of(s))
    return _unless_nan(s, axis, (at(s, axis, n // 2 - 1) + at(s, axis, n // 2)) / 2)


def _unless_nan(s: Any, axis: int, result: Any) -> Any:
    """nan comes last, and where there is one it is the result."""
    last = at(s, axis, np.shape(s)[axis] - 1)
    return np.where(np.isnan(last), last, result)


def at(x: Any, axis: int, k: Any) -> Any:
    """The part of x at index k of one axis."""
    if np.ndim(x) == 1:
        return primitive("load", x, k, index=("int",))
    return primitive("view", x, k, index=at_place("int", axis, np.ndim(x)))


# --- quantiles -----------------------------------------------------------------------------------


def quantile(a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
             method: str = "linear", keepdims: bool = False, *, weights: Any = None) -> Any:
    not_given("np.quantile", "out", out)
    not_given("np.quantile", "weights", weights)
    _linear("np.quantile", method)
    _one_axis("np.quantile", axis)
    fraction = _numbers(q)
    if not is_float(fraction) and not is_float(np.asarray(a)):
        refuse("np.quantile of ints at an int", "give q as a float")
    _within(fraction, "Quantiles must be in the range [0, 1]")
    return _quantile(_ordered(a), fraction, axis, keepdims)


def percentile(a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
               method: str = "linear", keepdims: bool = False, *, weights: Any = None) -> Any:
    not_given("np.percentile", "out", out)
    not_given("np.percentile", "weights", weights)
    _linear("np.percentile", method)
    _one_axis("np.percentile", axis)
    fraction = _numbers(q) / 100
    _within(fraction, "Percentiles must be in the range [0, 100]")
    return _quantile(_ordered(a), fraction, axis, keepdims)


def _linear(function: str, method: str) -> None:
    if method != "linear":
        refuse(function + " supports only method='linear'", "leave method= out")


def _within(q: Any, message: str) -> None:
    inside = np.logical_and(q >= 0, q <= 1)
    if not (inside if np.ndim(inside) == 0 else np.all(inside)):
        raise ValueError(message)


def _quantile(x: Any, q: Any, axis: Any, keepdims: bool) -> Any:
    """Between the two numbers beside place (n - 1) q, from the nearer one (as NumPy does)."""
    k = 0 if axis is None else normal_axis(axis, np.ndim(x))
    s = _sorted(np.ravel(x), 0) if axis is None else np.moveaxis(_sorted(x, k), k, 0)
    n = np.shape(s)[0]
    if n == 0:
        raise IndexError("index -1 is out of bounds for axis 0 with size 0")
    place = (n - 1) * q
    low = primitive("cast", np.floor(place), dtype="int64")
    high = np.minimum(low + 1, n - 1)
    t = float(place - low) if is_weak(q) else place - low
    if np.ndim(t) > 0 and np.ndim(s) > 1:
        t = np.reshape(t, (*np.shape(t), *[1 for _ in range(np.ndim(s) - 1)]))
    first, second = _at(s, low), _at(s, high)
    result = np.where(t < 0.5, first + (second - first) * t,
                      second - (second - first) * (1 - t))
    if is_float(s):
        last = at(s, 0, n - 1)
        result = np.where(np.isnan(last), last, result)
    return _kept(result, x, q, axis, k) if keepdims else result


def _at(s: Any, place: Any) -> Any:
    """The parts of s at these indices of its first axis."""
    if np.ndim(place) == 0:
        return at(s, 0, place)
    return primitive("take", s, place, index=at_place("array", 0, np.ndim(s)))


def _kept(result: Any, x: Any, q: Any, axis: Any, k: int) -> Any:
    axes = range(np.ndim(x)) if axis is None else (k,)
    return np.expand_dims(result, tuple([np.ndim(q) + j for j in axes]))


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.argsort: argsort, np.sort: sort, np.take_along_axis: take_along_axis,
    np.searchsorted: searchsorted, np.median: median, np.quantile: quantile,
    np.percentile: percentile,
}
