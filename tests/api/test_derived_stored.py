"""Derivatives of derivatives on disk: a second process derives nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[list[str], list[str]]]
PROGRAM = """
import numpy as np
import retrograd as rg

RATE = 2.0

def act(z):
    return z * z * z * RATE

def loss(x):
    return np.sum(act(x))

def of_two(a, b):
    return np.sum(a * a * a * b)

slope = rg.grad(loss)

def penalty(x):
    return np.sum(slope(x) ** 2)

def closed(k):
    def inner(x):
        return np.sum(x * x * x) * k
    return inner
"""
RUN = """
import json, sys
import numpy as np
import retrograd as rg
import program as p
x, v = np.array([0.5, 1.0, 2.0]), np.array([1.0, -1.0, 3.0])
derived, wrong = [], []
def first(name, call, expected):
    if sys.argv[1:] and name not in sys.argv:
        return
    loaded = "retrograd.pipeline" in sys.modules
    found = call()
    if not loaded and "retrograd.pipeline" in sys.modules:
        derived.append(name)
        for module in [m for m in sys.modules if m == "retrograd.pipeline"]:
            del sys.modules[module]
    if not np.allclose(found, expected, rtol=1e-12):
        wrong.append(name)
r = p.RATE
hvp = 6 * r * x * v
first("grad of grad", lambda: rg.vjp(rg.grad(p.loss), x)[1](v)[0], hvp)
first("hvp", lambda: rg.hvp(p.loss)(x, v), hvp)
first("hvp of the second", lambda: rg.hvp(p.of_two, argnums=1)(x, v, v), 0 * x)
first("hessian", lambda: rg.hessian(p.loss)(x), np.diag(6 * r * x))
first("jacobian", lambda: rg.jacobian(rg.grad(p.loss), mode="forward")(x), np.diag(6 * r * x))
first("in reverse", lambda: rg.jacobian(rg.grad(p.loss), mode="reverse")(x), np.diag(6 * r * x))
first("jvp", lambda: rg.jvp(p.loss, (x,), (v,))[1], np.sum(3 * r * x * x * v))
first("vmap", lambda: rg.vmap(rg.grad(p.of_two), in_axes=(0, None))(np.stack([x, v]), x),
      np.stack([3 * x * x * x, 3 * v * v * x]))
first("sum", lambda: rg.vmap(rg.grad(p.of_two), in_axes=(0, None), reduce="sum")(
      np.stack([x, v]), x), 3 * x * x * x + 3 * v * v * x)
first("inside", lambda: rg.grad(p.penalty)(x), 36 * r * r * 2 * x * x * x / 2 * 1.0)
first("closed", lambda: rg.hvp(p.closed(5.0))(x, v), 30 * x * v)
first("closed again", lambda: rg.hvp(p.closed(7.0))(x, v), 42 * x * v)
print(json.dumps([derived, wrong]))
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "program.py").write_text(PROGRAM)

    def started(*names: str) -> tuple[list[str], list[str]]:
        """What a process derived, and what was wrong, of all or of these."""
        path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-c", RUN, *names], capture_output=True, text=True, check=False,
            env={**os.environ, "RETROGRAD_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": path,
                 "PYTHONDONTWRITEBYTECODE": "1"})
        assert done.returncode == 0, done.stderr
        derived, wrong = json.loads(done.stdout)
        return derived, wrong
    return started


def test_a_second_process_derives_nothing(run: Run, tmp_path: Path) -> None:
    derived, wrong = run()
    assert not wrong and len(derived) >= 10
    derived, wrong = run()
    assert (derived, wrong) == ([], [])
    text = (tmp_path / "program.py").read_text()
    (tmp_path / "program.py").write_text(text.replace("RATE = 2.0", "RATE = 3.0"))
    derived, wrong = run()
    assert (derived, wrong) == ([], [])               # captured numbers are read again
    (tmp_path / "program.py").write_text(text.replace("z * z * z * RATE", "z * z * RATE"))
    derived, wrong = run("hvp", "inside")
    assert derived == ["hvp", "inside"]               # the code of what is called is guarded
    assert "hvp" in wrong                             # and it is another function
