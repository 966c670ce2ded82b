"""Functions that make arrays: of one value, of a range, of numbers, on a diagonal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import (
    as_shape,
    c_order,
    common_dtype,
    dtype_name,
    fail,
    normal_axis,
    not_given,
)
from retrograd.prelude.elementwise import cast
from retrograd.prelude.language import dtype_of, is_known, is_scalar, is_sequence, primitive, refuse
from retrograd.prelude.shapes import part


def zeros(shape: Any, dtype: Any = float, order: str = "C") -> Any:
    c_order("np.zeros", order)
    return primitive("zeros", *as_shape(shape), dtype=dtype_name(dtype))


def ones(shape: Any, dtype: Any = None, order: str = "C") -> Any:
    c_order("np.ones", order)
    return primitive("ones", *as_shape(shape),
                     dtype="float64" if dtype is None else dtype_name(dtype))


def empty(shape: Any, dtype: Any = float, order: str = "C") -> Any:
    c_order("np.empty", order)
    return primitive("empty", *as_shape(shape), dtype=dtype_name(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C") -> Any:
    c_order("np.full", order)
    name = dtype_of(fill_value) if dtype is None else dtype_name(dtype)
    if not is_scalar(fill_value):
        return np.copy(np.broadcast_to(cast(fill_value, name), shape))
    return primitive("full", fill_value, *as_shape(shape), dtype=name)


def zeros_like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True,
               shape: Any = None) -> Any:
    return zeros(_shape_like(a, shape), dtype_of(a) if dtype is None else dtype)


def ones_like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True,
              shape: Any = None) -> Any:
    return ones(_shape_like(a, shape), dtype_of(a) if dtype is None else dtype)


def empty_like(prototype: Any, /, dtype: Any = None, order: str = "K", subok: bool = True,
               shape: Any = None) -> Any:
    return empty(_shape_like(prototype, shape), dtype_of(prototype) if dtype is None else dtype)


def full_like(a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True,
              shape: Any = None) -> Any:
    return full(_shape_like(a, shape), fill_value, dtype_of(a) if dtype is None else dtype)


def _shape_like(a: Any, shape: Any) -> Any:
    return np.shape(a) if shape is None else shape


def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = float, order: str = "C") -> Any:
    c_order("np.eye", order)
    return primitive("eye", N, N if M is None else M, k=k, dtype=dtype_name(dtype))


def identity(n: Any, dtype: Any = None) -> Any:
    return primitive("eye", n, n, k=0, dtype="float64" if dtype is None else dtype_name(dtype))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    low, high = (0, start) if stop is None else (start, stop)
    given = common_dtype(dtype_of(low), dtype_of(high), dtype_of(step))
    return primitive("arange", low, high, step,
                     dtype=given if dtype is None else dtype_name(dtype))


def linspace(start: Any, stop: Any, num: Any = 50, endpoint: bool = True, retstep: bool = False,
             dtype: Any = None, axis: int = 0) -> Any:
    if not is_scalar(start) or not is_scalar(stop):
        refuse("np.linspace between arrays is not supported", "broadcast np.linspace(0, 1, n)")
    intervals = num - 1 if endpoint else num
    step = (stop - start) / (intervals if intervals > 0 else 1)
    result = start + step * np.arange(num)
    if endpoint:
        name = dtype_of(result)
        last = cast(stop, name) if num > 1 else cast(start, name)
        result = primitive("update", result, num - 1, last, index=("int",))
    result = result if dtype is None else cast(result, dtype)
    return (result, step) if retstep else result


# --- from numbers and nested lists ---------------------------------------------------------------


def array(object: Any, dtype: Any = None, *, copy: Any = True, order: str = "K",
          subok: bool = False, ndmin: int = 0) -> Any:
    c_order("np.array", order)
    result = _from_items(object) if is_sequence(object) else object
    if dtype is not None and dtype_of(result) != dtype_name(dtype):
        return _at_least(cast(result, dtype), ndmin)
    if is_sequence(object) or is_scalar(object) or not copy:
        return _at_least(result, ndmin)
    return _at_least(np.copy(result), ndmin)


def asarray(a: Any, dtype: Any = None, order: Any = "K", *, device: Any = None,
            copy: Any = None) -> Any:
    result = _from_items(a) if is_sequence(a) else a
    result = result if dtype is None else cast(result, dtype)
    return np.copy(result) if copy is True else result


def _at_least(x: Any, rank: int) -> Any:
    missing = rank - np.ndim(x)
    return np.expand_dims(x, tuple(range(missing))) if missing > 0 else x


def _from_items(items: Any) -> Any:
    """An array of nested sequences of numbers or of arrays."""
    if len(items) == 0:
        return primitive("zeros", 0, dtype="float64")
    shape = _nesting(items)
    leaves = _leaves(items)
    total = 1
    for n in shape:
        total = total * n
    if total != len(leaves):
        fail("ValueError", "setting an array element with a sequence. The requested array has an "
                           "inhomogeneous shape.")
    if len([x for x in leaves if np.ndim(x) > 0]) == 0:
        return primitive("array", *leaves, shape=shape)
    return np.stack([asarray(item) for item in items])


def _nesting(items: Any) -> Any:
    return (len(items), *_nesting(items[0])) if is_sequence(items) else ()


def _leaves(items: Any) -> Any:
    if not is_sequence(items):
        return (items,)
    return tuple([leaf for item in items for leaf in _leaves(item)])


def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    x = asarray(a)
    return x if is_scalar(x) else primitive("copy", x)


# --- diagonals and triangles ---------------------------------------------------------------------


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    if np.ndim(a) != 2:
        if np.ndim(a) < 2:
            fail("ValueError", "diag requires an array of at least two dimensions")
        refuse("np.diagonal of an array of more than two axes is not supported",
               "take the diagonal of each matrix")
    rows, columns = normal_axis(axis1, 2), normal_axis(axis2, 2)
    if rows == columns:
        fail("ValueError", "axis1 and axis2 cannot be the same")
    x = a if rows == 0 else np.transpose(a)
    if not is_known(offset):
        refuse("the offset of a diagonal must be known while compiling", "use a literal")
    if offset > 0:
        x = part(x, 1, offset, None)
    elif offset < 0:
        x = part(x, 0, -offset, None)
    return primitive("diagonal", x)


def diag(v: Any, k: int = 0) -> Any:
    x = asarray(v)
    if np.ndim(x) == 2:
        return diagonal(x, k)
    if np.ndim(x) != 1:
        fail("ValueError", "Input must be 1- or 2-d.")
    n = np.size(x)
    place = np.arange(n)
    side = n + (k if k > 0 else -k)
    return primitive("update", zeros((side, side), dtype_of(x)), place if k >= 0 else place - k,
                     place if k <= 0 else place + k, x, index=("array", "array"))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None,
          out: Any = None) -> Any:
    not_given("np.trace", "out", out)
    return np.sum(diagonal(a, offset, axis1, axis2), dtype=dtype)


def tril(m: Any, k: Any = 0) -> Any:
    return np.where(_distance(m) <= k, m, 0)


def triu(m: Any, k: Any = 0) -> Any:
    return np.where(_distance(m) >= k, m, 0)


def _distance(m: Any) -> Any:
    """How far right of the diagonal each element of a matrix is."""
    rows, columns = np.shape(m)[-2], np.shape(m)[-1]
    return np.arange(columns) - np.expand_dims(np.arange(rows), 1)


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        fail("ValueError", "Valid values for `indexing` are 'xy' and 'ij'.")
    rank = len(xi)
    swap = indexing == "xy" and rank > 1
    spread = [np.expand_dims(np.ravel(x), tuple([j for j in range(rank) if j != _place(k, swap)]))
              for k, x in enumerate(xi)]
    if sparse:
        return tuple(spread)
    sizes = [np.size(x) for x in xi]
    shape = (sizes[1], sizes[0], *sizes[2:]) if swap else tuple(sizes)
    return tuple([np.copy(np.broadcast_to(x, shape)) for x in spread])


def _place(k: int, swap: bool) -> int:
    return 1 - k if swap and k < 2 else k


def astype(x: Any, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True,
           copy: bool = True) -> Any:
    if dtype_of(x) == dtype_name(dtype):
        return np.copy(x) if copy else x
    return cast(x, dtype)


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.zeros: zeros, np.ones: ones, np.empty: empty, np.full: full, np.zeros_like: zeros_like,
    np.ones_like: ones_like, np.empty_like: empty_like, np.full_like: full_like, np.eye: eye,
    np.identity: identity, np.arange: arange, np.linspace: linspace, np.array: array,
    np.asarray: asarray, np.copy: copy, np.diagonal: diagonal, np.diag: diag, np.trace: trace,
    np.tril: tril, np.triu: triu, np.meshgrid: meshgrid, np.astype: astype,
}
