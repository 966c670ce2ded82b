"""Functions with rules of their own, and programs that call them."""

from __future__ import annotations

import numpy as np

import retrograd as rg

SCALE = 1.5
WEIGHTS = np.array([0.5, -0.25, 2.0])


@rg.rule
def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0.0)


@softplus.partials
def _(x, *, out):
    return 1.0 / (1.0 + np.exp(-x))


@rg.rule
def quotient(x, y=2.0):
    return x / y


@quotient.partials
def _(x, y, *, out):
    return 1 / y, -out / y


@rg.rule
def product(x, y):
    return x @ y


@product.pullback
def _(x, y, *, out_bar):
    return out_bar @ y.T, x.T @ out_bar


@product.pushforward
def _(x, y, *, x_dot, y_dot):
    return x_dot @ y + x @ y_dot


@rg.rule
def cubes(x, n):
    """Loops and branches in the function and in its rule; n is known as little as x."""
    s = 0.0
    for i in range(n):
        s += x[i] ** 3
    return s


@cubes.pullback
def _(x, n, *, out_bar):
    x_bar = np.zeros_like(x)
    for i in range(n):
        if x[i] > 0:
            x_bar[i] = 3 * x[i] ** 2 * out_bar
        else:
            x_bar[i] = out_bar * (3 * x[i] * x[i])
    return x_bar, None


@cubes.pushforward
def _(x, n, *, x_dot):
    s = 0.0
    for i in range(n):
        s += 3 * x[i] * x[i] * x_dot[i]
    return s


@rg.rule
def pair(x, y):
    return np.sin(x) * y, np.sum(x * y)


@pair.pullback
def _(x, y, *, out, out_bar):
    a_bar, b_bar = out_bar
    return a_bar * np.cos(x) * y + b_bar * y, a_bar * np.sin(x) + b_bar * x


@pair.pushforward
def _(x, y, *, x_dot, y_dot):
    return np.cos(x) * y * x_dot + np.sin(x) * y_dot, np.sum(x_dot * y + x * y_dot)


@rg.rule
def both(x, y):
    return x * y, x + 2 * y


@both.partials
def _(x, y, *, out):
    return (y, x), (1.0, 2.0)


@rg.rule
def total(x, axis=0, *, scale=1.0):
    return scale * np.sum(x, axis=axis)


@total.pullback
def _(x, axis, *, out_bar, scale):
    return scale * np.expand_dims(out_bar, axis) * np.ones_like(x), None


@total.pushforward
def _(x, axis, *, x_dot, scale):
    return scale * np.sum(x_dot, axis=axis)


@rg.rule
def applied(function, x, how):
    return function(x) if how == "once" else function(function(x))


@applied.pullback
def _(function, x, how, *, out_bar):
    return None, 2 * out_bar * x if how == "once" else out_bar * 4 * x ** 3, None


@applied.pushforward
def _(function, x, how, *, x_dot):
    return 2 * x_dot * x if how == "once" else x_dot * 4 * x ** 3


@rg.rule
def captured(x):
    return SCALE * np.sum(WEIGHTS * x * x)


@captured.pullback
def _(x, *, out_bar):
    return 2 * SCALE * WEIGHTS * x * out_bar


@captured.pushforward
def _(x, *, x_dot):
    return 2 * SCALE * np.sum(WEIGHTS * x * x_dot)


@rg.rule
def nested(x):
    return softplus(quotient(x)) ** 2


@nested.partials
def _(x, *, out):
    return softplus(x / 2) / (1 + np.exp(-quotient(x, 2.0)))


@rg.rule
def same(x):
    return x


@same.pullback
def _(x, *, out_bar):
    return out_bar


@same.pushforward
def _(x, *, x_dot):
    return x_dot


def cubic(x, a):
    return x ** 3 + a * x - 1.0


@rg.rule
def root(a):
    x = 1.0
    n = 0
    while abs(cubic(x, a)) > 1e-15 and n < 50:
        x = x - cubic(x, a) / (3 * x * x + a)
        n += 1
    return x


@root.pullback
def _(a, *, out, out_bar):
    """The implicit function theorem, with a derivative inside a rule."""
    by_x, by_a = rg.grad(cubic, argnums=(0, 1))(out, a)
    return -out_bar * by_a / by_x


@root.pushforward
def _(a, *, out, a_dot):
    by_x, by_a = rg.grad(cubic, argnums=(0, 1))(out, a)
    return -a_dot * by_a / by_x


def wave(x, y):
    return np.sin(x) * np.exp(y)


@rg.rule
def derived(x, y):
    return wave(x, y)


@derived.pullback
def _(x, y, *, out_bar):
    _, pullback = rg.vjp(wave, x, y)
    return pullback(out_bar)


