"""Rules among everything else: checkpoints, residuals, complex numbers, pickling, batches."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import retrograd as rg
from api import opaque_programs, rule_programs
from api.rule_programs import both, pair, softplus

pytestmark = pytest.mark.filterwarnings("ignore::retrograd.OpaqueWarning")
both_modes = pytest.mark.parametrize("jit", [True, False], ids=["compiled", "numpy"])
X = np.array([0.3, -1.2, 2.0])
RATE = 0.5


def difference(f, x, step=1e-6):
    found = np.zeros_like(x)
    for k in range(x.size):
        e = np.zeros_like(x)
        e[k] = step
        found[k] = (f(x + e) - f(x - e)) / (2 * step)
    return found


@both_modes
def test_in_a_checkpointed_loop(jit):
    def f(x):
        for _ in rg.checkpointed(range(9), snapshots=2):
            a, b = pair(x, x + 1.0)
            x = x + 0.1 * a + 0.01 * b + 0.1 * softplus(x)
        return np.sum(x)

    np.testing.assert_allclose(rg.grad(f, jit=jit)(X), difference(f, X), rtol=1e-7)


@both_modes
@pytest.mark.parametrize("wanted", [{"store": ("y",)}, {"recompute": ("y",)}, {}])
def test_residuals(wanted, jit):
    def f(x):
        for _ in range(4):
            y = softplus(x)
            x = 0.5 * x * y
        return np.sum(x)

    np.testing.assert_allclose(rg.grad(f, jit=jit, **wanted)(X), difference(f, X), rtol=1e-7,
                               atol=1e-8)


def test_the_result_of_a_call_in_a_loop_is_stored():
    def f(x):
        for _ in range(4):
            y = softplus(x)
            x = x * y
        return np.sum(x)

    table = {row.variable: row.answer for row in rg.grad(f).residuals(X).rows}
    assert table["y"] == "store"


@both_modes
def test_one_of_several_results(jit):
    def f(x):
        a, b = both(x, 2.0 * x)
        c, _ = both(a, x)
        return np.sum(c * x) if x[0] > 0 else np.sum(b)

    for x in (X, -X):
        np.testing.assert_allclose(rg.grad(f, jit=jit)(x), difference(f, x), rtol=1e-7)


@both_modes
def test_results_that_are_no_floats(jit):
    @rg.rule
    def largest(x):
        k = np.argmax(x)
        return x[k], k

    @largest.pullback
    def _(x, *, out, out_bar):
        x_bar = np.zeros_like(x)
        x_bar[out[1]] = out_bar[0]
        return x_bar

    @largest.pushforward
    def _(x, *, out, x_dot):
        return x_dot[out[1]], None

    def f(x):
        top, k = largest(x)
        return top ** 2 * x[k - 1]

    np.testing.assert_allclose(rg.grad(f, jit=jit)(X), difference(f, X), rtol=1e-7)
    _, tangent = rg.jvp(f, (X,), (X,), jit=jit)
    np.testing.assert_allclose(tangent, difference(f, X) @ X, rtol=1e-7)


@both_modes
def test_complex_numbers(jit):
    @rg.rule
    def square(z):
        return z * z

    @square.partials
    def _(z, *, out):
        return 2 * z

    def f(x):
        z = square(x + 1j * x ** 2)
        return np.sum(z.real * z.imag)

    np.testing.assert_allclose(rg.grad(f, jit=jit)(X), difference(f, X), rtol=1e-6)


@both_modes
def test_strong_zeros(jit):
    """What was not chosen contributes nothing, whatever the partial is."""
    @rg.rule
    def root(x):
        return np.sqrt(x)

    @root.partials
    def _(x, *, out):
        return 0.5 / out

    def f(x):
        return np.sum(np.where(x > 0, root(x), 0.0))

    def overwritten(x):
        y = root(x)
        y[0] = 8.0
        return np.sum(y)

    for g in (f, overwritten):
        np.testing.assert_array_equal(rg.grad(g, jit=jit)(np.array([0.0, 4.0])), [0.0, 0.25])


@both_modes
def test_the_rule_is_what_counts(jit):
    """A rule that is not the function's derivative: gradients of it, of both orders."""
    @rg.rule
    def clipped(x):
        return x

    @clipped.pullback
    def _(x, *, out_bar):
        return np.minimum(np.maximum(out_bar, -1.0), 1.0)

    @clipped.pushforward
    def _(x, *, x_dot):
        return 3.0 * x_dot

    def f(x):
        return np.sum(clipped(x) ** 2)

    np.testing.assert_array_equal(rg.grad(f, jit=jit)(X), np.clip(2 * X, -1, 1))
    assert rg.jvp(f, (X,), (X,), jit=jit)[1] == 6 * X @ X


