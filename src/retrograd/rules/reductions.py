"""Pullbacks and pushforwards of reductions; ties in a maximum share equally."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.prelude.arguments import inverse, other_axes
from retrograd.prelude.language import dtype_of, is_scalar, primitive
from retrograd.prelude.shapes import part
from retrograd.rules.rule import pullback, table

ANY = (-2.0, 2.0)


def _placed(bar: Any, axes: tuple[int, ...] | None) -> Any:
    """What a reduction gives, with axes of extent 1 where axes were reduced."""
    return bar if axes is None or is_scalar(bar) else np.expand_dims(bar, axes)


@pullback(domain=[ANY], linear=True)
def sum(x: Any, *, out_bar: Any, axes: tuple[int, ...] | None) -> Any:
    return np.broadcast_to(_placed(out_bar, axes), np.shape(x))


def extreme_tangent(x: Any, *, out: Any, x_dot: Any, axes: tuple[int, ...] | None) -> Any:
    """The mean of the tangents of the elements that attain the extreme."""
    ties = x == _placed(out, axes)
    number = primitive("sum", primitive("cast", ties, dtype=dtype_of(x)), axes=axes)
    return primitive("sum", np.where(ties, x_dot, 0), axes=axes) / number


@pullback(domain=[ANY], pushforward=extreme_tangent)
def max(x: Any, *, out: Any, out_bar: Any, axes: tuple[int, ...] | None) -> Any:
    return _shared(x, out, out_bar, axes)


@pullback(domain=[ANY], pushforward=extreme_tangent)
def min(x: Any, *, out: Any, out_bar: Any, axes: tuple[int, ...] | None) -> Any:
    return _shared(x, out, out_bar, axes)


def _shared(x: Any, out: Any, out_bar: Any, axes: tuple[int, ...] | None) -> Any:
    """The elements that attain the extreme share its adjoint."""
    ties = x == _placed(out, axes)
    number = primitive("sum", primitive("cast", ties, dtype=dtype_of(x)), axes=axes)
    return np.where(ties, _placed(out_bar / number, axes), 0)


def prod_tangent(x: Any, *, x_dot: Any, axes: tuple[int, ...] | None) -> Any:
    return primitive("sum", x_dot * _product_of_others(x, axes), axes=axes)


@pullback(domain=[ANY], pushforward=prod_tangent)
def prod(x: Any, *, out_bar: Any, axes: tuple[int, ...] | None) -> Any:
    """The product of the others, which is right with zeros (out / x is not)."""
    return _placed(out_bar, axes) * _product_of_others(x, axes)


def _product_of_others(x: Any, axes: tuple[int, ...] | None) -> Any:
    if np.ndim(x) == 1:
        return _exclusive(x, 0)
    if axes is None:
        return np.reshape(_exclusive(np.ravel(x), 0), np.shape(x))
    if len(axes) == 1:
        return _exclusive(x, axes[0])
    kept = other_axes(axes, np.ndim(x))
    moved = np.transpose(x, kept + axes)
    count = 1
    for k in axes:
        count = count * np.shape(x)[k]
    flat = np.reshape(moved, (*[np.shape(x)[k] for k in kept], count))
    others = np.reshape(_exclusive(flat, len(kept)), np.shape(moved))
    return np.transpose(others, inverse(kept + axes))


def _exclusive(x: Any, axis: int) -> Any:
    """For each element the product of all others along the axis."""
    one = np.ones([1 if k == axis else n for k, n in enumerate(np.shape(x))], dtype=dtype_of(x))
    before = np.concatenate((one, np.cumprod(x, axis)), axis)
    after = np.concatenate((np.flip(np.cumprod(np.flip(x, axis), axis), axis), one), axis)
    return part(before, axis, None, -1) * part(after, axis, 1, None)


RULES = table((sum, max, min, prod))
