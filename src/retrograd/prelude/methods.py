"""Methods and attributes of arrays: prelude functions that take the array first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude import creation, elementwise, products, reductions, shapes, sorting
from retrograd.prelude.arguments import as_shape, not_given
from retrograd.prelude.language import is_scalar, is_sequence


def reshape(x: Any, *shape: Any, order: str = "C") -> Any:
    return shapes.reshape(x, _spelled(shape), order)


def transpose(x: Any, *axes: Any) -> Any:
    if len(axes) == 0 or axes[0] is None:
        return np.transpose(x)
    return np.transpose(x, _spelled(axes))


def _spelled(args: Any) -> Any:
    """Ints given one by one or as one tuple."""
    return as_shape(args[0]) if len(args) == 1 else args


def item(x: Any, *args: Any) -> Any:
    if is_scalar(x):
        return x
    if len(args) > 0:
        place = args[0] if len(args) == 1 else args
        return np.ravel(x)[place] if len(args) == 1 and not is_sequence(place) else x[place]
    return np.reshape(x, (1,))[0]


def clip(x: Any, min: Any = None, max: Any = None, out: Any = None) -> Any:
    not_given("clip", "out", out)
    return elementwise.clip(x, min, max)


def copy(x: Any, order: str = "C") -> Any:
    return np.copy(x)


def fill(x: Any, value: Any) -> None:
    x[...] = value


METHODS: dict[str, Callable[..., Any]] = {
    "sum": reductions.sum, "prod": reductions.prod, "mean": reductions.mean,
    "var": reductions.var, "std": reductions.std, "max": reductions.max, "min": reductions.min,
    "any": reductions.any, "all": reductions.all, "argmax": reductions.argmax,
    "argmin": reductions.argmin, "argsort": sorting.argsort, "cumsum": reductions.cumsum,
    "cumprod": reductions.cumprod,
    "reshape": reshape, "transpose": transpose, "ravel": shapes.ravel,
    "flatten": shapes.flatten, "squeeze": shapes.squeeze, "swapaxes": shapes.swapaxes,
    "repeat": shapes.repeat, "take": shapes.take, "astype": creation.astype, "copy": copy,
    "diagonal": creation.diagonal, "trace": creation.trace, "dot": products.dot, "clip": clip,
    "round": elementwise.round, "conj": elementwise.conjugate,
    "conjugate": elementwise.conjugate, "item": item, "fill": fill,
}

ATTRIBUTES: dict[str, Callable[..., Any]] = {
    "T": shapes.transpose, "mT": shapes.matrix_transpose, "real": elementwise.real,
    "imag": elementwise.imag,
}