@both_modes
def test_what_a_rule_captures_is_read_at_every_call(jit, monkeypatch):
    @rg.rule
    def scaled(x):
        return x * 2

    @scaled.partials
    def _(x):
        return RATE

    gradient = rg.grad(lambda x: scaled(x) * 2, jit=jit)
    assert gradient(1.0) == 1.0
    monkeypatch.setitem(globals(), "RATE", 4.0)
    assert gradient(1.0) == 8.0


@both_modes
def test_raising_and_printing_in_a_rule(jit, capfd):
    @rg.rule
    def f(x):
        return x * x

    @f.pullback
    def _(x, *, out_bar):
        if out_bar > 10:
            raise OverflowError("too steep")
        print("pulled back", x)
        return 2 * x * out_bar

    gradient = rg.grad(lambda x, k: f(x) * k, jit=jit)
    assert gradient(3.0, 2.0) == 12.0
    assert "pulled back 3.0" in capfd.readouterr().out
    with pytest.raises(OverflowError, match="too steep"):
        gradient(3.0, 20.0)


@both_modes
def test_third_order(jit):
    """The rule of j0 calls j1, whose rule calls j0."""
    def f(x):
        return opaque_programs.j0(x)

    third = rg.grad(rg.grad(rg.grad(f)), jit=jit)
    x, step = 0.7, 1e-4
    second = rg.grad(rg.grad(f), jit=False)
    expected = (second(x + step) - second(x - step)) / (2 * step)
    np.testing.assert_allclose(third(x), expected, rtol=1e-7)


def test_pickling_and_copying():
    for thing in (softplus, opaque_programs.j0, opaque_programs.bessel):
        assert pickle.loads(pickle.dumps(thing)) is thing
        assert copy.copy(thing) is thing and copy.deepcopy(thing) is thing
    gradient = pickle.loads(pickle.dumps(rg.grad(rule_programs.f_array, jit=False)))
    np.testing.assert_array_equal(gradient(X), rg.grad(rule_programs.f_array, jit=False)(X))


@both_modes
def test_methods_and_partials(jit):
    class Model:
        def __init__(self):
            self.activation = softplus

        def loss(self, x):
            return np.sum(self.activation(x) ** 2)

    model = Model()
    np.testing.assert_allclose(rg.grad(model.loss, jit=jit)(X), difference(model.loss, X),
                               rtol=1e-7)


@both_modes
def test_in_a_batch(jit):
    def sample(x, w):
        return rule_programs.root(x) * w + softplus(x * w)

    batch = rg.vmap(rg.grad(sample, jit=jit), in_axes=(0, None))
    one = rg.grad(sample, jit=False)
    np.testing.assert_allclose(batch(X ** 2, 0.3), [one(float(x), 0.3) for x in X ** 2],
                               rtol=1e-12)


@rg.rule
def applied(function, x):
    return function(x)


@applied.pullback
def _(function, x, *, out_bar):
    return None, 2.0 * out_bar * function(1.0)


@applied.pushforward
def _(function, x, *, x_dot):
    return 2.0 * x_dot * function(1.0)


@both_modes
def test_what_a_function_that_is_passed_reads(jit):
    """A rule gives no derivative with respect to it, so none may be asked for."""
    def f(x, y):
        return applied(lambda t: t * y, x)

    def g(x):
        return applied(lambda t: t * x, x)

    def h(x):
        return applied(lambda t: t * rg.stop_gradient(x), x)

    assert rg.grad(f, jit=jit)(3.0, 5.0) == 10.0 and rg.grad(h, jit=jit)(3.0) == 6.0
    assert rg.jvp(f, (3.0, 5.0), (1.0, None), jit=jit) == (15.0, 10.0)
    for name, call in (("y", lambda: rg.grad(f, argnums=1, jit=jit)(3.0, 5.0)),
                       ("y", lambda: rg.jvp(f, (3.0, 5.0), (None, 1.0), jit=jit)),
                       ("x", lambda: rg.grad(g, jit=jit)(3.0)),
                       ("x", lambda: rg.jvp(g, (3.0,), (1.0,), jit=jit))):
        with pytest.raises(rg.Unsupported, match=f"passed to 'applied' reads '{name}'.*remedy: "
                           f"pass {name} as an argument".replace(".*", "(?s:.)*")):
            call()


def test_what_a_function_that_is_a_setting_reads():
    @rg.rule
    def f(x, *, scale):
        return x * scale()

    f.partials(lambda x, *, scale: scale())
    assert rg.grad(lambda x, y: f(x, scale=lambda: y), jit=False)(3.0, 5.0) == 5.0
    for nested in (lambda x, y: f(x, scale=lambda: y), lambda x, y: f(x, scale=[lambda: y][0])):
        with pytest.raises(rg.Unsupported, match="passed to 'f' reads 'y'"):
            rg.grad(nested, argnums=1, jit=False)(3.0, 5.0)
