"""Functions of numbers: every way to write arithmetic, and the elementary functions."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import erf, expit

from corpus.entry import program


@program((1.5, 2.0), (-0.3, 0.7))
def arithmetic(x, y):
    return (x + y) * (x - y) / (1.0 + x * x) - -x + +y


@program((1.0, 2.0, 5.0))
def function_forms(x, y, z):
    r1 = np.subtract(x, y)
    r2 = np.multiply(r1, 2)
    return np.add(np.divide(r2, z), np.negative(np.true_divide(x, 4)))


@program((1.5,), (-0.7,))
def integer_powers(x):
    return x**2 + x**3 - 2 * x**5 + x**1 + x**0 + 1 / x**2 + x**-3


@program((1.5, 2.3), (0.4, -1.2))
def real_powers(x, p):
    return x**p + x**0.5 + x**-1.5 + 2.0**p + pow(x, p) + math.pow(x, 1.5) + np.power(x, p)


@program((-1.5,), (2.5,))
def power_of_negative_base(x):
    n = 3
    return x**n + np.power(x, 2) + np.square(x) + (-x) ** 2


@program((0.0,), expected=[(1.0,)])
def powers_at_zero(x):
    return x**0 + x**1 + x**2 + x**3


@program((0.4,), (-0.8,))
def trigonometry(x):
    return np.sin(x) * np.cos(x) + np.tan(x) + np.arcsin(x) - np.arccos(x) * np.arctan(x)


@program((0.4,), (-0.8,))
def hyperbolic(x):
    return np.sinh(x) * np.cosh(x) + np.tanh(x) + np.arcsinh(x) * np.arctanh(x)


@program((1.4,), (2.8,))
def inverse_hyperbolic_cosine(x):
    return np.arccosh(x) * x


@program((0.9,), (2.1,))
def exponentials(x):
    return np.exp(x) + np.log(x) + np.log1p(x) * np.expm1(x) + np.log2(x) - np.log10(x) + np.exp2(x)


@program((0.9,), (2.1,))
def mathematics(x):
    return (math.exp(-x) + math.log(x) + math.sqrt(x) + math.sin(x) * math.cos(x)
            + math.tanh(x) + math.atan2(x, 2.0) + math.log1p(x) + math.pi * x)


@program((0.6, -1.1), (-0.6, 0.3))
def two_arguments(x, y):
    return np.arctan2(x, y) + np.hypot(x, y) + np.logaddexp(x, y)


@program((0.6, -1.1), (-0.6, 0.3))
def extremes(x, y):
    return np.maximum(x, y) * 3 + np.minimum(x, y) + max(x, y) * min(x, 2 * y, 0.1)


@program((1.3,), (-1.3,))
def absolute(x):
    return abs(x) * x + np.abs(x) + np.fabs(x) + np.sign(x) * x


@program((0.0,), expected=[(0.0,)], jax=False)
def absolute_at_zero(x):
    return abs(x) + np.abs(x)


@program((1.0,), expected=[(1.5,)])
def ties_share(x):
    return np.maximum(x, 1.0) + np.minimum(x, x)


@program((0.3,), (-2.0,), (5.0,))
def clipped(x):
    return np.clip(x, -1.0, 1.0) * x


@program((0.3,), (-2.0,), (5.0,))
def chosen(x):
    return np.where(x > 0, x * x, -x) + (x if x > 1 else 2 * x)


@program((7.3,), (-2.6,))
def rounding(x):
    return np.floor(x) * x + np.ceil(x) * x + (x % 2.0) * x + x // 2.0


@program((0.4,), (-1.1,), jax=False)
def special_functions(x):
    return erf(x) * expit(x)


@program((2.0,))
def constant_result(x):
    return 3.0


@program((2.0, 3.0), argnums=(0, 1))
def unused_argument(x, y):
    return x * x


@program((3,), (-2,), argnums=(0,))
def integer_argument(n):
    return n * n / 3 + n


@program((True, 0.5), (False, 0.5))
def boolean_argument(flag, x):
    return x * x if flag else -x


@program((0.7, 3),)
def int_and_float(x, n):
    return x * n + n / 2 + n // 2 * x + x**n + (n % 2) * x + (-n) * x


@program((2.0,), (0.3,))
def babylonian_unrolled(a):
    x = 0.5 * (1 + a)
    x = 0.5 * (x + a / x)
    x = 0.5 * (x + a / x)
    return x


@program((0.8, 0.3),)
def common_subexpressions(x, y):
    s = np.sin(x * y)
    return s * s + s * np.exp(s) + np.sin(x * y)


@program((100.0, 105.0, 0.5, 0.02, 0.25), rtol=1e-6)
def black_scholes(spot, strike, years, rate, volatility):
    spread = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + (rate + 0.5 * volatility**2) * years) / spread
    d2 = d1 - spread
    n1 = 0.5 * (1 + erf(d1 / math.sqrt(2)))
    n2 = 0.5 * (1 + erf(d2 / math.sqrt(2)))
    return spot * n1 - strike * math.exp(-rate * years) * n2


@program((0.3, 0.2, -0.5, 1.5))
def horner(x, a, b, c):
    return ((a * x + b) * x + c) * x + 1.0


@program((0.1, 2.0, 3.0))
def haversine(a, b, c):
    h = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(c / 2) ** 2
    return 2 * 6371.0 * np.arcsin(np.sqrt(h))


@program((300.0, 0.05))
def van_der_waals(T, V):
    R, a, b = 8.314, 0.364, 4.27e-5
    return R * T / (V - b) - a / V**2
