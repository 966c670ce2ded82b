"""Storage: who owns a buffer, and where it must be copied."""

from __future__ import annotations

import numpy as np
import pytest

from retrograd.ir.build import Builder
from retrograd.ir.index import FULL, Slice
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import (
    Branch,
    Carried,
    Constant,
    Function,
    Join,
    Let,
    Loop,
    Value,
    integer,
    walk,
)
from retrograd.ir.types import FLOAT, Array, Scalar
from retrograd.ir.verify import verify
from retrograd.optimise.storage import hidden_copies, insert_copies, plan_storage

VECTOR, MATRIX, F = Array("float64", (None,)), Array("float64", (None, None)), Scalar("float64")
INNER = (Slice(True, True, 1),)


def const(value: float) -> Constant:
    return Constant(value, FLOAT)


def setup():
    return Value("a", VECTOR), Builder(checks=False)


def store(builder, array, value=1.0, at=0, name=None):
    return builder.let("update", array, integer(at), const(value), index=("int",),
                       name=name or array.name)


def inner_view(builder, array, name="v"):
    return builder.let("view", array, integer(1), integer(-1), index=INNER, name=name)


def zeros(builder, name="z"):
    return builder.let("zeros", integer(5), dtype="float64", name=name)


def copies(function: Function) -> list[Let]:
    return [s for s in walk(function.body) if isinstance(s, Let) and s.op == "copy"]


def inserted(builder, params, *returns) -> list[str]:
    """The names of the copies that the pass inserts; checks that it changes no result."""
    function = verify(Function("f", params, builder.block, returns))
    new = verify(insert_copies(function))
    args = [np.arange(5.0) if isinstance(p.type, Array) else 2.0 for p in params]
    for before, after in zip(interpret(function, args), interpret(new, args), strict=True):
        np.testing.assert_array_equal(before, after)
    assert [s.op for s in walk(insert_copies(new).body) if isinstance(s, Let)] == [
        s.op for s in walk(new.body) if isinstance(s, Let)], "the pass leaves its result alone"
    old = set(copies(function))
    return [c.result.name for c in copies(new) if c not in old]


def test_a_parameter_is_copied_before_it_is_written_to():
    a, b = setup()
    assert inserted(b, (a,), store(b, a)) == ["a"]


def test_a_fresh_array_is_written_to_in_place():
    a, b = setup()
    z = store(b, store(b, zeros(b)), at=1)
    assert inserted(b, (a,), z) == []


def test_an_old_version_that_is_read_later_is_kept():
    a, b = setup()
    z = zeros(b)
    new = store(b, z, name="w")
    assert inserted(b, (a,), b.let("add", z, new, name="r")) == ["w"]


def test_a_copy_of_the_user_is_not_erased():
    """Trap 4: `u[i] = ...; w = u.copy()` and both go on."""
    a, b = setup()
    u = store(b, zeros(b, "u"))
    w = b.let("copy", u, name="w")
    assert inserted(b, (a,), store(b, u, 2.0), store(b, w, 3.0)) == []


def test_a_view_that_lives_across_a_write_is_copied_where_it_is_made():
    a, b = setup()
    u = zeros(b, "u")
    g = inner_view(b, u, "g")
    new = store(b, u, at=2)
    assert inserted(b, (a,), new, b.let("sum", g, axes=None)) == ["g"]


def test_a_view_that_is_read_before_the_write_is_not():
    a, b = setup()
    u = zeros(b, "u")
    s = b.let("sum", inner_view(b, u, "g"), axes=None)
    assert inserted(b, (a,), store(b, u, at=2), s) == []


def test_a_view_of_a_view_is_copied_once():
    a, b = setup()
    u = zeros(b, "u")
    g = inner_view(b, u, "g")
    h = b.let("view", g, integer(1), integer(-1), index=INNER, name="h")
    new = store(b, u, at=2)
    sums = [b.let("sum", x, axes=None) for x in (g, h)]
    assert inserted(b, (a,), new, *sums) == ["g"]


def test_a_view_that_leaves_a_branch():
    """Trap 5: `if c: saved = w[1:-1]`, then `w[2] = ...`."""
    a, b = setup()
    c = Value("c", F)
    w, other = zeros(b, "w"), b.let("zeros", integer(3), dtype="float64", name="saved")
    test = b.let("less", c, const(9.0))
    then = b.inner()
    saved, result = inner_view(then, w, "saved"), Value("saved", VECTOR)
    b.append(Branch(test, then.block, (), (Join(saved, other, result),)))
    new = store(b, w, at=2)
    assert inserted(b, (a, c), new, result) == ["saved"]


def test_a_write_in_one_arm_is_in_place():
    a, b = setup()
    c = Value("c", F)
    w = zeros(b, "w")
    for _ in range(2):
        test = b.let("less", c, const(9.0))
        then = b.inner()
        result = Value("w", VECTOR)
        b.append(Branch(test, then.block + tuple(_append(then, w)), (), (
            Join(then.statements[-1].result, w, result),)))
        w = result
    assert inserted(b, (a, c), w) == []


