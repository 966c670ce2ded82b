"""Opaque functions: what they return is checked, and how compiled code reaches them."""

from __future__ import annotations

import ctypes
import pickle
import re
import runpy
import threading
import warnings

import cloudpickle
import numba
import numpy as np
import pytest
import scipy.special

import retrograd as rg
from api import opaque_programs
from api.opaque_programs import CALLS, f_ctypes, f_numba, f_python, f_unruled

pytestmark = pytest.mark.filterwarnings("ignore::retrograd.OpaqueWarning")
both_modes = pytest.mark.parametrize("jit", [True, False], ids=["compiled", "numpy"])
X = np.array([0.5, 1.0, 2.0])


@both_modes
def test_j0_of_libm(jit):
    value, gradient = rg.value_and_grad(f_ctypes, jit=jit)(0.7)
    j0, j1 = scipy.special.j0(0.7), scipy.special.j1(0.7)
    np.testing.assert_allclose([value, gradient], [0.7 * j0, j0 - 0.7 * j1], rtol=1e-14)
    second = rg.grad(rg.grad(f_ctypes), jit=jit)(0.7)
    np.testing.assert_allclose(second, -2 * j1 - 0.7 * (j0 - j1 / 0.7), rtol=1e-13)


def test_compiled_code_calls_what_numba_can_call():
    for f, arg in ((f_ctypes, 0.7), (f_numba, X)):
        assert "objmode" not in rg.grad(f).source("compiled", arg)
    source = rg.grad(f_python).source("compiled", X)
    assert re.search(r"with objmode\(found='float64\[::1\]'\):\n +found = cumulated\(argument\)",
                     source)
    assert "= cumulated_interpreted(t)" in source
    assert "from api.opaque_programs import cumulated" in source


def test_the_readable_source_is_a_program():
    source = rg.grad(f_python).source(X)
    scope = {}
    exec(source, scope)
    np.testing.assert_array_equal(scope["f_python_grad"](X), rg.grad(f_python, jit=False)(X))


@both_modes
def test_it_is_called_once(jit):
    gradient = rg.value_and_grad(f_python, jit=jit)
    gradient(X)
    CALLS.clear()
    gradient(X)
    assert CALLS == [3]
    _, pullback = rg.vjp(f_python, X, jit=jit)
    CALLS.clear()
    pullback(1.0)
    assert CALLS == []


