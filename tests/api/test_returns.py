"""`returns=`: the last contents of arguments are results."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import retrograd as rg
from api import writing_programs
from api.writing_programs import alike, rebinds, smooth, squares, step, unwritten

both_modes = pytest.mark.parametrize("jit", [True, False], ids=["compiled", "numpy"])
U, V = np.array([0.5, 1.5, -0.3, 0.8]), np.array([0.1, -0.4, 0.9, 0.2])
OUT_BAR = np.array([1.0, 2.0, 3.0, 4.0])


def equal(got, expected):
    assert type(got) is type(expected)
    if isinstance(expected, tuple):
        assert len(got) == len(expected)
        for g, e in zip(got, expected):
            equal(g, e)
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-13)


def smoothed(u):
    out = np.zeros(4)
    smooth(u, out)
    return out


@both_modes
@pytest.mark.parametrize("names", ["out", ("out",), ["out"]])
def test_a_kernel_stands_for_a_function_of_one_array(names, jit):
    value, pullback = rg.vjp(smooth, U, np.zeros(4), returns=names, jit=jit)
    equal(value, smoothed(U))
    u_bar, out_bar = pullback(OUT_BAR)
    equal(u_bar, rg.vjp(smoothed, U, jit=False)[1](OUT_BAR)[0])
    equal(out_bar, np.zeros(4))
    equal(pullback(OUT_BAR)[0], u_bar)


@both_modes
def test_several_contents_are_a_tuple_behind_the_value(jit):
    expected, true = rg.vjp(alike, U, V, 0.1, jit=False)
    for names, part in ((("u", "v"), (0, 1, 2)), (("v", "u"), (0, 2, 1)), ("v", (0, 2))):
        value, pullback = rg.vjp(step, U, V, 0.1, returns=names, jit=jit)
        equal(value, tuple(expected[k] for k in part))
        seeds = {0: 0.5, 1: OUT_BAR, 2: OUT_BAR * OUT_BAR}
        bars = pullback(tuple(seeds[k] for k in part))
        equal(bars, true(tuple(seeds[k] if k in part else np.zeros(4) for k in range(3))))


@both_modes
def test_of_several_arrays_alone_a_tuple(jit):
    def kernel(u, v):
        u *= v
        v[0] = u[1]

    value, pullback = rg.vjp(kernel, U, V, returns=("v", "u"), jit=jit)
    equal(value, (np.array([U[1] * V[1], *V[1:]]), U * V))
    u_bar, v_bar = pullback((OUT_BAR, np.zeros(4)))
    equal(u_bar, np.array([0.0, V[1], 0.0, 0.0]))
    equal(v_bar, np.array([0.0, 2.0 + U[1], 3.0, 4.0]))


@both_modes
def test_with_has_aux_the_contents_are_the_aux(jit):
    value_and_grad = rg.value_and_grad(step, 0, has_aux=True, returns="u", jit=jit)
    for _ in range(2):
        (value, u), u_bar = value_and_grad(U, V, 0.1)
        expected, pullback = rg.vjp(alike, U, V, 0.1, jit=False)
        equal((value, u), expected[:2])
        equal(u_bar, pullback((1.0, np.zeros(4), np.zeros(4)))[0])
        gradient, u = value_and_grad.grad(U, V, 0.1)
        equal((gradient, u), (u_bar, expected[1]))


@both_modes
def test_differentiable_returns_them_and_changes_the_arrays(jit):
    d = rg.differentiable(step, returns=("v",), jit=jit)
    expected = alike(U, V, 0.1)
    for _ in range(2):
        u, v = U.copy(), V.copy()
        value = d(u, v, 0.1)
        equal(value, (expected[0], expected[2]))
        equal((u, v), expected[1:])
        assert not np.may_share_memory(value[1], v)
    equal(d.vjp(U, V, 0.1)[0], (expected[0], expected[2]))


@both_modes
def test_the_content_is_that_of_the_callers_array_not_of_the_name(jit):
    a = U.copy()
    equal(rg.vjp(rebinds, a, returns="a", jit=jit)[0], np.array([3.0, *U[1:]]))
    equal(a, U)


@both_modes
def test_an_array_that_is_not_written_is_returned_as_a_copy(jit):
    value, pullback = rg.vjp(unwritten, U, 2.0, returns="a", jit=jit)
    equal(value, (U * 2.0, U.copy()))
    assert not np.may_share_memory(value[1], U)
    equal(pullback((np.zeros(4), OUT_BAR))[0], OUT_BAR)


@both_modes
def test_check_grads_takes_returns(jit):
    rg.check_grads(smooth, (U, np.zeros(4)), returns="out", jit=jit)
    rg.check_grads(step, (U, V, 0.1), returns=("u", "v"), jit=jit)
    rg.check_grads(rg.differentiable(smooth, returns="out", jit=jit), (U, np.zeros(4)))


def test_a_decorator_takes_returns():
    @rg.differentiable(returns="a", jit=False)
    def doubled(a):
        a *= 2.0

    a = U.copy()
    equal(doubled(a), 2.0 * U)
    equal(a, 2.0 * U)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(("names", "error", "text"), [
    ("w", ValueError, r"returns names 'w', but smooth has no such parameter; it has u, out"),
    (("out", "w"), ValueError, r"returns names 'w'"),
    (("u", "u"), ValueError, r"returns names 'u' twice"),
    (1, TypeError, r"returns must be the name of a parameter or a tuple of names, got 1"),
    ((1,), TypeError, r"returns must be the name"),
    (None, TypeError, r"returns must be the name"),
])
def test_wrong_names(names, error, text):
    for make in (rg.grad, rg.value_and_grad, rg.differentiable):
        with pytest.raises(error, match=text):
            make(smooth, returns=names)
    with pytest.raises(error, match=text):
        rg.vjp(smooth, U, V, returns=names)
    with pytest.raises(error, match=text):
        rg.check_grads(smooth, (U, V), returns=names)


def test_parameters_without_a_last_content():
    def f(a, n, *rest, mode="x"):
        a[0] = n
        return a[1]

    with pytest.raises(ValueError, match=r"'rest', which stands for any number of arguments"):
        rg.grad(f, returns="rest")
    for name, what in (("n", "is a float64"), ("mode", "is known while compiling")):
        with pytest.raises(TypeError, match=rf"returns names '{name}', which {what}.*pass an arr"):
            rg.vjp(f, U, 2.0, returns=name, jit=False)


def test_a_gradient_needs_one_number():
    for f, names in ((smooth, "out"), (step, "u")):
        with pytest.raises(rg.Unsupported, match="needs one number") as caught:
            rg.grad(f, returns=names, jit=False)(U, V, *((0.1,) if f is step else ()))
        assert "vjp" in caught.value.remedy


# --- source, files, processes ---------------------------------------------------------------------


def run(text, name):
    scope = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), scope)
    return scope[name]


@pytest.mark.parametrize("kind", ["readable", "compiled"])
def test_exported_source_returns_the_contents(kind, tmp_path):
    d = rg.differentiable(smooth)
    d.write(tmp_path / "smooth.py", kind, U, np.zeros(4))
    text = (tmp_path / "smooth.py").read_text()
    assert "# The value has the last contents of out; the arguments stay as they are." in text
    assert "retrograd" not in text.replace("# Generated by retrograd from", "")
    out = np.zeros(4)
    equal(run(text, "smooth")(U, out), smoothed(U))
    equal(out, np.zeros(4))
    g = rg.value_and_grad(step, (0, 2), has_aux=True, returns=("v",))
    text = g.source(kind, U, V, 0.1)
    equal(run(text, "step_value_and_grad")(U.copy(), V.copy(), 0.1)[0][1], alike(U, V, 0.1)[2])
    assert "The value has the last contents of v;" in text


@pytest.mark.parametrize("kind", ["readable", "compiled"])
def test_the_source_of_a_pullback(kind):
    _, pullback = rg.vjp(smooth, U, np.zeros(4), returns="out")
    equal(run(pullback.source(kind), "smooth_vjp")(U, np.zeros(4), OUT_BAR), pullback(OUT_BAR))


def test_the_readable_source():
    assert rg.differentiable(squares, jit=False).source(U, V) == """\