def _append(builder, array):
    before = len(builder.statements)
    store(builder, array)
    return builder.statements[before:]


def loop(builder, slots, body, ends, stop=3):
    """Append a loop; gives the results."""
    index = Value("i", Scalar("int64", True))
    results = tuple(Value(inner.name, inner.type) for _, inner in slots)
    builder.append(Loop(index, integer(0), integer(stop), integer(1), tuple(
        Carried(init, inner, end, result)
        for (init, inner), end, result in zip(slots, ends, results, strict=True)), body.block))
    return results


def test_a_loop_writes_in_place_and_copies_a_parameter_before():
    a, b = setup()
    u, body = Value("u", VECTOR), b.inner()
    (result,) = loop(b, [(a, u)], body, [store(body, u)])
    function = Function("f", (a,), b.block, (result,))
    assert [s.op for s in insert_copies(function).body if isinstance(s, Let)] == ["copy"]
    assert hidden_copies(function) == ()


def test_a_swap_needs_no_copy():
    a, b = setup()
    u, w, body = Value("u", VECTOR), Value("w", VECTOR), b.inner()
    new = store(body, w)
    results = loop(b, [(zeros(b, "u"), u), (zeros(b, "w"), w)], body, [new, u])
    assert inserted(b, (a,), *results) == []


def test_one_array_for_two_slots():
    a, b = setup()
    u, w, body = Value("u", VECTOR), Value("w", VECTOR), b.inner()
    z = zeros(b)
    results = loop(b, [(z, u), (z, w)], body, [store(body, u), store(body, w, 2.0)])
    assert inserted(b, (a,), *results) == ["w"]


def test_an_array_from_outside_that_is_written_to_in_a_loop_is_a_hidden_copy():
    a, b = setup()
    z, body = zeros(b), b.inner()
    s, inner = Value("s", F), store(body, z)
    end = body.let("add", s, body.let("sum", inner, axes=None))
    (result,) = loop(b, [(const(0.0), s)], body, [end])
    function = verify(Function("f", (a,), b.block, (result,)))
    assert len(hidden_copies(function)) == 1


def test_a_new_buffer_each_iteration_is_not_the_one_of_the_iteration_before():
    """`un = empty(); un[..] = u[..]; u = un`."""
    a, b = setup()
    u, body = Value("u", VECTOR), b.inner()
    new = store(body, zeros(body, "un"))
    new = body.let("add_at", new, integer(1), body.let("load", u, integer(0), index=("int",)),
                   index=("int",), name="un")
    (result,) = loop(b, [(zeros(b, "u"), u)], body, [new])
    assert inserted(b, (a,), result) == []


def test_a_buffer_that_reached_two_results_is_returned_twice():
    """`v` hands its buffer to `w` and `x`: seen only by following it around the loop."""
    a, b = setup()
    v, w, x, body = (*(Value(n, VECTOR) for n in "vwx"), b.inner())
    fresh = zeros(body, "t")
    _, second, third = loop(b, [(zeros(b), v), (zeros(b), w), (zeros(b), x)], body,
                            [fresh, v, v])
    assert len(inserted(b, (a,), second, third)) == 1


@pytest.mark.parametrize("kind", ["parameter", "view", "twice", "transposed", "row order"])
def test_results_are_fresh_contiguous_arrays(kind):
    x, b = Value("x", MATRIX), Builder(checks=False)
    returns = {
        "parameter": lambda: [x],
        "view": lambda: [b.let("view", b.let("exp", x), integer(1), index=("int", FULL))],
        "twice": lambda: [b.let("exp", x)] * 2,
        "transposed": lambda: [b.let("transpose", b.let("exp", x), axes=(1, 0))],
        "row order": lambda: [b.let("exp", b.let("transpose", x, axes=(1, 0)))],
    }[kind]()
    new = insert_copies(Function("f", (x,), b.block, tuple(returns)))
    assert len(copies(new)) == 1


def test_a_reshaped_fresh_array_is_fresh():
    x, b = Value("x", MATRIX), Builder(checks=False)
    row = b.let("reshape", b.let("matmul", x, x), integer(4))
    assert copies(insert_copies(Function("f", (x,), b.block, (row,)))) == []


def test_accumulations_write_in_place_where_it_costs_nothing():
    a, b = setup()
    first = b.let("multiply", a, const(2.0), name="a_bar")
    second = b.let("add", first, a, name="a_bar")
    plan = plan_storage(Function("f", (a,), b.block, (second,)))
    assert [let.result for let in plan.accumulations] == [second]
    keep = plan_storage(Function("f", (a,), b.block, (second, first)))
    assert not keep.accumulations and not copies(keep.function)


def test_places_of_statements_are_known_after_copies_came_between():
    a, b = setup()
    u = store(b, a)
    s = b.let("sum", u, axes=None)
    plan = plan_storage(Function("f", (a,), b.block, (s,)))
    assert plan.starts == (0, 2, 3)
