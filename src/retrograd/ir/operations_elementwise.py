"""Elementwise operations: one value from one element of each argument, with broadcasting."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.ir.extents import Extent
from retrograd.ir.operations import Operation, Query, Shape
from retrograd.ir.types import floating, promote, real_dtype, strong_promotion


def broadcast_shape(query: Query) -> Shape:
    """NumPy's broadcasting; an extent that is not known to be 1 must equal the others."""
    rank = max((len(e) for e in query.extents), default=0)
    message = ["operands could not be broadcast together with shapes "]
    shapes = [part for extents in query.extents for part in (*shape_text(extents), " ")]
    result: list[Extent] = []
    for axis in range(rank):
        extent = Extent(1)
        for extents in query.extents:
            position = axis - rank + len(extents)
            if position < 0 or extents[position].known == 1:
                continue
            if extent.known == 1:
                extent = extents[position]
            else:
                query.same(extent, extents[position], ValueError, [*message, *shapes])
        result.append(extent)
    return tuple(result)


def shape_text(extents: tuple[Extent, ...]) -> list[str | Extent]:
    """A shape as NumPy's messages print it: (3,4), (3,), ()."""
    parts: list[str | Extent] = ["("]
    for axis, extent in enumerate(extents):
        parts += ["," if axis else "", extent]
    return [*parts, ",)" if len(extents) == 1 else ")"]


def _common(query: Query) -> str:
    return strong_promotion(query.types)


def _float(query: Query) -> str:
    return floating(strong_promotion(query.types))


def _bool(_: Query) -> str:
    return "bool"


def _cast(query: Query) -> str:
    return str(query.static["dtype"])


def _values(query: Query) -> str:
    return strong_promotion(query.types[1:])


def _first(query: Query) -> str:
    return query.types[0].dtype


def _real(query: Query) -> str:
    return real_dtype(query.types[0].dtype)


def _np_cast(x: Any, *, dtype: str) -> Any:
    return x.astype(dtype) if isinstance(x, np.ndarray) else np.dtype(dtype).type(x)


def _strong(product: Any, *keys: Any) -> Any:
    """The product where a key is not 0, else exactly 0."""
    return np.where(functools.reduce(np.logical_or, [key != 0 for key in keys]), product, 0)


def _erf(x: Any) -> Any:
    from scipy.special import erf

    return erf(x)


def _erfc(x: Any) -> Any:
    from scipy.special import erfc

    return erfc(x)


def _gammaln(x: Any) -> Any:
    from scipy.special import gammaln

    return gammaln(x)


def _elementwise(name: str, dtype: Callable[[Query], str], evaluate: Callable[..., Any],
                 cost: float = 1.0) -> Operation:
    return Operation(name, "elementwise", dtype, broadcast_shape, evaluate, cost)


CHEAP, DIVISION, TRANSCENDENTAL = 1.0, 4.0, 20.0

ALL = (
    *(_elementwise(f.__name__, _common, f) for f in (
        np.add, np.subtract, np.multiply, np.negative, np.maximum, np.minimum, np.fmax, np.fmin,
        np.sign, np.floor, np.ceil, np.trunc, np.conjugate)),
    _elementwise("accumulate", _common, np.add),     # `add` in a sum whose order is free
    _elementwise("absolute", _real, np.absolute),
    _elementwise("real", _real, np.real),
    _elementwise("imag", _real, np.imag),
    _elementwise("rint", _float, np.rint),
    *(_elementwise(f.__name__, _float, f, DIVISION) for f in (
        np.divide, np.sqrt)),
    *(_elementwise(f.__name__, _common, f, DIVISION) for f in (
        np.floor_divide, np.remainder, np.fmod)),
    *(_elementwise(f.__name__, _float, f, TRANSCENDENTAL) for f in (
        np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.cbrt,
        np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan,
        np.sinh, np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arctanh,
        np.arctan2, np.hypot, np.logaddexp, np.logaddexp2, np.copysign)),
    _elementwise("power", _common, np.power, TRANSCENDENTAL),
    _elementwise("erf", _float, _erf, TRANSCENDENTAL),
    _elementwise("erfc", _float, _erfc, TRANSCENDENTAL),
    _elementwise("gammaln", _float, _gammaln, TRANSCENDENTAL),
    *(_elementwise(f.__name__, _bool, f) for f in (
        np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
        np.logical_and, np.logical_or, np.logical_not, np.isnan, np.isinf, np.isfinite,
        np.signbit)),
    *(_elementwise(f.__name__, _common, f) for f in (
        np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift,
        np.right_shift)),
    _elementwise("where", _values, np.where),
    _elementwise("strong", _first, _strong),
    _elementwise("cast", _cast, _np_cast, 0.5),
)

__all__ = ["ALL", "broadcast_shape", "promote", "shape_text"]
