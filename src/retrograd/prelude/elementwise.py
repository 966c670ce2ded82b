"""Elementwise functions: those that are one operation, and those written over them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import dtype_name, is_complex, not_given
from retrograd.prelude.language import dtype_of, is_float, primitive, refuse

_SAME_NAME = (
    np.add, np.subtract, np.multiply, np.negative, np.maximum, np.minimum, np.fmax, np.fmin,
    np.sign, np.floor, np.ceil, np.trunc, np.absolute, np.rint, np.divide, np.sqrt,
    np.floor_divide, np.remainder, np.fmod, np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10,
    np.log1p, np.cbrt, np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh,
    np.tanh, np.arcsinh, np.arccosh, np.arctanh, np.arctan2, np.hypot, np.logaddexp,
    np.logaddexp2, np.copysign, np.power, np.equal, np.not_equal, np.less, np.less_equal,
    np.greater, np.greater_equal, np.logical_and, np.logical_or, np.logical_not, np.isnan,
    np.isinf, np.isfinite, np.signbit, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
    np.left_shift, np.right_shift,
)

# math's functions, whose results are Python numbers. Those that turn an int into a float where
# NumPy would not are functions of `numbers.py`.
MATH: dict[Callable[..., Any], str] = {
    math.exp: "exp", math.expm1: "expm1", math.log1p: "log1p", math.log2: "log2",
    math.log10: "log10", math.sqrt: "sqrt", math.sin: "sin", math.cos: "cos", math.tan: "tan",
    math.asin: "arcsin", math.acos: "arccos", math.atan: "arctan", math.atan2: "arctan2",
    math.sinh: "sinh", math.cosh: "cosh", math.tanh: "tanh", math.asinh: "arcsinh",
    math.acosh: "arccosh", math.atanh: "arctanh", math.erf: "erf", math.erfc: "erfc",
    math.lgamma: "gammaln", math.copysign: "copysign", math.isnan: "isnan", math.isinf: "isinf",
    math.isfinite: "isfinite",
    # new in Python 3.11
    **{getattr(math, name): name for name in ("exp2", "cbrt") if hasattr(math, name)},
}

# Python's own, whose results are Python numbers where all operands are.
OPERATORS: dict[Callable[..., Any], str] = {
    abs: "absolute",
    operator.add: "add", operator.sub: "subtract", operator.mul: "multiply",
    operator.truediv: "divide", operator.neg: "negative", operator.abs: "absolute",
}

ELEMENTWISE: dict[Callable[..., Any], str] = {
    **{f: f.__name__ for f in _SAME_NAME},
    **MATH,
    **OPERATORS,
}


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None or y is None:
        refuse("np.where with one argument makes an array whose length depends on values",
               "use the three-argument form np.where(condition, x, y)")
    return primitive("where", condition, x, y)


def square(x: Any) -> Any:
    return x * x


def reciprocal(x: Any) -> Any:
    if not is_float(x):
        refuse("np.reciprocal of ints rounds to ints", "write 1 / x")
    return 1 / x


def positive(x: Any) -> Any:
    return x


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None,
         max: Any = None) -> Any:
    not_given("np.clip", "out", out)
    low = a_min if min is None else min
    high = a_max if max is None else max
    if low is not None:
        a = np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def real(val: Any) -> Any:
    return primitive("real", val) if is_complex(dtype_of(val)) else val


def imag(val: Any) -> Any:
    return primitive("imag", val) if is_complex(dtype_of(val)) else np.zeros_like(val)


def conjugate(x: Any) -> Any:
    return primitive("conjugate", x) if is_complex(dtype_of(x)) else x


def deg2rad(x: Any) -> Any:
    return x * 0.017453292519943295


def rad2deg(x: Any) -> Any:
    return x * 57.29577951308232


def fabs(x: Any) -> Any:
    return np.absolute(x) if is_float(x) else np.absolute(cast(x, np.float64))


def logical_xor(x1: Any, x2: Any) -> Any:
    return np.not_equal(np.not_equal(x1, 0), np.not_equal(x2, 0))


def round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    not_given("np.round", "out", out)
    if not is_float(a):
        if decimals < 0:
            refuse("rounding ints to tens is not supported", "use floor division")
        return a
    if decimals == 0:
        return np.rint(a)
    if decimals > 0:
        return np.rint(a * 10.0**decimals) / 10.0**decimals
    return np.rint(a / 10.0**-decimals) * 10.0**-decimals


def divmod(x1: Any, x2: Any) -> Any:
    return x1 // x2, x1 % x2


def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8,
            equal_nan: bool = False) -> Any:
    near = np.logical_and(np.absolute(a - b) <= atol + rtol * np.absolute(b), np.isfinite(b))
    close = np.logical_or(near, np.equal(a, b))
    if equal_nan:
        return np.logical_or(close, np.logical_and(np.isnan(a), np.isnan(b)))
    return close


def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8,
             equal_nan: bool = False) -> Any:
    return np.all(isclose(a, b, rtol, atol, equal_nan))


def cast(x: Any, dtype: Any) -> Any:
    """x in another dtype; x itself where it has that dtype."""
    return x if dtype_of(x) == dtype_name(dtype) else primitive("cast", x, dtype=dtype_name(dtype))


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: where, np.square: square, np.reciprocal: reciprocal, np.positive: positive,
    np.clip: clip, np.real: real, np.imag: imag, np.conjugate: conjugate,
    np.deg2rad: deg2rad, np.radians: deg2rad, np.rad2deg: rad2deg, np.degrees: rad2deg,
    np.fabs: fabs, np.logical_xor: logical_xor, np.round: round, np.around: round,
    np.divmod: divmod, np.isclose: isclose, np.allclose: allclose,
}
