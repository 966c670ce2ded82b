"""Programs whose derivatives of derivatives need care: draws, prints, snapshots, growing tapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
import truth

MODES = pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])
X, V = np.array([0.3, 0.5, 0.7]), np.array([1.0, -2.0, 0.5])


def drawn(x: Any, rng: np.random.Generator) -> Any:
    return np.sum((x + rng.standard_normal(3)) ** 3)


@MODES
def test_what_is_drawn_is_drawn_once(jit: bool) -> None:
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    found = rg.hvp(drawn, jit=jit)(X, V, rng)
    np.testing.assert_allclose(found, 6 * (X + other.standard_normal(3)) * V, rtol=1e-13)
    assert rng.random() == other.random()


def printed(x: float) -> float:
    print("once")
    return x ** 3


@MODES
def test_what_is_printed_is_printed_once(jit: bool, capfd: pytest.CaptureFixture[str]) -> None:
    assert rg.grad(rg.grad(printed), jit=jit)(2.0) == 12.0
    assert capfd.readouterr().out == "once\n"


def checked(x: Any, i: int) -> Any:
    if i > 2:
        raise ValueError("too far")
    assert x[0] > 0, "not positive"
    return np.sum(x ** 3) * x[i]


@MODES
def test_exceptions_are_those_of_the_function(jit: bool) -> None:
    found = rg.hvp(checked, jit=jit)
    with pytest.raises(ValueError, match=r"^too far$"):
        found(X, V, 3)
    with pytest.raises(AssertionError, match=r"^not positive$"):
        found(-X, V, 1)
    with pytest.raises(IndexError):
        found(X, V, -4)


def snapshots(x: float) -> float:
    for t in rg.checkpointed(range(5), snapshots=2):
        x = np.sin(x) * x + 0.1 * t
    return x


def growing(x: float) -> float:
    y = x
    while y < 10:
        y = y * y * x + 1.0
    return y


def left_early(x: float) -> float:
    total = 0.0
    for k in range(100):
        total += np.sin(total + x) * x ** k
        if total > 2.0:
            break
    return total


def listed(x: float) -> float:
    found = [x]
    for k in range(4):
        found.append(np.cos(found[-1]) * x + found[k // 2])
    return np.sum(np.array(found) ** 2)


def masked(x: float) -> float:
    y = np.array([x, 2.0 - x, x * x])
    y[y > 1.0] *= 0.5
    y[0] = y[1] * y[2]
    return np.sum(np.where(y > 0.3, np.sqrt(y), y ** 2))


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("f", [snapshots, growing, left_early, listed, masked])
def test_third_derivatives(f: Any, jit: bool) -> None:
    second = rg.grad(rg.grad(f), jit=False)
    for x in (0.7, 1.1):
        expected = truth.ridders(lambda h: second(x + h), 1e-3)      # noqa: B023
        found = rg.grad(rg.grad(rg.grad(f)), jit=jit)(x)
        assert found == pytest.approx(expected, rel=1e-6)
