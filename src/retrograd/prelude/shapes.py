"""Functions that change the shape of an array and not its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import (
    along,
    as_shape,
    c_order,
    exchanged,
    fail,
    flipped,
    is_reduced,
    moved,
    normal_axes,
    normal_axis,
    not_given,
    permutation,
    with_first,
    with_new,
)
from retrograd.prelude.language import (
    in_one_piece,
    is_known,
    is_scalar,
    never_one,
    primitive,
    refuse,
)


def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: Any = None) -> Any:
    c_order("np.reshape", order)
    not_given("np.reshape", "copy", copy)
    x = np.asarray(a)
    dims = as_shape(shape)
    unknown = [k for k, n in enumerate(dims) if is_known(n) and n == -1]
    if len(unknown) > 1:
        fail("ValueError", "can only specify one unknown dimension")
    if len(unknown) == 0:
        return primitive("reshape", x, *dims)
    k = unknown[0]
    return primitive("reshape", x, *dims[:k], _missing(x, dims[:k] + dims[k + 1:]),
                     *dims[k + 1:])


def _missing(x: Any, others: tuple[Any, ...]) -> Any:
    """The extent that -1 stands for."""
    if len(others) == 0:
        return np.size(x)
    total = others[0]
    for n in others[1:]:
        total = total * n
    return np.size(x) // total


def ravel(a: Any, order: str = "C") -> Any:
    c_order("np.ravel", order)
    x = np.asarray(a)
    return in_one_piece(x) if np.ndim(x) == 1 else primitive("reshape", x, np.size(x))


def flatten(a: Any, order: str = "C") -> Any:
    return np.copy(ravel(a, order))


def transpose(a: Any, axes: Any = None) -> Any:
    x = np.asarray(a)
    return x if np.ndim(x) < 2 else primitive("transpose", x, axes=permutation(axes, np.ndim(x)))


def matrix_transpose(x: Any, /) -> Any:
    return swapaxes(x, -1, -2)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    return primitive("transpose", a, axes=exchanged(axis1, axis2, np.ndim(a)))


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    return primitive("transpose", a, axes=moved(source, destination, np.ndim(a)))


def expand_dims(a: Any, axis: Any) -> Any:
    index = with_new(axis, np.ndim(a))
    if np.ndim(a) == 0:
        return primitive("reshape", a, *[1 for _ in index])
    return primitive("view", a, index=index)


def squeeze(a: Any, axis: Any = None) -> Any:
    x = np.asarray(a)
    if not all_known(np.shape(x) if axis is None else ()):
        refuse("which axes np.squeeze removes depends on the shape",
               "name them: np.squeeze(x, axis=0)")
    axes: Any = _of_extent_one(x) if axis is None else normal_axes(axis, np.ndim(x))
    for k, n in enumerate(np.shape(x)):
        if is_reduced(k, axes) and is_known(n) and n != 1:
            fail("ValueError",
                 "cannot select an axis to squeeze out which has size not equal to one")
    if len(axes) < np.ndim(x) and len(axes) == len(_of_extent_one(x)):
        return primitive("view", x, *[0 for _ in axes], index=with_first(axes, np.ndim(x)))
    return primitive("reshape", x, *[n for k, n in enumerate(np.shape(x))
                                     if not is_reduced(k, axes)])


def all_known(extents: tuple[Any, ...]) -> bool:
    """Whether it is known of every extent if it is 1."""
    return len([n for n in extents if not is_known(n) and not never_one(n)]) == 0


def _of_extent_one(x: Any) -> Any:
    return tuple([k for k, n in enumerate(np.shape(x)) if is_known(n) and n == 1])


def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    dims = as_shape(shape)
    if len(dims) < np.ndim(array):
        fail("ValueError", "input operand has more dimensions than allowed by the axis remapping")
    return primitive("broadcast_to", array, *dims)


def atleast_1d(*arys: Any) -> Any:
    results = tuple([_of_rank_one(a) for a in arys])
    return results[0] if len(results) == 1 else results


def _of_rank_one(a: Any) -> Any:
    x = np.asarray(a)
    if np.ndim(x) > 0:
        return x
    return primitive("array", x, shape=(1,)) if is_scalar(x) else primitive("reshape", x, 1)


def atleast_2d(*arys: Any) -> Any:
    results = tuple([_of_rank_two(a) for a in arys])
    return results[0] if len(results) == 1 else results


def _of_rank_two(a: Any) -> Any:
    x = _of_rank_one(a)
    return expand_dims(x, 0) if np.ndim(x) == 1 else x


def part(x: Any, axis: int, start: Any, stop: Any) -> Any:
    """`x[start:stop]` along one axis; None leaves a bound open."""
    bounds = [n for n in (start, stop) if n is not None]
    if len(bounds) == 0:
        return x
    return primitive("view", x, *bounds,
                     index=along(axis, np.ndim(x), start is not None, stop is not None))


def flip(m: Any, axis: Any = None) -> Any:
    if np.ndim(m) == 0:
        return m
    return primitive("view", m, index=flipped(normal_axes(axis, np.ndim(m)), np.ndim(m)))


def flipud(m: Any) -> Any:
    if np.ndim(m) < 1:
        fail("ValueError", "Input must be >= 1-d.")
    return flip(m, 0)


def fliplr(m: Any) -> Any:
    if np.ndim(m) < 2:
        fail("ValueError", "Input must be >= 2-d.")
    return flip(m, 1)


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    x = np.asarray(a)
    if axis is None:
        return primitive("reshape", _rolled(ravel(x), shift, 0), *np.shape(x))
    shifts, axes = as_shape(shift), as_shape(axis)
    if len(shifts) == 1:
        shifts = shifts * len(axes)
    if len(axes) == 1:
        axes = axes * len(shifts)
    if len(shifts) != len(axes):
        fail("ValueError", "'shift' and 'axis' should be scalars or 1D sequences")
    for n, k in zip(shifts, axes):  # noqa: B905
        x = _rolled(x, n, normal_axis(k, np.ndim(x)))
    return x


def _rolled(x: Any, shift: Any, axis: int) -> Any:
    """Along one axis; shifts by one are right for every extent, others are taken modulo it."""
    if is_known(shift) and shift in (-1, 1):
        return np.concatenate((part(x, axis, -shift, None), part(x, axis, None, -shift)), axis)
    n = np.shape(x)[axis]
    cut = (-shift) % (n if n > 0 else 1)
    return np.concatenate((part(x, axis, cut, None), part(x, axis, None, cut)), axis)


def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    x = ravel(a) if axis is None else np.asarray(a)
    if np.ndim(repeats) > 0:
        refuse("np.repeat with one count an element is not supported", "repeat by one int")
    k = 0 if axis is None else normal_axis(axis, np.ndim(x))
    dims = np.shape(x)
    spread = broadcast_to(expand_dims(x, k + 1), (*dims[:k + 1], repeats, *dims[k + 1:]))
    return reshape(spread, (*dims[:k], dims[k] * repeats, *dims[k + 1:]))


def tile(A: Any, reps: Any) -> Any:
    counts = as_shape(reps)
    x = _of_rank_one(A)
    rank = len(counts) if len(counts) > np.ndim(x) else np.ndim(x)
    counts = (1,) * (rank - len(counts)) + counts
    dims = (1,) * (rank - np.ndim(x)) + np.shape(x)
    pairs = tuple([n for k in range(rank) for n in (1, dims[k])])
    wide = tuple([n for k in range(rank) for n in (counts[k], dims[k])])
    spread = broadcast_to(primitive("reshape", x, *pairs), wide)
    return primitive("reshape", spread, *[counts[k] * dims[k] for k in range(rank)])


def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    not_given("np.take", "out", out)
    if mode != "raise":
        refuse("np.take supports only mode='raise', not mode=" + mode, "clip the indices first")
    x = ravel(a) if axis is None else np.asarray(a)
    places = np.asarray(indices)
    k = 0 if axis is None else normal_axis(axis, np.ndim(x))
    if k == 0:
        return x[places]
    taken = moveaxis(x, k, 0)[places]
    new = tuple(range(np.ndim(places)))
    return moveaxis(taken, new, tuple([k + j for j in new]))


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.reshape: reshape, np.ravel: ravel, np.transpose: transpose,
    np.permute_dims: transpose, np.matrix_transpose: matrix_transpose,
    np.swapaxes: swapaxes, np.moveaxis: moveaxis, np.expand_dims: expand_dims,
    np.squeeze: squeeze, np.broadcast_to: broadcast_to, np.atleast_1d: atleast_1d,
    np.atleast_2d: atleast_2d, np.flip: flip, np.flipud: flipud, np.fliplr: fliplr,
    np.roll: roll, np.repeat: repeat, np.tile: tile, np.take: take,
}


