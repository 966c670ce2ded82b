"""Marked loops become blocks where their iterations are proven independent; others stay loops."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function, Let, Loop, walk
from retrograd.ir.types import INT, Array
from retrograd.ir.verify import verify
from retrograd.optimise import parallel
from retrograd.optimise.buffers import hoist_buffers
from retrograd.optimise.dead import remove_dead
from retrograd.optimise.parallel import in_blocks, without_wishes

X = np.linspace(-1.0, 2.0, 300)


def whole(body: str, result: str = "out, s") -> Function:
    return program(f"{body}\nreturn {result}", x=VECTOR, out=VECTOR, s=F, n=INT,
                   A=Array("float64", (None, None)))


def loop(*lines: str, bounds: str = "0, n") -> Function:
    return whole("\n    ".join([f"for i in prange({bounds}):", *lines]))


def split(function: Function, n: int = 300) -> Function:
    new = verify(in_blocks(function))
    args = (X, np.zeros(300), 0.5, n, np.ones((3, 2)))
    for a, b in zip(interpret(new, args), interpret(function, args), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    return new


def marks(function: Function) -> list[tuple[bool, bool]]:
    return [(s.parallel, s.blocks) for s in walk(function.body) if isinstance(s, Loop)]


def test_documentation() -> None:
    before, after = documented(parallel)
    assert canonical(split(whole(before))).replace("~", "") == canonical(
        whole(after)).replace("~", "")           # the text has no strong constants


OWN = ["v = multiply(load(x, i), 2.0)", "out = update(out, i, v)"]


@pytest.mark.parametrize("n", [0, 1, 5, 127, 128, 129, 300, -3])
def test_every_iteration_is_in_one_block(n: int) -> None:
    assert (False, True) in marks(split(loop(*OWN, "s = add(s, v)"), n))


@pytest.mark.parametrize("bounds", ["2, n", "1, n, 3", "n - 1, 0, -1", "n - 1, -1, -7"])
def test_ranges(bounds: str) -> None:
    function = loop("v = load(x, i)", "out = add_at(out, i, v)", "s = add(s, v)", bounds=bounds)
    assert (False, True) in marks(split(function))


def test_sums_of_arrays_are_made_a_block_at_a_time() -> None:
    function = program("""
        for i in prange(n):
            for k in range(3):
                w = add_at(w, k, multiply(load(x, i), load(w0, k)))
        return w
        """, x=VECTOR, w=VECTOR, w0=VECTOR, n=INT)
    new = verify(in_blocks(function))
    args = (X, np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 4.0]), 300)
    np.testing.assert_allclose(interpret(new, args)[0], interpret(function, args)[0], rtol=1e-12)
    assert (False, True) in marks(new)


@pytest.mark.parametrize("lines", [
    ["out = update(out, 0, load(x, i))"],
    ["out = update(out, i, load(out, i - 1))"],
    ["out = update(out, n - 1 - i, load(out, i))"],
    ["s = multiply(s, 2.0)"],
    ["s = add(load(x, i), multiply(s, 0.5))"],
    ["out = update(out, i, s)", "s = add(s, 1.0)"],
])
def test_what_is_not_proven_stays_a_marked_loop(lines: list[str]) -> None:
    function = loop(*lines)
    assert canonical(split(function)) == canonical(function)


def test_without_the_wish_nothing_happens() -> None:
    function = without_wishes(loop(*OWN))
    assert marks(function) == [(False, False)]
    assert in_blocks(function) is function


def test_marked_loops_inside_blocks_are_plain() -> None:
    function = whole("for i in prange(n):\n    for j in prange(2):\n"
                     "        out = add_at(out, i, load(x, j))")
    assert marks(split(function)) == [(False, True), (False, False), (False, False)]


def test_blocks_share_no_buffer() -> None:
    function = loop("t = empty(3)", "t = update(t, 0, load(x, i))",
                    "out = update(out, i, load(t, 0))")
    new = remove_dead(hoist_buffers(split(function)))
    (blocks,) = [s for s in new.body if isinstance(s, Loop)]
    assert not any(isinstance(s, Let) and s.op == "empty" for s in new.body)
    assert any(isinstance(s, Let) and s.op == "empty" for s in blocks.body)
