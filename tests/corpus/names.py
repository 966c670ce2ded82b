"""Names that could collide with the compiler's own, and names that change what they mean."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program


@program((0.5, 1.5))
def adjoint_names(x_bar, x):
    out_bar = x * x_bar
    x_bar_1 = np.sin(out_bar)
    x_bar = x_bar_1 * x
    return x_bar * out_bar


@program((0.5, 4))
def saved_names(x, n):
    x_saved = x * 2
    i_saved = 0.0
    for i in range(n):
        x = np.sin(x * x_saved)
        i_saved = i_saved + x
    return i_saved * x_saved


@program((0.5, 3))
def names_of_temporaries(t, n):
    t1 = t * t
    t_1 = np.sin(t1)
    for t in range(n):
        t1 = t1 * t_1 + t
    return t1 * t_1


@program((normal(3),))
def local_called_numpy(x):
    numpy = x * 2
    math = np.sum(numpy)
    return math * x[0]


@program((0.5,))
def names_of_builtins(x):
    sum = x * 2
    abs = sum * x
    len = np.sin(abs)
    list = len + sum
    return list * abs


def _without_np(np):
    return np * np + 2.0 * np


parameter_called_np = program((0.5,), jax=False)(_without_np)


@program((normal(4),))
def name_reused_with_another_shape(x):
    y = x * x
    y = y[1:] * 2
    y = np.sum(y)
    y = y * x[0]
    return y


@program((normal(4, 3),))
def parameter_reused_with_another_shape(x):
    x = x @ np.arange(3.0)
    x = np.outer(x, x)
    x = np.sum(np.sin(x))
    return x


@program((3, 0.5))
def name_changes_type(n, x):
    n = n + 1
    n = n * x
    n = n * n
    return n


@program((0.5,))
def int_widens_in_a_loop(x):
    total = 0
    for i in range(4):
        total = total + x * i
    return total * total


@program((0.5,), (-0.5,))
def int_widens_in_a_branch(x):
    y = 1
    if x > 0:
        y = x * 3
    return y * x


@program((0.5, 2.0))
def keyword_like_names(lambda_, class_):
    return lambda_ * class_**2


@program((0.5, 1.0))
def greek(α, β):
    Δ = α * β
    return Δ * Δ + α


@program((0.4,))
def underscore(_):
    __ = _ * _
    return __ * _


@program((0.4, 0.2))
def name_of_the_function_itself(x, result):
    grad = x * result
    value = grad * grad
    retrograd = value + grad
    return retrograd


@program((normal(3), 0.1))
def swap_of_arrays_and_names(u, a):
    w = u * a
    u, w = w, u
    u, w = w + u, u
    return np.sum(u * w)


@program((0.3,))
def annotated(x: float) -> float:
    y: float = x * 2
    z: float
    z = y * x
    return z


@program((0.3,))
def chained_assignment(x):
    a = b = x * x
    a += 1
    return a * b


@program((0.3,))
def walrus(x):
    return (y := x * x) + y * x
