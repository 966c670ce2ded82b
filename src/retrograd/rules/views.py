"""Pullbacks of views. Their int arguments (new extents) have no adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.prelude.arguments import inverse
from retrograd.prelude.language import dtype_of, is_scalar, primitive
from retrograd.rules.rule import pullback, table
from retrograd.rules.shared import summed_like

ANY = (-2.0, 2.0)


@pullback(domain=[ANY], linear=True)
def reshape(x: Any, *dims: Any, out_bar: Any) -> Any:
    x_bar = np.sum(out_bar) if is_scalar(x) else np.reshape(out_bar, np.shape(x))
    return (x_bar, *[None for _ in dims])


@pullback(domain=[ANY], linear=True)
def transpose(x: Any, *, out_bar: Any, axes: tuple[int, ...]) -> Any:
    return np.transpose(out_bar, inverse(axes))


@pullback(domain=[ANY], linear=True)
def broadcast_to(x: Any, *dims: Any, out_bar: Any) -> Any:
    return (summed_like(out_bar, x), *[None for _ in dims])


@pullback(domain=[ANY], linear=True)
def diagonal(x: Any, *, out_bar: Any) -> Any:
    place = np.arange(np.size(out_bar))
    return primitive("update", np.zeros(np.shape(x), dtype=dtype_of(x)), place, place, out_bar,
                     index=("array", "array"))


RULES = table((reshape, transpose, broadcast_to, diagonal))
