"""Liveness: the names read after each `if` and loop, and from one iteration to the next."""

from __future__ import annotations

import ast

import pytest

from retrograd.frontend.jumps import structured
from retrograd.frontend.liveness import Liveness, assigned, liveness, reads


def analysed(body: str) -> tuple[list[ast.stmt], Liveness]:
    """The compound statements of a body, outermost first, and what is live there."""
    tree = ast.parse(body).body
    names = {n.id for s in tree for n in ast.walk(s) if isinstance(n, ast.Name)}
    new = structured(tree, names)
    found = [n for s in new.body for n in ast.walk(s)
             if isinstance(n, (ast.If, ast.For, ast.While))]
    return found, liveness(new.body, new.leave)


def after(body: str, k: int = 0) -> set[str]:
    nodes, live = analysed(body)
    return set(live.after[nodes[k]])


def inside(body: str, k: int = 0) -> set[str]:
    nodes, live = analysed(body)
    return set(live.inside[nodes[k]])


def test_after_an_if_only_what_is_read_later() -> None:
    assert after("if c:\n    a = 1\n    b = 2\nreturn a") == {"a"}
    assert after("if c:\n    a = 1\na = 2\nreturn a") == set()
    assert after("if c:\n    a = 1\na += 2\nreturn a") == {"a"}


def test_both_arms_count() -> None:
    assert after("if c:\n    x = 1\nif d:\n    y = x\nelse:\n    y = z\nreturn y") == {
        "d", "x", "z"}


def test_a_loop_reads_what_its_iterations_read() -> None:
    body = "for i in xs:\n    s = s + a\n    t = i\nreturn s"
    assert inside(body) == {"s", "a"}
    assert after(body) == {"s"}


def test_what_an_iteration_assigns_first_does_not_come_from_the_one_before() -> None:
    assert "t" not in inside("for i in xs:\n    t = i\n    s = s + t\nreturn s")
    assert "t" in inside("for i in xs:\n    s = s + t\n    t = i\nreturn s")
    assert "t" in inside("for i in xs:\n    if i:\n        t = i\n    s = s + t\nreturn s")


def test_a_name_is_live_around_the_loop_that_contains_it() -> None:
    body = "for i in xs:\n    for j in ys:\n        s = s + t\n    t = i\nreturn s"
    assert "t" in inside(body, 0) and "t" in inside(body, 1)


def test_the_test_of_a_while_reads_in_every_iteration() -> None:
    body = "while x > tol:\n    x = x / 2\nreturn 1"
    assert inside(body) == {"x", "tol"}
    assert after(body) == set()


def test_targets_are_assigned_by_the_loop() -> None:
    assert "i" not in inside("for i in xs:\n    s = s + i\nreturn s")
    assert after("for i in xs:\n    pass\nreturn i") == {"i"}


def test_flags_of_loops_are_live_where_they_are_tested() -> None:
    body = "for i in xs:\n    if i > 2:\n        break\n    s = s + i\nelse:\n    s = 0\nreturn s"
    nodes, live = analysed(body)
    loop = next(n for n in nodes if isinstance(n, ast.For))
    assert live.leave[loop] in live.after[loop]


def test_names_of_inner_functions_are_always_live() -> None:
    """They are read when the function is called, wherever that is."""
    body = "g = lambda v: v * k\nif c:\n    k = 2\nreturn g(x)"
    assert "k" in after(body)
    assert "k" in after("def g(v):\n    return v * k\nfor i in xs:\n    k = 2\nreturn 0")


def test_returned_code_reads_nothing_afterwards() -> None:
    assert after("if c:\n    return a\nreturn b", 0) == set()


@pytest.mark.parametrize("statement, names", [
    ("a = b = c", ["a", "b"]), ("a, (b, *c) = d", ["a", "b", "c"]), ("a: float = 1", ["a"]),
    ("a += 1", ["a"]), ("for a, b in c: d = 1", ["a", "b", "d"]), ("def f(a): b = 1", ["f"]),
    ("if (a := b): pass", ["a"]), ("[a for a in b]", []), ("lambda: (a := 1)", []),
    ("import os", []),
])
def test_assigned_names(statement: str, names: list[str]) -> None:
    assert list(assigned(ast.parse(statement).body)) == names


def test_reads() -> None:
    assert reads(None) == frozenset()
    assert reads(ast.parse("a = b + f(c[d].e)")) == {"b", "f", "c", "d"}
