"""What comes from outside: numbers and arrays are read at every call, the rest is static."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from frontend.tracing import agrees, load, traced
from retrograd.errors import Unsupported
from retrograd.ir.nodes import Constant, Let

A = np.array([1.0, 2.0, 3.0])


def function(text: str, **names: Any) -> Any:
    return load(text, file=f"<{text}>", **names)


def captured(f: Any, *args: Any) -> list[str]:
    return [c.name for c in traced(f, *args).captures]


def test_numbers_and_arrays_are_hidden_arguments() -> None:
    f = function("def f(x):\n    return np.sum(a * x) + k\n", a=A, k=2.5)
    found = traced(f, 0.5)
    assert [c.name for c in found.captures] == ["a", "k"]
    assert [p.name for p in found.function.params] == ["x", "a", "k"]
    f.__globals__["k"] = 3.5
    assert [c.read() for c in found.captures][1] == 3.5
    agrees(f, 0.5)


def test_a_capture_is_read_once_however_often_it_is_used() -> None:
    assert captured(function("def f(x):\n    return (x + k) * k - k\n", k=2.0), 0.5) == ["k"]


def test_closure_cells_are_captured() -> None:
    def make(k: float) -> Any:
        def f(x: float) -> float:
            return x * k + len(text)
        return f

    text = "abc"
    assert captured(make(2.0), 0.5) == ["k"]
    agrees(make(2.0), 0.5)


def test_functions_modules_and_strings_are_static_and_guarded() -> None:
    def g(v: float) -> float:
        return v * 2

    f = function("def f(x):\n    return g(x) if mode == 'a' else -x\n", g=g, mode="a")
    found = traced(f, 0.5)
    assert not found.captures
    guards = {guard.name: guard for guard in found.guards}
    assert guards["mode"].value == "a"
    assert any(guard.value in (g, g.__code__) for guard in found.guards if guard.name == "g")
    f.__globals__["mode"] = "b"
    assert guards["mode"].read() != guards["mode"].value


def test_containers_are_opened() -> None:
    f = function("def f(x):\n    return x * p['w'][0] + p['b'] + t[1]\n",
                 p={"w": [2.0, 3.0], "b": 0.5}, t=(1, 4.0))
    agrees(f, 0.5)
    found = traced(f, 0.5)
    names = {guard.name for guard in found.guards}
    assert {"p", "p_w", "t"} <= names            # their structure
    assert not any("0.5" in str(s) for s in found.function.body if isinstance(s, Let)
                   for s in s.args if isinstance(s, Constant))


def test_attributes_of_objects() -> None:
    class Settings:
        rate = 0.5

    settings = Settings()
    f = function("def f(x):\n    return x * settings.rate\n", settings=settings)
    found = traced(f, 2.0)
    assert [c.read() for c in found.captures] == [0.5]
    settings.rate = 4.0                        # type: ignore[misc]
    assert [c.read() for c in found.captures] == [4.0]


def test_a_captured_int_that_must_be_known() -> None:
    f = function("def f(x):\n    return np.sum(x, axis=k)\n", k=1)
    agrees(f, np.ones((2, 3)))
    found = traced(f, np.ones((2, 3)))
    assert [g.value for g in found.guards if g.name == "k"] == [1]


def test_an_int_argument_that_must_be_known() -> None:
    agrees(function("def f(x, axis):\n    return np.sum(x, axis=axis)\n"), np.ones((2, 3)), 1)
    agrees(function("def f(x, n):\n    return x[::n]\n"), A, 2)


def test_local_names_hide_outer_ones() -> None:
    agrees(function("def f(x):\n    np = 3.0\n    abs = x\n    return abs * np\n"), 0.5)
    agrees(function("def f(x):\n    sum = lambda v: v * 7\n    return sum(x)\n"), 0.5)


@pytest.mark.parametrize("text, reason", [
    ("def f(x):\n    global k\n    k = x\n    return x\n", "global"),
    ("def f(x):\n    k = 1.0\n    def g():\n        nonlocal k\n        k = 2.0\n    g()\n"
     "    return x * k\n", "nonlocal"),
    ("def f(x):\n    return x * missing\n", "not defined"),
    ("def f(x):\n    return x * missing.part\n", "not defined"),
    ("def f(x):\n    return np.sin(x) * np.nothing(x)\n", "no attribute"),
])
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        traced(function(text, k=1.0), 0.5)


def test_a_cell_without_a_value() -> None:
    def make() -> Any:
        def f(x: float) -> float:
            return x * later
        if A.size == 0:
            later = 1.0
        return f

    with pytest.raises(Unsupported, match="'later' has no value yet"):
        traced(make(), 0.5)
