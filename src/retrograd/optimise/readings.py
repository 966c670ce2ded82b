"""Where every value of a block is read, and through which blocks one gets there.

    for i in range(n):
        if t:                    t: operand 0 of the branch, in the loop
            s = add(s, e)        s: operand 0, and e: operand 1 of the addition, in arm 0
"""

from __future__ import annotations

from dataclasses import dataclass, field

from retrograd.ir.nodes import Block, Statement, Value, blocks, operands, yields

Path = tuple[tuple[Statement, int], ...]      # the blocks around a place, outermost first


@dataclass(frozen=True, slots=True)
class Reading:
    """One place where a value is read: operand number `slot` of a statement, or (`end`) slot
    number `slot` at the end of a block of it."""

    statement: Statement
    slot: int
    path: Path
    end: bool = False


@dataclass(eq=False, slots=True)
class Readings:
    of: dict[Value, list[Reading]] = field(default_factory=dict)

    def note(self, atoms: tuple[object, ...], statement: Statement, path: Path,
             end: bool = False) -> None:
        for slot, atom in enumerate(atoms):
            if isinstance(atom, Value):
                self.of.setdefault(atom, []).append(Reading(statement, slot, path, end))

    def block(self, block: Block, path: Path) -> None:
        for statement in block:
            self.note(operands(statement), statement, path)
            self.inside(statement, path)

    def inside(self, statement: Statement, path: Path) -> None:
        for k, (inner, ends) in enumerate(zip(blocks(statement), yields(statement), strict=True)):
            place = (*path, (statement, k))
            self.block(inner, place)
            self.note(ends, statement, place, end=True)
