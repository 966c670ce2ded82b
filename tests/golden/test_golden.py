"""Generated source as files: the same bytes every time, right, clean and readable.

`pytest tests/golden --rewrite-goldens` writes the files anew; read the difference before it is
committed.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import truth
from frontend.tracing import leaves, request_for
from golden import derived_programs, programs
from golden.programs import CASES, Case
from oracle import seeds_of
from retrograd import pipeline
from retrograd.api.export import text as exported
from retrograd.api.options import Options
from retrograd.program import Program

FOLDER = Path(__file__).parent
KEPT = [(case, product) for case in CASES for product in case.products]
IDS = [f"{case.name}-{product.replace(' ', '-')}" for case, product in KEPT]
READABLE = [(c, p) for c, p in KEPT if not p.startswith("compiled")]
MODULES = {"numpy", "math", "numba", "scipy.special"}
BUILTINS = {"range", "len", "abs", "min", "max", "float", "int", "bool", "print", "zip",
            "enumerate", "str"}


def file_of(case: Case, product: str) -> Path:
    return FOLDER / case.name / f"{product.replace(' ', '_')}.py"


def generated(case: Case, product: str) -> tuple[Program, str]:
    """The program and its source."""
    dialect, _, kind = product.rpartition(" ")
    program = pipeline.derive(
        request_for(case.function, case.args, kind, case.argnums, case.has_aux))
    return program, exported(program, dialect == "compiled", Options(has_aux=case.has_aux))


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"golden_{path.parent.name}_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


# --- the same bytes --------------------------------------------------------------------------


@pytest.mark.parametrize("case, product", KEPT, ids=IDS)
def test_the_same_bytes(case: Case, product: str, request: pytest.FixtureRequest) -> None:
    path = file_of(case, product)
    source = generated(case, product)[1]
    if request.config.getoption("--rewrite-goldens"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
    assert path.exists(), f"{path} is missing: pytest tests/golden --rewrite-goldens writes it"
    assert path.read_text(encoding="utf-8") == source


def test_every_file_belongs_to_a_case() -> None:
    expected = {file_of(*kept) for kept in KEPT}
    expected.update(FOLDER / "derived" / f"{name}.py" for name in derived_programs.CASES)
    assert {p for p in FOLDER.glob("*/*.py") if "__pycache__" not in p.parts} == expected


# --- right ---------------------------------------------------------------------------------------


def results(case: Case, product: str, seeds: Any) -> tuple[Any, tuple[Any, ...]]:
    """Value (None where the product gives none) and gradients of the file's function."""
    program, _ = generated(case, product)
    kind = product.rpartition(" ")[2]
    functions = vars(module(file_of(case, product)))
    names = [u.readable.name for u in program.units]
    request = request_for(case.function, case.args, kind, case.argnums, case.has_aux)
    args = leaves(request, [truth.fresh(a) for a in case.args], program.captures)
    bars = list(seeds) if isinstance(seeds, tuple) else [seeds]
    if kind == "joint":
        return None, as_tuple(functions[names[0]](*args, *bars))
    found = functions[names[0]](*args)
    if kind == "vjp":
        value, residuals = found
        return value, as_tuple(functions[names[1]](*residuals, *bars))
    if kind == "grad":
        return None, as_tuple(found[0] if case.has_aux else found)
    value, gradients = found
    return (value[0] if case.has_aux else value), as_tuple(gradients)


