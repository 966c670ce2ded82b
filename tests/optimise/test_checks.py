"""Index checks are made before their loop, and raise what they would have raised in it."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Branch, Effect, Function, Loop, walk
from retrograd.ir.types import INT
from retrograd.ir.verify import verify
from retrograd.optimise import checks
from retrograd.optimise.checks import hoist_checks

ENDS = [(0, 4), (4, 4), (5, 4), (3, 0), (9, 4), (2, 9)]


def whole(body: str) -> Function:
    return program(f"{body}\nreturn s", n=INT, m=INT, s=F, x=VECTOR)


def outcome(function: Function, n: int, m: int) -> str:
    try:
        return repr(interpret(function, (n, m, 0.0, np.arange(10.0))))
    except IndexError as error:
        return str(error)


def hoisted(function: Function) -> Function:
    new = verify(hoist_checks(function))
    for n, m in ENDS:
        assert outcome(new, n, m) == outcome(function, n, m)
    return new


def checked_in_loops(function: Function) -> int:
    return sum(isinstance(s, Effect) for loop in function.body if isinstance(loop, Loop)
               for s in walk(loop.body))


def test_documentation() -> None:
    before, after = documented(checks)
    after = after.replace("bad = or(0 < -m, n - 1 >= m)", "bad = n - 1 >= m")
    assert canonical(hoisted(whole(before))) == canonical(whole(after))


@pytest.mark.parametrize(("bounds", "index"), [
    ("n", "i"), ("n", "i + 1"), ("n", "i - 1"), ("n", "2 * i"), ("n", "m - i"), ("n", "n - 1 - i"),
    ("1, n", "i"), ("m, n", "i"), ("n - 1, -1, -1", "i"), ("n, m, -1", "i - 2"), ("0, n, 3", "i"),
    ("n, -1, -3", "-i"), ("-3, n", "i"), ("n", "3"), ("n", "m"), ("n", "-11"),
])
def test_made_before_the_loop(bounds: str, index: str) -> None:
    function = whole(f"for i in range({bounds}):\n    check_index({index}, m)\n"
                     "    s = add(s, 1.0)")
    new = hoisted(function)
    assert checked_in_loops(function) == 1 and checked_in_loops(new) == 0


def test_two_checks_fail_in_the_order_of_the_iterations() -> None:
    new = hoisted(whole("for i in range(n):\n    check_index(i + 3, 9)\n    check_index(i + 1, m)\n"
                        "    s = add(s, 1.0)"))
    assert checked_in_loops(new) == 0
    assert outcome(new, 9, 4) == "index 4 is out of bounds for axis 0 with size 4"
    assert outcome(new, 9, 9) == "index 9 is out of bounds for axis 0 with size 9"


@pytest.mark.parametrize("body", [
    "    check_index(i * i, m)\n    s = add(s, 1.0)",
    "    if s < 1.0:\n        check_index(i, m)\n    s = add(s, 1.0)",
    "    k = m + i\n    check_index(i, k)\n    s = add(s, 1.0)",
    "    for j in range(i):\n        if s < 1.0:\n            check_index(j, m)\n"
    "    check_index(i, m)\n    s = add(s, 1.0)",
])
def test_left_alone(body: str) -> None:
    function = whole(f"for i in range(n):\n{body}")
    assert canonical(hoisted(function)) == canonical(function)


def test_what_has_been_checked_is_not_checked_again() -> None:
    new = hoisted(whole("check_index(n, m)\nif s < 1.0:\n    check_index(n, m)\n    s = add(s, 1.0)"
                        "\ncheck_index(n, m)"))
    assert sum(isinstance(s, Effect) for s in walk(new.body)) == 1


def test_inner_loops() -> None:
    new = hoisted(whole("for i in range(n):\n    for j in range(i):\n        check_index(j, m)\n"
                        "        s = add(s, 1.0)"))
    (outer,) = new.body
    assert isinstance(outer, Loop)
    assert any(isinstance(s, Branch) for s in outer.body)
