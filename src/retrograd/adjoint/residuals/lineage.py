"""Whether an array certainly holds what became of another one, whatever path is taken.

    for t in range(n):
        u1 = update(u0, t, v)
        u2 = branch(c, zeros(), u1)         u2 may hold another array: what u1 held is lost
        next u0 = u2

From the last value the ways back are followed: through stores to what was stored into, through
joins to both arms, through the result of a loop to what went in and to what an iteration left. All
of them must come to the version. Inside a loop it must be that of the iteration that is asked
about: from there on every iteration has to hand on what it got.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from retrograd.adjoint.scopes import Places
from retrograd.ir.nodes import Atom, Branch, Carried, Function, Join, Let, Loop, Value, While, walk

STORES = ("update", "add_at")
Origin = tuple[Let, None] | tuple[Loop | While, Carried] | tuple[Branch, Join]


@dataclass(slots=True)
class Lineage:
    """Where the arrays of a function come from; only what keeps a content has an entry."""

    places: Places
    origins: dict[Value, Origin] = field(default_factory=dict)

    def holds(self, value: Atom, version: Value) -> bool:
        """Whether `value` holds the content of `version`, with all that was stored into it since.
        """
        return self._leads(value, version, set())

    def _leads(self, value: Atom, goal: Value, seen: set[Value]) -> bool:
        if value is goal or value in seen:
            return True                     # around a loop: what leads there decides
        if not isinstance(value, Value) or value not in self.origins:
            return False
        match self.origins[value]:
            case Let() as let, None:
                return self._leads(let.args[0], goal, seen)
            case Branch() as branch, Join() as join:
                return self._through_branch(branch, join, goal, seen)
            case (Loop() | While()) as loop, Carried() as slot:
                return self._through_loop(value, loop, slot, goal, seen)
        raise AssertionError(value)

    def _through_branch(self, branch: Branch, join: Join, goal: Value, seen: set[Value]) -> bool:
        arms = ((0, join.then), (1, join.otherwise))
        taken = [end for k, end in arms
                 if self.places.inside(goal, self.places.of_block[branch, k])]
        return all(self._leads(end, goal, seen) for end in taken or (join.then, join.otherwise))

    def _through_loop(self, value: Value, loop: Loop | While, slot: Carried, goal: Value,
                      seen: set[Value]) -> bool:
        body = self.places.of_block[loop, 1 if isinstance(loop, While) else 0]
        if self.places.inside(goal, body):
            if value is slot.inner:
                return False                # what an earlier iteration left
            return self._leads(slot.next, goal, seen) and self._leads(
                slot.next, slot.inner, set())
        seen.add(slot.inner)
        return self._leads(slot.init, goal, seen) and self._leads(slot.next, goal, seen)


def lineage(function: Function, places: Places) -> Lineage:
    """Note for every array that has the content of another one where it is from."""
    result = Lineage(places)
    for statement in walk(function.body):
        match statement:
            case Let(op=op, result=value):
                if value.type.rank and (op in STORES or op == "let"):
                    result.origins[value] = statement, None
            case Loop() | While():
                for c in statement.carried:
                    result.origins[c.inner] = result.origins[c.result] = statement, c
            case Branch():
                result.origins.update((j.result, (statement, j)) for j in statement.joins)
            case _:
                pass
    return result
