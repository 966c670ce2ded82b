"""`parallel=True`: marked loops run on all cores where they are proven independent, with the same
bits for any number of threads, and the first failing iteration's exception."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import retrograd as rg
from backend import parallel_programs as programs
from retrograd.backend.emit_parallel import SERIAL

RNG = np.random.default_rng(3)
X = RNG.normal(size=(300, 4))
W = RNG.normal(size=4)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


def flat(result: Any) -> list[np.ndarray]:
    if isinstance(result, tuple):
        return [array for part in result for array in flat(part)]
    return [np.asarray(result)]


def compare(function: Callable[..., Any], *args: Any, argnums: Any = 0,
            runs: bool = True) -> None:
    """Right, in parallel where it should be, and the same bits for one and two threads."""
    whole = rg.value_and_grad(function, argnums, parallel=True, cache=False)
    source = whole.source("compiled", *args)
    assert ("prange(" in source) == runs
    assert runs or SERIAL in source
    results = []
    for count in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(count)
        results.append(flat(whole(*args)))
    plain = flat(rg.value_and_grad(function, argnums, jit=False)(*args))
    for one, two, right in zip(*results, plain, strict=True):
        assert one.tobytes() == two.tobytes()
        np.testing.assert_allclose(one, right, rtol=1e-12, atol=1e-13)


def test_rows_of_their_own() -> None:
    compare(programs.rows, X)


def test_sums_over_the_rows() -> None:
    compare(programs.shared, W, X, argnums=(0, 1))


def test_memory_of_an_iteration_is_its_own() -> None:
    compare(programs.states, X, 3)


def test_few_rows() -> None:
    g, plain = (rg.grad(programs.rows, **o) for o in ({"parallel": True}, {"jit": False}))
    for n in (0, 2, 3, 127, 128, 129):
        np.testing.assert_allclose(g(X[:n]), plain(X[:n]), rtol=1e-12)


@pytest.mark.parametrize("function", [programs.recurrence, programs.largest])
def test_what_is_not_independent_stays_serial(function: Callable[..., Any]) -> None:
    compare(function, RNG.uniform(0.9, 1.1, 40), runs=False)


def test_without_the_option_prange_is_range() -> None:
    source = rg.grad(programs.rows).source("compiled", X)
    assert "prange(" not in source.replace("numba.prange(X", "")
    assert SERIAL not in source


def test_readable_source_is_a_plain_loop() -> None:
    source = rg.grad(programs.rows, parallel=True).source(X)
    assert "for i in range(" in source
    assert "import prange" not in source
    g = rg.grad(programs.rows, parallel=True, jit=False)
    np.testing.assert_allclose(g(X), rg.grad(programs.rows, cache=False)(X), rtol=1e-12)


# --- failures ------------------------------------------------------------------------------------


def raised(function: Callable[..., Any], *args: Any, **options: Any) -> BaseException:
    with pytest.raises(Exception) as caught:
        rg.value_and_grad(function, **options)(*args)
    return caught.value


def test_the_first_failing_iteration_reports() -> None:
    g = rg.value_and_grad(programs.checked, parallel=True)
    for wrong in ((7,), (299,), (250, 13, 14), (0, 299)):
        at = np.zeros(300, np.int64)
        at[list(wrong)] = 1
        with pytest.raises(ValueError, match=f"^row {min(wrong)} is wrong$"):
            g(X[:, 0].copy(), at)


def test_indices_are_checked() -> None:
    at = np.arange(200) % 4
    at[[150, 60]] = 9, 7
    found = [raised(programs.looked_up, W.copy(), at, **options)
             for options in ({"parallel": True, "cache": False}, {"jit": False})]
    assert [type(e) for e in found] == [IndexError] * 2
    assert "7" in str(found[0]) and str(found[0]) == str(found[1])


@pytest.mark.slow
def test_what_compiled_code_raises_itself_is_not_lost() -> None:
    sizes = np.full(200, 2)
    sizes[120] = -1
    assert isinstance(raised(programs.sized, X[:200, 0].copy(), sizes, parallel=True,
                             cache=False), ValueError)
    A = np.broadcast_to(2.0 * np.eye(3), (50, 3, 3)).copy()
    A[31] = 0.0
    assert isinstance(raised(programs.solved, A, np.ones((50, 3)), parallel=True, cache=False),
                      np.linalg.LinAlgError)


@pytest.mark.slow
def test_solves_in_parallel() -> None:
    A = RNG.normal(size=(20, 3, 3)) + 4 * np.eye(3)
    compare(programs.solved, A, RNG.normal(size=(20, 3)), argnums=(0, 1))


# --- files ---------------------------------------------------------------------------------------

SCRIPT = """
import sys
import threading
import numpy as np
import retrograd as rg
from backend import parallel_programs as programs

X = np.linspace(-1.0, 1.0, 600).reshape(200, 3)
g = rg.value_and_grad(programs.rows, parallel=True)
first = g(X)
found = []
threads = [threading.Thread(target=lambda: found.extend(g(X) for _ in range(50)))
           for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 150 and all(v == first[0] and (d == first[1]).all() for v, d in found)
print(first[0].hex(), first[1].tobytes().hex())
"""


def run(script: str, tmp_path: Path, **environment: str) -> str:
    tests = str(Path(__file__).parent.parent)
    paths = os.pathsep.join([tests, *filter(None, [os.environ.get("PYTHONPATH", "")])])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True,
        timeout=240, cwd=tests, check=False, env={
            **os.environ, "PYTHONPATH": paths, "RETROGRAD_CACHE_DIR": str(tmp_path),
            **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_from_disk_and_on_numbas_own_threads(tmp_path: Path) -> None:
    """Another process loads the code; `workqueue` ends a process in which two threads use it."""
    outputs = {run(SCRIPT, tmp_path, **environment) for environment in (
        {}, {}, {"NUMBA_THREADING_LAYER": "workqueue"}, {"NUMBA_NUM_THREADS": "1"})}
    assert len(outputs) == 1


@pytest.mark.slow
def test_exported_source_runs_alone(tmp_path: Path) -> None:
    at = np.zeros(300, np.int64)
    rg.grad(programs.checked, parallel=True).write(
        tmp_path / "exported.py", "compiled", X[:, 0].copy(), at)
    script = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import numpy as np
        from exported import checked_grad
        x, at = np.linspace(0.0, 1.0, 300), np.zeros(300, np.int64)
        assert (checked_grad(x, at) == 2 * x).all() and "retrograd" not in sys.modules
        at[[200, 9]] = 1
        try: checked_grad(x, at)
        except ValueError as error: print(error)
    """
    assert run(script, tmp_path) == "row 9 is wrong\n"
