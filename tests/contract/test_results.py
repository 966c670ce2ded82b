"""The contract, "Arguments and results": whose memory is whose."""

import itertools

import numpy as np
import pytest

import retrograd as rg
from contract.support import both_modes, same


def fresh(*arrays):
    """Writable, C-ordered, and none shares memory with another."""
    for array in arrays:
        assert array.flags.writeable and array.flags.c_contiguous
    for a, b in itertools.combinations(arrays, 2):
        assert not np.shares_memory(a, b)


SEVERAL = {
    "sum": lambda x, y: np.sum(x + y),
    "same factor": lambda x, y: np.sum(x * 2.0) + np.sum(y * 2.0),
    "linear": lambda x, y: np.sum(x @ y) + x[0, 0],
    "views": lambda x, y: np.sum(x.T * y) + np.sum(np.reshape(x, (9,))),
    "product": lambda x, y: np.sum(x * y),
    "unused": lambda x, y: np.sum(x * x),
}


@pytest.mark.parametrize("name", SEVERAL)
@both_modes
def test_gradients_share_memory_with_nothing(name, jit):
    g = rg.grad(SEVERAL[name], (0, 1), jit=jit)
    x = np.arange(9.0).reshape(3, 3)
    for y in (np.ones((3, 3)), x):
        fresh(*g(x, y), *g(x, y), x)


@both_modes
def test_values_share_memory_with_nothing(jit):
    def f(x):
        return x, x.T, x[0], np.ravel(x), x

    x = np.arange(9.0).reshape(3, 3)
    value, pullback = rg.vjp(f, x, jit=jit)
    again = rg.vjp(f, x, jit=jit)[0]
    fresh(*value, *again, x)
    seeds = [np.ones_like(v) for v in value]
    fresh(*pullback(seeds), *pullback(seeds), *value, *seeds, x)


@both_modes
def test_captured_arrays_are_not_given_away(jit):
    A = np.ones((2, 2))

    def f(x):
        return np.sum(x * A)

    g = rg.grad(f, jit=jit)(np.ones((2, 2)))
    fresh(g, A)
    value, pullback = rg.vjp(lambda x: (A * x, A), 2.0, jit=jit)
    fresh(*value, A)
    A[:] = 7.0
    same(pullback((np.ones((2, 2)), A))[0], 4.0)


@both_modes
def test_aux_is_fresh_too(jit):
    def f(x):
        return np.sum(x), (x, x[1:], 2)

    x = np.arange(3.0)
    g, (whole, part, two) = rg.grad(f, has_aux=True, jit=jit)(x)
    fresh(g, whole, part, x)
    assert two == 2
    same(part, np.array([1.0, 2.0]))


@both_modes
def test_a_pullback_owns_what_it_needs(jit):
    def f(x, W, k):
        return np.tanh(W @ x) * k + x[:2] * W[0, 1:]

    def arguments():
        return np.arange(3.0), np.arange(6.0).reshape(2, 3) / 10, np.array(2.0)

    args, seed = arguments(), np.array([1.0, 2.0])
    value, pullback = rg.vjp(f, *args, jit=jit)
    expected = rg.vjp(f, *arguments(), jit=jit)[1](seed.copy())
    for a in args:
        a[...] = 99.0
    value[:] = -1.0
    first = pullback(seed)
    for a in first:
        a[...] = 0.0
    for got in (pullback(seed), pullback(seed)):
        for a, b in zip(got, expected):
            same(a, b)
    same(seed, np.array([1.0, 2.0]))
    fresh(*pullback(seed), *pullback(seed), *args, value, seed)


@both_modes
def test_the_identity_gives_away_nothing(jit):
    x, seed = np.arange(3.0), np.ones(3)
    value, pullback = rg.vjp(lambda x: x, x, jit=jit)
    fresh(value, x, seed, *pullback(seed), *pullback(seed))


def in_place_on_own_memory(x, n):
    s = np.zeros(3)
    for _ in range(n):
        s += x
        s *= 2.0
    return np.sum(s)


@both_modes
def test_arguments_are_never_changed(jit):
    g = rg.grad(in_place_on_own_memory, jit=jit)
    x = np.arange(3.0)
    x.flags.writeable = False
    same(g(x, 2), np.full(3, 6.0))
    same(x, np.arange(3.0))


@both_modes
def test_differentiable_behaves_as_the_function(jit, capsys):
    def f(x):
        if x < 0:
            raise ValueError("negative")
        print("x is", x)
        return x * 2.0

    d = rg.differentiable(f, jit=jit)
    assert d.primal is f and rg.grad(f).primal is f and rg.value_and_grad(f).primal is f
    same(d(2.0), 4.0)
    with pytest.raises(ValueError, match=r"^negative$"):
        d(-1.0)
    same(d.grad(2.0), 2.0)


def test_differentiable_prints(capfd):
    def f(x):
        print("here", 3)
        return x * 2.0

    for jit in (True, False):
        rg.differentiable(f, jit=jit)(2.0)
        assert capfd.readouterr().out == "here 3\n"


@both_modes
def test_the_same_array_for_two_parameters_gives_partial_derivatives(jit):
    def f(x, y):
        return np.sum(x * x * y)

    x = np.arange(1.0, 4.0)
    same(rg.grad(f, (0, 1), jit=jit)(x, x), (2 * x * x, x * x))
    same(rg.grad(f, 0, jit=jit)(x[1:], x[:-1]), 2 * x[1:] * x[:-1])


@both_modes
def test_out_is_written_and_nothing_else(jit):
    def f(x, y):
        return np.sum(x * y)

    x, y, out = np.arange(3.0), np.ones(3), (np.empty(3), np.empty(3))
    g = rg.grad(f, (0, 1), jit=jit)
    got = g(x, y, out=out)
    assert got[0] is out[0] and got[1] is out[1]
    same(got, (y, x))
    fresh(*got, x, y)
