"""Whole functions: the targets of the design, sweeps, control flow, failures, results."""

from __future__ import annotations

import ast
import subprocess
import sys

import numpy as np
import pytest

from backend.emit_help import check, flat, load
from backend.emit_programs import Programs
from backend.test_fold import body_of, const
from retrograd.backend.emit import emit
from retrograd.backend.printer import COLUMNS, broken
from retrograd.errors import Span, Unsupported
from retrograd.ir.build import Builder
from retrograd.ir.index import FULL, Slice
from retrograd.ir.nodes import (
    Branch,
    Carried,
    Constant,
    Effect,
    Function,
    Join,
    Let,
    Loop,
    Raise,
    Value,
    While,
    integer,
)
from retrograd.ir.types import INT as WEAK_INT
from retrograd.ir.types import Array, Scalar
from retrograd.trees import Fixed, Leaf, Node

F, INT = Scalar("float64"), Scalar("int64")
VECTOR, MATRIX = Array("float64", (None,)), Array("float64", (None, None))


def line(text: str) -> Span:
    return Span("user.py", 1, 0, 1, len(text), text)


# --- the targets of the design -------------------------------------------------------------------


def test_compute_s():
    x, y, z = (Value(n, F) for n in "xyz")
    b = Builder()
    r1_bar = Value("r1_bar", F)
    b.append(Let(r1_bar, "let", (const(2.0),), {}, line("r2 = np.multiply(r1, 2)")))
    with b.at(line("r1 = np.subtract(x, y)")):
        y_bar = b.let("negative", r1_bar, name="y_bar")
    function = Function("compute_s_grad", (x, y, z), b.block, (r1_bar, y_bar, const(1.0)))
    assert emit(function, "readable", flat(3), comment_from=0).source == """\
def compute_s_grad(x, y, z):
    # r2 = np.multiply(r1, 2)
    r1_bar = 2.0
    # r1 = np.subtract(x, y)
    return r1_bar, -r1_bar, 1.0
"""


def test_affine():
    x, w, out_bar = Value("X", MATRIX), Value("W", MATRIX), Value("out_bar", MATRIX)
    bias = Value("b", Array("float64", (1,)))
    b = Builder(checks=False)
    with b.at(line("return X @ W + b")):
        b_bar = b.let("array", b.let("sum", out_bar, axes=None), shape=(1,), name="b_bar")
        x_bar = b.let("matmul", out_bar, b.let("transpose", w, axes=(1, 0)), name="X_bar")
        w_bar = b.let("matmul", b.let("transpose", x, axes=(1, 0)), out_bar, name="W_bar")
    function = Function("affine_vjp", (x, w, bias, out_bar), b.block, (x_bar, w_bar, b_bar))
    emitted = emit(function, "readable", flat(3), ("affine: (n, k), (k, m), (1,)",),
                   comment_from=0)
    assert emitted.source == """\
# affine: (n, k), (k, m), (1,)
import numpy as np


def affine_vjp(X, W, b, out_bar):
    # return X @ W + b
    b_bar = np.array([np.sum(out_bar)])
    X_bar = out_bar @ W.T
    W_bar = X.T @ out_bar
    return X_bar, W_bar, b_bar
"""


def babylonian() -> tuple[Function, int]:
    a, tol = Value("a", F), Value("tol", F)
    b = Builder()
    first = b.let("multiply", const(0.5), b.let("add", const(1.0), a), name="x")
    tape = b.let("empty", integer(16), dtype="float64", name="x_saved")
    x, saved, n = Value("x", F), Value("x_saved", tape.type), Value("n", WEAK_INT)
    test, body = b.inner(), b.inner()
    off = test.let("absolute", test.let("subtract", test.let("multiply", x, x), a))
    condition = test.let("greater", off, tol)
    ends = (body.let("push", saved, n, x, name="x_saved"),
            body.let("add", n, integer(1), name="n"))
    new = body.let("multiply", const(0.5), body.let("add", x, body.let("divide", a, x)), name="x")
    results = Value("x", F), Value("x_saved", tape.type), Value("n", WEAK_INT)
    carried = tuple(map(Carried, (first, tape, integer(0)), (x, saved, n), (new, *ends), results))
    b.append(While(carried, test.block, condition, body.block, Value("trips", WEAK_INT)))
    start = len(b.statements)
    reverse, i = b.inner(), Value("i", WEAK_INT)
    x_bar, a_bar = Value("x_bar", F), Value("a_bar", F)
    old = reverse.let("load", results[1], i, index=("int",), name="x")
    with reverse.at(line("x = 0.5 * (x + a / x)")):
        t = reverse.let("multiply", const(0.5), x_bar, name="t_bar")
        a_next = reverse.let("add", a_bar, reverse.let("divide", t, old), name="a_bar")
        quotient = reverse.let("divide", reverse.let("multiply", t, a),
                               reverse.let("multiply", old, old))
        x_next = reverse.let("subtract", t, quotient, name="x_bar")
    last = b.let("subtract", results[2], integer(1))
    x_end, a_end = Value("x_bar", F), Value("a_bar", F)
    b.append(Loop(i, last, integer(-1), integer(-1), (
        Carried(const(1.0), x_bar, x_next, x_end), Carried(const(0.0), a_bar, a_next, a_end)),
        reverse.block))
    with b.at(line("x = 0.5 * (1 + a)")):
        total = b.let("add", a_end, b.let("multiply", const(0.5), x_end), name="a_bar")
    return Function("babylonian_grad", (a, tol), b.block, (total,)), start


