"""Programs with rules on disk: another process derives nothing, an edited rule is derived anew."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import numpy as np
import retrograd as rg
W = 2.0
@rg.rule
def f(x):
    return W * x * x
@f.pullback
def _(x, *, out_bar):
    return 2.0 * W * x * out_bar
def loss(x):
    return np.sum(f(x))
"""
RUN = """
import sys
import numpy as np
import retrograd as rg
import program
print(rg.grad(program.loss)(np.ones(2))[0], "retrograd.pipeline" in sys.modules)
"""


def test_edited_rules_are_derived_anew(tmp_path):
    path = [str(tmp_path), *(p for p in sys.path if p)]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path),
                       RETROGRAD_CACHE_DIR=str(tmp_path / "cache"))

    def run(text):
        (tmp_path / "program.py").write_text(text)
        done = subprocess.run([sys.executable, "-B", "-c", RUN], env=environment,
                              capture_output=True, text=True, timeout=120, check=True)
        return done.stdout.split()

    assert run(PROGRAM) == ["4.0", "True"]
    assert run(PROGRAM) == ["4.0", "False"]
    edited = PROGRAM.replace("return 2.0 * W", "return 7.0 * W")
    assert run(edited) == ["14.0", "True"]
    assert run(edited.replace("W = 2.0", "W = 3.0")) == ["21.0", "False"]
