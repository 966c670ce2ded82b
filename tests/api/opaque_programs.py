"""Functions into which retrograd does not look, with rules, and programs that call them."""

from __future__ import annotations

import ctypes
import ctypes.util

import numba
import numpy as np
import scipy.special

import retrograd as rg

LIBM = ctypes.CDLL(ctypes.util.find_library("m"))
CALLS = []


def of_c(name):
    function = getattr(LIBM, name)
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    return function


j0 = rg.rule(of_c("j0"), opaque=True)
j1 = rg.rule(of_c("j1"), opaque=True)


@j0.partials
def _(x, *, out):
    return -j1(x)


@j1.partials
def _(x, *, out):
    return j0(x) - out / x


bessel = rg.rule(scipy.special.jv, opaque=True, name="bessel")


@bessel.partials
def _(v, x, *, out):
    return None, 0.5 * (bessel(v - 1.0, x) - bessel(v + 1.0, x))


def in_python(x):
    """What no compiler understands."""
    CALLS.append(len(x))
    return np.array([float(str(v)) for v in np.cumsum(x)])


cumulated = rg.rule(in_python, opaque=True, result=lambda x: x, name="cumulated")


@cumulated.pullback
def _(x, *, out_bar):
    x_bar = np.zeros_like(x)
    s = 0.0
    for i in range(len(x) - 1, -1, -1):
        s += out_bar[i]
        x_bar[i] = s
    return x_bar


@cumulated.pushforward
def _(x, *, x_dot):
    return cumulated(x_dot)


@rg.rule(opaque=True, result="float64")
def length(x):
    return float(np.linalg.norm(x))


@length.pullback
def _(x, *, out, out_bar):
    return out_bar * x / out


@length.pushforward
def _(x, *, out, x_dot):
    return x @ x_dot / out


@rg.rule(opaque=True, result=lambda x, y: np.zeros((x.shape[0], 1)))
def column(x, y):
    return (x * y)[:, None]


@column.pullback
def _(x, y, *, out_bar):
    return out_bar[:, 0] * y, out_bar[:, 0] * x


@column.pushforward
def _(x, y, *, x_dot, y_dot):
    return (x_dot * y + x * y_dot)[:, None]


@numba.njit
def scaled_square(x, k):
    return x * x * k


numbas = rg.rule(scaled_square, opaque=True, result=lambda x, k: x, name="numbas")


@numbas.partials
def _(x, k, *, out):
    return 2 * x * k, x * x


@numba.vectorize
def cubed(x):
    return x * x * x


vectorized = rg.rule(cubed, opaque=True, result=lambda x: x, name="vectorized")


@vectorized.partials
def _(x, *, out):
    return 3.0 * x * x


unruled = rg.rule(scipy.special.struve, opaque=True, name="unruled")


# --- several results -----------------------------------------------------------------------------


def cumulated_and_more(x):
    """An array, a number and a count."""
    CALLS.append("both")
    found = np.array([float(str(v)) for v in np.cumsum(x * x)])
    return found, float(found[-1]), int(np.sum(x > 1.0))


moments = rg.rule(cumulated_and_more, opaque=True, result=("float64[:]", "float64", "int64"),
                  name="moments")


@moments.pullback
def _(x, *, out_bar):
    sums_bar, last_bar, _ = out_bar
    x_bar = np.zeros_like(x)
    s = last_bar
    for i in range(len(x) - 1, -1, -1):
        s += sums_bar[i]
        x_bar[i] = 2.0 * x[i] * s
    return x_bar


@moments.pushforward
def _(x, *, x_dot):
    sums = np.cumsum(2.0 * x * x_dot)
    return sums, sums[-1], None


@numba.njit
def polar(x, y):
    r = np.sqrt(x * x + y * y)
    return r, np.arctan2(y, x)


polars = rg.rule(polar, opaque=True, result=lambda x, y: (x, x), name="polars")


@polars.partials
def _(x, y, *, out):
    r, _ = out
    return (x / r, y / r), (-y / (r * r), x / (r * r))


@numba.njit
def split_off(A):
    return A[0].copy(), A[1:].copy(), A[0, 0] > 0.0


splits = rg.rule(split_off, opaque=True, result=lambda A: (A[0], A[1:], True), name="splits")


@splits.pullback
def _(A, *, out_bar):
    A_bar = np.empty_like(A)
    A_bar[0] = out_bar[0]
    A_bar[1:] = out_bar[1]
    return A_bar


@splits.pushforward
def _(A, *, A_dot):
    return [A_dot[0], A_dot[1:], None]


