"""Programs over containers and objects: arguments, state of loops, branches, captured globals.

Their truth is a complex step (or central differences where a program compares numbers) over the
leaves, one by one: see `test_containers.py`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True)
class Program:
    function: Callable[..., Any]
    arguments: tuple[tuple[Any, ...], ...]
    compares: bool = False              # so that a complex step would not do


def program(*arguments: tuple[Any, ...], **options: Any) -> Callable[[Any], Program]:
    return lambda function: Program(function, arguments, **options)


class Point(NamedTuple):
    x: float
    y: float

    @property
    def product(self):
        return self.x * self.y

    def moved(self, by):
        return self._replace(x=self.x + by)


class Layer(NamedTuple):
    W: np.ndarray
    b: np.ndarray
    name: str = "layer"


@dataclass
class State:
    x: float
    v: np.ndarray
    steps: int = 0

    def step(self, dt):
        return State(self.x + dt * np.sum(self.v), self.v - dt * self.x * self.v, self.steps + 1)


@dataclass(frozen=True)
class Pair:
    a: float
    b: np.ndarray

    def __add__(self, other):
        return Pair(self.a + other.a, self.b + other.b)

    def __mul__(self, factor):
        return Pair(self.a * factor, self.b * factor)

    __rmul__ = __mul__


@dataclass
class Sums:
    total: float = 0.0
    count: int = 0
    seen: list = field(default_factory=list)

    def add(self, v):
        self.total += v * v
        self.count += 1
        self.seen.append(v)

    @property
    def mean(self):
        return self.total / self.count


@dataclass
class Scaled:
    width: float
    factor: dataclasses.InitVar[float]
    area: float = field(init=False)

    def __post_init__(self, factor):
        self.area = self.width * self.width * factor


@dataclass(frozen=True)
class Unit:
    x: float
    norm: float = 0.0

    def __post_init__(self):
        object.__setattr__(self, "norm", self.x * self.x + 1.0)


@dataclass
class Cell:
    value: float


@dataclass
class Two:
    first: Cell
    second: Cell


class Model:
    scale = 3.0

    def __init__(self, w, b=1.0):
        self.w = w
        self.b = b
        self.calls = []

    def __call__(self, x):
        self.calls.append(x)
        return self.w * x + self.b * self.scale

    @staticmethod
    def square(x):
        return x * x

    @classmethod
    def made(cls, w):
        return cls(w, b=2.0)


class Vector:
    def __init__(self, items):
        self.items = items

    def __getitem__(self, k):
        return self.items[k]

    def __len__(self):
        return len(self.items)

    def __matmul__(self, other):
        return sum([a * b for a, b in zip(self.items, other.items)])


W = np.array([[0.5, -0.2, 0.3], [0.1, 0.4, -0.6]])
V = np.array([[0.3, 0.7], [-0.5, 0.2]])
B = np.array([0.2, -0.4])
X = np.array([1.0, -0.5, 0.25])
ORIGIN = Point(2.0, 3.0)
START = State(0.5, np.array([1.0, 2.0]))
FIXED = Pair(1.5, np.array([1.0, 2.0]))
SETTINGS = {"rate": 0.5, "sizes": (2, 3)}


# --- reading -------------------------------------------------------------------------------------


@program(({"W": W, "b": B}, X))
def affine(p, x):
    return np.sum((p["W"] @ x + p["b"]) ** 2)


@program(([(W, B), (V, B)], X), ([Layer(W, B), Layer(V, B)], X), compares=True)
def layers(ls, x):
    for W, b, *_ in ls:
        x = np.tanh(W @ x + b)
    return np.sum(x * x)


@program(({"layers": [(W, B), (V, B)], "scale": 2.0, "name": "n", "k": 3, "none": None}, X))
def nested(p, x):
    for k, (W, b) in enumerate(p["layers"]):
        x = W @ x * p["scale"] + b * (k + 1)
    return np.sum(x) * p["k"] if p["name"] == "n" and p["none"] is None else 0.0


@program(({"a": W, "b": 2.0, "c": np.float64(1.5)},))
def over_items(p):
    s = 0.0
    for key, value in p.items():
        s = s + np.sum(value) ** 2 * (2.0 if key == "a" else 1.0)
    for key in p:
        s = s + np.sum(p[key])
    for value in p.values():
        s = s + np.sum(value * value)
    return s * len(p) * ("a" in p) + len(p.keys())


@program(({"a": W, "b": B},))
def over_pairs(p):
    q = {k: 2 * v for k, v in p.items()}
    return sum([np.sum(u * v) for (_, u), (_, v) in zip(p.items(), q.items())])


@program((Point(1.5, 0.5),))
def a_named_tuple(p):
    x, y = p
    return x * p.y + p[0] * p.product + p[-1] ** 2 + len(p) * sum(p) + p.moved(y).x ** 3


@program((Point(1.5, 0.5),))
def a_named_tuple_is_a_tuple(p):
    a = np.array(p)
    q = p + (p.x * p.y,)
    return np.sum(a * a) + q[2] * q[0] + (p * 2)[3] + p[:1][0]


@program((State(0.5, B), 0.1))
def an_object(s, dt):
    return s.step(dt).step(dt).x * np.sum(s.v)


@program((Pair(1.0, B), Pair(2.0, B * 3)))
def operators(p, q):
    r = p + q * 2.0 + 3.0 * p
    return r.a * np.sum(r.b)


@program(([1.0, 2.0, 3.0], 2))
def an_int_picks(xs, k):
    return xs[k] ** 2 * xs[0] + xs[-1]


@program(({"w": V, "axis": 0, "shape": (2, 2)},))
def ints_that_must_be_known(p):
    return np.sum(np.sum(p["w"] ** 2, axis=p["axis"]) * np.arange(2.0)) + np.sum(
        p["w"].reshape(p["shape"])[1])


# --- state of loops ------------------------------------------------------------------------------


@program((State(0.5, B), 0.1, 4))
def carried(s, dt, n):
    for _ in range(n):
        s = s.step(dt)
    return s.x + np.sum(s.v) + 0.0 * s.steps


@program((State(0.5, np.array([1.0, 2.0])), 0.1), compares=True)
def carried_by_while(s, dt):
    while s.x < 1.5:
        s = s.step(dt)
    return s.x * np.sum(s.v)


@program((1.1, 3))
def a_carried_named_tuple(x, n):
    p = Point(x, 1.0)
    for _ in range(n):
        p = Point(p.y * x, p.x + p.y)
    return p.product


@program(({"a": 0.5, "b": 0.25}, 3))
def carried_dicts(p, n):
    v = {k: 0.0 * w for k, w in p.items()}
    for _ in range(n):
        p = {k: p[k] * 1.1 + v[k] for k in p}
        v = {k: v[k] + p[k] ** 2 for k in p}
    return sum(p.values())


@program((1.5, 4))
def an_object_in_a_loop(x, n):
    sums = Sums()
    for i in range(n):
        sums.add(x * (i + 1))
    return sums.mean * sums.seen[-1]


@program((1.5,), compares=True)
def an_object_in_a_while(x):
    sums = Sums()
    while sums.total < 100.0:
        sums.add(x)
        x = x * 1.5
    return sums.total * sums.count


@program((1.1, 3))
def swapped_objects(x, n):
    a, b = Cell(x), Cell(2 * x)
    for _ in range(n):
        a, b = b, a
        a.value = a.value * x
    return a.value + 3 * b.value


@program((1.1, 3))
def named_tuples_in_a_growing_list(x, n):
    points = [Point(x, 1.0)]
    for _ in range(n):
        points.append(Point(points[-1].x * x, points[-1].y + x))
    t = 0.0
    for p in points:
        t = t + p.x * p.y
    return t


@program((1.1, 3))
def objects_in_a_list(x, n):
    cells = [Cell(x * i) for i in range(3)]
    for cell in cells:
        cell.value *= x
    return cells[0].value + cells[1].value * cells[2].value


@program(([1.0, 2.0], 3))
def a_list_from_outside_is_replaced(xs, n):
    for _ in range(n):
        xs = xs + [xs[0] * xs[-1]]
    return xs[-1]


# --- making and changing objects -----------------------------------------------------------------


@program((1.5,))
def changed_objects(x):
    s = State(x, np.ones(3) * x)
    s.x += 2.0
    s.v *= x
    s.steps = 5
    t = s
    t.x = t.x * x
    return s.x * np.sum(s.v) * t.steps


@program((1.5,))
def one_object_twice(x):
    cell = Cell(x)
    two = Two(cell, cell)
    two.first.value = x * 3
    return two.second.value * cell.value


@program((1.5,), (-1.5,), compares=True)
def one_of_two_objects(x):
    a, b = Cell(x), Cell(2 * x)
    c = a if x > 0 else b
    return c.value * b.value * a.value


@program((1.5,), (-1.5,), compares=True)
def one_of_two_is_changed(x):
    a, b = Cell(x), Cell(2 * x)
    c = a if x > 0 else b
    c.value = x**3
    return c.value


@program((1.5,), (-1.5,), compares=True)
def changed_in_a_branch(x):
    sums = Sums()
    if x > 0:
        sums.add(x)
    else:
        sums.total = 5 * x
    other = sums
    other.total *= 2
    return sums.total


@program((State(1.5, B), 0.5), (State(-1.5, B), 0.5), compares=True)
def made_in_a_branch(s, dt):
    if s.x > 0:
        s = State(s.x * 2, s.v * 3)
    else:
        s = replace(s, x=s.x * dt)
    return s.x * np.sum(s.v)


@program(({"a": 0.5, "b": 0.25},), ({"a": 0.5, "b": -0.25},), compares=True)
def early_return(p):
    for w in p.values():
        if w < 0:
            return w * 3
    return p["a"] ** 2


@program(({"a": 0.5, "b": 0.25}, 1.0), ({"a": 0.5, "b": 0.25}, -1.0), compares=True)
def one_of_two_dicts(p, x):
    if x > 0:
        q = {**p, "a": p["a"] * 2}
    else:
        q = p
    return q["a"] * q["b"]


@program((1.5,))
def plain_classes(x):
    m, other = Model(x, 0.5), Model.made(x)
    m.w = m.w * 2
    return m(x) * Model.square(x) + other(x) * m.calls[0]


@program((1.5,))
def special_methods(x):
    u, v = Vector([x, 2 * x]), Vector([x * x, 3.0])
    return (u @ v) * len(u) + v[0]


@program((1.5,))
def what_init_and_post_init_do(x):
    s = Scaled(x, 3.0)
    u = Unit(x)
    return s.area * s.width + u.norm * replace(u, x=2 * x).norm


@program((1.5,))
def attributes_by_name(x):
    cell = Cell(x)
    setattr(cell, "value", getattr(cell, "value") * 3)
    return cell.value * getattr(cell, "other", 2.0) + dataclasses.asdict(cell)["value"]


@program((1.5,))
def a_closure_reads_an_object(x):
    cell = Cell(x)

    def f(y):
        return cell.value * y

    cell.value = 3 * x
    return f(x)


# --- from outside --------------------------------------------------------------------------------


@program((1.5,))
def captured(x):
    a, b = ORIGIN
    s = x * a * b * ORIGIN.x + np.sum(START.v) * START.x * x
    return s + FIXED.a * x * np.sum(FIXED.b) * SETTINGS["rate"] + SETTINGS["sizes"][1] * x


@program((1.5, 2))
def a_captured_start(x, n):
    p, q, s = ORIGIN, FIXED, START
    for _ in range(n):
        p = Point(p.x * x, p.y)
        q = Pair(q.a * x, q.b * x)
        s = s.step(0.1 * x)
    return p.product + q.a * np.sum(q.b) + s.x * np.sum(s.v)


# --- arrays in containers ------------------------------------------------------------------------


@program(({"a": B, "b": B * 2},), compares=True)
def written_in_a_container(p):
    p["a"][0] = p["b"][0] ** 2
    p["b"] *= 2.0
    return np.sum(p["a"] * p["b"])


@program((State(0.5, B),), compares=True)
def written_in_an_object(s):
    s.v[1] = s.x * s.v[0]
    s.v += 1.0
    return np.sum(s.v**2) * s.x


def _shared() -> dict[str, Any]:
    return {"a": B, "b": B}


@program((_shared(),))
def one_array_twice(p):
    return np.sum(p["a"] * p["b"] ** 2)
