"""Marked loops whose iterations are independent become loops over blocks of iterations.

    before:                             after:
        for i in prange(n):                 count = maximum(n, 0)
            v = exp(load(x, i))             size = minimum(count, 128)
            out = update(out, i, v)         parts = empty(size)
            s = add(s, v)                   for block in blocks(size):
                                                first = block * count // size
                                                last = (block + 1) * count // size
                                                sum = 0.0
                                                for i in range(first, last):
                                                    v = exp(load(x, i))
                                                    out = update(out, i, v)
                                                    sum = add(sum, v)
                                                parts = update(parts, block, sum)
                                            for block in range(size):
                                                s = add(s, load(parts, block))

The back end runs the blocks on all cores. Memory that iterations may share is then made once a
block (`buffers.py`). The mark alone proves nothing: a loop may carry arrays of which every
iteration touches elements of its own (`independent.py`), and sums (`accumulating.py`), which are
made a block at a time and added in the order of the blocks. How many blocks there are does not
depend on the number of threads, and so no bit of the result does. Any other loop keeps its mark
and its order. Exact up to the order of sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from retrograd.ir.nodes import (
    Atom,
    Block,
    Carried,
    Constant,
    Effect,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    alike,
    integer,
    number,
    walk,
)
from retrograd.ir.rewrite import with_blocks
from retrograd.ir.types import INT, Array, Scalar
from retrograd.optimise.accumulating import accumulating
from retrograd.optimise.adding import with_additions
from retrograd.optimise.disjoint import Elements, elements
from retrograd.optimise.independent import own_elements

BLOCKS = 128                    # more than most machines have cores
_BLOCKS_WITH_ARRAYS = 16        # each has its own sum of each array
_ORDERED = frozenset({"print", "draw"})


def in_blocks(function: Function) -> Function:
    """The function with its marked loops over blocks, where that is proven to be right."""
    if not any(isinstance(s, Loop) and s.parallel for s in walk(function.body)):
        return function
    return replace(function, body=_block(function.body, elements(function)))


def without_wishes(function: Function) -> Function:
    """The function without marks of loops that may run in parallel."""
    return replace(function, body=_unmarked(function.body))


def _unmarked(block: Block) -> Block:
    statements = (with_blocks(s, _unmarked) for s in block)
    return tuple(replace(s, parallel=False) if isinstance(s, Loop) and s.parallel else s
                 for s in statements)


def _block(block: Block, known: Elements) -> Block:
    result: list[Statement] = []
    for statement in block:
        loop = with_additions(statement) if isinstance(statement, Loop) and statement.parallel \
            else None
        sums = None if loop is None else _sums(loop, known)
        if loop is not None and sums is not None:
            result += _Split(replace(loop, body=_unmarked(loop.body)), sums).statements()
        else:
            result.append(with_blocks(statement, lambda inner: _block(inner, known)))
    return tuple(result)


def _sums(loop: Loop, known: Elements) -> tuple[bool, ...] | None:
    """Which slots of a marked loop are sums, the others being arrays in disjoint parts; None where
    the iterations are not proven independent."""
    if loop.leave is not None or loop.trips is not None \
            or not (isinstance(loop.step, Constant) and loop.step.value):
        return None
    if any((isinstance(s, Effect) and s.kind in _ORDERED)
           or (isinstance(s, Let) and s.op == "opaque") for s in walk(loop.body)):
        return None
    own = [own_elements(loop, slot, known) for slot in range(len(loop.carried))]
    if not all(a or b for a, b in zip(own, accumulating(loop), strict=True)):
        return None
    return tuple(not mine for mine in own)


@dataclass(eq=False, slots=True)
class _Split:
    """One loop while it becomes blocks; `sums` says which of its slots are sums."""

    loop: Loop
    sums: Sequence[bool]
    before: list[Statement] = field(default_factory=list)
    after: list[Statement] = field(default_factory=list)
    body: list[Statement] = field(default_factory=list)

    def statements(self) -> list[Statement]:
        loop = self.loop
        step = int(loop.step.value.real)  # type: ignore[union-attr]
        count = self.count(step)
        arrays = any(summed and c.inner.type.rank
                     for summed, c in zip(self.sums, loop.carried, strict=True))
        blocks = self.int("blocks", "minimum", count,
                          integer(_BLOCKS_WITH_ARRAYS if arrays else BLOCKS))
        block = Value("block", INT)
        first = self.bound(block, count, blocks, step)
        last = self.bound(self.int("t", "add", block, integer(1), self.body), count, blocks, step)
        slots = [_Slot(c, summed) for c, summed in zip(loop.carried, self.sums, strict=True)]
        for slot in slots:
            slot.prepare(self, blocks)
        self.body.append(replace(loop, start=first, stop=last, parallel=False,
                                 carried=tuple(s.inside for s in slots)))
        outside = tuple(slot.finish(self, block, blocks) for slot in slots)
        return [*self.before,
                Loop(block, integer(0), blocks, integer(1), outside, tuple(self.body),
                     origin=loop.origin, blocks=True),
                *self.after]

    def count(self, step: int) -> Atom:
        """max(0, ceil((stop - start) / step))"""
        low, high = (self.loop.start, self.loop.stop)[::1 if step > 0 else -1]
        span = high if low == integer(0) else self.int("t", "subtract", high, low)
        if abs(step) > 1:
            span = self.int("t", "floor_divide", self.int("t", "add", span,
                                                          integer(abs(step) - 1)),
                            integer(abs(step)))
        return self.int("count", "maximum", span, integer(0))

    def bound(self, block: Atom, count: Atom, blocks: Atom, step: int) -> Atom:
        """start + step * (block * count // blocks)"""
        out = self.body
        place = self.int("first", "floor_divide",
                         self.int("t", "multiply", block, count, out), blocks, out)
        if step != 1:
            place = self.int("t", "multiply", place, integer(step), out)
        if self.loop.start == integer(0):
            return place
        return self.int("first", "add", self.loop.start, place, out)

    def int(self, name: str, op: str, a: Atom, b: Atom,
            out: list[Statement] | None = None) -> Value:
        result = Value(name, INT)
        self.let(result, op, (a, b), self.before if out is None else out)
        return result

    def let(self, result: Value, op: str, args: Sequence[Atom], out: list[Statement],
            **static: object) -> Value:
        out.append(Let(result, op, tuple(args), static, self.loop.origin))
        return result


@dataclass(eq=False, slots=True)
class _Slot:
    """What one slot of the loop becomes: `inside` a block, and of the loop over blocks."""

    old: Carried
    summed: bool
    inside: Carried = field(init=False)
    parts: Value = field(init=False)
    extents: tuple[Atom, ...] = ()

    def prepare(self, split: _Split, blocks: Atom) -> None:
        """Before the blocks, and at the start of one."""
        old = self.old
        end = alike(old.inner)
        if not self.summed:
            self.inside = replace(old, init=alike(old.inner), result=end)
            return
        type = old.inner.type
        self.extents = tuple(
            split.let(Value("n", INT), "dim", (old.init,), split.before, axis=axis)
            for axis in range(type.rank))
        start: Atom
        if isinstance(type, Array):
            start = split.let(Value(old.inner.name, replace(type, layout="C")), "zeros",
                              self.extents, split.body, dtype=type.dtype)
        else:
            start = number(0, Scalar(type.dtype, type.weak))
        self.inside = replace(old, init=start, result=end)
        name = f"{old.inner.name}_parts"
        parts = Array(type.dtype, (None,) * (type.rank + 1), "C")
        self.parts = split.let(Value(name, parts), "empty", (blocks, *self.extents),
                               split.before, dtype=type.dtype)

    def finish(self, split: _Split, block: Value, blocks: Atom) -> Carried:
        """At the end of a block, and after the blocks; the slot of the loop over blocks."""
        old = self.old
        if not self.summed:
            assert isinstance(self.inside.init, Value)
            return Carried(old.init, self.inside.init, self.inside.result, old.result)
        inner, end, result = (alike(self.parts) for _ in range(3))
        own = self.inside.result

        def put(array: Value, places: tuple[Atom, ...], out: list[Statement]) -> Value:
            element = own if not places else split.let(
                Value("t", Scalar(own.type.dtype)), "load", (own, *places), out,
                index=("int",) * len(places))
            return split.let(alike(array), "update", (array, block, *places, element), out,
                             index=("int",) * (len(places) + 1))

        split.body += _nest(self.extents, inner, end, put, split)
        number_ = Value("block", INT)

        def add(sum_: Value, places: tuple[Atom, ...], out: list[Statement]) -> Value:
            part = split.let(Value("t", Scalar(sum_.type.dtype)), "load",
                             (result, number_, *places), out, index=("int",) * (len(places) + 1))
            if not places:
                return split.let(alike(sum_), "add", (sum_, part), out)
            return split.let(alike(sum_), "add_at", (sum_, *places, part), out,
                             index=("int",) * len(places))

        start, summed = alike(old.inner), alike(old.inner)
        split.after.append(Loop(number_, integer(0), blocks, integer(1),
                                (Carried(old.init, start, summed, old.result),),
                                tuple(_nest(self.extents, start, summed, add, split)),
                                origin=split.loop.origin))
        return Carried(self.parts, inner, end, result)


def _nest(extents: Sequence[Atom], start: Value, end: Value,
          step: Callable[[Value, tuple[Atom, ...], list[Statement]], Value],
          split: _Split) -> list[Statement]:
    """Loops over all places, in which `step` makes the next version of an array; `end` is the
    last one."""
    def level(array: Value, places: tuple[Atom, ...], end: Value) -> list[Statement]:
        out: list[Statement] = []
        if len(places) == len(extents):
            last = step(array, places, out)
            final = out.pop()
            assert isinstance(final, Let) and final.result is last
            return [*out, replace(final, result=end)]
        index, inner, next_ = Value("ijkmnpqrs"[len(places)], INT), alike(array), alike(array)
        return [Loop(index, integer(0), extents[len(places)], integer(1),
                     (Carried(array, inner, next_, end),),
                     tuple(level(inner, (*places, index), next_)), origin=split.loop.origin)]

    return level(start, (), end)