def test_babylonian():
    function, start = babylonian()
    assert emit(function, "readable", Leaf(0), comment_from=start).source == """\
import numpy as np


def babylonian_grad(a, tol):
    # forward sweep
    x = 0.5 * (1.0 + a)
    x_saved = np.empty(16)
    n = 0
    while abs(x * x - a) > tol:
        if n == x_saved.shape[0]:
            x_saved = np.concatenate((x_saved, np.empty_like(x_saved)))
        x_saved[n] = x
        n += 1
        x = 0.5 * (x + a / x)
    # reverse sweep
    x_bar = 1.0
    a_bar = 0.0
    for i in range(n - 1, -1, -1):
        x = x_saved[i]
        # x = 0.5 * (x + a / x)
        t_bar = 0.5 * x_bar
        a_bar += t_bar / x
        x_bar = t_bar - t_bar * a / (x * x)
    # x = 0.5 * (1 + a)
    return a_bar + 0.5 * x_bar
"""
    for dialect, jit in (("readable", False), ("compiled", True)):
        check(function, (7.0, 1e-12), dialect, jit)
    np.testing.assert_allclose(load(emit(function, "readable", Leaf(0)))(
        np.float64(9.0), np.float64(1e-13)), 1 / 6)


def test_burgers():
    u0, nu, dt, dx = Value("u0", VECTOR), *(Value(n, F) for n in ("nu", "dt", "dx"))
    steps = Value("steps", WEAK_INT)
    b = Builder(checks=False)
    u, u_end = Value("u", VECTOR), Value("u", VECTOR)
    first = b.let("copy", u0, name="u")
    s = b.inner()
    un = s.let("copy", u, name="un")

    def part(low, high):
        bounds = [integer(k) for k in (low, high) if k is not None]
        return s.let("view", un, *bounds, index=(Slice(low is not None, high is not None, 1),))

    slope = s.let("multiply", s.let("multiply", s.let("divide", dt, dx), part(1, -1)),
                  s.let("subtract", part(1, -1), part(None, -2)))
    bend = s.let("add", s.let("subtract", part(2, None),
                              s.let("multiply", const(2.0), part(1, -1))), part(None, -2))
    factor = s.let("divide", s.let("multiply", nu, dt), s.let("power", dx, const(2.0)))
    value = s.let("add", s.let("subtract", part(1, -1), slope), s.let("multiply", factor, bend))
    end = s.let("update", u, integer(1), integer(-1), value, index=(Slice(True, True, 1),),
                name="u")
    b.append(Loop(Value("t", WEAK_INT), integer(0), steps, integer(1),
                  (Carried(first, u, end, u_end),), s.block))
    energy = b.let("sum", b.let("multiply", u_end, u_end), axes=None)
    function = Function("burgers_energy", (u0, nu, dt, dx, steps), b.block, (energy,))
    source = emit(function, "readable", Leaf(0), reserved=frozenset({"t"})).source
    assert "    u = u0.copy()\n    for t in range(steps):\n        un = u.copy()\n" in source
    assert "        u[1:-1] = " in source
    assert source.endswith("    return np.sum(u * u)\n")
    check(function, (np.linspace(0, 1, 9), 0.1, 0.01, 0.1, 4))


# --- control flow --------------------------------------------------------------------------------


