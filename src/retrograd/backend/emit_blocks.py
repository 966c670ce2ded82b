"""Statements: writes in place, loops with the moves into their slots, branches, comments."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_arrays import subscript
from retrograd.backend.emit_checks import draw, effect, failure
from retrograd.backend.emit_context import Context, is_array
from retrograd.backend.emit_parallel import SERIAL, parallel, runs_at_once
from retrograd.backend.emit_several import Several, one_of_several, several
from retrograd.backend.emit_tapes import fits, grown_where_full, push, steady_pushes
from retrograd.backend.printer import Comment
from retrograd.errors import Span
from retrograd.ir.index import advanced
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Constant,
    Effect,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
)
from retrograd.ir.types import Type, is_complex

_AUGMENTED = frozenset({"add", "subtract", "multiply", "divide"})
Body = list[ast.stmt]


@dataclass(eq=False, slots=True)
class BlockPrinter:
    """Prints blocks; `quoting` says that the user's lines are quoted (the reverse sweep),
    `roomy` are the pushes on tapes in which there is room for sure, and `several` are calls that
    return tuples."""

    context: Context
    results: Sequence[Type]
    used: frozenset[Value]           # values that something reads
    quoting: bool = False
    quoted: Span | None = None
    roomy: set[Let] = field(default_factory=set)
    several: dict[Let, Several] = field(default_factory=dict)

    # --- blocks and comments -----------------------------------------------------------------

    def block(self, block: Sequence[Statement]) -> Body:
        body: Body = []
        self.several.update(several(block))
        for statement in block:
            printed = self.statement(statement)
            if printed and not isinstance(statement, Loop | While | Branch):
                body += self.quote(statement.origin)
            body += printed
        return body

    def quote(self, origin: Span | None) -> Body:
        """The user's line, once where it starts to be reversed."""
        if not self.quoting or origin is None or origin.again or origin is self.quoted:
            return []
        if self.quoted is not None and origin == self.quoted:
            return []
        self.quoted = origin
        return [Comment(origin.quoted())]

    def arm(self, block: Block) -> Body:
        """A block inside a statement; lines are quoted anew in it."""
        before, self.quoted = self.quoted, None
        body = self.block(block)
        self.quoted = before
        return body

    def statement(self, statement: Statement) -> Body:
        match statement:
            case Let():
                return self.let(statement)
            case Loop():
                return self.loop(statement)
            case While():
                return self.loop_while(statement)
            case Branch():
                return self.branch(statement)
            case Raise():
                return failure(self.context, statement, self.results)
            case Effect(result=Value() as result):
                return [self.draw(statement, result)]
            case Effect():
                return effect(self.context, statement, self.results)

    def draw(self, effect: Effect, result: Value) -> ast.stmt:
        """The draw is made whether anything reads its result or not."""
        drawn = draw(self.context, effect)
        return syntax.assign(self.target(result), drawn) if result in self.used \
            else ast.Expr(drawn)

    # --- operations --------------------------------------------------------------------------

    def let(self, let: Let) -> Body:
        context = self.context
        if let.result in context.folded:
            return []
        if let.op in ("update", "add_at"):
            return [*self.moves([(let.result, let.args[0])]), self.store(let)]
        if let.op == "push":
            room = let in self.roomy
            return [*self.moves([(let.result, let.args[0])]), *push(self.context, let, room)]
        if let in self.several:
            return one_of_several(context, self.several[let], let, self.target)
        return [self.assignment(let)]

    def target(self, value: Value) -> ast.expr:
        return syntax.target(self.context.names[value])

    def assignment(self, let: Let) -> ast.stmt:
        """`x = e`, or `x += e` where the first operand is the variable itself."""
        context = self.context
        if let.op in _AUGMENTED and self.may_augment(let):
            for k in (0, 1) if let.op == "add" and not is_array(let.result) else (0,):
                if self.is_variable(let.args[k], let.result):
                    value = let.args[1 - k]
                    if isinstance(value, Constant) or value.type.dtype == let.result.type.dtype:
                        return syntax.augmented(self.target(let.result), let.op,
                                                self.addend(value))
        value_node = context.expression(context, let)
        if let.op == "let" and isinstance(let.args[0], Constant):
            value_node = context.constant(let.args[0])
        return syntax.assign(self.target(let.result), value_node)

    def addend(self, value: Atom) -> ast.expr:
        return self.context.bare(value)

    def may_augment(self, let: Let) -> bool:
        """Arrays are written to only where storage has allowed it; for scalars the expression
        must be the plain operator."""
        if is_array(let.result):
            return let in self.context.accumulations
        dtype = let.result.type.dtype
        plain = dtype in ("int64", "float64", "complex128", "float32")
        python = all(isinstance(a, Constant) or a in self.context.python_numbers for a in let.args)
        divided = let.op == "divide" and (python or is_complex(let.result.type))
        return plain and let.args[0].type.dtype == let.args[1].type.dtype == dtype and not divided

    def is_variable(self, atom: Atom, value: Value) -> bool:
        context = self.context
        return isinstance(atom, Value) and atom not in context.folded \
            and context.names[atom] == context.names[value]

    def store(self, let: Let) -> ast.stmt:
        context = self.context
        array, *atoms, value = let.args
        assert isinstance(array, Value)
        if let.op == "add_at" and "array" in let.static["index"]:
            return self.scatter(let, atoms, value)
        place = syntax.subscripted(context.variable(let.result), subscript(context, let, atoms),
                                   store=True)
        if let.op == "add_at":
            return syntax.augmented(place, "add", context.bare(value))
        return syntax.assign(place, context.bare(value))

    def scatter(self, let: Let, atoms: Sequence[Atom], value: Atom) -> ast.stmt:
        """Repeated indices add up only in `np.add.at`."""
        context = self.context
        index = subscript(context, let, atoms)
        if not advanced(let.static["index"][:1]) or len(let.static["index"]) > 1:
            index = syntax.subscripted(context.numpy("s_"), index)
        return ast.Expr(syntax.call(context.numpy("add", "at"), context.variable(let.result),
                                    index, context.bare(value)))

    # --- control flow ------------------------------------------------------------------------

    def moves(self, pairs: Sequence[tuple[Value, Atom]]) -> Body:
        """One parallel assignment of what is not in its variable yet."""
        context = self.context
        wanted = [(to, atom) for to, atom in pairs if not self.is_variable(atom, to)
                  and (to in self.used)]
        if not wanted:
            return []
        values = [context.atom(atom) for _, atom in wanted]
        if len(wanted) == 1:
            return [syntax.assign(self.target(wanted[0][0]), values[0])]
        if all(isinstance(atom, Constant) for _, atom in wanted):
            return [syntax.assign(self.target(to), value)
                    for (to, _), value in zip(wanted, values, strict=True)]
        targets = ast.Tuple([self.target(to) for to, _ in wanted], ast.Store())
        return [syntax.assign(targets, syntax.sequence(values))]

    def slots(self, loop: Loop | While) -> tuple[Body, Body]:
        """What is done before the loop and at the end of its body."""
        before = self.moves([(c.inner, c.init) for c in loop.carried])
        after = self.moves([(c.inner, c.next) for c in loop.carried])
        trips = loop.trips
        if trips is not None and trips in self.used:
            before.append(syntax.assign(self.target(trips), ast.Constant(0)))
            after.append(syntax.augmented(self.target(trips), "add", ast.Constant(1)))
        return before, after

    def loop(self, loop: Loop) -> Body:
        context = self.context
        before, after = self.slots(loop)
        if runs_at_once(context, loop):
            inside = replace(self, results=())
            return [*before, *parallel(context, loop, inside.arm(loop.body), self.results)]
        if context.compiled and (loop.parallel or loop.blocks):
            before.append(Comment(SERIAL))
        body = self.arm(loop.body)
        if not ends(loop.body):
            body += after
            if loop.leave is not None:
                body.append(syntax.branch(context.atom(loop.leave), [ast.Break()], []))
        unit = isinstance(loop.step, Constant) and loop.step.value == 1
        bounds = [context.bare(loop.stop)]
        if not unit or not (isinstance(loop.start, Constant) and loop.start.value == 0):
            bounds.insert(0, context.bare(loop.start))
        if not unit:
            bounds.append(context.bare(loop.step))
        return [*before, ast.For(self.target(loop.index), syntax.call("range", *bounds),
                                 body or [ast.Pass()], [])]

    def loop_while(self, loop: While) -> Body:
        context = self.context
        before, after = self.slots(loop)
        pushes = steady_pushes(loop) if context.compiled else ()
        self.roomy.update(pushes)
        test = self.arm(loop.test)
        body = self.arm(loop.body)
        if not ends(loop.body):
            body += after
        if pushes:
            return [*before, self.in_runs(loop, pushes, test, body)]
        condition = context.atom(loop.condition)
        if not test:
            return [*before, ast.While(condition, body or [ast.Pass()], [])]
        leave = syntax.branch(syntax.inverted(condition), [ast.Break()], [])
        return [*before, ast.While(ast.Constant(True), [*test, leave, *body], [])]

    def in_runs(self, loop: While, pushes: Sequence[Let], test: Body, body: Body) -> ast.stmt:
        """The iterations for which there is room in all tapes, again and again: memory is asked
        for outside of the loop that runs."""
        context = self.context
        grow = grown_where_full(context, pushes)
        room = [fits(context, let) for let in pushes]
        if not test:
            both = syntax.both(ast.And, context.atom(loop.condition), *room)
            return ast.While(context.atom(loop.condition), [*grow, ast.While(both, body, [])], [])
        leave = syntax.branch(syntax.inverted(context.atom(loop.condition)), [ast.Break()], [])
        enough = room[0] if len(room) == 1 else syntax.both(ast.And, *room)
        run = ast.While(enough, [*test, leave, *body], [ast.Continue()])
        return ast.While(ast.Constant(True), [*grow, run, ast.Break()], [])

    def branch(self, branch: Branch) -> Body:
        then, otherwise = self.arm(branch.then), self.arm(branch.otherwise)
        if not ends(branch.then):
            then += self.moves([(j.result, j.then) for j in branch.joins])
        if not ends(branch.otherwise):
            otherwise += self.moves([(j.result, j.otherwise) for j in branch.joins])
        test = self.context.atom(branch.test)
        if then:
            return [syntax.branch(test, then, otherwise)]
        return [syntax.branch(syntax.inverted(test), otherwise, [])] if otherwise else []


def ends(block: Block) -> bool:
    """Whether nothing comes after this block, because it raises."""
    return bool(block) and isinstance(block[-1], Raise)
