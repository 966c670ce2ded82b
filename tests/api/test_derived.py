"""`jvp`, `hvp`, `jacobian`, `hessian`, `vmap` and derivatives of derivatives as users see them."""

from __future__ import annotations

import copy
import inspect
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg

MODES = pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])
X, V = np.array([1.3, 0.7, 0.8]), np.array([1.0, -2.0, 0.5])


def cubic(x: Any) -> Any:
    return np.sum(x ** 3)


def curve(x: Any) -> Any:
    return x ** 3 * np.sin(x)


def parts(x: Any) -> Any:
    return np.array([x[0] * x[1], np.sin(x[1]), x[0] ** 3])


def powers(a: Any, b: Any, n: int = 2) -> Any:
    return np.sum(a ** n * b)


def nested(p: Any) -> Any:
    return {"w": p[0] * p[1], "n": 3}


scale = np.array([1.0, 2.0, 3.0])


def scaled(x: Any) -> Any:
    return np.sum(scale * x ** 3)


# --- values, types, memory -----------------------------------------------------------------------


@MODES
def test_values(jit: bool) -> None:
    np.testing.assert_allclose(rg.hvp(cubic, jit=jit)(X, V), 6 * X * V, rtol=1e-14)
    np.testing.assert_allclose(rg.hessian(cubic, jit=jit)(X), np.diag(6 * X), rtol=1e-14)
    value, tangent = rg.jvp(parts, (X,), (V,), jit=jit)
    np.testing.assert_allclose(value, parts(X), rtol=1e-14)
    J = [[X[1], X[0], 0.0], [0.0, np.cos(X[1]), 0.0], [3 * X[0] ** 2, 0.0, 0.0]]
    np.testing.assert_allclose(tangent, J @ V, rtol=1e-14)
    for mode in ("auto", "forward", "reverse"):
        np.testing.assert_allclose(rg.jacobian(parts, mode=mode, jit=jit)(X), J, rtol=1e-14)


@MODES
def test_derivatives_of_several_arguments(jit: bool) -> None:
    (aa, ab), (ba, bb) = rg.hessian(powers, argnums=(0, 1), jit=jit)(X, V)
    np.testing.assert_allclose(aa, np.diag(2 * V))
    np.testing.assert_allclose(ab, np.diag(2 * X))
    np.testing.assert_allclose(ba, np.diag(2 * X))
    np.testing.assert_array_equal(bb, np.zeros((3, 3)))
    one, two = rg.jacobian(powers, argnames=("a", "b"), jit=jit)(X, V)
    np.testing.assert_allclose(one, 2 * X * V)
    np.testing.assert_allclose(two, X ** 2)
    np.testing.assert_allclose(rg.hvp(powers, argnums=1, jit=jit)(X, V, X), np.zeros(3))


def by_keyword(x: Any, *, rate: float = 2.0) -> Any:
    return np.sum(rate * x ** 3)


@MODES
def test_what_can_only_be_given_by_keyword(jit: bool) -> None:
    np.testing.assert_allclose(rg.hvp(by_keyword, jit=jit)(X, V), 12 * X * V)
    np.testing.assert_allclose(rg.hvp(by_keyword, jit=jit)(X, V, rate=3.0), 18 * X * V)
    np.testing.assert_allclose(rg.hessian(by_keyword, jit=jit)(X, rate=0.5), np.diag(3 * X))


MAKERS: dict[str, Callable[..., Any]] = {
    "grad of grad": lambda jit: rg.grad(rg.grad(curve), jit=jit),
    "hvp": lambda jit: lambda x: rg.hvp(curve, jit=jit)(x, type(x)(1)),
    "hessian": lambda jit: rg.hessian(curve, jit=jit),
}


