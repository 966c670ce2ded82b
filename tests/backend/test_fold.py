"""Folding: what is printed inside the expression that reads it."""

from __future__ import annotations

import pytest

from backend.emit_help import check
from retrograd.backend.fold import is_temporary
from retrograd.ir.build import Builder
from retrograd.ir.index import Slice
from retrograd.ir.nodes import Carried, Constant, Effect, Function, Loop, Value, integer
from retrograd.ir.types import FLOAT, Array, Scalar

F, VECTOR = Scalar("float64"), Array("float64", (None,))
INNER = (Slice(True, True, 1),)


def const(value: float) -> Constant:
    return Constant(value, FLOAT)


def body_of(builder, params, *returns, args=(2.0, 3.0), **options) -> list[str]:
    """The lines of the body, after checking that they compute the right thing."""
    source = check(Function("f", tuple(params), builder.block, returns), args, **options)
    lines = source.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("def "))
    return [line[4:] for line in lines[start + 1:]]


@pytest.fixture
def xyb():
    return Value("x", F), Value("y", F), Builder(checks=False)


def test_names_that_nobody_wrote():
    assert all(map(is_temporary, ("t", "n", "size", "t_bar", "n_bar_bar")))
    assert not any(map(is_temporary, ("x", "x_bar", "t_saved", "tt", "bar")))


def test_a_temporary_is_folded(xyb):
    x, y, b = xyb
    s = b.let("add", b.let("multiply", x, y), x, name="s")
    assert "s = x * y + x" in body_of(b, (x, y), s)


def test_a_variable_keeps_its_line(xyb):
    x, y, b = xyb
    p = b.let("multiply", x, y, name="p")
    assert body_of(b, (x, y), b.let("add", p, x, name="s"))[:2] == ["p = x * y", "s = p + x"]


def test_a_temporary_with_two_uses_is_not_computed_twice(xyb):
    x, y, b = xyb
    t = b.let("multiply", x, y)
    assert body_of(b, (x, y), b.let("add", t, t, name="s"))[:2] == ["t = x * y", "s = t + t"]


def test_brackets_follow_precedence(xyb):
    x, y, b = xyb
    difference = b.let("subtract", x, b.let("subtract", y, x))
    power = b.let("power", b.let("negative", difference), const(2.0))
    r = b.let("divide", power, b.let("multiply", x, y), name="r")
    assert body_of(b, (x, y), r)[0] == "r = (-(x - (y - x))) ** 2 / (x * y)"


def test_a_load_does_not_cross_a_write():
    """Trap 8: `x = u[0]; u[0] = 0; y = x * x`."""
    u, b = Value("u", VECTOR), Builder(checks=False)
    w = b.let("copy", u, name="w")
    t = b.let("load", w, integer(0), index=("int",))
    w = b.let("update", w, integer(0), const(0.0), index=("int",), name="w")
    y = b.let("multiply", t, const(3.0), name="y")
    assert body_of(b, (u,), w, y, args=([1.0, 2.0],))[:4] == [
        "w = u.copy()", "t = w[0]", "w[0] = 0.0", "y = t * 3.0"]


def test_a_load_may_feed_the_write_to_its_own_array():
    u, b = Value("u", VECTOR), Builder(checks=False)
    w = b.let("copy", u, name="w")
    t = b.let("load", w, integer(0), index=("int",))
    w = b.let("update", w, integer(1), t, index=("int",), name="w")
    assert "w[1] = w[0]" in body_of(b, (u,), w, args=([1.0, 2.0],))


def test_a_view_does_not_cross_a_write_to_its_base():
    u, b = Value("u", VECTOR), Builder(checks=False)
    w = b.let("copy", u, name="w")
    total = b.let("sum", b.let("view", w, integer(1), integer(-1), index=INNER), axes=None)
    w = b.let("update", w, integer(1), const(9.0), index=("int",), name="w")
    s = b.let("add", total, const(1.0), name="s")
    lines = body_of(b, (u,), w, s, args=([1.0, 2.0, 3.0],))
    assert lines.index("t = np.sum(w[1:-1])") < lines.index("w[1] = 9.0")


def test_the_array_of_a_write_is_never_an_expression():
    """Trap 12: `a * b += c`."""
    u, b = Value("u", VECTOR), Builder(checks=False)
    t = b.let("multiply", u, u)
    r = b.let("add_at", t, integer(0), const(1.0), index=("int",), name="t")
    assert body_of(b, (u,), r, args=([1.0, 2.0],))[:2] == ["t = u * u", "t[0] += 1.0"]
    b = Builder(checks=False)
    t = b.let("multiply", u, u, name="u_bar")
    r = b.let("add", t, u, name="u_bar")
    assert body_of(b, (u,), r, args=([1.0, 2.0],))[:2] == ["u_bar = u * u", "u_bar += u"]


def test_contributions_are_added_without_names_of_their_own():
    """Trap 13: `x_bar_1 = ...; x_bar += x_bar_1`."""
    x, y, b = Value("x", F), Value("y", F), Builder()
    first = b.let("multiply", y, const(2.0), name="x_bar")
    total = b.let("add", first, b.let("multiply", x, const(3.0), name="x_bar"), name="x_bar")
    total = b.let("add", total, b.let("sin", x, name="x_bar"), name="x_bar")
    s = b.let("multiply", total, total, name="s")
    assert body_of(b, (x, y), s)[:3] == ["x_bar = y * 2.0", "x_bar += x * 3.0",
                                         "x_bar += np.sin(x)"]


def test_nothing_is_folded_into_a_loop():
    x, y, b = Value("x", F), Value("y", F), Builder()
    t = b.let("sin", x)
    s, body = Value("s", F), b.inner()
    end = body.let("add", s, t, name="s")
    r = Value("s", F)
    b.append(Loop(Value("i", Scalar("int64")), integer(0), integer(3), integer(1),
                  (Carried(const(0.0), s, end, r),), body.block))
    assert body_of(b, (x, y), r) == ["t = np.sin(x)", "s = 0.0", "for i in range(3):",
                                     "    s += t", "return s,"]


def test_an_expression_stays_readable(xyb):
    x, y, b = xyb
    total = x
    for _ in range(40):
        total = b.let("add", total, y)
    lines = body_of(b, (x, y), b.let("sin", total, name="r"))
    assert all(len(line) < 96 for line in lines) and len(lines) > 2


def test_an_operation_that_reports_an_error_does_not_move_past_a_print():
    u, b = Value("u", VECTOR), Builder(checks=False)
    i = Value("i", Scalar("int64"))
    t = b.let("load", u, i, index=("int",))
    b.statements.insert(0, Effect("check_index", (i, integer(2)), {"axis": 0, "covers": t}))
    b.append(Effect("print", (), {"parts": ("hello",)}))
    s = b.let("add", t, const(1.0), name="s")
    lines = body_of(b, (u, i), s, args=([1.0, 2.0], 1))
    assert lines[:3] == ["t = u[i]", "print('hello')", "s = t + 1.0"]


def test_the_test_for_leaving_a_loop_does_not_read_what_has_moved_on():
    x, y, b = Value("x", F), Value("y", F), Builder()
    s, body = Value("s", F), b.inner()
    end = body.let("add", s, x, name="s")
    leave = body.let("greater", s, y)
    r = Value("s", F)
    b.append(Loop(Value("i", Scalar("int64")), integer(0), integer(9), integer(1),
                  (Carried(const(0.0), s, end, r),), body.block, leave))
    body_of(b, (x, y), r, args=(2.0, 3.0))
