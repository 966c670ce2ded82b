"""Derivatives of products of any order where some, all or none of the factors are exactly 0.

The truth is the program itself on numbers with infinitesimal parts: x + v0 e0 + v1 e1 + ..., with
e * e = 0. What it gives beside e0 e1 ... is the derivative along v0, v1, ..., exact for integers.
"""

from __future__ import annotations

import functools
import linecache
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import retrograd as rg

MODES = pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])
MODES_SLOW = pytest.mark.parametrize("jit", [
    pytest.param(False, id="numpy"),
    pytest.param(True, id="compiled", marks=pytest.mark.slow)])


class Near:
    """A number with infinitesimal parts: `parts[m]` is beside the product of the e of the bits
    of m."""

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts

    def __add__(self, other: Any) -> Near:
        return Near([a + b for a, b in zip(self.parts, self.like(other), strict=True)])

    def __mul__(self, other: Any) -> Near:
        a, b = self.parts, self.like(other)
        return Near([sum(a[k] * b[m ^ k] for k in range(m + 1) if k & m == k)
                     for m in range(len(a))])

    __radd__, __rmul__ = __add__, __mul__

    def like(self, other: Any) -> list[Any]:
        return other.parts if isinstance(other, Near) else [other] + [0] * (len(self.parts) - 1)


def exact(f: Callable[..., Any], x: Any, directions: Any) -> Any:
    """The derivative of f at x along all directions, one after the other."""
    near = np.empty(x.shape, object)
    for place in np.ndindex(x.shape):
        parts = [x[place].item()] + [0] * (2 ** len(directions) - 1)
        for k, v in enumerate(directions):
            parts[1 << k] = v[place].item()
        near[place] = Near(parts)
    result = f(near)
    return result.parts[-1] if isinstance(result, Near) else 0


# --- compositions of the modes ------------------------------------------------------------------

_LEVEL = """\
def level(f):
    def moved(x, V):
        return BODY
    return moved
"""
_BODIES = {"F": "rg.jvp(lambda y: f(y, V), (x,), (V[{k}],))[1]",
           "R": "np.sum(rg.grad(lambda y: f(y, V))(x) * V[{k}])",
           "H": "np.sum(rg.grad(lambda y: f(y, V), holomorphic=True)(x) * V[{k}])"}


@functools.cache
def level(letter: str, k: int) -> Callable[..., Any]:
    """Gives the function that gives the derivative of f along V[k]: one source for each level,
    because the functions are called in one another."""
    text = _LEVEL.replace("BODY", _BODIES[letter].format(k=k))
    name = f"<level {letter}{k}>"
    names: dict[str, Any] = {"rg": rg, "np": np}
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, "exec"), names)
    return names["level"]


def derived(f: Callable[..., Any], way: str, **options: Any) -> Any:
    """The derivative of f along the rows of V in as many modes as `way` has letters, the innermost
    first."""
    def start(x: Any, V: Any) -> Any:
        return f(x)

    function = start
    for k, letter in enumerate(way):
        function = level(letter, k)(function)
    return rg.differentiable(function, **options)


def agrees(f: Callable[..., Any], way: str, points: Sequence[Any], jit: bool = False,
           dtype: str = "float64") -> None:
    call, rng = derived(f, way, jit=jit), np.random.default_rng(4)
    for x in points:
        directions = rng.integers(-3, 4, (len(way), *x.shape))
        found = call(x.astype(dtype), directions.astype(dtype))
        assert np.asarray(found).dtype == dtype
        expected = exact(f, x, directions)
        np.testing.assert_allclose(found, expected, rtol=1e-6 if dtype == "float32" else 1e-12,
                                   atol=1e-9, err_msg=f"{way} at {x}")


# --- programs and points --------------------------------------------------------------------------


def weights(shape: tuple[int, ...]) -> Any:
    return np.arange(1, 1 + int(np.prod(shape))).reshape(shape) % 7 - 2


LINE, PLANE, BLOCK = weights((6,)), weights((4, 3)), weights((2, 4, 2))


def running(x: Any) -> Any:
    return np.sum(LINE * np.cumprod(x))


def powers(x: Any) -> Any:
    y = np.cumprod(x)
    return np.sum(LINE * y * y)


def product(x: Any) -> Any:
    return np.prod(x)


def down(x: Any) -> Any:
    return np.sum(PLANE * np.cumprod(x, axis=0))


def across(x: Any) -> Any:
    return np.sum(PLANE * np.cumprod(x, axis=1))


def flat(x: Any) -> Any:
    return np.sum(np.cumprod(x) * np.arange(4))