@MODES
@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("x", [0.7, np.float32(0.7), np.float64(0.7), 2], ids=repr)
def test_second_derivatives_of_numbers_have_their_type(jit: bool, name: str, x: Any) -> None:
    found = MAKERS[name](jit)(x)
    assert type(found) is (float if isinstance(x, int) else type(x))
    x = float(x)
    expected = 6 * x * np.sin(x) + 6 * x ** 2 * np.cos(x) - x ** 3 * np.sin(x)
    assert found == pytest.approx(expected, rel=1e-6 if type(found) is np.float32 else 1e-13)


@MODES
def test_single_precision(jit: bool) -> None:
    x, v = X.astype(np.float32), V.astype(np.float32)
    value, tangent = rg.jvp(parts, (x,), (v,), jit=jit)
    found = (value, tangent, rg.hvp(cubic, jit=jit)(x, v), rg.hessian(cubic, jit=jit)(x),
             rg.jacobian(parts, jit=jit)(x), rg.vmap(curve, jit=jit)(x))
    assert {f.dtype for f in found} == {np.dtype(np.float32)}


def meets(x: float, A: Any) -> Any:
    """A gradient inside is a Python number, and leaves the array in single precision."""
    return np.sum(rg.grad(curve)(x) * A)


@MODES
def test_a_gradient_inside_takes_the_precision_of_what_it_meets(jit: bool) -> None:
    A = X.astype(np.float32)
    assert rg.differentiable(meets, jit=jit)(0.7, A).dtype == np.float32
    assert (rg.grad(curve)(0.7) * A).dtype == np.float32


@MODES
def test_results_are_fresh(jit: bool) -> None:
    x, v = X.copy(), V.copy()
    arrays = [*rg.jvp(lambda x: x, (x,), (v,), jit=jit), rg.hvp(cubic, jit=jit)(x, v),
              rg.hessian(cubic, jit=jit)(x), rg.jacobian(lambda x: x, jit=jit)(x),
              rg.vmap(lambda x: x, jit=jit)(x), rg.vmap(rg.grad(cubic), jit=jit)(x[None])]
    for k, a in enumerate(arrays):
        assert a.flags.c_contiguous and a.flags.writeable
        for other in (x, v, *arrays[:k]):
            assert not np.may_share_memory(a, other)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(v, V)


@MODES
def test_captured_values_are_read_at_every_call(jit: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found = rg.hvp(scaled, jit=jit)
    np.testing.assert_allclose(found(X, V), 6 * scale * X * V)
    monkeypatch.setitem(globals(), "scale", np.array([10.0, 0.0, -1.0]))
    np.testing.assert_allclose(found(X, V), 6 * np.array([10.0, 0.0, -1.0]) * X * V)


weights = np.array([1.0, 2.0, 3.0])


def weighed(x: Any, w: Any = weights, k: int = 2) -> Any:
    return np.sum(w * x ** k)


def slope(x: Any) -> Any:
    return np.sum(rg.grad(weighed)(x) ** 2)


def slope_of_default(x: Any) -> Any:
    return np.sum(rg.grad(weighed, argnums=1)(x) ** 2)


@MODES
def test_defaults_are_read_at_every_call(jit: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found = rg.differentiable(slope, jit=jit)
    assert found(X) == pytest.approx(np.sum((2 * weights * X) ** 2))
    monkeypatch.setattr(weighed, "__defaults__", (np.ones(3), 3))
    assert found(X) == pytest.approx(np.sum((3 * X ** 2) ** 2))
    assert rg.differentiable(slope_of_default, jit=jit)(X) == pytest.approx(np.sum(X ** 6))


# --- errors --------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize(("primals", "tangents", "error", "message"), [
    (X, V, TypeError, "primals must be a tuple, got ndarray"),
    ((X,), (V, V), TypeError, "jvp got 1 primals and 2 tangents"),
    ((X,), (V[:2],), ValueError, "a tangent has an extent of 2 instead of 3"),
    ((X,), (1.0,), ValueError, "a tangent has 0 dimensions instead of 1"),
    ((X,), ([1.0, 2.0, 3.0],), TypeError, "a tangent is not nested as its primal is"),
    ((X,), (V + 1j,), TypeError, "a tangent is complex, and what it belongs to is real"),
    ((np.array([1, 2, 3]),), (V,), TypeError, "for an argument that is not a float: give None"),
])
def test_wrong_tangents(jit: bool, primals: Any, tangents: Any, error: type[Exception],
                        message: str) -> None:
    with pytest.raises(error, match=message):
        rg.jvp(parts, primals, tangents, jit=jit)


