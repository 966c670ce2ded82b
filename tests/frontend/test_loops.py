"""What loops carry: types that widen, names that are bound only sometimes, loops that never run."""

from __future__ import annotations

import numpy as np
import pytest

from frontend.tracing import agrees, load, loops, traced
from retrograd.errors import Unsupported
from retrograd.ir.nodes import Loop, While


def body(text: str, arguments: str = "x, n") -> str:
    return f"def f({arguments}):\n" + "".join(f"    {line}\n" for line in text.splitlines())


def check(text: str, *samples: tuple[object, ...], arguments: str = "x, n") -> None:
    f = load(body(text, arguments), file=f"<{text}>")
    for sample in samples:
        agrees(f, *sample)


COUNTS = [(0.5, n) for n in (0, 1, 2, 5)]


@pytest.mark.parametrize("text", [
    "s = 0\nfor i in range(n):\n    s = s + x\nreturn s",
    "s = 0\nfor i in range(n):\n    s += i * x\nreturn s",
    "s = 0\nt = 0\nfor i in range(n):\n    t = s\n    s = x\nreturn s + t",
    "s = n\nwhile s > 1:\n    s = s / 2\nreturn s * x",
    "p = (0, x)\nfor i in range(n):\n    p = (p[1], p[0])\nreturn p[0] * 2 + p[1]",
    "s = 0\nfor i in range(n):\n    for j in range(i):\n        s = s + x * j\nreturn s",
])
def test_ints_become_floats_where_an_iteration_makes_them_floats(text: str) -> None:
    check(text, *COUNTS[1:])


def test_what_stays_an_int_stays_one() -> None:
    f = load(body("k = 0\nfor i in range(n):\n    k += i\nreturn x * k"))
    (loop,) = loops(traced(f, 0.5, 3).function)
    assert isinstance(loop, Loop)
    assert [c.inner.type.dtype for c in loop.carried] == ["int64"]


@pytest.mark.parametrize("text", [
    "for i in range(n):\n    x = x + i\nreturn x + i",
    "for i in range(n):\n    y = x * i\nreturn y",
    "for i in range(n):\n    if i == 1:\n        y = x\nreturn y",
    "for i in range(n):\n    if i > 0:\n        x = x + y\n    y = 2 * x\nreturn x",
    "for i in range(n):\n    if i > 0:\n        x = x + y\n    if i != 2:\n        y = x\nreturn y",
    "k = 0\nwhile k < n:\n    y = x * k\n    k += 1\nreturn y",
    "k = 0\nwhile k < n:\n    k += 1\n    if k > 1:\n        z = y\n    y = x * k\nreturn z + y",
    "if n > 1:\n    y = x\nfor i in range(n):\n    x = x + y\nreturn x",
    "for i in range(n):\n    y = x\nfor j in range(n - 1):\n    z = y\nreturn z",
    "for i in range(n):\n    t = (x, i)\nreturn t[0] + t[1]",
    "for i in range(3, n):\n    pass\nreturn x + i",
    "i = 7\nfor i in range(n):\n    pass\nreturn x + i",
    "for i in range(n):\n    if i > 0:\n        y = np.ones(2)\n    if i > 1:\n        x *= y[1]\n"
    "return x",
    "for i in range(n):\n    if i > 1:\n        x = x + y[0]\n    y = (x, 2 * x)\nreturn x + y[1]",
    "for i in range(n):\n    x = x + y\n    y = x\nreturn x",
    "k = 0\nwhile k < n and (k == 0 or y < 99):\n    y = x * k\n    k += 1\nreturn x + k",
    "for i in range(n):\n    if i > 2:\n        return y\n    if i > 1:\n        y = x\nreturn x",
    "y = n * abs\nabs = x\nreturn y", "if n > 99:\n    abs = x\nreturn abs",
])
def test_names_that_are_bound_only_sometimes(text: str) -> None:
    """Reading one that is not bound raises what Python raises, with Python's message."""
    check(text, *COUNTS)


@pytest.mark.parametrize("text", [
    "for i in range(n):\n    x = x * 2\nreturn x",
    "for i in range(n, 0):\n    x = x * 2\nreturn x",
    "for i in range(2, n, 2):\n    x = x + i\nreturn x",
    "for i in range(n, -2, -2):\n    x = x + i\nreturn x",
    "for i in range(n):\n    i = i * 2\n    x = x + i\nreturn x + i * n if n else x",
    "for i in range(n):\n    n = n - 1\n    x = x + n\nreturn x + n",
    "while x < n:\n    x = x + 1\nreturn x",
    "while True:\n    x = x + 1\n    if x > n:\n        break\nreturn x",
    "while x > 0 and n > 0:\n    x, n = x - 0.1, n - 1\nreturn x + n",
    "k = 0\nwhile (k := k + 1) < n:\n    x = x * k\nreturn x + k",
    "for i in range(n):\n    if i == 3:\n        break\nelse:\n    x = -x\nreturn x",
    "for i in range(n):\n    for j in range(n):\n        if j > i:\n            break\n"
    "        x = x + j\n    else:\n        continue\n    x = x * 2\nreturn x",
])
def test_loops_run_as_in_python(text: str) -> None:
    check(text, *COUNTS)


V = np.array([1.0, -2.0, 3.0])


