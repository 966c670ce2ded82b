"""`break`, `continue` and early `return` become flags and guarded blocks.

    before                              after
        for x in xs:                        for x in xs:            leave = stopped
            if x < 0:                           stopped = False
                break                           if x < 0:
            s += x                                  stopped = True
                                                else:
                                                    s += x

What follows an `if` whose one arm always jumps moves into the other arm. Only where an arm jumps
sometimes is a flag tested. A `return` inside a loop sets a flag and leaves the loop. In the result
`return` stands only at the end of what is executed, and no other jump is left.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from retrograd.frontend.reading import header_end

Statements = list[ast.stmt]
Node = TypeVar("Node", bound=ast.AST)
Rewrite = Callable[[ast.stmt], list[ast.stmt]]


@dataclass
class Structured:
    """A function's body without jumps.

    `leave` maps a loop to the flag that ends it; `flags` are the names that were made, which are
    always assigned before they are read.
    """

    body: Statements
    leave: dict[ast.stmt, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)


def structured(body: Sequence[ast.stmt], taken: Iterable[str]) -> Structured:
    """Remove the jumps from a function's body; `taken` are names that flags must not have."""
    return _Rewriter(set(taken)).function(list(body))


def always_jumps(body: Sequence[ast.stmt]) -> bool:
    """Whether control never reaches the end of these statements."""
    for statement in body:
        if isinstance(statement, (ast.Break, ast.Continue, ast.Return, ast.Raise)):
            return True
        if isinstance(statement, ast.If) and statement.orelse and always_jumps(
                statement.body) and always_jumps(statement.orelse):
            return True
    return False


class _Rewriter:
    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self.out = Structured([])

    def function(self, body: Statements) -> Structured:
        self.out.body = self.block(self.loops(body))
        return self.out

    def flag(self, base: str) -> str:
        name, number = base, 0
        while name in self.taken:
            number += 1
            name = f"{base}_{number}"
        self.taken.add(name)
        self.out.flags.add(name)
        return name

    # --- loops, innermost first ---------------------------------------------------------------

    def loops(self, body: Statements) -> Statements:
        """Rewrite every loop in the statements; their own jumps stay."""
        result: Statements = []
        for statement in body:
            if isinstance(statement, ast.If):
                new = ast.If(statement.test, self.loops(statement.body),
                             self.loops(statement.orelse))
                result.append(ast.copy_location(new, statement))
            elif isinstance(statement, (ast.For, ast.While)):
                result += self.loop(statement)
            else:
                result.append(statement)
        return result

    def loop(self, loop: ast.For | ast.While) -> Statements:
        if isinstance(loop, ast.While) and not loop.orelse and _binds(loop.test):
            loop = _test_in_body(loop)
        body = self.loops(loop.body)
        before: Statements = []
        after: Statements = []
        endless = (isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant)
                   and bool(loop.test.value) and not _contains(body, ast.Break))
        if _contains(body, ast.Return):
            returned, value = self.flag("returned"), self.flag("returned_value")
            before.append(_assign(returned, ast.Constant(False), loop))
            body = _returns_to_breaks(body, returned, value)
            result = _placed(ast.Return(_load(value, loop)), loop)
            after.append(result if endless else _if(_load(returned, loop), [result], [], loop))
        orelse = self.loops(loop.orelse)
        if not _contains(body, ast.Break):
            return [*before, self._rebuilt(loop, loop, self.block(body, True)), *orelse, *after]
        stopped = self.flag("stopped")
        body = self.block(_with_flag(body, stopped), True)
        if isinstance(loop, ast.For):
            body.insert(0, _assign(stopped, ast.Constant(False), loop))
        new = self._rebuilt(loop, loop, body)
        self.out.leave[new] = stopped
        if isinstance(loop, ast.While) or orelse:
            before.append(_assign(stopped, ast.Constant(False), loop))
        if orelse:
            after.insert(0, _if(_not(stopped, loop), orelse, [], loop))
        return [*before, new, *after]

    def _rebuilt(self, loop: ast.For | ast.While, at: ast.stmt, body: Statements) -> ast.stmt:
        body = body or [_placed(ast.Pass(), at)]
        if isinstance(loop, ast.For):
            return ast.copy_location(ast.For(loop.target, loop.iter, body, []), at)
        return ast.copy_location(ast.While(loop.test, body, []), at)

    # --- blocks -------------------------------------------------------------------------------

    def block(self, body: Statements, in_loop: bool = False) -> Statements:
        """Move what follows a jumping `if` into its arms; in loops the jumps then disappear."""
        result: Statements = []
        for position, statement in enumerate(body):
            rest = body[position + 1:]
            if isinstance(statement, (ast.Continue, ast.Break)):
                return result
            if isinstance(statement, (ast.Return, ast.Raise)):
                return [*result, statement]
            if isinstance(statement, ast.If) and _jumps(statement):
                return [*result, *self.jumping_if(statement, rest, in_loop)]
            result.append(statement)
        return result

    def jumping_if(self, statement: ast.If, rest: Statements, in_loop: bool) -> Statements:
        then, otherwise = statement.body, statement.orelse
        if always_jumps(then):
            otherwise = [*otherwise, *rest]
        elif always_jumps(otherwise):
            then = [*then, *rest]
        elif rest:
            return self.guarded(statement, rest, in_loop)
        return [_if(statement.test, self.block(then, in_loop), self.block(otherwise, in_loop),
                    statement)]

    def guarded(self, statement: ast.If, rest: Statements, in_loop: bool) -> Statements:
        """An arm jumps sometimes: it says so in a flag, and the rest is done unless it did."""
        left = self.flag("left")
        first = _assign(left, ast.Constant(False), statement)
        if in_loop:
            marked = _marked(statement, left)
            return [first, *self.block([marked], True),
                    _if(_not(left, statement), self.block(rest, True), [], statement)]
        value = self.flag("returned_value")
        marked = _returns_to_flags(statement, left, value)
        done = _placed(ast.Return(_load(value, statement)), statement)
        return [first, *self.block([marked], True),
                _if(_load(left, statement), [done], self.block(rest), statement)]


