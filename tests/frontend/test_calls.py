"""Calls are inlined with Python's own rules for arguments, names and closures."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from frontend.tracing import agrees, load, run, traced
from retrograd.errors import Unsupported
from retrograd.ir.nodes import walk


def function(text: str, **names: Any) -> Any:
    return load(text, file=f"<{text}>", **names)


# --- arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [
    "g(x)", "g(x, 2)", "g(x, b=2)", "g(b=2, a=x)", "g(x, 2, 3, 4)", "g(x, *(2, 3))", "g(*(x, 2))",
    "g(x, c=5)", "g(x, d=5, e=6)", "g(**{'a': x, 'c': 9})", "g(x, **dict(b=3))",
    "g()", "g(x, a=1)", "h(1, 2, 3)", "h(x, z=1)", "k(x, 1)", "k(x, b=1)", "k(a=x, b=1)",
])
def test_arguments_are_bound_as_in_python(call: str) -> None:
    source = ("def g(a, b=7, *rest, c=1.5, **others):\n"
              "    total = a * b + c\n    for r in rest:\n        total = total * r\n"
              "    for k in others.values():\n        total = total - k\n    return total\n"
              "def h(a, b=2):\n    return a - b\n"
              "def k(a, /, b):\n    return a - b\n"
              f"def f(x):\n    return {call}\n")
    f = function(source)
    try:
        expected = f(0.5)
    except TypeError as error:
        with pytest.raises(TypeError) as caught:
            run(f, 0.5)
        if "unexpected" in str(error) or "multiple" in str(error):
            assert str(caught.value).split("(")[0] in str(error)
    else:
        assert run(f, 0.5) == expected


def test_defaults_are_those_of_the_definition() -> None:
    agrees(function("k = 2.0\ndef g(x, k=k):\n    return x * k\nk = 5.0\n"
                    "def f(x):\n    return g(x) + k\n"), 0.5)
    agrees(function("def f(x):\n    k = 2.0\n    g = lambda v, k=k: v * k\n    k = 5.0\n"
                    "    return g(x) + k\n"), 0.5)


def test_partials_methods_and_callables() -> None:
    class Model:
        rate = 3.0

        def __init__(self) -> None:
            self.own = 4.0

        def step(self, x: float) -> float:
            return x * self.rate + self.own

        @staticmethod
        def fixed(x: float) -> float:
            return x + 2

        @classmethod
        def shared(cls, x: float) -> float:
            return x * cls.rate

    m = Model()
    agrees(lambda x: m.step(x), 0.5)
    agrees(lambda x: m.fixed(x) + Model.fixed(x) + m.shared(x), 0.5)
    agrees(m.step, 0.5)
    agrees(functools.partial(m.step), 0.5)
    agrees(functools.partial(lambda a, b, c=1: a - b * c, c=3), 0.5, 2.0)
    agrees(functools.partial(lambda a, b: a - b, 2.0), 0.5)
    twice = functools.partial(functools.partial(lambda a, b, c: a + b * c, 2.0), 3.0)
    agrees(lambda x: twice(x), 0.5)


def test_names_of_functions_do_not_mix() -> None:
    agrees(function("def g(x):\n    y = x * 2\n    return y\n"
                    "def f(x):\n    y = 5.0\n    z = g(x)\n    return y + z\n"), 0.5)
    f = function("def g(y):\n    return y * y\ndef f(x):\n    y = x + 1\n    return g(x) * y\n")
    agrees(f, 0.5)


@pytest.mark.parametrize("text", [
    "def f(x):\n    return f(x - 1) if x > 0 else x\n",
    "def g(x):\n    return f(x)\ndef f(x):\n    return g(x)\n",
    "def f(x):\n    def g(y):\n        return g(y) * 2\n    return g(x)\n",
    "def f(x):\n    g = lambda h, v: h(h, v)\n    return g(g, x)\n",
])
def test_recursion_is_refused(text: str) -> None:
    with pytest.raises(Unsupported, match="recursion"):
        run(function(text), 0.5)


def test_the_same_function_several_deep_is_no_recursion() -> None:
    agrees(function("def g(x):\n    return x * 2\ndef h(v):\n    return g(g(v)) + g(v)\n"
                    "def f(x):\n    return h(g(h(x)))\n"), 0.5)


def test_functions_made_from_one_text_are_several() -> None:
    text = ("def twice(h):\n    def g(v):\n        return h(h(v)) + v\n    return g\n"
            "def f(x):\n    return twice(twice(lambda v: v * 2))(x)\n")
    agrees(function(text), 0.5)
    agrees(function(text + "h = twice(twice(lambda v: v * 3))\ndef f(x):\n    return h(x)\n"), 0.5)


# --- closures see names as they are when they are called ------------------------------------------


@pytest.mark.parametrize("text", [
    # a name changes after the function is made
    "def f(x, n):\n    k = 1.0\n    g = lambda v: v * k\n    k = 3.0\n    return g(x)\n",
    # ... inside a branch, and the function is called through another one
    "def apply(g, x):\n    return g(x)\ndef f(x, n):\n    k = 1.0\n    g = lambda v: v * k\n"
    "    if n > 0:\n        k = 3.0\n        y = apply(g, x)\n    else:\n        y = x\n"
    "    return y\n",
    # ... inside a loop
    "def apply(g, x):\n    return g(x)\ndef f(x, n):\n    k = 1.0\n    g = lambda v: v * k\n"
    "    y = x\n    for i in range(n):\n        k = k + 1.0\n        y = y + apply(g, x)\n"
    "    return y\n",
    # ... after the function in between has returned
    "def f(x, n):\n    k = 1.0\n    def make():\n        return lambda v: v * k\n    g = make()\n"
    "    k = 5.0\n    return g(x)\n",
    # the variable of a function that has returned
    "def make(k):\n    g = lambda v: v * k\n    k = k + 1\n    return g\n"
    "def f(x, n):\n    k = 100.0\n    return make(3.0)(x) + make(4.0)(x) * k\n",
    "def f(x, n):\n    def outer(a):\n        def inner(b):\n            return a * b + k\n"
    "        return inner\n    k = 2.0\n    g = outer(x)\n    k = 7.0\n"
    "    return g(x) + outer(3)(x)\n",
    "def f(x, n):\n    gs = [lambda v, k=k: v * k for k in (1.0, 2.0)]\n"
    "    return gs[0](x) - gs[1](x)\n",
    "def f(x, n):\n    def g(v):\n        return v * scale\n    for scale in (2.0, 3.0):\n"
    "        x = g(x)\n    return x\n",
])
def test_closures(text: str) -> None:
    f = function(text)
    for n in (0, 1, 3):
        agrees(f, 0.5, n)


def test_a_variable_that_two_ways_out_leave_different_is_refused() -> None:
    f = function("def make(x):\n    k = 1.0\n    g = lambda v: v * k\n    if x > 0:\n"
                 "        k = 2.0\n        return g\n    return g\n"
                 "def f(x):\n    return make(x)(x)\n")
    with pytest.raises(Unsupported, match="'k' of a function that has returned"):
        run(f, 0.5)


def test_a_function_that_reads_the_variable_of_its_comprehension_is_refused() -> None:
    f = function("k = 100.0\ndef f(x):\n    gs = [lambda v: v * k for k in (1.0, 2.0)]\n"
                 "    return gs[0](x) + gs[1](x)\n")
    with pytest.raises(Unsupported, match="the comprehension's last one"):
        run(f, 0.5)


def test_callbacks_and_functions_as_values() -> None:
    agrees(function("def f(x):\n    table = {'a': np.sin, 'b': lambda v: v * 2}\n"
                    "    return table['a'](x) + table['b'](x)\n"), 0.5)
    agrees(function("def twice(g, v):\n    return g(g(v))\n"
                    "def f(x):\n    return twice(lambda v: v * v, x) + twice(np.cos, x)\n"), 0.5)


# --- messages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "raise ValueError(f'bad {x} of {n}')", "raise ValueError('bad', )", "raise KeyError",
    "raise ValueError(f'{3.14159:.2f} {\"s\"!r} {2:>4}')", "raise RuntimeError(f'{n}')",
    "assert x > 1, f'{x} is small'", "assert n == 0",
])
def test_exceptions_have_pythons_text(text: str) -> None:
    agrees(function(f"def f(x, n):\n    {text}\n    return x\n"), 0.5, 3)


def test_a_format_of_what_is_not_known_is_refused() -> None:
    for spec in ("x:.2f", "x!r", "n:03d"):
        f = function(f"def f(x, n):\n    if n > 0:\n        raise ValueError(f'{{{spec}}}')\n"
                     "    return x\n")
        with pytest.raises(Unsupported, match="format"):
            run(f, 0.5, 3)


def test_refusals_inside_the_prelude_name_the_users_line() -> None:
    f = function("def f(x):\n    y = x\n    return np.sum(np.linalg.qr(y)[0])\n")
    with pytest.raises(Unsupported) as caught:
        run(f, np.eye(2))
    assert caught.value.span is not None
    assert (caught.value.span.line, caught.value.span.function) == (3, "f")


def test_every_statement_has_the_users_place() -> None:
    f = function("def g(v):\n    return np.mean(v ** 2)\n"
                 "def f(x):\n    y = np.var(x)\n    return g(x) + y\n")
    for statement in walk(traced(f, np.ones(3)).function.body):
        assert statement.origin is not None and statement.origin.file.startswith("<def g")
