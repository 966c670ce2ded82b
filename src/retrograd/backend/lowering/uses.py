"""How the values of a function are used: by how many statements, where, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
    blocks,
    bound,
    defined,
    operands,
    yields,
)
from retrograd.ir.types import Array

_CONSUMERS = ("update", "add_at", "push")
_SAME_SHAPE = ("update", "add_at", "let", "copy")
END = 1 << 60


@dataclass
class Uses:
    """count     statements that read a value
    outside   values that are read by something other than a `Let` of their own block
    last      the position, in a value's own block, of the last statement that reads it
    consumed  for a statement with blocks, the arrays that are written inside it
    """

    count: dict[Value, int] = field(default_factory=dict)
    outside: set[Value] = field(default_factory=set)
    last: dict[Value, int] = field(default_factory=dict)
    consumed: dict[Statement, tuple[Value, ...]] = field(default_factory=dict)
    definition: dict[Value, Statement] = field(default_factory=dict)

    def once(self, value: Value) -> bool:
        """Whether one operation of the same block is the only user."""
        return self.count.get(value, 0) <= 1 and value not in self.outside


def analyse(function: Function) -> Uses:
    uses = Uses()
    _Walk(uses).function(function)
    return uses


class _Walk:
    def __init__(self, uses: Uses) -> None:
        self.uses = uses
        self.level: dict[Value, int] = {}
        self.positions: list[int] = []

    def function(self, function: Function) -> None:
        self.level.update(dict.fromkeys(function.params, 0))
        self.block(function.body, function.returns)

    def block(self, block: Block, ends: tuple[Atom, ...]) -> list[Value]:
        depth = len(self.positions)
        self.positions.append(0)
        consumed: list[Value] = []
        for position, statement in enumerate(block):
            self.positions[-1] = position
            consumed += self.statement(statement)
            for value in defined(statement):
                self.level[value] = depth
                self.uses.definition[value] = statement
        self.positions[-1] = END
        self.read(ends, local=False)
        self.positions.pop()
        return consumed

    def statement(self, statement: Statement) -> list[Value]:
        self.read(operands(statement), isinstance(statement, Let))
        consumed = consumed_here(statement)
        for value in bound(statement):
            self.level[value] = len(self.positions)
        for block, ends in zip(blocks(statement), yields(statement), strict=True):
            consumed += self.block(block, ends)
            if isinstance(statement, Branch):
                consumed += arrays(ends)
        if not isinstance(statement, Let):
            self.uses.consumed[statement] = tuple(dict.fromkeys(consumed))
        return consumed

    def read(self, atoms: tuple[Atom, ...], local: bool) -> None:
        uses = self.uses
        for value in {a: None for a in atoms if isinstance(a, Value)}:
            level = self.level[value]
            uses.count[value] = uses.count.get(value, 0) + 1
            uses.last[value] = self.positions[level] if level < len(self.positions) else END
            if not local or level != len(self.positions) - 1:
                uses.outside.add(value)


def arrays(atoms: tuple[Atom, ...]) -> Iterator[Value]:
    return (a for a in atoms if isinstance(a, Value) and isinstance(a.type, Array))


def consumed_here(statement: Statement) -> list[Value]:
    """The arrays whose memory a statement itself may take over."""
    match statement:
        case Let(op=op, args=args):
            return list(arrays(args[:1])) if op in _CONSUMERS else []
        case Loop() | While():
            return list(arrays(tuple(c.init for c in statement.carried)))
        case _:
            return []


def preserved(uses: Uses, carried: Carried) -> bool:
    """Whether a carried array keeps its shape in every iteration, as its definitions show."""
    return _shape_source(uses, carried.next, carried.inner)


def _shape_source(uses: Uses, atom: Atom, goal: Value) -> bool:
    """Whether `atom` is `goal`, written in parts."""
    while isinstance(atom, Value) and atom is not goal:
        statement = uses.definition.get(atom)
        match statement:
            case Let(op=op, args=args) if op in _SAME_SHAPE:
                atom = args[0]
            case Loop() | While():
                found = next((c for c in statement.carried if c.result is atom), None)
                if found is None or not preserved(uses, found):
                    return False
                atom = found.init
            case Branch():
                join = next(j for j in statement.joins if j.result is atom)
                return (_shape_source(uses, join.then, goal)
                        and _shape_source(uses, join.otherwise, goal))
            case _:
                return False
    return atom is goal
