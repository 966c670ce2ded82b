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
from retrograd.ir.operations import is_elementwise
from retrograd.ir.types import Array

_CONSUMERS = ("update", "add_at", "push")
_SAME_SHAPE = ("update", "add_at", "let", "copy")
_ENDS = ("sum", "prod", "any", "all", "update", "add_at")
END = 1 << 60


@dataclass
class Uses:
    """count     statements that read a value
    outside   values that are read by something other than a `Let` of their own block
    last      the position, in a value's own block, of the last statement that reads it
    consumed  for a statement with blocks, the arrays that are written inside it
    ends      the statement in whose loop nest all uses of a lazy array would be evaluated
    """

    count: dict[Value, int] = field(default_factory=dict)
    outside: set[Value] = field(default_factory=set)
    last: dict[Value, int] = field(default_factory=dict)
    consumed: dict[Statement, tuple[Value, ...]] = field(default_factory=dict)
    definition: dict[Value, Statement] = field(default_factory=dict)
    ends: dict[Value, Let | None] = field(default_factory=dict)

    def once(self, value: Value) -> bool:
        """Whether one operation of the same block is the only user, or several whose results all
        end in one loop nest, where the elements that they share are evaluated once."""
        if value in self.outside:
            return False
        return self.count.get(value, 0) <= 1 or self.ends.get(value) is not None


def analyse(function: Function) -> Uses:
    uses = Uses()
    walker = _Walk(uses)
    walker.function(function)
    for let in reversed(walker.elementwise):
        uses.ends[let.result] = _end(uses, let, walker.users[let.result])
    return uses


def _end(uses: Uses, let: Let, users: list[Let]) -> Let | None:
    """Where the element that `let` makes is used at last, if that is one place; it stays lazy
    then, and its users have been looked at before."""
    ends: dict[Let, None] = {}
    for user in users:
        if user.op in _ENDS and user.args[-1] is let.result:
            ends[user] = None
        elif is_elementwise(user.op) and user.result.type.dims == let.result.type.dims:
            further = uses.ends.get(user.result) if uses.once(user.result) else None
            ends[further or user] = None
        else:
            return None
    return next(iter(ends)) if len(ends) == 1 and let.result not in uses.outside else None


class _Walk:
    def __init__(self, uses: Uses) -> None:
        self.uses = uses
        self.level: dict[Value, int] = {}
        self.positions: list[int] = []
        self.elementwise: list[Let] = []
        self.users: dict[Value, list[Let]] = {}

    def function(self, function: Function) -> None:
        self.level.update(dict.fromkeys(function.params, 0))
        self.block(function.body, function.returns)

    def block(self, block: Block, ends: tuple[Atom, ...]) -> list[Value]:
        depth = len(self.positions)
        self.positions.append(0)
        consumed: list[Value] = []
        for position, statement in enumerate(block):
            self.positions[-1] = position
            if isinstance(statement, Let):
                self.note(statement)
            consumed += self.statement(statement)
            for value in defined(statement):
                self.level[value] = depth
                self.uses.definition[value] = statement
        self.positions[-1] = END
        self.read(ends, local=False)
        self.positions.pop()
        return consumed

    def note(self, let: Let) -> None:
        for value in dict.fromkeys(arrays(let.args)):
            if value in self.users:
                self.users[value].append(let)
        if isinstance(let.result.type, Array) and is_elementwise(let.op):
            self.elementwise.append(let)
            self.users[let.result] = []

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
