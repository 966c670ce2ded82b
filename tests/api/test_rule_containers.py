"""Rules whose arguments and results are containers: structure, checks, and what they touch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import retrograd as rg
from api.rule_container_programs import (
    A,
    Layer,
    Pair,
    Series,
    State,
    X,
    Y,
    affine,
    evaluated,
    network,
    ratio,
    stepped,
    summed,
)

both_modes = pytest.mark.parametrize("jit", [True, False], ids=["compiled", "numpy"])
PARAMS = [{"W": A, "scale": 0.7, "name": "a"}, {"W": A.T.copy(), "scale": 2.0, "name": "b"}]


def slope(f, x, v, step=1e-5):
    return (8 * (f(x + step * v) - f(x - step * v))
            - (f(x + 2 * step * v) - f(x - 2 * step * v))) / (12 * step)


def fails(exception, message, call, *args):
    with pytest.raises(exception, match=re.escape(message)) as caught:
        call(*args)
    return caught.value


# --- structure -----------------------------------------------------------------------------------


@both_modes
def test_the_function_itself_and_its_arguments(jit):
    def loss(params, x):
        return np.sum(network(params, x)["y"] ** 2)

    params_bar, x_bar = rg.grad(loss, argnums=(0, 1), jit=jit)(PARAMS, X)
    assert [sorted(layer) for layer in params_bar] == [["W", "name", "scale"]] * 2
    assert [layer["name"] for layer in params_bar] == [None, None]
    E = np.ones((3, 3))
    np.testing.assert_allclose(
        np.sum(params_bar[1]["W"]),
        slope(lambda W: loss([PARAMS[0], {**PARAMS[1], "W": W}], X), PARAMS[1]["W"], E), rtol=1e-8)
    np.testing.assert_allclose(x_bar @ Y, slope(lambda x: loss(PARAMS, x), X, Y), rtol=1e-8)
    _, pullback = rg.vjp(network, PARAMS, X, jit=jit)
    found, _ = pullback({"y": 2.0 * network(PARAMS, X)["y"], "layers": None, "kind": None})
    np.testing.assert_allclose(found[0]["W"], params_bar[0]["W"])


@both_modes
def test_tangents_are_containers(jit):
    value, tangent = rg.jvp(stepped, (State(X, Y, 3), 0.1), (State(Y, X, None), 1.0), jit=jit)
    assert type(tangent) is State and tangent.steps is None and value.steps == 4
    np.testing.assert_allclose(tangent.position, Y + Y + 0.1 * X)


@both_modes
def test_captured_containers(jit):
    def f(x):
        return np.sum(network(PARAMS, x)["y"] * x)

    np.testing.assert_allclose(rg.grad(f, jit=jit)(X) @ Y, slope(f, X, Y), rtol=1e-8)


@both_modes
def test_batches(jit):
    def f(pair):
        return np.sum(ratio(Pair(pair[0], pair[1])).first)

    xs, ys = np.stack([X, Y, X * Y]), np.stack([Y, Y + 1.0, Y])
    x_bar, y_bar = rg.vmap(rg.grad(f), jit=jit)((xs, ys))
    np.testing.assert_allclose(x_bar, 1.0 / ys)
    np.testing.assert_allclose(y_bar, -xs / ys ** 2)
    value, tangent = rg.vmap(affine, in_axes=((None, None), 0), jit=jit)((A, X), xs), None
    np.testing.assert_allclose(value, xs @ A.T + X)
    assert tangent is None


@both_modes
def test_second_derivatives_in_programs(jit):
    def f(x):
        return evaluated(Series(x), 0.5) ** 2

    hessian = rg.hessian(f, jit=jit)(X)
    c = np.array([2.0, 1.5, 1.25])
    np.testing.assert_allclose(hessian, 2.0 * np.outer(c, c))
    np.testing.assert_allclose(rg.hvp(f, jit=jit)(X, Y), 2.0 * c * (c @ Y))


@both_modes
def test_none_is_no_derivative(jit):
    @rg.rule
    def f(pair, options):
        return pair[0] * pair[1]["x"] * options["scale"]

    f.pullback(lambda pair, options, *, out_bar: (
        (None, {"x": pair[0] * out_bar, "n": None}), None))
    f.pushforward(lambda pair, options, *, pair_dot, options_dot: pair[0] * pair_dot[1]["x"])

    def g(x, y):
        return f((x, {"x": y, "n": 3}), {"scale": 1.0, "axes": (0, 1)})

    assert rg.grad(g, argnums=(0, 1), jit=jit)(2.0, 5.0) == (0.0, 2.0)
    assert rg.jvp(g, (2.0, 5.0), (1.0, 1.0), jit=jit)[1] == 2.0


def test_the_row_of_one_argument_may_be_bare_or_not():
    for pullback in (lambda values, *, out_bar: [values[1], values[0], 1.0],
                     lambda values, *, out_bar: ([values[1], values[0], 1.0],),
                     lambda values, *, out_bar: (values[1], values[0], 1.0)):
        f = rg.rule(summed.function)
        f.pullback(pullback)
        assert rg.grad(lambda x, f=f: f([x, 3.0, 1.0]), jit=False)(2.0) == 3.0


def test_keys_in_another_order():
    @rg.rule
    def f(d):
        return {"a": d["x"] * d["y"], "b": d["x"]}

    f.pullback(lambda d, *, out_bar: {"y": d["x"] * out_bar["a"],
                                      "x": d["y"] * out_bar["a"] + out_bar["b"]})
    f.pushforward(lambda d, *, d_dot: {"b": d_dot["x"],
                                       "a": d_dot["x"] * d["y"] + d["x"] * d_dot["y"]})

    def g(x, y):
        out = f({"y": y, "x": x})
        return out["a"] + 10.0 * out["b"]

    assert rg.grad(g, argnums=(0, 1), jit=False)(2.0, 5.0) == (15.0, 2.0)
    assert rg.jvp(g, (2.0, 5.0), (1.0, 1.0), jit=False)[1] == 17.0


# --- what is wrong with a rule -------------------------------------------------------------------


class Params(NamedTuple):
    w: Any
    b: Any


def made(pullback=None, pushforward=None, partials=None):
    @rg.rule
    def f(params, x):
        return {"y": params.w * x, "rest": [params.b * x, 1]}

    for kind, function in (("pullback", pullback), ("pushforward", pushforward),
                           ("partials", partials)):
        if function is not None:
            getattr(f, kind)(function)

    def g(w, b, x):
        out = f(Params(w, b), x)
        return np.sum(out["y"] * out["rest"][0])

    return g


@pytest.mark.parametrize(("adjoints", "exception", "message"), [
    (lambda p, x: ((x, x), x), TypeError,
     "the pullback of 'f' returns a tuple for 'params', which is a Params"),
    (lambda p, x: (x, x), TypeError,
     "the pullback of 'f' returns an array for 'params', which is a Params"),
    (lambda p, x: ({"w": x, "b": x}, x), TypeError,
     "the pullback of 'f' returns a dict for 'params', which is a Params"),
    (lambda p, x: (Params(x, (x, x)), x), TypeError,
     "the pullback of 'f' returns something that is no number and no array for 'params.b'"),
    (lambda p, x: (Params(x[:2], x), x), ValueError,
     "the pullback of 'f' returns an adjoint of shape (2,) for 'params.w', which has shape (3,)"),
    (lambda p, x: (Params(x, np.sum(x)), x), ValueError,
     "the pullback of 'f' returns an adjoint of shape () for 'params.b', which has shape (n,)"),
    (lambda p, x: (Params(x, x.astype(np.float32)), x), TypeError,
     "the pullback of 'f' returns an adjoint of dtype float32 for 'params.b', which has dtype "
     "float64"),
    (lambda p, x: (Params(x, x), Params(x, x)), TypeError,
     "the pullback of 'f' returns something that is no number and no array for 'x'"),
    (lambda p, x: Params(x, x), TypeError,
     "the pullback of 'f' returns 1 adjoints for the arguments, and there are 2"),
])
def test_a_wrong_pullback(adjoints, exception, message):
    g = made(lambda params, x, *, out_bar: adjoints(params, x))
    fails(exception, message, rg.grad(g, argnums=(0, 1, 2), jit=False), X, Y, X)


@pytest.mark.parametrize(("tangents", "exception", "message"), [
    (lambda x: x, TypeError,
     "the pushforward of 'f' returns an array for out, which is a dict"),
    (lambda x: {"y": x}, TypeError,
     "the pushforward of 'f' returns a dict of ['y'] for out, which has ['y', 'rest']"),
    (lambda x: {"y": x, "rest": [x]}, TypeError,
     "the pushforward of 'f' returns 1 items for out['rest'], which has 2"),
    (lambda x: {"y": x, "rest": [x[1:], None]}, ValueError,
     "the pushforward of 'f' returns a tangent of shape (2,) for out['rest'][0], which has "
     "shape (3,)"),
    (lambda x: {"y": x + 1j, "rest": [x, None]}, TypeError,
     "the pushforward of 'f' returns a tangent of dtype complex128 for out['y'], which has dtype "
     "float64"),
])
def test_a_wrong_pushforward(tangents, exception, message):
    g = made(pushforward=lambda params, x, *, params_dot, x_dot: tangents(x))
    fails(exception, message, lambda: rg.jvp(g, (X, Y, X), (X, Y, X), jit=False))


@pytest.mark.parametrize(("rows", "exception", "message"), [
    (lambda p, x: (Params(x, None), p.w), TypeError,
     "the partials of 'f' returns 2 rows of partials for the results, and there are 1"),
    (lambda p, x: [(Params(x, None), p.w)], TypeError,
     "the partials of 'f' returns a tuple for out, which is a dict"),
    (lambda p, x: {"y": (x, p.w), "rest": [None, None]}, TypeError,
     "the partials of 'f' returns an array for 'params', which is a Params"),
    (lambda p, x: {"y": (Params(x, None), p.w), "rest": [x, None]}, TypeError,
     "the partials of 'f' returns 1 partials for the arguments, and there are 2"),
    (lambda p, x: {"y": (Params(x, None), p.w), "rest": [(p, np.outer(x, x)), None]}, ValueError,
     "the partials of 'f' needs a function that works element by element: there is a partial for "
     "'x' of rank 2"),
])
def test_wrong_partials(rows, exception, message):
    g = made(partials=lambda params, x: rows(params, x))
    fails(exception, message, rg.grad(g, argnums=(0, 1, 2), jit=False), X, Y, X)


@both_modes
def test_a_shape_that_only_the_call_knows(jit):
    g = made(lambda params, x, *, out_bar: (Params(out_bar["y"][1:], x), x))
    fails(ValueError, "the pullback of 'f' returns an adjoint of shape (2,) for 'params.w', which "
          "has shape (3,)", rg.grad(g, argnums=(0, 1, 2), jit=jit), X, Y, X)


# --- refusals ------------------------------------------------------------------------------------


@dataclass
class Mutable:
    x: Any


class Plain:
    def __init__(self, x):
        self.x = x


def changes_list(values):
    values.append(1.0)
    return values[0]


def changes_dict(values):
    values["y"] = 1.0
    return values["x"]


def changes_object(values):
    values.x = 1.0
    return values.x * 2.0


def changes_array(values):
    values[0][0] = 1.0
    return np.sum(values[0])


@pytest.mark.parametrize(("function", "given", "message"), [
    (changes_list, lambda x: [x], "changes a list or dict"),
    (changes_dict, lambda x: {"x": x}, "changes a list or dict"),
    (changes_object, lambda x: Mutable(x), "changes a list or dict"),
    (changes_array, lambda x: (np.ones(2) * x,), "writes into an array"),
])
def test_what_it_is_given_stays_as_it_is(function, given, message):
    f = rg.rule(function)
    f.pullback(lambda values, *, out_bar: None)
    fails(rg.Unsupported, message, rg.grad(lambda x: f(given(x)) * x, jit=False), 2.0)
    g = rg.rule(lambda values: 2.0)
    g.pullback(lambda values, *, out_bar: (function(values), None)[1])
    fails(rg.Unsupported, message, rg.grad(lambda x: g(given(x)) * x, jit=False), 2.0)


def test_other_objects_are_refused():
    f = rg.rule(lambda p: p.x, name="f")
    error = fails(rg.Unsupported, "a Plain, of which it is not known how it is taken apart, is "
                  "passed to 'f'", rg.grad(lambda x: f(Plain(x)), jit=False), 2.0)
    assert "register_container" in error.remedy
    g = rg.rule(lambda x: Plain(x), name="g")
    error = fails(rg.Unsupported, "a Plain, of which it is not known how it is taken apart, is "
                  "returned by 'g'", rg.grad(lambda x: g(x).x, jit=False), 2.0)


def grows(x, n):
    values = []
    for k in range(n):
        values.append(x * k)
    return values


def test_lists_of_unknown_length_are_refused():
    f = rg.rule(lambda values: values[0], name="f")
    error = fails(rg.Unsupported, "a list whose length only the program knows is passed to 'f'",
                  rg.grad(lambda x, n: f(grows(x, n)), jit=False), 2.0, 60)
    assert "np.array" in error.remedy
    g = rg.rule(grows)
    fails(rg.Unsupported, "a list whose length only the program knows is returned by 'grows'",
          rg.grad(lambda x, n: np.sum(np.array(g(x, n))), jit=False), 2.0, 60)


def test_nothing_but_functions_is_refused():
    f = rg.rule(lambda x: (x, lambda t: t * x), name="f")
    fails(rg.Unsupported, "something that is no number, no array and no container of them is "
          "returned by 'f'", rg.grad(lambda x: f(x)[1](2.0), jit=False), 2.0)
    g = rg.rule(lambda x: {"a": None}, name="g")
    fails(rg.Unsupported, "'g', which has a rule of its own, returns nothing that is a number or "
          "an array", rg.grad(lambda x: x if g(x)["a"] is None else 0.0, jit=False), 2.0)


# --- in plain Python -----------------------------------------------------------------------------


def test_results_share_nothing_with_arguments():
    f = rg.rule(lambda params: params)
    params = [{"W": A, "b": (X, 1)}]
    found = f(params)
    assert found is not params and found[0] is not params[0]
    assert not np.shares_memory(found[0]["W"], A) and not np.shares_memory(found[0]["b"][0], X)
    layer = rg.rule(lambda layer: layer)(Layer(A, X))
    assert type(layer) is Layer and not np.shares_memory(layer.W, A)
    kept = State(X.copy(), X)
    assert rg.rule(lambda x: kept)(A) is kept
