"""Calls: helper functions, closures, globals, lambdas, partial, compiled helpers, defaults."""

from __future__ import annotations

import functools
import math
from math import cos, exp

import numba
import numpy as np
from numpy import tanh

from corpus.entry import normal, program

SCALE = 1.5
WEIGHTS = np.array([0.5, -1.0, 2.0])


def square(x):
    return x * x


def poly(x, a=1.0, b=2.0):
    return a * x + b * square(x)


def two_results(x, y):
    return x * y, x + y


def early(x):
    if x > 0:
        return x
    return -2 * x


def summed(f, x):
    total = 0.0
    for i in range(len(x)):
        total += f(x[i])
    return total


@numba.njit
def compiled_helper(x):
    return x * np.sin(x)


@program((0.7,))
def simple_helper(x):
    return square(x) + square(square(x) + 1)


@program((0.7, 0.2))
def defaults_and_keywords(x, y):
    return poly(x) + poly(x, 3.0) + poly(y, b=x) + poly(x=y, b=1.0, a=y)


@program((0.7, 0.2))
def helper_with_two_results(x, y):
    p, s = two_results(x, y)
    q = two_results(s, p)
    return q[0] * q[1] + p


@program((0.7,), (-0.7,))
def helper_with_early_return(x):
    return early(x) * early(x - 1.0) + early(-x)


@program((normal(4),))
def function_as_argument(x):
    return summed(square, x) + summed(np.sin, x) + summed(lambda v: v**3, x)


@program((normal(4), 0.3))
def lambda_inside(x, a):
    f = lambda v: v * a + 1
    g = lambda v, w=2.0: f(v) * w
    return np.sum(g(f(x)))


lambda_alone = program((0.4, 2.0))(lambda x, y: x * y + np.sin(x))
first_of_line, second_of_line = program((0.5,))(lambda x: x * 2), program((0.5,))(lambda x: x * x)


def _make(power, shift):
    def raised(x):
        return (x + shift) ** power

    return raised


closure = program((1.2,))(_make(3, 0.5))
other_closure = program((1.2,))(_make(2, np.array([1.0, 2.0])))
partial = program((0.5, 0.2))(functools.partial(poly, b=3.0))
positional_partial = program((0.5,))(functools.partial(two_results, 2.0))
compiled_function = program((0.5,))(compiled_helper)


@program((0.7,))
def calls_compiled_helper(x):
    return compiled_helper(x) + compiled_helper(2 * x)


@program((normal(3),))
def reads_globals(x):
    return np.sum(x * WEIGHTS) * SCALE


@program((0.4,))
def imported_names(x):
    return exp(x) * cos(x) + tanh(x) + math.e * x


@program((normal(3),))
def nested_functions(x):
    def scale(v):
        return v * SCALE

    def shifted(v, by):
        return scale(v) + by

    return np.sum(shifted(x, 1.0) * scale(x))


@program((0.3, 1.1))
def nested_function_sees_rebinding(x, y):
    def inner(v):
        return v * y

    y = y * 2
    return inner(x)


@program((0.3,))
def four_deep(x):
    def a(v):
        return np.sin(v)

    def b(v):
        return a(v) + a(v * 2)

    def c(v):
        return b(v) * b(v + 1)

    return c(x) + a(x)


@program((normal(3), 0.5))
def helper_in_a_loop(x, a):
    total = 0.0
    for value in x:
        total = poly(value, a) + 0.5 * total
    return total


@program((normal(3, 3),))
def helper_of_arrays(A):
    def norm(v):
        return np.sqrt(np.sum(v * v))

    return norm(A[0]) * norm(A[:, 1]) + norm(A)


@program((0.2, 0.4, 0.6))
def variable_arguments(*xs):
    total = 0.0
    for x in xs:
        total = total + x * x
    return total * xs[0]


class Model:
    """A user's class whose method is differentiated."""

    def __init__(self, rate):
        self.rate = rate

    def loss(self, x):
        return np.sum(x * x) * self.rate


bound_method = program((normal(3),))(Model(0.3).loss)


@program((2.0,))
def recursion_free_factorial(x):
    def step(value, k):
        return value * (x + k)

    result = 1.0
    for k in range(4):
        result = step(result, k)
    return result
