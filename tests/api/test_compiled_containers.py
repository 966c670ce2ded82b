"""`.compiled` with tuples and named tuples, as arguments and as results."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit, typed

import retrograd as rg
from api import compiled_programs as programs
from api.compiled_programs import Layer, Network, Plane

RNG = np.random.default_rng(5)
W, B, X = RNG.normal(size=(3, 3)), RNG.normal(size=3), RNG.normal(size=3)
NETWORK = Network((Layer(W, B), Layer(W.T, 2.0 * B)), 0.5, 3)


def same(found: Any, wanted: Any) -> None:
    """The same structure, classes and numbers, which Numba gives to Python as Python's own."""
    assert isinstance(found, tuple) == isinstance(wanted, tuple)
    if isinstance(found, tuple):
        assert type(found) is type(wanted) and len(found) == len(wanted)
        for a, b in zip(found, wanted, strict=True):
            same(a, b)
    elif found is None or wanted is None:
        assert found is wanted
    else:
        assert np.shape(found) == np.shape(wanted)
        np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_named_tuples_that_are_nested() -> None:
    gradient = rg.grad(programs.network, argnums=(0, 1))
    inner = gradient.compiled
    found = njit(lambda params, x: inner(params, x))(NETWORK, X)
    same(found, gradient(NETWORK, X))
    assert type(found[0]) is Network and found[0].steps is None
    same(inner(NETWORK, X), found)                                   # from Python


def test_descent_on_a_named_tuple() -> None:
    gradient = rg.value_and_grad(programs.norm)
    inner = gradient.compiled

    @njit
    def descend(point: Any) -> Any:
        value = 0.0
        for _ in range(4):
            value, slope = inner(point)
            point = Plane(point.x - 0.1 * slope.x, point.y - 0.1 * slope.y)
        return value, point

    point = Plane(1.0, 2.0)
    for _ in range(4):
        value, slope = gradient(point)
        point = Plane(point.x - 0.1 * slope.x, point.y - 0.1 * slope.y)
    same(descend(Plane(1.0, 2.0)), (value, point))


def test_tuples_with_what_is_known() -> None:
    gradient = rg.grad(programs.pairs)
    inner = gradient.compiled
    call = njit(lambda a, b, x: (inner(((a, b), (2.0, "plain", None)), x),
                                 inner(((a, b), (2.0, "other", None)), x)))
    weights = ((X, B), (2.0, "plain", None))
    found = call(X, B, X)
    same(found[0], gradient(weights, X))
    np.testing.assert_allclose(found[1][0][0], -found[0][0][0])
    assert found[0][1][1:] == (None, None)


def test_axes_and_defaults() -> None:
    inner = rg.grad(programs.over).compiled
    A = RNG.normal(size=(2, 3, 4))
    same(njit(lambda A: inner(A, (0, 2)))(A), rg.grad(programs.over)(A, (0, 2)))
    with pytest.raises(rg.Unsupported, match=r"(?s)must be known while compiling"):
        njit(lambda A, axes: inner(A, axes))(A, (0, 2))
    value = rg.value_and_grad(programs.norm, argnums=(0, 1))
    both = value.compiled
    found = njit(lambda p, t: (both(p), both(p, (t, 1.0))))(Plane(1.0, 2.0), 4.0)
    same(found, (value(Plane(1.0, 2.0)), value(Plane(1.0, 2.0), (4.0, 1.0))))


def test_layouts_and_single_precision() -> None:
    gradient = rg.grad(programs.broadcast)
    inner = gradient.compiled
    call = njit(lambda pair: inner(pair))
    for pair in ((X[::2], B[:2]), (X, B), (X.astype(np.float32), np.float32(2.0)),
                 (np.asfortranarray(W), W[::-1])):
        found, wanted = call(pair), gradient(pair)
        assert found[0].dtype == wanted[0].dtype
        for f, w in zip(found, wanted, strict=True):
            np.testing.assert_allclose(f, w, rtol=1e-6)


def test_a_named_tuple_as_the_result() -> None:
    inner = rg.differentiable(programs.split).compiled
    found = njit(lambda x: inner(x))(X)
    same(found, Layer(X * 2.0, (float(np.sum(X)), None)))


def test_vjp_of_batches_and_jacobians() -> None:
    jacobian = rg.jacobian(programs.split_pair)
    inner = jacobian.compiled
    pair = (X, 2.0)
    same(njit(lambda pair: inner(pair))(pair), jacobian(pair))
    batch = rg.vmap(rg.grad(programs.norm), in_axes=(0, None))
    of_batch = batch.compiled
    points = Plane(X, B)
    same(njit(lambda p: of_batch(p, (1.0, 2.0)))(points), batch(points, (1.0, 2.0)))


