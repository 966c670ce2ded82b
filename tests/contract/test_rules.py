"""Rules of the user's keep the contract: results are fresh, arguments stay as they are."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from contract.support import both_modes, raised, same

WEIGHTS = np.array([1.0, 2.0, 3.0])
X, Y = np.array([1.0, -2.0, 0.5]), np.array([2.0, 1.0, -1.0])


@rg.rule
def added(x, y):
    return x + y


@added.pullback
def _(x, y, *, out_bar):
    return out_bar, out_bar


@rg.rule
def weighed(x):
    return WEIGHTS @ x


@weighed.pullback
def _(x, *, out_bar):
    return WEIGHTS


@rg.rule
def passed_on(x):
    return x


@passed_on.pullback
def _(x, *, out_bar):
    return x


@both_modes
def test_gradients_share_memory_with_nothing(jit):
    x_bar, y_bar = rg.grad(lambda x, y: np.sum(added(x, y) * x), (0, 1), jit=jit)(X, Y)
    same(x_bar, 2 * X + Y)
    same(y_bar, X)
    assert not any(np.shares_memory(a, b) for a, b in (
        (x_bar, y_bar), (x_bar, X), (y_bar, X), (y_bar, Y)))
    for found in (rg.grad(lambda x: weighed(x), jit=jit)(X),
                  rg.grad(lambda x: np.sum(passed_on(x)), jit=jit)(X)):
        assert not np.shares_memory(found, WEIGHTS) and not np.shares_memory(found, X)
        found[:] = 0
    same(WEIGHTS, np.array([1.0, 2.0, 3.0]))


@both_modes
def test_a_pullback_owns_what_it_needs(jit):
    x = X.copy()
    value, pullback = rg.vjp(lambda x: passed_on(x) * 2.0, x, jit=jit)
    same(value, 2 * X)
    x[:] = 7.0
    (first,), (second,) = pullback(np.ones(3)), pullback(np.ones(3))
    same(first, X)
    same(second, X)
    assert not np.shares_memory(first, second) and not np.shares_memory(value, x)


@pytest.mark.parametrize("x", [2.0, np.float32(2.0), np.array(2.0), np.array([2.0], np.float32)])
@both_modes
def test_gradients_have_the_type_of_their_argument(x, jit):
    @rg.rule
    def cube(x):
        return x ** 3

    @cube.pullback
    def _(x, *, out_bar):
        return 3 * x ** 2 * out_bar

    same(rg.grad(lambda x: np.sum(cube(x)), jit=jit)(x), x * 0 + type(x)(12.0)
         if not isinstance(x, np.ndarray) else np.full_like(x, 12.0))


def test_both_modes_raise_the_same():
    @rg.rule
    def cut(x):
        return x * 2

    @cut.pullback
    def _(x, *, out_bar):
        return out_bar[:len(x) - 1]

    def f(x):
        return np.sum(cut(x))

    found = [raised(rg.grad(f, jit=jit), X) for jit in (True, False)]
    assert found[0] == found[1] == (
        ValueError,
        "the pullback of 'cut' returns an adjoint of shape (2,) for 'x', which has shape (3,)")
