"""What is kept for a function belongs to that function, not to one that is equal to it."""

from __future__ import annotations

import dataclasses
import weakref

import numpy as np
import pytest

import retrograd as rg
from retrograd.api.identity import Itself, function_of, key_of

both_modes = pytest.mark.parametrize("jit", [False, True], ids=["numpy", "numba"])


class Scaled:
    """All of them are equal, and no two compute the same."""

    def __init__(self, factor):
        self.factor = factor

    def __eq__(self, other):
        return isinstance(other, Scaled)

    def __hash__(self):
        return 1

    def __call__(self, x):
        return self.factor * x

    def method(self, x):
        return self.factor * x


@dataclasses.dataclass(frozen=True)
class Divided:
    by: object

    def __call__(self, n, x):
        return n // self.by * x


@dataclasses.dataclass
class Unhashable:
    factor: float

    def __call__(self, x):
        return self.factor * x


def derivatives(f, jit):
    return (rg.jvp(f, (3.0,), (1.0,), jit=jit)[1], rg.vjp(f, 3.0, jit=jit)[1](1.0)[0],
            rg.grad(f, jit=jit)(3.0))


@both_modes
def test_equal_callables_are_different_functions(jit):
    assert derivatives(Scaled(2.0), jit) == (2.0, 2.0, 2.0)
    assert derivatives(Scaled(5.0), jit) == (5.0, 5.0, 5.0)
    assert derivatives(Unhashable(7.0), jit) == (7.0, 7.0, 7.0)


@both_modes
def test_methods_of_equal_objects_are_different_functions(jit):
    for factor in (2.0, 5.0):
        assert derivatives(Scaled(factor).method, jit) == (factor,) * 3


@both_modes
def test_equal_numbers_of_different_types(jit):
    assert rg.jvp(Divided(2), (7, 3.0), (None, 1.0), jit=jit) == (9.0, 3.0)
    value, tangent = rg.jvp(Divided(2.0), (7, 3.0), (None, 1.0), jit=jit)
    assert (value, tangent) == (9.0, 3.0)
    first, second = (rg.vjp(Divided(by), np.float32(7), np.float32(3.0), argnums=1, jit=jit)[0]
                     for by in (np.float32(2.0), np.float64(2.0)))
    assert (first.dtype, second.dtype) == (np.float32, np.float64)


def test_gradients_are_checked_for_the_function_itself():
    for factor in (2.0, 5.0):
        rg.check_grads(Scaled(factor), (3.0,), order=2, jit=False)
        rg.check_grads(Unhashable(factor), (3.0,), jit=False)


def test_keys():
    def plain(x):
        return x

    one, other = Scaled(1.0), Scaled(1.0)
    assert key_of(plain) is plain and isinstance(key_of(one), Itself)
    assert key_of(one) == key_of(one) != key_of(other) and one == other
    assert key_of(one.method) == key_of(one.method) != key_of(other.method)
    assert hash(key_of(one.method)) == hash(key_of(one.method))
    assert key_of(one) != key_of(one.method) and key_of(one) != one
    for function in (plain, one, one.method):
        assert function_of(key_of(function)) == function


def test_a_key_keeps_its_function():
    """Otherwise another function could get its place in memory, and be taken for it."""
    one = Scaled(1.0)
    key, seen = key_of(one.method), weakref.ref(one)
    del one
    assert seen() is not None
    del key
    assert seen() is None
