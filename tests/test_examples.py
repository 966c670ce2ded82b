"""Every example runs alone and holds its own claims, compiled and not; so do the README's texts."""

from __future__ import annotations

import dataclasses
import importlib
import linecache
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
from retrograd.api.options import Options

EXAMPLES = Path(__file__).parent.parent / "examples"
LIBRARIES = {"datasets"}
NAMES = sorted(p.stem for p in EXAMPLES.glob("*.py") if p.stem not in LIBRARIES)


def test_the_examples_are_there() -> None:
    assert {"computation_graph", "compute_s", "linear_model", "logistic_regression",
            "digits_mlp", "momentum_njit", "own_rules", "per_sample_digits",
            "scipy_solvers"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_example_runs_alone(name: str, tmp_path: Path) -> None:
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")], cwd=tmp_path, env=environment,
        capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "an example prints what it found"


@pytest.mark.parametrize("name", NAMES)
def test_example_without_compilation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    importlib.import_module(name).main(jit=False)


def test_readme_shows_what_is_generated() -> None:
    """The README opens with a function and its adjoint, as they are."""
    text = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- generated -->\s*```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 2, "the function and what is printed for it"
    primal, shown = blocks
    scope = {"np": np, "rg": rg}
    linecache.cache["<README>"] = (len(primal), None, primal.splitlines(keepends=True), "<README>")
    exec(compile(primal, "<README>", "exec"), scope)
    source = rg.grad(scope["babylonian"]).source()
    assert shown.strip() in source


@pytest.mark.parametrize("name", ["derivatives", "containers"])
def test_the_snippets_of_a_document_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, without compilation."""
    defaults = (False if f.name == "jit" else f.default for f in dataclasses.fields(Options))
    monkeypatch.setattr(Options.__init__, "__defaults__", tuple(defaults))
    text = (EXAMPLES.parent / "docs" / f"{name}.md").read_text(encoding="utf-8")
    scope: dict[str, object] = {}
    for k, block in enumerate(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)):
        file = f"<{name} {k}>"
        linecache.cache[file] = (len(block), None, block.splitlines(keepends=True), file)
        exec(compile(block, file, "exec"), scope)


def test_readme_has_exactly_two_commands() -> None:
    text = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(r"<!-- command: \w+ -->", text)) == 2
    assert text.count("```sh") == 2
