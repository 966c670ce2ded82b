"""`rg.grad(f).compiled`: derivatives that `@njit` code calls."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit, prange

import retrograd as rg
from api import compiled_programs as programs

RNG = np.random.default_rng(4)


def test_in_a_loop_with_momentum() -> None:
    gradient = rg.grad(programs.summed)
    inner = gradient.compiled

    @njit
    def descend(w: Any, X: Any) -> Any:
        v = np.zeros_like(w)
        for _ in range(5):
            v = 0.9 * v + inner(w, X)
            w = w - 0.1 * v
        return w

    w, X = RNG.normal(size=3), RNG.normal(size=(5, 3))
    wanted, v = w, np.zeros(3)
    for _ in range(5):
        v = 0.9 * v + gradient(wanted, X)
        wanted = wanted - 0.1 * v
    np.testing.assert_allclose(descend(w, X), wanted, rtol=1e-13)
    np.testing.assert_array_equal(inner(w, X), gradient(w, X))       # from Python
    assert inner.__name__ == "summed"


def test_layouts_and_single_precision() -> None:
    gradient = rg.grad(programs.summed, argnums=(0, 1))
    inner = gradient.compiled
    call = njit(lambda w, X: inner(w, X))
    w, X = RNG.normal(size=8), RNG.normal(size=(5, 4))
    for args in ((w[::2], X), (w[:4], np.asfortranarray(X)),
                 (w[:4].astype(np.float32), X.astype(np.float32))):
        for found, wanted in zip(call(*args), gradient(*args), strict=True):
            assert found.dtype == wanted.dtype
            np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_numbers_defaults_and_known_values() -> None:
    inner = rg.value_and_grad(programs.power).compiled

    @njit
    def call(x: Any) -> Any:
        return inner(x), inner(x, 4), inner(x, kind="sin"), inner(2)

    found = call(1.5)
    np.testing.assert_allclose(np.array(found[:2]), [(3.375, 6.75), (5.0625, 13.5)])
    np.testing.assert_allclose(found[2], (np.sin(1.5), np.cos(1.5)))
    assert found[3] == (8.0, 12.0)


def test_an_axis_that_is_written_in_the_call() -> None:
    inner = rg.grad(programs.along).compiled
    call = njit(lambda A: (inner(A, 0), inner(A, 1)))
    A = RNG.normal(size=(3, 4))
    for found, axis in zip(call(A), (0, 1), strict=True):
        np.testing.assert_allclose(found, rg.grad(programs.along)(A, axis))


def test_the_function_itself_with_its_writes() -> None:
    function = rg.differentiable(programs.in_place)
    inner, slope = function.compiled, function.grad.compiled
    call = njit(lambda u: (slope(u, 2), inner(u, 2)))
    u = RNG.normal(size=5)
    mine, theirs = u.copy(), u.copy()
    slopes, value = call(mine)
    np.testing.assert_allclose(slopes, rg.grad(programs.in_place)(u, 2))
    np.testing.assert_allclose(value, programs.in_place(theirs, 2))
    np.testing.assert_allclose(mine, theirs)


def test_nested_results() -> None:
    gradient = rg.grad(programs.parts, argnums=(0, 1), has_aux=True)
    inner = gradient.compiled
    (dx, dy), (twice, nothing) = njit(lambda x, y: inner(x, y))(np.ones(2), np.full(2, 3.0))
    np.testing.assert_array_equal([dx, dy, twice], [[6.0, 6.0], [1.0, 1.0], [2.0, 2.0]])
    assert nothing is None


def test_in_prange_and_in_nested_functions() -> None:
    inner = rg.grad(programs.power).compiled
    once = njit(lambda x: inner(x) + 1.0)

    @njit(parallel=True)
    def each(x: Any) -> Any:
        out = np.empty_like(x)
        for i in prange(x.size):
            out[i] = once(x[i])
        return out

    x = np.linspace(-1.0, 1.0, 9)
    np.testing.assert_allclose(each(x), 3 * x**2 + 1)


def test_other_derivatives() -> None:
    batch = rg.vmap(rg.grad(programs.power))
    jacobian = rg.jacobian(programs.doubled)
    of_batch, of_vector = batch.compiled, jacobian.compiled
    x = np.linspace(-1.0, 1.0, 5)
    found = njit(lambda x: (of_batch(x), of_vector(x)))(x)
    np.testing.assert_allclose(found[0], 3 * x**2)
    np.testing.assert_allclose(found[1], 2 * np.eye(5))


# --- exceptions and extents ----------------------------------------------------------------------


def test_exceptions_are_those_of_python() -> None:
    for function, args in ((programs.element, (np.ones(3), 7)), (programs.checked, (-1.5, 0.25)),
                           (programs.summed, (np.ones(3), np.ones((2, 4))))):
        gradient = rg.grad(function)
        inner = gradient.compiled
        errors = []
        for call in (gradient, njit(lambda a, b, inner=inner: inner(a, b))):
            with pytest.raises((ValueError, IndexError)) as caught:
                call(*args)
            errors.append((type(caught.value), str(caught.value)))
        assert errors[0] == errors[1]


def test_extents_of_one() -> None:
    """Their broadcasting is another program: made before, or refused."""
    gradient = rg.grad(programs.summed)
    inner = gradient.compiled
    w, X = np.array([0.5]), np.ones((3, 1))
    call = njit(lambda w, X: inner(w, X))
    with pytest.raises(rg.Unsupported, match=r"(?s)extent of 1.*remedy: call it from Python"):
        call(w, X)
    gradient = rg.grad(programs.summed)
    wanted = gradient(w, X)
    inner = gradient.compiled
    later = njit(lambda w, X: inner(w, X))
    np.testing.assert_array_equal(later(w, X), wanted)
    np.testing.assert_allclose(later(np.ones(2), np.ones((3, 2))), gradient(
        np.ones(2), np.ones((3, 2))))


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("function", "args", "reason"), [
    (programs.captured, (1.0,), "captured"),
    (programs.two_written, (np.ones(2), np.ones(2)), "shares no memory"),
    (programs.along, (np.ones((2, 2)), 1), "must be known"),
    (programs.element, ({1.0, 2.0}, 0), "for 'x'"),
])
def test_refused_when_the_caller_is_compiled(function: Any, args: Any, reason: str) -> None:
    inner = rg.grad(function).compiled
    call = njit(lambda *given: inner(*given)) if len(args) < 2 else njit(lambda a, b: inner(a, b))
    with pytest.raises(rg.Unsupported, match=f"(?s){reason}.*remedy"):
        call(*args)


def test_a_list_is_no_result() -> None:
    inner = rg.differentiable(programs.listed).compiled
    with pytest.raises(rg.Unsupported, match=r"(?s)list.*remedy"):
        njit(lambda x: inner(x))(1.0)


def test_integers_have_no_gradient() -> None:
    inner = rg.grad(programs.summed).compiled
    with pytest.raises(TypeError, match="'w'"):
        njit(lambda w, X: inner(w, X))(np.arange(3), np.ones((2, 3)))


@pytest.mark.parametrize("options", [{"jit": False}, {"max_memory": 1e6}])
def test_options_of_calls_from_python(options: dict[str, Any]) -> None:
    with pytest.raises(rg.Unsupported, match="remedy"):
        _ = rg.grad(programs.power, **options).compiled
    with pytest.raises(rg.Unsupported, match="remedy"):
        _ = rg.grad(programs.many).compiled


# --- threads and files ---------------------------------------------------------------------------


def test_two_threads_that_compile_wait_for_each_other() -> None:
    """One infers types and needs a specialisation, the other makes one and needs Numba."""
    gradient = rg.grad(programs.element, cache=False)
    inner = gradient.compiled
    results: list[Any] = []
    tasks = [lambda: results.append(njit(lambda x, i: inner(x, i))(np.ones(3), 1)),
             lambda: results.append(gradient(np.ones((3, 2))[:, 0], 1))]
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(results) == 2
    np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.slow
def test_callers_on_disk(tmp_path: Path) -> None:
    """`cache=True` of the caller: another process loads it, with the gradient inside."""
    (tmp_path / "cached.py").write_text(textwrap.dedent("""
        import numpy as np
        from numba import njit
        import retrograd as rg

        def f(x, i):
            return x[i] * np.sum(x * x)

        inner = rg.grad(f).compiled

        @njit(cache=True)
        def step(x, i):
            return x - 0.1 * inner(x, i)

        print(step(np.arange(3.0), 1), sum(step.stats.cache_hits.values()))
        try:
            step(np.arange(3.0), 9)
        except IndexError as error:
            print(error)
    """))
    environment = {**os.environ, "RETROGRAD_CACHE_DIR": str(tmp_path / "cache")}
    outputs = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "cached.py"], cwd=tmp_path, env=environment,
                              capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout.splitlines())
    assert [o[1] for o in outputs] == ["index 9 is out of bounds for axis 0 with size 3"] * 2
    assert outputs[0][0].endswith("] 0") and outputs[1][0].endswith("] 1")
    assert outputs[0][0][:-1] == outputs[1][0][:-1]
