"""Functions that may change nothing around them: those with rules of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from retrograd.frontend.things import Base, Cell, Handle, Thing, leaves
from retrograd.frontend.tracer import Tracer


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """The arrays and lists that are there before a call."""

    bases: frozenset[Base]
    cells: frozenset[Cell]
    clock: int

    def check(self, tracer: Tracer, inner: Tracer, what: str) -> None:
        """Refuse what was written since."""
        if self.bases.intersection(inner.memory.since(self.clock)):
            tracer.refuse(f"{what} writes into an array that it has not made",
                          "let it work on a copy, and return that")
        if any(cell in self.cells and time > self.clock
               for cell, time in inner.memory.changed.items()):
            tracer.refuse(f"{what} changes a list or dict that it has not made",
                          "let it work on a copy, and return that")


def surroundings(tracer: Tracer, given: Iterable[Thing]) -> Surroundings:
    """What is there at a call with these arguments."""
    things = (*given, *tracer.env.values(), *tracer.outer_things(), *tracer.memory.held.values())
    bases = {leaf.base for thing in things for leaf in leaves(thing) if isinstance(leaf, Handle)}
    closure = {b for base in (*bases, *tracer.context.lasting) for b in base.closure()}
    return Surroundings(frozenset(closure), frozenset(tracer.memory.held), tracer.memory.clock)