@MODES
def test_tangents_of_ints_and_of_nothing(jit: bool) -> None:
    value, tangent = rg.jvp(powers, (X, V, 2), (V, None, None), jit=jit)
    assert value == pytest.approx(powers(X, V))
    assert tangent == pytest.approx(np.sum(2 * X * V * V))
    assert rg.jvp(curve, (2,), (1.0,), jit=jit)[1] == pytest.approx(
        12 * np.sin(2) + 8 * np.cos(2))
    assert rg.jvp(curve, (2.0,), (None,), jit=jit)[1] == 0.0
    assert rg.jvp(nested, ((2.0, 3.0),), ((1.0, 1.0),), jit=jit) == (
        {"w": 6.0, "n": 3}, {"w": 5.0, "n": None})


def test_what_cannot_be_asked_for() -> None:
    for make in (rg.hvp, rg.jacobian, rg.hessian, rg.vmap):
        with pytest.raises(TypeError, match=f"{make.__name__} has no has_aux"):
            make(cubic, has_aux=True)
    for which in ({"argnums": (0, 1)}, {"argnames": ("a",)}):
        with pytest.raises(TypeError, match="hvp differentiates with respect to one argument"):
            rg.hvp(powers, **which)
    with pytest.raises(ValueError, match="mode must be 'auto', 'forward' or 'reverse'"):
        rg.jacobian(parts, mode="backward")
    with pytest.raises(ValueError, match="argnums=3 is out of range"):
        rg.hessian(powers, argnums=3)
    with pytest.raises(rg.Unsupported, match="does not return one number") as refusal:
        rg.hvp(parts, jit=False)(X, V)
    assert refusal.value.span is not None
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'v'"):
        rg.hvp(cubic, jit=False)(X)
    with pytest.raises(ValueError, match="an extent of 2 instead of 3"):
        rg.hvp(cubic, jit=False)(X, V[:2])


ROWS = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(("options", "args", "error", "message"), [
    ({"in_axes": "a"}, None, TypeError, "in_axes must be an int, None or a tuple"),
    ({"out_axes": 1.0}, None, TypeError, "out_axes must be an int, None or a tuple"),
    ({"reduce": "max"}, None, ValueError, "reduce must be 'sum', 'mean' or None"),
    ({"reduce": "sum", "out_axes": 1}, None, ValueError, "with reduce there is no axis"),
    ({"in_axes": (0,)}, (ROWS, ROWS), ValueError, "one entry for each of the 3 positional"),
    ({"in_axes": (0, 2)}, (ROWS, ROWS), ValueError, "along axis 2, but it has 2 dimensions"),
    ({"in_axes": None}, (ROWS, ROWS), ValueError, "all of in_axes are None"),
    ({"in_axes": (0, 0)}, (ROWS, ROWS[:1]), ValueError, "inconsistent sizes .* 2 and 1"),
    ({"in_axes": (0, (0, 0))}, (ROWS, ROWS), TypeError, "ints, None or tuples"),
    ({"out_axes": 1}, (ROWS, ROWS), ValueError, "out_axes=1 is not an axis"),
])
def test_wrong_axes(options: dict[str, Any], args: Any, error: type[Exception],
                    message: str) -> None:
    with pytest.raises(error, match=message):
        rg.vmap(powers, **options, jit=False)(*args)


