"""Triangular loops: tapes with a row for every iteration, and none for iterations there are not.

    for i in range(n):              the pair (i, j) is row number i (i - 1) // 2 + j,
        for j in range(i):          and there are n (n - 1) // 2 of them

Where an inner loop's count is affine in the index of the loop around it, and never negative, the
two share one axis of a tape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retrograd.adjoint.scopes import Scope
from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent, Root, floor_divided, nonnegative, product
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Atom, Constant, Loop, integer

Before = Callable[[Extent], Extent | None]


@dataclass(frozen=True, slots=True)
class Triangle:
    """Loops number `outer` and `outer + 1` of a tape's: the inner one makes `first` iterations in
    the first iteration of the outer one, and `slope` more in each that follows."""

    outer: int
    first: Extent
    slope: int

    def rows(self, counts: Sequence[Extent]) -> tuple[Extent, ...]:
        """The number of rows along every axis of the tape."""
        made = counts[self.outer]
        total = product(self.first, made) + floor_divided(
            product(made, made - 1), 2).scaled(self.slope)
        return (*counts[:self.outer], total, *counts[self.outer + 2:])

    def places(self, builder: Builder, numbers: Sequence[Atom]) -> list[Atom]:
        """The index of a row, for the numbers of the iterations."""
        k, inner = numbers[self.outer], numbers[self.outer + 1]
        before = builder.let("multiply", builder.atom_of(self.first), k)
        pairs = builder.let("multiply", k, builder.let("subtract", k, integer(1)))
        pairs = builder.let("floor_divide", pairs, integer(2))
        if abs(self.slope) != 1:
            pairs = builder.let("multiply", integer(abs(self.slope)), pairs)
        before = builder.let("add" if self.slope > 0 else "subtract", before, pairs)
        return [*numbers[:self.outer], builder.let("add", before, inner),
                *numbers[self.outer + 2:]]


def triangle(counts: Sequence[Extent], loops: Sequence[Scope], facts: Facts,
             before: Before) -> Triangle | None:
    """The one pair of loops that is triangular, where all else is known before them."""
    changing = [k for k, count in enumerate(counts) if before(count) != count]
    if len(changing) != 1 or changing[0] == 0:
        return None
    inner = changing[0]
    around = loops[inner - 1].statement
    if not isinstance(around, Loop) or not isinstance(around.step, Constant):
        return None
    count = counts[inner]
    factor = dict(count.terms).get(Root(around.index), 0)
    rest = count - Extent(0, ((Root(around.index), factor),))
    start = facts.integer(around.start)
    if not factor or before(rest) != rest or before(start) != start or not nonnegative(
            facts.least(count)):
        return None
    return Triangle(inner - 1, rest + start.scaled(factor),
                    factor * int(around.step.value.real))
