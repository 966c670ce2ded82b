"""What a loop carries and need not be stored twice, or at all: before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from adjoint.adjoints import adjoint, program, right, tapes
from retrograd.optimise.storage import plan_storage

A = np.array([0.3, -0.7, 1.1])
W = np.array([[0.4, -0.3, 0.2], [0.1, 0.5, -0.6], [0.7, 0.2, 0.3]])
ROUNDS = (0, 1, 4)


def kept(body: str, arguments: str, *args: Any) -> dict[str, int]:
    """The tapes of a gradient that is right for several trip counts (the last argument)."""
    f = program(body, arguments)
    for n in ROUNDS:
        right(f, *args, n)
    gradient = adjoint(f, *args, 4)
    assert plan_storage(gradient).hidden == ()
    return tapes(gradient)


# --- counters ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [
    "k = 0\nwhile k < n:\n    s = s * s + k * x\n    k += 1\nreturn s",
    "k = 7\nwhile k > 7 - n:\n    s = s * s + k * x\n    k -= 1\nreturn s",
    "k = 2 * n\nfor i in range(n):\n    s = s * s + k * x\n    k = 3 + k\nreturn s",
    "k = 0\nfor i in range(n, 0, -1):\n    k += 2\n    s = s * s + k * i * x\nreturn s",
    "k = 5\nwhile True:\n    s = s * s + k * x\n    k += 1\n    if k > 4 + n:\n        break\n"
    "return s",
    "k = 0\nfor i in range(n):\n    j = k\n    while j < i:\n        s = s + s * s * j * 0.1\n"
    "        j += 1\n    k += 1\nreturn s",
    "k = 0\nfor i in range(n):\n    if i % 2:\n        for j in range(2):\n"
    "            s = s * s + k * x\n            k += 1\nreturn s * k",
])
def test_counters_are_not_stored(body: str) -> None:
    f = program(body, "s, x, n")
    for n in ROUNDS:
        right(f, 0.4, 0.3, n)
    gradient = adjoint(f, 0.4, 0.3, 4)
    names = {name for name in tapes(gradient) if name[0] in "kj"}
    assert names == ({"k_saved"} if "if i % 2" in body else set())


@pytest.mark.parametrize("body", [
    "k = 0\nfor i in range(n):\n    s = s * s + k * x\n    if i % 2:\n        k += 1\nreturn s",
    "k = 1\nfor i in range(n):\n    s = s * s + k * x\n    k *= 2\nreturn s",
    "k, m = 0, 1\nfor i in range(n):\n    s = s * s + k * x\n    k += m\n    m += 1\nreturn s",
    "k, m = 0, 1\nfor i in range(n):\n    s = s * s + k * x\n    k, m = m, k\nreturn s",
    "d = 0.0\nfor i in range(n):\n    s = s * s + d * x\n    d += 1\nreturn s",
])
def test_what_only_looks_like_a_counter(body: str) -> None:
    f = program(body, "s, x, n")
    for n in ROUNDS:
        right(f, 0.4, 0.3, n)
    assert "s_saved" in tapes(adjoint(f, 0.4, 0.3, 4))


# --- states --------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [
    "for t in range(n):\n    h = np.tanh(w * h + x)\nreturn h",
    "for t in range(n, 0, -2):\n    h = np.tanh(w * h + x)\nreturn h * h",
    "for t in range(n):\n    h = np.tanh(w * h + x)\n    if h > 0.9:\n        break\nreturn h",
    "for t in range(n):\n    for k in range(3):\n        h = np.exp(-w * h * h)\nreturn h",
    "for t in range(n):\n    for k in range(t):\n        h = np.exp(-w * h * h)\n    w = w + x\n"
    "return h",
    "k = 0\nwhile k < n:\n    h = np.tanh(w * h + x)\n    k += 1\nreturn h",
    "for t in range(n):\n    h = np.tanh(w * h) if h > 0.1 else np.exp(h * x)\n    w = w * h\n"
    "return h + w",
])
def test_a_state_is_stored_once(body: str) -> None:
    """The tanh that ends an iteration is what the next one starts with."""
    found = kept(body, "h, w, x, n", 0.4, 0.8, 0.3)
    assert [name for name in found if name.startswith("h_saved")] == ["h_saved"]


def test_a_state_of_arrays_is_stored_once() -> None:
    for loop in ("for t in range(n):", "while len(a) * n > k:"):
        body = f"k = 0\n{loop}\n    a = np.tanh(W @ a + x)\n    k += 3\nreturn np.sum(a * a)"
        assert kept(body, "a, W, x, n", A, W, 0.3) == {"a_saved": 2}


def test_histories_are_stored_once() -> None:
    """Of what earlier iterations left, only the oldest is stored."""
    assert kept("for t in range(n):\n    y, before = y + x * y * before, y\nreturn y",
                "y, before, x, n", 0.4, 0.5, 0.3) == {"before_saved": 1}
    assert kept("for t in range(n):\n    a, b, c = a * b * c + x, a, b\nreturn a",
                "a, b, c, x, n", 0.4, 0.5, 0.7, 0.3) == {"c_saved": 1}
    assert kept("for t in range(n):\n    s = s + a * a * b\n    a, b = b, a\nreturn s",
                "s, a, b, n", 0.4, 0.5, 0.7) == {}


@pytest.mark.parametrize("body, arguments, args", [
    ("for t in range(n):\n    a = np.tanh(W @ a + x)\nreturn np.sum(a * a)", "a, W, x, n",
     (A, W, 0.3, 4)),
    ("k = 0\nwhile k < n:\n    a = np.tanh(W @ a + k * x)\n    k += 1\nreturn np.sum(a * a)",
     "a, W, x, n", (A, W, 0.3, 4)),
    ("for t in range(n):\n    for i in range(2):\n        W = np.exp(-W * W + a)\n"
     "return np.sum(W)", "a, W, n", (A, W, 3)),
    ("for t in range(n):\n    a, b, c = a * b * c, a, b\nreturn np.sum(a * b)", "a, b, c, n",
     (A, A * 2, A + 1, 3)),
])
def test_compiled(body: str, arguments: str, args: tuple[Any, ...]) -> None:
    f = program(body, arguments)
    wrt = tuple(k for k, a in enumerate(args) if not isinstance(a, int))
    plain = rg.grad(f, wrt, jit=False)(*args)
    for one, other in zip(rg.grad(f, wrt)(*args), plain, strict=True):
        assert np.allclose(one, other, rtol=1e-12, atol=1e-15)
    _, pullback = rg.vjp(f, *args, argnums=wrt)
    for one, other in zip(pullback(1.0), plain, strict=True):
        assert np.allclose(one, other, rtol=1e-12, atol=1e-15)
