"""What nothing reads disappears; what raises or prints stays."""

from __future__ import annotations

from typing import Any

import pytest

from frontend.tracing import load, loops, ops, traced
from optimise.language import F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Branch, Effect, Function, Loop, Raise, While, walk
from retrograd.ir.verify import verify
from retrograd.optimise import dead
from retrograd.optimise.dead import remove_dead


def cleaned(text: str, *args: Any) -> Function:
    """The function of this Python source without what is dead; it means the same."""
    before = traced(load(text, file=f"<{text}>"), *args).function
    after = verify(remove_dead(before))
    assert interpret(after, args) == interpret(before, args)
    return after


def kinds(function: Function) -> list[type]:
    return [type(s) for s in walk(function.body)]


def test_documentation() -> None:
    before, after = documented(dead)
    assert canonical(remove_dead(program(before, x=F))) == canonical(program(after, x=F))


def test_a_chain_that_nobody_reads() -> None:
    assert ops(cleaned("def f(x):\n    a = np.exp(x)\n    b = np.sin(a)\n    return x * 2\n", 0.5)
               ) == ["multiply"]


def test_a_loop_whose_results_nobody_reads() -> None:
    text = "def f(x, n):\n    s = x\n    {}:\n        s, n = np.sin(s), n - 1\n    return x\n"
    for head in ("for i in range(n)", "while n > 0"):
        assert cleaned(text.format(head), 0.5, 3).body == ()


def test_only_the_carried_values_that_are_needed() -> None:
    after = cleaned("def f(x, n):\n    a, b, c = x, x, x\n    for i in range(n):\n"
                    "        a = a * b\n        b = b + 1\n        c = np.exp(c) + a\n"
                    "    d = c\n    return a\n", 0.5, 3)
    (loop,) = loops(after)
    assert isinstance(loop, Loop) and [c.inner.name for c in loop.carried] == ["a", "b"]
    assert "exp" not in ops(after)


def test_a_value_that_only_feeds_itself() -> None:
    after = cleaned("def f(x, n):\n    a, b = x, x\n    for i in range(n):\n        a = a * 2\n"
                    "        b = np.sin(b)\n    return a + 0 * x if n < 0 else a\n", 0.5, 3)
    assert "sin" not in ops(after)


def test_the_test_of_a_while_keeps_what_it_reads() -> None:
    after = cleaned("def f(x, n):\n    k = 0\n    tol = 8.0\n    while k < tol:\n        k += 1\n"
                    "        x = x * 2\n        tol = tol - 1\n    return x\n", 0.5, 3)
    (loop,) = loops(after)
    assert isinstance(loop, While) and {c.inner.name for c in loop.carried} == {"k", "tol", "x"}


def test_what_decides_when_a_loop_ends_is_kept() -> None:
    after = cleaned("def f(x, n):\n    s = 0.0\n    for i in range(n):\n        x = x * 2\n"
                    "        s = s + i\n        if s > 2:\n            break\n    return x\n",
                    0.5, 9)
    (loop,) = loops(after)
    assert isinstance(loop, Loop) and {c.inner.name for c in loop.carried} == {"s", "x"}


def test_arms_and_joins() -> None:
    after = cleaned("def f(x, n):\n    if x > 0:\n        a, b = x * 2, np.exp(x)\n    else:\n"
                    "        a, b = x, np.sin(x)\n    return a\n", 0.5, 1)
    (branch,) = (s for s in walk(after.body) if isinstance(s, Branch))
    assert len(branch.joins) == 1 and ops(after) == ["greater", "multiply"]
    assert cleaned("def f(x, n):\n    if x > 0:\n        b = np.exp(x)\n    else:\n        b = x\n"
                   "    return x\n", 0.5, 1).body == ()


@pytest.mark.parametrize("text, kind", [
    ("def f(x, n):\n    print(x)\n    return n\n", Effect),
    ("def f(x, n):\n    if x > 9:\n        raise ValueError('large')\n    return n\n", Raise),
    ("def f(x, n):\n    assert x < 9\n    return n\n", Raise),
    ("def f(x, n):\n    for i in range(n):\n        if x * i > 9:\n            raise KeyError(i)\n"
     "    return n\n", Raise),
    ("def f(x, n):\n    k = 0\n    while k < n:\n        k += 1\n        print(k)\n    return n\n",
     Effect),
    ("def f(x, n):\n    y = n // (n + 1)\n    return n\n", Effect),
])
def test_what_acts_is_never_dead(text: str, kind: type) -> None:
    assert kind in kinds(cleaned(text, 0.5, 3))


def test_what_a_message_reads_is_kept() -> None:
    after = cleaned("def f(x, n):\n    y = np.exp(x)\n    if x > 9:\n"
                    "        raise ValueError(f'{y}')\n    return n\n", 0.5, 3)
    assert "exp" in ops(after)


def test_nothing_left_to_do() -> None:
    text = "def f(x, n):\n    for i in range(n):\n        x = x * 2\n    return x\n"
    once = cleaned(text, 0.5, 3)
    assert canonical(remove_dead(once)) == canonical(once)
