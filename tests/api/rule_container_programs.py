"""Functions with rules whose arguments and results are containers, and programs that call them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import retrograd as rg


class Layer(NamedTuple):
    W: Any
    b: Any


@dataclass
class State:
    position: Any
    velocity: Any
    steps: int = 0


@dataclass(frozen=True)
class Pair:
    first: Any
    second: Any


class Series:
    """Coefficients, and what is computed of them once."""

    def __init__(self, coefficients):
        self.coefficients = coefficients
        self.total = np.sum(coefficients)



def unflatten(rest, parts):
    made = Series(parts[0]) if parts[0] is not None else Series(0.0)
    made.name = rest
    return made


rg.register_container(Series, lambda series: ((series.coefficients,), "series"), unflatten)


# --- tuples, lists, dicts ------------------------------------------------------------------------


@rg.rule
def affine(layer, x):
    W, b = layer
    return W @ x + b


@affine.pullback
def _(layer, x, *, out_bar):
    return (np.outer(out_bar, x), out_bar), layer[0].T @ out_bar


@affine.pushforward
def _(layer, x, *, layer_dot, x_dot):
    return layer_dot[0] @ x + layer[0] @ x_dot + layer_dot[1]


@rg.rule
def network(layers, x):
    """A list of dicts, in a loop that keeps its states in a list."""
    for layer in layers:
        x = np.tanh(layer["W"] @ x) * layer["scale"]
    return {"y": x, "layers": len(layers), "kind": "tanh"}


@network.pullback
def _(layers, x, *, out, out_bar):
    states = [x]
    for layer in layers:
        states.append(np.tanh(layer["W"] @ states[-1]) * layer["scale"])
    g = out_bar["y"]
    found = []
    for k in range(len(layers) - 1, -1, -1):
        W, scale = layers[k]["W"], layers[k]["scale"]
        t = states[k + 1] / scale
        inner = g * scale * (1.0 - t * t)
        found.insert(0, {"W": np.outer(inner, states[k]), "scale": np.sum(g * t), "name": None})
        g = W.T @ inner
    return found, g


@network.pushforward
def _(layers, x, *, layers_dot, x_dot):
    for layer, dot in zip(layers, layers_dot):
        t = np.tanh(layer["W"] @ x)
        slope = 1.0 - t * t
        x_dot = (slope * (dot["W"] @ x + layer["W"] @ x_dot) * layer["scale"]
                 + t * dot["scale"])
        x = t * layer["scale"]
    return {"y": x_dot, "layers": None, "kind": None}


@rg.rule
def summed(values):
    """One argument, a list: its adjoint is returned bare."""
    return values[0] * values[1] + values[2]


@summed.pullback
def _(values, *, out_bar):
    return [values[1] * out_bar, values[0] * out_bar, out_bar]


@summed.pushforward
def _(values, *, values_dot):
    return values_dot[0] * values[1] + values[0] * values_dot[1] + values_dot[2]


@rg.rule
def single(values):
    """One argument, a tuple of one item."""
    (x,) = values
    return (x * x,)


@single.pullback
def _(values, *, out_bar):
    return (2.0 * values[0] * out_bar[0],)


@single.pushforward
def _(values, *, values_dot):
    return (2.0 * values[0] * values_dot[0],)


@rg.rule
def many(*pairs):
    s = 0.0
    for a, b in pairs:
        s += np.sum(a * b)
    return s


@many.pullback
def _(*pairs, out_bar):
    return tuple((b * out_bar, a * out_bar) for a, b in pairs)


@many.pushforward
def _(*pairs, pairs_0_dot, pairs_1_dot):
    return (np.sum(pairs_0_dot[0] * pairs[0][1] + pairs[0][0] * pairs_0_dot[1])
            + np.sum(pairs_1_dot[0] * pairs[1][1] + pairs[1][0] * pairs_1_dot[1]))


# --- objects -------------------------------------------------------------------------------------


@rg.rule
def dense(layer, x):
    return Layer(np.sin(layer.W) @ x, layer.b * x)


@dense.pullback
def _(layer, x, *, out_bar):
    return (Layer(np.cos(layer.W) * np.outer(out_bar.W, x), x * out_bar.b),
            np.sin(layer.W).T @ out_bar.W + layer.b * out_bar.b)


@dense.pushforward
def _(layer, x, *, layer_dot, x_dot):
    return Layer((np.cos(layer.W) * layer_dot.W) @ x + np.sin(layer.W) @ x_dot,
                 layer_dot.b * x + layer.b * x_dot)


@rg.rule
def stepped(state, dt):
    return State(state.position + dt * state.velocity,
                 state.velocity - dt * np.sin(state.position), state.steps + 1)


@stepped.pullback
def _(state, dt, *, out, out_bar):
    p, v = out_bar.position, out_bar.velocity
    return (State(p - dt * np.cos(state.position) * v, v + dt * p, None),
            np.sum(p * state.velocity - v * np.sin(state.position)))


@stepped.pushforward
def _(state, dt, *, state_dot, dt_dot):
    return State(
        state_dot.position + dt_dot * state.velocity + dt * state_dot.velocity,
        state_dot.velocity - dt_dot * np.sin(state.position)
        - dt * np.cos(state.position) * state_dot.position, None)


@rg.rule
def ratio(pair):
    return Pair(pair.first / pair.second, pair.first * pair.second)


@ratio.partials
def _(pair, *, out):
    """For each result a row; a row has one partial for each argument, in its structure."""
    return Pair(Pair(1.0 / pair.second, -out.first / pair.second), Pair(pair.second, pair.first))


@rg.rule
def evaluated(series, x):
    """A registered class: the rule is with respect to its parts."""
    s = series.total
    for k in range(len(series.coefficients)):
        s += series.coefficients[k] * x ** k
    return s


@evaluated.pullback
def _(series, x, *, out_bar):
    c = series.coefficients
    c_bar = np.zeros_like(c)
    x_bar = 0.0
    for k in range(len(c)):
        c_bar[k] = (1.0 + x ** k) * out_bar
        if k > 0:
            x_bar += c[k] * k * x ** (k - 1) * out_bar
    return Series(c_bar), x_bar


@evaluated.pushforward
def _(series, x, *, series_dot, x_dot):
    c, dot = series.coefficients, series_dot.coefficients
    s = 0.0
    for k in range(len(c)):
        s += (1.0 + x ** k) * dot[k]
        if k > 0:
            s += c[k] * k * x ** (k - 1) * x_dot
    return s


@rg.rule
def powers(series, n):
    """A registered class as the result, and one that calls itself in its rule."""
    return Series(series.coefficients ** n)


@powers.pullback
def _(series, n, *, out_bar):
    return Series(n * powers(series, n - 1).coefficients * out_bar.coefficients), None


@powers.pushforward
def _(series, n, *, series_dot):
    return Series(n * powers(series, n - 1).coefficients * series_dot.coefficients)


@rg.rule
def mixed(p, q):
    """Two objects of one class; a tuple stands for a list in the tangent."""
    return {"s": p.position * q.velocity + p.steps, "t": [q.position, p.velocity * p.velocity]}


@mixed.pullback
def _(p, q, *, out_bar):
    s, t = out_bar["s"], out_bar["t"]
    return (State(s * q.velocity, 2.0 * p.velocity * t[1], None),
            State(t[0], s * p.position, None))


@mixed.pushforward
def _(p, q, *, p_dot, q_dot):
    return {"t": (q_dot.position, 2.0 * p.velocity * p_dot.velocity),
            "s": p_dot.position * q.velocity + p.position * q_dot.velocity}


@rg.rule
def optional(nothing, options={"a": 2.0, "k": (1, 2)}, *rest):  # noqa: B006
    s = options["a"]
    for r in rest:
        s += np.sum(r["x"]) * options["k"][1]
    return (s,)


@optional.pullback
def _(nothing, options, *rest, out_bar):
    (g,) = out_bar
    return (None, {"a": g, "k": None},
            *({"x": np.full(r["x"].shape, g * options["k"][1])} for r in rest))


@optional.pushforward
def _(nothing, options, *rest, options_dot, **dots):
    s = options_dot["a"]
    if len(rest) > 0:
        s += (np.sum(dots["rest_0_dot"]["x"]) + np.sum(dots["rest_1_dot"]["x"])) * options["k"][1]
    return (s,)


@rg.rule
def swapped(layer):
    """It returns what it was given."""
    return Layer(layer.b, layer.W)


@swapped.pullback
def _(layer, *, out_bar):
    return Layer(out_bar.b, out_bar.W)


@swapped.pushforward
def _(layer, *, layer_dot):
    return Layer(layer_dot.b, layer_dot.W)


# --- programs ------------------------------------------------------------------------------------


def f_affine(W, b, x):
    return np.sum(np.tanh(affine((W, b), x)) * affine([W, 2.0 * b], x))


def f_network(W, scale, x):
    out = network([{"W": W, "scale": scale, "name": "a"},
                   {"W": W.T, "scale": 2.0, "name": "b"}], x)
    return np.sum(out["y"] ** 2) * out["layers"] if out["kind"] == "tanh" else 0.0


def f_summed(x, y):
    return np.sum(summed([x, y, x * y]) * x)


def f_single(x):
    (y,) = single((x,))
    return np.sum(y * x)


def f_many(x, y):
    return many((x, y), (y, 2.0 * x)) ** 2


def f_dense(W, b, x):
    found = dense(Layer(W, b), x)
    return np.sum(found.W * found.b) + np.sum(dense(found._replace(W=W), found.b).W)


def f_stepped(x, v, dt):
    state = State(x, v)
    for _ in range(5):
        state = stepped(state, dt)
    return np.sum(state.position * state.velocity) * state.steps


def f_in_a_branch(x, v, dt):
    state = State(x, v)
    if dt > 0:
        state = stepped(stepped(state, dt), 2.0 * dt)
        state.velocity = state.velocity * 2.0
    return np.sum(state.position * state.velocity)


def f_ratio(x, y):
    found = ratio(Pair(x, y))
    return np.sum(found.first * found.second * x) + ratio(Pair(x[0], y[1])).first


def f_evaluated(c, x):
    return evaluated(Series(c), x) * evaluated(Series(c * c), 2.0 * x)


def f_powers(c):
    found = powers(Series(c), 3)
    return np.sum(found.coefficients * c) + found.total ** 2


def f_changed_afterwards(x, y):
    """What a call returns belongs to the caller, and what it was given stays as it is."""
    given = [{"W": np.outer(x, y), "scale": 1.5, "name": ""}]
    out = network(given, x)
    given[0]["scale"] = 3.0
    given.append(given[0])
    out["y"][0] = x[1]
    out["more"] = out["y"] * 2.0
    return np.sum(out["more"] * given[1]["scale"]) * len(given) + np.sum(network(given, y)["y"])


def f_same(x, y):
    p = State(x, y, 2)
    r = mixed(p, p)
    return np.sum(r["s"] * r["t"][0] * r["t"][1])


def f_one_array_twice(x, y):
    r = mixed(State(x, x), State(x, y))
    return np.sum(r["s"] * r["t"][0] * r["t"][1])


def f_checkpointed(x, y):
    p = State(x, y, 1)
    for _ in rg.checkpointed(range(7), snapshots=2):
        r = mixed(p, State(y, p.position))
        p = State(0.1 * r["s"], p.velocity + 0.01 * r["t"][1], p.steps)
    return np.sum(p.position * p.velocity)


def f_while(x, y):
    p = State(x, y, 1)
    k = 0
    while np.sum(p.position) < 20.0 and k < 5:
        r = mixed(p, State(y, p.position))
        if k % 2 == 0:
            p.position = p.position + 0.3 * r["s"]
        else:
            p = State(r["t"][1] + r["s"], p.velocity, k)
        k += 1
    return np.sum(p.position * p.velocity)


def f_views(x, y):
    """Parts of an array that is written between two calls."""
    A = np.outer(x, y)
    r = mixed(State(A[:, 1], A.T[1]), State(A[0], A[::-1, 0]))
    A[0, 1] = 3.0
    later = mixed(State(A[:, 1], A.T[1]), State(A[0], A[::-1, 0]))
    return np.sum(r["s"] * later["t"][0] * later["t"][1]) + np.sum(A * A)


def f_optional(x, y):
    (s,) = optional(())
    (t,) = optional([], {"a": x[0], "k": (3, 4)}, {"x": y}, {"x": x * y})
    return s * t


def f_swapped(x, y):
    p = Layer(x, (y, [x * y]))
    for _ in range(3):
        q = swapped(p)
        p = Layer(q.b * 1.1, (q.W[0] * q.b, [q.W[1][0]]))
    p = swapped(p)
    return np.sum(p.b * p.W[0] + p.W[1][0])


RNG = np.random.default_rng(11)
A, X, Y = RNG.normal(size=(3, 3)), RNG.normal(size=3), np.abs(RNG.normal(size=3)) + 0.5
PROGRAMS = [
    (f_affine, (A, Y, X)), (f_network, (A, 0.7, X)), (f_summed, (X, Y)), (f_single, (X,)),
    (f_many, (X, Y)), (f_dense, (A, Y, X)), (f_stepped, (X, Y, 0.1)),
    (f_in_a_branch, (X, Y, 0.1)), (f_ratio, (X, Y)), (f_evaluated, (X, 0.6)), (f_powers, (Y,)),
    (f_changed_afterwards, (X, Y)), (f_same, (X, Y)), (f_one_array_twice, (X, Y)),
    (f_checkpointed, (X, Y)), (f_while, (X, Y)), (f_views, (X, Y)), (f_optional, (X, Y)),
    (f_swapped, (X, Y)),
]