def as_tuple(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("case, product", KEPT, ids=IDS)
def test_the_file_computes_the_derivative(case: Case, product: str) -> None:
    def primal(*args: Any) -> Any:
        value = case.function(*args)
        return value[0] if case.has_aux else value

    value = primal(*map(truth.fresh, case.args))
    vjp = product in ("joint", "vjp")
    seeds = seeds_of(value, np.random.default_rng(1)) if vjp else None
    true = truth.gradients(primal, case.args, case.argnums, "differences", seeds)
    found_value, gradients = results(case, product, seeds)
    if found_value is not None:
        np.testing.assert_allclose(found_value, value, rtol=1e-6)
    assert len(gradients) == len(true.gradients)
    single = any(np.asarray(a).dtype == np.float32 for a in case.args)
    for found, right in zip(gradients, true.gradients, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-3 if single else 1e-6, atol=1e-6)


# --- clean -------------------------------------------------------------------------------------


def test_a_linter_finds_nothing() -> None:
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    ruff = shutil.which("ruff", path=places)
    if ruff is None:
        pytest.skip("ruff is not installed")
    done = subprocess.run([ruff, "check", "--isolated", "--select", "F,E7,E9", str(FOLDER)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("case, product", KEPT, ids=IDS)
def test_nothing_is_computed_in_vain(case: Case, product: str) -> None:
    assert list(in_vain(file_of(case, product).read_text())) == []


@pytest.mark.parametrize("line", [
    "y = 0 + x", "y = x - 0.0", "y = x * 1.0", "y = 1 * x", "y = 0.0 * x", "y = x / 1",
    "y = x + -x", "y = - -x", "y = x; z = x", "y = x; y = 2 * x", "y = x\n    y = x",
    "y = 1.0\n    for i in range(3):\n        z = y * i",
])
def test_what_is_in_vain_is_noticed(line: str) -> None:
    assert list(in_vain(f"def f(x):\n    {line}\n    return y\n")) != []


def test_what_is_needed_is_not_in_vain() -> None:
    assert list(in_vain("def f(x):\n    y = 2.0\n    for i in range(3):\n        y = y * x\n"
                        "    z = y\n    if x > 0:\n        z = -x\n    return z\n")) == []


def in_vain(source: str) -> Iterator[str]:
    """`0 + x`, `x - 0`, `1 * x`, `x / 1`, `+ -x`, `--x`; names that nobody reads, values that are
    overwritten before anybody does."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (isinstance(node, ast.BinOp) and _idle(node)) or (
                isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
                and isinstance(node.operand, ast.UnaryOp)):
            yield ast.unparse(node)
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        names = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
        read = {n.id for n in names if isinstance(n.ctx, ast.Load)}
        written = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        yield from sorted(written - read - _loop_targets(function))
        for node in ast.walk(function):
            if isinstance(node, (ast.FunctionDef, ast.For, ast.While, ast.If)):
                yield from _overwritten(node.body)
                yield from _overwritten(getattr(node, "orelse", []))


def _idle(node: ast.BinOp) -> bool:
    left, right = (_number(side) for side in (node.left, node.right))
    match node.op:
        case ast.Add() | ast.Sub():
            minus = isinstance(node.right, ast.UnaryOp) and isinstance(node.right.op, ast.USub)
            return minus or 0 in (left, right)
        case ast.Mult():
            return bool({left, right} & {0, 1})
        case _:
            return isinstance(node.op, ast.Div) and right == 1


def _overwritten(block: list[ast.stmt]) -> Iterator[str]:
    for k, statement in enumerate(block):
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            continue
        name = statement.targets[0].id
        for later in block[k + 1:]:
            found = [n.ctx for n in ast.walk(later) if isinstance(n, ast.Name) and n.id == name]
            if any(isinstance(c, ast.Load) for c in found) or isinstance(later, ast.AugAssign):
                break
            if found and isinstance(later, ast.Assign):
                yield ast.unparse(statement)
            if found:
                break


def _number(node: ast.expr) -> Any:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, (int, float)) else None


def _loop_targets(function: ast.FunctionDef) -> set[str]:
    return {n.id for loop in ast.walk(function) if isinstance(loop, ast.For)
            for n in ast.walk(loop.target) if isinstance(n, ast.Name)}


@pytest.mark.parametrize("case, product", KEPT, ids=IDS)
def test_only_numpy_and_numba_are_needed(case: Case, product: str) -> None:
    """No helper calls: what is called is NumPy, `math` or built in."""
    tree = ast.parse(file_of(case, product).read_text())
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases.update({a.asname or a.name: a.name for a in node.names})
        elif isinstance(node, ast.ImportFrom):
            assert node.module in MODULES, node.module
            aliases.update({a.asname or a.name: a.name for a in node.names})
    assert {m for m in aliases.values() if "." not in m} <= MODULES | set(aliases)
    defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
        name = ast.unparse(call.func)
        root = name.split(".")[0].split("[")[0]
        error = isinstance(getattr(builtins, root, None), type) and root.endswith("Error")
        assert error or root in aliases or root in BUILTINS | defined or "." in name, name


@pytest.mark.parametrize("case, product", READABLE)
def test_comments_are_the_users_lines(case: Case, product: str) -> None:
    """Every comment of the reverse sweep quotes the user; the headings are always the same."""
    users = " ".join(inspect.getsource(programs).split())
    for line in _comments(file_of(case, product).read_text()):
        if line in ("forward sweep", "reverse sweep"):
            continue
        assert " ".join(line.split()) in users, line


def _comments(source: str) -> Iterator[str]:
    body = source[source.index("\ndef "):]
    for line in body.splitlines():
        found = re.fullmatch(r"\s+# (.*)", line)
        if found:
            yield found[1]


@pytest.mark.parametrize("case, product", READABLE)
def test_the_users_names_are_kept(case: Case, product: str) -> None:
    tree = ast.parse(file_of(case, product).read_text())
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    params = [a.arg for a in functions[0].args.args]
    users = list(inspect.signature(case.function).parameters)
    assert params[:len(users)] == users
    assert functions[0].name.startswith(case.name)
