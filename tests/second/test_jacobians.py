"""Jacobians and batches of the program corpus against its pullbacks and its single calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
import truth
from corpus.entry import Entry
from corpus.test_corpus import ENTRIES
from oracle import float_arguments, is_number, leaves, precision
from second.products import Case, case_of
from second.test_corpus import NAMES, chosen


def real_case(entry: Entry) -> tuple[Case, Any, float]:
    """The program at its first arguments, its value, and how exactly numbers agree."""
    args = entry.arguments[0]
    argnums = entry.argnums or float_arguments(args)
    case = case_of(entry.function, args, tuple(argnums))
    with np.errstate(all="ignore"):
        value = entry.function(*case.fresh())
    if not argnums or any(truth.is_complex(v) for v in (*leaves(value), *args)):
        pytest.skip("nothing real to differentiate")
    return case, value, 1e-4 if precision([*args, value]) == "float32" else 1e-9


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("name", chosen(NAMES, 16))
def test_rows_add_up_to_the_pullback(name: str, mode: str) -> None:
    case, value, rtol = real_case(ENTRIES[name])
    seeds = 1.0 if case.seeds is None else case.seeds
    with np.errstate(all="ignore"):
        dense = rg.jacobian(case.function, argnums=case.argnums, mode=mode, jit=False)(
            *case.fresh())
        _, pullback = rg.vjp(case.function, *case.fresh(), argnums=case.argnums, jit=False)
        expected = pullback(np.asarray(seeds)[()] if case.seeds is None else seeds)
        single = not isinstance(value, (tuple, list))
        parts = zip(*(([p] if single else p) for p in (value, seeds, dense)), strict=True)
        rows = [(np.asarray(s), r) for v, s, r in parts
                if r is not None and np.asarray(v).dtype.kind == "f"]
        for k, adjoint in enumerate(expected):
            found = sum(np.tensordot(s, np.asarray(r[k]), s.ndim) for s, r in rows)
            assert truth.close(np.asarray(found), np.asarray(adjoint), rtol), f"{found}\n{adjoint}"


@pytest.mark.parametrize("name", chosen(NAMES, 16))
def test_batches_are_single_calls(name: str) -> None:
    case, value, rtol = real_case(ENTRIES[name])
    axes = tuple(0 if n in case.argnums and isinstance(a, np.ndarray) and a.ndim else None
                 for n, a in enumerate(case.args))
    if 0 not in axes or not is_number(value):
        pytest.skip("no batches of this")
    gradient = rg.grad(case.function, argnums=case.argnums, jit=False)
    batches = [a if x is None else np.stack([a, 1.01 * a]).astype(a.dtype)
               for a, x in zip(case.fresh(), axes, strict=True)]
    with np.errstate(all="ignore"):
        found = rg.vmap(gradient, in_axes=axes)(*batches)
        for k in range(2):
            one = gradient(*[truth.fresh(a) if x is None else a[k].copy()
                             for a, x in zip(batches, axes, strict=True)])
            for a, b in zip(found, one, strict=True):
                assert truth.close(np.asarray(a[k]), np.asarray(b), rtol), f"{a[k]}\n{b}"
