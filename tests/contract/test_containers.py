"""The contract about containers and objects: arguments, gradients, results, functions."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest

import retrograd as rg
from contract.support import both_modes, raised, same

W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
B = np.array([0.5, -0.5])


class Params(NamedTuple):
    W: np.ndarray
    b: np.ndarray
    name: str = "p"


@dataclasses.dataclass
class State:
    x: float
    v: np.ndarray
    n: int = 2

    def loss(self, y):
        return self.x * np.sum(self.v) * y


@dataclasses.dataclass(frozen=True)
class Fixed:
    a: float
    b: np.ndarray

    def __post_init__(self):
        made.append(self)


@dataclasses.dataclass(frozen=True)
class Pair:
    a: float
    b: np.ndarray


made: list = []


class Model:
    def __init__(self, w):
        self.w = w

    def loss(self, x):
        return np.sum(self.w * x)

    def __call__(self, x):
        return self.loss(x) ** 2


class Box:
    def __init__(self, w, tag):
        self.w, self.tag = w, tag

    def apply(self, x):
        return self.w * x if self.tag == "twice" else x


rg.register_container(Box, lambda box: ((box.w,), box.tag),
                      lambda tag, parts: Box(parts[0], tag))


def of_dict(p, x):
    return np.sum((p["W"] @ x) * p["b"])


def of_tuple(p):
    return np.sum(p.W) * np.sum(p.b**2)


def of_state(s):
    return s.x * np.sum(s.v) * s.n


def of_fixed(f):
    return f.a * np.sum(f.b)


def of_list(xs):
    s = 0.0
    for x in xs:
        s = s + np.sum(x * x)
    return s


# --- gradients -----------------------------------------------------------------------------------


@both_modes
def test_a_gradient_has_the_structure_of_its_argument(jit):
    got = rg.grad(of_dict, jit=jit)({"b": B, "W": W, "note": "n", "k": 3}, np.ones(3))
    assert list(got) == ["b", "W", "note", "k"] and got["note"] is None and got["k"] is None
    same(got["W"], np.outer(B, np.ones(3)))
    got = rg.grad(of_list, jit=jit)([1.5, B, np.float32(2), np.array(3.0)])
    assert type(got) is list
    same(tuple(got), (3.0, 2 * B, np.float32(4), np.array(6.0)))
    got = rg.grad(of_tuple, jit=jit)(Params(W, B))
    assert type(got) is Params and got.name is None
    same(got.b, 2 * B * np.sum(W))
    got = rg.grad(of_state, jit=jit)(State(2.0, B))
    assert type(got) is State and got.n is None
    same((got.x, got.v), (0.0, np.full(2, 4.0)))


@both_modes
def test_an_object_is_put_together_without_its_init(jit):
    f = Fixed(2.0, B)
    made.clear()
    got = rg.grad(of_fixed, jit=jit)(f)
    assert type(got) is Fixed and not made
    same((got.a, got.b), (0.0, np.full(2, 2.0)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        got.a = 1.0


@both_modes
def test_leaves_that_are_no_floats_get_none_in_every_container(jit):
    p = {"w": 2.0, "shape": (2, 3), "f": np.sin, "i": np.arange(3), "t": True, "none": None,
         "l": [1, "a"]}
    got = rg.grad(lambda p: p["w"] ** 2, jit=jit)(p)
    assert got == {"w": 4.0, "shape": (None, None), "f": None, "i": None, "t": None, "none": None,
                   "l": [None, None]}


@both_modes
def test_unused_leaves_get_zeros(jit):
    got = rg.grad(lambda p: p[0] * 2.0, jit=jit)([1.0, B, {"a": np.float32(3)}])
    assert type(got[2]["a"]) is np.float32
    same((got[0], got[1], got[2]["a"]), (2.0, np.zeros(2), np.float32(0)))


@pytest.mark.parametrize("value", [[1, 2, 3], {"a": np.arange(3)}, (True, "a"), [], Params(1, 2)])
def test_a_container_without_floats_raises_type_error(value):
    with pytest.raises(TypeError, match="'p'"):
        rg.grad(lambda p: 1.0, jit=False)(value)


@both_modes
def test_argnums_and_argnames_select_whole_containers(jit):
    args = ({"W": W, "b": B}, np.ones(3))
    both = rg.grad(of_dict, argnums=(1, 0), jit=jit)(*args)
    assert type(both) is tuple and type(both[1]) is dict
    by_name = rg.grad(of_dict, argnames="p", jit=jit)(*args)
    same(by_name["W"], both[1]["W"])
    same(rg.grad(of_dict, argnums=1, jit=jit)(*args), B @ W)


@both_modes
def test_gradients_are_fresh_and_inputs_stay(jit):
    p = {"a": B.copy(), "b": B.copy()}

    def f(p):
        p["a"][0] = p["b"][0] ** 2
        return np.sum(p["a"] + p["b"])

    got = rg.grad(f, jit=jit)(p)
    same(p["a"], B)
    same((got["a"], got["b"]), (np.array([0.0, 1.0]), np.array([2.0, 1.0])))
    assert not np.may_share_memory(got["a"], got["b"])
    got = rg.grad(lambda p: np.sum(p[0] + p[1]), jit=jit)([B, B])
    assert not np.may_share_memory(*got)


@both_modes
def test_one_array_at_two_leaves(jit):
    got = rg.grad(lambda p: np.sum(p[0] * p[1] ** 2), jit=jit)((B, B))
    same(got, (B**2, 2 * B * B))

    def written(p):
        p["a"][0] = 1.0
        return np.sum(p["a"] * p["b"])

    with pytest.raises(rg.Unsupported, match=r"p\['a'\].*p\['b'\].*same array") as caught:
        rg.grad(written, jit=jit)({"a": B, "b": B})
    assert caught.value.remedy == "pass a copy: p['a'].copy()"


@both_modes
def test_out_is_nested_as_the_gradient(jit):
    g = rg.grad(of_dict, jit=jit)
    p, x = {"W": W, "b": B}, np.ones(3)
    out = {"b": None, "W": np.empty((2, 3))}
    for _ in range(2):
        got = g(p, x, out=out)
        assert got["W"] is out["W"] and list(got) == ["W", "b"]
        same(got["b"], W @ x)
    for wrong, error, what in [({"W": out["W"]}, ValueError, "keys"), ([1], TypeError, "a dict"),
                               ({"W": B, "b": None}, ValueError, r"out\['W'\] has shape")]:
        with pytest.raises(error, match=what):
            g(p, x, out=wrong)


# --- values, pullbacks ---------------------------------------------------------------------------


@both_modes
def test_results_are_containers(jit):
    def f(x):
        return {"p": Params(np.ones((1, 1)) * x, B * x, "q"), "l": [x, (Pair(x * x, B), None)]}

    value, pullback = rg.vjp(f, 3.0, jit=jit)
    assert type(value["p"]) is Params and value["p"].name == "q"
    assert type(value["l"][1][0]) is Pair and value["l"][1][1] is None
    same(rg.differentiable(f, jit=jit)(3.0)["p"].b, 3 * B)
    bar = {"p": Params(np.zeros((1, 1)), np.ones(2), None), "l": (2.0, [Pair(1.0, B * 0), None])}
    for _ in range(2):
        same(pullback(bar), (0.0 + 2.0 + 6.0,))
    with pytest.raises(ValueError, match="keys"):
        pullback({"p": bar["p"]})
    with pytest.raises(TypeError, match=r"\['p'\] must be a Params"):
        pullback({**bar, "p": 1.0})
    with pytest.raises(ValueError, match=r"\['p'\].b has shape"):
        pullback({**bar, "p": bar["p"]._replace(b=np.ones(3))})


@both_modes
def test_a_pullback_gives_each_argument_in_its_structure(jit):
    value, pullback = rg.vjp(of_dict, {"W": W, "b": B}, np.ones(3), jit=jit)
    assert value == of_dict({"W": W, "b": B}, np.ones(3))
    p_bar, x_bar = pullback(2.0)
    same(p_bar["b"], 2 * W @ np.ones(3))
    same(x_bar, 2 * B @ W)
    assert rg.vjp(of_state, State(2.0, B), jit=jit)[1](1.0)[0].n is None


@both_modes
def test_what_a_function_writes_into_leaves(jit):
    def f(p):
        p["a"] *= 2.0
        return np.sum(p["a"])

    p = {"a": B.copy()}
    assert rg.differentiable(f, jit=jit)(p) == 2 * np.sum(B)
    same(p["a"], 2 * B)


def _adds_a_key(p):
    p["new"] = 1.0
    return p["a"] * 1.0


def _appends(p):
    p["l"].append(p["a"])
    return p["a"] * len(p["l"])


def _sets_an_attribute(p):
    p["s"].x = 2.0
    return p["a"] * p["s"].x


def _sets_it_through_another_name(p):
    s = p["s"]
    for _ in range(2):
        s.x = s.x * p["a"]
        s = State(s.x, s.v)
    return p["s"].x


@both_modes
@pytest.mark.parametrize("f", [_adds_a_key, _appends, _sets_an_attribute,
                               _sets_it_through_another_name])
def test_changing_a_container_of_the_caller_is_refused(f, jit):
    p = {"a": 2.0, "l": [1.0], "s": State(1.0, B)}
    for product in (rg.grad, rg.differentiable):
        with pytest.raises(rg.Unsupported, match="outside") as caught:
            product(f, jit=jit)(p)
        assert caught.value.span is not None and "copy" in caught.value.remedy
    assert p["l"] == [1.0] and p["s"].x == 1.0 and "new" not in p


@both_modes
def test_frozen_things_cannot_be_set(jit):
    def named(p):
        p.b = 1.0
        return p.b

    def frozen(f):
        f.a = 1.0
        return f.a

    for f, arg in ((named, Params(W, B)), (frozen, Fixed(1.0, B))):
        assert raised(rg.grad(f, jit=jit), arg) == raised(f, arg)


# --- functions -----------------------------------------------------------------------------------


@both_modes
def test_bound_methods_read_self_at_every_call(jit):
    model, x = Model(B.copy()), np.ones(2)
    g, h = rg.grad(model.loss, jit=jit), rg.grad(model, jit=jit)
    same(g(x), B)
    same(h(x), 2 * np.sum(B) * B)
    model.w = model.w * 3
    same(g(x), 3 * B)
    model.w[0] = 7.0
    same(g(x), np.array([7.0, -1.5]))
    same(h(x), 2 * 5.5 * model.w)
    assert len(g.signatures) == len(h.signatures) == 1


@both_modes
def test_methods_of_objects_from_outside_are_compiled_once(jit):
    model = Model(B)
    g = rg.grad(lambda x: model.loss(x) + model(x), jit=jit)
    for _ in range(3):
        g(np.ones(2))
    assert len(g.signatures) == 1


@both_modes
def test_an_object_as_the_argument_of_its_method(jit):
    got = rg.grad(State.loss, argnums=(0, 1), jit=jit)(State(2.0, B), 3.0)
    assert type(got[0]) is State
    same((got[0].x, got[1]), (0.0, 0.0))
    same(got[0].v, np.full(2, 6.0))


@both_modes
def test_registered_classes(jit):
    def f(box, x):
        return Box(np.sum(box.apply(x)) * box.w, box.tag)

    def g(box, x):
        return np.sum(f(box, x).w)

    got = rg.grad(g, jit=jit)(Box(B, "twice"), 2.0)
    assert type(got) is Box and got.tag == "twice"
    same(got.w, np.full(2, 4 * np.sum(B)))
    same(rg.grad(g, jit=jit)(Box(B, "other"), 2.0).w, np.full(2, 2.0))
    value, pullback = rg.vjp(f, Box(B, "twice"), 2.0, jit=jit)
    assert type(value) is Box and type(pullback(value)[0]) is Box


def test_registering_what_cannot_be_registered():
    for cls, error in ((0, TypeError), (dict, ValueError), (Params, ValueError),
                       (Box, ValueError)):
        with pytest.raises(error):
            rg.register_container(cls, lambda x: ((), None), lambda rest, parts: None)
    with pytest.raises(TypeError):
        rg.register_container(Model, None, lambda rest, parts: None)


# --- flat vectors --------------------------------------------------------------------------------


PARAMS = {"W": W, "b": B, "s": 1.5, "f": np.float32(2), "n": 3, "p": Params(W * 2, B, "q")}


def test_ravel_and_back():
    vector, unravel = rg.ravel(PARAMS)
    assert vector.dtype == np.float64 and vector.shape == (18,) and unravel.size == 18
    back = unravel(vector * 2)
    same((back["W"], back["s"], back["f"], back["n"]), (2 * W, 3.0, np.float32(4), 3))
    assert type(back["p"]) is Params and back["p"].name == "q"
    vector[:] = 0.0
    same(PARAMS["W"][0, 0], np.float64(1.0))
    gradient = rg.grad(lambda p: np.sum(p["W"]) * p["s"])(PARAMS)
    assert rg.ravel(gradient)[0].shape == (18,)
    with pytest.raises(ValueError, match=r"\(3,\).*\(18,\)"):
        unravel(np.ones(3))
    with pytest.raises(TypeError, match="complex"):
        rg.ravel([1j])


@both_modes
def test_the_way_back_inside_a_function(jit):
    vector, unravel = rg.ravel(PARAMS)

    def of_params(p):
        return np.sum(p["W"] * p["p"].W) * p["s"] * p["n"] * p["f"] + p["b"][1] ** 2

    def f(x):
        return of_params(unravel(x))

    g = rg.value_and_grad(f, jit=jit)
    value, got = g(vector)
    assert value == pytest.approx(of_params(PARAMS))
    np.testing.assert_allclose(got, rg.ravel(rg.grad(of_params, jit=jit)(PARAMS))[0], rtol=1e-6)
    assert raised(f, np.ones(3)) == raised(g, np.ones(3))


# --- specialisations -----------------------------------------------------------------------------


@both_modes
def test_what_makes_new_code(jit):
    def f(p):
        return p["w"] * p["n"] if p["mode"] == "a" else p["w"] ** 2

    g = rg.grad(f, jit=jit)
    assert g({"w": 2.0, "n": 3, "mode": "a"})["w"] == 3.0
    assert g({"w": 5.0, "n": 4, "mode": "a"})["w"] == 4.0
    assert len(g.signatures) == 1
    assert g({"w": 5.0, "n": 4, "mode": "b"})["w"] == 10.0
    assert g({"mode": "a", "w": 5.0, "n": 4}) == {"mode": None, "w": 4.0, "n": None}
    assert len(g.signatures) == 3
    assert g.signatures[0].types == ("{'w': float, 'n': int, 'mode': ='a'}",)
    assert "p: {'w'" in g.signatures[1].reason


@both_modes
def test_ints_in_containers_that_must_be_known(jit):
    g = rg.grad(lambda p: np.sum(np.sum(p["w"], axis=p["axis"]) * np.arange(2.0)), jit=jit)
    same(g({"w": np.ones((2, 2)), "axis": 0})["w"], np.array([[0.0, 1.0], [0.0, 1.0]]))
    same(g({"w": np.ones((2, 2)), "axis": 1})["w"], np.array([[0.0, 0.0], [1.0, 1.0]]))
    with pytest.raises(rg.Unsupported, match=r"p\['axis'\]"):
        g.compile(({"w": "float64[:, :]", "axis": "int64"},))


def test_declared_and_shown_with_examples():
    g = rg.grad(of_dict)
    g.compile(({"W": "float64[:, ::1]", "b": B}, "float64[::1]"))
    same(g({"W": W, "b": B}, np.ones(3))["b"], W @ np.ones(3))
    assert len(g.signatures) == 1
    source = rg.grad(of_tuple).source(Params(W, B))
    assert "p_W is p.W, p_b is p.b" in source and "def of_tuple_grad(p_W, p_b):" in source


@rg.rule
def wrong(x):
    return x * x


@wrong.pullback
def _(x, *, out_bar):
    return 3.0 * out_bar


def test_check_grads_names_the_leaf():
    def f(params):
        return wrong(params["layers"][0][1]) + params["layers"][0][0]

    with pytest.raises(AssertionError, match=r"params\['layers'\]\[0\]\[1\] is 3\.0"):
        rg.check_grads(f, ({"layers": [(1.0, 2.0)]},), modes="reverse", jit=False)
