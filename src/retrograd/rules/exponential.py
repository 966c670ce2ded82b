"""Partials of roots, exponentials and logarithms, and of special functions made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.prelude.special import digamma
from retrograd.rules.rule import elementwise, table

ANY = (-2.0, 2.0)
POSITIVE = (0.5, 3.0)


@elementwise(domain=[POSITIVE])
def sqrt(x: Any, *, out: Any) -> Any:
    return 0.5 / out


@elementwise(domain=[POSITIVE])
def cbrt(x: Any, *, out: Any) -> Any:
    return 1 / (3 * out * out)


@elementwise(domain=[ANY])
def exp(x: Any, *, out: Any) -> Any:
    return out


@elementwise(domain=[ANY])
def exp2(x: Any, *, out: Any) -> Any:
    return out * 0.6931471805599453        # log(2)


@elementwise(domain=[ANY])
def expm1(x: Any, *, out: Any) -> Any:
    return np.exp(x)                       # out + 1 would lose everything for very negative x


@elementwise(domain=[POSITIVE])
def log(x: Any, *, out: Any) -> Any:
    return 1 / x


@elementwise(domain=[POSITIVE])
def log2(x: Any, *, out: Any) -> Any:
    return 1.4426950408889634 / x          # 1 / log(2)


@elementwise(domain=[POSITIVE])
def log10(x: Any, *, out: Any) -> Any:
    return 0.4342944819032518 / x          # 1 / log(10)


@elementwise(domain=[(-0.5, 2.0)])
def log1p(x: Any, *, out: Any) -> Any:
    return 1 / (1 + x)


@elementwise(domain=[ANY, ANY])
def logaddexp(x: Any, y: Any, *, out: Any) -> Any:
    return np.exp(x - out), np.exp(y - out)


@elementwise(domain=[ANY, ANY])
def logaddexp2(x: Any, y: Any, *, out: Any) -> Any:
    return np.exp2(x - out), np.exp2(y - out)


@elementwise(domain=[ANY, ANY])
def hypot(x: Any, y: Any, *, out: Any) -> Any:
    """The subgradient at the origin is 0."""
    distance = np.where(out == 0, 1.0, out)
    return x / distance, y / distance


@elementwise(domain=[ANY])
def erf(x: Any, *, out: Any) -> Any:
    return 1.1283791670955126 * np.exp(-x * x)         # 2 / sqrt(pi)


@elementwise(domain=[ANY])
def erfc(x: Any, *, out: Any) -> Any:
    return -1.1283791670955126 * np.exp(-x * x)


@elementwise(domain=[(0.3, 6.0)])
def gammaln(x: Any, *, out: Any) -> Any:
    return digamma(x)


RULES = table((sqrt, cbrt, exp, exp2, expm1, log, log2, log10, log1p, logaddexp, logaddexp2, hypot,
               erf, erfc, gammaln))
