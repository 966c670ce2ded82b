"""Pullbacks of cumulative sums and products."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.rules.rule import pullback, table

ANY = (-2.0, 2.0)


@pullback(domain=[ANY], linear=True)
def cumsum(x: Any, *, out_bar: Any, axis: int) -> Any:
    return _from_the_end(out_bar, axis)


def _from_the_end(x: Any, axis: int) -> Any:
    """For each element the sum from it to the end."""
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis)


@pullback(domain=[ANY])
def cumprod(x: Any, *, out: Any, out_bar: Any, axis: int) -> Any:
    """Linear work unless an element is zero; then quadratic, and right for it."""
    return _from_the_end(out_bar * out, axis) / x if np.all(x != 0) \
        else _with_zeros(x, out_bar, axis)


def _with_zeros(x: Any, out_bar: Any, axis: int) -> Any:
    """sum over i >= j of out_bar[i] * (product of x[k] over k <= i, k != j), without division:
    row j of a matrix has 1 in the place of x[j] and is multiplied up."""
    rows = np.moveaxis(x, axis, -1)
    i = np.arange(np.shape(x)[axis])
    j = np.expand_dims(i, 1)
    products = np.cumprod(np.where(i == j, 1, np.expand_dims(rows, -2)), axis=-1)
    weights = np.expand_dims(np.moveaxis(out_bar, axis, -1), -2)
    return np.moveaxis(np.sum(np.where(i >= j, products * weights, 0), axis=-1), -1, axis)


RULES = table((cumsum, cumprod))
