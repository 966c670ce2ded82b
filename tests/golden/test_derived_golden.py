"""Generated source of `jvp`, `hvp`, `jacobian` and `vmap` as files, like that of gradients."""

from __future__ import annotations

import numpy as np
import pytest

from golden.derived_programs import CASES
from golden.test_golden import FOLDER, module


@pytest.mark.parametrize("name", CASES)
def test_the_same_bytes(name: str, request: pytest.FixtureRequest) -> None:
    case, path = CASES[name], FOLDER / "derived" / f"{name}.py"
    source = case.made.source(*case.args)
    if request.config.getoption("--rewrite-goldens"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    assert path.exists(), f"no golden file {path}: write it with --rewrite-goldens"
    assert source == path.read_text()


@pytest.mark.parametrize("name", CASES)
def test_right(name: str) -> None:
    case = CASES[name]
    found = module(FOLDER / "derived" / f"{name}.py")
    function = next(v for k, v in vars(found).items() if callable(v) and k.startswith(
        name.rpartition("_")[0]))
    for one, other in zip(np.atleast_1d(np.asarray(function(*case.args))),
                          np.atleast_1d(np.asarray(case.expected)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(np.asarray(function(*case.args)),
                                  np.asarray(case.made(*case.args)))
