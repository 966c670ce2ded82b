"""What `f.residuals()` forecasts is what the generated program allocates, and what it claims."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

import retrograd as rg
from adjoint.adjoints import program
from corpus.entry import sampled
from corpus.test_corpus import ENTRIES
from oracle import float_arguments, is_number
from retrograd.api.residuals import Residuals
from retrograd.program import Emitted
from truth import fresh

TAPES = ("_saved", "_snapshots", "taken")


class _Recorded(ast.NodeTransformer):
    """`x_saved = np.empty(n)` becomes `x_saved = recorded('x_saved', np.empty(n))`."""

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        target = node.targets[0]
        if isinstance(target, ast.Name) and any(t in target.id for t in TAPES) \
                and ast.unparse(node.value).startswith("np.empty("):
            node.value = ast.Call(ast.Name("recorded", ast.Load()),
                                  [ast.Constant(target.id), node.value], [])
        return node


def allocated(run: Callable[..., Any], *args: Any) -> int:
    """The bytes of all tapes of the readable programs that are loaded and run meanwhile."""
    found: dict[str, int] = {}

    def recorded(name: str, array: np.ndarray) -> np.ndarray:
        found[name] = array.nbytes
        return array

    def loaded(emitted: Emitted) -> Callable[..., Any]:
        tree = ast.fix_missing_locations(_Recorded().visit(ast.parse(emitted.source)))
        scope: dict[str, Any] = {"recorded": recorded, "__name__": "instrumented"}
        exec(compile(tree, "<instrumented>", "exec"), scope)
        function: Callable[..., Any] = scope[emitted.name]
        return function

    with np.errstate(all="ignore"), mock.patch("retrograd.backend.execute.loaded", loaded):
        run(*map(fresh, args))
    return sum(found.values())


def forecast(body: str, arguments: str, *args: Any, **options: Any) -> Residuals:
    """The table of a program, whose total is what the program allocates."""
    gradient = rg.grad(program(body, arguments), jit=False, **options)
    table = gradient.residuals(*args)
    assert table.total == allocated(gradient, *args)
    return table


def stored(table: Residuals) -> dict[str, tuple[int | None, int | None]]:
    """What is stored, by name: bytes an iteration and in all."""
    return {r.variable: (r.bytes_an_iteration, r.bytes_total) for r in table.rows
            if r.bytes_total != 0}


# --- the corpus -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sampled(ENTRIES, [
    n for n, e in ENTRIES.items() if e.writes and not e.refused]))
def test_the_forecast_is_what_is_allocated(name: str) -> None:
    entry = ENTRIES[name]
    args = entry.arguments[0]
    value = entry.function(*map(fresh, args))
    options: dict[str, Any] = {
        "argnums": entry.argnums or float_arguments(args), "jit": False}
    tables: list[Residuals] = []

    def run() -> None:
        if is_number(value):
            gradient = rg.grad(entry.function, **options)
            tables.append(gradient.residuals(*args))
            gradient(*map(fresh, args))
        else:
            tables.append(rg.vjp(entry.function, *map(fresh, args), **options)[1].residuals())

    count, total = allocated(run), tables[0].total
    if total is None:
        assert any(r.bytes_total is None for r in tables[0].rows)
    else:
        assert total == pytest.approx(count, rel=0.05)


# --- claims ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [
    "s = x\nfor i in range(n):\n    s = 2 * s + i\nreturn s",
    "s, t = x, y\nfor i in range(n):\n    s, t = t + s, s - 0.5 * t\nreturn s * t",
    "s = 0.0\nfor i in range(n):\n    for j in range(i):\n        s = s + x * j\nreturn s",
    "for i in range(n):\n    a[1:-1] = 0.5 * (a[2:] + a[:-2])\nreturn x * np.sum(a)",
    "for i in range(n):\n    for j in range(1, len(a) - 1):\n"
    "        a[j] = 0.3 * (a[j - 1] + a[j] + a[j + 1])\nreturn x * np.sum(a)",
])
def test_linear_loops_store_nothing(body: str) -> None:
    for n in (1, 40):
        table = forecast(body, "x, y, a, n", 0.4, 1.3, np.linspace(0.5, 1, 7), n)
        assert table.total == 0 and stored(table) == {}


@pytest.mark.parametrize("body, final", [
    ("u = np.zeros(n)\nu[0] = x\nfor i in range(1, n):\n    u[i] = u[i - 1] * a[i] + np.sin(x)\n"
     "return np.sum(u * u)", "u[i - 1]"),
    ("L = M.copy()\nfor j in range(n):\n    for i in range(j, n):\n        for k in range(j):\n"
     "            L[i, j] -= L[i, k] * L[j, k]\n    L[j, j] = np.sqrt(L[j, j])\n"
     "    for i in range(j + 1, n):\n        L[i, j] = L[i, j] / L[j, j]\nreturn x * np.sum(L)",
     "L[i, k]"),
    ("for k in range(n):\n    for i in range(k + 1, n):\n        M[i, k] = M[i, k] / M[k, k]\n"
     "        for j in range(k + 1, n):\n            M[i, j] -= M[i, k] * M[k, j]\n"
     "return x * np.sum(M)", "M[k, j]"),
    ("y = np.zeros(n)\nfor i in range(n):\n    s = a[i]\n    for j in range(i):\n"
     "        s = s - M[i, j] * y[j]\n    y[i] = s / M[i, i]\nreturn x * np.sum(y)", "y[j]"),
])
def test_final_elements_are_not_stored(body: str, final: str) -> None:
    """Recurrences, factorisations in place and triangular solves keep nothing."""
    A = np.array([[4.0, 1.0, 0.5, 0.2], [1.0, 5.0, 0.3, 0.4], [0.5, 0.3, 6.0, 0.1],
                  [0.2, 0.4, 0.1, 7.0]])
    table = forecast(body, "x, a, M, n", 0.7, np.array([0.3, 1.1, 0.7, 0.9]), A, 4,
                     argnums=(0, 1, 2))
    assert table.total == 0, table
    assert f"{final} is not written after it is read" in {r.why for r in table.rows}


RK4 = """
for i in range(n):
    a1, b1, c1 = s * (y - x), x * (r - z) - y, x * y - b * z
    x2, y2, z2 = x + 0.5 * h * a1, y + 0.5 * h * b1, z + 0.5 * h * c1
    a2, b2, c2 = s * (y2 - x2), x2 * (r - z2) - y2, x2 * y2 - b * z2
    x3, y3, z3 = x + 0.5 * h * a2, y + 0.5 * h * b2, z + 0.5 * h * c2
    a3, b3, c3 = s * (y3 - x3), x3 * (r - z3) - y3, x3 * y3 - b * z3
    x4, y4, z4 = x + h * a3, y + h * b3, z + h * c3
    a4, b4, c4 = s * (y4 - x4), x4 * (r - z4) - y4, x4 * y4 - b * z4
    x = x + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
    y = y + h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
    z = z + h / 6 * (c1 + 2 * c2 + 2 * c3 + c4)
