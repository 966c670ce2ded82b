"""Which carried values of a loop are only added to, so that the order of its iterations is free.

    s = add(s, e)                                    yes
    A = add_at(A, i, e);  B = add_at(A, j, f)        yes: add_at in any number
    s = add(s, mul(s, e)),  A = update(A, i, e)      no

Additions may lie in branches and inner loops.
"""

from __future__ import annotations

from retrograd.ir.nodes import Branch, Let, Loop, Statement, Value, While
from retrograd.optimise.readings import Reading, Readings

End = tuple[Statement, int]                   # a slot, at the end of a statement's block


def accumulating(loop: Loop) -> tuple[bool, ...]:
    """For each carried value of the loop, whether it is only added to."""
    readings = Readings()
    readings.inside(loop, ())
    return tuple(_reaches(c.inner, readings, 1) == (loop, k) for k, c in enumerate(loop.carried))


def _reaches(value: Value, readings: Readings, depth: int,
             here: list[Reading] | None = None) -> End | None:
    """The slot into which a value flows at the end of the block at this depth, if additions are
    all that happens to it on the way. `here`: where it is read, if not everywhere."""
    while True:
        found = readings.of.get(value, []) if here is None else here
        here = None
        following: Value | End | None
        if len(found) == 1 and len(found[0].path) == depth:
            following = _onwards(found[0], readings, depth)
        else:
            following = _through_branch(found, value, readings, depth)
        if following is None or isinstance(following, tuple):
            return following
        value = following


def _onwards(reading: Reading, readings: Readings, depth: int) -> Value | End | None:
    statement = reading.statement
    if reading.end:
        return statement, reading.slot
    if isinstance(statement, Let):
        first = reading.slot == 0
        adds = statement.op == "add" or (first and statement.op in ("subtract", "add_at"))
        return statement.result if adds else None
    if isinstance(statement, Loop) and reading.slot >= 3:       # after start, stop and step
        slot = reading.slot - 3
        c = statement.carried[slot]
        return c.result if _reaches(c.inner, readings, depth + 1) == (statement, slot) else None
    if isinstance(statement, While):
        c = statement.carried[reading.slot]
        return c.result if _reaches(c.inner, readings, depth + 1) == (statement, reading.slot) \
            else None
    return None


def _through_branch(found: list[Reading], value: Value, readings: Readings,
                    depth: int) -> Value | None:
    """A value that both arms of one branch read once each."""
    if len(found) != 2 or any(len(r.path) <= depth for r in found):
        return None
    (branch, first), (other, second) = found[0].path[depth], found[1].path[depth]
    if branch is not other or not isinstance(branch, Branch) or {first, second} != {0, 1}:
        return None
    slots = set()
    for reading in found:
        end = _reaches(value, readings, depth + 1, [reading])
        if end is None or end[0] is not branch:
            return None
        slots.add(end[1])
    return branch.joins[slots.pop()].result if len(slots) == 1 else None
