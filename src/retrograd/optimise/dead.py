"""Remove what nothing reads. Exceptions, checks and prints are never dead.

before:                         after:
    a = exp(x)                      b = sin(x)
    b = sin(x)                      return b
    return b

A loop keeps only the carried values that its results, its exits or its other carried values need;
it still counts its trips, which the reverse of a loop that leaves early asks for.
"""

from __future__ import annotations

from dataclasses import replace

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Effect,
    Function,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
    operands,
)

Live = set[Value]


def remove_dead(function: Function) -> Function:
    """The function without statements, carried values and results that nothing needs."""
    live: Live = set()
    _read(function.returns, live)
    return replace(function, body=_block(function.body, live))


def _read(atoms: tuple[Atom, ...], live: Live) -> None:
    live.update(a for a in atoms if isinstance(a, Value))


def _block(block: Block, live: Live) -> Block:
    kept: list[Statement] = []
    for statement in reversed(block):
        new = _statement(statement, live)
        if new is not None:
            kept.append(new)
            _read(operands(new), live)
    return tuple(reversed(kept))


def _statement(statement: Statement, live: Live) -> Statement | None:
    match statement:
        case Let():
            return statement if statement.result in live else None
        case Raise() | Effect():
            return statement
        case Branch():
            return _branch(statement, live)
        case Loop():
            return _loop(statement, live)
        case While():
            return _while(statement, live)


def _branch(branch: Branch, live: Live) -> Branch | None:
    joins = tuple(j for j in branch.joins if j.result in live)
    _read(tuple(j.then for j in joins), live)
    then = _block(branch.then, live)
    _read(tuple(j.otherwise for j in joins), live)
    otherwise = _block(branch.otherwise, live)
    if not joins and not then and not otherwise:
        return None
    return replace(branch, joins=joins, then=then, otherwise=otherwise)


def _needed(carried: tuple[Carried, ...], live: Live) -> tuple[Carried, ...]:
    return tuple(c for c in carried if c.result in live or c.inner in live)


def _loop(loop: Loop, live: Live) -> Loop | None:
    if loop.trips not in live and not _needed(loop.carried, live) and not _acts(loop.body):
        return None
    if loop.leave is not None:
        _read((loop.leave,), live)
    carried = _needed(loop.carried, live)
    while True:
        inner = set(live)
        _read(tuple(c.next for c in carried), inner)
        body = _block(loop.body, inner)
        grown = _needed(loop.carried, inner)
        if len(grown) == len(carried):
            break
        carried = grown
    live |= inner
    return replace(loop, carried=carried, body=body)


def _while(loop: While, live: Live) -> While | None:
    if loop.trips not in live and not _needed(loop.carried, live) and not (
            _acts(loop.body) or _acts(loop.test)):
        return None
    carried = _needed(loop.carried, live)
    while True:
        inner = set(live)
        _read((loop.condition, *(c.next for c in carried)), inner)
        body, test = _block(loop.body, inner), _block(loop.test, inner)
        grown = _needed(loop.carried, inner)
        if len(grown) == len(carried):
            break
        carried = grown
    live |= inner
    return replace(loop, carried=carried, body=body, test=test)


def _acts(block: Block) -> bool:
    """Whether a block can raise or print."""
    for statement in block:
        match statement:
            case Raise() | Effect():
                return True
            case Branch(then=then, otherwise=otherwise):
                if _acts(then) or _acts(otherwise):
                    return True
            case Loop(body=body):
                if _acts(body):
                    return True
            case While(test=test, body=body):
                if _acts(test) or _acts(body):
                    return True
            case Let():
                pass
    return False
