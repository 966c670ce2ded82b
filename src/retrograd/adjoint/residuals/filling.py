"""The forward sweep, rewritten so that it fills the tapes.

    before:                              after, with x on a tape of n rows:
        for i in range(n):                   x_saved = empty(n)
            x = multiply(x, x)               for i in range(n):
                                                 x_saved = update(x_saved, i, x)
                                                 x = multiply(x, x)

A value is stored right after it is defined. Every loop around it carries the tape (and the number
of rows, where they are pushed), every branch joins it.
"""

from __future__ import annotations

from dataclasses import replace

from retrograd.adjoint.residuals.tapes import FIRST_ROWS, Pointer, Tape, Tapes, iteration_number
from retrograd.adjoint.scopes import Scope
from retrograd.frontend.branches import default
from retrograd.ir.build import Builder
from retrograd.ir.index import FULL
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Function,
    Join,
    Let,
    Loop,
    Statement,
    Value,
    While,
    blocks,
    bound,
    defined,
    integer,
)
from retrograd.ir.operations_arrays import size
from retrograd.ir.rewrite import without_marks
from retrograd.ir.types import Array

Current = dict[Tape | Pointer, Atom]


def with_tapes(function: Function, tapes: Tapes) -> Block:
    """The statements of the function, storing what the reverse sweep will read."""
    if not tapes.tapes and not tapes.instead and not tapes.old:
        return without_marks(function.body)
    builder = Builder(tapes.facts, checks=False)
    _Writer(tapes).block(function.body, tapes.places.top, builder, {})
    return without_marks(builder.block)