@derived.pushforward
def _(x, y, *, x_dot, y_dot):
    _, tangent = rg.jvp(wave, (x, y), (x_dot, y_dot))
    return tangent


@rg.rule
def turned(A):
    return A.T


@turned.pullback
def _(A, *, out_bar):
    return out_bar.T


@turned.pushforward
def _(A, *, A_dot):
    return A_dot.T


def square(x):
    return x * x


def f_number(x):
    return softplus(x) * x


def f_array(x):
    return np.sum(softplus(x) * x)


def f_quotient(x, y):
    return np.sum(quotient(x, y) ** 2)


def f_default(x):
    return np.sum(quotient(x) ** 2) + np.sum(quotient(y=x, x=3.0))


def f_product(x, y):
    return np.sum(np.sin(product(x, y)))


def f_cubes(x):
    return cubes(x, 3) ** 2 + cubes(x, len(x) - 1)


def f_pair(x, y):
    a, b = pair(x, y)
    return np.sum(a ** 2) * b


def f_one_of_a_pair(x, y):
    return pair(x, y)[1] + np.sum(pair(y, x)[0])


def f_pair_in_a_loop(x):
    s = 0.0
    for i in range(5):
        a, b = pair(x, x + i)
        x = x + 0.1 * a
        s += b * softplus(s)
    return s


def f_while(x):
    n = 0
    while x < 20.0 and n < 30:
        x = x + 0.3 * softplus(x) + quotient(x, 5.0)
        n += 1
    return x


def f_branch(x, y):
    if y > 0:
        a, b = both(x, y)
    else:
        a, b = both(y, x)
    return a * softplus(b)


def f_stores(x):
    y = np.zeros(4)
    for i in range(3):
        y[i] = softplus(x[i]) + y[i - 1]
        y[i + 1] += quotient(y[i], x[i])
    return np.sum(y * y)


def f_total(x):
    return np.sum(total(x, axis=1, scale=3.0) ** 2) + np.sum(total(x) ** 3)


def f_applied(x):
    return applied(square, x, "once") * applied(lambda t: t * t, x, "twice")


def f_captured(x):
    return captured(x) ** 2


def f_nested(x):
    return np.sum(nested(x) * x)


def f_same(x):
    y = same(x)
    y[0] = 5.0
    return np.sum(y * x) + same(x)[1]


def f_implicit(x):
    s = 1.0
    for i in range(len(x)):
        for j in range(i):
            if x[j] > 0:
                s += root(x[i] * x[j]) * s
            else:
                s -= derived(s, x[i])
    return s


def f_derived(x):
    return np.sum(derived(x, x * 0.5))


def f_views(x):
    y = x.copy()
    v = y[1:]
    z = softplus(v)
    y[1] = 0.0
    w = softplus(y[::-1])
    y *= 2.0
    return np.sum(z * w[1:]) + np.sum(y) + np.sum(softplus(x[:1]) * x)


def f_turned(A):
    B = turned(A)
    return np.sum(B.ravel() * np.arange(B.size)) + np.sum(B[0] ** 2)


def f_left_early(x):
    s = 0.0
    for i in range(20):
        x = softplus(x) * 1.1 + 0.3 * quotient(x, 1.0 + i)
        if x > 5:
            break
        s += softplus(x)
    return s


def f_appended(x):
    ys = []
    for _ in range(3):
        x = softplus(x) * 0.5 + 0.1
        ys.append(x)
    return np.sum(np.array(ys) ** 2)


X, Y = np.array([0.3, -1.2, 2.0]), np.array([1.5, 0.7, -0.4])
A, B = np.arange(6.0).reshape(2, 3) / 7, np.arange(12.0).reshape(3, 4) / 5

PROGRAMS = [
    (f_number, (0.7,)), (f_array, (X,)), (f_quotient, (X, Y)), (f_quotient, (X, 2.0)),
    (f_quotient, (A, Y)), (f_quotient, (0.5, Y)), (f_default, (X,)), (f_product, (A, B)),
    (f_cubes, (X,)), (f_pair, (X, Y)), (f_one_of_a_pair, (X, Y)), (f_pair_in_a_loop, (X,)),
    (f_while, (0.4,)), (f_branch, (0.4, 0.8)), (f_branch, (0.4, -0.8)), (f_stores, (X,)),
    (f_total, (A,)), (f_applied, (0.6,)), (f_captured, (X,)), (f_nested, (X,)), (f_same, (X,)),
    (f_implicit, (np.abs(X),)), (f_implicit, (X * 0.5,)), (f_derived, (X,)),
    (f_views, (X,)), (f_turned, (A,)), (f_left_early, (0.9,)), (f_appended, (0.6,)),
]