# Generated by retrograd from squares.
# Arguments: a: float64[:], b: float64[:].
# The value has the last contents of a, b; the arguments stay as they are.


def squares(a, b):
    a = a * a
    b = b + 2.0 * a
    return a, b
"""
    text = rg.vjp(squares, U, V, returns="b", jit=False)[1].source()
    assert "# The value has the last contents of b;" in text
    assert text.endswith("""\
    # b += 2.0 * a
    a_bar = 2.0 * out_bar
    # a *= a
    a_bar = 2.0 * a_bar * a
    return a_bar, out_bar.copy()
""")


def test_repr_and_pickling():
    g = rg.value_and_grad(step, (0, 2), returns=["u", "v"], has_aux=True, jit=False)
    assert repr(g) == ("<retrograd value_and_grad of step(u, v, dt) wrt u, dt returning u, v>")
    again = pickle.loads(pickle.dumps(g))
    assert again.options == g.options and again.options.contents == ("u", "v")
    again = pickle.loads(pickle.dumps(rg.differentiable(smooth, returns="out", jit=False)))
    equal(again(U, np.zeros(4)), smoothed(U))


PROCESS = """
import sys
import numpy as np
import retrograd as rg
from api.writing_programs import smooth, step
u, out = np.arange(4.0), np.zeros(4)
plain = rg.differentiable(smooth)
assert plain(u, out) is None and out[1] == 1.0, out
assert np.array_equal(rg.differentiable(smooth, returns="out")(u, np.zeros(4)), out)
assert np.array_equal(rg.vjp(smooth, u, np.zeros(4), returns="out")[0], out)
g = rg.grad(step, 2)
g(u, out, 0.1)
for call in (lambda: plain(u, u), lambda: g(u, u[::-1], 0.1),
             lambda: rg.vjp(smooth, u, u, returns="out")):
    try:
        call()
    except rg.Unsupported as refusal:
        assert refusal.span.line and refusal.line
    else:
        raise AssertionError("overlapping arguments")
print("retrograd.pipeline" in sys.modules)
"""


def test_a_second_process_knows_what_is_written(tmp_path):
    tests = os.path.dirname(os.path.dirname(writing_programs.__file__))
    path = os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])
    for derives in ("True", "False"):
        done = subprocess.run(
            [sys.executable, "-c", PROCESS], capture_output=True, text=True, check=False,
            env={**os.environ, "RETROGRAD_CACHE_DIR": str(tmp_path), "PYTHONPATH": path})
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == derives
