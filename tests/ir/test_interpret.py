"""The interpreter: the meaning of loops that end early, empty loops, tapes and messages."""

from __future__ import annotations

import numpy as np
import pytest

from retrograd.ir.build import Builder
from retrograd.ir.index import FULL
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Carried, Constant, Effect, Function, Let, Loop, Value, integer
from retrograd.ir.types import BOOL, FLOAT, INT, Array, Scalar

X = Value("x", FLOAT)
N = Value("n", INT)


def summing(start: int, step: int, limit: float | None = None) -> Function:
    """Adds x + i over range(start, n, step), leaving once the sum passes the limit."""
    index, inner, result, trips = (Value("i", INT), Value("s", FLOAT), Value("s", FLOAT),
                                   Value("trips", INT))
    body = Builder()
    total = body.let("add", inner, body.let("add", X, index))
    leave = None if limit is None else body.let("greater", total, Constant(limit, FLOAT))
    loop = Loop(index, integer(start), N, integer(step),
                (Carried(Constant(0.0, FLOAT), inner, total, result),), body.block, leave, trips)
    return Function("f", (X, N), (loop,), (result, trips))


@pytest.mark.parametrize("start, stop, step", [(0, 4, 1), (0, 0, 1), (5, 2, 1), (3, -1, -1),
                                               (0, 9, 4), (7, 0, -3)])
def test_loops_run_over_ranges(start: int, stop: int, step: int) -> None:
    numbers = range(start, stop, step)
    assert interpret(summing(start, step), [0.5, stop]) == (
        sum(0.5 + i for i in numbers), len(numbers))


def test_a_loop_leaves_after_the_iteration_that_says_so() -> None:
    assert interpret(summing(0, 1, 3.0), [1.0, 9]) == (6.0, 3)
    assert interpret(summing(0, 1, 3.0), [1.0, 2]) == (3.0, 2)


def test_a_while_counts_its_trips() -> None:
    from retrograd.ir.nodes import While

    inner, result, trips = Value("v", FLOAT), Value("v", FLOAT), Value("trips", INT)
    test, body = Builder(), Builder()
    going = test.let("less", inner, Constant(10.0, FLOAT))
    doubled = body.let("multiply", inner, Constant(2.0, FLOAT))
    loop = While((Carried(X, inner, doubled, result),), test.block, going, body.block, trips)
    f = Function("f", (X,), (loop,), (result, trips))
    assert interpret(f, [1.0]) == (16.0, 4) and interpret(f, [11.0]) == (11.0, 0)


def test_updates_are_new_versions() -> None:
    a = Value("a", Array("float64", (None,)))
    builder = Builder()
    new = builder.let("update", a, integer(0), Constant(9.0, FLOAT), index=("int",))
    both = builder.let("add_at", new, integer(0), Constant(1.0, FLOAT), index=("int",))
    given = np.zeros(2)
    found = interpret(Function("f", (a,), builder.block, (a, new, both)), [given])
    assert [list(v) for v in found] == [[0, 0], [9, 0], [10, 0]] and not given.any()


def test_tapes_grow_when_rows_are_pushed() -> None:
    tape = Value("tape", Array("float64", (None, None)))
    row = Value("row", Array("float64", (None,)))
    builder = Builder()
    new = builder.let("push", tape, N, row)
    read = builder.let("view", new, N, index=("int", FULL))
    f = Function("f", (tape, row, N), builder.block, (new, read))
    for n in (0, 3, 9):
        grown, found = interpret(f, [np.zeros((2, 3)), np.array([1.0, 2, 3]), n])
        assert len(grown) > n and list(found) == [1, 2, 3]


def test_results_have_the_declared_type() -> None:
    result = Value("r", Scalar("float32"))
    f = Function("f", (X,), (Let(result, "cast", (X,), {"dtype": "float32"}),), (result,))
    assert interpret(f, [0.1])[0].dtype == np.float32


def test_checks_raise_and_prints_print(capsys: pytest.CaptureFixture[str]) -> None:
    def run(kind: str, args: tuple[int, ...], **static: object) -> None:
        effect = Effect(kind, tuple(integer(a) for a in args), static)
        interpret(Function("f", (), (effect,), ()), [])

    run("print", (1, 2), parts=("a", 0, "b", 1))
    run("print", (), parts=("end",), end="!")
    assert capsys.readouterr().out == "a 1 b 2\nend!"
    run("check_index", (-3, 3), axis=0)
    for bad in (3, -4):
        with pytest.raises(IndexError, match=f"index {bad} is out of bounds for axis 1 with"):
            run("check_index", (bad, 3), axis=1)
    run("check_divisor", (1,), op="remainder")
    with pytest.raises(ZeroDivisionError, match="integer modulo by zero"):
        run("check_divisor", (0,), op="remainder")
    run("check_equal", (2, 2), exception=ValueError, message=("no",))
    with pytest.raises(ValueError, match="2 is not 3"):
        run("check_equal", (2, 3), exception=ValueError, message=(0, " is not ", 1))


def test_bounds_of_index_arrays() -> None:
    indices = Value("indices", Array("int64", (None,)))
    f = Function("f", (indices,), (Effect("check_bounds", (indices, integer(4)), {"axis": 2}),), ())
    interpret(f, [np.array([-4, 3])])
    with pytest.raises(IndexError, match="index 4 is out of bounds for axis 2 with size 4"):
        interpret(f, [np.array([0, 4])])


def test_constants_are_five() -> None:
    atoms = (Constant(0.0, FLOAT), Constant(-0.0, FLOAT), Constant(1, INT), Constant(1.0, FLOAT),
             Constant(True, BOOL))
    assert len(set(atoms)) == 5
    assert Constant(1.0, FLOAT) != Constant(1.0, Scalar("float64"))
    assert Constant(float("nan"), FLOAT) == Constant(float("nan"), FLOAT)
