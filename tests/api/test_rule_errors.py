"""What is wrong with a rule is said where its derivative is asked for, and names the rule."""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.special

import retrograd as rg

both_modes = pytest.mark.parametrize("jit", [True, False], ids=["compiled", "numpy"])
numpy_mode = pytest.mark.parametrize("jit", [False], ids=["numpy"])
X, Y = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.25, 2.0])


def made(pullback=None, pushforward=None, partials=None):
    """A function f with such a rule, and a caller."""
    @rg.rule
    def f(x, y):
        return x * y

    for kind, function in (("pullback", pullback), ("pushforward", pushforward),
                           ("partials", partials)):
        if function is not None:
            getattr(f, kind)(function)

    def g(x, y):
        return np.sum(f(x, y) * x)

    return g


def fails(exception, message, call, *args):
    with pytest.raises(exception, match=re.escape(message)) as caught:
        call(*args)
    return caught.value


@pytest.mark.parametrize(("pullback", "exception", "message"), [
    (lambda x, y, *, out_bar: out_bar * y,
     TypeError, "the pullback of 'f' returns 1 adjoints for the arguments, and there are 2"),
    (lambda x, y, *, out_bar: (out_bar * y, out_bar * x, 1.0),
     TypeError, "the pullback of 'f' returns 3 adjoints for the arguments, and there are 2"),
    (lambda x, y, *, out_bar: (np.sum(out_bar * y), out_bar * x), ValueError,
     "the pullback of 'f' returns an adjoint of shape () for 'x', which has shape (n,)"),
    (lambda x, y, *, out_bar: ((out_bar * y).astype(np.float32), out_bar * x), TypeError,
     "the pullback of 'f' returns an adjoint of dtype float32 for 'x', which has dtype float64"),
    (lambda x, y, *, out_bar: (out_bar * (y + 1j), out_bar * x), TypeError,
     "the pullback of 'f' returns an adjoint of dtype complex128 for 'x'"),
    (lambda x, y, *, out_bar: (out_bar * y, "x"), TypeError,
     "the pullback of 'f' returns something that is no number and no array for 'y'"),
    (lambda x, y, *, out_bars: (None, None), TypeError,
     "the pullback of 'f' asks for 'out_bars': there is out, out_bar"),
    (lambda x, y, *, out_bar: (np.zeros(2), out_bar), ValueError,
     "the pullback of 'f' returns an adjoint of shape (2,) for 'x', which has shape (3,)"),
])
@numpy_mode
def test_a_wrong_pullback(pullback, exception, message, jit):
    fails(exception, message, rg.grad(made(pullback), argnums=(0, 1), jit=jit), X, Y)


@both_modes
def test_a_shape_that_only_the_call_knows(jit):
    g = made(lambda x, y, *, out_bar: (out_bar[1:] * y[1:], out_bar * x))
    gradient = rg.grad(g, argnums=(0, 1), jit=jit)
    fails(ValueError, "the pullback of 'f' returns an adjoint of shape (2,) for 'x', which has "
          "shape (3,)", gradient, X, Y)


@pytest.mark.parametrize(("pushforward", "exception", "message"), [
    (lambda x, y, *, x_dot, y_dot: (x_dot * y, 1.0), TypeError,
     "the pushforward of 'f' returns 2 tangents for the results, and there are 1"),
    (lambda x, y, *, x_dot, y_dot: np.sum(x_dot * y), ValueError,
     "the pushforward of 'f' returns a tangent of shape () for the result, which has shape (n,)"),
    (lambda x, y, *, z_dot: z_dot, TypeError,
     "the pushforward of 'f' asks for 'z_dot': there is out, x_dot, y_dot"),
])
@numpy_mode
def test_a_wrong_pushforward(pushforward, exception, message, jit):
    def derivative(x, y):
        return rg.jvp(made(pushforward=pushforward), (x, y), (x, y), jit=jit)

    fails(exception, message, derivative, X, Y)


@pytest.mark.parametrize(("partials", "exception", "message"), [
    (lambda x, y: y, TypeError,
     "the partials of 'f' returns 1 partials for the arguments, and there are 2"),
    (lambda x, y: (y[:2], x), ValueError,
     "the partials of 'f' has a partial for 'x' of shape (2,) and a result of shape (3,)"),
    (lambda x, y: (np.outer(x, y), x), ValueError,
     "the partials of 'f' needs a function that works element by element: there is a partial "
     "for 'x' of rank 2, and the result has rank 1"),
    (lambda x, y: (y + 0j, x), TypeError,
     "the partials of 'f' returns a partial of dtype complex128 for 'x'"),
])
@numpy_mode
def test_wrong_partials(partials, exception, message, jit):
    fails(exception, message, rg.grad(made(partials=partials), argnums=(0, 1), jit=jit), X, Y)


def test_a_wrong_rule_that_is_not_asked_for():
    g = made(lambda x, y, *, out_bar: 1)
    assert rg.differentiable(g, jit=False)(X, Y) == g(X, Y)
    rg.grad(lambda x, y, z: g(x, y) * z, argnums=2, jit=False)(X, Y, 2.0)


# --- dtypes adapt where Python's numbers do ------------------------------------------------------


