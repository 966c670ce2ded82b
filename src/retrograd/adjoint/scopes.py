"""Where every primal value is defined: its block, its place in program order, its statement."""

from __future__ import annotations

from dataclasses import dataclass, field

from retrograd.ir.nodes import (
    Block,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
    blocks,
    bound,
    defined,
)


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A block of the primal: of the function, a loop's body, or an arm of a branch."""

    outer: Scope | None
    statement: Statement | None      # the loop or branch whose block it is

    def chain(self) -> list[Scope]:
        """This scope and those around it, innermost first."""
        scopes: list[Scope] = []
        scope: Scope | None = self
        while scope is not None:
            scopes.append(scope)
            scope = scope.outer
        return scopes

    @property
    def is_loop(self) -> bool:
        return isinstance(self.statement, (Loop, While))

    def loops(self) -> list[Scope]:
        """The loop bodies around a value of this scope, outermost first."""
        return [s for s in reversed(self.chain()) if s.is_loop]


@dataclass(slots=True)
class Places:
    """The scope, position and definition of every value of a function."""

    top: Scope
    scope: dict[Value, Scope] = field(default_factory=dict)
    position: dict[Value, int] = field(default_factory=dict)
    lets: dict[Value, Let] = field(default_factory=dict)
    made: dict[Value, Statement] = field(default_factory=dict)     # what defines it
    of_block: dict[tuple[Statement, int], Scope] = field(default_factory=dict)

    def inside(self, value: Value, scope: Scope) -> bool:
        """Whether a value is defined in a scope or in one inside it."""
        return scope in self.scope[value].chain()


def places(function: Function) -> Places:
    """Number the values of a function in program order."""
    result = Places(Scope(None, None))
    for value in function.params:
        _place(result, value, result.top)
    _block(result, function.body, result.top)
    return result


def _place(result: Places, value: Value, scope: Scope) -> None:
    result.scope[value] = scope
    result.position[value] = len(result.position)


def _block(result: Places, block: Block, scope: Scope) -> None:
    for statement in block:
        for k, inner in enumerate(blocks(statement)):
            new = Scope(scope, statement)
            result.of_block[statement, k] = new
            # a While's test sees the carried values, which belong to its body
            if k == len(blocks(statement)) - 1 or not isinstance(statement, While):
                for value in bound(statement):
                    if value not in result.scope:
                        _place(result, value, new)
            _block(result, inner, new)
        for value in defined(statement):
            _place(result, value, scope)
            result.made[value] = statement
            if isinstance(statement, Let):
                result.lets[value] = statement
