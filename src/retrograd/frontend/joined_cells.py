"""Lists and dicts at the end of a branch: which ones they are, and what they hold.

A list that both arms know stays what it is, and its contents are joined: element by element, or,
where the arms leave it with different lengths, as a list whose length only the program knows. A
name that stands for one list in one arm and for another in the other stands for a new one, which
may be either: after one of them is changed the others must not be read (`memory.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from retrograd import containers
from retrograd.frontend import cells, growing
from retrograd.frontend.things import (
    Cell,
    Grown,
    Items,
    Maybe,
    Thing,
    leaves,
    same_structure,
    with_leaves,
)
from retrograd.frontend.tracer import Tracer, constant_of
from retrograd.ir.nodes import Constant, Value, bound, defined, walk

Ends = tuple[Thing | None, Thing | None]


@dataclass
class CellJoins:
    """The lists and dicts of one branch. `thing` joins what is inside, `differ` refuses. An end is
    None where an arm always raises."""

    tracer: Tracer
    arms: tuple[Tracer, Tracer]
    thing: Callable[[Thing | None, Thing | None, str], Thing]
    differ: Callable[[Thing, Thing, str], NoReturn]
    made: dict[tuple[Cell | None, Cell | None], Cell] = field(default_factory=dict)
    group: set[frozenset[Cell]] = field(default_factory=set)
    before: dict[Cell, Items | Grown] = field(init=False)

    def __post_init__(self) -> None:
        self.before = dict(self.tracer.memory.held)

    def join(self, a: Thing | None, b: Thing | None, name: str) -> Thing:
        """Things in which there are lists or dicts."""
        found = [x for x in (a, b) if x is not None]
        if any(isinstance(x, Maybe) for x in found):
            return self._maybe((a, b), name)
        if all(isinstance(x, Items) and not containers.is_changeable(x.kind) for x in found):
            return self._items((a, b), name)
        if all(isinstance(x, Cell) or (isinstance(x, Items) and containers.is_changeable(x.kind))
               for x in found):
            return self._cell((a, b), name)
        self.differ(found[0], found[-1], name)

    def held(self, reached: tuple[bool, bool]) -> dict[Cell, Items | Grown]:
        """What the cells from before the branch hold after it, where an arm has changed it."""
        result: dict[Cell, Items | Grown] = {}
        for cell, before in self.before.items():
            ends = [arm.memory.held[cell] if there else None
                    for arm, there in zip(self.arms, reached, strict=True)]
            if any(end is not None and end is not before for end in ends):
                name = cells.name_of(self.tracer, cell)
                result[cell] = self._content((ends[0], ends[1]), name)
        return result

    # --- one thing -----------------------------------------------------------------------------

    def _maybe(self, ends: Ends, name: str) -> Thing:
        """Names that are bound only sometimes."""
        inner: list[Thing | None] = []
        flags: list[Thing | None] = []
        for end in ends:
            is_maybe = isinstance(end, Maybe)
            inner.append(end.thing if isinstance(end, Maybe) else end)
            flags.append(None if end is None else end.defined if is_maybe  # type: ignore[union-attr]
                         else constant_of(True))
        bound_here = self.thing(flags[0], flags[1], f"{name}_is_bound")
        assert isinstance(bound_here, (Value, Constant))
        return Maybe(self.thing(inner[0], inner[1], name), bound_here)

    def _items(self, ends: Ends, name: str) -> Items:
        """Containers of the same structure, element by element."""
        found = [x for x in ends if isinstance(x, Items)]
        one = found[0]
        if any((x.kind, x.keys, len(x.items)) != (one.kind, one.keys, len(one.items))
               for x in found):
            self.differ(found[0], found[-1], name)
        columns = [x.items if isinstance(x, Items) else (None,) * len(one.items) for x in ends]
        return Items(one.kind, tuple(self.thing(x, y, name)
                                     for x, y in zip(*columns, strict=True)), one.keys)

    def _cell(self, ends: Ends, name: str) -> Cell:
        some = tuple(x if isinstance(x, Cell) else None for x in ends)
        key = (some[0], some[1])
        if key in self.made:
            return self.made[key]
        contents = [cells.content(arm, x) if isinstance(x, Cell) else x
                    for x, arm in zip(ends, self.arms, strict=True)]
        only = [x for x in ends if x is not None]
        if len(only) == 1 and isinstance(only[0], Cell):
            cell = only[0]
            if cell in self.before:
                return cell
        else:
            cell = self._new(key)
        self.made[key] = cell
        return self.tracer.memory.make(self._content((contents[0], contents[1]), name), cell)

    def _new(self, ends: tuple[Cell | None, Cell | None]) -> Cell:
        """A list or dict that is the one or the other."""
        some = frozenset(c for c in ends if c is not None)
        cell = Cell(some, born=self.tracer.memory.clock, group=self.group,
                    frozen=len(some) < 2 or any(c.frozen for c in some))
        for others, other in self.made.items():
            if any(x is not None and y is not None and x.overlaps(y)
                   for x, y in zip(ends, others, strict=True)):
                self.group.add(frozenset((cell, other)))
        return cell

    # --- contents ------------------------------------------------------------------------------

    def _content(self, ends: Ends, name: str) -> Items | Grown:
        found = [x for x in ends if x is not None]
        a, b = found[0], found[-1]
        if all(isinstance(x, Items) for x in found) and (
                len(found) == 1 or not growing.lists_differ(a, b)):
            return self._items(ends, name)
        if not (isinstance(a, Grown) and isinstance(b, Grown) and same_structure(a, b)):
            a, b = self._grown(a, b, name)
        if len(found) == 2:
            a, b = growing.same_room(a, b)
            ends = (a, b)
        one = ends[0] if ends[1] is None else ends[1]
        assert isinstance(one, Grown)
        columns = [[None] * (len(one.buffers) + 1) if x is None else leaves(x) for x in ends]
        parts = iter([self.thing(x, y, growing.leaf_name(name, one, k))
                      for k, (x, y) in enumerate(zip(*columns, strict=True))])
        result = with_leaves(one, lambda _: next(parts))
        assert isinstance(result, Grown)
        return result

    def _grown(self, a: Thing, b: Thing, name: str) -> tuple[Grown, Grown]:
        """Lists of different lengths as lists whose length only the program knows."""
        row = growing.joined_row(self.arms, a, b)
        if row is None:
            self.differ(a, b, name)
        made = {v for arm in self.arms for s in walk(arm.builder.block)
                for v in (*defined(s), *bound(s))}
        growing.check_shapes(self.tracer, row, made)
        assert isinstance(a, (Items, Grown)) and isinstance(b, (Items, Grown))
        return (growing.common(self.arms[0], a, row, name),
                growing.common(self.arms[1], b, row, name))