@MODES
def test_axes_of_parameters_with_defaults_may_be_left_out(jit: bool) -> None:
    expected = np.array([powers(a, b) for a, b in zip(ROWS, ROWS)])
    np.testing.assert_allclose(rg.vmap(powers, jit=jit)(ROWS, ROWS), expected)
    np.testing.assert_allclose(rg.vmap(powers, in_axes=(0, 0), jit=jit)(ROWS, ROWS), expected)
    np.testing.assert_allclose(rg.vmap(powers, in_axes=(0, 0), jit=jit)(ROWS, ROWS, n=2), expected)


def shifted(x: Any, by: Any = scale) -> Any:
    return np.sum(x * by)


def test_a_default_array_has_to_be_mentioned() -> None:
    with pytest.raises(ValueError, match="must have an entry for by, whose default"):
        rg.vmap(shifted, in_axes=(0,), jit=False)(np.ones((3, 3)))
    found = rg.vmap(shifted, in_axes=(0, None), jit=False)(np.ones((2, 3)))
    np.testing.assert_allclose(found, [6.0, 6.0])


# --- objects -------------------------------------------------------------------------------------

OBJECTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], str, str]] = {
    "hvp": (lambda: rg.hvp(powers, jit=False), (X, V, X),
            "<retrograd hvp of powers(a, v, b, n)>", "(a, v, b, n=2)"),
    "hessian": (lambda: rg.hessian(cubic, jit=False), (X,), "<retrograd hessian of cubic(x)>",
                "(x)"),
    "jacobian": (lambda: rg.jacobian(parts, jit=False), (X,), "<retrograd jacobian of parts(x)>",
                 "(x)"),
    "vmap": (lambda: rg.vmap(rg.grad(powers, jit=False), in_axes=(0, None)), (ROWS, X),
             "<retrograd vmap of powers(a, b, n)>", "(a, b, n=2)"),
    "grad of grad": (lambda: rg.grad(rg.grad(curve), jit=False), (0.7,),
                     "<retrograd grad of curve(x) wrt x>", "(x)"),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects(name: str, tmp_path: Path) -> None:
    make, args, text, signature = OBJECTS[name]
    found = make()
    assert repr(found) == text
    bare = [p.replace(annotation=p.empty) for p in inspect.signature(found).parameters.values()]
    assert str(inspect.Signature(bare)) == signature
    assert copy.copy(found) is found and copy.deepcopy(found) is found
    expected = found(*args)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again(*args), expected)
    assert type(again) is type(found) and repr(again) == text
    source = found.source(*args)
    found.write(tmp_path / "found.py", *args)
    assert (tmp_path / "found.py").read_text() == source
    space: dict[str, Any] = {}
    exec(compile(source, "found.py", "exec"), space)
    generated = next(v for k, v in space.items() if inspect.isfunction(v))
    bound = inspect.signature(found).bind(*args)
    bound.apply_defaults()
    np.testing.assert_array_equal(generated(*bound.args), expected)
    assert "retrograd" not in source.replace("Generated by retrograd", "")
    assert "<div" in found._repr_html_()


def test_compiled_ahead() -> None:
    found = rg.hvp(cubic)
    found.compile(("float64[:]", "float64[:]"))
    assert len(found.signatures) == 1
    np.testing.assert_allclose(found(X, V), 6 * X * V)
    np.testing.assert_allclose(found(ROWS[:, 0], ROWS[:, 1]), 6 * ROWS[:, 0] * ROWS[:, 1])
    assert len(found.signatures) == 1


def test_threads() -> None:
    found, results = rg.hessian(cubic), []
    threads = [threading.Thread(target=lambda: results.append(found(X))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 and len(found.signatures) == 1
    for one in results:
        np.testing.assert_allclose(one, np.diag(6 * X))


def test_jvp_compiles_once_for_a_function() -> None:
    from retrograd.api.options import Options
    from retrograd.api.transformed import pushforward_of

    for k in range(3):
        rg.jvp(scaled, (X * k,), (V,))
    assert len(pushforward_of(scaled, Options(), 1).signatures) == 1
