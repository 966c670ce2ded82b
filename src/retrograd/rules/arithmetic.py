"""Partials of arithmetic, powers and the choice between two numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.prelude.arguments import is_complex
from retrograd.prelude.elementwise import cast
from retrograd.prelude.language import dtype_of, is_known, primitive
from retrograd.rules.rule import elementwise, table

ANY = (-2.0, 2.0)
POSITIVE = (0.5, 2.0)


@elementwise(domain=[ANY, ANY], linear=True)
def add(x: Any, y: Any, *, out: Any) -> Any:
    return 1, 1


@elementwise(domain=[ANY, ANY], linear=True)
def subtract(x: Any, y: Any, *, out: Any) -> Any:
    return 1, -1


@elementwise(domain=[ANY, ANY])
def multiply(x: Any, y: Any, *, out: Any) -> Any:
    return y, x


@elementwise(domain=[ANY, POSITIVE])
def divide(x: Any, y: Any, *, out: Any) -> Any:
    return 1 / y, -out / y


@elementwise(domain=[ANY], linear=True)
def negative(x: Any, *, out: Any) -> Any:
    return -1


@elementwise(domain=[(4.1, 4.9), (1.1, 1.3)])
def remainder(x: Any, y: Any, *, out: Any) -> Any:
    return 1, -(x // y)


@elementwise(domain=[(4.1, 4.9), (1.1, 1.3)])
def fmod(x: Any, y: Any, *, out: Any) -> Any:
    return 1, -np.trunc(x / y)


@elementwise(domain=[POSITIVE, ANY])
def power(x: Any, y: Any, *, out: Any) -> Any:
    """x ** 0 has derivative 0, and so has 0 ** y with respect to y (as in JAX)."""
    if is_known(y):
        return known_power(x, y), exponent_partial(x, out)
    return base_partial(x, y), exponent_partial(x, out)


def known_power(x: Any, y: Any) -> Any:
    """The partial of x ** y with respect to x for a literal y."""
    if y == 0:
        return 0
    if y == 1:
        return 1
    return 2 * x if y == 2 else y * x ** (y - 1)


def base_partial(x: Any, y: Any) -> Any:
    """Exactly 0 where y is, though it grows with y."""
    return primitive("strong", y * x ** (y - 1), y)


def exponent_partial(x: Any, out: Any) -> Any:
    if is_complex(dtype_of(out)):
        x = cast(x, dtype_of(out))             # the logarithm of a negative number is complex
    return out * np.log(np.where(x == 0, 1.0, x))


@elementwise(domain=[ANY])
def absolute(x: Any, *, out: Any) -> Any:
    """The subgradient at 0 is 0. For complex x it is conj(x) / |x|, as in JAX."""
    if is_complex(dtype_of(x)):
        return np.conjugate(x) / np.where(out == 0, 1.0, out)
    return np.sign(x)


@elementwise(domain=[ANY, ANY])
def copysign(x: Any, y: Any, *, out: Any) -> Any:
    return np.sign(x) * np.sign(out), None


@elementwise(domain=[ANY, ANY])
def maximum(x: Any, y: Any, *, out: Any) -> Any:
    """Ties share equally."""
    return _share(x > y, x == y), _share(y > x, x == y)


@elementwise(domain=[ANY, ANY])
def minimum(x: Any, y: Any, *, out: Any) -> Any:
    """Ties share equally."""
    return _share(x < y, x == y), _share(y < x, x == y)


@elementwise(domain=[ANY, ANY])
def fmax(x: Any, y: Any, *, out: Any) -> Any:
    """Ties share equally; what is not nan is chosen."""
    return (_share(np.logical_or(x > y, np.isnan(y)), x == y),
            _share(np.logical_or(y > x, np.isnan(x)), x == y))


@elementwise(domain=[ANY, ANY])
def fmin(x: Any, y: Any, *, out: Any) -> Any:
    """Ties share equally; what is not nan is chosen."""
    return (_share(np.logical_or(x < y, np.isnan(y)), x == y),
            _share(np.logical_or(y < x, np.isnan(x)), x == y))


def _share(chosen: Any, tied: Any) -> Any:
    return np.where(chosen, 1.0, np.where(tied, 0.5, 0.0))


@elementwise(domain=[(0.0, 1.0), ANY, ANY])
def where(condition: Any, x: Any, y: Any, *, out: Any) -> Any:
    return None, np.where(condition, 1.0, 0.0), np.where(condition, 0.0, 1.0)


@elementwise(domain=[ANY, ANY])
def strong(product: Any, *keys: Any, out: Any) -> Any:
    """The keys choose, and get nothing. What is not chosen has a strong zero, so its product
    may be differentiated as if it were (`adjoint/strong.py`)."""
    return (1, *[None for _ in keys])


RULES = table((add, subtract, multiply, divide, negative, remainder, fmod, power, absolute,
               copysign, maximum, minimum, fmax, fmin, where, strong))