def test_branches_are_printed_as_people_write_them():
    x, b = Value("x", F), Builder()

    def branch(builder, test, then, otherwise):
        result = Value("y", F)
        arms = [builder.inner(), builder.inner()]
        ends = [then(arms[0]), otherwise(arms[1])]
        builder.append(Branch(test, arms[0].block, arms[1].block, (Join(*ends, result),)))
        return result

    def sine(builder):
        return builder.let("sin", x, name="y")

    def cosine(builder):
        return builder.let("cos", x, name="y")

    y = branch(b, b.let("less", x, const(0.0)), sine, lambda inner: branch(
        inner, inner.let("less", x, const(1.0)), cosine, sine))
    source = "\n".join(body_of(b, (x,), y, args=(0.5,)))
    assert "elif x < 1.0:\n    y = np.cos(x)\nelse:\n    y = np.sin(x)" in source


def test_a_branch_with_nothing_to_do_at_first_is_turned_round():
    x, b = Value("y", F), Builder()
    test = b.let("less", x, const(0.0))
    arm, result = b.inner(), Value("y", F)
    new = arm.let("sin", x, name="y")
    b.append(Branch(test, (), arm.block, (Join(x, new, result),)))
    assert body_of(b, (x,), result, args=(0.5,)) == [
        "if not y < 0.0:", "    y = np.sin(y)", "return y,"]


def test_a_loop_that_is_left_early_counts_its_trips():
    x, b = Value("x", F), Builder()
    body, s, r, trips = b.inner(), Value("s", F), Value("s", F), Value("trips", WEAK_INT)
    end = body.let("add", s, x, name="s")
    leave = body.let("greater", end, const(5.0))
    b.append(Loop(Value("i", WEAK_INT), integer(0), integer(9), integer(1),
                  (Carried(const(0.0), s, end, r),), body.block, leave, trips))
    assert body_of(b, (x,), r, trips, args=(2.0,)) == [
        "s = 0.0", "trips = 0", "for i in range(9):", "    s += x", "    trips += 1",
        "    if s > 5.0:", "        break", "return s, trips"]


def test_a_test_that_needs_statements():
    x, b = Value("x", F), Builder()
    test, body, y, r = b.inner(), b.inner(), Value("y", F), Value("y", F)
    q = test.let("multiply", y, y, name="q")
    condition = test.let("less", q, const(100.0))
    b.append(While((Carried(x, y, body.let("multiply", y, const(2.0), name="y"), r),), test.block,
                   condition, body.block, Value("trips", WEAK_INT)))
    assert body_of(b, (x,), r, args=(2.0,)) == [
        "y = x", "while True:", "    q = y * y", "    if not q < 100.0:", "        break",
        "    y *= 2.0", "return y,"]


# --- comments ------------------------------------------------------------------------------------


def test_the_users_line_is_quoted_when_it_changes_also_in_loops():
    x, b = Value("x", F), Builder()
    first, second = line("y = f(x)"), Span("u.py", 3, 0, 4, 9, "z = g(\n    y)")
    body, s, r = b.inner(), Value("s", F), Value("s", F)
    with body.at(first):
        p = body.let("sin", s, name="p")
        q = body.let("cos", p, name="q")
    with body.at(second):
        end = body.let("multiply", q, q, name="s")
    b.append(Loop(Value("i", WEAK_INT), integer(0), integer(2), integer(1),
                  (Carried(x, s, end, r),), body.block, origin=line("for i in range(2):")))
    function = Function("f", (x,), b.block, (r,))
    assert emit(function, "readable", Leaf(0), comment_from=0).source.split("\n\n\n")[1] == """\
def f(x):
    s = x
    for i in range(2):
        # y = f(x)
        p = np.sin(s)
        q = np.cos(p)
        # z = g( y)
        s = q * q
    return s
"""
    assert "#" not in emit(function, "readable", Leaf(0)).source


# --- failures ------------------------------------------------------------------------------------


class Odd(Exception):
    pass


def failing(check_first: bool) -> Function:
    x, u = Value("x", F), Value("u", VECTOR)
    b = Builder(checks=False)
    if check_first:
        n = b.let("dim", u, axis=0, name="n")
        b.append(Effect("check_equal", (n, integer(3), n), {
            "exception": ValueError, "message": ("100% wrong (", 2, ",)")}))
    test = b.let("less", x, const(0.0))
    arm, result = b.inner(), Value("y", F)
    arm.append(Raise(ArithmeticError, ("x is ", x)))
    b.append(Branch(test, arm.block, (), (Join(x, x, result),)))
    v = b.let("copy", u, name="v")
    return Function("f", (x, u), b.block, (result, v))


