import dataclasses
import inspect
import timeit

import numpy as np
import pytest

from retrograd.backend.dispatch import fast_entry, guard_holds, runner, slow_entry
from retrograd.backend.dispatch_results import Call
from retrograd.ir.types import FLOAT, INT, Array, Scalar
from retrograd.places import ATTRIBUTE, ITEM, STRUCTURE, Place
from retrograd.program import Capture, Container, Guard, Known
from retrograd.trees import Fixed, Leaf, Node

VECTOR = Array("float64", (None,))


def entry_for(function, params, **options):
    """An entry that says whether it took the arguments."""
    call = Call(lambda *leaves: "fast", Leaf(0), (VECTOR,), True)
    return fast_entry(inspect.signature(function), "f", params, call, captures=(), guards=(),
                      slow=lambda values, out: "slow",
                      into=lambda leaves, out: ("fast", out), **options)


@pytest.mark.parametrize(("param", "taken", "refused"), [
    (FLOAT, [1.0], [1, True, np.float64(1), "1", None, np.ones(2)]),
    (INT, [1], [1.0, True, np.int64(1)]),
    (Scalar("float64"), [np.float64(1)], [1.0, np.float32(1), np.array(1.0)]),
    (VECTOR, [np.ones(3), np.ones(0)],
     [np.ones(1), np.ones(6)[::2], np.ones((2, 2)), np.ones(3, np.float32), [1.0], 1.0,
      np.ones(3, ">f8"), np.ma.ones(3), np.zeros(17, np.uint8)[1:].view(float)]),
    (Array("float64", (1, None)), [np.ones((1, 2))], [np.ones((1, 1)), np.ones((2, 2)),
                                                      np.ones(1), np.ones((1, 2, 2))]),
    (Array("float64", (None, None), "F"), [np.ones((2, 3)).T], [np.ones((2, 3)), np.ones((1, 3))]),
    (Array("float64", (None,), "A"), [np.ones(6)[::2]], [np.ones(3)]),
    (Array("float64", ()), [np.array(1.0)], [np.ones(1), 1.0, np.float64(1)]),
    (Known("a"), ["a"], ["b", 1, None]), (Known(None), [None], [0, "None"]),
    (Known(1), [1], [True, 1.0, 2]), (Known(np.sin), [np.sin], [np.cos]),
    (Known((1, "a")), [(1, "a")], [(1, "b"), [1, "a"], (1,)]),
])
def test_only_what_was_compiled_for_passes(param, taken, refused):
    entry = entry_for(lambda x: x, (param,))
    assert [entry(value) for value in taken] == ["fast"] * len(taken)
    assert [entry(value) for value in refused] == ["slow"] * len(refused)


def test_differentiated_floats_may_be_ints():
    entry = entry_for(lambda x, y: x, (FLOAT, FLOAT), numbers=(1,))
    assert entry(1.0, 2) == entry(1.0, 2.0) == "fast"
    assert entry(1, 2.0) == entry(1.0, True) == "slow"


def test_out():
    assert entry_for(lambda x: x, (FLOAT,))(1.0, out="o") == ("fast", "o")


def test_read_only_arrays_pass():
    x = np.ones(3)
    x.flags.writeable = False
    assert entry_for(lambda x: x, (VECTOR,))(x) == "fast"


def test_declared_code_takes_any_layout():
    entry = entry_for(lambda x: x, (Array("float64", (None,), "A"),), any_layout=True)
    assert entry(np.ones(3)) == entry(np.ones(6)[::2]) == "fast"


def test_values_that_can_change_have_no_quick_test():
    assert entry_for(lambda x: x, (Known([1]),)) is None
    assert entry_for(lambda x: x, (Known((1.0,)),)) is None


def test_parameters_of_every_kind():
    def f(a, /, b=2.0, *rest, c, d=4.0):
        return a

    entry = entry_for(f, (FLOAT, FLOAT, Container("tuple", (FLOAT, INT)), FLOAT, FLOAT))
    assert entry(1.0, 2.0, 3.0, 4, c=5.0) == "fast"
    assert entry(1.0, 2.0, 3.0, c=5.0) == "slow"
    slow = slow_entry(inspect.signature(f), "f", lambda values, out: (values, out))
    assert slow(1, c=3) == ((1, 2.0, (), 3, 4.0), None)
    assert slow(1, 2, 3, c=3, out=5) == ((1, 2, (3,), 3, 4.0), 5)


