"""What was stored or loaded is not loaded again while it is certainly the same."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function, Let, walk
from retrograd.ir.types import FLOAT, INT, Array, Scalar, Type
from retrograd.ir.verify import verify
from retrograd.optimise import forwarded
from retrograd.optimise.dead import remove_dead
from retrograd.optimise.forwarded import forward_stores

PARAMS: dict[str, Type] = {"x": VECTOR, "e": F, "d": F, "i": INT, "j": INT}


def whole(body: str, result: str = "x, z", **others: Type) -> Function:
    return program(f"{body}\nreturn {result}", **(PARAMS | others))


def forward(function: Function, last: tuple[object, ...] = ()) -> Function:
    """The function after the pass, which gives the same bits."""
    new = remove_dead(verify(forward_stores(verify(function))))
    for i, j in ((1, 2), (2, 2), (0, -5), (3, -2)):
        args = (np.arange(5.0), 0.3, -0.7, i, j, *last)
        for a, b in zip(interpret(new, args), interpret(function, args), strict=True):
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    return new


def loads(function: Function) -> int:
    return sum(isinstance(s, Let) and s.op == "load" for s in walk(function.body))


def test_documentation() -> None:
    before, after = documented(forwarded)
    assert canonical(forward(whole(before, n=INT, z=F), (4, 0.5))) == canonical(
        whole(after, n=INT, z=F))


@pytest.mark.parametrize("body", [
    "x = update(x, i, e)\nz = load(x, i)",
    "y = load(x, i)\nz = add(y, load(x, i))",
    "y = load(x, i + 1)\nz = add(y, load(x, 1 + i))",
    "x = update(x, i, 0.0)\nz = load(x, i)",
    "x = update(x, 1, e)\nx = update(x, 0, d)\nz = load(x, 1)",
    "z = e\nx = update(x, i, e)\nif e < d:\n    z = load(x, i)",
    "z = e\nx = update(x, i, e)\nfor k in range(3):\n    z = add(z, load(x, i))",
    "x = update(x, 1, e)\nif e < d:\n    x = update(x, 0, d)\nelse:\n    x = update(x, 2, d)\n"
    "z = load(x, 1)",
    "y = copy(x)\nx = update(x, i, e)\nz = add(load(y, i), load(y, i))",
])
def test_loaded_once_at_most(body: str) -> None:
    function = whole(body)
    assert loads(forward(function)) == loads(function) - 1


@pytest.mark.parametrize("body", [
    "x = update(x, i, e)\nx = update(x, j, d)\nz = load(x, i)",
    "x = update(x, i, e)\nz = load(x, j)",
    "x = update(x, i, e)\nx = add_at(x, i, d)\nz = load(x, i)",
    "y = load(x, 1)\nx = update(x, -4, e)\nz = add(y, load(x, 1))",
    "z = e\nx = update(x, i, e)\nif e < d:\n    x = update(x, i, d)\nz = load(x, i)",
    "x = update(x, i, e)\nfor k in range(3):\n    x = update(x, i, d)\nz = load(x, i)",
    "z = e\nif e < d:\n    z = load(x, i)\nz = add(z, load(x, i))",
    "z = e\nfor k in range(j):\n    z = load(x, i)\nz = add(z, load(x, i))",
])
def test_left_alone(body: str) -> None:
    function = whole(body)
    assert canonical(forward(function)) == canonical(function)


def test_what_is_converted_on_the_way_is_loaded() -> None:
    function = whole("y = update(y, i, e)\nz = load(y, i)", "y, z", y=Array("float32", (None,)))
    assert loads(forward(function, (np.zeros(5, np.float32),))) == 1


def test_what_was_a_python_number_is_an_element_afterwards() -> None:
    function = whole("x = update(x, i, p)\nz = load(x, i)", "x, z", p=FLOAT)
    new = forward(function, (0.25,))
    assert loads(new) == 0
    assert new.returns[1].type == Scalar("float64")
