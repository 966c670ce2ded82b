"""The time before the first number: imports, and the compiler's own work as programs grow."""

from __future__ import annotations

import linecache
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import retrograd as rg
from common import readable, table


def process(code: str, rounds: int = 5) -> float:
    """Seconds that a new process needs for this code, the best of several."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        best = min(best, time.perf_counter() - start)
    return best


def imports() -> None:
    numpy, own = process("import numpy"), process("import numpy, retrograd")
    table("new process", {"import numpy": numpy, "import numpy, retrograd": own,
                          "import numpy, numba": process("import numpy, numba")})
    print(f"  retrograd beyond NumPy: {readable(own - numpy)} (target: under 150 ms)")
    loaded = process("import retrograd, sys; sys.exit('numba' in sys.modules)", 1)
    print(f"  Numba is not loaded by the import ({readable(loaded)})")


PROGRAM = """import numpy as np
def f(x, y):
    return np.sum(x * y) + np.sin(x[0])
"""
BY_NUMBA = """import time, numpy as np, numba
x = np.arange(3.0)
began = time.process_time()
from program_grad import f_value_and_grad
f_value_and_grad(x, x)
print(time.process_time() - began)
"""
BY_RETROGRAD = """import time, numpy as np, numba
x = np.arange(3.0)
began = time.process_time()
import retrograd as rg
from program import f
rg.value_and_grad(f)(x, x)
print(time.process_time() - began)
"""


def cached(rounds: int = 12) -> None:
    """A cached gradient in a new process, beside the same compiled source cached by Numba:
    processor time, which other processes disturb least."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "program.py").write_text(PROGRAM)
        environment = {**os.environ, "RETROGRAD_CACHE_DIR": folder, "PYTHONPATH": os.pathsep.join(
            [folder, os.environ.get("PYTHONPATH", "")])}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def run(code: str) -> float:
            done = subprocess.run([sys.executable, "-c", code], check=True, cwd=folder,
                                  capture_output=True, text=True, env=environment)
            return float(done.stdout)

        run(BY_RETROGRAD)
        source = subprocess.run(
            [sys.executable, "-c", "import retrograd as rg, numpy as np, program; x = np.ones(3)\n"
             "print(rg.value_and_grad(program.f).source('compiled', x, x))"],
            check=True, capture_output=True, text=True, cwd=folder, env=environment).stdout
        (place / "program_grad.py").write_text(source.replace("njit(", "njit(cache=True, "))
        run(BY_NUMBA)
        pairs = [(run(BY_NUMBA), run(BY_RETROGRAD)) for _ in range(rounds)]
    numba, own = (min(column) for column in zip(*pairs, strict=True))
    table("a cached gradient in a new process", {"loaded by Numba": numba, "by retrograd": own})
    print(f"  retrograd adds {readable(own - numba)} (target: under 50 ms)")


def generated(statements: int, in_loop: bool):
    """A function of that many statements, each smooth and bounded."""
    forms = ("{a} = np.sin({a} * {b})", "{a} = {a} + 0.5 * {b}", "{a} = {a} / (1.5 + {b} * {b})",
             "{a} = np.tanh({a} - {b})")
    names = ("x", "y", "u", "v")
    lines = ["def f(x, y):", "    u = x * y", "    v = x - y"]
    indent = "    "
    if in_loop:
        lines.append("    for _ in range(10):")
        indent += "    "
    for k in range(statements - 2):
        lines.append(indent + forms[k % 4].format(a=names[k % 3], b=names[(k + 1 + k // 7) % 4]))
    lines.append("    return x + y + u + v")
    source, name = "\n".join(lines) + "\n", f"<{statements} statements, {in_loop}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    scope = {"np": __import__("numpy"), "__name__": "generated"}
    exec(compile(source, name, "exec"), scope)
    return scope["f"]


def growth(in_loop: bool) -> None:
    durations = {}
    for statements in (100, 1_000, 10_000):
        f = generated(statements, in_loop)
        start = time.process_time()
        rg.grad(f, argnums=(0, 1)).source("compiled", 0.5, 0.3)
        durations[statements] = time.process_time() - start
    table(f"readable and compiled source of a gradient, {'in a loop' if in_loop else 'no loop'}",
          {f"{n:,} statements": t for n, t in durations.items()})
    ratio = durations[10_000] / durations[1_000]
    print(f"  t(10,000) / t(1,000) = {ratio:.1f} (target: at most 14)")


if __name__ == "__main__":
    imports()
    cached()
    with tempfile.TemporaryDirectory() as folder:      # nothing may come from an earlier run
        os.environ["RETROGRAD_CACHE_DIR"] = folder
        growth(in_loop=False)
        growth(in_loop=True)
