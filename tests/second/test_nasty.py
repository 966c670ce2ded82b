"""Nasty programs over batches, Jacobians, second derivatives and derivatives inside programs: loops
that stop, stores, lists, masks, what is read from outside. The truth is `jax`'s where one can be
written there, else the same thing done one sample at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg

ROWS = np.random.default_rng(0).uniform(0.5, 2.0, (5, 3))
SOME, OTHER = ROWS[0], ROWS[1]


def close(found: Any, expected: Any) -> None:
    """The same structure, shapes and numbers."""
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            close(f, e)
        return
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def stacked(f: Callable[..., Any], *batches: Any) -> Any:
    """What `f` gives for one sample after the other."""
    return np.stack([f(*sample) for sample in zip(*batches, strict=True)])


# --- what samples read from outside ---------------------------------------------------------------

factor = 2.0
weights = np.array([1.0, 2.0, 3.0])


def weighted(x: Any) -> Any:
    return np.sum(factor * weights * x * x)


def helper(x: Any) -> Any:
    return np.sum(x * x)


def helped(x: Any) -> Any:
    return helper(x)


def cubes(x: Any) -> Any:
    return np.sum(x ** 3)


BATCHES: dict[str, Callable[..., Any]] = {
    "rows": lambda f, jit: rg.vmap(f, jit=jit),
    "gradients": lambda f, jit: rg.vmap(rg.grad(f), jit=jit),
    "sum": lambda f, jit: rg.vmap(rg.grad(f), reduce="sum", jit=jit),
}
EXPECTED: dict[str, Callable[..., Any]] = {
    "rows": lambda f: stacked(f, ROWS),
    "gradients": lambda f: stacked(rg.grad(f, jit=False), ROWS),
    "sum": lambda f: np.sum(stacked(rg.grad(f, jit=False), ROWS), axis=0),
}


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])
@pytest.mark.parametrize("name", BATCHES)
def test_samples_read_from_outside_what_is_there_now(name: str, jit: bool,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    batch = BATCHES[name](weighted, jit)
    close(batch(ROWS), EXPECTED[name](weighted))
    monkeypatch.setitem(globals(), "factor", 3.0)
    monkeypatch.setitem(globals(), "weights", np.array([-1.0, 0.0, 2.0]))
    close(batch(ROWS), EXPECTED[name](weighted))


@pytest.mark.parametrize("name", BATCHES)
def test_a_helper_that_is_another_one_is_another_program(
        name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = BATCHES[name](helped, False)
    close(batch(ROWS), EXPECTED[name](helped))
    monkeypatch.setitem(globals(), "helper", cubes)
    close(batch(ROWS), EXPECTED[name](helped))


def test_code_that_is_replaced_is_another_program() -> None:
    def first(x: Any) -> Any:
        return np.sum(x)

    def second(x: Any) -> Any:
        return np.sum(x * x * x)

    batch = rg.vmap(rg.grad(first), jit=False)
    close(batch(ROWS), np.ones((5, 3)))
    first.__code__ = second.__code__
    close(batch(ROWS), 3 * ROWS * ROWS)


# --- lists in samples -----------------------------------------------------------------------------


def chosen(x: Any) -> Any:
    ys = []
    for i in range(len(x)):
        if x[i] > 0.9:
            ys.append(x[i] ** 2)
    ys.append(1.0)
    return sum(ys)


def parts(x: Any) -> Any:
    found = {"a": [x, 2 * x]}
    found["a"].append(x[0])
    found["b"] = np.sum(x)
    return found


@pytest.mark.parametrize("name", BATCHES)
def test_samples_make_lists(name: str) -> None:
    close(BATCHES[name](chosen, False)(ROWS), EXPECTED[name](chosen))


def test_samples_give_lists_and_dicts_that_they_changed() -> None:
    found = rg.vmap(parts, jit=False)(ROWS)
    close(found, {"a": [ROWS, 2 * ROWS, ROWS[:, 0]], "b": np.sum(ROWS, axis=1)})