fresnel = rg.rule(scipy.special.fresnel, opaque=True, name="fresnel")


@fresnel.partials
def _(x, *, out):
    angle = 0.5 * np.pi * x * x
    return (np.sin(angle),), (np.cos(angle),)


def f_ctypes(x):
    return j0(x) * x


def f_ctypes_in_a_loop(x):
    s = 0.0
    for i in range(len(x)):
        s += j0(x[i]) * np.cos(s)
    return s


def f_ufunc(x):
    return np.sum(bessel(1.0, x) ** 2) * bessel(2.0, x[0])


def f_broadcast(x):
    return np.sum(bessel(np.array([[0.0], [1.0]]), x) ** 2)


def f_python(x):
    return np.sum(np.sin(cumulated(x * 2)))


def f_python_in_a_loop(x):
    for _ in range(3):
        x = cumulated(x) * 0.5
    return np.sum(x ** 2)


def f_number(x):
    return length(x) * length(x[:2])


def f_column(x):
    return np.sum(np.exp(column(x, 2.0 * x) * x[:2]))


def f_numba(x):
    return np.sum(numbas(x, 3.0) * vectorized(x))


def f_unruled(x):
    return x * unruled(3.0, 1.0)


def f_in_a_branch(x):
    return j0(x) if x > 0 else bessel(1.0, x)


def f_moments(x):
    sums, last, count = moments(x * 2.0)
    return np.sum(np.sin(sums)) * last * count


def f_moments_in_a_loop(x):
    for _ in range(3):
        sums, last, _ = moments(x)
        x = x + 0.1 * np.sin(sums) / last
    return np.sum(x * x)


def f_one_of_the_moments(x):
    return moments(x)[1] + np.sum(moments(2.0 * x)[0])


def f_polars(x, y):
    r, phi = polars(x, 2.0 * y)
    return np.sum(r * np.sin(phi)) + polars(x[0], y[0])[1]


def f_polars_in_a_loop(x, y):
    x = x.copy()
    s = 0.0
    for i in range(len(x)):
        r, phi = polars(x[i] + 1.0, y[i] * s)
        s += r * np.cos(phi) + phi
        x[i] = r
    return s + np.sum(x)


def f_splits(A):
    first, rest, positive = splits(A.T)
    first[0] = first[0] * rest[0, 1]
    return np.sum(first * first) * np.sum(rest) if positive else np.sum(first)


def f_fresnel(x):
    s, c = fresnel(x)
    return np.sum(s * c) + fresnel(x[0])[0] ** 2


def f_in_both_branches(x):
    """Through the interpreter in two arms, and after them."""
    if x[0] > 0:
        sums, last, _ = moments(x)
        y = sums * 2.0
    else:
        _, last, _ = moments(x * 2.0)
        y = cumulated(x)
    return np.sum(cumulated(y)) * last + length(y)


def f_checkpointed(x):
    for _ in rg.checkpointed(range(5), snapshots=2):
        sums = cumulated(x)
        x = 0.1 * sums + 0.1 * np.tanh(length(x) * x)
    return np.sum(x * x)


def f_moments_of_views(x):
    """Equal calls are one; another one is of an array that was written between."""
    A = np.outer(x, x)
    sums, last, _ = moments(A[1])
    again, _, _ = moments(A[1])
    sums[0] = last
    A[1, 0] = 3.0 * x[2]
    later, total, _ = moments(A[1])
    return np.sum(sums * again * later) * total


X = np.array([0.3, 1.2, 2.0])
PROGRAMS = [
    (f_ctypes, (0.7,)), (f_ctypes_in_a_loop, (X,)), (f_ufunc, (X,)), (f_broadcast, (X,)),
    (f_python, (X,)), (f_python_in_a_loop, (X,)), (f_number, (X,)), (f_column, (X,)),
    (f_numba, (X,)), (f_unruled, (0.5,)), (f_in_a_branch, (0.5,)), (f_in_a_branch, (-0.5,)),
    (f_moments, (X,)), (f_moments_in_a_loop, (X,)), (f_one_of_the_moments, (X,)),
    (f_polars, (X, X[::-1].copy())), (f_polars_in_a_loop, (X, X[::-1].copy())),
    (f_splits, (np.outer(X, X) + 0.5,)), (f_fresnel, (X,)),
    (f_in_both_branches, (X,)), (f_in_both_branches, (-X,)), (f_checkpointed, (X,)),
    (f_moments_of_views, (X,)),
]
