"""Code without jumps means what the code with jumps means, and has none."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import pytest

from frontend.jump_programs import outcome, program, structured_form, without_jumps

INPUTS = [(a, b) for a in range(-2, 5) for b in (0, 2, 3)]


@pytest.mark.parametrize("start", range(0, 600, 100))
def test_generated_functions_mean_the_same(start: int) -> None:
    for seed in range(start, start + 100):
        source = program(seed)
        new = without_jumps(source)
        for args in INPUTS:
            assert outcome(new, *args) == outcome(source, *args), f"{args}\n{source}\n{new}"


def test_the_generated_functions_jump_in_many_ways() -> None:
    """A generator that forgets a construct would prove nothing about it."""
    sources = [program(seed) for seed in range(600)]
    text = "\n".join(sources)
    for construct in ("break", "continue", "return", "raise", "while (now :=", "elif", "    else:"):
        assert text.count(construct) > 100, construct
    ends = [outcome(s, a, b) for s in sources[:200] for a, b in INPUTS]
    assert len({str(e) for e in ends}) > 300


def _at_end(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    if body:
        yield body[-1]
        if isinstance(body[-1], ast.If):
            yield from _at_end(body[-1].body)
            yield from _at_end(body[-1].orelse)


def test_only_returns_at_the_end_are_left() -> None:
    for seed in range(300):
        structured = structured_form(program(seed))[1]
        nodes = [n for s in structured.body for n in ast.walk(s)]
        assert not any(isinstance(n, (ast.Break, ast.Continue)) for n in nodes)
        assert not any(n.orelse for n in nodes if isinstance(n, (ast.For, ast.While)))
        ends = set(_at_end(structured.body))
        assert all(n in ends for n in nodes if isinstance(n, ast.Return))


def test_a_jump_on_one_side_needs_no_flag() -> None:
    new = without_jumps("def f(x):\n    for i in range(3):\n        if x:\n            continue\n"
                "        x = i\n    if x > 1:\n        return 1\n    return x\n")
    assert "left" not in new and "stopped" not in new and "returned" not in new


def test_code_without_jumps_stays_as_it_is() -> None:
    source = "def f(x):\n    while x > 0:\n        if x:\n            x = x - 1\n    return x"
    assert without_jumps(source) == source


def test_flags_do_not_take_the_names_of_the_user() -> None:
    source = ("def f(x, stopped):\n    returned = 2\n    for i in range(9):\n        if x < i:\n"
              "            break\n        if i > 7:\n            return stopped\n"
              "    return returned + stopped + i\n")
    for args in ((3, 10), (20, 10)):
        assert outcome(without_jumps(source), *args) == outcome(source, *args)


def test_else_of_a_loop_sees_how_the_loop_ended() -> None:
    source = ("def f(x):\n    for i in range(3):\n        if i == x:\n            break\n"
              "    else:\n        return 'ran through'\n    return i\n")
    assert [outcome(without_jumps(source), x) for x in (0, 2, 5)] == [0, 2, "ran through"]
