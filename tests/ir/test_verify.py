"""The verifier accepts programs and rejects each kind of mistake."""

from __future__ import annotations

import numpy as np
import pytest

from retrograd.errors import InternalError
from retrograd.ir.build import Builder
from retrograd.ir.effects import KINDS
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import (
    Block,
    Branch,
    Carried,
    Constant,
    Effect,
    Function,
    Join,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
    integer,
)
from retrograd.ir.show import show
from retrograd.ir.types import BOOL, FLOAT, INT, Array, Scalar
from retrograd.ir.verify import verify

X, Y, N, C = (Value("x", FLOAT), Value("y", FLOAT), Value("n", INT), Value("c", BOOL))
A = Value("a", Array("float64", (None, None)))
PARAMS = (X, Y, N, C, A)
ONE = Constant(1.0, FLOAT)


def let(result: Value, op: str, *args: object, **static: object) -> Let:
    return Let(result, op, args, static)                         # type: ignore[arg-type]


def loop(inner: Value, next_: object, result: Value, *body: Statement, init: object = X,
         leave: object = None) -> Loop:
    return Loop(Value("i", INT), integer(0), N, integer(1),
                (Carried(init, inner, next_, result),), body,    # type: ignore[arg-type]
                leave)                                           # type: ignore[arg-type]


def function(*body: Statement, returns: tuple[object, ...] = ()) -> Function:
    return Function("f", PARAMS, body, returns)                  # type: ignore[arg-type]


def fresh(type: object = FLOAT) -> Value:
    return Value("v", type)                                      # type: ignore[arg-type]


def rejected(block: Block, message: str, returns: tuple[object, ...] = ()) -> None:
    with pytest.raises(InternalError, match=message):
        verify(function(*block, returns=returns))


# --- right programs ------------------------------------------------------------------------------


def test_every_kind_of_statement() -> None:
    v, s, inner, out, t, joined, m, mi, mo = (fresh() for _ in range(9))
    test = Value("going", BOOL)
    body = (
        let(v, "add", X, ONE),
        Effect("check_index", (N, integer(3)), {"axis": 0}),
        loop(inner, s, out, let(s, "multiply", inner, v)),
        Branch(C, (let(t, "sin", out),), (Raise(ValueError, ("n is ", N)),),
               (Join(t, X, joined),)),
        While((Carried(joined, m, mi, mo),), (let(test, "less", m, ONE),), test,
              (let(mi, "add", m, ONE),), Value("trips", INT)),
    )
    f = verify(function(*body, returns=(mo, v)))
    for c in (True, False):
        args = [0.5, 2.0, 2, c, np.zeros((2, 2))]
        if not c:
            with pytest.raises(ValueError, match="n is 2"):
                interpret(f, args)
            continue
        value, first = interpret(f, args)
        assert first == 1.5 and value == np.sin(0.5 * 1.5**2) + 1
    text = show(f)
    for part in ("function f(", "loop %i in range(0, %n, 1)", "check_index(", "raise ValueError",
                 "while, ", "if %c", "else", "return "):
        assert part in text


def test_values_of_the_same_name_are_shown_apart() -> None:
    a, b = Value("v", FLOAT), Value("v", FLOAT)
    text = show(function(let(a, "add", X, X), let(b, "add", a, X), returns=(b,)))
    assert "%v: float64~ = add(%x, %x)" in text and "%v.1: float64~ = add(%v, %x)" in text


# --- wrong programs: single assignment and scope --------------------------------------------------


def test_defined_twice() -> None:
    v = fresh()
    rejected((let(v, "add", X, X), let(v, "add", X, Y)), "defined twice")
    rejected((let(X, "add", X, X),), "defined twice")
    inner = fresh()
    rejected((loop(inner, X, inner),), "defined twice")


def test_read_before_it_is_defined() -> None:
    v = fresh()
    rejected((let(fresh(), "add", v, X), let(v, "add", X, X)), "not visible")
    rejected((), "not visible", returns=(v,))
    rejected((Raise(ValueError, (v,)),), "not visible")
    rejected((Effect("check_equal", (v, N), {}),), "not visible")


def test_values_of_blocks_stay_in_them() -> None:
    v, inner, out = fresh(), fresh(), fresh()
    rejected((loop(inner, v, out, let(v, "add", inner, X)),), "not visible", returns=(v,))
    rejected((loop(inner, X, out),), "not visible", returns=(inner,))
    index = Loop(Value("i", INT), integer(0), N, integer(1), (), ())
    rejected((index,), "not visible", returns=(index.index,))
    branch = Branch(C, (let(v, "add", X, X),), (), (Join(X, v, out),))
    rejected((branch,), "not visible")                  # an arm yields what the other made
    test, d = Value("going", BOOL), fresh()
    while_ = While((Carried(X, inner, d, out),), (let(test, "less", inner, Y),
                                                  let(v, "add", inner, Y)), test,
                   (let(d, "add", inner, v),), Value("trips", INT))
    rejected((while_,), "not visible")                  # what the test defines, in the body


def test_the_loop_reads_its_bounds_outside() -> None:
    inner, out = fresh(), fresh()
    bad = Loop(Value("i", INT), integer(0), inner, integer(1), (Carried(X, inner, X, out),), ())
    rejected((bad,), "not visible")


# --- wrong programs: types -----------------------------------------------------------------------


def test_carried_values_keep_their_type() -> None:
    for kind in (INT, Scalar("float32"), Array("float64", (None,))):
        rejected((loop(fresh(kind), X, fresh(FLOAT)),), "flows into")
    inner = fresh()
    rejected((loop(inner, N, fresh()),), "int64~ flows into")
    rejected((loop(inner, inner, fresh(INT)),), "flows into")


def test_arms_give_one_type() -> None:
    rejected((Branch(C, (), (), (Join(X, N, fresh()),)),), "flows into")
    rejected((Branch(C, (), (), (Join(X, A, fresh()),)),), "flows into")


def test_an_extent_of_one_is_certain() -> None:
    one, any_ = Array("float64", (1,)), Array("float64", (None,))
    a, b = fresh(one), fresh(any_)
    body = (let(a, "zeros", integer(1), dtype="float64"),
            let(b, "zeros", N, dtype="float64"))
    verify(function(*body, Branch(C, (), (), (Join(a, b, fresh(any_)),))))
    rejected((*body, Branch(C, (), (), (Join(a, b, fresh(one)),))), "not certain")


def test_operations_have_the_type_that_they_give() -> None:
    rejected((let(fresh(), "no_such_thing", X),), "no operation")
    rejected((let(fresh(Scalar("float32")), "add", X, X),), "has dtype")
    rejected((let(fresh(INT), "less", X, Y),), "has dtype")
    rejected((let(fresh(), "add", A, X),), "and rank 2")
    rejected((let(fresh(), "sum", A, axes=(0,)),), "and rank 1")
    rejected((let(fresh(Array("float64", (None,))), "sum", A, axes=None),), "and rank 0")


def test_effects_have_a_known_kind() -> None:
    assert "check_index" in KINDS
    rejected((Effect("shout", (X,), {}),), "no effect")


def test_the_message_shows_the_program() -> None:
    with pytest.raises(InternalError, match="function f") as caught:
        verify(function(let(fresh(), "add", fresh(), X)))
    assert "add(" in str(caught.value)


def test_what_the_builder_makes_is_right() -> None:
    builder = Builder()
    inner = builder.inner()
    t = inner.let("add", builder.let("multiply", X, Y), ONE)
    builder.append(Branch(C, inner.block, (), (Join(t, X, fresh()),)))
    verify(Function("f", PARAMS, builder.block, ()))
