"""Elements that are loaded, added to and stored at their place become additions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function, Loop
from retrograd.ir.types import INT
from retrograd.ir.verify import verify
from retrograd.optimise import adding
from retrograd.optimise.adding import with_additions


def whole(lines: str) -> Function:
    body = "\n".join(f"    {line}" for line in lines.splitlines())
    return program(f"for i in range(n):\n{body}\nreturn s", s=VECTOR, v=F, k=INT, n=INT)


def added(function: Function) -> Function:
    new = verify(replace(function, body=tuple(
        with_additions(s) if isinstance(s, Loop) else s for s in function.body)))
    args = (np.array([0.5, -2.0, 3.0]), 0.3, 1, 3)
    for a, b in zip(interpret(new, args), interpret(function, args), strict=True):
        assert a.tobytes() == b.tobytes()
    return new


def test_documentation() -> None:
    before, after = documented(adding)
    assert canonical(added(whole(before))) == canonical(whole(after))


def test_either_operand() -> None:
    function = whole("s = update(s, i, add(v, load(s, i)))")
    assert canonical(added(function)) == canonical(whole("s = add_at(s, i, v)"))


@pytest.mark.parametrize("lines", [
    "s = update(s, k, add(load(s, i), v))",
    "s = update(s, k, multiply(load(s, k), v))",
    "e = load(s, k)\ns = update(s, k, add(e, e))",
    "e = load(s, k)\nt = add(e, v)\ns = update(s, k, t)\ns = update(s, i, t)",
    "e = load(s, k)\ns = update(s, i, v)\ns = update(s, k, add(e, v))",
    "e = load(s, k)\ns = update(s, k, add(e, v))\ns = update(s, i, e)",
])
def test_left_alone(lines: str) -> None:
    assert canonical(added(whole(lines))) == canonical(whole(lines))
