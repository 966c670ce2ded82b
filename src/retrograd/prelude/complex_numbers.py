"""Functions of complex numbers: cmath's, phases, and what is defined otherwise for them."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import is_complex
from retrograd.prelude.elementwise import cast, imag, rad2deg, real
from retrograd.prelude.language import dtype_of

# cmath's functions, whose results are Python's complex numbers (or bools).
CMATH: dict[Callable[..., Any], str] = {
    cmath.exp: "exp", cmath.log10: "log10", cmath.sqrt: "sqrt", cmath.sin: "sin",
    cmath.cos: "cos", cmath.tan: "tan", cmath.asin: "arcsin", cmath.acos: "arccos",
    cmath.atan: "arctan", cmath.sinh: "sinh", cmath.cosh: "cosh", cmath.tanh: "tanh",
    cmath.asinh: "arcsinh", cmath.acosh: "arccosh", cmath.atanh: "arctanh",
    cmath.isnan: "isnan", cmath.isinf: "isinf", cmath.isfinite: "isfinite",
}


def complex_sign(x: Any) -> Any:
    """x / |x|; 0 at 0, with derivative 0."""
    size = np.absolute(x)
    return np.where(size == 0, 0.0, x / np.where(size == 0, 1.0, size))


def angle(z: Any, deg: bool = False) -> Any:
    result = np.arctan2(imag(z), real(z))
    return rad2deg(result) if deg else result


def iscomplex(x: Any) -> Any:
    return np.not_equal(imag(x), 0)


def isreal(x: Any) -> Any:
    return np.equal(imag(x), 0)


def iscomplexobj(x: Any) -> bool:
    return is_complex(dtype_of(x))


def isrealobj(x: Any) -> bool:
    return not is_complex(dtype_of(x))


def logarithm(x: Any, base: Any = None, /) -> Any:
    """cmath.log."""
    z = cast(x, "complex128")
    return np.log(z) if base is None else np.log(z) / np.log(cast(base, "complex128"))


def polar(z: Any, /) -> Any:
    """cmath.polar."""
    return np.absolute(z), angle(z)


def rect(r: Any, phi: Any, /) -> Any:
    """cmath.rect."""
    return complex(r * np.cos(phi), r * np.sin(phi))


# what other definitions elementwise operations have for complex numbers
OF_COMPLEX: dict[str, Callable[..., Any]] = {"sign": complex_sign}

CMATH_FUNCTIONS = (cmath.phase, cmath.log, cmath.polar, cmath.rect)

FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.angle: angle, np.iscomplex: iscomplex, np.isreal: isreal, np.iscomplexobj: iscomplexobj,
    np.isrealobj: isrealobj, cmath.phase: angle, cmath.log: logarithm, cmath.polar: polar,
    cmath.rect: rect,
}
