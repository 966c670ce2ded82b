"""Pullbacks and pushforwards of scans: cumulative sums and products, linear recurrences."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.prelude.arguments import along
from retrograd.prelude.language import dtype_of, primitive
from retrograd.prelude.shapes import part
from retrograd.rules.rule import pullback, table

ANY = (-2.0, 2.0)


@pullback(domain=[ANY], linear=True)
def cumsum(x: Any, *, out_bar: Any, axis: int) -> Any:
    return _from_the_end(out_bar, axis)


def _from_the_end(x: Any, axis: int) -> Any:
    """For each element the sum from it to the end."""
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis)


def recurrence_tangent(factors: Any, terms: Any, *, out: Any, factors_dot: Any, terms_dot: Any,
                       axis: int, backwards: bool) -> Any:
    moved = _zeros(terms) if terms_dot is None else terms_dot
    if factors_dot is not None:
        rest = _rest(factors_dot, axis)
        if backwards:
            moved = primitive("add_at", moved, -1, rest * _rest(out, axis),
                              index=along(axis, np.ndim(out), False, True))
        else:
            moved = primitive("add_at", moved, 1, rest * _but_last(out, axis),
                              index=along(axis, np.ndim(out), True, False))
    return primitive("recurrence", factors, moved, axis=axis, backwards=backwards)


@pullback(domain=[ANY, ANY], pushforward=recurrence_tangent)
def recurrence(factors: Any, terms: Any, *, out: Any, out_bar: Any, axis: int, backwards: bool,
               ) -> Any:
    """The recurrence in the other direction; the first factor has no influence."""
    terms_bar = primitive("recurrence", factors, out_bar, axis=axis, backwards=not backwards)
    if backwards:
        rates = _but_last(terms_bar, axis) * _rest(out, axis)
    else:
        rates = _rest(terms_bar, axis) * _but_last(out, axis)
    return _with_rest(_zeros(factors), rates, axis), terms_bar


def cumprod_tangent(x: Any, *, out: Any, x_dot: Any, axis: int) -> Any:
    """`out[k] = x[k] * out[k - 1]` moves by `x_dot[k] * out[k - 1] + x[k] * out_dot[k - 1]`."""
    moved = _with_rest(x_dot, _rest(x_dot, axis) * _but_last(out, axis), axis)
    return primitive("recurrence", x, moved, axis=axis, backwards=False)


@pullback(domain=[ANY], pushforward=cumprod_tangent)
def cumprod(x: Any, *, out: Any, out_bar: Any, axis: int) -> Any:
    """All that follows moves with out[k], which moves with x[k] by `out[k - 1]`. Products alone:
    right whatever the factors are, 0 as well, and so are the derivatives of this."""
    x_bar = primitive("recurrence", x, out_bar, axis=axis, backwards=True)
    return _with_rest(x_bar, _rest(x_bar, axis) * _but_last(out, axis), axis)


def _zeros(x: Any) -> Any:
    return np.zeros(np.shape(x), dtype=dtype_of(x))


def _rest(x: Any, axis: int) -> Any:
    """All but the first element along the axis."""
    return part(x, axis, 1, None)


def _but_last(x: Any, axis: int) -> Any:
    return part(x, axis, None, -1)


def _with_rest(x: Any, rest: Any, axis: int) -> Any:
    """x with other elements along the axis but for the first."""
    return primitive("update", x, 1, rest, index=along(axis, np.ndim(x), True, False))


RULES = table((cumsum, cumprod, recurrence))