def raised(emitted, args) -> tuple[type, str] | None:
    """What the caller of a compiled function raises, as the dispatcher does it."""
    status, *rest = load(emitted, jit=True)(*args)
    if not status:
        return None
    failure = emitted.failures[status - 1]
    values = {"i": rest[:emitted.integers], "f": rest[emitted.integers:][:emitted.floats]}
    return failure.exception, "".join(
        p if isinstance(p, str) else str(values[p[0]][p[1]]) for p in failure.message)


@pytest.mark.parametrize(("x", "n", "expected"), [
    (1.0, 3, None), (-2.5, 3, (ArithmeticError, "x is -2.5")),
    (-1.0, 2, (ValueError, "100% wrong (2,)"))])
def test_failures(x, n, expected):
    function = failing(check_first=True)
    args = np.float64(x), np.zeros(n)
    compiled = emit(function, "compiled", flat(2))
    assert (compiled.integers, compiled.floats, len(compiled.failures)) == (1, 1, 2)
    assert raised(compiled, args) == expected
    run = load(emit(function, "readable", flat(2)))
    if expected is None:
        assert run(*args)[0] == x
    else:
        with pytest.raises(expected[0]) as caught:
            run(*args)
        assert str(caught.value) == expected[1]


def test_what_cannot_fail_has_no_status():
    x, b = Value("x", F), Builder()
    y = b.let("sin", x)
    emitted = emit(Function("f", (x,), b.block, (y,)), "compiled", Leaf(0))
    assert emitted.failures == () and load(emitted)(0.0) == 0.0


def test_an_exception_of_the_user_is_imported():
    x = Value("x", F)
    source = emit(Function("f", (x,), (Raise(Odd, ("no",)),), ()), "readable", Fixed(None)).source
    assert f"from {Odd.__module__} import Odd" in source and "    raise Odd('no')\n" in source


@pytest.mark.parametrize("index", [1, -3, 3, -4])
@pytest.mark.parametrize("rank", [1, 2])
def test_index_checks(index, rank):
    u, i = Value("u", VECTOR), Value("i", Array("int64", (None,) * rank))
    b = Builder(checks=False)
    n = b.let("dim", u, axis=0, name="n")
    b.append(Effect("check_bounds", (i, n), {"axis": 0}))
    k = b.let("load", i, *[integer(0)] * rank, index=("int",) * rank, name="k")
    b.append(Effect("check_index", (k, n), {"axis": 0}))
    y = b.let("load", u, k, index=("int",))
    function = Function("f", (u, i), b.block, (y,))
    args = np.arange(3.0), np.full((2,) * rank, index)
    message = f"index {index} is out of bounds for axis 0 with size 3"
    compiled = emit(function, "compiled", flat(1))
    if -3 <= index < 3:
        assert raised(compiled, args) is None
        check(function, args)
    else:
        assert raised(compiled, args) == (IndexError, message)
        with pytest.raises(IndexError, match=message):
            load(emit(function, "readable", flat(1)))(*args)


def test_division_by_zero_and_a_check_that_numpy_makes_itself():
    i, u, v, b = Value("i", INT), Value("u", VECTOR), Value("v", VECTOR), Builder(checks=False)
    b.append(Effect("check_divisor", (i,), {"op": "floor_divide"}))
    q = b.let("floor_divide", integer(7), i, name="q")
    total = b.let("add", u, v, name="w")
    n, m = (b.let("dim", a, axis=0, name="n") for a in (u, v))
    effect = Effect("check_equal", (n, m), {"exception": ValueError, "message": ("no",),
                                            "covers": total})
    b.statements.insert(0, b.statements.pop())
    b.statements.insert(0, b.statements.pop())
    b.statements.insert(2, effect)
    function = Function("f", (i, u, v), b.block, (q, total))
    source = check(function, (2, [1.0], [2.0]))
    assert "'no'" not in source and "if i == 0:" in source
    assert "return 2," in emit(function, "compiled", flat(2)).source


def test_print():
    x, b = Value("x", F), Builder()
    b.append(Effect("print", (x,), {"parts": ("x =", 0)}))
    assert body_of(b, (x,), x, args=(2.0,))[0] == "print('x =', x)"
    b.append(Effect("print", (x,), {"parts": (0,), "end": ""}))
    function = Function("f", (x,), b.block, (x,))
    assert "print(x, end='')" in emit(function, "readable", Leaf(0)).source
    with pytest.raises(Unsupported):
        emit(function, "compiled", Leaf(0))


# --- results, lines, bytes -----------------------------------------------------------------------