return x * x + y * y + z * z"""


def test_runge_kutta_stores_its_state() -> None:
    table = forecast(RK4, "x, y, z, s, r, b, h, n", 1.0, 1.0, 1.0, 10.0, 28.0, 8 / 3, 1e-4, 10_000)
    assert stored(table) == {"x": (8, 80_000), "y": (8, 80_000), "z": (8, 80_000)}
    assert table.total == 24 * 10_000


BURGERS = """
u = u0.copy()
for t in range(steps):
    un = u.copy()
    u[1:-1] = un[1:-1] - dt / dx * un[1:-1] * (un[1:-1] - un[:-2]) \\
        + nu * dt / dx**2 * (un[2:] - 2 * un[1:-1] + un[:-2])
return np.sum(u * u)"""


def test_burgers_stores_one_row_a_step() -> None:
    table = forecast(BURGERS, "u0, nu, dt, dx, steps", np.linspace(0, 1, 41), 0.1, 1e-3, 0.1, 25)
    assert stored(table) == {"un": (8 * 41, 8 * 41 * 25)}


# --- tapes of every kind --------------------------------------------------------------------------


STEP = "s = np.sin(s * x) + s * s * 0.1"


@pytest.mark.parametrize("body", [
    f"for i in range(2, n):\n    {STEP}\nreturn s",
    f"for i in range(n, 0, -2):\n    {STEP}\nreturn s",
    f"for i in range(n):\n    for j in range(i, n):\n        {STEP}\nreturn s",
    f"for i in range(2):\n    for j in range(n):\n        for k in range(j):\n"
    f"            {STEP}\nreturn s",
    f"for v in a[1:]:\n    {STEP} + v\nreturn s",
    f"for i in range(n // 2 + 1):\n    {STEP}\nreturn s",
    f"for i in range(n):\n    {STEP}\n    if s > 1:\n        break\nreturn s",
    f"for i in range(n):\n    if s > 0.2:\n        {STEP}\nreturn s",
    "for i in range(n):\n    a = np.tanh(a * s) * a\nreturn np.sum(a)",
    f"if x > 0:\n    {STEP}\n    {STEP}\nreturn s",
])
def test_every_tape_is_forecast(body: str) -> None:
    for n in (0, 1, 5):
        forecast(body, "s, x, a, n", 0.4, 1.3, np.linspace(0.2, 1, 6), n)


@pytest.mark.parametrize("snapshots", ["", ", snapshots=3", ", snapshots=n"])
def test_snapshots_are_forecast(snapshots: str) -> None:
    body = (f"for t in rg.checkpointed(range(n){snapshots}):\n    for k in range(3):\n"
            "        a = a * np.tanh(a)\n    s = s * s\nreturn np.sum(a) + s")
    for n in (1, 2, 17):
        gradient = rg.grad(_checkpointed(body), jit=False)
        args: tuple[Any, ...] = (0.4, np.linspace(0.2, 1, 6), n)
        assert gradient.residuals(*args).total == allocated(gradient, *args)


def _checkpointed(body: str) -> Callable[..., Any]:
    return program("import retrograd as rg\n" + body, "s, a, n")


def test_what_is_not_known_before_the_call() -> None:
    f = program("while s < n:\n    s = s * s + x\nreturn s", "s, x, n")
    table = rg.grad(f).residuals(1.3, 0.4, 9.0)
    assert table.total is None and stored(table) == {"s": (8, None)}
    g = program("for i in range(n):\n    for j in range(int(s)):\n        s = s * s\nreturn s",
                "s, n")
    assert rg.grad(g).residuals(1.3, 4).total is None


def test_the_documented_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "docs" / "residuals.md").read_text()
    code, more = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "documented_residuals.py").write_text(f"{code}\n{more}")
    monkeypatch.syspath_prepend(tmp_path)
    found = importlib.import_module("documented_residuals")
    shown = re.search(r"```text\n(.*?)\n```", text, re.DOTALL)
    assert shown is not None and shown[1] == str(found.table)
    assert found.less.residuals(0.3, 0.7, 10).total == 80
    assert rg.grad(found.driven).residuals(0.3, 0.7, 10).total == 160
