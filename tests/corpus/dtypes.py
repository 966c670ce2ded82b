"""Promotion and dtypes: float32, ints, bools, weak Python numbers."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program

X32 = normal(4).astype(np.float32)
A32 = normal(3, 4).astype(np.float32)


@program((X32,))
def float32_stays(x):
    return x * 0.5 + 2 - x / 3


@program((X32, normal(4)))
def float32_meets_float64(x, y):
    return x * y


@program((X32, 0.5))
def float32_meets_a_number(x, s):
    return np.sum(np.sin(x) * s) + s


@program((A32, X32))
def float32_product(A, x):
    return np.tanh(A @ x)


@program((np.float32(0.5), np.float32(1.5)))
def float32_numbers(x, y):
    return x * y + np.exp(x) * 2


@program((np.float64(0.5), 2.0))
def float64_number(x, y):
    return x * y * x


@program((normal(3), np.array([1, 2, 3])))
def int_array(x, n):
    return np.sum(x * n + n / 2 + n // 2 * x + x**n)


@program((normal(4), np.array([True, False, True, False])))
def bool_array(x, b):
    return np.sum(x * b) + np.sum(np.where(b, x, -x * x)) + np.sum(x * ~b)


@program((X32, np.array([1, 2, 3, 4])), rtol=1e-4)
def int_array_meets_float32(x, n):
    return np.sum(x * n)


@program((normal(4),), jax=False)
def casts(x):
    return np.sum(x.astype(np.float64) * np.arange(4).astype(float)) + float(x[0]) * float(3)


@program((normal(4),), expected=[(np.full(4, 2.0),)], rtol=1e-6, jax=False)
def through_float32(x):
    return np.sum(x.astype(np.float32) * np.float32(2.0))


@program((0.7,))
def comparison_as_a_number(x):
    return (x > 0.5) * x + (x < 0.5) * x**2 + 1.0 * (x != 0.0)


@program((5.9,))
def int_of_a_float(x):
    return x * int(x)


@program((normal(3),))
def int_reduction(x):
    n = np.arange(3)
    return np.sum(x) * np.sum(n) / np.max(n) + np.sum(n * n) * x[0]


@program((normal(4), 3))
def numpy_int_as_number(x, n):
    return x[np.argmax(x)] * n + x * (n - 1) / n


@program((normal(3), np.array([1, 2, 4])))
def ints_made_floats_by_one(x, k):
    return np.sum(x * (k * 1.0) ** -2) + np.sum(x * (1.0 * k) ** -1)


@program((np.array([[1.5]], dtype=np.float32),))
def float32_of_extent_one(a):
    return np.sum(a * np.ones((2, 2), dtype=np.float32))


@program((A32,))
def float32_reductions(A):
    return np.mean(A) + np.sum(np.max(A, axis=0)) * np.var(A)
