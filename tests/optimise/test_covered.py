"""A check that NumPy makes itself is left out only while NumPy makes it."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from frontend.tracing import load

DEAD_BUT_CHECKED = """
def f(a, x, A):
    for e in x:
        if e > 1.118:
            continue
        x = np.tanh(np.tanh(A @ x))
    return a * a
"""
A = np.arange(9.0).reshape(3, 3) / 9


def test_an_operation_that_only_a_covered_check_reads() -> None:
    """Nobody needs `A @ x`, so it cannot make its own check: that one is computed."""
    f = load(DEAD_BUT_CHECKED, file="<dead but checked>")
    gradient = rg.grad(f, jit=False)
    assert gradient(3.0, np.ones(3), A) == 6.0
    with pytest.raises(ValueError, match="mismatch in its core dimension"):
        gradient(3.0, np.ones(4), A)


def test_an_operation_that_is_needed_makes_its_own_check() -> None:
    f = load("def f(x, y):\n    return np.sum(x * y)\n", file="<needed>")
    gradient = rg.value_and_grad(f, jit=False)
    assert "raise" not in gradient.source(np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="could not be broadcast together"):
        gradient(np.ones(3), np.ones(4))