def test_results_are_nested_and_typed():
    tree = Node("dict", (Leaf(1), Node("list", (Leaf(0), Fixed("s"))), Node("tuple", (Leaf(2),))),
                ("b", "a", 3))
    targets = (Scalar("float32"), FLOAT, Array("float64", ()))
    got = runner("f", (), Call(lambda: (1.5, 2.0, 3.0), tree, targets, True))()
    assert list(got) == ["b", "a", 3] and got["a"] == [np.float32(1.5), "s"]
    assert type(got["a"][0]) is np.float32 and type(got["b"]) is float
    assert got[3][0].shape == () and type(got[3][0]) is np.ndarray
    nested = {"b": np.float64(2.0), "a": [np.float64(1.5), "s"], 3: (np.float64(3.0),)}
    again = runner("f", (), Call(lambda: nested, tree, targets, False))()
    assert again == got and type(again["b"]) is float and type(again["a"][0]) is np.float32


def test_nothing_but_fixed_results():
    assert runner("f", (FLOAT,), Call(lambda x: (), Fixed(None), (), True))(1.0) is None


def test_guards():
    keys = ("list", 2)
    assert guard_holds(Guard("k", lambda: ("list", 2), keys))
    assert not guard_holds(Guard("k", lambda: ("list", 3), keys))
    assert not guard_holds(Guard("n", lambda: 1.0, 1))
    assert not guard_holds(Guard("n", lambda: 1, 1.0))
    assert not guard_holds(Guard("n", lambda: True, 1))


@dataclasses.dataclass
class Owner:
    inside: object = 1.0


OWNER, TABLE, LIST = Owner(), {"a": 1.0, 2: 1.0, "in": {"a": 1.0}}, [1.0, 2.0]
vars(OWNER)["class"] = vars(OWNER)["ﬁ"] = 1.0


@pytest.mark.parametrize("place", [
    Place(TABLE, ITEM, "a"), Place(TABLE, ITEM, 2), Place(Place(TABLE, ITEM, "in"), ITEM, "a"),
    Place(LIST, ITEM, 0), Place(OWNER, ATTRIBUTE, "inside"), Place(OWNER, ATTRIBUTE, "class"),
    Place(OWNER, ATTRIBUTE, "ﬁ"), Place(Place(vars(OWNER), ITEM, "inside"), ATTRIBUTE, "real"),
    Place(Place(TABLE, ITEM, "in"), STRUCTURE)], ids=str)
def test_places_are_read_in_the_text_as_by_their_readers(place):
    scope: dict[str, object] = {}

    def put(name, value):
        scope[f"_{name}_{len(scope)}"] = value
        return f"_{name}_{len(scope) - 1}"

    assert eval(place.expression(put), scope) == place.reader()()


def test_what_is_outside_is_read_at_every_call():
    owner, given = Owner(inside=2), []
    call = Call(lambda *leaves: given.append(leaves), Fixed(None), (), True)
    places = Place(owner, ATTRIBUTE, "inside"), Place(globals(), ITEM, "TABLE")
    entry = fast_entry(
        inspect.signature(lambda x: x), "f", (FLOAT,), call, into=None,
        captures=(Capture("c", places[0].reader(), INT, places[0]),),
        guards=(Guard("t", places[1].reader(), TABLE, places[1]),
                Guard("t", places[0].reader(), 2, places[0])), slow=lambda values, out: "slow")
    assert entry(1.0) is None and given == [(1.0, 2)]
    owner.inside = 2.0
    assert entry(1.0) == "slow"
    owner.inside = 3
    assert entry(1.0) == "slow" and len(given) == 1


def test_entries_cost_little():
    entry = entry_for(lambda x, y, z: x, (FLOAT, FLOAT, FLOAT))
    assert min(timeit.repeat(lambda: entry(1.0, 2.0, 3.0), number=2000, repeat=20)) / 2000 < 1.5e-6
