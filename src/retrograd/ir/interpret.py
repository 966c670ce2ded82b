"""The reference meaning of the IR: a slow interpreter that the tests hold every pass to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.ir.draws import drawn
from retrograd.ir.effects import exception_of, message_of
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Constant,
    Effect,
    Function,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
)
from retrograd.ir.operations import OPERATIONS
from retrograd.ir.types import Array, Generator

Environment = dict[Value, Any]


def interpret(function: Function, args: Sequence[Any]) -> tuple[Any, ...]:
    """Run the function on NumPy arrays and numbers; arguments are never changed."""
    env: Environment = {}
    for param, arg in zip(function.params, args, strict=True):
        if isinstance(param.type, Generator):
            env[param] = arg
            continue
        dtype = np.dtype(param.type.dtype)
        env[param] = np.asarray(arg, dtype) if isinstance(param.type, Array) else dtype.type(arg)
    with np.errstate(all="ignore"):
        _run(function.body, env)
    return tuple(_get(r, env) for r in function.returns)


def _get(atom: Atom, env: Environment) -> Any:
    if isinstance(atom, Constant):
        return np.dtype(atom.type.dtype).type(atom.value)
    return env[atom]


def _run(block: Block, env: Environment) -> None:
    for statement in block:
        _statement(statement, env)


def _statement(statement: Statement, env: Environment) -> None:
    match statement:
        case Let():
            _let(statement, env)
        case Loop():
            _loop(statement, env)
        case While():
            _while(statement, env)
        case Branch():
            taken = bool(_get(statement.test, env))
            _run(statement.then if taken else statement.otherwise, env)
            for j in statement.joins:
                env[j.result] = _get(j.then if taken else j.otherwise, env)
        case Raise():
            if not statement.message:
                raise statement.exception
            raise statement.exception(_text(statement.message, env))
        case Effect():
            _effect(statement, env)


def _let(let: Let, env: Environment) -> None:
    args = [_get(a, env) for a in let.args]
    result = OPERATIONS[let.op].evaluate(*args, **let.static)
    dtype = np.dtype(let.result.type.dtype)
    if isinstance(let.result.type, Array):
        env[let.result] = np.asarray(result, dtype)
    else:
        env[let.result] = dtype.type(result)


def _loop(loop: Loop, env: Environment) -> None:
    state = [_get(c.init, env) for c in loop.carried]
    trips = 0
    bounds = (int(_get(a, env)) for a in (loop.start, loop.stop, loop.step))
    for i in range(*bounds):
        env[loop.index] = np.int64(i)
        env.update(zip((c.inner for c in loop.carried), state, strict=True))
        _run(loop.body, env)
        state = [_get(c.next, env) for c in loop.carried]
        trips += 1
        if loop.leave is not None and _get(loop.leave, env):
            break
    env.update(zip((c.result for c in loop.carried), state, strict=True))
    if loop.trips is not None:
        env[loop.trips] = np.int64(trips)


def _while(loop: While, env: Environment) -> None:
    state = [_get(c.init, env) for c in loop.carried]
    trips = 0
    while True:
        env.update(zip((c.inner for c in loop.carried), state, strict=True))
        _run(loop.test, env)
        if not _get(loop.condition, env):
            break
        _run(loop.body, env)
        state = [_get(c.next, env) for c in loop.carried]
        trips += 1
    env.update(zip((c.result for c in loop.carried), state, strict=True))
    env[loop.trips] = np.int64(trips)


def _text(message: tuple[str | Atom, ...], env: Environment) -> str:
    return "".join(p if isinstance(p, str) else str(_get(p, env)) for p in message)


def _effect(effect: Effect, env: Environment) -> None:
    args = [_get(a, env) for a in effect.args]
    if effect.result is not None:
        env[effect.result] = drawn(effect, args)
    elif effect.kind == "print":
        shown = [p if isinstance(p, str) else str(args[p]) for p in effect.static["parts"]]
        print(*shown, sep=effect.static.get("sep", " "), end=effect.static.get("end", "\n"))
    elif effect.kind == "check_bounds":
        bad = args[0][(args[0] < -args[1]) | (args[0] >= args[1])]
        if bad.size:
            raise IndexError(f"index {bad.flat[0]} is out of bounds for axis "
                             f"{effect.static['axis']} with size {args[1]}")
    elif _fails(effect.kind, args):
        raise exception_of(effect)(_text(message_of(effect), env))


def _fails(kind: str, args: list[Any]) -> bool:
    match kind:
        case "check_equal":
            return bool(args[0] != args[1])
        case "check_index":
            return not -args[1] <= args[0] < args[1]
        case _:
            return bool(args[0] == 0)