def test_it_is_warned_about_once():
    @rg.rule(opaque=True, result="float64", name="slow")
    def slow(x):
        return float(x) ** 2

    slow.partials(lambda x, *, out: 2 * x)

    def f(x):
        return slow(x)

    with pytest.warns(rg.OpaqueWarning, match="'slow' is opaque.*through the interpreter"):
        assert rg.value_and_grad(f)(3.0) == (9.0, 6.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rg.differentiable(f)(3.0) == 9.0
        assert rg.grad(f, jit=False)(3.0) == 6.0


def opaque(function, result, **rule):
    made = rg.rule(function, opaque=True, result=result, name="made")
    made.pullback(lambda x, *, out_bar: out_bar * x)
    return made


@pytest.mark.parametrize(("function", "result", "exception", "message"), [
    (lambda x: x, "float64", TypeError,
     "'made' returned float64[:], and its result= says float64"),
    (lambda x: np.float32(1.0), "float64", TypeError,
     "'made' returned float32, and its result= says float64"),
    (lambda x: x[:2], lambda x: x, ValueError,
     "'made' returned an array of shape (2,), and its result= says (3,)"),
    (lambda x: x.astype(np.float32), lambda x: x, TypeError,
     "'made' returned float32[:], and its result= says float64[:]"),
    (lambda x: "no", "float64", TypeError, "'made' returned"),
    (lambda x: 1j, "float64", TypeError, "'made' returned complex128"),
])
@both_modes
def test_what_it_returns_is_checked(function, result, exception, message, jit):
    made = opaque(function, result)

    def f(x):
        return np.sum(made(x))

    for call in (lambda: made(X), lambda: rg.value_and_grad(f, jit=jit)(X)):
        with pytest.raises(exception, match=re.escape(message)):
            call()


@both_modes
def test_exceptions_come_through(jit):
    def broken(x):
        raise KeyError("nothing here")

    made = opaque(broken, lambda x: x)

    def f(x):
        return np.sum(made(x))

    with pytest.raises(KeyError, match="nothing here"):
        rg.value_and_grad(f, jit=jit)(X)


@both_modes
def test_what_it_keeps_is_not_written_to(jit):
    """The function returns the same array every time; the caller writes into what it gets."""
    kept = np.ones(3)
    made = rg.rule(lambda x: kept, opaque=True, result=lambda x: x, name="made")
    made.pullback(lambda x, *, out_bar: out_bar)

    def f(x):
        y = made(x)
        y[0] = 5.0
        return np.sum(y * x)

    expected = [5.0, 1.0 + 1.0, 1.0 + 2.0]
    for _ in range(2):
        np.testing.assert_allclose(rg.grad(f, jit=jit)(X), expected)
    np.testing.assert_array_equal(kept, np.ones(3))
    assert not np.shares_memory(made(X), kept)


@both_modes
def test_other_dtypes(jit):
    made = rg.rule(lambda x: x * np.float32(2), opaque=True, result="float32", name="made")
    made.partials(lambda x, *, out: 2.0)

    def f(x):
        return made(x) * x

    found = rg.grad(f, jit=jit)(np.float32(3.0))
    assert found == 12.0 and type(found) is np.float32


@both_modes
def test_counts_and_truths(jit):
    count = rg.rule(lambda x: int(np.sum(x > 0.7)), opaque=True, result="int64", name="count")
    some = rg.rule(lambda x: x > 0.7, opaque=True, result=lambda x: x > 0, name="some")

    def f(x):
        return np.sum(x[:count(x)]) + np.sum(np.where(some(x), x, 0.0))

    np.testing.assert_array_equal(rg.grad(f, jit=jit)(X), [1.0, 2.0, 1.0])


@both_modes
def test_without_a_rule_it_may_be_called_on_what_is_not_differentiated(jit):
    assert rg.grad(f_unruled, jit=jit)(0.5) == scipy.special.struve(3.0, 1.0)
    with pytest.raises(rg.Unsupported, match="the rule of 'unruled' has no pullback"):
        rg.grad(lambda x: opaque_programs.unruled(3.0, x), jit=jit)(0.5)


def test_wrong_definitions():
    with pytest.raises(TypeError, match="nothing says what 'len' returns: pass result="):
        rg.rule(len, opaque=True)
    function = ctypes.CDLL(None).labs
    function.restype = ctypes.c_void_p
    with pytest.raises(TypeError, match="needs argtypes and a restype"):
        rg.rule(function, opaque=True)
    with pytest.raises(ValueError, match="'float63' is not a type"):
        rg.rule(len, opaque=True, result="float63")


def test_refused_arguments():
    made = opaque(lambda x: x, lambda x: x)
    with pytest.raises(rg.Unsupported, match="is called with something that is neither"):
        rg.grad(lambda x: made("text") * x, jit=False)(1.0)


def test_two_functions_of_one_name_are_two_functions():
    """Both give the same source; what is compiled must not be shared."""
    def squared(factor):
        made = rg.rule(lambda x: factor * x * x, opaque=True, result="float64", name="made")
        made.partials(lambda x, *, out: 2 * out / x)
        return rg.grad(lambda x: made(x))

    assert [squared(k)(3.0) for k in (1.0, 2.0, 3.0)] == [6.0, 12.0, 18.0]


class Counter:
    """It cannot be pickled, and counts its calls."""

    def __init__(self):
        self.calls = 0
        self.lock = threading.Lock()

    def __call__(self, x):
        with self.lock:
            self.calls += 1
        return x * 2


def test_compiled_code_calls_the_object_itself():
    counter = Counter()
    made = rg.rule(counter, opaque=True, result=lambda x: x, name="counter")
    made.partials(lambda x, *, out: 2.0)

    def f(x):
        return np.sum(made(x) * x)

    np.testing.assert_array_equal(rg.grad(f)(X), 4 * X)
    assert counter.calls == 1


def test_an_object_that_is_found_under_another_name():
    """Its rule refers to it: a cycle."""
    thing = rg.rule(scipy.special.j0, opaque=True, name="other")
    thing.partials(lambda x, *, out: thing(x) * 0.0 + 1.0)

    def f(x):
        return thing(x) * 2.0

    assert rg.value_and_grad(f)(0.5) == (2 * scipy.special.j0(0.5), 2.0)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(thing)                               # its rule is a local function
    again = cloudpickle.loads(cloudpickle.dumps(thing))
    assert again(0.5) == thing(0.5) and again.definition.name == "other"


def test_a_file_can_import_what_it_calls(tmp_path):
    rg.grad(f_python).write(tmp_path / "gradient.py", X)
    scope = runpy.run_path(str(tmp_path / "gradient.py"))
    np.testing.assert_array_equal(scope["f_python_grad"](X), rg.grad(f_python, jit=False)(X))
    local = opaque(lambda x: x * 2, lambda x: x)
    with pytest.raises(rg.Unsupported, match="calls made, an opaque function that no module has"):
        rg.grad(lambda x: np.sum(local(x) * x)).write(tmp_path / "other.py", X)


# --- several results -----------------------------------------------------------------------------


@both_modes
def test_one_call_for_all_results(jit):
    for f, calls in ((opaque_programs.f_moments, 1), (opaque_programs.f_moments_in_a_loop, 3),
                     (opaque_programs.f_one_of_the_moments, 2)):
        gradient = rg.value_and_grad(f, jit=jit)
        gradient(X)
        _, pullback = rg.vjp(f, X, jit=jit)
        for call, wanted in ((lambda f=gradient: f(X), calls), (lambda p=pullback: p(1.0), 0),
                             (lambda f=f: rg.jvp(f, (X,), (X,), jit=jit), calls),
                             (lambda f=f: rg.differentiable(f, jit=jit)(X), calls)):
            CALLS.clear()
            call()
            assert ["both"] * wanted == CALLS


def test_how_calls_with_several_results_are_printed():
    f = opaque_programs.f_moments
    assert "moments_0, moments_1, moments_2 = moments(t)" in rg.differentiable(f).source(X)
    compiled = rg.value_and_grad(f).source("compiled", X)
    assert re.search(r"with objmode\(found_0='float64\[::1\]', found_1='float64', "
                     r"found_2='int64'\):\n +found_0, found_1, found_2 = moments\(argument\)",
                     compiled)
    assert compiled.count("moments_interpreted(t)") == 1
    f = opaque_programs.f_one_of_the_moments
    assert "unused, moments_1, unused_1 = moments(x)" in rg.differentiable(f).source(X)
    assert "with objmode(found_1='float64'):" in rg.differentiable(f).source("compiled", X)
    f = opaque_programs.f_polars
    assert "objmode" not in rg.grad(f).source("compiled", X, X)
    assert "polars_0, polars_1 = polars(x, t)" in rg.grad(f).source(X, X)


def test_results_whose_operations_are_apart():
    """Whatever passes put between them, there is one call, and no result is in two variables."""
    from retrograd.backend.emit_several import several
    from retrograd.ir.foreign import Foreign
    from retrograd.ir.nodes import Let, Value
    from retrograd.ir.types import FLOAT, Scalar

    function, x, y = Foreign("F", divmod), Value("x", FLOAT), Value("y", FLOAT)

    def part(k, *args):
        return Let(Value("t", Scalar("float64")), "opaque", args, {
            "function": function, "dtype": "float64", "rank": 0, "number": k,
            "results": (("float64", 0),) * 2})

    between = Let(Value("s", FLOAT), "add", (x, y), {})
    block = (part(0, x), part(0, y), between, part(1, x), part(1, y), part(0, x))
    found = several(block)
    assert found[block[0]] is found[block[3]] and found[block[1]] is found[block[4]]
    assert found[block[0]] is not found[block[1]] and found[block[0]] is not found[block[5]]
    assert [found[block[k]].together for k in (0, 1, 5)] == [False, False, True]


@both_modes
def test_second_derivatives_of_several_results(jit):
    at = np.array([0.4, 1.1, 0.7])

    def slope(x):
        return np.sum(rg.grad(opaque_programs.f_moments)(x) * x)

    def by_numpy(x):
        return np.sum(rg.grad(opaque_programs.f_moments, jit=False)(x) * x)

    _, tangent = rg.jvp(slope, (at,), (at,), jit=jit)
    np.testing.assert_allclose(np.sum(rg.grad(slope, jit=jit)(at) * at), tangent, rtol=1e-11)
    step = 1e-6 * at
    np.testing.assert_allclose(tangent, (by_numpy(at + step) - by_numpy(at - step)) / 2e-6,
                               rtol=1e-6)


@both_modes
def test_batches_of_several_results(jit):
    xs, ys = np.stack([X, X + 1.0]), np.stack([X[::-1], X])
    found = rg.vmap(rg.grad(opaque_programs.f_polars, argnums=(0, 1)), jit=jit)(xs, ys)
    for k in range(2):
        wanted = rg.grad(opaque_programs.f_polars, argnums=(0, 1), jit=False)(xs[k], ys[k])
        for f, w in zip(found, wanted):
            np.testing.assert_allclose(f[k], w, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("function", "result", "exception", "message"), [
    (lambda x: x, ("float64[:]", "float64"), TypeError,
     "'made' returned one result, and its result= says 2"),
    (lambda x: (x, 1.0, 2.0), ("float64[:]", "float64"), TypeError,
     "'made' returned 3 results, and its result= says 2"),
    (lambda x: (x, x), ("float64[:]", "float64"), TypeError,
     "'made' returned float64[:] as result 1, and its result= says float64"),
    (lambda x: (x, np.float32(1.0)), ("float64[:]", "float64"), TypeError,
     "'made' returned float32 as result 1, and its result= says float64"),
    (lambda x: (x[1:], 1.0), lambda x: (x, 0.0), ValueError,
     "'made' returned an array of shape (2,) as result 0, and its result= says (3,)"),
    (lambda x: ((x, x), 1.0), lambda x: (x, 0.0), TypeError,
     "'made' returned float64[:, :] as result 0, and its result= says float64[:]"),
])
@both_modes
def test_several_results_are_checked(function, result, exception, message, jit):
    made = rg.rule(function, opaque=True, result=result, name="made")
    made.pullback(lambda x, *, out_bar: x * out_bar[1])

    def f(x):
        a, b = made(x)
        return np.sum(a) * b

    for call in (lambda: made(X), lambda: rg.value_and_grad(f, jit=jit)(X)):
        with pytest.raises(exception, match=re.escape(message)):
            call()


@both_modes
def test_shapes_of_what_compiled_code_calls_itself(jit):
    @numba.njit
    def cut(x):
        return x[:2].copy(), x[1:].copy()

    made = rg.rule(cut, opaque=True, result=lambda x: (x[:2], x), name="made")
    made.pullback(lambda x, *, out_bar: x)
    with pytest.raises(ValueError, match=re.escape("'made' returned an array of shape (2,) as "
                       "result 1, and its result= says (3,)")):
        rg.value_and_grad(lambda x: np.sum(made(x)[1]), jit=jit)(X)


@both_modes
def test_what_several_results_keep_is_not_written_to(jit):
    kept = np.ones(3)
    made = rg.rule(lambda x: (kept, kept), opaque=True, result=lambda x: (x, x), name="made")
    made.pullback(lambda x, *, out_bar: out_bar[0] + out_bar[1])

    def f(x):
        a, b = made(x)
        a[0] = 5.0
        return np.sum(a * b * x)

    a = np.array([5.0, 1.0, 1.0])
    of_a, of_b = np.array([0.0, X[1], X[2]]), a * X          # what the pullback gets
    np.testing.assert_allclose(rg.grad(f, jit=jit)(X), a + of_a + of_b)
    np.testing.assert_array_equal(kept, np.ones(3))


def test_wrong_declarations_of_several_results():
    with pytest.raises(ValueError, match="'float63' is not a type"):
        rg.rule(len, opaque=True, result=("float64", "float63"))
    with pytest.raises(TypeError, match=r"'len' cannot return a 3"):
        rg.rule(len, opaque=True, result=("float64", 3))
    made = rg.rule(lambda x: x, opaque=True, result=lambda x: (x, (x, x)), name="made")
    with pytest.raises(rg.Unsupported, match="result= of 'made' gives something that is neither"):
        rg.differentiable(lambda x: made(x)[0], jit=False)(X)


def test_names_that_a_call_through_the_interpreter_needs():
    found = rg.rule(lambda x: x * 2.0, opaque=True, result="float64", name="found")
    found.partials(lambda x, *, out: 2.0)

    def f(x):
        return found(x) * found(x + 1.0) if x > 0 else found(x)

    assert rg.value_and_grad(f)(2.0) == (24.0, 20.0) and rg.value_and_grad(f)(-2.0) == (-4.0, 2.0)
    assert rg.grad(f).source("compiled", 2.0).count("with objmode(found_=") == 1
