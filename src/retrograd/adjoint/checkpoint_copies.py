"""Copies of primal statements with values of their own: the same computation a second time.

    before:  y = exp(x)          after:  y' = exp(x')
             check_index(i, n)           z' = load(y', i')
             z = load(y, i)

A value defined outside stays what it is. Exceptions, checks and prints are left out, unless they
are asked for: the first time they have raised, or will not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from retrograd.errors import Span
from retrograd.ir.extents import Extent, Root, Term, root, substituted
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Effect,
    Join,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
    alike,
    blocks,
    bound,
    defined,
)
from retrograd.ir.rewrite import replaced, standing, with_blocks


@dataclass(slots=True)
class Copy:
    """One copy: `stand` maps the values that were copied to their copies. What is known about the
    extents of a value is known about its copy."""

    facts: Facts
    stand: dict[Value, Value] = field(default_factory=dict)
    terms: dict[Term, Extent] = field(default_factory=dict)
    effects: bool = False                # exceptions, checks and prints are copied, too

    def value(self, value: Value) -> Value:
        """The copy of a value, made when first asked for."""
        if value in self.stand:
            return self.stand[value]
        new = self.stand[value] = alike(value)
        for axis in range(value.type.rank):
            self.terms[Root(value, axis)] = root(new, axis)
        if not value.type.rank:
            self.terms[Root(value)] = root(new)
        facts = self.facts
        if value in facts.extents:
            facts.extents[new] = tuple(substituted(e, self.terms) for e in facts.extents[value])
        if value in facts.integers:
            facts.integers[new] = substituted(facts.integers[value], self.terms)
        if value in facts.bounds:
            low, high = facts.bounds[value]
            facts.bounds[new] = (substituted(low, self.terms), substituted(high, self.terms))
        return new

    def atom(self, atom: Atom) -> Atom:
        """What stands for an atom inside the copy."""
        return standing(atom, self.stand)

    def block(self, block: Block) -> Block:
        """The copy of a block."""
        self._name(block)
        return replaced(self._renamed(block), self.stand)

    def _name(self, block: Block) -> None:
        """Make the copies of all values that a block defines, outer before inner."""
        for statement in block:
            for value in bound(statement):
                self.value(value)
            for inner in blocks(statement):
                self._name(inner)
            for value in defined(statement):
                self.value(value)

    def _renamed(self, block: Block) -> Block:
        return tuple(self._statement(s) for s in block
                     if self.effects or not isinstance(s, Raise | Effect))

    def _statement(self, statement: Statement) -> Statement:
        """The statement, its values renamed where it defines them but not yet where it reads."""
        new = with_blocks(statement, self._renamed)
        match new:
            case Let(result=result):
                return replace(new, result=self.stand[result])
            case Loop(index=index, carried=carried, trips=trips):
                return replace(new, index=self.stand[index], carried=self._carried(carried),
                               trips=None if trips is None else self.stand[trips])
            case While(carried=carried, trips=trips):
                return replace(new, carried=self._carried(carried), trips=self.stand[trips])
            case Branch(joins=joins):
                copies = tuple(Join(j.then, j.otherwise, self.stand[j.result]) for j in joins)
                return replace(new, joins=copies)
            case Raise() | Effect():
                return new

    def _carried(self, carried: Sequence[Carried]) -> tuple[Carried, ...]:
        return tuple(replace(c, inner=self.stand[c.inner], result=self.stand[c.result])
                     for c in carried)


def computed_again(block: Block) -> Block:
    """The block marked as the user's own arithmetic: no line is reversed where it stands, and no
    pass changes the order of its sums."""
    return tuple(replace(with_blocks(s, computed_again), origin=_again(s.origin)) for s in block)


def _again(origin: Span | None) -> Span | None:
    return None if origin is None else replace(origin, again=True)
