"""What arrays and lists hold at a point of the trace: the last content of every base that was
written, the content of every cell (`things.Cell`).

A name is bound to a base and a path of views (`things.Handle`). A store makes a new content of the
base; a name that looks into it finds its part of the new content when it is read next. So every
name sees every write, and nothing has to be rebound.

Two bases that may be one piece of memory (a branch or a loop decides it) have contents of their
own. Once one of them is written, what the other one holds is not known: reading it is refused.
The same holds for cells.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from retrograd.frontend.things import Base, Cell, Grown, Handle, Items
from retrograd.ir.build import Builder
from retrograd.ir.nodes import Value


@dataclass(slots=True)
class Memory:
    """`contents` and the times of the last writes (`written`) of bases; `seen` are parts of the
    present contents that have been looked at. `held` and `changed` are the same for cells. The
    content of `lent` bases is also an element of a list that has grown: they stay as they are."""

    contents: dict[Base, Value] = field(default_factory=dict)
    written: dict[Base, int] = field(default_factory=dict)
    clock: int = 0
    seen: dict[tuple[Value, Handle], Value] = field(default_factory=dict)
    held: dict[Cell, Items | Grown] = field(default_factory=dict)
    changed: dict[Cell, int] = field(default_factory=dict)
    lent: dict[Base, None] = field(default_factory=dict)

    def inner(self) -> Memory:
        """The memory for a block inside this one."""
        return Memory(dict(self.contents), dict(self.written), self.clock, dict(self.seen),
                      dict(self.held), dict(self.changed), dict(self.lent))

    def conflict(self, base: Base) -> Base | None:
        """A base that may be the same memory and was written since this one's content was found."""
        for other, time in self.written.items():
            if other is not base and time > base.born and other.overlaps(base):
                return other
        return None

    def content(self, base: Base) -> Value:
        """What a base holds now."""
        return self.contents.get(base, base.first)

    def current(self, handle: Handle, builder: Builder) -> Value:
        """What a handle sees now; appends the views where the base was written since."""
        content = self.contents.get(handle.base)
        if content is handle.version:
            return handle.value
        assert content is not None
        if not handle.path:
            return content
        found = self.seen.get((content, handle))
        if found is None:
            found = content
            for view in handle.path:
                new = builder.let(view.op, found, *view.atoms, name=handle.value.name,
                                  **view.static)
                assert isinstance(new, Value)
                builder.facts.extents[new] = builder.facts.of(new)
                found = new
            builder.facts.extents[found] = builder.facts.of(handle.value)
            self.seen[content, handle] = found
        return found

    def write(self, base: Base, content: Value) -> None:
        """From here on the base holds `content`."""
        self.contents[base] = content
        self.clock += 1
        self.written[base] = self.clock

    def since(self, clock: int) -> list[Base]:
        """The bases that were written after a time, in order of their first writes."""
        return [base for base, time in self.written.items() if time > clock]

    def adopt_times(self, other: Memory) -> None:
        """Learn when bases and cells were written in a block inside this one."""
        self.clock = max(self.clock, other.clock)
        for base, time in other.written.items():
            self.written[base] = max(time, self.written.get(base, 0))
        for cell, time in other.changed.items():
            self.changed[cell] = max(time, self.changed.get(cell, 0))
        self.lent.update(other.lent)

    # --- lists and dicts -----------------------------------------------------------------------

    def make(self, content: Items | Grown, cell: Cell | None = None) -> Cell:
        """A cell that holds this."""
        cell = Cell(born=self.clock) if cell is None else cell
        self.held[cell] = content
        return cell

    def doubtful(self, cell: Cell) -> bool:
        """Whether a cell that may be this one was changed since this one's content was found."""
        return any(other is not cell and time > cell.born and other.overlaps(cell)
                   for other, time in self.changed.items())

    def change(self, cell: Cell, content: Items | Grown) -> None:
        """From here on the cell holds this."""
        self.held[cell] = content
        self.clock += 1
        self.changed[cell] = self.clock
