"""scipy.special over the primitives, keyed on names so that importing SciPy is not needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import not_given
from retrograd.prelude.language import is_float, primitive, refuse


def expit(x: Any) -> Any:
    """1 / (1 + exp(-x)), accurate in both tails and smooth at 0."""
    return np.exp(-np.logaddexp(0.0, -x))


def log_expit(x: Any) -> Any:
    return -np.logaddexp(0.0, -x)


def logit(x: Any) -> Any:
    return np.log(x) - np.log1p(-x)


def _guarded(x: Any, y: Any) -> Any:
    """y, and 1 where x * log(y) is 0 though log(y) is not finite."""
    return np.where(np.logical_and(x == 0, np.logical_or(y <= 0, y == np.inf)), 1.0, y)


def xlogy(x: Any, y: Any) -> Any:
    """x log(y); both partials are 0 where x is 0 and y is not positive."""
    return x * np.log(_guarded(x, y))


def xlog1py(x: Any, y: Any) -> Any:
    safe = np.logical_and(x == 0, np.logical_or(y <= -1, y == np.inf))
    return x * np.log1p(np.where(safe, 0.0, y))


def _shift(a: Any, axis: Any) -> Any:
    """A constant near the largest element: rounded, so that no derivative goes through it."""
    top = np.rint(np.max(a, axis=axis, keepdims=True))
    return np.where(np.isfinite(top), top, 0.0)


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False,
              return_sign: bool = False) -> Any:
    not_given("scipy.special.logsumexp", "b", b)
    if return_sign:
        refuse("scipy.special.logsumexp with return_sign=True is not supported",
               "use the sum of exponentials itself")
    x = np.asarray(a)
    if not is_float(x):
        x = x * 1.0
    top = _shift(x, axis)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.sum(total, axis=axis)


def softmax(x: Any, axis: Any = None) -> Any:
    e = np.exp(x - _shift(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: Any = None) -> Any:
    shifted = x - _shift(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def digamma(z: Any) -> Any:
    """The derivative of log(gamma): reflection, recurrence up to 10, asymptotic series
    (Abramowitz and Stegun, 6.3.7, 6.3.5 and 6.3.18)."""
    reflected = z < 0.5
    x = np.where(reflected, 1.0 - z, z)
    lower = 1.0 / x
    for k in range(1, 10):
        lower = lower + 1.0 / (x + k)
    far = x + 10.0
    r = 1.0 / (far * far)
    series = r * (0.08333333333333333 - r * (0.008333333333333333 - r * (
        0.003968253968253968 - r * (0.004166666666666667 - r * (
            0.007575757575757576 - r * (0.021092796092796094 - r * 0.08333333333333333))))))
    value = np.log(far) - 0.5 / far - series - lower
    return np.where(reflected, value - np.pi / np.tan(np.pi * np.where(reflected, z, 0.25)), value)


def beta_logarithm(a: Any, b: Any) -> Any:
    return primitive("gammaln", a) + primitive("gammaln", b) - primitive("gammaln", a + b)


SCIPY: dict[str, str | Callable[..., Any]] = {
    "scipy.special.erf": "erf", "scipy.special.erfc": "erfc", "scipy.special.gammaln": "gammaln",
    "scipy.special.exp2": "exp2", "scipy.special.expm1": "expm1", "scipy.special.log1p": "log1p",
    "scipy.special.cbrt": "cbrt", "scipy.special.expit": expit,
    "scipy.special.log_expit": log_expit, "scipy.special.logit": logit,
    "scipy.special.xlogy": xlogy, "scipy.special.xlog1py": xlog1py,
    "scipy.special.logsumexp": logsumexp, "scipy.special.softmax": softmax,
    "scipy.special.log_softmax": log_softmax, "scipy.special.digamma": digamma,
    "scipy.special.psi": digamma, "scipy.special.betaln": beta_logarithm,
}
