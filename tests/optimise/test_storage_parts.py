"""Parts that are written and put back: written in place where that changes nothing, and only there.

Every program is run as it is printed, for NumPy, and lowered."""

from __future__ import annotations

import numpy as np
import pytest

from backend.emit_help import check
from retrograd.backend.lowering import lower
from retrograd.ir.build import Builder
from retrograd.ir.index import FULL, Slice
from retrograd.ir.nodes import Constant, Function, Let, Value, integer, walk
from retrograd.ir.types import FLOAT, Array
from retrograd.optimise.storage import plan_storage

TAIL, BACK = (Slice(True, False),), (Slice(step=-1),)


class Program:
    """`p` is the tail of a fresh array `z`; `back` puts a value back there."""

    def __init__(self) -> None:
        self.a = Value("a", Array("float64", (None,)))
        self.b = Builder(checks=False)
        self.z = self.b.let("copy", self.a, name="z")
        self.p = self.tail(self.z)

    def tail(self, array):
        return self.b.let("view", array, integer(1), index=TAIL, name="p")

    def write(self, array, value=7.0, at=1):
        return self.b.let("update", array, integer(at), Constant(value, FLOAT), index=("int",),
                          name="q")

    def back(self, array, value):
        return self.b.let("update", array, integer(1), value, index=TAIL, name="z")

    def copies(self, *returns) -> int:
        """How many copies storage makes; what is printed gives what the program means."""
        function = Function("f", (self.a,), self.b.block, returns)
        args = [np.arange(1.0, 8.0)]
        check(function, args)
        check(lower(function), args, "compiled")
        return sum(isinstance(s, Let) and s.op == "copy"
                   for s in walk(plan_storage(function).function.body)) - 1


def test_a_part_is_written_in_its_array():
    t = Program()
    assert t.copies(t.back(t.z, t.write(t.p))) == 0


def test_two_writes_and_a_part_of_the_part():
    t = Program()
    q = t.write(t.write(t.p), 8.0, 2)
    inner = t.write(t.tail(q), 9.0, 0)
    assert t.copies(t.back(t.z, t.back(q, inner))) == 0


def test_another_shape_and_order():
    t = Program()
    grid = t.b.let("reshape", t.p, integer(2), integer(3))
    turned = t.b.let("transpose", grid, axes=(1, 0))
    wide = t.b.let("update", turned, integer(1), Constant(0.5, FLOAT), index=("int", FULL))
    back = t.b.let("transpose", wide, axes=(1, 0))
    assert t.copies(t.back(t.z, t.b.let("reshape", back, integer(6)))) == 0


@pytest.mark.parametrize("case", [
    lambda t, q: (t.back(t.z, q), t.z),                             # the array as it was, returned
    lambda t, q: (t.back(t.z, q), t.b.let("add", t.p, t.p)),        # the part as it was, read
    lambda t, q: (t.back(t.z, q), q),                               # the part itself, returned
    lambda t, q: (t.write(t.back(t.z, q)), q),
    lambda t, q: (t.back(t.write(t.z, 5.0, 3), q),),                # another version of the array
    lambda t, q: (t.back(t.z, q), t.back(t.z, t.write(t.p, 3.0, 2))),
    lambda t, q: (t.b.let("update", t.z, integer(2), t.tail(q), index=(Slice(True, False),)),),
    lambda t, q: (t.b.let("update", t.z, integer(0), integer(6), q,
                          index=(Slice(True, True),)),),         # put elsewhere
    lambda t, q: (t.back(t.back(t.z, q), t.p),),                    # undone again
    lambda t, q: (t.back(t.z, t.b.let("view", q, index=BACK)),),    # put back the other way round
])
def test_what_reads_the_past_reads_the_past(case):
    t = Program()
    t.copies(*case(t, t.write(t.p)))


def test_a_write_outside_the_part_that_is_put_back_stays_outside():
    t = Program()
    q = t.write(t.p, 7.0, 0)                                        # not in the tail of the tail
    inner = t.tail(q)
    new = t.back(t.z, t.back(t.p, inner))
    assert t.copies(new) > 0


def test_a_part_of_a_parameter_is_not_written():
    t = Program()
    p = t.tail(t.a)
    t.copies(t.back(t.a, t.write(p)), t.back(t.a, p))
