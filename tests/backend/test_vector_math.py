"""Elementary functions in vectorised loops: the values of the scalar functions, to 4 ulp."""

from __future__ import annotations

import math
import subprocess
import sys

import numba
import numpy as np
import pytest

import retrograd as rg
from retrograd.backend import vector_math
from retrograd.backend.substitutes import ELEMENTARY, substituted

NAMES = {name: vector_math.made(module, name) for module, name in ELEMENTARY
         if vector_math.has_variants(module, name)}
DOMAINS = {"arcsin": (-1, 1), "arccos": (-1, 1), "arctanh": (-1, 1), "arccosh": (1, 30),
           "log": (1e-300, 1e3), "log2": (1e-3, 1e3), "log10": (1e-3, 1e3), "log1p": (-0.99, 1e3)}
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-310, 700.0, -800.0] * 4)
OFTEN = ("exp", "log", "tanh", "erf", "hypot")
needed = pytest.mark.skipif(not NAMES, reason="no libmvec here")


def exact(name: str, *args: np.ndarray) -> np.ndarray:
    function = np.vectorize(getattr(math, name)) if name in ("erf", "erfc") else getattr(np, name)
    with np.errstate(all="ignore"):
        return function(*args)


def looped(name: str, count: int):
    function = NAMES[name]

    @numba.njit(error_model="numpy", fastmath={"contract"})
    def one(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    @numba.njit(error_model="numpy", fastmath={"contract"})
    def two(x, y, out):
        for i in range(x.size):
            out[i] = function(x[i], y[i])

    return one if count == 1 else two


@needed
@pytest.mark.parametrize("name", [
    n if n in OFTEN else pytest.param(n, marks=pytest.mark.slow)
    for n in sorted(NAMES)])
@pytest.mark.parametrize("dtype", [np.float64, pytest.param(np.float32, marks=pytest.mark.slow)])
def test_values(name: str, dtype: type) -> None:
    count = 2 if name in ("arctan2", "hypot") else 1
    low, high = DOMAINS.get(name, (-20, 20))
    rng = np.random.default_rng(0)
    args = [np.concatenate([rng.uniform(low, high, 1003), SPECIAL[::k + 1].repeat(k + 1)])
            .astype(dtype) for k in range(count)]
    out = np.empty_like(args[0])
    run = looped(name, count)
    run(*args, out)
    expected = exact(name, *(a.astype(np.float64) for a in args)).astype(dtype)
    finite = np.isfinite(expected) & (np.abs(expected) > np.finfo(dtype).tiny)
    assert np.array_equal(np.isnan(out), np.isnan(expected))
    assert np.array_equal(out[np.isinf(expected)], expected[np.isinf(expected)])
    error = np.abs(out[finite] - expected[finite]) / np.spacing(np.abs(expected[finite]))
    assert error.max() <= 4.5, (name, error.max())
    assembly = "".join(run.inspect_asm().values())
    assert "_ZGV" in assembly, "the loop is not vectorised"


def gaussian(x):
    s = 0.0
    for i in range(len(x)):
        s += math.exp(-x[i] * x[i]) * np.tanh(x[i])
    return s


@needed
def test_a_gradient_in_both_ways() -> None:
    x = np.linspace(-2.0, 2.0, 1001)
    expected = np.exp(-x * x) * (1 - np.tanh(x) ** 2 - 2 * x * np.tanh(x))
    for chosen in (True, False):
        np.testing.assert_allclose(rg.grad(gaussian, vector_math=chosen)(x), expected,
                                   rtol=1e-12, atol=1e-14)


@needed
def test_source_stands_alone_and_substitutes_are_asked_for() -> None:
    assert "_vector" not in rg.grad(gaussian).source("compiled", np.ones(3))
    source = "import numpy as np\ndef f(x):\n    for i in range(3):\n        x += np.exp(x)\n"
    assert "_vector_exp(x)" in substituted(source, vector_math=True)[0]
    assert substituted(source, vector_math=False) == (source, {})


PROCESS = """
import sys
sys.path.insert(0, {tests!r})
import numpy as np, retrograd as rg
from backend.test_vector_math import gaussian
g = rg.grad(gaussian)
print(repr(float(g(np.linspace(-1.0, 1.0, 64)).sum())), g.signatures[0].seconds < 100)
"""


@needed
def test_cached_code_runs_in_another_process(tmp_path) -> None:
    import os
    from pathlib import Path

    tests = str(Path(__file__).parent.parent)
    found = {subprocess.run(
        [sys.executable, "-c", PROCESS.format(tests=tests)], capture_output=True, text=True,
        check=True, env={**os.environ, "RETROGRAD_CACHE_DIR": str(tmp_path)}).stdout
        for _ in range(2)}
    assert len(found) == 1
