"""`stop_gradient`: the value, through which no derivative flows."""

from __future__ import annotations

import collections

import numpy as np
import pytest

import retrograd as rg

both_modes = pytest.mark.parametrize("jit", [True, False], ids=["compiled", "numpy"])
X = np.array([1.0, -2.0, 3.0])
Pair = collections.namedtuple("Pair", ["a", "b"])


@both_modes
def test_a_number(jit):
    def f(x):
        return x * rg.stop_gradient(x) + rg.stop_gradient(x * x)

    assert rg.value_and_grad(f, jit=jit)(3.0) == (18.0, 3.0)
    assert rg.jvp(f, (3.0,), (2.0,), jit=jit) == (18.0, 6.0)
    assert rg.grad(rg.grad(f), jit=jit)(3.0) == 0.0


@both_modes
def test_an_array_and_its_dtype(jit):
    def f(x):
        return np.sum(x * rg.stop_gradient(np.exp(x)))

    found = rg.grad(f, jit=jit)(X.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.exp(X), rtol=1e-6)


@both_modes
def test_the_result_is_memory_of_its_own(jit):
    def f(x):
        y = rg.stop_gradient(x)
        y[0] = 5.0
        x[1] = 7.0
        return np.sum(x * y)

    expected = f(X.copy())
    value, gradient = rg.value_and_grad(f, jit=jit)(X)
    assert value == expected == 1 * 5 - 7 * 2 + 9
    np.testing.assert_array_equal(gradient, [5.0, 0.0, 3.0])


@both_modes
def test_in_a_loop(jit):
    def f(x):
        for _ in range(3):
            y = rg.stop_gradient(x)
            y[0] += 1.0
            x = x * y
        return np.sum(x)

    y, factor = X.copy(), 1.0
    for _ in range(3):
        z = y.copy()
        z[0] += 1
        y, factor = y * z, factor * z
    np.testing.assert_allclose(rg.grad(f, jit=jit)(X), factor)


@both_modes
def test_containers(jit):
    def f(x, y):
        a, (b, c) = rg.stop_gradient((x, [y, x * y]))
        d = rg.stop_gradient({"z": x, "n": 2})
        return a * y + b * x + c * x * y + d["z"] * x * d["n"]

    assert rg.value_and_grad(f, (0, 1), jit=jit)(2.0, 3.0) == (
        6 + 6 + 36 + 8, (3 + 18 + 4, 2 + 12))


@both_modes
def test_a_list_is_another_one(jit):
    def f(x):
        items = [x, 2 * x]
        others = rg.stop_gradient(items)
        others.append(x)
        return items[0] * others[1] * others[2] * len(items)

    assert rg.value_and_grad(f, jit=jit)(2.0) == (f(2.0), 2 * (4 * 2 + 2 * 4))


@both_modes
def test_integers_and_what_is_known(jit):
    def f(x, n):
        return np.sum(x, axis=rg.stop_gradient(0)) * rg.stop_gradient(n) \
            * rg.stop_gradient(np.array([1, 2]))[1]

    np.testing.assert_array_equal(rg.grad(f, jit=jit)(X, 4), 8 * np.ones(3))


def test_in_plain_python():
    same = rg.stop_gradient(X)
    assert not np.shares_memory(same, X)
    np.testing.assert_array_equal(same, X)
    assert rg.stop_gradient(2.5) == 2.5 and rg.stop_gradient("text") == "text"
    found = rg.stop_gradient((Pair(1.0, X), [X], {"k": X}))
    assert type(found[0]) is Pair and not np.shares_memory(found[0].b, X)
    assert not np.shares_memory(found[1][0], X) and not np.shares_memory(found[2]["k"], X)


def test_wrong_calls():
    def f(x):
        return rg.stop_gradient(x, x)

    with pytest.raises(TypeError, match="stop_gradient"):
        rg.grad(f, jit=False)(1.0)


def test_nothing_of_it_is_in_the_source():
    def f(x):
        return np.sum(x * rg.stop_gradient(x))

    assert "stop" not in rg.grad(f, jit=False).source(X)
