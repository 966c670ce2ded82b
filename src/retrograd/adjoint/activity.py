"""Which values are active: they depend on a differentiated input and influence the output."""

from __future__ import annotations

from collections.abc import Iterable

from retrograd.ir.index import whole
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Constant,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
)
from retrograd.ir.ruled import differentiable
from retrograd.ir.types import is_float
from retrograd.rules import INDEXED, ZERO_DERIVATIVE

Values = frozenset[Value]


def activity(function: Function, inputs: Iterable[Value], outputs: Iterable[Atom]) -> Values:
    """The active values of a function for these inputs and outputs."""
    varied = {v for v in inputs if is_float(v.type)}
    _forward(function.body, varied)
    return frozenset(varied & influences(function.body, outputs))


def influences(block: Block, outputs: Iterable[Atom]) -> set[Value]:
    """The values on which outputs of a block depend differentiably."""
    useful = {v for v in outputs if isinstance(v, Value) and is_float(v.type)}
    _backward(block, useful)
    return useful


def differentiable_args(let: Let) -> tuple[Atom, ...]:
    """The arguments that the result of an operation may depend on differentiably."""
    if let.op in ZERO_DERIVATIVE or not is_float(let.result.type):
        return ()
    if let.op == "ruled":
        return differentiable(let)
    if let.op in INDEXED:
        if let.op not in ("update", "add_at", "push"):
            return let.args[:1]
        kept = () if overwrites(let) else let.args[:1]
        return tuple(a for a in (*kept, let.args[-1]) if is_float(a.type))
    return tuple(a for a in let.args if is_float(a.type))


def overwrites(let: Let) -> bool:
    """Whether a store leaves nothing of what the array was before."""
    return let.op == "update" and bool(let.static["index"]) and whole(let.static["index"])


# --- forward: what depends on the inputs ----------------------------------------------------------


def _forward(block: Block, varied: set[Value]) -> None:
    for statement in block:
        match statement:
            case Let(result=result):
                if any(a in varied for a in differentiable_args(statement)):
                    varied.add(result)
            case Loop(carried=carried, body=body):
                _forward_loop(carried, (body,), varied)
            case While(carried=carried, test=test, body=body):
                _forward_loop(carried, (test, body), varied)
            case Branch(joins=joins):
                _forward(statement.then, varied)
                _forward(statement.otherwise, varied)
                varied.update(j.result for j in joins if is_float(j.result.type)
                              and (j.then in varied or j.otherwise in varied))


def _forward_loop(carried: tuple[Carried, ...], blocks: tuple[Block, ...],
                  varied: set[Value]) -> None:
    slots = [c for c in carried if is_float(c.inner.type)]
    varied.update(c.inner for c in slots if c.init in varied)
    while True:
        for block in blocks:
            _forward(block, varied)
        new = {c.inner for c in slots if c.next in varied} - varied
        if not new:
            break
        varied |= new
    varied.update(c.result for c in slots if c.inner in varied or c.next in varied)


# --- backward: what influences the outputs --------------------------------------------------------


def _use(atom: Atom, useful: set[Value]) -> None:
    if not isinstance(atom, Constant) and is_float(atom.type):
        useful.add(atom)


def _backward(block: Block, useful: set[Value]) -> None:
    for statement in reversed(block):
        _statement_backward(statement, useful)


def _statement_backward(statement: Statement, useful: set[Value]) -> None:
    match statement:
        case Let(result=result):
            if result in useful:
                for a in differentiable_args(statement):
                    _use(a, useful)
        case Loop(carried=carried, body=body) | While(carried=carried, body=body):
            _loop_backward(carried, body, useful)
        case Branch(joins=joins):
            for j in joins:
                if j.result in useful:
                    _use(j.then, useful)
                    _use(j.otherwise, useful)
            _backward(statement.then, useful)
            _backward(statement.otherwise, useful)


def _loop_backward(carried: tuple[Carried, ...], body: Block, useful: set[Value]) -> None:
    for c in carried:
        if c.result in useful:
            _use(c.next, useful)
            _use(c.init, useful)
            _use(c.inner, useful)
    while True:
        _backward(body, useful)
        new = [c for c in carried if c.inner in useful and (
            (isinstance(c.next, Value) and c.next not in useful)
            or (isinstance(c.init, Value) and c.init not in useful)) and is_float(c.inner.type)]
        if not new:
            return
        for c in new:
            _use(c.next, useful)
            _use(c.init, useful)
