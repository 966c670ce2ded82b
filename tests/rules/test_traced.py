"""The front end can trace every rule, and what it makes of it equals the plain call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from prelude.traced import run
from retrograd.frontend import calls
from retrograd.ir.operations import OPERATIONS
from retrograd.rules import RULES
from retrograd.rules.rule import Rule
from rules.calls import partials
from rules.test_elementwise import NAMES, sample
from rules.test_pullbacks import CASES, Case


def traced(rule: Rule, args: tuple[Any, ...], out_bar: Any, monkeypatch: pytest.MonkeyPatch,
           **static: Any) -> tuple[Any, ...]:
    monkeypatch.setitem(calls.FUNCTIONS, rule.body, rule.body)
    out = OPERATIONS[rule.op].evaluate(*args, **static)
    offered = {"out": out, "out_bar": out_bar, **static}
    result = run(rule.body, args, {name: offered[name] for name in rule.keywords})
    return result if isinstance(result, tuple) else (result,)


def same(found: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        if b is None:
            assert a is None
        else:
            assert np.shape(a) == np.shape(b)
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_elementwise(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    args = sample(name)
    for one in (args, tuple(x[0] for x in args)):
        expected = partials(RULES[name], one)
        if name == "power" and one is not args:
            continue                       # a number is known in a plain call and not here
        same(traced(RULES[name], one, None, monkeypatch), expected)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 0.5, -1])
def test_known_exponents(exponent: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(calls.FUNCTIONS, RULES["power"].body, RULES["power"].body)
    x = np.array([0.7, 1.3])
    found = run(RULES["power"].body, (x, exponent), {"out": x ** exponent}, literal=True)
    same(found, partials(RULES["power"], (x, exponent)))


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{[np.shape(x) for x in c[1]]}")
def test_pullbacks(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    op, args, static = case
    out = OPERATIONS[op].evaluate(*args, **static)
    out_bar = np.random.default_rng(5).normal(size=np.shape(out))
    out_bar = out_bar if np.ndim(out) else np.float64(out_bar)
    same(traced(RULES[op], args, out_bar, monkeypatch, **static),
         partials(RULES[op], args, out_bar, **static))
