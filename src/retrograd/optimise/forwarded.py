"""What has just been stored or loaded is not loaded again.

    before:                              after:
        for i in range(n):                   for i in range(n):
            x = update(x, i, e)                  x = update(x, i, e)
            x = add_at(x, i + 1, d)              x = add_at(x, i + 1, d)
            y = load(x, i)                       z = add(z, e)
            z = add(z, y)

A write to the array in between must be to an element that is certainly another one. Exact. Only in
compiled source: a reader expects to see the user's loads.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from retrograd.ir.nodes import Atom, Block, Branch, Function, Let, Statement, Value, blocks
from retrograd.ir.rewrite import replaced, standing, with_blocks
from retrograd.ir.types import Scalar
from retrograd.optimise.disjoint import Elements, Place, elements, place_of
from retrograd.optimise.element import strong

_MOST = 8                                     # elements remembered of one array
Entries = tuple[tuple[Place, Atom], ...]      # elements of an array that are known, latest first


def forward_stores(function: Function) -> Function:
    """The function without loads of elements that are known."""
    forwarder = _Forwarder(elements(function))
    body = forwarder.block(function.body)
    return replace(function, body=body,
                   returns=tuple(standing(a, forwarder.stand) for a in function.returns))


@dataclass(eq=False, slots=True)
class _Forwarder:
    elements: Elements
    entries: dict[Value, Entries] = field(default_factory=dict)
    stand: dict[Value, Atom] = field(default_factory=dict)
    changes: list[tuple[Value, Entries]] = field(default_factory=list)

    def block(self, block: Block) -> Block:
        """What is learnt in a block is forgotten at its end: its values are not visible then."""
        mark = len(self.changes)
        new = self.statements(block)
        self.forget(mark)
        return new

    def statements(self, block: Block) -> Block:
        out: list[Statement] = []
        for statement in block:
            if isinstance(statement, Let):
                self.let(statement, out)
            elif isinstance(statement, Branch):
                out.append(self.branch(statement))
            else:
                out.append(self.ended(with_blocks(statement, self.block)))
        return tuple(out)

    def forget(self, mark: int) -> None:
        while len(self.changes) > mark:
            array, before = self.changes.pop()
            self.entries[array] = before

    def ended(self, statement: Statement) -> Statement:
        """The statement, whose blocks are done, with its own atoms as they are now."""
        done = iter(blocks(statement))
        (new,) = replaced((with_blocks(statement, lambda _: ()),), self.stand)
        return with_blocks(new, lambda _: next(done))

    def of(self, atom: Atom) -> Entries:
        return self.entries.get(atom, ()) if isinstance(atom, Value) else ()

    def learn(self, array: Value, entries: Entries) -> None:
        self.changes.append((array, self.of(array)))
        self.entries[array] = entries[:_MOST]

    def let(self, let: Let, out: list[Statement]) -> None:
        let = replace(let, args=tuple(standing(a, self.stand) for a in let.args))
        place = place_of(let)
        if let.op == "load" and place is not None:
            found = self.found(let.args[0], place)
            if found is not None:
                self.stand[let.result] = strong(found, out, let)
                return
            assert isinstance(let.args[0], Value)
            self.learn(let.args[0], ((place, let.result), *self.of(let.args[0])))
        elif place is not None:
            self.write(let, place)
        elif let.op in ("let", "copy") and let.result.type.rank:
            self.learn(let.result, self.of(let.args[0]))
        out.append(let)

    def found(self, array: Atom, place: Place) -> Atom | None:
        return next((value for known, value in self.of(array)
                     if self.elements.same(known, place)), None)

    def write(self, let: Let, place: Place) -> None:
        value = let.args[-1]
        kept = tuple(e for e in self.of(let.args[0]) if self.elements.apart(e[0], place))
        if let.op == "update" and isinstance(value.type, Scalar) \
                and value.type.dtype == let.result.type.dtype:
            kept = ((place, value), *kept)
        if kept:
            self.learn(let.result, kept)

    def branch(self, branch: Branch) -> Branch:
        """What both arms leave as it was is known afterwards."""
        mark = len(self.changes)
        ends: list[list[Entries]] = []
        arms: list[Block] = []
        for k, block in enumerate(blocks(branch)):
            arms.append(self.statements(block))
            ends.append([self.of(standing((j.then, j.otherwise)[k], self.stand))
                         for j in branch.joins])
            self.forget(mark)
        for j, first, second in zip(branch.joins, *ends, strict=True):
            both = tuple(e for e in first if e in second)
            if both:
                self.learn(j.result, both)
        new = self.ended(replace(branch, then=arms[0], otherwise=arms[1]))
        assert isinstance(new, Branch)
        return new
