"""`out=`: results are made in the caller's arrays; where that cannot be they are copied there."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace

import numpy as np
import pytest

import retrograd as rg
from retrograd.backend.dispatch_out import Into, apart

both_modes = pytest.mark.parametrize("jit", [True, False])
X, Y = np.arange(1.0, 5.0), np.linspace(0.5, 2.0, 4)


def product(x, y):
    return np.sum(x * x * y)


def by_elements(x, y):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i] * y[i]
    return s


def with_dict(p):
    return np.sum(p["a"] * p["b"])


def sample(x, s):
    return np.sum(x * x) * s


def turns(u, w, n):
    for _ in range(n):
        u, w = w, u
        u[0] = 2.0 * u[0]
    return u * 1.0, w * 1.0


def no_results(x):
    return x * 2.0


def same(a, b):
    np.testing.assert_array_equal(a, b)


def direct_calls(monkeypatch):
    """What is handed over as memory, call by call: the sizes."""
    calls = []
    made = Into.__init__

    def noting(self, run, written, tree, make):
        def counted():
            direct = make()
            if direct is None:
                return None
            count = len(direct.types)

            def noted(function):
                def call(*args):
                    calls.append([a.size for a in args[count:]])
                    return function(*args)
                return call

            return replace(direct, run=noted(direct.run),
                           call=replace(direct.call, function=noted(direct.call.function)))

        made(self, run, written, tree, counted)

    monkeypatch.setattr(Into, "__init__", noting)
    return calls


@pytest.mark.parametrize("f", [product, by_elements])
def test_gradients_are_made_in_place(f, monkeypatch):
    calls = direct_calls(monkeypatch)
    out = np.full(4, np.nan), np.full(4, np.nan)
    g = rg.grad(f, (0, 1))
    for _ in range(2):
        found = g(X, Y, out=out)
        assert found[0] is out[0] and found[1] is out[1]
        same(found, (2 * X * Y, X * X))
    value, found = rg.value_and_grad(f, (0, 1))(X, Y, out=out)
    assert found[1] is out[1] and value == f(X, Y)
    assert calls == [[4, 4]] * 3
    same((X, Y), (np.arange(1.0, 5.0), np.linspace(0.5, 2.0, 4)))


def test_what_is_no_good_memory_is_copied_into(monkeypatch):
    calls = direct_calls(monkeypatch)
    g = rg.grad(product, (0, 1))
    unaligned = np.zeros(33, np.uint8)[1:].view(float)
    shared = np.empty(8)
    for out, sizes in (
            ((np.empty(8)[::2], np.empty(4)), [0, 4]),
            ((unaligned, np.empty(4)), [0, 4]),
            ((np.empty(4)[::-1], np.empty(4)), [0, 4]),
            ((shared[:4], shared[4:]), [4, 4]),
            ((None, np.empty(4)), [0, 4])):
        found = g(X, Y, out=out)
        same(found, (2 * X * Y, X * X))
        assert all(f is o for f, o in zip(found, out, strict=True) if o is not None)
        assert calls.pop() == sizes


@both_modes
def test_arguments_may_receive_their_gradients(jit):
    x, y = X.copy(), Y.copy()
    g = rg.grad(product, (0, 1), jit=jit)
    found = g(x, y, out=(y, x))
    assert found[0] is y and found[1] is x
    same(found, (2 * X * Y, X * X))
    long = np.concatenate([X, [7.0]])
    found = g(long[:4], Y, out=(long[1:], np.empty(4)))
    same(found[0], 2 * X * Y)


@both_modes
def test_one_array_twice_has_the_last_gradient(jit):
    a = np.empty(4)
    rg.grad(product, (0, 1), jit=jit)(X, Y, out=(a, a))
    same(a, X * X)


@both_modes
@pytest.mark.parametrize(("out", "error", "message"), [
    ((np.empty(4), np.empty(5)), ValueError, "out\\[1\\] has shape \\(5,\\), but the gradient"),
    ((np.empty(4), np.empty((2, 2))), ValueError, "out\\[1\\] has shape \\(2, 2\\)"),
    ((np.empty(4, np.float32), np.empty(4)), TypeError, "out\\[0\\] has dtype float32"),
    ((np.empty(4),), TypeError, "out must hold 2 arrays"),
    ((np.empty(4), [0.0] * 4), TypeError, "out\\[1\\] must be an array"),
])
def test_refused(jit, out, error, message):
    with pytest.raises(error, match=message):
        rg.grad(product, (0, 1), jit=jit)(X, Y, out=out)


@both_modes
def test_read_only_is_refused(jit):
    out = np.zeros(4)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        rg.grad(product, jit=jit)(X, Y, out=out)
    same(out, 0.0)


@both_modes
def test_empty_arrays(jit):
    out = np.empty(0), np.empty(0)
    none = np.empty(0)
    found = rg.grad(product, (0, 1), jit=jit)(none, none, out=out)
    assert found[0] is out[0] and found[1] is out[1]
    fresh = rg.grad(product, (0, 1), jit=jit)(none, none, out=(out[0], None))
    assert fresh[1] is not rg.grad(product, (0, 1), jit=jit)(none, none, out=(out[0], None))[1]


@both_modes
def test_dicts(jit):
    p = {"a": X, "b": Y}
    out = {"b": np.empty(4), "a": None}
    found = rg.grad(with_dict, jit=jit)(p, out=out)
    assert found["b"] is out["b"]
    same((found["a"], found["b"]), (Y, X))


@both_modes
def test_batches(jit, monkeypatch):
    calls = direct_calls(monkeypatch)
    rows, scales = np.arange(12.0).reshape(3, 4), np.array([1.0, -2.0, 0.5])
    b = rg.vmap(rg.value_and_grad(sample, (0, 1)), jit=jit)
    expected = b(rows, scales)
    out = (np.empty(3), (np.empty((3, 4)), None))
    value, (first, second) = b(rows, scales, out=out)
    assert value is out[0] and first is out[1][0]
    for found, true in zip((value, first, second), (expected[0], *expected[1]), strict=True):
        same(found, true)
    assert calls == ([[3, 12, 0]] if jit else [])
    with pytest.raises(ValueError, match="out\\[0\\] has shape \\(4,\\), but the result has"):
        b(rows, scales, out=(np.empty(4), None))


@both_modes
def test_second_order(jit):
    h = rg.hvp(by_elements, jit=jit)
    out = np.empty(4)
    assert h(X, Y, Y, out=out) is out
    same(out, 2 * Y * Y)
    out = np.empty((4, 4))
    assert rg.hessian(by_elements, jit=jit)(X, Y, out=out) is out
    np.testing.assert_allclose(out, np.diag(2 * Y))


@both_modes
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_arrays_that_take_turns(jit, n):
    b = rg.vmap(turns, (0, 0, None), jit=jit)
    u, w = np.arange(8.0).reshape(2, 4), np.ones((2, 4))
    out = np.full((2, 4), np.nan), np.full((2, 4), np.nan)
    for found, true in zip(b(u.copy(), w.copy(), n, out=out), b(u, w, n), strict=True):
        same(found, true)


def test_overlapping_views_are_seen():
    a = np.empty(10)
    assert apart(a, [a, np.empty(10)])
    assert apart(a[:5], [a[:5], a[5:]]) is False           # another object of the same memory
    left, right = a[:5], a[5:]
    assert apart(left, [left, right]) and not apart(left, [left, a[4:]])
    assert not apart(a, [a, left]) and not apart(a, [a, a])


WEIGHTS = np.arange(4.0)


def weighted(x):
    return np.sum(WEIGHTS * x * x)


def with_aux(x, y):
    return np.sum(x * x * y), x + 1.0


def squares(A):
    return np.sum((A @ A) * A)


def test_arrays_from_outside_count(monkeypatch):
    calls = direct_calls(monkeypatch)
    g = rg.grad(weighted)
    expected = g(X)
    try:
        assert g(X, out=WEIGHTS) is WEIGHTS
        same(WEIGHTS, expected)
    finally:
        WEIGHTS[:] = np.arange(4.0)
    assert calls == [[0]]


@both_modes
def test_what_comes_beside_gradients_is_returned(jit):
    out = np.empty(4)
    gradient, aux = rg.grad(with_aux, has_aux=True, jit=jit)(X, Y, out=out)
    assert gradient is out
    same((out, aux), (2 * X * Y, X + 1.0))
    (_, aux), gradient = rg.value_and_grad(with_aux, has_aux=True, jit=jit)(X, Y, out=out)
    assert gradient is out
    same(aux, X + 1.0)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_other_dtypes(dtype, monkeypatch):
    calls = direct_calls(monkeypatch)
    x, y = X.astype(dtype), Y.astype(dtype)
    out = np.empty(4, dtype), np.empty(4, dtype)
    g = rg.grad(product, (0, 1), holomorphic=dtype == "complex128")
    same(g(x, y, out=out), g(x, y))
    assert calls == [[4, 4]]


def test_results_of_libraries_are_copied():
    A = np.random.default_rng(0).random((5, 5))
    g = rg.grad(squares)
    expected = g(A)
    for out in (np.empty((5, 5)), np.empty((5, 5), order="F"), np.empty((10, 5))[::2], A):
        assert g(A, out=out) is out
        same(out, expected)


@pytest.mark.parametrize("options", [{}, {"parallel": True}, {"reduce": "mean"}, {"out_axes": 1}])
def test_batches_with_options(options, monkeypatch):
    calls = direct_calls(monkeypatch)
    rows, scales = np.random.default_rng(0).random((40, 4)), np.linspace(-1.0, 1.0, 40)
    b = rg.vmap(rg.grad(sample), **options)
    expected = b(rows, scales)
    out = np.full(expected.shape, np.nan)
    assert b(rows, scales, out=out) is out
    same(out, expected)
    assert calls == [[out.size]]


def test_programs_from_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("RETROGRAD_CACHE_DIR", str(tmp_path))
    rg.grad(product, (0, 1))(X, Y)
    calls = direct_calls(monkeypatch)
    out = np.empty(4), np.empty(4)
    same(rg.grad(product, (0, 1))(X, Y, out=out), (2 * X * Y, X * X))
    assert calls == [[4, 4]]


def test_no_reference_is_kept():
    out = np.empty(4), np.empty(4)
    g = rg.grad(by_elements, (0, 1))
    g(X, Y, out=out)
    before = sys.getrefcount(out[0])
    for y in (Y, Y[:2]) * 50:
        with contextlib.suppress(IndexError):
            g(X, y, out=out)
    after = sys.getrefcount(out[0])          # an assertion holds what it looks at
    assert after == before


def test_arrays_of_classes_of_their_own_are_copied_into():
    class Own(np.ndarray):
        pass

    out = np.empty(4).view(Own)
    assert rg.grad(product)(X, Y, out=out) is out
    same(np.asarray(out), 2 * X * Y)
