"""The front end can trace every prelude function, and what it makes of it equals NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from prelude.cases import CASES, Call
from prelude.traced import run


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            same(a, b)
        return
    assert np.shape(found) == np.shape(expected)
    assert np.result_type(found) == np.result_type(expected)
    single = np.result_type(expected) in (np.float32, np.complex64)
    np.testing.assert_allclose(found, expected, rtol=2e-5 if single else 1e-12,
                               atol=1e-6 if single else 1e-13)


# what depends on shapes that only plain calls know, and what has one type where Python has two
EXCEPT = [(np.squeeze, 0), (max, 2)]


def calls() -> list[Call]:
    seen: dict[Any, int] = {}
    kept = []
    for call in CASES:
        seen[call[0]] = seen.get(call[0], -1) + 1
        if (call[0], seen[call[0]]) not in EXCEPT:
            kept.append(call)
    return kept


@pytest.mark.parametrize("call", calls(), ids=lambda c: f"{c[0].__module__}.{c[0].__name__}")
def test_the_traced_call_equals_numpy(call: Call) -> None:
    function, args, kwargs = call
    same(run(function, args, kwargs, literal=function is np.linalg.norm),
         function(*args, **kwargs))
