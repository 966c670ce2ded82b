"""Sums, products, extremes and what is made of them; scans along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import (
    fail,
    is_complex,
    is_reduced,
    normal_axes,
    normal_axis,
    not_given,
)
from retrograd.prelude.elementwise import cast
from retrograd.prelude.language import dtype_of, is_known, is_scalar, primitive, refuse


def _reduced(op: str, a: Any, axis: Any, keepdims: bool) -> Any:
    """The reduction over static axes, with axes of extent 1 in their place if asked."""
    x = np.reshape(a, (1,)) if is_scalar(a) else a
    axes = normal_axes(axis, np.ndim(a))
    result = primitive(op, x, axes=axes)
    return restored(result, a, axes) if keepdims else result


def restored(result: Any, a: Any, axes: tuple[int, ...] | None) -> Any:
    """A reduction of a with axes of extent 1 where axes were reduced."""
    places = tuple([k for k in range(np.ndim(a)) if is_reduced(k, axes)])
    return result if len(places) == 0 else np.expand_dims(result, places)


def count(a: Any, axis: Any) -> Any:
    """How many elements are reduced to one."""
    axes = normal_axes(axis, np.ndim(a))
    if axes is None:
        return np.size(a)
    total = 1
    for k in axes:
        total = np.shape(a)[k] if is_known(total) and total == 1 else total * np.shape(a)[k]
    return total


def _typed(a: Any, dtype: Any) -> Any:
    x = np.asarray(a)
    return x if dtype is None else cast(x, dtype)


def sum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
        initial: Any = None, where: Any = None) -> Any:
    not_given("np.sum", "out", out)
    not_given("np.sum", "where", where)
    total = _reduced("sum", _typed(a, dtype), axis, keepdims)
    return total if initial is None else total + initial


def prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
         initial: Any = None, where: Any = None) -> Any:
    not_given("np.prod", "out", out)
    not_given("np.prod", "where", where)
    total = _reduced("prod", _typed(a, dtype), axis, keepdims)
    return total if initial is None else total * initial


def max(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
        where: Any = None) -> Any:
    not_given("np.max", "out", out)
    not_given("np.max", "where", where)
    not_given("np.max", "initial", initial)
    return _extreme("max", a, axis, keepdims)


def min(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
        where: Any = None) -> Any:
    not_given("np.min", "out", out)
    not_given("np.min", "where", where)
    not_given("np.min", "initial", initial)
    return _extreme("min", a, axis, keepdims)


def _extreme(op: str, a: Any, axis: Any, keepdims: bool) -> Any:
    x = np.asarray(a)
    if is_complex(dtype_of(x)):
        refuse("complex numbers have no order", "take np.abs or np.real first")
    return _reduced(op, x, axis, keepdims)


def any(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False,
        *, where: Any = None) -> Any:
    not_given("np.any", "out", out)
    not_given("np.any", "where", where)
    return _reduced("any", np.asarray(a), axis, keepdims)


def all(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False,
        *, where: Any = None) -> Any:
    not_given("np.all", "out", out)
    not_given("np.all", "where", where)
    return _reduced("all", np.asarray(a), axis, keepdims)


def argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
    not_given("np.argmax", "out", out)
    return _first_extreme("argmax", np.asarray(a), axis, keepdims)


def argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
    not_given("np.argmin", "out", out)
    return _first_extreme("argmin", np.asarray(a), axis, keepdims)


def _first_extreme(op: str, x: Any, axis: Any, keepdims: bool) -> Any:
    """Flat index without an axis, else the index along it."""
    if np.ndim(x) < 2:
        return _reduced(op, x, axis, keepdims)
    if axis is None:
        result = primitive(op, x, axes=None)
        return restored(result, x, None) if keepdims else result
    return _reduced(op, x, (normal_axis(axis, np.ndim(x)),), keepdims)


def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduced("sum", np.not_equal(np.asarray(a), 0), axis, keepdims)


def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
         *, where: Any = None) -> Any:
    not_given("np.mean", "out", out)
    not_given("np.mean", "where", where)
    x = _typed(a, dtype)
    result = _reduced("sum", x, axis, keepdims) / count(x, axis)
    return result if dtype is None else cast(result, dtype)


def var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
        keepdims: bool = False, *, where: Any = None, mean: Any = None,
        correction: Any = None) -> Any:
    not_given("np.var", "out", out)
    not_given("np.var", "where", where)
    return _variance(_typed(a, dtype), axis, ddof if correction is None else correction,
                     keepdims, mean)


def _variance(x: Any, axis: Any, ddof: Any, keepdims: bool, mean: Any) -> Any:
    n = count(x, axis)
    centre = _reduced("sum", x, axis, axis is not None) / n if mean is None else mean
    total = _reduced("sum", squared(x - centre), axis, keepdims)
    if is_known(ddof) and ddof == 0:
        return total / n
    return total / (n - ddof if n > ddof else 0 * ddof)


def squared(x: Any) -> Any:
    """|x|**2."""
    return np.real(np.conjugate(x) * x) if is_complex(dtype_of(x)) else x * x


def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
        keepdims: bool = False, *, where: Any = None, mean: Any = None,
        correction: Any = None) -> Any:
    not_given("np.std", "out", out)
    not_given("np.std", "where", where)
    return np.sqrt(_variance(_typed(a, dtype), axis, ddof if correction is None else correction,
                             keepdims, mean))


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False,
            *, keepdims: bool = False) -> Any:
    if returned:
        refuse("np.average with returned=True is not supported", "sum the weights yourself")
    x = np.asarray(a)
    if weights is None:
        return mean(x, axis, keepdims=keepdims)
    w = _weights(x, np.asarray(weights), axis)
    return _reduced("sum", x * w, axis, keepdims) / _reduced("sum", w, axis, keepdims)


def _weights(x: Any, w: Any, axis: Any) -> Any:
    """The weights in the shape of x; those of one axis are spread over the others."""
    if np.ndim(w) == np.ndim(x):
        return np.broadcast_to(w, np.shape(x))
    if axis is None:
        fail("TypeError", "Axis must be specified when shapes of a and weights differ.")
    if np.ndim(w) != 1:
        refuse("np.average with weights of this rank is not supported",
               "give weights one axis, or the shape of the array")
    k = normal_axis(axis, np.ndim(x))
    others = tuple([j for j in range(np.ndim(x)) if j != k])
    return np.broadcast_to(np.expand_dims(w, others), np.shape(x))


def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    not_given("np.ptp", "out", out)
    return max(a, axis, keepdims=keepdims) - min(a, axis, keepdims=keepdims)


def _scan(op: str, x: Any, axis: Any) -> Any:
    if axis is None or np.ndim(x) == 0:
        return primitive(op, np.ravel(x), axis=0)
    return primitive(op, x, axis=normal_axis(axis, np.ndim(x)))


def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    not_given("np.cumsum", "out", out)
    return _scan("cumsum", _typed(a, dtype), axis)


def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    not_given("np.cumprod", "out", out)
    return _scan("cumprod", _typed(a, dtype), axis)


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sum: sum, np.prod: prod, np.max: max, np.amax: max, np.min: min, np.amin: min,
    np.any: any, np.all: all, np.argmax: argmax, np.argmin: argmin,
    np.count_nonzero: count_nonzero, np.mean: mean, np.var: var, np.std: std,
    np.average: average, np.ptp: ptp, np.cumsum: cumsum, np.cumprod: cumprod,
}
