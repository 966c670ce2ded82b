"""SciPy's special functions in the prelude, at ordinary and at extreme points."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from retrograd.errors import Unsupported
from retrograd.ir.operations import OPERATIONS
from retrograd.prelude import SCIPY

X = np.array([-700.0, -40, -3, -0.5, 0, 0.3, 1, 2.5, 40, 700])
UNIT = np.array([1e-300, 1e-10, 0.2, 0.5, 0.9, 1 - 1e-10])
POSITIVE = np.array([1e-3, 0.5, 1, 1.4616, 2, 10, 1e5])
M = np.random.default_rng(2).normal(size=(3, 4))

CASES: dict[str, list[tuple[Any, ...]]] = {
    "erf": [(X,)], "erfc": [(X,)], "gammaln": [(POSITIVE,)], "exp2": [(X,)], "expm1": [(X,)],
    "log1p": [(UNIT,)], "cbrt": [(X,)], "expit": [(X,), (X.astype("float32"),)],
    "log_expit": [(X,)], "logit": [(UNIT,)],
    "xlogy": [(np.array([0.0, 0, 0, 0, 2]), np.array([0.0, 2, np.inf, -1, 3]))],
    "xlog1py": [(np.array([0.0, 0, 0, 2]), np.array([-1.0, 2, np.inf, 3]))],
    "logsumexp": [(M,), (M, 0), (M, -1), (M * 1000,), (M, (0, 1)), (np.full(3, -np.inf),),
                  (np.array([1.0, np.inf]),), (M.astype("float32"), 1), (np.array([1, 2]),)],
    "softmax": [(M,), (M, 0), (M * 1000, 1), (M.astype("float32"), 1)],
    "log_softmax": [(M,), (M, 0), (M * 1000, 1)],
    "digamma": [(POSITIVE,), (np.array([-0.5, -3.3]),)], "psi": [(POSITIVE,)],
    "betaln": [(POSITIVE, POSITIVE[::-1])],
}


def ours(name: str) -> Any:
    entry = SCIPY["scipy.special." + name]
    return OPERATIONS[entry].evaluate if isinstance(entry, str) else entry


def test_every_function_has_a_case() -> None:
    assert {"scipy.special." + name for name in CASES} == set(SCIPY)


@pytest.mark.parametrize("name", CASES)
def test_equals_scipy(name: str) -> None:
    theirs = getattr(importlib.import_module("scipy.special"), name)
    for args in CASES[name]:
        with np.errstate(all="ignore"):
            found, expected = ours(name)(*args), theirs(*args)
        assert np.result_type(found) == np.result_type(expected)
        single = np.result_type(expected) == np.float32
        np.testing.assert_allclose(found, expected, rtol=2e-5 if single else 2e-12, atol=1e-15)
        assert np.shape(found) == np.shape(expected)


def test_keepdims_of_logsumexp() -> None:
    from scipy.special import logsumexp

    np.testing.assert_allclose(ours("logsumexp")(M, 0, keepdims=True),
                               logsumexp(M, 0, keepdims=True))


def test_weights_of_logsumexp_are_refused() -> None:
    with pytest.raises(Unsupported, match="b= of"):
        ours("logsumexp")(M, b=M)


def test_importing_the_prelude_and_the_rules_imports_neither_scipy_nor_numba() -> None:
    code = ("import sys, retrograd.prelude, retrograd.rules; "
            "print([m for m in ('scipy', 'numba') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": ":".join(p for p in sys.path if p)})
    assert done.stdout.strip() == "[]"
