"""Compiled source says of an index that is certainly not negative that it is unsigned, where LLVM
could not see it and a loop would not be vectorised."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg


def reversed_product(x):
    total = 0.0
    for k in range(1, len(x)):
        for i in range(k):
            total += x[k - i - 1] * x[i]
    return total


def upper_rows(x):
    total = 0.0
    for k in range(len(x)):
        for i in range(k, len(x)):
            total += x[k] * x[i] ** 2
    return total


def from_the_end(x):
    total = 0.0
    for k in range(len(x)):
        for i in range(2):
            total += x[k] * x[i - k]
    return total


def beyond(x):
    total = 0.0
    for k in range(3):
        for i in range(k, 5):
            if x[0] < i:
                total += x[i] ** 2
    return total


X = np.array([0.5, -1.0, 2.0, 3.0])


@pytest.mark.parametrize("f, unsigned", [
    (reversed_product, "x[np.uint64(t)]"),
    (upper_rows, "x[np.uint64(i)]"),
    (from_the_end, None),
])
def test_unsigned_where_proved(f, unsigned: str | None) -> None:
    gradient = rg.grad(f)
    compiled = gradient.source("compiled", X)
    assert "uint64" not in gradient.source(X)
    assert unsigned in compiled if unsigned else "uint64" not in compiled
    assert np.allclose(gradient(X), rg.grad(f, jit=False)(X), rtol=1e-13)


def test_checked_against_zero_where_proved() -> None:
    """What is taken as unsigned must not be allowed to be less."""
    checked = rg.grad(beyond).source("compiled", X)
    assert "0 <= i < n" in checked and "-n <= i" not in checked
    for jit in (True, False):
        with pytest.raises(IndexError, match="index 4 is out of bounds for axis 0 with size 4"):
            rg.grad(beyond, jit=jit)(X)
