"""Branches: if, elif, else, conditional expressions, boolean operators, chained comparisons."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program


@program((0.5,), (-0.5,))
def if_else(x):
    if x > 0:
        y = x * x
    else:
        y = np.sin(x)
    return y * 2


@program((0.5,), (-0.5,))
def if_only(x):
    y = x
    if x > 0:
        y = y * x
        y = y + 1
    return y


@program((-2.0,), (-0.5,), (0.5,), (2.0,))
def ladder(x):
    if x < -1:
        y = -x
    elif x < 0:
        y = x * x
    elif x < 1:
        y = np.exp(x)
    else:
        y = 1 / x
    return y


@program((0.5, 0.2), (-0.5, 0.2), (-0.5, -0.2), (0.5, -0.2))
def nested(x, y):
    if x > 0:
        if y > 0:
            z = x * y
        else:
            z = x - y
        z = z * x
    else:
        z = y * y
        if y > 0:
            z += x
    return z


@program((0.5, 1.5), (1.5, 0.5), (-0.5, -1.0))
def boolean_operators(x, y):
    if x > 0 and y > 1:
        return x * y
    if not (x > 0 or y > 0):
        return x - y * y
    return x / (2 + y)


@program((0.5,), (1.5,), (-1.0,))
def chained_comparison(x):
    return x**2 if 0 < x <= 1 else (3 * x if x > 1 else -x)


@program((0.5, True), (0.5, False))
def flag(x, negative):
    return -x * x if negative else x * x


@program((0.5, "cubic"), (0.5, "linear"))
def static_string(x, kind):
    if kind == "cubic":
        return x**3
    return 2 * x


@program((0.5, None), (0.5, 2.0), jax=False, argnums=(0,))
def static_none(x, scale):
    if scale is None:
        scale = 3.0
    return scale * x * x


@program((normal(6),))
def branch_in_loop(x):
    total = 0.0
    for i in range(len(x)):
        if x[i] > 0:
            total += x[i] ** 2
        elif x[i] > -0.5:
            total *= 1 - x[i]
        else:
            total -= np.sin(x[i])
    return total


@program((normal(5), True), (normal(5), False))
def branch_on_arrays(x, up):
    if up:
        y = x[1:] * x[:-1]
    else:
        y = x[1:] + 2.0
    return np.sum(y * y)


@program((normal(4),), (-normal(4),))
def condition_from_reduction(x):
    if np.sum(x) > 0:
        return np.sum(x**2)
    return np.prod(x)


@program((0.5, 2), (0.5, 3), (0.5, 4))
def on_an_int(x, n):
    if n % 2 == 0:
        y = x**2
    elif n == 3:
        y = x
    else:
        y = 0.0
    return y * n


@program((1.0,), (-1.0,))
def constant_branches(x):
    if x > 0:
        y = 1.0
    else:
        y = 2.0
    return y * x


@program((0.4, 1.2), (1.2, 0.4))
def swap_in_branch(a, b):
    if a > b:
        a, b = b, a
    return a * a + 3 * b


@program((np.array([0.2, -0.4, 3.0]),), (np.array([-2.0, -0.4, 3.0]),))
def all_and_any(x):
    if np.all(x > -1) and np.any(x > 2):
        return np.sum(x * x)
    return np.sum(x)


@program((0.0,), (2.0,), expected=[(1.0,), (4.0,)])
def guard_against_division(x):
    return np.sin(x) / x * 0 + x * x if x > 0 else x


@program((1.0, 0.3))
def short_circuit(x, y):
    if x > 0 or 1 / (y - 0.3) > 0:
        return x * y
    return y
