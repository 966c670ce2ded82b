"""Names: a variable for every value, with as few moves as possible."""

from __future__ import annotations

import sys

import pytest

from backend.emit_help import check, flat, load
from backend.test_fold import body_of, const
from retrograd.backend.emit import emit
from retrograd.ir.build import Builder
from retrograd.ir.index import FULL
from retrograd.ir.nodes import Branch, Carried, Function, Join, Loop, Value, integer
from retrograd.ir.types import Array, Scalar

F, INT = Scalar("float64"), Scalar("int64")
VECTOR, MATRIX = Array("float64", (None,)), Array("float64", (None, None))


def test_one_variable_for_a_chain_of_the_same_name():
    x, b = Value("x", F), Builder()
    y = b.let("sin", b.let("sin", x, name="x"), name="x")
    assert body_of(b, (x,), y, args=(2.0,))[:2] == ["x = np.sin(x)", "x = np.sin(x)"]


def test_two_values_of_one_name_that_live_together():
    x, b = Value("x", F), Builder()
    first = b.let("sin", x, name="s")
    second = b.let("cos", x, name="s")
    assert body_of(b, (x,), first, second, args=(2.0,))[:2] == ["s = np.sin(x)",
                                                               "s_1 = np.cos(x)"]


def swap(builder, u0, w0):
    u, w = Value("u", u0.type), Value("w", w0.type)
    results = Value("u", u0.type), Value("w", w0.type)
    builder.append(Loop(Value("i", INT), integer(0), integer(3), integer(1), (
        Carried(u0, u, w, results[0]), Carried(w0, w, u, results[1])), ()))
    return results


def test_a_swap_is_one_parallel_assignment():
    x, y, b = Value("u", F), Value("w", F), Builder()
    assert body_of(b, (x, y), *swap(b, x, y)) == ["for i in range(3):", "    u, w = w, u",
                                                  "return u, w"]


def test_a_slot_that_is_read_after_its_next_value_was_made():
    x, b = Value("x", F), Builder()
    body, s = b.inner(), Value("s", F)
    new = body.let("add", s, x, name="s")
    r = Value("r", F)
    q, q_inner = Value("q", F), Value("q", F)
    end = body.let("add", q_inner, s, name="q")
    b.append(Loop(Value("i", INT), integer(0), integer(3), integer(1), (
        Carried(const(1.0), s, new, r), Carried(const(0.0), q_inner, end, q)), body.block))
    lines = body_of(b, (x,), r, q, args=(2.0,))
    assert "    s_1 = s + x" in lines and "    s = s_1" in lines


@pytest.mark.parametrize("name", ["np", "math", "erf", "t", "x_bar", "abs", "range", "lambda",
                                  "print", "f", "ValueError", "k"])
def test_names_of_the_user_are_never_in_the_way(name):
    x, u = Value(name, F), Value("u", VECTOR)
    b = Builder(checks=False)
    s = b.let("add", b.let("absolute", b.let("erf", x)), b.let("sum", u, axes=None), name="t")
    again = Value("t", F)
    body, inner = b.inner(), Value("t", F)
    i = Value(name, INT)
    end = body.let("add", inner, body.let("cast", i, dtype="float64"), name="t")
    b.append(Loop(i, integer(0), integer(3), integer(1), (Carried(s, inner, end, again),),
                  body.block))
    source = check(Function("f", (x, u), b.block, (again, s)), (-0.5, [1.0, 2.0]),
                   reserved=frozenset({name}))
    assert f"def f({name}, u)" in source or name in (
        "abs", "range", "lambda", "print", "f", "ValueError")
    if name == "np":
        assert "import numpy as numpy_\n" in source


