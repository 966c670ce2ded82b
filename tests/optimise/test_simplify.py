"""Algebra that is exact in IEEE arithmetic, and what looks like it and is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from frontend.tracing import loops, ops
from optimise.language import VECTOR, F, canonical, program
from retrograd.ir.build import Builder
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Atom, Branch, Carried, Constant, Function, Join, Loop, Value, integer
from retrograd.ir.types import BOOL, FLOAT, INT, Array, Scalar, Type
from retrograd.ir.verify import verify
from retrograd.optimise.dead import remove_dead
from retrograd.optimise.simplify import simplify

NUMBERS = (0.0, -0.0, 1.5, -2.25, 1e300, np.inf, -np.inf, np.nan)


def simplified(function: Function) -> Function:
    return verify(remove_dead(verify(simplify(verify(function)))))


def built(op: str, *args: Any, type: Type = FLOAT) -> Function:
    """`op(args)`, where "x" is a parameter and the rest are constants."""
    x, builder = Value("x", type), Builder()
    atoms = [x if a == "x" else a if isinstance(a, Constant) else Constant(a, FLOAT) for a in args]
    return _function(x, builder, builder.let(op, *atoms))


def _function(x: Value, builder: Builder, result: Atom) -> Function:
    return Function("f", (x,), builder.block, (result,))


def bits(value: Any) -> bytes:
    return b"nan" if np.isnan(value) else np.float64(value).tobytes()


def exact(before: Function) -> Function:
    """Simplify, and compare bit for bit on numbers of every kind."""
    after = simplified(before)
    for x in NUMBERS:
        with np.errstate(all="ignore"):
            assert bits(interpret(after, [x])[0]) == bits(interpret(before, [x])[0]), x
    return after


@pytest.mark.parametrize("op, args", [
    ("multiply", ("x", 1.0)), ("multiply", (1.0, "x")), ("divide", ("x", 1.0)),
    ("power", ("x", 1.0)), ("subtract", ("x", 0.0)),
])
def test_what_does_nothing(op: str, args: tuple[Any, ...]) -> None:
    after = exact(built(op, *args))
    assert after.body == () and after.returns == after.params


@pytest.mark.parametrize("op, args", [
    ("add", ("x", 0.0)), ("add", (0.0, "x")), ("subtract", ("x", -0.0)), ("subtract", (0.0, "x")),
    ("multiply", ("x", 0.0)), ("divide", (1.0, "x")), ("power", ("x", 0.0)),
    ("multiply", ("x", -1.0)), ("power", (1.0, "x")), ("divide", ("x", "x")),
    ("subtract", ("x", "x")), ("maximum", ("x", "x")),
])
def test_what_only_looks_like_it(op: str, args: tuple[Any, ...]) -> None:
    """-0.0 + 0.0 is 0.0, 0 * inf is nan: whatever is done, every bit stays."""
    exact(built(op, *args))


def test_two_signs_are_none() -> None:
    after = exact(program("t = negative(negative(x))\nreturn t", x=F))
    assert after.returns == after.params
    assert ops(exact(program("return negative(negative(negative(x)))", x=F))) == ["negative"]


def test_a_type_that_differs_is_no_identity() -> None:
    """float32 * strong float64 1 is a float64."""
    x, builder = Value("x", Scalar("float32")), Builder()
    result = builder.let("multiply", x, Constant(1.0, Scalar("float64")))
    after = simplified(_function(x, builder, result))
    assert ops(after) == ["multiply"]
    for kind in (Array("float64", (None,)), Array("int64", (None,))):
        a, builder = Value("a", kind), Builder()
        result = builder.let("multiply", a, Constant(1.0, FLOAT))
        after = simplified(_function(a, builder, result))
        assert interpret(after, [np.ones(2)])[0].dtype == np.float64


def test_a_shape_that_differs_is_no_identity() -> None:
    a, builder = Value("a", Array("float64", (1,))), Builder()
    ones = builder.let("ones", integer(3), dtype="float64")
    result = builder.let("multiply", a, ones)
    after = simplified(_function(a, builder, result))
    assert interpret(after, [np.array([2.0])])[0].shape == (3,)


def test_constants_are_put_together() -> None:
    x = Value("x", FLOAT)
    builder = Builder()
    a = builder.retyped(builder.let("multiply", x, Constant(1.0, FLOAT)), FLOAT)
    b = builder.let("add", Constant(2.0, FLOAT), Constant(3.0, FLOAT))
    after = simplified(Function("f", (x,), builder.block, (a, b)))
    assert after.body == () and after.returns[1] == Constant(5.0, FLOAT)


def test_where_that_is_decided() -> None:
    x = Value("x", FLOAT)
    for test, expected in ((True, 0), (False, 1)):
        builder = Builder()
        y = builder.let("sin", x)
        result = builder.let("where", Constant(test, BOOL), x, y)
        after = simplified(_function(x, builder, result))
        assert ops(after) == ["sin"][:expected]


def test_a_branch_that_is_decided_is_its_arm() -> None:
    x, out = Value("x", FLOAT), Value("out", FLOAT)
    for test in (True, False):
        then, otherwise = Builder(), Builder()
        a, b = then.let("sin", x), otherwise.let("exp", x)
        branch = Branch(Constant(test, BOOL), then.block, otherwise.block, (Join(a, b, out),))
        after = simplified(Function("f", (x,), (branch,), (out,)))
        assert ops(after) == ["sin" if test else "exp"]


def test_a_join_of_the_same_is_no_join() -> None:
    x, c, out = Value("x", FLOAT), Value("c", BOOL), Value("out", FLOAT)
    branch = Branch(c, (), (), (Join(x, x, out),))
    after = simplified(Function("f", (x, c), (branch,), (out,)))
    assert after.body == () and after.returns == (x,)


def loop_of(init: Atom, next_: Any, x: Value) -> Function:
    inner, out, builder = Value("v", init.type), Value("v", init.type), Builder()
    end = next_(builder, inner)
    loop = Loop(Value("i", INT), integer(0), integer(3), integer(1),
                (Carried(init, inner, end, out),), builder.block)
    return Function("f", (x,), (loop,), (out,))


def test_what_no_iteration_changes_is_not_carried() -> None:
    x = Value("x", FLOAT)
    assert simplified(loop_of(x, lambda b, v: v, x)).returns == (x,)
    two = Constant(2.0, FLOAT)
    assert simplified(loop_of(two, lambda b, v: two, x)).returns == (two,)
    kept = simplified(loop_of(x, lambda b, v: two, x))       # x if there were no iteration
    assert len(loops(kept)) == 1
    grown = simplified(loop_of(x, lambda b, v: b.let("add", v, two), x))
    assert interpret(grown, [1.0]) == (7.0,)


def test_a_constant_of_another_zero_is_carried() -> None:
    x = Value("x", FLOAT)
    f = loop_of(Constant(0.0, FLOAT), lambda b, v: Constant(-0.0, FLOAT), x)
    assert bits(interpret(simplified(f), [1.0])[0]) == bits(-0.0)


def test_adding_into_fresh_zeros_is_writing() -> None:
    n, i, j = Value("n", INT), Value("i", INT), Value("j", INT)
    for second, expected in ((False, ["zeros", "update"]), (True, ["zeros", "update", "add_at"])):
        builder = Builder()
        a = builder.let("zeros", n, dtype="float64")
        a = builder.let("add_at", a, i, Constant(2.0, FLOAT), index=("int",))
        if second:
            a = builder.let("add_at", a, j, Constant(3.0, FLOAT), index=("int",))
        before = Function("f", (n, i, j), builder.block, (a,))
        after = simplified(before)
        assert ops(after) == expected
        for args in ((3, 0, 0), (3, 0, 2), (2, -1, 1)):
            np.testing.assert_array_equal(interpret(after, args)[0], interpret(before, args)[0])


def test_elements_that_may_be_named_twice_are_added() -> None:
    k, builder = Value("k", Array("int64", (None,))), Builder()
    a = builder.let("zeros", integer(3), dtype="float64")
    a = builder.let("add_at", a, k, Constant(1.0, FLOAT), index=("array",))
    after = simplified(Function("f", (k,), builder.block, (a,)))
    assert "add_at" in ops(after)
    assert list(interpret(after, [np.array([1, 1, 2])])[0]) == [0, 2, 1]


def test_zeros_that_are_read_elsewhere_stay_zeros() -> None:
    i, builder = Value("i", INT), Builder()
    z = builder.let("zeros", integer(3), dtype="float64")
    a = builder.let("add_at", z, i, Constant(1.0, FLOAT), index=("int",))
    after = simplified(Function("f", (i,), builder.block, (a, z)))
    first, second = interpret(after, [1])
    assert first.sum() == 1 and not second.any()


def test_a_broadcast_that_the_operation_does_anyway() -> None:
    x, s, builder = Value("x", VECTOR), Value("s", FLOAT), Builder()
    (n,) = builder.shape_atoms(x)
    wide = builder.let("broadcast_to", s, n)
    result = builder.let("multiply", wide, x)
    after = simplified(Function("f", (x, s), builder.block, (result,)))
    assert "broadcast_to" not in ops(after)
    np.testing.assert_array_equal(interpret(after, [np.arange(3.0), 2.0])[0], 2 * np.arange(3.0))


def test_a_broadcast_that_nothing_else_does_is_kept() -> None:
    x, s, builder = Value("x", VECTOR), Value("s", FLOAT), Builder()
    (n,) = builder.shape_atoms(x)
    result = builder.let("multiply", builder.let("broadcast_to", s, n), Constant(2.0, FLOAT))
    after = simplified(Function("f", (x, s), builder.block, (result,)))
    np.testing.assert_array_equal(interpret(after, [np.arange(3.0), 2.0])[0], [4.0, 4.0, 4.0])


def test_nothing_left_to_do() -> None:
    f = simplified(program("y = multiply(x, sin(x))\nreturn y", x=F))
    assert canonical(simplify(f)) == canonical(f)
