"""Pullbacks and pushforwards of cumulative sums and products."""

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


def cumprod_tangent(x: Any, *, out: Any, x_dot: Any, axis: int) -> Any:
    """The sum over j <= i of x_dot[j] * (product of x[k] over k <= i, k != j); zeros as in the
    pullback."""
    zero = x == 0
    first = np.logical_and(zero, np.cumsum(zero, axis) == 1)
    others = np.cumprod(np.where(first, 1, x), axis)
    rates = np.where(zero, 0, x_dot / np.where(zero, 1, x))
    return out * np.cumsum(rates, axis) + others * np.cumsum(np.where(first, x_dot, 0), axis)


@pullback(domain=[ANY], pushforward=cumprod_tangent)
def cumprod(x: Any, *, out: Any, out_bar: Any, axis: int) -> Any:
    """The sum over i >= j of out_bar[i] * (product of x[k] over k <= i, k != j). The first zero
    is left out of its own products; whatever follows it is multiplied by it."""
    zero = x == 0
    first = np.logical_and(zero, np.cumsum(zero, axis) == 1)
    others = np.cumprod(np.where(first, 1, x), axis)
    divided = _from_the_end(out_bar * out, axis) / np.where(zero, 1, x)
    return np.where(zero, np.where(first, _from_the_end(out_bar * others, axis), 0), divided)


RULES = table((cumsum, cumprod))
