"""What names and lists are after a loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrograd.frontend import cells, growing
from retrograd.frontend.rows import AMPLE
from retrograd.frontend.sharing import Key, Place
from retrograd.frontend.things import (
    Base,
    Cell,
    Grown,
    Handle,
    Items,
    Pairs,
    Thing,
    atom_of,
    leaves,
    thing_of,
    with_leaves,
)
from retrograd.ir.nodes import Value

if TYPE_CHECKING:
    from retrograd.frontend.slots import Slots


@dataclass
class After:
    """What the names are after the loop: what they were before, or what an iteration made them."""

    slots: Slots
    trips: Value | None
    bases: dict[Place, Base] = field(default_factory=dict)
    group: Pairs = field(default_factory=set)
    cells: dict[Place, Cell] = field(default_factory=dict)
    cell_group: set[frozenset[Cell]] = field(default_factory=set)

    def thing(self, key: Key, begin: Thing, end: Thing) -> None:
        tracer, growth = self.slots.tracer, self.slots.growth
        found = self.numbers(key, begin, end)
        if growth.rooms.get((key, ())) == AMPLE:
            found = growing.settled(found)
        last = iter(cells.cells_of(end))

        def new(cell: Cell) -> Cell:
            place = key, len([p for p in self.cells if p[0] == key])
            self.cells[place] = Cell(frozenset({cell, next(last)}), born=tracer.memory.clock,
                                     group=self.cell_group)
            return self.cells[place]

        found = cells.closed(tracer, found, new)
        if isinstance(key, Cell):
            assert isinstance(found, (Items, Grown))
            tracer.memory.held[key] = found
        else:
            tracer.env[key] = found

    def numbers(self, key: Key, begin: Thing, end: Thing) -> Thing:
        """The thing with the loop's results in it."""
        slots, now = self.slots, self.slots.tracer.memory.clock
        results, ends = iter(enumerate(slots.results[key])), iter(leaves(end))

        def replace(leaf: Thing) -> Thing:
            (k, value), last = next(results), next(ends)
            if (key, k) in slots.kept:
                return leaf
            if (key, k) in slots.growth.counting:
                assert slots.steps is not None
                first = atom_of(leaf)
                assert first is not None
                return slots.growth.finish(
                    (key, k), first, growing.trips_after(slots.tracer, slots.steps, self.trips))
            if isinstance(leaf, Handle) and isinstance(last, Handle):
                base = Base(value, frozenset({leaf.base, last.base}), born=now, group=self.group)
                self.bases[key, k] = base
                return Handle(value, base)
            return thing_of(value)

        return with_leaves(begin, replace)


def all_cells(things: Mapping[Key, Thing]) -> dict[Place, Cell]:
    """The lists and dicts that are carried with names, by name and number."""
    return {(key, j): cell for key, thing in things.items()
            for j, cell in enumerate(cells.cells_of(thing))}