def steps(x: Any) -> Any:
    return np.sum(np.cumprod(x))


def middle(x: Any) -> Any:
    return np.sum(BLOCK * np.cumprod(x, axis=1))


def columns(x: Any) -> Any:
    y = np.prod(x, axis=0)
    return np.sum(y * y + y)


def rows(x: Any) -> Any:
    return np.sum(np.prod(x, axis=1) * PLANE[:, 0])


def two_axes(x: Any) -> Any:
    return np.sum(np.prod(x, axis=(0, 2)))


def zeroed(x: Any, places: Sequence[int]) -> Any:
    x = x.copy()
    x[list(places)] = 0
    return x


FACTORS = np.array([2, -1, 3, 1, -2, 3])
POINTS = [zeroed(FACTORS, at) for at in [
    (), (0,), (3,), (5,), (0, 1), (1, 3), (0, 5), (1, 2, 4), (0, 3, 5), (3, 4, 5), (0, 1, 2, 3),
    (1, 2, 4, 5), (0, 1, 2, 3, 4, 5)]]
_MATRIX = np.array([[2, 0, 1], [0, 0, 3], [0, 0, -2], [1, 0, 0]])
MATRICES = [_MATRIX, np.where(_MATRIX == 0, 2, _MATRIX), 0 * _MATRIX]
_CUBE = np.arange(16).reshape(2, 4, 2) * 7 % 4
CUBES = [_CUBE, np.where(_CUBE > 1, 0, 2), 1 + _CUBE]
PROGRAMS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "running": (running, POINTS), "powers": (powers, POINTS), "product": (product, POINTS),
    "down": (down, MATRICES), "across": (across, MATRICES), "columns": (columns, MATRICES),
    "rows": (rows, MATRICES), "flat": (flat, [_MATRIX[:2, :2], 1 + _MATRIX[:2, :2]]),
    "middle": (middle, CUBES), "two axes": (two_axes, CUBES)}


