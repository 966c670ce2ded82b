"""Along which values a buffer goes while it is written to, up to the end of a block.

    t = empty(n)
    for j in range(n): t_1 carries t, and hands on update(t_1, j, e)
    t_2, the result of the loop
    if c: t_3 = update(t_2, 0, e)
    t_4, the join of t_3 and t_2              the last holder of t's buffer is t_4

There is one only where every version goes to one place; reading a version is free.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from retrograd.ir.nodes import Branch, Let, Loop, Value, While, blocks
from retrograd.optimise.readings import Path, Reading, Readings
from retrograd.optimise.storage_sharing import TAKES_OVER


@dataclass(frozen=True, slots=True)
class Lineage:
    """`rotating` are results of loops that hold one of several buffers of the same shape."""

    readings: Readings
    rotating: Collection[Value]

    def last(self, value: Value, path: Path) -> Value | None:
        """The last holder in the block at `path`; None where there is no single one."""
        following: Value | None = value
        while following is not None:
            value = following
            takers = [r for r in self.readings.of.get(value, ()) if _takes(r, path)]
            if not takers:
                return value
            following = self.following(value, takers, path)
        return None

    def following(self, value: Value, takers: list[Reading], path: Path) -> Value | None:
        here = [r for r in takers if len(r.path) == len(path)]
        if not here:
            return self.through_branch(value, takers, path)
        if len(takers) > 1:
            return None
        match here[0].statement:
            case Let(op=op, result=result):
                return None if op == "push" else result
            case Loop() as loop:
                return self.through_loop(loop, here[0].slot - 3, path)
            case While() as loop:
                return self.through_loop(loop, here[0].slot, path)
            case _:
                return None

    def through_loop(self, loop: Loop | While, slot: int, path: Path) -> Value | None:
        c = loop.carried[slot]
        if c.result in self.rotating:
            return c.result
        body = (*path, (loop, len(blocks(loop)) - 1))
        return c.result if self.last(c.inner, body) is c.next else None

    def through_branch(self, value: Value, takers: list[Reading], path: Path) -> Value | None:
        places = {r.path[len(path)][0] for r in takers}
        branch = places.pop()
        if places or not isinstance(branch, Branch):
            return None
        then, otherwise = (self.last(value, (*path, (branch, k))) for k in (0, 1))
        joins = [j.result for j in branch.joins
                 if then is not None and j.then is then and j.otherwise is otherwise]
        return joins[0] if len(joins) == 1 else None


def _takes(reading: Reading, path: Path) -> bool:
    """Whether the buffer goes on from here; what the block at `path` hands on does not count."""
    if reading.path[:len(path)] != path:
        return False
    if reading.end:
        return len(reading.path) > len(path)
    match reading.statement:
        case Let(op=op):
            return reading.slot == 0 and (op in TAKES_OVER or op == "let")
        case Loop() as loop:
            return 3 <= reading.slot < 3 + len(loop.carried)
        case While():
            return True
        case _:
            return False