# --- small pieces of syntax -------------------------------------------------------------------


def _placed(new: Node, at: ast.AST) -> Node:
    """The new node where another stands, or where that one's header stands."""
    ast.copy_location(new, at)
    end = header_end(at)
    new.end_lineno = end.end_lineno  # type: ignore[attr-defined]
    new.end_col_offset = end.end_col_offset  # type: ignore[attr-defined]
    return ast.fix_missing_locations(new)


def _assign(name: str, value: ast.expr, at: ast.AST) -> ast.stmt:
    return _placed(ast.Assign([ast.Name(name, ast.Store())], value), at)


def _load(name: str, at: ast.AST) -> ast.expr:
    return _placed(ast.Name(name, ast.Load()), at)


def _not(name: str, at: ast.AST) -> ast.expr:
    return _placed(ast.UnaryOp(ast.Not(), _load(name, at)), at)


def _if(test: ast.expr, then: Statements, otherwise: Statements, at: ast.AST) -> ast.stmt:
    new = ast.If(test, then or [_placed(ast.Pass(), at)], otherwise)
    return ast.copy_location(new, at)


def _binds(test: ast.expr) -> bool:
    return any(isinstance(node, ast.NamedExpr) for node in ast.walk(test))


def _test_in_body(loop: ast.While) -> ast.While:
    """`while (x := f()) > 0: ...` as `while True: if not (x := f()) > 0: break; ...`."""
    test = ast.copy_location(ast.UnaryOp(ast.Not(), loop.test), loop.test)
    leave = _if(test, [ast.copy_location(ast.Break(), loop)], [], loop)
    always = ast.copy_location(ast.Constant(True), loop.test)
    return ast.copy_location(ast.While(always, [leave, *loop.body], []), loop)


def _contains(body: Iterable[ast.stmt], kind: type[ast.stmt]) -> bool:
    """Whether a jump of this kind belongs to this level: loops inside have their own breaks."""
    for statement in body:
        if isinstance(statement, kind):
            return True
        if isinstance(statement, ast.If) and (
                _contains(statement.body, kind) or _contains(statement.orelse, kind)):
            return True
    return False


def _jumps(statement: ast.If) -> bool:
    """A raise is not a jump here: nothing that follows it needs to know."""
    return any(_contains([statement], kind) for kind in (ast.Break, ast.Continue, ast.Return))


def _replaced(body: Iterable[ast.stmt], kinds: tuple[type[ast.stmt], ...],
              make: Rewrite) -> Statements:
    """The statements with every jump of these kinds at this level replaced."""
    result: Statements = []
    for statement in body:
        if isinstance(statement, kinds):
            result += make(statement)
        elif isinstance(statement, ast.If):
            result.append(_if(statement.test, _replaced(statement.body, kinds, make),
                              _replaced(statement.orelse, kinds, make), statement))
        else:
            result.append(statement)
    return result


def _with_flag(body: Statements, flag: str) -> Statements:
    """Set the flag before every break."""
    return _replaced(body, (ast.Break,), lambda s: [_assign(flag, ast.Constant(True), s), s])


def _marked(statement: ast.If, flag: str) -> ast.stmt:
    """Set the flag before every jump inside an `if`."""
    return _replaced([statement], (ast.Break, ast.Continue),
                     lambda s: [_assign(flag, ast.Constant(True), s), s])[0]


def _value_of(statement: ast.stmt) -> ast.expr:
    assert isinstance(statement, ast.Return)
    return statement.value or ast.copy_location(ast.Constant(None), statement)


def _returns_to_breaks(body: Statements, flag: str, value: str) -> Statements:
    return _replaced(body, (ast.Return,), lambda s: [
        _assign(value, _value_of(s), s), _assign(flag, ast.Constant(True), s),
        ast.copy_location(ast.Break(), s)])


def _returns_to_flags(statement: ast.If, flag: str, value: str) -> ast.stmt:
    return _replaced([statement], (ast.Return,), lambda s: [
        _assign(value, _value_of(s), s), _assign(flag, ast.Constant(True), s),
        ast.copy_location(ast.Continue(), s)])[0]


