"""What the reverse sweep keeps, computes again and stores: decisions, and that they are right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adjoint.adjoints import adjoint, program, right, sweeps, tapes
from frontend.tracing import ops

V = np.array([0.3, -0.7, 1.1, 0.4])
M = np.arange(12.0).reshape(3, 4) / 7 - 0.6


def decided(body: str, arguments: str, *args: Any) -> dict[str, int]:
    """The tapes of the gradient, which is checked."""
    f = program(body, arguments)
    right(f, *args)
    return tapes(adjoint(f, *args))


# --- nothing is stored ------------------------------------------------------------------------


@pytest.mark.parametrize("body", [
    "s = x\nfor i in range(n):\n    s = 2 * s + i\nreturn s",
    "s = 0.0\nfor i in range(n):\n    s = s + x * i\nreturn s",
    "s, t = x, y\nfor i in range(n):\n    s, t = t + s, s - 0.5 * t\nreturn s * t",
    "s = 0.0\nfor i in range(n):\n    for j in range(i):\n        s = s + x * j\nreturn s",
    "s = 0.0\nk = 0\nwhile k < n:\n    s = 3 * s + x\n    k += 1\nreturn s",
])
def test_linear_loops_store_nothing(body: str) -> None:
    assert decided(body, "x, y, n", 0.4, 1.3, 4) == {}


@pytest.mark.parametrize("body", [
    "s = 0.0\nfor i in range(n):\n    s = s + (x * i) ** 2\nreturn s",
    "s = 0.0\nfor v in a:\n    s = s + v * v * x\nreturn s",
    "s = 0.0\nfor i in range(len(a) - 1):\n    s = s + (a[i + 1] - a[i]) ** 2 * x\nreturn s",
    "s = 0.0\nfor i in range(len(a)):\n    for j in range(i):\n        s = s + a[i] * a[j] * x\n"
    "return s",
])
def test_what_arguments_and_indices_give_is_computed_again(body: str) -> None:
    """The whole loop of the primal then disappears from the gradient."""
    f = program(body, "x, a, n")
    right(f, 0.4, V, 3)
    gradient = adjoint(f, 0.4, V, 3)
    assert tapes(gradient) == {} and len(sweeps(gradient)) == 1


def test_a_primal_that_nobody_needs_disappears() -> None:
    gradient = adjoint(program("for i in range(n):\n    s = np.exp(x * i)\nreturn 3 * x", "x, n"),
                       0.4, 3)
    assert gradient.body == ()
    assert ops(adjoint(program("return np.sum(a) + np.sum(np.exp(a)) * 0.5", "a"), V)).count(
        "exp") == 1


# --- what is stored ----------------------------------------------------------------------------


def test_runge_kutta_stores_only_the_state() -> None:
    body = ("for i in range(n):\n"
            "    k1x, k1y = s * (y - x), x * (1 - y)\n"
            "    ux, uy = x + 0.5 * h * k1x, y + 0.5 * h * k1y\n"
            "    k2x, k2y = s * (uy - ux), ux * (1 - uy)\n"
            "    vx, vy = x + 0.5 * h * k2x, y + 0.5 * h * k2y\n"
            "    k3x, k3y = s * (vy - vx), vx * (1 - vy)\n"
            "    wx, wy = x + h * k3x, y + h * k3y\n"
            "    k4x, k4y = s * (wy - wx), wx * (1 - wy)\n"
            "    x = x + h / 6 * (k1x + 2 * k2x + 2 * k3x + k4x)\n"
            "    y = y + h / 6 * (k1y + 2 * k2y + 2 * k3y + k4y)\n"
            "return x * y")
    assert decided(body, "x, y, s, h, n", 0.4, 1.3, 2.0, 0.05, 5) == {"x_saved": 1, "y_saved": 1}


def test_transcendental_functions_are_stored() -> None:
    found = decided("for i in range(n):\n    x = np.sin(x) * np.exp(y * x)\nreturn x", "x, y, n",
                    0.4, 0.3, 4)
    assert "x_saved" in found and 2 <= len(found) <= 3


def test_only_what_is_read_is_stored() -> None:
    assert decided("s = y\nfor i in range(n):\n    x = x * x\n    s = s + 2 * x\nreturn s",
                   "x, y, n", 0.9, 0.3, 3) == {"x_saved": 1}
    assert decided("s = y\nfor i in range(n):\n    s = s * x\n    x = x + 1\nreturn s",
                   "x, y, n", 0.9, 0.3, 3).keys() == {"s_saved", "x_saved"}


def test_rows_of_arrays() -> None:
    found = decided("for i in range(n):\n    a = a * np.tanh(a * x)\nreturn np.sum(a)", "x, a, n",
                    0.4, V, 3)
    assert "a_saved" in found and set(found.values()) == {2}


# --- tapes of every kind -------------------------------------------------------------------------


STEP = "s = np.sin(s * x) + s * s * 0.1"


@pytest.mark.parametrize("body, axes", [
    (f"for i in range(n):\n    {STEP}\nreturn s", 1),
    (f"for i in range(2, n):\n    {STEP}\nreturn s", 1),
    (f"for i in range(n, 0, -2):\n    {STEP}\nreturn s", 1),
    (f"for i in range(0, 7, 3):\n    {STEP}\nreturn s", 1),
    (f"for v in a:\n    {STEP} + v\nreturn s", 1),
    (f"for i in range(n):\n    for j in range(3):\n        {STEP}\nreturn s", 2),
    (f"for i in range(n):\n    for j in range(i):\n        {STEP}\nreturn s", 1),
    (f"for i in range(n):\n    for j in range(i, n):\n        {STEP}\nreturn s", 1),
    (f"for i in range(n):\n    for j in range(i + 1, -1, -1):\n        {STEP}\nreturn s", 1),
    (f"for i in range(2):\n    for j in range(n):\n        for k in range(j):\n"
     f"            {STEP}\nreturn s", 2),
    (f"k = 0\nwhile k < n:\n    {STEP}\n    k += 1\nreturn s", 1),
    (f"while s < 1.4:\n    {STEP} + 1\nreturn s", 1),
    (f"for i in range(n):\n    k = 0\n    while k < i:\n        {STEP}\n        k += 1\n"
     "return s", 1),
    (f"k = 0\nwhile k < n:\n    for i in range(k):\n        {STEP}\n    k += 1\nreturn s", 1),
    (f"k = 0\nwhile k < n:\n    j = 0\n    while j < k:\n        {STEP}\n        j += 1\n"
     f"    k += 1\n    {STEP}\nreturn s", 1),
    (f"for i in range(n):\n    m = i * i % 3\n    for j in range(m):\n        {STEP}\nreturn s", 1),
])
def test_loops_in_loops(body: str, axes: int) -> None:
    """A tape has an axis for each loop whose count is known at the start, one for two that are
    triangular; else rows are pushed."""
    f = program(body, "s, x, a, n")
    for n in (0, 1, 4):
        right(f, 0.4, 1.3, V, n)
    found = tapes(adjoint(f, 0.4, 1.3, V, 4))
    assert found and set(found.values()) == {axes}


@pytest.mark.parametrize("body", [
    f"if x > 0:\n    {STEP}\n    {STEP}\nreturn s",
    f"if x > 5:\n    {STEP}\nelse:\n    s = s * s * s\nreturn s * s",
    f"for i in range(n):\n    if i % 2 == 0:\n        {STEP}\n    else:\n"
    "        s = s * s\nreturn s",
    f"for i in range(n):\n    if s > 0.5:\n        {STEP}\nreturn s",
    f"for i in range(n):\n    if i > 0:\n        for j in range(i):\n            {STEP}\nreturn s",
    f"if x > 0:\n    for i in range(n):\n        {STEP}\nelse:\n    s = s * s\nreturn s",
    f"k = 0\nwhile k < n:\n    k += 1\n    if k % 2:\n        {STEP}\nreturn s",
    f"for i in range(n):\n    if i % 2:\n        k = 0\n        while k < i:\n            {STEP}\n"
    "            k += 1\n    s = s * x\nreturn s",
    f"for i in range(n):\n    {STEP}\n    if s > 1:\n        break\nreturn s",
    f"for i in range(n):\n    for j in range(n):\n        if j > i:\n            break\n"
    f"        {STEP}\n    else:\n        s = s * s\nreturn s",
    f"for i in range(n):\n    {STEP}\n    if s > 0.8:\n        return s * x\nreturn s * s",
    f"for i in range(n):\n    if i == 1:\n        continue\n    {STEP}\nreturn s",
    f"while True:\n    {STEP} + 0.4\n    if s > 0.5:\n        break\nreturn s",
    "t = s\nfor i in range(n):\n    t, s = s * t, np.cos(t)\n    if i == 2:\n        t = x\n"
    "return t + s",
])
def test_loops_and_branches(body: str) -> None:
    f = program(body, "s, x, a, n")
    for n in (0, 1, 4):
        right(f, 0.4, 1.3, V, n)
    right(f, 0.7, -1.2, V, 3)


@pytest.mark.parametrize("body", [
    "for row in b:\n    a = np.tanh(a * row)\nreturn np.sum(a)",
    "for i in range(n):\n    a = np.tanh(b.T @ (b @ a))\nreturn a @ a",
    "k = 0\nwhile k < n:\n    a = np.tanh(a * a + 0.1)\n    k += 1\nreturn np.sum(a)",
    "for i in range(n):\n    for j in range(i):\n        a = np.sin(a[::-1] * a)\n"
    "return np.sum(a)",
    "for i in range(n):\n    if a[0] > 0:\n        a = np.sin(a)\n    else:\n        a = a * a\n"
    "return np.sum(a)",
    "s = 0.0\nfor i in range(n):\n    c = np.sin(a * i)\n    for v in c:\n"
    "        s = s * v + v * v\nreturn s",
])
def test_tapes_of_arrays(body: str) -> None:
    f = program(body, "a, b, n")
    for n in (0, 1, 3):
        right(f, V, M, n)


def test_arrays_that_are_bound_only_sometimes_have_a_known_shape() -> None:
    f = program("def g(v):\n    for e in v:\n        if e < 0:\n            return v * e\n"
                "    return v\nreturn np.sum(g(a) ** 2) + np.sum(g(a[2:]) ** 3)", "a")
    right(f, V)
    right(f, np.abs(V))
    g = program("for i in range(n):\n    if i > 1:\n        a = a * y * y\n    y = np.sin(a * i)\n"
                "return np.sum(a)", "a, n")
    for n in (0, 1, 4):
        right(g, V, n)


def test_an_initial_value_that_the_loop_also_reads() -> None:
    right(program("s = x\nfor i in range(n):\n    s = s * x\nreturn s", "x, n"), 0.7, 3)
    right(program("s = t = x\nfor i in range(n):\n    s, t = t * x, s * s\nreturn s + t", "x, n"),
          0.7, 4)


# --- how long deciding takes ------------------------------------------------------------------


@pytest.mark.parametrize("line, count", [
    ("t = t * t * 0.1 + t", 40),         # asked once for each value, not once for each path to it
    ("t = t + 0.001 * a[i]", 400),       # a chain that is longer than Python's stack is deep
])
def test_many_statements_in_a_loop(line: str, count: int) -> None:
    lines = "\n".join(["    t = x * a[i]", *[f"    {line}"] * count, "    s = s + t * t"])
    f = program(f"s = 0.0\nfor i in range(len(a)):\n{lines}\nreturn s", "x, a")
    assert tapes(adjoint(f, 0.4, V)) == {}