@pytest.mark.parametrize("text", [
    "for v in x:\n    n = n + v\nreturn n",
    "for k, v in enumerate(x, 1):\n    n = n + k * v\nreturn n",
    "for a, b in zip(x, x[1:]):\n    n = n + a * b\nreturn n",
    "for v in x[::-1]:\n    n = n * 2 + v\nreturn n",
    "for v in reversed(x):\n    n = n * 2 + v\nreturn n",
    "for k, (a, b) in enumerate(zip(x, 2 * x)):\n    n = n + a * b * k\nreturn n",
    "for v in x:\n    x = x * 2\n    n = n + v * x[0]\nreturn n",
    "for v in (x, 2 * x):\n    n = n + np.sum(v)\nreturn n",
    "for row in np.stack([x, x * x]):\n    n = n * row.sum()\nreturn n",
    "s = x\nfor i in range(2):\n    s = np.tanh(s + x)\nreturn np.sum(s) + n",
])
def test_iteration_over_arrays(text: str) -> None:
    check(text, (V, 1.0), (V[:1], 0.5), (np.zeros(0), 2.0))


def test_a_loop_over_known_items_is_written_out() -> None:
    f = load(body("for k in (1, 2, 3):\n    x = x * k\nreturn x"))
    assert not loops(traced(f, 0.5, 0).function)
    g = load(body("for i in range(3):\n    x = x * i\nreturn x"))
    assert len(loops(traced(g, 0.5, 0).function)) == 1


def test_only_what_matters_is_carried() -> None:
    f = load(body("a, b, t = x, 1.0, 0.0\nfor i in range(n):\n    t = a * i\n    b = t\n"
                  "    a = a + t\nreturn a"))
    (loop,) = loops(traced(f, 0.5, 3).function)
    assert isinstance(loop, Loop) and [c.inner.name for c in loop.carried] == ["a"]


def test_a_while_carries_what_its_test_reads() -> None:
    f = load(body("tol = 1.0\nwhile x > tol:\n    x = x / 2\n    tol = tol * 1.1\nreturn n"))
    (loop,) = loops(traced(f, 9.0, 3).function)
    assert isinstance(loop, While) and {c.inner.name for c in loop.carried} == {"x", "tol"}


@pytest.mark.parametrize("text, reason", [
    ("y = x\nfor i in range(n):\n    y = np.zeros(3)\nreturn y", "'y' is"),
    ("y = None\nfor i in range(n):\n    y = x\nreturn y", "'y' is"),
    ("y = (x,)\nfor i in range(n):\n    y = (x, x)\nreturn y[0]", "'y' is"),
    ("if n > 0:\n    y = x\nelse:\n    y = np.zeros(2)\nreturn y", "'y' is"),
    ("for i in range(n):\n    g = lambda v: v * i\nreturn g(x)", "made inside a loop"),
    ("if n > 0:\n    g = lambda v: v * 2\nreturn g(x)", "made inside a branch"),
    ("for v in {1, 2}:\n    x = x + v\nreturn x", "Set"),
])
def test_what_has_no_one_type_is_refused(text: str, reason: str) -> None:
    f = load(body(text), file=f"<{text}>")
    with pytest.raises(Unsupported, match=reason) as caught:
        traced(f, 0.5, 3)
    assert caught.value.span is not None and caught.value.remedy


@pytest.mark.parametrize("text", [
    "s = 0.0\nfor e in x:\n    for i in range(5):\n        v = x[:-1]\n        x = np.tanh(x[:])\n"
    "    if e > 0.5:\n        w = v[1:]\n    elif e < -1:\n        x = np.tanh(x)\n    else:\n"
    "        s = s - np.max(v)\nreturn s + np.sum(x)",
    "if n > 2:\n    v = x[1:] * 2\nfor i in range(n):\n    v = x * i\nreturn np.sum(v)",
    "if n > 2:\n    v = x[x > 0]\nfor i in range(n):\n    if i > 0:\n        x = x + np.sum(v)\n"
    "    v = x[i:] * i\nreturn np.sum(v)",
])
def test_what_stands_in_for_an_unbound_array_has_no_shape_to_keep(text: str) -> None:
    check(text, *((np.append(V, 0.7), n) for n in (0, 1, 3)))


def test_a_shape_that_changes() -> None:
    """Where it certainly changes it is unknown afterwards, where it may it must not."""
    for change in ("x[1:]", "np.concatenate([x, x])"):
        text = f"for i in range(n):\n    x = {change}\nreturn x.sum()"
        check(text, (V, 0))
        with pytest.raises(ValueError, match="give it one shape"):
            check(text, (V, 2))
    check("for i in range(n):\n    x = np.concatenate([x, [1.0]])\nreturn x.sum()", (V, 3))
    check("for i in range(n):\n    x = np.stack([x[0], x[1]])\nreturn x", (V[:2], 2))


@pytest.mark.parametrize("text", [
    "y = (t := x * 2) if x > 0 else 0.0\nreturn y",
    "if n > 0 and (t := x * 2) > 1:\n    x = x + t\nreturn x",
    "t = x\nl = [(t := t + x) for k in range(3)]\nreturn t",
])
def test_a_name_that_an_expression_binds_only_sometimes(text: str) -> None:
    """Nobody would join what the name stands for afterwards: refused, never the old value."""
    with pytest.raises(Unsupported, match="evaluated only sometimes"):
        traced(load(body(text), file=f"<{text}>"), 0.5, 3)


@pytest.mark.parametrize("text", [
    "y = (t := x * 2) + t\nreturn y * t", "if (t := x * n) > 1:\n    x = t\nreturn x + t",
    "return 1.0 * (0 < (t := x) < 3) + t",
])
def test_a_name_that_an_expression_always_binds(text: str) -> None:
    check(text, *COUNTS)


def test_an_array_that_starts_empty_may_take_any_shape() -> None:
    f = load("def f(y, n):\n    last = np.zeros(0)\n    for i in range(n):\n"
             "        last = y[1:] * 2.0\n        y = np.tanh(y)\n"
             "    return np.sum(last) + np.sum(y)\n", file="<starts empty>")
    for n in (0, 1, 3):
        agrees(f, np.array([0.3, -0.2, 0.7]), n)