@pytest.mark.parametrize("way", ["F", "R", "FF", "RF", "FR", "RR", "FFF", "FRF", "RFR", "RRR"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_derivatives(name: str, way: str) -> None:
    agrees(PROGRAMS[name][0], way, PROGRAMS[name][1])


@pytest.mark.parametrize("way", ["FFFF", "RRRR", "RFRF"])
@pytest.mark.parametrize("name", ["running", "product"])
def test_fourth_derivatives(name: str, way: str) -> None:
    agrees(PROGRAMS[name][0], way, PROGRAMS[name][1])


@pytest.mark.parametrize("name, way", [
    ("running", "RRR"), ("down", "RR"),
    *[pytest.param(*case, marks=pytest.mark.slow) for case in [
        ("running", "FFF"), ("product", "RFR"), ("across", "FR"), ("middle", "RF"),
        ("two axes", "RR"), ("down", "FFF"), ("product", "FRFR")]]])
def test_compiled(name: str, way: str) -> None:
    agrees(PROGRAMS[name][0], way, PROGRAMS[name][1], jit=True)


@MODES_SLOW
@pytest.mark.parametrize("name, way", [("running", "FRF"), ("product", "RR")])
def test_single_precision(name: str, way: str, jit: bool) -> None:
    agrees(PROGRAMS[name][0], way, PROGRAMS[name][1][::3], jit, "float32")


@MODES_SLOW
@pytest.mark.parametrize("way", ["HHH", "FHF"])
def test_complex_numbers(way: str, jit: bool) -> None:
    points = [x * (1 + 2j) - 1j * (np.arange(6) % 2) * (x != 0) for x in POINTS[::3]]
    agrees(running, way, points, jit, "complex128")


# --- batches, Jacobians, extents of 0 and 1 -------------------------------------------------------


def third(x: Any, V: Any) -> Any:
    return rg.hvp(lambda y: rg.jvp(running, (y,), (V[0],))[1])(x, V[1])


@MODES
def test_batches(jit: bool) -> None:
    samples = np.array(POINTS, float)
    V = np.random.default_rng(5).integers(-3, 4, (2, 6)).astype(float)
    found = rg.vmap(third, in_axes=(0, None), jit=jit)(samples, V)
    for x, result in zip(POINTS, found, strict=True):
        np.testing.assert_allclose(result, [exact(running, x, [*V, e]) for e in np.eye(6)],
                                   rtol=1e-12, atol=1e-9)


def slopes(x: Any) -> Any:
    return np.cumprod(x)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobians(mode: str) -> None:
    for x in POINTS:
        found = rg.jacobian(slopes, mode=mode, jit=False)(x.astype(float))
        for i, j in np.ndindex(found.shape):
            assert found[i, j] == (np.prod(np.delete(x[:i + 1], j)) if j <= i else 0)


def total(x: Any) -> Any:
    return np.sum(np.cumprod(x, axis=0)) + np.sum(np.prod(x, axis=0))


@MODES_SLOW
@pytest.mark.parametrize("shape", [(0,), (1,), (0, 3), (3, 0), (1, 3)], ids=str)
def test_axes_of_extent_0_and_1(shape: tuple[int, ...], jit: bool) -> None:
    x = np.zeros(shape)
    for way in ("RR",) if jit else ("F", "R", "FR", "RR", "RFR"):
        found = derived(total, way, jit=jit)(x, np.ones((len(way), *shape)))
        assert found == (2 * x.size if len(way) == 1 and shape[0] else 0)
    gradient = rg.grad(total, jit=jit)(x)
    assert gradient.shape == shape
    assert np.all(gradient == 2)


# --- arrays in any order, names -------------------------------------------------------------------


def squares(x: Any) -> Any:
    y = np.cumprod(x, axis=-1)
    return np.sum(y * y) + np.sum(np.multiply.accumulate(x.T)[::2, ::-1])


@MODES
def test_arrays_in_any_order(jit: bool) -> None:
    gradient = rg.grad(squares, jit=jit)
    base = _MATRIX.astype(float)
    for x in (np.asfortranarray(base), base.T, base[:, ::-1], base[::2]):
        found = gradient(x)
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, gradient(np.ascontiguousarray(x)))
        for place in np.ndindex(x.shape):
            unit = np.zeros(x.shape)
            unit[place] = 1
            assert found[place] == exact(squares, x, [unit])


def test_readable_source_stands_alone() -> None:
    """Whatever the user's variables are called."""
    def user(recurrence: Any, run: Any) -> Any:
        return np.sum(np.cumprod(recurrence) ** 2 * np.cumprod(run))

    x, y = POINTS[1].astype(float), POINTS[5].astype(float)
    gradient = rg.grad(user, argnums=(0, 1), jit=False)
    names: dict[str, Any] = {}
    exec(gradient.source(x, y), names)
    for one, other in zip(names["user_grad"](x, y), gradient(x, y), strict=True):
        np.testing.assert_array_equal(one, other)


# --- numbers of all sizes -------------------------------------------------------------------------


@MODES
def test_factors_that_are_almost_0(jit: bool) -> None:
    """Nothing is divided by a factor, and nothing that is lost on the way is needed later."""
    x = np.array([1e-150, 1e-150, 1e-150, 1e150, 1e150])
    for f, expected in ((steps, [2, 1, 1, 0, 0]), (product, [1, 1, 1, 0, 0])):
        np.testing.assert_allclose(rg.grad(f, jit=jit)(x), expected, rtol=1e-12, atol=1e-290)


def first_of(x: Any) -> Any:
    return np.sum(np.cumprod(x)[:2])


@MODES
@pytest.mark.parametrize("n", [4, 5, 9])
def test_factors_whose_products_overflow(n: int, jit: bool) -> None:
    """What no result depends on does not disturb, though products of the factors are inf."""
    x = np.array([0, *[1e200] * (n - 1)])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(rg.grad(first_of, jit=jit)(x), [1e200, *[0] * (n - 1)])


def products(x: Any) -> Any:
    return np.cumprod(x)


@pytest.mark.parametrize("jit", [False, True])
def test_factors_whose_products_underflow(jit: bool) -> None:
    """The last two factors together are 0, and what they are multiplied with is large."""
    x, x_dot = np.array([1e100, 1e60, 1e-160, 1e-180]), np.array([1e190, 1e10, 0, 0])
    tangent = rg.jvp(products, (x,), (x_dot,), jit=jit)[1]
    np.testing.assert_allclose(tangent, [1e190, 1e250, 1e90, 1e-90], rtol=1e-12)


def many(x: Any) -> Any:
    return np.sum(np.cumprod(x) ** 2)


@pytest.mark.parametrize("n", [2, 3, 7, 64, 1001])
def test_both_modes_agree_for_all_lengths(n: int) -> None:
    x, v = np.random.default_rng(n).uniform(0.8, 1.2, (2, n))
    x[n // 3] = x[n // 2] = 0
    for derivative in (rg.grad, rg.hvp):
        args = (x,) if derivative is rg.grad else (x, v)
        one, other = (derivative(many, jit=jit)(*args) for jit in (False, True))
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * np.max(np.abs(other)))
