"""Every example runs alone and holds its own claims, compiled and not; so do the README's texts."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
LIBRARIES = {"datasets"}
NAMES = sorted(p.stem for p in EXAMPLES.glob("*.py") if p.stem not in LIBRARIES)


def test_the_examples_are_there() -> None:
    assert {"computation_graph", "compute_s", "linear_model", "logistic_regression",
            "digits_mlp"} <= set(NAMES)


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
