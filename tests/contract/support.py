"""What the tests of the contract share: both modes, and comparisons of exact types."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg

both_modes = pytest.mark.parametrize("jit", [True, False], ids=["compiled", "numpy"])
INF, NAN = np.inf, np.nan


def same(got, expected, rtol=1e-12):
    """Equal types, dtypes, shapes and numbers (nan equals nan)."""
    assert type(got) is type(expected), (type(got), type(expected))
    if isinstance(expected, tuple):
        assert len(got) == len(expected)
        for g, e in zip(got, expected):
            same(g, e, rtol)
        return
    assert np.asarray(got).dtype == np.asarray(expected).dtype
    assert np.shape(got) == np.shape(expected)
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=0)


def raised(call, *args):
    """The type and the message of what a call raises."""
    with pytest.raises(Exception) as caught:
        call(*args)
    return type(caught.value), str(caught.value)


def alike(f, *args, argnums=0):
    """`f`, its value and its gradient in both modes raise the same."""
    expected = raised(f, *args)
    for jit in (False, True):
        for product in (rg.grad, rg.value_and_grad):
            got = raised(product(f, argnums, jit=jit), *args)
            assert got == expected, f"{product.__name__}, jit={jit}: {got}, not {expected}"
    return expected
