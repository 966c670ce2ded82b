"""Forward mode agrees with reverse mode on the corpus, has strong zeros, reads well, and can be
applied to adjoints."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest

import truth
from adjoint.adjoints import program
from adjoint.tangents import adjoint_program, agrees_with_reverse, jvp, tangent_program, traces
from corpus.test_corpus import ENTRIES
from frontend.tracing import ops
from oracle import leaves
from retrograd.adjoint.forward import forward
from retrograd.backend.emit import emit
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function, Loop, Value, walk
from retrograd.ir.types import is_complex
from retrograd.ir.verify import verify
from retrograd.pipeline import READABLE_OPTIMISATIONS, optimised
from retrograd.trees import Leaf, Node

NAMES = [name for name, entry in ENTRIES.items() if not entry.refused]
SINGLE = (np.float32, np.complex64)


def some(names: list[str], one_in: int) -> list[Any]:
    """Names as parameters; all but one in so many are slow ones."""
    return [name if zlib.crc32(name.encode()) % one_in == 0
            else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", some(NAMES, 5))
def test_the_corpus(name: str) -> None:
    entry = ENTRIES[name]
    for args in entry.arguments:
        single = name.startswith("dtypes") or "single" in name or any(
            np.asarray(a).dtype in SINGLE for a in leaves(list(args)))
        agrees_with_reverse(entry.function, args, 1e-4 if single else 1e-8)


# --- adjoints ------------------------------------------------------------------------------------


def second(function: Any, *args: Any) -> tuple[list[Any], list[Any]]:
    """The tangent of the gradient in the direction of ones, and its central difference."""
    found = traces(function, args)
    adjoint = adjoint_program(found)
    inputs = [v for v in found.inputs if not is_complex(v.type)]
    dots = [Value(f"{v.name}_dot", v.type) for v in inputs]
    facts = found.traced.facts
    facts.extents.update((d, facts.of(v)) for d, v in zip(dots, inputs) if v.type.rank)
    body = forward(adjoint, dict(zip(inputs, dots)), facts)
    whole = verify(Function("second", (*adjoint.params, *dots), body.block, body.tangents))
    places = [found.traced.function.params.index(v) for v in inputs]
    ones = [np.ones_like(found.args[k])[()] for k in places]
    bars = [1.0] * len(found.outputs)
    tangents = interpret(verify(optimised(whole)), [*found.args, *bars, *ones])
    ends = []
    for step in (1e-5, -1e-5):
        moved = list(found.args)
        for k, one in zip(places, ones):
            moved[k] = moved[k] + step * one
        ends.append(interpret(adjoint, [*moved, *bars]))
    return list(tangents), [(a - b) / 2e-5 for a, b in zip(*ends)]


BODIES = [
    "return np.sum(np.sin(x) * np.exp(x[::-1]))",
    "s = 1.0\nfor v in x:\n    s = s * np.sin(v) + v * v\nreturn s",
    "y = x.copy()\nfor i in range(1, x.size):\n    y[i] = y[i - 1] * y[i] + np.tanh(y[i])\nreturn "
    "np.sum(y * y)",
    "s = np.sum(x)\nwhile s < 40.0:\n    s = s * s * 0.7\nreturn s",
    "ys = []\nfor v in x:\n    if v > 1.0:\n        ys.append(v ** 3)\nreturn np.sum(np.array(ys))",
    "u, w = x.copy(), np.zeros(x.size)\nfor k in range(3):\n    w[1:-1] = u[2:] * u[:-2]\n    "
    "u, w = w, u\nreturn np.sum(u * w) + np.sum(u)",
    "return np.max(x * x) * np.prod(x)",
    "y = np.where(x > 1.0, np.sqrt(x), x)\nreturn np.sum((y - 1.0) ** 2)",
]


@pytest.mark.parametrize("body", BODIES)
def test_the_tangent_of_a_gradient(body: str) -> None:
    for found, expected in zip(*second(program(body, "x"), np.array([0.8, 1.3, 2.1, 1.7, 0.6]))):
        assert np.any(expected)
        assert truth.close(found, expected, 1e-5), f"{found} instead of {expected}"


# --- strong zeros --------------------------------------------------------------------------------

V = np.array([-1.0, 0.0, 4.0])


@pytest.mark.parametrize("body, args, dots, expected", [
    ("return np.sum(np.where(x > 0, np.sqrt(x), 0.0))", (V,), (np.ones(3),), 0.25),
    ("return np.sum(np.sqrt(np.where(x > 0, x, 0.0)))", (V,), (np.ones(3),), 0.25),
    ("y = np.zeros(3)\ny[1] = x\nreturn np.sum(np.sqrt(y))", (4.0,), (1.0,), 0.25),
    ("return np.sum(np.sqrt(np.array([0.0, x])))", (4.0,), (1.0,), 0.25),
    ("return np.sum(np.sqrt(np.concatenate((np.zeros(2), x))))", (V[2:],), (np.ones(1),), 0.25),
    ("y = x if x > 5.0 else 0.0\nreturn np.sqrt(y)", (4.0,), (1.0,), 0.0),
    ("s = 0.0\nr = 0.0\nfor v in x:\n    r = r + np.sqrt(s)\n    s = s + v\nreturn r", (V[1:],),
     (np.array([0.0, 1.0]),), None),
    ("s = 0.0\nfor v in x:\n    if v > 0:\n        s = s + v\nreturn np.sqrt(s)", (V[:2],),
     (np.ones(2),), 0.0),
    ("y = x.copy()\ny[y <= 0] = 0.0\nreturn np.sum(np.sqrt(y))", (V,), (np.ones(3),), 0.25),
    ("y = np.zeros(2)\nreturn np.sum(2.0 / (y + 1.0)) * x + x ** 0.5", (4.0,), (1.0,), 4.25),
])
def test_what_was_not_chosen_moves_nothing(body: str, args: tuple[Any, ...],
                                           dots: tuple[Any, ...], expected: float | None) -> None:
    found, = jvp(program(body, "x"), args, dots)
    if expected is not None:
        assert found == expected
    else:
        assert not np.isnan(found)


def test_elsewhere_ieee_holds() -> None:
    assert np.isnan(jvp(program("return 0 * np.sqrt(x)", "x"), (0.0,), (1.0,))[0])
    assert np.isnan(jvp(program("return np.sqrt(x)", "x"), (0.0,), (0.0,))[0])
    assert jvp(program("return np.sqrt(x)", "x"), (0.0,), (1.0,)) == [np.inf]


@pytest.mark.parametrize("body, x, expected", [
    ("y = np.where(x > 0, np.sqrt(x), 0.0)\nreturn (y - 1) ** 2", 1.0, 0.5),
    ("y = np.sqrt(x)\nz = y if x > 0 else 0.0\nreturn (z - 1) ** 2", 1.0, 0.5),
    ("y = np.where(x > 0, np.log(x), 0.0)\nreturn y * y", 1.0, 2.0),
    ("y = np.where(x > 0, np.sqrt(x), 0.0)\nreturn (y - 1) ** 2", 0.0, 0.0),
    ("y = np.where(x > 0, 1 / x, x)\nreturn y * y", 0.0, 2.0),
])
def test_an_adjoint_that_is_zero_by_accident_has_a_derivative(body: str, x: float,
                                                              expected: float) -> None:
    found, _ = second(program(body, "x"), x)
    np.testing.assert_allclose(found, [expected], rtol=1e-12)


@pytest.mark.parametrize("body, x, expected", [
    ("y = np.where(x > 0, np.sqrt(x), 0.0)\nreturn (y - 1) ** 2", 1.0, 0.5),
    ("y = np.where(x > 0, np.sqrt(x), 0.0)\nreturn (y - 1) ** 2", 0.0, 0.0),
    ("y = np.where(x > 0, 1 / x, x)\nreturn y * y", 0.0, 2.0),
    ("y = np.where(x > 0, 1 / x, x)\nreturn y * y", 1.0, 6.0),
    ("y = np.sqrt(x)\nz = y if x > 0 else x * x\nreturn z * z", 0.0, 0.0),
])
def test_the_adjoint_of_an_adjoint(body: str, x: float, expected: float) -> None:
    import retrograd as rg

    f = program(body, "x")
    np.testing.assert_allclose(rg.grad(rg.grad(f), jit=False)(x), expected, rtol=1e-12)


# --- text ----------------------------------------------------------------------------------------


def text(body: str, arguments: str, *args: Any) -> str:
    """The readable source of the tangent program, without its first and last line."""
    found = traces(program(body, arguments), args)
    whole = optimised(optimised(tangent_program(found)), READABLE_OPTIMISATIONS)
    structure = Node("tuple", tuple(Leaf(k) for k in range(len(whole.returns))))
    source = emit(whole, "readable", structure, [], reserved=found.traced.names).source
    return "\n".join(line.strip() for line in source.split("return")[0].splitlines()
                     if line.startswith("    ") and line.strip())


def test_a_line_and_the_line_of_its_tangent() -> None:
    assert text("r1 = np.subtract(x, y)\nr2 = np.multiply(r1, 2)\nz = np.add(r2, z)\nreturn z",
                "x, y, z", 1.0, 2.0, 3.0) == "\n".join((
                    "r1_dot = x_dot - y_dot", "r1 = x - y", "r2_dot = 2.0 * r1_dot", "r2 = r1 * 2",
                    "z_dot += r2_dot", "z += r2"))


def test_no_second_name_for_a_variable_that_is_overwritten() -> None:
    assert text("x = x * x\nx = np.exp(x)\nreturn x", "x", 2.0) == "\n".join((
        "x_dot = 2.0 * x_dot * x", "x *= x", "x = np.exp(x)", "x_dot *= x"))


def test_quotients_are_divided_once() -> None:
    assert text("z = x / y\nreturn z", "x, y", 1.0, 2.0) == "\n".join((
        "z = x / y", "z_dot = (x_dot - y_dot * z) / y"))


def test_nothing_is_done_for_what_does_not_move() -> None:
    found = traces(program("y = np.sin(c)\nreturn x * y + np.exp(y)", "x, c"), (1.0, 2.0))
    whole = tangent_program(found, inputs=found.inputs[:1])
    assert ops(whole).count("multiply") == 2 and "cos" not in ops(whole)


def test_marks_of_checkpointed_loops_are_gone() -> None:
    import retrograd as rg

    def f(x: float) -> float:
        for _ in rg.checkpointed(range(10), snapshots=3):
            x = np.sin(x)
        return x

    whole = tangent_program(traces(f, (0.5,)))
    assert all(s.snapshots is None for s in walk(whole.body) if isinstance(s, Loop))
    agrees_with_reverse(f, (0.5,))