def test_a_temporary_makes_room_for_the_user():
    """Trap 11: a temporary called `t` and the user's `for t in ...`."""
    x, b = Value("x", F), Builder()
    t = b.let("sin", x)
    body, s, r, i = b.inner(), Value("s", F), Value("s", F), Value("t", INT)
    step = body.let("multiply", t, body.let("cast", i, dtype="float64"))
    end = body.let("add", s, step, name="s")
    b.append(Loop(i, integer(0), integer(3), integer(1), (Carried(const(0.0), s, end, r),),
                  body.block))
    lines = body_of(b, (x,), r, args=(2.0,), reserved=frozenset({"t", "x", "s"}))
    assert lines[0] == "t_1 = np.sin(x)" and "for t in range(3):" in lines


def test_one_arm_writes_in_place_and_the_other_does_nothing():
    u, c, b = Value("u", VECTOR), Value("c", F), Builder(checks=False)
    w = b.let("copy", u, name="w")
    test = b.let("less", c, const(0.0))
    then, r = b.inner(), Value("w", VECTOR)
    new = then.let("update", w, integer(0), c, index=("int",), name="w")
    b.append(Branch(test, then.block, (), (Join(new, w, r),)))
    for value in (-1.0, 1.0):
        assert body_of(b, (u, c), r, args=([1.0, 2.0], value)) == [
            "w = u.copy()", "if c < 0.0:", "    w[0] = c", "return w,"]


def test_bounds_are_read_after_the_slots_have_been_set():
    n, b = Value("n", INT), Builder()
    inner, r = Value("n", INT), Value("n", INT)
    body = b.inner()
    end = body.let("add", inner, integer(2), name="n")
    b.append(Loop(Value("i", INT), integer(0), n, integer(1),
                  (Carried(integer(1), inner, end, r),), body.block))
    body_of(b, (n,), r, args=(3,))


def test_compiled_variables_have_one_type():
    """Trap 14: `M[:, 0]` and a contiguous array of the same name; an int and a float."""
    m, b = Value("M", MATRIX), Builder(checks=False)
    row = b.let("view", m, integer(0), index=(FULL, "int"), name="r")
    s = b.let("load", row, integer(0), index=("int",), name="s")
    row = b.let("zeros", integer(3), dtype="float64", name="r")
    k = b.let("cast", s, dtype="int64", name="v")
    v = b.let("cast", k, dtype="float64", name="v")
    function = Function("f", (m,), b.block, (row, v))
    source = check(function, ([[1.0, 2.0], [3.0, 4.0]],), "compiled")
    assert "r = M[:, 0]" in source and "r_1 = np.zeros(3)" in source
    assert "v = np.int64(" in source and "v_1 = np.float64(v)" in source
    assert "r = np.zeros(3)" in check(function, ([[1.0, 2.0], [3.0, 4.0]],))


def test_a_compiled_array_argument_keeps_its_variable():
    u, b = Value("u", VECTOR), Builder(checks=False)
    s = b.let("load", u, integer(0), index=("int",), name="s")
    w = b.let("zeros", integer(3), dtype="float64", name="u")
    assert "u_1 = np.zeros(3)" in check(Function("f", (u,), b.block, (w, s)), ([1.0],), "compiled")


def chain(statements: int, kind: str) -> Function:
    x, b = Value("x", F), Builder()
    if kind == "one name":
        value = x
        for _ in range(statements):
            value = b.let("sin", value, name="x")
        return Function("f", (x,), b.block, (value,))
    values = [b.let("sin", x, name="s") for _ in range(statements // 2)]
    total = x
    for value in reversed(values):
        total = b.let("add", total, value, name="r")
    return Function("f", (x,), b.block, (total,))


@pytest.mark.parametrize("kind", ["one name", "all alive"])
def test_work_grows_with_length(kind):
    """Counted in calls, because times depend on what else the machine does."""
    def work(statements: int) -> int:
        function, calls = chain(statements, kind), 0

        def count(*_):
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            emit(function, "readable", flat(1))
        finally:
            sys.setprofile(None)
        return calls

    assert work(5_000) / work(500) <= 11


def test_long_functions_run():
    assert load(emit(chain(2000, "all alive"), "readable", flat(1)))(0.5)
