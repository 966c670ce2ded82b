"""Partials of trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.prelude.arguments import is_complex
from retrograd.prelude.language import dtype_of
from retrograd.rules.rule import elementwise, table

ANY = (-2.0, 2.0)
UNIT = (-0.9, 0.9)


@elementwise(domain=[ANY])
def sin(x: Any, *, out: Any) -> Any:
    return np.cos(x)


@elementwise(domain=[ANY])
def cos(x: Any, *, out: Any) -> Any:
    return -np.sin(x)


@elementwise(domain=[(-1.2, 1.2)])
def tan(x: Any, *, out: Any) -> Any:
    return 1 + out * out


@elementwise(domain=[UNIT])
def arcsin(x: Any, *, out: Any) -> Any:
    return 1 / np.sqrt((1 - x) * (1 + x))      # 1 - x * x would lose digits near 1


@elementwise(domain=[UNIT])
def arccos(x: Any, *, out: Any) -> Any:
    return -1 / np.sqrt((1 - x) * (1 + x))


@elementwise(domain=[ANY])
def arctan(x: Any, *, out: Any) -> Any:
    return 1 / (1 + x * x)


@elementwise(domain=[ANY, (0.5, 2.0)])
def arctan2(y: Any, x: Any, *, out: Any) -> Any:
    square = x * x + y * y
    return x / square, -y / square


@elementwise(domain=[ANY])
def sinh(x: Any, *, out: Any) -> Any:
    return np.cosh(x)


@elementwise(domain=[ANY])
def cosh(x: Any, *, out: Any) -> Any:
    return np.sinh(x)


@elementwise(domain=[ANY])
def tanh(x: Any, *, out: Any) -> Any:
    return 1 - out * out


@elementwise(domain=[ANY])
def arcsinh(x: Any, *, out: Any) -> Any:
    return 1 / np.sqrt(x * x + 1)


@elementwise(domain=[(1.1, 3.0)])
def arccosh(x: Any, *, out: Any) -> Any:
    if is_complex(dtype_of(x)):                # one root of the product has the wrong sign
        return 1 / (np.sqrt(x - 1) * np.sqrt(x + 1))
    return 1 / np.sqrt((x - 1) * (x + 1))


@elementwise(domain=[UNIT])
def arctanh(x: Any, *, out: Any) -> Any:
    return 1 / ((1 - x) * (1 + x))


RULES = table((sin, cos, tan, arcsin, arccos, arctan, arctan2, sinh, cosh, tanh, arcsinh, arccosh,
               arctanh))
