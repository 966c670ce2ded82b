"""A body of a user's rule with the values of a sweep in it.

    out_bar * y     with `out_bar` and `y` of the call     r_bar * y, y as a residual

Only what the wanted results read is asked for; extents are read without asking for the array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from retrograd.adjoint.checkpoint_copies import Copy
from retrograd.errors import Span
from retrograd.ir.build import Builder
from retrograd.ir.extents import Root
from retrograd.ir.nodes import (
    Atom,
    Block,
    Constant,
    Effect,
    Function,
    Let,
    Statement,
    Value,
    operands,
    walk,
    yields,
)
from retrograd.ir.rewrite import replaced, standing, with_blocks
from retrograd.ir.ruled import Body, Call
from retrograd.ir.types import Scalar
from retrograd.optimise.dead import remove_dead

Asked = tuple[str, int]        # ("operand" | "out" | "bar" | "dot", number)


class Instance:
    """The bodies of one call in one place. `ask` gives what stands for an operand, a result, its
    adjoint or an argument's tangent."""

    def __init__(self, call: Call, args: Sequence[Atom], builder: Builder,
                 ask: Callable[[Asked], Atom]) -> None:
        self.call, self.args, self.builder, self.ask = call, args, builder, ask
        self.names: dict[Value, Asked] = {}
        self.shapes: dict[Value, Atom] = {}
        self.stand: dict[Value, Atom] = {}
        self.copy = Copy(builder.facts, effects=True)
        self._learn("operand", call.formals, args)
        for kind, placeholders, like in (
                ("out", call.outs, args), ("bar", call.bars, args),
                ("dot", call.dots, call.given(args))):
            self._learn(kind, placeholders, like)

    def _learn(self, kind: str, placeholders: Sequence[Atom | None], like: Sequence[Atom]) -> None:
        facts = self.builder.facts
        for k, value in enumerate(placeholders):
            if not isinstance(value, Value) or value in self.names:
                continue
            self.names[value], self.shapes[value] = (kind, k), like[k]
            for axis, extent in enumerate(facts.of(like[k])):
                if value is not like[k]:
                    self.copy.terms[Root(value, axis)] = extent
            if value.type.dtype == "int64" and not value.type.rank and value is not like[k]:
                self.copy.terms[Root(value)] = facts.integer(like[k])

    def results(self, body: Body, wanted: Sequence[int]) -> dict[int, Atom]:
        """Append a body for these of its results; what is None has none."""
        kept = {k: atom for k in wanted if (atom := body.results[k]) is not None}
        block = remove_dead(Function(self.call.name, (), body.block, tuple(kept.values()))).body
        block = self.without_extents(block)
        for value in _read(block, tuple(kept.values())):
            if value in self.names and value not in self.stand:
                self.stand[value] = self.asked(value)
        for statement in _placed(block, self.builder.origin):
            self.append(statement)
        return {k: standing(atom, self.stand) for k, atom in kept.items()}

    def asked(self, value: Value) -> Atom:
        atom = self.ask(self.names[value])
        if isinstance(atom, Constant) and isinstance(value.type, Scalar):
            return Constant(atom.value, value.type)
        return atom

    def without_extents(self, block: Block) -> Block:
        """The block without reading the extents of what is there; they are read before it."""
        kept: list[Statement] = []
        for statement in block:
            if isinstance(statement, Let) and statement.op == "dim" \
                    and statement.args[0] in self.shapes:
                of = self.shapes[statement.args[0]]  # type: ignore[index]
                extent = self.builder.facts.of(of)[statement.static["axis"]]
                self.learn(statement.result, self.builder.atom_of(extent))
            else:
                kept.append(with_blocks(statement, self.without_extents))
        return tuple(kept)

    def learn(self, old: Value, new: Atom) -> None:
        """From here on `new` stands for a value of the body."""
        facts = self.builder.facts
        self.stand[old] = new
        for axis, extent in enumerate(facts.of(new)):
            self.copy.terms[Root(old, axis)] = extent
        if new.type.dtype == "int64" and not new.type.rank:
            self.copy.terms[Root(old)] = facts.integer(new)

    def append(self, statement: Statement) -> None:
        if not isinstance(statement, Let):
            for copied in replaced(self.copy.block((statement,)), self.stand):
                self.builder.append(copied)
            self.stand.update(self.copy.stand)
            return
        args = [standing(a, self.stand) for a in statement.args]
        type = statement.result.type
        weak = type.weak if isinstance(type, Scalar) else None
        static: dict[str, Any] = dict(statement.static)
        self.learn(statement.result, self.builder.let(
            statement.op, *args, name=statement.result.name, weak=weak, **static))


def _read(block: Block, ends: Sequence[Atom]) -> list[Value]:
    """The values that a block and the atoms at its end read."""
    atoms = [a for s in walk(block)
             for a in (*operands(s), *(end for inner in yields(s) for end in inner))]
    return [a for a in dict.fromkeys((*atoms, *ends)) if isinstance(a, Value)]


def _placed(block: Block, origin: Span | None) -> Block:
    """The block at the place of the call, which is quoted once; a check covers nothing outside
    the block."""
    inside = None if origin is None else replace(origin, again=True)

    def placed(statement: Statement) -> Statement:
        new = with_blocks(statement, lambda inner: _placed(inner, inside))
        if isinstance(new, Effect) and "covers" in new.static:
            new = replace(new, static={k: v for k, v in new.static.items() if k != "covers"})
        return replace(new, origin=origin)

    return tuple(map(placed, block))
