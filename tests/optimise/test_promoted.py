"""Elements that a loop comes back to are numbers in it, where nothing else can touch them."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.language import F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Branch, Function, Let, Loop, walk
from retrograd.ir.types import INT, Array, Type
from retrograd.ir.verify import verify
from retrograd.optimise import promoted
from retrograd.optimise.dead import remove_dead
from retrograd.optimise.promoted import promote_elements
from retrograd.optimise.storage import hidden_copies

VECTOR, MATRIX = Array("float64", (None,)), Array("float64", (None, None))
PARAMS: dict[str, Type] = {"x": VECTOR, "w": VECTOR, "s": VECTOR, "A": MATRIX, "n": INT, "k": INT,
                           "c": F}


def whole(body: str, result: str = "s") -> Function:
    return program(f"{body}\nreturn {result}", **PARAMS)


def arguments(n: int, k: int) -> tuple[object, ...]:
    normal = np.random.default_rng(3)
    return (*normal.standard_normal((3, 5)), normal.standard_normal((5, 5)), n, k, 0.5)


def promotion(function: Function) -> Function:
    """The function after the pass, which gives the same bits."""
    new = remove_dead(verify(promote_elements(verify(function))))
    for n, k in ((5, 1), (3, 3), (1, 0), (2, -1), (0, 2), (0, 99), (-2, 99)):
        for a, b in zip(interpret(new, arguments(n, k)), interpret(function, arguments(n, k)),
                        strict=True):
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    assert not hidden_copies(new)
    return new


def accesses_in_loops(function: Function) -> list[str]:
    loops = [s for s in walk(function.body) if isinstance(s, Loop)]
    return [s.op for loop in loops for s in loop.body
            if isinstance(s, Let) and s.op in ("load", "update", "add_at")]


def guards(function: Function) -> int:
    return sum(isinstance(s, Branch) for s in walk(function.body))


def test_documentation() -> None:
    before, after = documented(promoted)
    assert sorted(canonical(promotion(whole(before))).split()) == sorted(
        canonical(whole(after)).split())


def test_a_loop_that_certainly_runs_needs_no_guard() -> None:
    new = promotion(whole("for i in range(4):\n    s = add_at(s, 0, load(x, i))"))
    assert accesses_in_loops(new) == ["load"] and guards(new) == 0


def test_nor_does_an_element_that_has_been_accessed() -> None:
    new = promotion(whole("for j in range(n):\n    s = update(s, j, c)\n"
                          "    for i in range(j):\n        s = add_at(s, j, load(x, i))"))
    assert accesses_in_loops(new).count("add_at") == 0 and guards(new) == 0


def test_nor_does_one_that_is_known_to_exist() -> None:
    new = promotion(whole(
        "m = dim(s)\nfor j in range(m):\n    for i in range(n):\n"
        "        s = add_at(s, j, load(x, i))"))
    assert accesses_in_loops(new).count("add_at") == 0 and guards(new) == 0


@pytest.mark.parametrize("body", [
    # other elements are written
    "for j in range(n):\n    for i in range(j):\n        s = add_at(s, i, load(s, j))",
    "for j in range(n):\n    for i in range(j + 1, n):\n        s = update(s, i, load(s, j))",
    # with an inner loop that writes others
    "for j in range(n):\n    for i in range(j):\n        g = load(s, j)\n"
    "        for l in range(i):\n            s = add_at(s, l, g)",
    # in one arm of a branch
    "for i in range(n):\n    g = load(s, k)\n    if g < c:\n        s = add_at(s, k, load(x, i))",
    # in both
    "for i in range(n):\n    g = load(s, k)\n    if g < c:\n        s = update(s, k, load(x, i))\n"
    "    else:\n        s = add_at(s, k, g)",
    # what is stored is a Python number
    "for i in range(n):\n    g = load(s, k)\n    s = update(s, k, 0.5)\n"
    "    x = update(x, i, g)",
    # the element of another array
    "for i in range(n):\n    x = update(x, i, load(s, k))",
])
def test_one_load_before_the_loop(body: str) -> None:
    function = whole(body, "s, x")
    new = promotion(function)
    assert len(accesses_in_loops(new)) < len(accesses_in_loops(function))
    loops = [s for s in walk(new.body) if isinstance(s, Loop)]
    place = "j" if "j in" in body else "k"
    assert not any(isinstance(s, Let) and s.op == "load" and s.args[1:] and
                   getattr(s.args[1], "name", "") == place
                   for loop in loops[-1:] for s in walk(loop.body))


@pytest.mark.parametrize("body", [
    "for i in range(n):\n    s = add_at(s, k, load(s, i))",                # s[i] may be s[k]
    "for i in range(n):\n    s = add_at(s, i, load(s, k))",
    "for j in range(n):\n    for i in range(j + 1):\n        s = add_at(s, i, load(s, j))",
    # s[i - 1] may be the last element
    "for j in range(n):\n    for i in range(j):\n        s = add_at(s, i - 1, load(s, j))",
    "for i in range(n):\n    s = add_at(s, k, c)\n    x = add(s, x)",       # all of s is read
    "for i in range(n):\n    s = add_at(s, k, c)\n    t = x\n    x = s\n    s = t",
    "for i in range(n):\n    s = add_at(s, i, c)",
    # the place is not reached before a check, nor in the first iteration, nor certainly
    "for i in range(n):\n    check_index(k, n)\n    s = add_at(s, k, load(x, i))",
    "for i in range(n):\n    if load(x, i) < c:\n        s = add_at(s, k, c)",
    "for i in range(n):\n    for j in range(i):\n        if c < load(x, j):\n"
    "            s = add_at(s, k, c)",
])
def test_left_alone(body: str) -> None:
    function = whole(body, "s, x")
    new = verify(promote_elements(function))
    assert canonical(new) == canonical(function)


def test_several_elements_of_one_array() -> None:
    new = promotion(whole("for i in range(n):\n    s = add_at(s, 0, load(x, i))\n"
                          "    s = add_at(s, 1, load(w, i))\n    s = add_at(s, 0, load(s, 2))"))
    assert accesses_in_loops(new) == ["load", "load"]


def test_a_negative_constant_may_be_any_place() -> None:
    function = whole("for i in range(n):\n    s = add_at(s, 0, load(x, i))\n"
                     "    s = add_at(s, -1, load(w, i))")
    assert "add_at" in accesses_in_loops(promotion(function))


def test_matrices() -> None:
    new = promotion(whole(
        "for i in range(n):\n    for j in range(i):\n        for l in range(j):\n"
        "            g = multiply(load(A, i, l), load(A, j, l))\n"
        "            A = add_at(A, i, j, g)", "A"))
    assert accesses_in_loops(new).count("add_at") == 0


def test_what_is_not_a_number_stays_so() -> None:
    function = whole("for i in range(n):\n    s = add_at(s, k, load(x, i))")
    x = np.array([1.0, np.nan, 2.0, np.inf, -0.0])
    args = (x, x, np.array([-0.0, np.nan, 0.0, 1.0, 2.0]), np.eye(5), 3, 0, 0.5)
    for a, b in zip(interpret(promote_elements(function), args), interpret(function, args),
                    strict=True):
        assert a.tobytes() == b.tobytes()


def test_the_end_of_a_loop_that_runs_backwards_or_not_at_all() -> None:
    new = promotion(whole("for i in range(n - 1, -1, -1):\n    s = add_at(s, k, load(x, i))"))
    assert accesses_in_loops(new) == ["load"] and guards(new) == 1
