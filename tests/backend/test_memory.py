"""Large arrays of compiled code: on large pages, with the contents that NumPy's have."""

from __future__ import annotations

import sys

import numba
import numpy as np
import pytest

import retrograd as rg
from retrograd.backend import memory
from retrograd.backend.substitutes import substituted

ROWS = memory.LARGE // 8 + 7


def scaled(x: np.ndarray) -> float:
    y = np.zeros(len(x))
    for i in range(1, len(x)):
        y[i] = x[i] * x[i - 1]
    return np.sum(y[:10])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's pages")
def test_the_calls_are_replaced_and_every_line_stays_where_it_is() -> None:
    source = ("import numpy as np\n\n\ndef f(n, é):\n    a, b = é * np.empty(n), np.zeros((n,\n"
              "        2), np.float32)  # np.zeros(\n    return a, b\n")
    found, names = substituted(source, vector_math=True)
    assert found == source.replace(
        "np.empty(n)", "_large_empty(n)").replace("np.zeros((", "_large_zeros((")
    assert {"_large_empty", "_large_zeros"} <= set(names)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.bool_, np.complex128])
@pytest.mark.parametrize("rows", [0, 3, ROWS])
def test_zeros_are_zeros(dtype: type, rows: int) -> None:
    zeros = memory.large_zeros

    @numba.njit
    def made(n: int) -> np.ndarray:
        return zeros((n, 2), dtype)

    made(rows)[:] = 1                       # memory that is used again is not zero by itself
    found = made(rows)
    assert found.dtype == dtype and found.shape == (rows, 2) and not found.any()
    assert found.flags.c_contiguous and found.flags.writeable


def test_a_gradient_of_large_arrays() -> None:
    x = np.linspace(0.5, 1.5, ROWS)
    expected = np.zeros(ROWS)
    expected[:9] += x[1:10]
    expected[1:10] += x[:9]
    assert np.array_equal(rg.grad(scaled)(x), expected)
