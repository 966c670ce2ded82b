"""Functions that join arrays, and differences and products of neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import common_dtype, fail, normal_axis, not_given, number
from retrograd.prelude.elementwise import cast
from retrograd.prelude.language import dtype_of, is_known, is_scalar, is_sequence, primitive, refuse
from retrograd.prelude.shapes import part


def _arrays(function: str, arrays: Any) -> Any:
    if not is_sequence(arrays):
        refuse(function + " of the rows of an array is not supported", "give a tuple of arrays")
    return tuple([np.asarray(a) for a in arrays])


def _parts_joined(arrays: Any, axis: int) -> Any:
    """The parts of an array, along its first axis, joined along another one of theirs."""
    if np.ndim(arrays) < 2:
        fail("ValueError", "zero-dimensional arrays cannot be concatenated")
    some(np.shape(arrays)[0], "concatenate")
    k = normal_axis(axis, np.ndim(arrays) - 1)
    moved = arrays if k == 0 else np.moveaxis(arrays, 0, k)
    n = np.shape(moved)
    return np.reshape(moved, (*n[:k], n[k] * n[k + 1], *n[k + 2:]))


def some(count: Any, what: str) -> None:
    """Raise ValueError where there is nothing to join."""
    if count == 0:
        raise ValueError("need at least one array to " + what)


def concatenate(arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None,
                casting: str = "same_kind") -> Any:
    not_given("np.concatenate", "out", out)
    if not is_sequence(arrays):
        joined = np.ravel(arrays) if axis is None else _parts_joined(arrays, axis)
        return joined if dtype is None else cast(joined, dtype)
    parts = _arrays("np.concatenate", arrays)
    if len(parts) == 0:
        fail("ValueError", "need at least one array to concatenate")
    if axis is None:
        parts = tuple([np.ravel(x) for x in parts])
    rank = np.ndim(parts[0])
    for k, x in enumerate(parts):
        if np.ndim(x) == 0:
            fail("ValueError", "zero-dimensional arrays cannot be concatenated")
        if np.ndim(x) != rank:
            fail("ValueError", "all the input array dimensions except for the concatenation axis "
                 "must match exactly, but along dimension 0, the array at index 0 has "
                 + number(rank) + " dimension(s) and the array at index " + number(k) + " has "
                 + number(np.ndim(x)) + " dimension(s)")
    joined = primitive("concatenate", *parts,
                       axis=0 if axis is None else normal_axis(axis, rank))
    return joined if dtype is None else cast(joined, dtype)


def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None,
          casting: str = "same_kind") -> Any:
    not_given("np.stack", "out", out)
    if not is_sequence(arrays):
        if np.ndim(arrays) == 0:
            fail("TypeError", "iteration over a 0-d array")
        some(np.shape(arrays)[0], "stack")
        k = normal_axis(axis, np.ndim(arrays))
        stacked = np.copy(arrays if k == 0 else np.moveaxis(arrays, 0, k))
        return stacked if dtype is None else cast(stacked, dtype)
    parts = _arrays("np.stack", arrays)
    if len(parts) == 0:
        fail("ValueError", "need at least one array to stack")
    if len([x for x in parts if np.ndim(x) != np.ndim(parts[0])]) > 0:
        fail("ValueError", "all input arrays must have the same shape")
    k = normal_axis(axis, np.ndim(parts[0]) + 1)
    if len([x for x in parts if not is_scalar(x)]) == 0:
        joined = primitive("array", *parts, shape=(len(parts),))
    else:
        joined = primitive("concatenate", *[np.expand_dims(x, k) for x in parts], axis=k)
    return joined if dtype is None else cast(joined, dtype)


def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    if not is_sequence(tup):
        if np.ndim(tup) == 1:
            return concatenate(np.expand_dims(tup, 1), 0, dtype=dtype)
        return concatenate(tup, 0 if np.ndim(tup) == 2 else 1, dtype=dtype)
    parts = [np.atleast_1d(x) for x in _arrays("np.hstack", tup)]
    return concatenate(parts, 0 if np.ndim(parts[0]) == 1 else 1, dtype=dtype)


def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    if not is_sequence(tup):
        if np.ndim(tup) > 2:
            return concatenate(tup, 0, dtype=dtype)
        some(np.shape(tup)[0], "concatenate")
        rows = np.copy(tup if np.ndim(tup) == 2 else np.expand_dims(tup, 1))
        return rows if dtype is None else cast(rows, dtype)
    return concatenate([np.atleast_2d(x) for x in _arrays("np.vstack", tup)], 0, dtype=dtype)


def column_stack(tup: Any) -> Any:
    if not is_sequence(tup):
        some(np.shape(tup)[0], "concatenate")
        return np.transpose(tup) if np.ndim(tup) < 3 else concatenate(tup, 1)
    parts = [np.atleast_1d(x) for x in _arrays("np.column_stack", tup)]
    return concatenate([np.expand_dims(x, 1) if np.ndim(x) == 1 else x for x in parts], 1)


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    not_given("np.diff", "prepend", prepend)
    not_given("np.diff", "append", append)
    x = np.asarray(a)
    if not is_known(n):
        refuse("the order of np.diff must be known while compiling", "use a literal")
    if n < 0:
        fail("ValueError", "order must be non-negative but got " + number(n))
    if np.ndim(x) == 0:
        fail("ValueError", "diff requires input that is at least one dimensional")
    k = normal_axis(axis, np.ndim(x))
    for _ in range(n):
        x = part(x, k, 1, None) - part(x, k, None, -1)
    return x


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    values = np.asarray(y)
    k = normal_axis(axis, np.ndim(values))
    widths = dx if x is None else _widths(np.asarray(x), k, np.ndim(values))
    pairs = part(values, k, 1, None) + part(values, k, None, -1)
    return np.sum(widths * pairs / 2.0, axis=k)


def _widths(x: Any, axis: int, rank: int) -> Any:
    """The distances between sample points, spread over the other axes."""
    if np.ndim(x) != 1:
        return diff(x, axis=axis)
    others = tuple([j for j in range(rank) if j != axis])
    return diff(x) if rank == 1 else np.expand_dims(diff(x), others)


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    if mode not in ("full", "same", "valid"):
        fail("ValueError", "mode must be one of 'valid', 'same', or 'full' (got '" + mode + "')")
    x, kernel = np.atleast_1d(a), np.atleast_1d(v)
    n, m = np.size(x), np.size(kernel)
    outside = np.zeros(m - 1, dtype=common_dtype(dtype_of(x), dtype_of(kernel)))
    padded = np.concatenate((outside, x, outside))
    window = np.expand_dims(np.arange(n + m - 1), 1) + np.arange(m)
    everything = padded[window] @ np.flip(kernel)
    if mode == "full":
        return everything
    long, short = max(n, m), min(n, m)
    start = short - 1 if mode == "valid" else (short - 1) // 2
    return part(everything, 0, start, long if mode == "valid" else start + long)


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    x = np.asarray(f)
    if edge_order != 1:
        refuse("np.gradient supports only edge_order=1", "leave edge_order out")
    axes = tuple(range(np.ndim(x))) if axis is None else (axis,)
    if is_sequence(axis):
        axes = tuple(axis)
    spacings = varargs if len(varargs) > 0 else (1.0,)
    spacings = spacings * len(axes) if len(spacings) == 1 else spacings
    if len(spacings) != len(axes):
        fail("TypeError", "invalid number of arguments")
    results = tuple([_slope(x, spacings[k], normal_axis(j, np.ndim(x)))
                     for k, j in enumerate(axes)])
    return results[0] if len(results) == 1 else results


def _slope(x: Any, h: Any, axis: int) -> Any:
    """Central differences inside, one-sided ones at the ends."""
    if np.ndim(h) > 0:
        refuse("np.gradient with uneven spacing is not supported", "give one distance an axis")
    first = (part(x, axis, 1, 2) - part(x, axis, 0, 1)) / h
    inside = (part(x, axis, 2, None) - part(x, axis, None, -2)) / (2.0 * h)
    last = (part(x, axis, -1, None) - part(x, axis, -2, -1)) / h
    return np.concatenate((first, inside, last), axis)


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.concatenate: concatenate, np.stack: stack, np.hstack: hstack, np.vstack: vstack,
    np.column_stack: column_stack, np.diff: diff, np.convolve: convolve, np.gradient: gradient,
    np.trapezoid: trapezoid,
}
