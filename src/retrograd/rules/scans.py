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
    rates = np.where(zero, 0, x_dot / np.where(zero, 1, x))
    moved = out * np.cumsum(rates, axis)
    for number in (1, 2):
        one = _zero(zero, number, axis)
        others = np.cumprod(np.where(one, 1, x), axis)
        moved = moved + others * np.cumsum(np.where(one, x_dot, 0), axis)
    return moved


@pullback(domain=[ANY], pushforward=cumprod_tangent)
def cumprod(x: Any, *, out: Any, out_bar: Any, axis: int) -> Any:
    """The sum over i >= j of out_bar[i] * (product of x[k] over k <= i, k != j). The first zero
    is left out of its own products; whatever follows it is multiplied by it. So the adjoint of
    the second zero is zero too, but it has a derivative; those of further ones have none."""
    zero = x == 0
    x_bar = np.where(zero, 0, _from_the_end(out_bar * out, axis) / np.where(zero, 1, x))
    for number in (1, 2):
        one = _zero(zero, number, axis)
        others = np.cumprod(np.where(one, 1, x), axis)
        x_bar = np.where(one, _from_the_end(out_bar * others, axis), x_bar)
    return x_bar


def _zero(zero: Any, number: int, axis: int) -> Any:
    """Where the first, second, ... zero along the axis is."""
    return np.logical_and(zero, np.cumsum(zero, axis) == number)


RULES = table((cumsum, cumprod))
