"""Checkpointed loops: the same gradients, few snapshots, and as few runs as possible."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from frontend.tracing import agrees, load, traced
from oracle import assert_gradients, leaves, same_bits
from retrograd.adjoint.checkpoint_schedule import steps_to_next
from retrograd.ir.build import Builder
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function, Loop, Value, walk
from retrograd.ir.show import show
from retrograd.ir.types import INT
from retrograd.ir.verify import verify

U = np.array([0.3, -0.7, 1.1, 0.4])
V = np.array([1.2, 0.5, -0.3, 0.8])
M = np.arange(16.0).reshape(4, 4) / 20 - 0.4


def pair(body: str, arguments: str, mark: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The program with its loops `for ... in LOOP(...)` checkpointed, and without."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    source = f"def f({arguments}):\n{lines}"
    marked = f"rg.checkpointed(\\1{', ' * bool(mark)}{mark})"
    found = [load(re.sub(r"LOOP\((.*)\):", new + ":", source), file=f"<{body}, {new}>", rg=rg)
             for new in (marked, "\\1")]
    return found[0], found[1]


def same(one: Any, other: Any) -> bool:
    """Results of the same structure with the same bits in them."""
    return all(same_bits(a, b) for a, b in zip(leaves(one), leaves(other), strict=True))


# --- the schedule ------------------------------------------------------------------------------


def theory(steps: int, snapshots: int) -> int:
    """The least number of steps to run, those with tapes apart: r l - beta(c + 1, r - 1)."""
    r = 0
    while comb(snapshots + r, snapshots) < steps:
        r += 1
    return r * steps - comb(snapshots + r, snapshots + 1) if r else 0


@functools.cache
def least(steps: int, snapshots: int) -> int:
    """The same by trying every place for the next snapshot."""
    if steps == 1:
        return 0
    if snapshots == 1:
        return steps * (steps - 1) // 2
    return min(m + least(steps - m, snapshots - 1) + least(m, snapshots)
               for m in range(1, steps))


def test_the_formula_is_the_minimum() -> None:
    for snapshots in range(1, 8):
        for steps in range(1, 60):
            assert theory(steps, snapshots) == least(steps, snapshots)
    assert theory(1000, 10) == 3636


@pytest.mark.parametrize("steps, snapshots, runs", [
    (1000, 10, 4637), (1000, 31, 3440), (1000, 100, 2899), (100_000, 10, 932_041),
    (100_000, 316, 349_280)])
def test_the_figures_of_the_documentation(steps: int, snapshots: int, runs: int) -> None:
    assert theory(steps, snapshots) + steps + 1 == runs


@functools.cache
def schedule() -> Function:
    builder = Builder(checks=False)
    length, free = Value("length", INT), Value("free", INT)
    steps = steps_to_next(builder, length, free)
    return verify(Function("schedule", (length, free), builder.block, (steps,)))


def by_schedule(steps: int, snapshots: int) -> int:
    """What the schedule costs when it is followed."""
    if steps == 1:
        return 0
    m = int(interpret(schedule(), (steps, snapshots))[0])
    assert 1 <= m < steps
    if snapshots == 1:
        assert m == steps - 1
        return m + by_schedule(m, 1)
    return m + by_schedule(steps - m, snapshots - 1) + by_schedule(m, snapshots)


def test_the_schedule_costs_the_minimum() -> None:
    for snapshots in range(1, 7):
        for steps in range(1, 40):
            assert by_schedule(steps, snapshots) == least(steps, snapshots)


# --- snapshots and runs of the body ------------------------------------------------------------


def counted(function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, *args: Any,
            ) -> tuple[int, list[int]]:
    """How often the gradient calls `np.tanh`, and the rows of the two-dimensional arrays that it
    allocates."""
    gradient = rg.grad(function, jit=False)
    expected = gradient(*args)
    generated = load(gradient.source(*args), f"{function.__name__}_grad")
    tanh, empty = np.tanh, np.empty
    calls: list[int] = []
    rows: list[int] = []

    def counting(x: Any) -> Any:
        calls.append(1)
        return tanh(x)

    def recording(shape: Any, *more: Any) -> Any:
        if isinstance(shape, tuple):
            rows.append(int(shape[0]))
        return empty(shape, *more)

    with monkeypatch.context() as patch:
        patch.setattr(np, "tanh", counting)
        patch.setattr(np, "empty", recording)
        assert same_bits(generated(*args), expected)
    return len(calls), rows


SIZES = [(1000, 10), (1000, 1), (1000, 3), (1000, 999), (1000, 5000), (286, 10), (287, 10),
         (56, 3), (57, 3), (10, 2), (3, 1), (2, 1), (2, 2), (1, 1), (1, 7)]


@pytest.mark.parametrize("steps, snapshots", SIZES)
def test_runs_and_snapshots_are_those_of_the_theory(
        steps: int, snapshots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forward sweep runs the last step too (what comes after the loop needs its end), and
    each step is run once with its tapes."""
    if steps == 1000 and snapshots == 1:
        steps = 100
    f, _ = pair("for t in LOOP(range(n)):\n    u = u + 0.1 * np.tanh(u)\nreturn np.sum(u * u)",
                "u, n, k", "snapshots=k")
    calls, rows = counted(f, monkeypatch, U, steps, snapshots)
    assert calls == theory(steps, snapshots) + steps + 1
    r = next(r for r in range(steps) if comb(snapshots + r, snapshots) >= steps)
    assert calls == (r + 1) * steps - comb(snapshots + r, snapshots + 1) * (r > 0) + 1
    assert rows == [min(snapshots, steps - 1) + 1]       # one more: the last step's start