def test_an_array_in_a_tuple_is_written() -> None:
    function = rg.differentiable(programs.scaled)
    inner, slope = function.compiled, function.grad.compiled
    u = X.copy()
    slopes, value = njit(lambda u: (slope((u, 2.0)), inner((u, 2.0))))(u)
    np.testing.assert_allclose(u, 2.0 * X)
    np.testing.assert_allclose(value, np.sum(2.0 * X))
    same(slopes, (np.full(3, 2.0), float(np.sum(X))))


def test_two_classes_of_one_name() -> None:
    """A caller's code is not that of another class."""
    classes = [namedtuple("Point", "x y"), namedtuple("Point", "y x")]
    inners = [rg.grad(lambda p: p.x * p.x * p.y).compiled for _ in classes]
    calls = [njit(lambda p, inner=inner: inner(p)) for inner in inners]
    for cls, call in zip(classes, calls, strict=True):
        found = call(cls(x=3.0, y=5.0))
        assert type(found) is cls and found == cls(x=30.0, y=9.0)


def test_extents_of_one() -> None:
    gradient = rg.grad(programs.broadcast)
    inner = gradient.compiled
    call = njit(lambda pair: inner(pair))
    one = (np.array([2.0]), X)
    with pytest.raises(rg.Unsupported, match="extent of 1"):
        call(one)
    gradient = rg.grad(programs.broadcast)
    wanted = gradient(one)
    inner = gradient.compiled
    later = njit(lambda pair: inner(pair))
    same(later(one), wanted)
    same(later((X, B)), gradient((X, B)))


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("call", "message"), [
    (lambda inner: njit(lambda: inner([1.0, 2.0])),
     "gives a list for 'params' of first.*remedy: pass a tuple"),
    (lambda inner: njit(lambda: inner((2.0, [1.0, 2.0]))),
     r"gives a list for 'params\[1\]' of first.*remedy: pass a tuple"),
    (lambda inner: njit(lambda: inner(typed.List([1.0]))), "gives a list for 'params'"),
    (lambda inner: njit(lambda: inner([1.0, "a"])), "gives a list for 'params'"),
    (lambda inner: njit(lambda: inner({"a": 1.0})),
     "gives a dict for 'params' of first.*remedy: pass a NamedTuple"),
    (lambda inner: njit(lambda: inner({"a": 1.0, "b": "c"})), "gives a dict for 'params'"),
    (lambda inner: njit(lambda: inner({1.0})), r"gives set\(float64\).*for 'params' of first"),
])
def test_what_compiled_code_cannot_pass(call: Any, message: str) -> None:
    inner = rg.grad(programs.first).compiled
    with pytest.raises(rg.Unsupported, match=f"(?s){message}"):
        call(inner)()


@pytest.mark.parametrize(("function", "message"), [
    (programs.dictionary, "a result is a dict.*remedy: return numbers, arrays, tuples and named"),
    (programs.listed, "a result is a list"),
    (programs.described, "a result is 'text'"),
])
def test_what_compiled_code_cannot_get(function: Any, message: str) -> None:
    inner = rg.differentiable(function).compiled
    with pytest.raises(rg.Unsupported, match=f"(?s){message}"):
        njit(lambda x: inner(x))(1.0)


def test_defaults_that_compiled_code_cannot_pass() -> None:
    inner = rg.grad(programs.with_dict).compiled
    with pytest.raises(rg.Unsupported, match="the default of 'options' of with_dict is a conta"):
        njit(lambda x: inner(x))(1.0)


def test_a_tuple_without_a_float_has_no_gradient() -> None:
    inner = rg.grad(programs.first).compiled
    with pytest.raises(TypeError, match="'params'"):
        njit(lambda n: inner((n, 2)))(3)


@pytest.mark.slow
def test_callers_on_disk(tmp_path: Path) -> None:
    """The class is in a module: Numba takes those of a script for new ones in every process."""
    (tmp_path / "points.py").write_text(textwrap.dedent("""
        from typing import NamedTuple

        class Point(NamedTuple):
            x: float
            y: float
    """))
    (tmp_path / "cached.py").write_text(textwrap.dedent("""
        from numba import njit
        import retrograd as rg
        from points import Point

        def f(p):
            return p.x * p.x * p.y

        inner = rg.grad(f).compiled

        @njit(cache=True)
        def step(p):
            return inner(p)

        print(step(Point(3.0, 5.0)), sum(step.stats.cache_hits.values()))
    """))
    environment = {**os.environ, "RETROGRAD_CACHE_DIR": str(tmp_path / "cache")}
    for hits in (0, 1):
        done = subprocess.run([sys.executable, "cached.py"], cwd=tmp_path, env=environment,
                              capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [f"Point(x=30.0, y=9.0) {hits}"]