class _Writer:
    def __init__(self, tapes: Tapes) -> None:
        self.tapes = tapes
        self.by_scope: dict[Scope, list[Tape]] = {}
        self.below: dict[Scope, list[Tape]] = {}
        self.order = {tape: k for k, tape in enumerate(tapes.tapes.values())}
        for tape in tapes.tapes.values():
            self.by_scope.setdefault(tape.scope, []).append(tape)
            for scope in tape.scope.chain():
                self.below.setdefault(scope, []).append(tape)

    def block(self, block: Block, scope: Scope, builder: Builder, current: Current) -> None:
        """Copy a block, storing each taped value right after it is defined."""
        waiting = {t.value: t for t in self.by_scope.get(scope, ()) if t.in_loop}
        pointer = self.tapes.pointers.get(scope)
        if scope.statement is not None:
            self.store(bound(scope.statement), waiting, builder, current)
        for statement in block:
            with builder.at(statement.origin):
                self.store_overwritten(statement, waiting, builder, current)
                self.statement(statement, scope, builder, current)
                self.store(defined(statement), waiting, builder, current)
        if pointer is not None:
            current[pointer] = builder.let("add", current[pointer], integer(1), name="n")

    def store(self, values: tuple[Value, ...], waiting: dict[Value, Tape], builder: Builder,
              current: Current) -> None:
        for value in values:
            tape = waiting.get(value)
            if tape is None:
                continue
            old = current[tape]
            if tape.ragged:
                new = self.push_elements(tape, value, old, waiting, builder, current)
            elif tape.rows is None:
                pointer = current[self.tapes.pointers[tape.scope]]
                new = builder.let("push", old, pointer, value, name=tape.name)
            else:
                numbers = tape.places(builder, [self.iteration(s, builder)
                                                for s in tape.scope.loops()])
                index = ("int",) * len(numbers) + (FULL,) * value.type.rank
                new = builder.let("update", old, *numbers, value, name=tape.name, index=index)
            current[tape] = new

    def store_overwritten(self, statement: Statement, waiting: dict[Value, Tape],
                          builder: Builder, current: Current) -> None:
        """What a write to an array that is restored is going to overwrite."""
        old = self.tapes.old.get(statement)
        if old is not None and (old in self.tapes.tapes
                                or self.tapes.places.scope[old] is self.tapes.places.top):
            assert isinstance(statement, Let)
            op = "view" if old.type.rank else "load"
            builder.append(Let(old, op, statement.args[:-1], {"index": statement.static["index"]},
                               statement.origin))
            self.store((old,), waiting, builder, current)

    def push_elements(self, tape: Tape, value: Value, old: Atom, waiting: dict[Value, Tape],
                      builder: Builder, current: Current) -> Atom:
        """The elements of an array at the end of a ragged tape, and its shape on other tapes."""
        pointer = self.tapes.places_in[value]
        extents = self.tapes.facts.of(value)
        for axis, length in enumerate(tape.lengths):
            if length is not None:
                builder.append(Let(length, "dim", (value,), {"axis": axis}, builder.origin))
                self.store((length,), waiting, builder, current)
        count = builder.atom_of(size(extents))
        flat = builder.let("reshape", value, count) if value.type.rank > 1 else value
        new = builder.let("push", old, current[pointer], flat, name=tape.name)
        current[pointer] = builder.let("add", current[pointer], count, name="n")
        return new

    def iteration(self, scope: Scope, builder: Builder) -> Atom:
        loop = scope.statement
        assert isinstance(loop, Loop)
        return iteration_number(builder, loop.index, loop.start, loop.step)

    def statement(self, statement: Statement, scope: Scope, builder: Builder,
                  current: Current) -> None:
        if statement in self.tapes.instead:
            for other in self.tapes.instead[statement]:
                builder.append(other)
        elif isinstance(statement, Branch):
            self.branch(statement, builder, current)
        elif isinstance(statement, (Loop, While)):
            self.loop(statement, scope, builder, current)
        else:
            builder.append(statement)

    def inside(self, statement: Statement) -> tuple[list[Tape], list[Pointer]]:
        """The tapes and pointers that belong to blocks inside a statement."""
        scopes = {self.tapes.places.of_block[statement, k]
                  for k in range(len(blocks(statement)))}
        found = sorted((t for scope in scopes for t in self.below.get(scope, ())),
                       key=self.order.__getitem__)
        pointers = (*self.tapes.pointers.values(), *self.tapes.places_in.values())
        return found, [p for p in pointers if scopes & set(p.scope.chain())]

    def loop(self, loop: Loop | While, scope: Scope, builder: Builder, current: Current) -> None:
        found, pointers = self.inside(loop)
        if not found:
            builder.append(loop)
            return
        outermost = not scope.loops()
        if outermost:
            for tape in found:
                current[tape] = self.allocate(tape, builder)
            for pointer in pointers:
                current[pointer] = integer(0)
        extra: list[Carried] = []
        slots: list[tuple[Tape | Pointer, Atom, Value]] = []
        inner = builder.inner()
        here: Current = {}
        items: list[Tape | Pointer] = [*found, *pointers]
        for item in items:
            value = Value(_name(item), item.final.type)
            slots.append((item, current[item], value))
            here[item] = value
            if isinstance(value.type, Array):
                self.tapes.facts.extents[value] = self.tapes.facts.of(current[item])
        last = len(blocks(loop)) - 1
        self.block(loop.body, self.tapes.places.of_block[loop, last], inner, here)
        for item, init, value in slots:
            result = item.final if scope.outer is None else Value(_name(item), value.type)
            if isinstance(value.type, Array) and not (
                    isinstance(item, Tape) and item.rows is None):
                self.tapes.facts.extents[result] = self.tapes.facts.of(init)
            extra.append(Carried(init, value, here[item], result))
            current[item] = result
        builder.append(replace(loop, carried=(*loop.carried, *extra), body=inner.block))

    def allocate(self, tape: Tape, builder: Builder) -> Atom:
        rows = [integer(FIRST_ROWS)] if tape.rows is None else [
            builder.atom_of(n) for n in tape.rows]
        shape = self.tapes.row_shape(tape, builder)
        room = builder.let("empty", *rows, *shape, name=tape.name, dtype=tape.value.type.dtype)
        self.tapes.rooms[tape.value] = room
        return room

    def branch(self, branch: Branch, builder: Builder, current: Current) -> None:
        found, pointers = self.inside(branch)
        if not found and not pointers:
            builder.append(branch)
            return
        items: list[Tape | Pointer] = [*found, *pointers]
        arms: list[tuple[Builder, Current]] = []
        for k, block in enumerate(blocks(branch)):
            inner, here = builder.inner(), dict(current)
            scope = self.tapes.places.of_block[branch, k]
            self.block(block, scope, inner, here)
            for tape in found:
                if tape.scope is scope and not tape.in_loop:
                    here[tape] = tape.value
            arms.append((inner, here))
        joins: list[Join] = []
        at_top = not self.tapes.places.of_block[branch, 0].outer.outer  # type: ignore[union-attr]
        for item in items:
            then, otherwise = (here.get(item) for _, here in arms)
            first = then if then is not None else default(arms[0][0], item.final.type)
            second = otherwise if otherwise is not None else default(arms[1][0], item.final.type)
            result = item.final if at_top else Value(_name(item), item.final.type)
            if isinstance(result.type, Array) and item in current:
                self.tapes.facts.extents[result] = self.tapes.facts.of(current[item])
            joins.append(Join(first, second, result))
            current[item] = result
        builder.append(replace(branch, joins=(*branch.joins, *joins),
                               then=arms[0][0].block, otherwise=arms[1][0].block))


def _name(item: Tape | Pointer) -> str:
    if isinstance(item, Pointer):
        return "n"
    return item.name if item.in_loop else item.value.name