@pytest.mark.parametrize("steps", [1, 2, 99, 100, 101])
def test_without_a_number_the_root_of_the_steps(
        steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    f, _ = pair("for t in LOOP(range(n)):\n    u = u + 0.1 * np.tanh(u)\nreturn np.sum(u * u)",
                "u, n", "")
    calls, rows = counted(f, monkeypatch, U, steps)
    root = max(1, int(np.sqrt(steps)))
    assert calls == theory(steps, root) + steps + 1
    assert rows == [min(root, steps - 1) + 1]


def test_a_loop_inside_another_takes_its_snapshots_in_the_reverse_sweep(
        monkeypatch: pytest.MonkeyPatch) -> None:
    f, _ = pair("for e in range(m):\n    for t in LOOP(range(n)):\n"
                "        u = u + 0.1 * np.tanh(u)\nreturn np.sum(u * u)", "u, m, n, k", "k")
    calls, rows = counted(f, monkeypatch, U, 3, 50, 4)
    assert calls == 3 * (50 + theory(50, 4) + 50)
    assert sorted(set(rows)) == [3, 5] and rows.count(5) == 3      # a row a start, 4 + 1 rows


def test_nested_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    f, plain = pair("for e in LOOP(range(m)):\n    for t in LOOP(range(n)):\n"
                    "        u = u + 0.1 * np.tanh(u)\nreturn np.sum(u * u)", "u, m, n", "2")
    inner = theory(7, 2) + 7 + 1              # with tapes: its own snapshots, taken on the way
    calls, rows = counted(f, monkeypatch, U, 5, 7)
    assert calls == (theory(5, 2) + 1) * 7 + 5 * inner
    assert set(rows) == {3}
    assert same_bits(rg.grad(f, jit=False)(U, 5, 7), rg.grad(plain, jit=False)(U, 5, 7))


# --- the same gradients --------------------------------------------------------------------------


BODIES = {
    "scalars": "for t in LOOP(range(n)):\n    x = x + 0.1 * np.sin(x) * y\nreturn x * x",
    "python numbers": "for t in LOOP(range(n)):\n    x = x * x / 3 + y\nreturn x",
    "arrays": "for t in LOOP(range(n)):\n    u = u + 0.1 * np.sin(u) * x\nreturn np.sum(u * u)",
    "two states": "for t in LOOP(range(n)):\n    u, v = u + 0.1 * np.sin(v), v - 0.1 * u * x\n"
                  "return np.sum(u * v)",
    "swapped": "for t in LOOP(range(n)):\n    u, v = v, np.sin(u) * x\nreturn np.sum(u * v)",
    "products": "for t in LOOP(range(n)):\n    u = np.tanh(A @ u) + v\nreturn np.sum(u * u)",
    "index": "for t in LOOP(range(n)):\n    u = np.sin(u * t) + x\nreturn np.sum(u)",
    "start": "for t in LOOP(range(2, n)):\n    u = np.sin(u * t) + x\nreturn np.sum(u)",
    "step": "for t in LOOP(range(1, 3 * n, 3)):\n    x = np.sin(x * t) + y\nreturn x",
    "backwards": "for t in LOOP(range(n, 0, -1)):\n    x = np.sin(x * t) + y\nreturn x",
    "backwards by two": "for t in LOOP(range(2 * n, -1, -2)):\n    x = np.sin(x * t) + y\nreturn x",
    "elements": "for a in LOOP(u):\n    x = np.sin(x * a) + y\nreturn x",
    "rows": "for row in LOOP(A):\n    u = np.sin(u * row)\nreturn np.sum(u)",
    "enumerate": "for i, a in LOOP(enumerate(u)):\n    x = np.sin(x * a) + y * i\nreturn x",
    "zip": "for a, b in LOOP(zip(u, v)):\n    x = np.sin(x * a) + y * b\nreturn x",
    "quotients": "for t in LOOP(range(n)):\n    z = y / (2 + x)\n    x = np.sin(x * z) / z\n"
                 "return x",
    "an outer quotient": "for e in range(3):\n    z = y / (e + 2)\n    for t in LOOP(range(n)):\n"
                         "        x = np.sin(x) * z - x / z\nreturn x",
    "an inner loop": "for t in LOOP(range(n)):\n    for j in range(3):\n"
                     "        x = np.sin(x + j) * y\nreturn x",
    "an inner sum downwards": "for t in LOOP(range(n)):\n    s = x\n"
                              "    for j in range(3, -1, -1):\n        s = s + u[j] * 0.1\n"
                              "    x = np.sin(s) * y\nreturn x",
    "a triangular inner loop": "for t in LOOP(range(n)):\n    for j in range(t):\n"
                               "        x = np.sin(x + j) * y\nreturn x",
    "an inner while": "for t in LOOP(range(n)):\n    k = 0\n    while k < 3 and x < 2:\n"
                      "        x = x + np.sin(x) * y * 0.3\n        k += 1\n    x = x * 0.5\n"
                      "return x",
    "an inner exit": "for t in LOOP(range(n)):\n    for j in range(5):\n        if x > 1:\n"
                     "            break\n        x = x + np.sin(x) * 0.3\n    x = x * y\nreturn x",
    "a branch": "for t in LOOP(range(n)):\n    if x > 0.5:\n        x = np.sin(x * y)\n    else:\n"
                "        x = x * x + y\nreturn x",
    "an array in a branch": "for t in LOOP(range(n)):\n    if t % 2:\n        u = np.sin(u * x)\n"
                            "    else:\n        u = u * u\nreturn np.sum(u)",
    "continue": "for t in LOOP(range(n)):\n    if t == 2:\n        continue\n"
                "    x = np.sin(x * y)\nreturn x",
    "inside a branch": "if x > 0:\n    for t in LOOP(range(n)):\n        x = np.sin(x * y)\n"
                       "else:\n    x = y * y\nreturn x * x",
    "inside a while": "k = 0\nwhile k < 3:\n    for t in LOOP(range(n)):\n"
                      "        u = np.sin(u * x) + k\n    k += 1\nreturn np.sum(u)",
    "in a triangular loop": "for e in range(n):\n    for t in LOOP(range(e)):\n"
                            "        u = np.sin(u * x)\nreturn np.sum(u)",
    "nested marks": "for e in LOOP(range(n)):\n    u = u * y\n    for t in LOOP(range(e + 1)):\n"
                    "        u = np.sin(u * x)\nreturn np.sum(u)",
    "three marks": "for e in LOOP(range(n)):\n    for t in LOOP(range(2)):\n"
                   "        for s in LOOP(range(3)):\n            x = np.sin(x * y)\nreturn x",
    "a mark in a branch of a marked loop": "for e in LOOP(range(n)):\n    if e % 2:\n"
                                           "        for t in LOOP(range(3)):\n"
                                           "            x = np.sin(x * y)\nreturn x",
    "one after another": "for t in LOOP(range(n)):\n    x = np.sin(x * y)\n"
                         "for t in LOOP(range(n)):\n    y = np.cos(y * x)\nreturn x * y",
    "a linear loop": "for t in LOOP(range(n)):\n    x = 2 * x + y\nreturn x * x",
    "a linear loop that the index scales": "for t in LOOP(range(n)):\n    u = t * u + v\n"
                                           "return np.sum(u * u)",
    "an inactive state": "k = 1\nfor t in LOOP(range(n)):\n    k = (5 * k + 3) % 16\n"
                         "    x = np.sin(x * k) + y\nreturn x * k",
    "a flag": "done = False\nfor t in LOOP(range(n)):\n    if not done:\n"
              "        x = np.sin(x * y)\n    done = x < 0.3\nreturn x",
    "bound only sometimes": "for t in LOOP(range(n)):\n    if t > 1:\n        x = x * z\n"
                            "    z = np.sin(x * y)\nreturn x",
    "a value only carried out": "z = x\nfor t in LOOP(range(n)):\n    z = x * t\n"
                                "    x = np.sin(x * y)\nreturn z * x",
    "the initial value also read inside": "s = x\nfor t in LOOP(range(n)):\n"
                                          "    s = np.sin(s * x)\nreturn s",
    "the same initial value twice": "s = z = x\nfor t in LOOP(range(n)):\n"
                                    "    s, z = np.sin(z * y), s * x\nreturn s * z",
    "constant initial values": "s = 0.0\nw = np.zeros(4)\nfor t in LOOP(range(n)):\n"
                               "    s = np.sin(s + x)\n    w = np.cos(w * s + u)\n"
                               "return s * np.sum(w)",
    "strong zeros": "for t in LOOP(range(n)):\n    u = np.where(u > 0, np.sqrt(np.abs(u)), u)\n"
                    "return np.sum(u * x)",
    "a helper": "def step(w, d):\n    k1 = np.sin(w)\n    k2 = np.sin(w + 0.5 * d * k1)\n"
                "    return w + d * k2\nfor t in LOOP(range(n)):\n    u = step(u, x)\n"
                "return np.sum(u * u)",
    "a tuple": "state = (x, u)\nfor t in LOOP(range(n)):\n"
               "    state = (np.sin(state[0]) * y, state[1] * state[0])\n"
               "return state[0] + np.sum(state[1])",
    "a sum of losses": "loss = 0.0\nfor t in LOOP(range(n)):\n    u = np.sin(u * x)\n"
                       "    loss = loss + np.sum((u - v) ** 2)\nreturn loss",
    "a closure's number of steps": "m = n + 1\nfor t in LOOP(range(m - 1)):\n"
                                   "    x = np.sin(x * y)\nreturn x * m",
    "slices": (
        "u = u.copy()\nfor t in LOOP(range(n)):\n    w = u.copy()\n"
        "    u[1:-1] = w[1:-1] - 0.1 * x * w[1:-1] * (w[1:-1] - w[:-2])\n"
        "    u[1:-1] += 0.1 * y * (w[2:] - 2 * w[1:-1] + w[:-2])\n"
        "return np.sum(u * u)"),
    "elements that are stored": (
        "u = u.copy()\nfor t in LOOP(range(n)):\n    for i in range(1, 4):\n"
        "        u[i] = np.sin(u[i - 1]) * x + u[i]\nreturn np.sum(u * u)"),
    "two buffers": (
        "a = u.copy()\nb = np.zeros(4)\nfor t in LOOP(range(n)):\n"
        "    for i in range(4):\n        b[i] = np.sin(a[i] * a[i - 1]) + x\n"
        "    a, b = b, a\nreturn np.sum(a * b)"),
    "writes through views": (
        "a = A.copy()\nfor t in LOOP(range(n)):\n    row = a[1]\n"
        "    row[:] = np.sin(a[0] * row)\n    a[:, 2] *= x\nreturn np.sum(a * a)"),
    "stores through masks": (
        "a = u.copy()\nfor t in LOOP(range(n)):\n    a[a < 0] = x * t\n"
        "    a = np.cos(a)\nreturn np.sum(a * v)"),
    "a history": (
        "h = np.zeros(n + 1)\nh[0] = x\nfor t in LOOP(range(n)):\n"
        "    h[t + 1] = np.sin(h[t]) * y\nreturn np.sum(h * h)"),
    "stores around it": (
        "a = u.copy()\nfor e in range(3):\n    a[1] = a[2] * x\n"
        "    for t in LOOP(range(n)):\n        a[0] = np.sin(a[1] * a[0])\n"
        "        a[2] += a[0]\nreturn np.sum(a * a)"),
    "stores in branches": (
        "a = u.copy()\nfor t in LOOP(range(n)):\n    if a[0] > 0.2:\n"
        "        a[0] = np.sin(a[0] * x)\n    else:\n"
        "        a[1] = a[0] * y + a[1] * a[1]\nreturn np.sum(a * a)"),
    "an array made in the body": (
        "a = u.copy()\nfor t in LOOP(range(n)):\n    k = np.zeros(4)\n"
        "    for i in range(4):\n        k[i] = np.sin(a[i]) * x\n"
        "    a = a + 0.1 * k\nreturn np.sum(a * a)"),
    "repeated places": (
        "a = u.copy()\nidx = np.array([0, 2, 0])\nfor t in LOOP(range(n)):\n"
        "    a[idx] = np.sin(a[idx] * x)\n    a += a[::-1] * y\n"
        "return np.sum(a * a)"),
    "stores and nested marks": (
        "a = u.copy()\nfor e in LOOP(range(n)):\n    a[1] = a[2] * x\n"
        "    for t in LOOP(range(e)):\n        a[0] = np.sin(a[1] * a[0])\n"
        "        a[2] += a[0] * y\nreturn np.sum(a * a)"),
}
ARGUMENTS = (0.8, 1.3, U, V, M)


@pytest.mark.parametrize("snapshots", ["1", "3"])
@pytest.mark.parametrize("name", BODIES)
def test_the_same_bits_as_with_tapes(name: str, snapshots: str) -> None:
    marked, plain = pair(BODIES[name], "x, y, u, v, A, n", snapshots)
    argnums = (0,) if snapshots == "1" else tuple(range(5))
    one, other = (rg.value_and_grad(f, argnums=argnums, jit=False) for f in (marked, plain))
    for n in (0, 1, 2, 7):
        assert same(one(*ARGUMENTS, n), other(*ARGUMENTS, n)), n


@pytest.mark.parametrize("name", BODIES)
def test_pullbacks_can_be_called_again(name: str) -> None:
    marked, plain = pair(BODIES[name], "x, y, u, v, A, n", "2")
    (_, one), (_, other) = (rg.vjp(f, *ARGUMENTS, 6, argnums=tuple(range(5)), jit=False)
                            for f in (marked, plain))
    expected = other(1.0)
    assert same(one(1.0), expected) and same(one(1.0), expected)


@pytest.mark.parametrize("name", ["scalars", "arrays", "products", "nested marks", "inside a while",
                                  "an inner while", "a flag", "backwards by two", "rows", "slices",
                                  "two buffers", "stores and nested marks"])
def test_compiled(name: str) -> None:
    marked, plain = pair(BODIES[name], "x, y, u, v, A, n", "3")
    one, other = (rg.grad(f, argnums=tuple(range(5))) for f in (marked, plain))
    for n in (0, 1, 30):
        for a, b in zip(one(*ARGUMENTS, n), other(*ARGUMENTS, n), strict=True):
            assert np.allclose(a, b, rtol=1e-13, atol=1e-13 * np.max(np.abs(b)))


def test_a_compiled_pullback_can_be_called_again() -> None:
    marked, plain = pair(BODIES["nested marks"], "x, y, u, v, A, n", "2")
    _, one = rg.vjp(marked, *ARGUMENTS, 6, argnums=(0, 2))
    expected = rg.vjp(plain, *ARGUMENTS, 6, argnums=(0, 2))[1](1.0)
    first, second = one(1.0), one(1.0)
    assert same(first, second)
    assert all(np.allclose(a, b, rtol=1e-13) for a, b in zip(first, expected, strict=True))


@pytest.mark.parametrize("name", ["two states", "a branch", "a triangular inner loop"])
def test_against_truth(name: str) -> None:
    marked, _ = pair(BODIES[name], "x, y, u, v, A, n", "2")
    assert_gradients(marked, (*ARGUMENTS, 6), modes=("numpy",))


# --- what happens once ---------------------------------------------------------------------------


def test_prints_and_checks_happen_in_the_forward_sweep_only(
        capsys: pytest.CaptureFixture[str]) -> None:
    f, _ = pair("for t in LOOP(range(n)):\n    print(t)\n    x = np.sin(x * u[t])\nreturn x",
                "x, u, n", "1")
    gradient = rg.grad(f, jit=False)
    gradient(0.4, U, 4)
    assert capsys.readouterr().out == "0\n1\n2\n3\n"
    with pytest.raises(IndexError, match="index 4 is out of bounds"):
        gradient(0.4, U, 5)
    g, _ = pair("for t in LOOP(range(n)):\n    if x > 2:\n        raise ValueError('large')\n"
                "    x = x + np.sin(x) * y\nreturn x", "x, y, n", "2")
    assert rg.grad(g, jit=False)(0.4, 0.1, 5) == pytest.approx(rg.grad(g)(0.4, 0.1, 5), rel=1e-12)
    for jit in (False, True):
        with pytest.raises(ValueError, match="large"):
            rg.grad(g, jit=jit)(1.4, 3.0, 5)


# --- the mark ------------------------------------------------------------------------------------


def test_in_plain_python_the_mark_does_nothing() -> None:
    steps = range(3)
    assert rg.checkpointed(steps) is steps
    assert rg.checkpointed(steps, 2) is steps
    assert rg.checkpointed(steps, snapshots=2) is steps
    with pytest.raises(ValueError, match="snapshots must be at least 1"):
        rg.checkpointed(steps, snapshots=0)
    with pytest.raises(TypeError):
        rg.checkpointed(steps, snapshots=1.5)      # type: ignore[arg-type]


@pytest.mark.parametrize("mark", ["snapshots=k", "k", "snapshots=0", "1.5", "None"])
def test_the_primal_is_that_of_python(mark: str) -> None:
    f, _ = pair("for t in LOOP(range(n)):\n    x = np.sin(x)\nreturn x", "x, n, k", mark)
    for k in (1, 0, -2):
        agrees(f, 0.4, 3, k)


@pytest.mark.parametrize("jit", [False, True])
def test_less_than_one_snapshot(jit: bool) -> None:
    f, _ = pair("for t in LOOP(range(n)):\n    x = np.sin(x)\nreturn x", "x, n, k", "snapshots=k")
    gradient = rg.grad(f, jit=jit)
    assert gradient(0.4, 3, 1) == pytest.approx(rg.grad(f, jit=False)(0.4, 3, 2), rel=1e-14)
    with pytest.raises(ValueError, match="snapshots must be at least 1"):
        gradient(0.4, 3, 0)


def test_a_loop_that_draws_is_refused() -> None:
    """An iteration that runs again would draw other numbers."""
    f, _ = pair("for t in LOOP(range(n)):\n    x = np.sin(x) + g.random()\nreturn x",
                "x, g, n", "2")
    with pytest.raises(rg.Unsupported, match="draws random numbers") as refusal:
        rg.grad(f, jit=False)(0.4, np.random.default_rng(0), 3)
    assert refusal.value.span is not None and "g.random()" in refusal.value.span.text


def test_a_mark_that_is_kept_in_a_name() -> None:
    f, plain = pair("steps = range(n)\nmarked = rg.checkpointed(steps)\nfor t in marked:\n"
                    "    x = np.sin(x * y)\nreturn x", "x, y, n", "")
    assert same(rg.grad(f, jit=False)(0.3, 1.2, 5), rg.grad(plain, jit=False)(0.3, 1.2, 5))
    assert ", 2 snapshots" in show(traced(pair(BODIES["scalars"], "x, y, n", "2")[0],
                                          0.1, 0.2, 3).function)


def test_nothing_of_the_mark_is_left() -> None:
    for snapshots in ("2", ""):
        f, plain = pair(BODIES["scalars"], "x, y, n", snapshots)
        one, other = (rg.differentiable(g, jit=False) for g in (f, plain))
        assert one(0.3, 0.4, 5) == other(0.3, 0.4, 5)
        found = traced(f, 0.1, 0.2, 3).function
        assert [s.snapshots is not None for s in walk(found.body) if isinstance(s, Loop)] == [True]


@pytest.mark.parametrize("body, reason", [
    ("for t in LOOP(range(n)):\n    x = np.sin(x)\n    if x < 0.2:\n        break\nreturn x",
     "left early"),
    ("for t in LOOP(range(n)):\n    x = np.sin(x)\n    if x < 0.2:\n        return x\nreturn x",
     "left early"),
    ("for a in LOOP((x, 2.0)):\n    x = np.sin(x * a)\nreturn x", "container"),
    ("for t in LOOP(rg.checkpointed(range(n))):\n    x = np.sin(x)\nreturn x", "twice"),
    ("for i, t in enumerate(rg.checkpointed(range(n))):\n    x = np.sin(x)\nreturn x",
     "something else than the iterable"),
    ("xs = [x * t for t in rg.checkpointed(range(n))]\nreturn sum(xs)", "loop"),
    ("u = u[:0]\nfor t in LOOP(range(n)):\n    u = np.concatenate((np.sin(u), v))\n"
     "return np.sum(u)", "changes its shape"),
    ("fs = (np.sin, np.cos, np.tanh)\nfor t in LOOP(range(3)):\n    x = fs[t](x)\nreturn x",
     "indexed"),
])
def test_refused(body: str, reason: str) -> None:
    f, _ = pair(body, "x, u, v, n", "2")
    with pytest.raises(rg.Unsupported, match=reason) as refusal:
        rg.grad(f, argnums=(0, 1), jit=False)(0.4, U, V, 3)
    assert refusal.value.span is not None and refusal.value.remedy
