"""Arrays of which every iteration of a loop touches elements of its own.

    x = update(x, i, multiply(load(x, i), 2.0))                 its own: x[i]
    A = update(A, i, k, load(A, i, j))                          its own: row i
    x = update(x, i, load(x, i + 1))                            not: x[i + 1] is another one's

All accesses to the array are at the same place along one axis, and that place counts from the
front and moves with the loop's index.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from retrograd.ir.extents import Extent, Root, mentions
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Effect,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
    blocks,
    bound,
    defined,
    operands,
    walk,
    yields,
)
from retrograd.optimise.disjoint import Elements, Place, place_of


def own_elements(loop: Loop, slot: int, known: Elements) -> bool:
    """Whether iterations touch no element in common of the array in a slot of the loop."""
    carried = loop.carried[slot]
    content = _Content({carried.inner})
    content.block(loop.body)
    ends = [a for end in yields(loop) for a in end]
    others = [a for k, a in enumerate(ends) if k != slot]
    if not content.sound or carried.next not in content.versions \
            or content.holds(*others) or not content.places:
        return False
    inside = {v for s in walk(loop.body) for v in (*bound(s), *defined(s))}
    inside |= {c.inner for c in loop.carried}
    return any(_moves([p[axis] for p in content.places], loop.index, inside, known)
               for axis in range(len(content.places[0])))


def written_in_place(loop: Loop) -> bool:
    """Whether each carried array stays in its buffer: an iteration makes no copy of it, in which
    another one would miss its own elements."""
    for c in loop.carried:
        content = _Content({c.inner})
        content.block(loop.body)
        if not content.sound or c.next not in content.versions:
            return False
    return True


def _moves(places: list[Atom], index: Value, inside: set[Value], known: Elements) -> bool:
    """Whether these are one place along an axis, and in each iteration another."""
    first = known.front(places[0])
    if first is None or any(known.facts.integer(p) != first for p in places[1:]):
        return False
    factors = [factor for term, factor in first.terms if term == Root(index)]
    rest = first - Extent(0, tuple((Root(index), f) for f in factors))
    return bool(factors) and not mentions(rest, {*inside, index})


@dataclass(eq=False, slots=True)
class _Content:
    """The versions of an array in a block, and the places that are accessed; `sound` while
    nothing else is done with them."""

    versions: set[Value]
    places: list[Place] = field(default_factory=list)
    sound: bool = True

    def holds(self, *atoms: Atom) -> bool:
        return not self.versions.isdisjoint(atoms)

    def block(self, block: Block) -> None:
        for statement in block:
            if not self.sound:
                return
            self.statement(statement)

    def statement(self, statement: Statement) -> None:
        match statement:
            case Let():
                self.let(statement)
            case Loop() | While():
                self.loop(statement)
            case Branch():
                for block in blocks(statement):
                    self.block(block)
                for j in statement.joins:
                    self.sound &= self.holds(j.then) == self.holds(j.otherwise)
                    if self.holds(j.then):
                        self.versions.add(j.result)
            case Raise() | Effect():
                self.sound &= not self.holds(*operands(statement))

    def let(self, let: Let) -> None:
        if not let.args or not self.holds(*let.args):
            return
        place = place_of(let)
        if place is not None:
            self.places.append(place)
        elif let.op not in ("let", "dim"):
            self.sound = False
        self.sound &= not self.holds(*let.args[1:])
        if let.op in ("update", "add_at", "let"):
            self.versions.add(let.result)

    def loop(self, loop: Loop | While) -> None:
        through = [c for c in loop.carried if self.holds(c.init)]
        self.versions.update(c.inner for c in through)
        for block in blocks(loop):
            self.block(block)
        self.sound &= all(self.holds(c.next) == (c in through) for c in loop.carried)
        self.versions.update(c.result for c in through)