def test_results_in_containers():
    x, y = Value("x", F), Value("y", F)
    tree = Node("dict", (Node("list", (Leaf(1), Fixed(None))), Node("tuple", (Leaf(0),))),
                ("a", 2))
    emitted = emit(Function("f", (x, y), (), (x, y)), "readable", tree)
    assert emitted.source.endswith("    return {'a': [y, None], 2: (x,)}\n")
    assert load(emitted)(1.0, 2.0) == {"a": [2.0, None], 2: (1.0,)}
    assert load(emit(Function("f", (x, y), (), (x, y)), "compiled", tree))(1.0, 2.0) == (1.0, 2.0)
    with pytest.raises(Unsupported):
        emit(Function("f", (), (), ()), "readable", Fixed(object()))


@pytest.mark.parametrize("text", [
    "    total = " + " + ".join(f"value_{k} * (-h) ** 2" for k in range(12)),
    "    return " + ", ".join(f"np.sum(x_{k}[1:-1], axis=0)" for k in range(9)),
    "    x[1:-1] = np.where(" + " * ".join(f"(a_{k} - b)" for k in range(14)) + ", 1.0, -2.0)",
    "    if " + " and ".join(f"not x_{k} < -1e-05" for k in range(9)) + ":",
    "    raise ValueError('" + "a + b, " * 9 + "%d' % (" + ", ".join(["n"] * 30) + ",))",
])
def test_long_lines_are_broken_where_python_allows_it(text):
    body = "pass" if text.endswith(":") else ""
    lines = broken(text)
    assert len(lines) > 1 and all(len(part) <= COLUMNS for part in lines)
    before, after = (
        ast.parse(f"def f():\n{source}\n        {body}") for source in (text, "\n".join(lines)))
    assert ast.dump(before) == ast.dump(after)


def test_long_comments_are_broken():
    lines = broken("    # " + "word " * 40)
    assert len(lines) > 1 and all(part.startswith("    # ") for part in lines)


PRINT_PROGRAMS = """
import sys
sys.path[:0] = {path!r}
from backend.emit_programs import Programs
from backend.emit_help import flat
from retrograd.backend.emit import emit
for seed in range(40):
    function = Programs(seed, whole_arrays=True).function()
    for dialect in ("readable", "compiled"):
        print(emit(function, dialect, flat(len(function.returns))).source)
"""


def test_the_same_bytes_under_two_hash_seeds():
    outputs = {subprocess.run([sys.executable, "-c", PRINT_PROGRAMS.format(path=sys.path)],
                              env={"PYTHONHASHSEED": seed}, capture_output=True, check=True,
                              text=True).stdout for seed in ("1", "2")}
    assert len(outputs) == 1 and len(outputs.pop()) > 10_000


def test_source_parses_to_what_was_printed():
    """Printing what has been parsed gives the same source again."""
    from retrograd.backend.printer import source_of

    for seed in range(60):
        function = Programs(seed, whole_arrays=True).function()
        source = emit(function, "readable", flat(len(function.returns))).source
        assert source_of(ast.parse(source).body) == source


def test_python_numbers_do_not_raise_where_numpy_does_not():
    """Constants that meet only constants at run time: 1 / 0 is inf, (-8) ** (1 / 3) is nan."""
    c, b = Value("c", F), Builder()
    zero, base = Value("z", F), Value("b", F)
    test = b.let("less", c, const(0.0))
    b.append(Branch(test, (), (), (Join(const(1.0), const(0.0), zero),
                                   Join(const(-8.0), const(2.0), base))))
    q = b.let("divide", Constant(1.0, F), zero, name="q")
    p = b.let("power", base, const(1 / 3), name="p")
    for x in (-1.0, 1.0):
        check(Function("f", (c,), b.block, (q, p)), (x,))


def test_a_wide_constant_is_not_weak_where_the_ir_is_strong():
    x, b = Value("x", Array("float32", (None,))), Builder()
    y = Value("y", Array("float64", (None,)))
    b.append(Let(y, "multiply", (x, Constant(0.1, F)), {}))
    source = check(Function("f", (x,), b.block, (y,)), ([1.0, 3.0],))
    assert "x * np.float64(0.1)" in source
    z = b.let("multiply", x, Constant(0.5, Scalar("float32")), name="z")
    assert "z = x * 0.5" in check(Function("f", (x,), b.block, (z,)), ([1.0, 3.0],))


def test_a_column_is_a_view_of_a_row_of_axes():
    x, b = Value("x", MATRIX), Builder(checks=False)
    column = b.let("view", x, integer(0), index=(FULL, "int"))
    assert body_of(b, (x,), b.let("sum", column, axes=None), args=([[1.0, 2.0], [3.0, 4.0]],)) == [
        "return np.sum(x[:, 0]),"]
