"""A vjp is cut between the sweeps: the residuals are explicit, and only what backward reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import truth
from adjoint.adjoints import program
from frontend.tracing import float_positions, request_for
from retrograd.errors import Unsupported
from retrograd.pipeline import derive
from retrograd.program import VJP, Emitted
from retrograd.trees import Leaf, Node

A = np.array([[0.5, -1.0], [2.0, 0.25]])
V = np.array([0.3, -0.7])


def pair(body: str, arguments: str, *args: Any) -> tuple[Any, Any, list[str]]:
    """Forward, backward, and the names of the residuals."""
    f = program(body, arguments)
    found = derive(request_for(f, args, VJP, float_positions(args)))
    forward, backward = (u.readable for u in found.units)
    code = _function(backward).__code__
    names = [n for n in code.co_varnames[:code.co_argcount] if not n.startswith("out")]
    return _function(forward), _function(backward), names


def _function(emitted: Emitted) -> Any:
    space: dict[str, Any] = {}
    exec(emitted.source, space)
    return space[emitted.name]


def check(body: str, arguments: str, *args: Any, seeds: int = 2) -> list[str]:
    """Run the pair for several seeds; gives the names of the residuals."""
    f = program(body, arguments)
    forward, backward, names = pair(body, arguments, *args)
    value, residuals = forward(*map(truth.fresh, args))
    np.testing.assert_allclose(value, f(*args))
    for seed in range(seeds):
        bar = np.random.default_rng(seed).standard_normal(np.shape(value))
        bar = bar if np.shape(value) else float(bar)
        kept = [np.copy(r) for r in residuals]
        found = backward(*residuals, bar)
        for before, after in zip(kept, residuals, strict=True):
            np.testing.assert_array_equal(before, after)
        true = truth.gradients(f, args, float_positions(args), "auto", bar)
        found = found if isinstance(found, tuple) else (found,)
        for one, other in zip(found, true.gradients, strict=True):
            assert truth.close(np.asarray(one, float), other, max(true.rtol, 1e-9))
    return names


@pytest.mark.parametrize("body, residuals", [
    ("return X + W", set()),
    ("return X @ W", {"X", "W"}),
    ("return 2 * X - W.T", set()),
    ("Y = np.exp(X)\nreturn Y * W", {"Y", "W"}),
    ("return np.sum(np.tanh(X) @ W, axis=0)", None),
])
def test_only_what_backward_reads_is_kept(body: str, residuals: set[str] | None) -> None:
    names = set(check(body, "X, W", A, A.T + 1))
    if residuals is not None:
        assert names == residuals


@pytest.mark.parametrize("body", [
    "for i in range(n):\n    v = np.tanh(X @ v)\nreturn v",
    "k = 0\nwhile k < n:\n    v = np.sin(v * v)\n    k += 1\nreturn v * X[0]",
    "if v[0] > 0:\n    return X @ v\nreturn v * v",
    "for i in range(n):\n    if i == 1:\n        break\n    v = v * v\nreturn v + X[0]",
    "return np.sum(v * v)",
])
def test_control_flow_crosses_the_cut(body: str) -> None:
    for n in (0, 3):
        check(body, "X, v, n", A, V, n)


def test_the_values_come_first() -> None:
    request = request_for(program("return X @ W", "X, W"), (A, A), VJP, (0, 1))
    forward, backward = derive(request).units
    assert isinstance(forward.readable.structure, Node)
    value, residuals = forward.readable.structure.children
    assert value == Leaf(0) and isinstance(residuals, Node) and len(residuals.children) == 2
    assert len(backward.params) == 3 and len(backward.results) == 2


def test_several_results_have_several_seeds() -> None:
    _, backward, _ = pair("return X * 2, np.sum(X)", "X", A)
    found = backward(*([] if backward.__code__.co_argcount == 2 else [A]), np.ones((2, 2)), 3.0)
    np.testing.assert_array_equal(found, np.full((2, 2), 5.0))


def test_aux_is_refused() -> None:
    f = program("return X * 2, X", "X")
    with pytest.raises(Unsupported, match="has_aux"):
        derive(request_for(f, (A,), VJP, (0,), has_aux=True))