@both_modes
def test_weak_numbers_adapt(jit):
    @rg.rule
    def f(x, y):
        return x * y

    @f.pullback
    def _(x, y, *, out_bar):
        return 2.0 * y * out_bar, np.sum(x * out_bar)

    def g(x, y):
        return np.sum(f(x, y))

    x = X.astype(np.float32)
    x_bar, y_bar = rg.grad(g, argnums=(0, 1), jit=jit)(x, 3.0)
    assert x_bar.dtype == np.float32 and type(y_bar) is float
    np.testing.assert_allclose(x_bar, 6.0 * np.ones(3))
    assert y_bar == 6.0


@both_modes
def test_what_is_no_float_has_no_derivative(jit):
    @rg.rule
    def f(x, n, mask):
        return x ** n * mask

    @f.pullback
    def _(x, n, mask, *, out_bar):
        return out_bar * n * x ** (n - 1) * mask, out_bar, 3.0

    def g(x, n, mask):
        return np.sum(f(x, n, mask))

    found = rg.grad(g, jit=jit)(X, 3, X > 1)
    np.testing.assert_allclose(found, 3 * X ** 2 * (X > 1))


@both_modes
def test_none_is_no_derivative(jit):
    g = made(lambda x, y, *, out_bar: (None, x * out_bar))
    x_bar, y_bar = rg.grad(g, argnums=(0, 1), jit=jit)(X, Y)
    np.testing.assert_allclose(x_bar, X * Y)
    np.testing.assert_allclose(y_bar, X * X)


# --- refusals ------------------------------------------------------------------------------------


def test_a_mode_without_a_rule_is_refused_with_a_remedy():
    backward = made(lambda x, y, *, out_bar: (y * out_bar, x * out_bar))
    error = fails(rg.Unsupported, "the rule of 'f' has no pushforward",
                  lambda: rg.jvp(backward, (X, Y), (X, Y), jit=False))
    assert "@f.pushforward" in error.remedy and error.span.line
    forward = made(pushforward=lambda x, y, *, x_dot, y_dot: x_dot * y + x * y_dot)
    error = fails(rg.Unsupported, "the rule of 'f' has no pullback",
                  lambda: rg.grad(forward, jit=False)(X, Y))
    assert "@f.pullback" in error.remedy and error.span.line


def test_a_function_that_writes_into_its_argument_is_refused():
    @rg.rule
    def f(x):
        x[0] = 1.0
        return x * 2

    f.partials(lambda x: 2.0)
    fails(rg.Unsupported, "'f', which has a rule of its own, writes into an array",
          rg.grad(lambda x: np.sum(f(x)), jit=False), X)


def test_a_pullback_that_writes_into_its_argument_is_refused():
    def pullback(x, y, *, out_bar):
        x[0] = 1.0
        return x, y

    fails(rg.Unsupported, "the pullback of 'f' writes into an array",
          rg.grad(made(pullback), jit=False), X, Y)


def test_an_active_keyword_only_argument_is_refused():
    @rg.rule
    def f(x, *, scale):
        return x * scale

    f.partials(lambda x, *, scale: scale)
    assert rg.grad(lambda x: f(x, scale=3.0), jit=False)(2.0) == 3.0
    fails(rg.Unsupported, "'scale' of 'f' is keyword-only",
          rg.grad(lambda x: f(x, scale=x), jit=False), 2.0)


def test_wrong_calls():
    @rg.rule
    def f(x):
        return x

    fails(TypeError, "f() missing 1 required positional argument: 'x'",
          rg.grad(lambda x: f() * x, jit=False), 1.0)
    fails(TypeError, "has a rule already", rg.rule, f)
    fails(TypeError, "is not a Python function: pass opaque=True", rg.rule, np.sin)
    fails(TypeError, "result= is for opaque functions", lambda: rg.rule(abs_, result="float64"))
    f.partials(lambda x: 1.0)
    fails(TypeError, "has partials, which serve both modes", f.pullback, lambda x, *, out_bar: 1.0)
    fails(TypeError, "must be a function", f.partials, 1.0)


def abs_(x):
    return abs(x)


def test_unknown_functions_are_told_of_rules():
    error = fails(rg.Unsupported, "no derivative here",
                  rg.grad(lambda x: scipy.special.struve(1.0, x), jit=False), 1.0)
    assert "rg.rule" in error.remedy


# --- the object ----------------------------------------------------------------------------------


def test_a_rule_is_called_as_its_function_is():
    @rg.rule
    def f(x, y=2.0, *, z=3.0):
        """The product."""
        return x * y * z

    assert f(1.0) == 6.0 and f(1.0, z=1.0, y=5.0) == 5.0
    assert f.__name__ == "f" and f.__doc__ == "The product." and "f" in repr(f)
    x = np.ones(2)
    same = rg.rule(lambda x: x)
    assert not np.shares_memory(same(x), x)


@both_modes
def test_a_rule_is_differentiated_itself(jit):
    @rg.rule
    def f(x, y):
        return np.sum(x * y)

    @f.pullback
    def _(x, y, *, out_bar):
        return 10 * y * out_bar, 10 * x * out_bar

    np.testing.assert_allclose(rg.grad(f, argnames="y", jit=jit)(X, Y), 10 * X)


def test_another_rule_is_compiled_anew():
    @rg.rule
    def f(x):
        return x

    f.partials(lambda x: 2.0)
    gradient = rg.grad(lambda x: f(x) + x, jit=False)
    assert gradient(1.0) == 3.0
    f.partials(lambda x: 5.0)
    assert gradient(1.0) == 6.0
