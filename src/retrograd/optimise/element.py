"""One element of an array, followed through a block: what it is in every version of the array.

    A1 = update(A0, i, v)      the element i is v in A1
    A2 = update(A1, j, w)      j is another place: still v
    t = load(A2, i)            t is v
    A3 = add_at(A2, i, e)      v + e

`Follower.block` gives the block with such loads as numbers. Asked to, it leaves out the writes to
the element as well: then the element of the arrays is an old one, so nothing else may read it,
which `read` says. Arrays are known from outside the block (`known`); in inner loops only an
element that the loop does not change is followed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Constant,
    Effect,
    Join,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
    number,
    operands,
)
from retrograd.ir.rewrite import replaced, standing
from retrograd.ir.types import Scalar
from retrograd.optimise.disjoint import Elements, Place, place_of


@dataclass(eq=False, slots=True)
class Follower:
    """The element at `place`; `known` says what it is, by version of the array."""

    elements: Elements
    place: Place
    known: dict[Value, Atom]
    removes: bool = False                # writes to the element are left out
    read: bool = False                   # something may read the element elsewise
    written: bool = False
    stand: dict[Value, Atom] = field(default_factory=dict)
    versions: dict[Value, Atom] = field(default_factory=dict)     # of writes that were left out

    def block(self, block: Block) -> Block:
        out: list[Statement] = []
        for statement in block:
            (new,) = replaced((statement,), self.stand)
            match new:
                case Let():
                    self.let(new, out)
                case Loop() | While():
                    self.loop(new, out)
                case Branch():
                    self.branch(new, out)
                case Raise() | Effect():
                    self.reads(operands(new))
                    out.append(new)
        return tuple(out)

    def holds(self, atom: Atom) -> Atom | None:
        """What the element is in this version of the array, as far as known."""
        return self.known.get(atom) if isinstance(atom, Value) else None

    def end(self, atom: Atom) -> Atom:
        """An atom that was read in the old block, in the new one."""
        return standing(atom, self.stand)

    def reads(self, atoms: Iterable[Atom]) -> None:
        self.read |= any(self.holds(a) is not None for a in atoms)

    # --- statements -------------------------------------------------------------------------------

    def let(self, let: Let, out: list[Statement]) -> None:
        held = self.holds(let.args[0]) if let.args else None
        place = place_of(let)
        if held is None or let.op not in ("load", "update", "add_at", "let", "dim"):
            self.reads(let.args)
            out.append(let)
        elif let.op in ("let", "dim"):
            out.append(let)
            if let.op == "let":
                self.known[let.result] = held
        elif place is not None and self.elements.apart(place, self.place):
            out.append(let)
            if let.op != "load":
                self.known[let.result] = held
        elif place is not None and self.elements.same(place, self.place):
            self.here(let, held, out)
        else:
            self.read = True
            out.append(let)

    def here(self, let: Let, held: Atom, out: list[Statement]) -> None:
        """An access to the element itself."""
        if let.op == "load":
            self.stand[let.result] = held
            return
        new = self.written_value(let, held, out)
        if new is None:
            self.read = True
            out.append(let)
            return
        self.written = True
        self.known[let.result] = new
        if self.removes:
            array = let.args[0]
            assert isinstance(array, Value)
            self.versions[let.result] = self.versions.get(array, array)
        else:
            out.append(let)

    def written_value(self, let: Let, held: Atom, out: list[Statement]) -> Atom | None:
        """The element after a write; None where it is converted on the way."""
        value = let.args[-1]
        if not isinstance(value.type, Scalar) or value.type.dtype != let.result.type.dtype:
            return None
        if let.op == "add_at":
            if not self.removes:
                return None              # the sum would be made twice
            total = Value(let.result.name, Scalar(value.type.dtype))
            out.append(Let(total, "add", (held, value), {}, let.origin))
            return total
        return strong(value, out, let)

    def loop(self, loop: Loop | While, out: list[Statement]) -> None:
        """Slots whose array keeps the element are followed through the loop."""
        slots = [k for k, c in enumerate(loop.carried) if self.holds(c.init) is not None]
        while True:
            trial = Follower(self.elements, self.place, dict(self.known), False, False, False,
                             dict(self.stand))
            for k in slots:
                held = self.holds(loop.carried[k].init)
                assert held is not None
                trial.known[loop.carried[k].inner] = held
            new = trial.inside(loop)
            kept = [k for k in slots if trial.holds(new.carried[k].next)
                    == self.holds(loop.carried[k].init)]
            if kept == slots:
                break
            slots = kept
        self.reads(c.init for k, c in enumerate(loop.carried) if k not in slots)
        trial.reads(c.next for k, c in enumerate(new.carried) if k not in slots)
        self.read |= trial.read | trial.written
        self.stand.update(trial.stand)
        for k in slots:
            held = self.holds(loop.carried[k].init)
            assert held is not None
            self.known[loop.carried[k].result] = held
        out.append(new)

    def inside(self, loop: Loop | While) -> Loop | While:
        if isinstance(loop, While):
            test = self.block(loop.test)
            condition = self.end(loop.condition)
            body = self.block(loop.body)
            carried = tuple(replace(c, next=self.end(c.next)) for c in loop.carried)
            return replace(loop, test=test, condition=condition, body=body, carried=carried)
        body = self.block(loop.body)
        carried = tuple(replace(c, next=self.end(c.next)) for c in loop.carried)
        leave = None if loop.leave is None else self.end(loop.leave)
        return replace(loop, body=body, carried=carried, leave=leave)

    def branch(self, branch: Branch, out: list[Statement]) -> None:
        then, otherwise = self.block(branch.then), self.block(branch.otherwise)
        joins: list[Join] = []
        for j in branch.joins:
            new = replace(j, then=self.end(j.then), otherwise=self.end(j.otherwise))
            joins.append(new)
            a, b = self.holds(new.then), self.holds(new.otherwise)
            if a is not None and a == b:
                self.known[j.result] = a
            elif a is not None and b is not None:
                either = Value(j.result.name, Scalar(j.result.type.dtype))
                joins.append(Join(a, b, either))
                self.known[j.result] = either
            else:
                self.reads((new.then, new.otherwise))
        out.append(replace(branch, then=then, otherwise=otherwise, joins=tuple(joins)))


def strong(atom: Atom, out: list[Statement], let: Let) -> Atom:
    """A number as an element of an array: not a Python number, but one of NumPy's."""
    type = Scalar(atom.type.dtype)
    if atom.type == type:
        return atom
    if isinstance(atom, Constant):
        return number(atom.value, type)
    result = Value(atom.name, type)
    out.append(Let(result, "let", (atom,), {}, let.origin))
    return result
