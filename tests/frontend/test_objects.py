"""Objects inside functions: what is refused, and what raises as in Python."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest

import retrograd as rg


class Point(NamedTuple):
    x: float
    y: float


@dataclasses.dataclass
class State:
    x: float
    y: float = 1.0

    def __post_init__(self):
        self.seen = 1


@dataclasses.dataclass(slots=True)
class Slotted:
    x: float


class Dynamic:
    def __init__(self, x):
        self.x = x

    def __getattr__(self, name):
        return 1.0


class Watched:
    def __init__(self, x):
        self.x = x

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)


class Child(Slotted):
    def __init__(self, x):
        super().__init__(x)


class Unregistered:
    def __init__(self, x):
        self.x = x


LOOP = State(1.0)
LOOP.y = LOOP


def getattr_of_its_own(x):
    return Dynamic(x).other


def setattr_of_its_own(x):
    return Watched(x).x


def calls_super(x):
    return Child(x).x


def identity_of_tuples(x):
    a, b = (x, 1.0), (x, 1.0)
    return x if a is b else 2 * x


def contains_itself(x):
    return x * LOOP.x


def iterates_over_an_object(x):
    a, b = State(x)
    return a * b


def adds_objects(x):
    return (State(x) + State(x)).x


def returns_an_unknown_object(x):
    return Unregistered(x)


def reads_its_dict(x):
    return State(x).__dict__["x"]


@pytest.mark.parametrize("f", [
    getattr_of_its_own, setattr_of_its_own, calls_super, identity_of_tuples, contains_itself,
    iterates_over_an_object, adds_objects, returns_an_unknown_object, reads_its_dict])
def test_refused_with_place_and_remedy(f):
    with pytest.raises(rg.Unsupported) as caught:
        rg.grad(f, jit=False)(1.5)
    assert caught.value.span is not None and caught.value.remedy


def test_attributes_of_an_argument_that_are_no_fields():
    with pytest.raises(rg.Unsupported, match="'seen' is no field of State"):
        rg.grad(lambda s: s.x * s.seen, jit=False)(State(1.0))
    assert rg.grad(lambda x: State(x).x * State(x).seen, jit=False)(2.0) == 1.0


def not_there(x):
    return State(x).z


def wrong_index(p):
    return Point(p.x, p.y)[2]


def an_item_of_a_named_tuple(x):
    p = Point(x, x)
    p[0] = 1.0
    return p.x


def too_few(x):
    return Slotted().x * x


@pytest.mark.parametrize(("f", "arg"), [
    (not_there, 1.0), (wrong_index, Point(1.0, 2.0)), (an_item_of_a_named_tuple, 1.0)])
def test_raises_as_python_does(f, arg):
    with pytest.raises(Exception) as expected:
        f(arg)
    with pytest.raises(type(expected.value)) as caught:
        rg.grad(f, jit=False)(arg)
    assert str(caught.value) == str(expected.value)


def test_missing_arguments_raise_type_error():
    with pytest.raises(TypeError, match="Slotted: missing a required argument: 'x'"):
        rg.grad(too_few, jit=False)(1.0)


def test_what_iterating_over_a_dict_gives():
    def f(x):
        d = {"a": x, "b": x * x}
        keys = list(d)
        return d[keys[1]] * len(tuple(d)) + d["a"] * ("a" in d) * ("c" not in d)

    assert rg.grad(f, jit=False)(3.0) == 2 * 2 * 3.0 + 1.0


def test_a_class_that_changes_is_compiled_anew(monkeypatch):
    def f(x):
        return Slotted(x).x * State(x).y

    g = rg.grad(f, jit=False)
    assert g(2.0) == 1.0
    monkeypatch.setattr(State, "__post_init__", lambda self: setattr(self, "y", 5.0))
    assert g(2.0) == 5.0


def test_a_method_that_is_replaced_is_compiled_anew(monkeypatch):
    monkeypatch.setattr(Slotted, "value", lambda self: self.x, raising=False)

    def f(x):
        return Slotted(x).value()

    g = rg.grad(f, jit=False)
    assert g(2.0) == 1.0
    monkeypatch.setattr(Slotted, "value", lambda self: self.x * self.x)
    assert g(2.0) == 4.0


class Tally:
    def __init__(self, x):
        self.x = x

    def __bool__(self):
        return False

    def __iadd__(self, other):
        self.x = self.x * other
        return self

    def __add__(self, other):
        return Tally(self.x + other)


def test_truth_and_augmented_operators_are_the_class_own():
    def f(x):
        a = Tally(x)
        b = a
        b += x
        pair = [a]
        pair[0] += x
        return (1.0 if a else 2.0) * a.x * (1.0 if State(x) else 5.0) + (a + 1.0).x * 0.0

    assert rg.grad(f, jit=False)(2.0) == 2 * 3 * 4.0


def test_arrays_of_containers():
    got = rg.grad(lambda p: np.sum(np.array(p) ** 2), jit=False)(Point(1.0, 2.0))
    assert got == Point(2.0, 4.0)
