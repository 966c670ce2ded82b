"""Putting copies into a function: what to copy, and the rewriting."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Effect,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
)
from retrograd.ir.types import Array

Place = tuple[Statement, int]


@dataclass(eq=False, slots=True)
class Edits:
    """Copies to make.

    `views` are copied where they are made, `operands` before a statement (the number counts the
    arguments of a `Let` or the slots of a loop), `ends` at the end of a statement's block (block,
    slot), and `returns` at the end of the function.
    """

    views: set[Value] = field(default_factory=set)
    operands: dict[Place, None] = field(default_factory=dict)
    ends: dict[tuple[Statement, int, int], None] = field(default_factory=dict)
    returns: dict[int, None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.views or self.operands or self.ends or self.returns)


def applied(function: Function, edits: Edits) -> tuple[Function, list[Let], list[int]]:
    """The function with these copies, the copies of whole arrays among them, and for each
    statement of the body (and its end) the place where it now starts."""
    copier = _Copier(edits)
    body: list[Statement] = []
    starts = []
    for statement in function.body:
        starts.append(len(body))
        body += copier.statement(statement)
    starts.append(len(body))
    returns = list(function.returns)
    for k, atom in enumerate(returns):
        returns[k] = copier.copied(atom, "t", body, None) if k in edits.returns \
            else copier.current(atom)
    new = replace(function, body=tuple(body), returns=tuple(returns))
    return new, copier.made, starts


class _Copier:
    def __init__(self, edits: Edits) -> None:
        self.edits = edits
        self.renamed: dict[Value, Value] = {}
        self.made: list[Let] = []

    def current(self, atom: Atom) -> Atom:
        return self.renamed.get(atom, atom) if isinstance(atom, Value) else atom

    def copied(self, atom: Atom, name: str, out: list[Statement], like: Statement | None) -> Atom:
        """Append a copy of an array to `out`."""
        atom = self.current(atom)
        assert isinstance(atom, Value) and isinstance(atom.type, Array)
        result = Value(name, replace(atom.type, layout="C"))
        let = Let(result, "copy", (atom,), {}, None if like is None else like.origin)
        out.append(let)
        self.made.append(let)
        return result

    def statement(self, statement: Statement) -> list[Statement]:
        """The statement with the copies around it."""
        out: list[Statement] = []
        match statement:
            case Let():
                out.append(self.let(statement, out))
                if statement.result in self.edits.views:
                    self.view(statement, out)
            case Loop():
                out.append(self.loop(statement, out))
            case While():
                out.append(self.loop_while(statement, out))
            case Branch():
                out.append(self.branch(statement))
            case _:
                out.append(self.plain(statement))
        return out

    def plain(self, statement: Statement) -> Statement:
        """Checks, prints and raises read scalars, or index arrays that nobody writes to."""
        match statement:
            case Effect():
                args = tuple(map(self.current, statement.args))
                return statement if args == statement.args else replace(statement, args=args)
            case _:
                return statement

    def view(self, let: Let, out: list[Statement]) -> None:
        made = len(self.made)
        new = self.copied(let.result, let.result.name, out, let)
        del self.made[made:]
        assert isinstance(new, Value)
        self.renamed[let.result] = new

    def let(self, let: Let, out: list[Statement]) -> Let:
        args = [self.copied(a, let.result.name, out, let) if (let, k) in self.edits.operands
                else self.current(a) for k, a in enumerate(let.args)]
        same = all(a is b for a, b in zip(args, let.args, strict=True))
        return let if same else replace(let, args=tuple(args))

    def carried(self, loop: Loop | While, out: list[Statement],
                ends: tuple[Atom, ...]) -> dict[str, object]:
        new = []
        for k, (c, end) in enumerate(zip(loop.carried, ends, strict=True)):
            init = self.copied(c.init, c.inner.name, out, loop) \
                if (loop, k) in self.edits.operands else self.current(c.init)
            new.append(replace(c, init=init, next=end))
        return {"carried": tuple(new)}

    def block(self, block: Block, ends: tuple[Atom, ...], names: tuple[str, ...],
              owner: Statement, number: int) -> tuple[Block, tuple[Atom, ...]]:
        body = [new for statement in block for new in self.statement(statement)]
        after = tuple(
            self.copied(end, name, body, owner) if (owner, number, k) in self.edits.ends
            else self.current(end)
            for k, (end, name) in enumerate(zip(ends, names, strict=True)))
        return tuple(body), after

    def loop(self, loop: Loop, out: list[Statement]) -> Statement:
        body, ends = self.block(loop.body, tuple(c.next for c in loop.carried),
                                tuple(c.inner.name for c in loop.carried), loop, 0)
        new = self.carried(loop, out, ends)
        return replace(loop, body=body, **new)  # type: ignore[arg-type]

    def loop_while(self, loop: While, out: list[Statement]) -> Statement:
        test, _ = self.block(loop.test, (), (), loop, 0)
        body, ends = self.block(loop.body, tuple(c.next for c in loop.carried),
                                tuple(c.inner.name for c in loop.carried), loop, 1)
        new = self.carried(loop, out, ends)
        return replace(loop, test=test, body=body, **new)  # type: ignore[arg-type]

    def branch(self, branch: Branch) -> Statement:
        names = tuple(j.result.name for j in branch.joins)
        then, first = self.block(branch.then, tuple(j.then for j in branch.joins), names,
                                 branch, 0)
        otherwise, second = self.block(branch.otherwise,
                                       tuple(j.otherwise for j in branch.joins), names, branch, 1)
        joins = tuple(replace(j, then=a, otherwise=b)
                      for j, a, b in zip(branch.joins, first, second, strict=True))
        return replace(branch, then=then, otherwise=otherwise, joins=joins)
