"""What was not chosen contributes exactly nothing, whatever its partial; elsewhere IEEE holds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adjoint.adjoints import gradients, names, program, right
from frontend.tracing import traced
from retrograd.adjoint.activity import activity
from retrograd.adjoint.scopes import places
from retrograd.adjoint.strong import strong_values


def strong(body: str) -> set[str]:
    found = traced(program(body, "x, c"), 0.5, 1.0)
    active = activity(found.function, [found.parameters[0][0]], found.function.returns)
    return names(strong_values(found.function, active, places(found.function)))


@pytest.mark.parametrize("body, expected", [
    ("u = np.sqrt(x)\nreturn np.where(c > 0, u, 1.0)", True),
    ("u = np.sqrt(x)\nreturn np.where(c > 0, u, 1.0) + u", False),
    ("u = np.sqrt(x)\nif c > 0:\n    y = u\nelse:\n    y = 1.0\nreturn y", True),
    # one arm or the other: nothing goes past it
    ("u = np.sqrt(x)\nif c > 0:\n    y = u * 2\nelse:\n    y = u\nreturn y", False),
    ("u = np.sqrt(x)\nif c > 0:\n    y = u * 2\nelse:\n    y = x\nreturn y", True),
    ("u = np.sqrt(x)\nv = u * 3\nif c > 0:\n    y = v\nelse:\n    y = 1.0\nreturn y", True),
    ("u = np.sqrt(x)\nreturn u * c", False),
    ("u = np.sqrt(x)\ny = u\nfor i in range(3):\n    y = y * 2\nreturn y", False),
])
def test_which_values_are_strong(body: str, expected: bool) -> None:
    assert ("u" in strong(body)) == expected


V = np.array([-1.0, 0.0, 4.0])


@pytest.mark.parametrize("body, args, expected", [
    ("return np.sum(np.where(x > 0, np.sqrt(x), 0.0))", (V,), [0, 0, 0.25]),
    ("return np.sum(np.where(x > 0, np.log(x), x))", (V,), [1, 1, 0.25]),
    ("return np.sum(np.where(x > 0, 1 / x, 2.0))", (V,), [0, 0, -1 / 16]),
    ("y = np.sqrt(x)\nz = y * 3\nreturn np.sum(np.where(x > 0, z + 1, 0.0))", (V,), [0, 0, 0.75]),
    ("y = np.sqrt(x)\nreturn np.sum(np.where(x > 0, np.where(x > 5, y, x), 0.0))", (V,),
     [0, 0, 1]),
    ("y = 1 / x\nreturn np.sum(np.where(x > 0, y[0], 0.0)) * 0 + x[2]", (V,), None),
    ("return np.sqrt(x) if x > 0 else 0.0 * x", (0.0,), 0),
    ("y = np.sqrt(x)\nif x > 0:\n    z = y\nelse:\n    z = x\nreturn z", (0.0,), 1),
    ("y = 1 / x\nif x > 0:\n    return y\nreturn x * 5", (0.0,), 5),
    ("s = 0.0\nfor v in x:\n    r = np.sqrt(v)\n    if v > 0:\n        s = s + r\nreturn s", (V,),
     [0, 0, 0.25]),
    ("y = np.log(x)\nfor i in range(2):\n    if x > 0:\n        x = x + y\nreturn x", (0.0,), 1),
    ("y = np.log(x)\nk = 0\nwhile k < 2:\n    k += 1\n    if x > 0:\n        x = x + y\nreturn x",
     (0.0,), 1),
])
def test_no_nan_from_what_was_not_chosen(body: str, args: tuple[object, ...], expected: object,
                                         ) -> None:
    (found,) = gradients(program(body, "x"), *args)
    if expected is None:
        return                                     # the user's own 0 * inf: see below
    np.testing.assert_array_equal(found, expected)


def test_elsewhere_ieee_holds() -> None:
    assert math.isnan(gradients(program("return 0 * np.sqrt(x)", "x"), 0.0)[0])
    assert math.isnan(gradients(program("return c * np.sqrt(x)", "x, c"), 0.0, 0.0)[0])
    assert gradients(program("return np.sqrt(x)", "x"), 0.0)[0] == math.inf


def test_what_was_chosen_keeps_its_derivative() -> None:
    for x in (0.3, -0.3):
        right(program("y = np.sin(x)\nreturn np.where(x > 0, y * y, y) * 2", "x"), x)
        right(program("y = np.sin(x)\nif x > 0:\n    y = y * y\nreturn y", "x"), x)
