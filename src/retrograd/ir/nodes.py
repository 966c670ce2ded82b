"""The IR: structured, typed, single-assignment and pure.

    function  = Function(name, params: value*, body: block, returns: atom*)
    block     = (statement*)
    statement = Let(result: value, op, args: atom*, static)
              | Loop(index, start, stop, step, carried*, body, leave: atom?, trips: value?,
                     snapshots: atom?, parallel: bool, blocks: bool)
              | While(carried*, test: block, condition: atom, body, trips: value)
              | Branch(test: atom, then: block, otherwise: block, joins*)
              | Raise(exception, message: (str | atom)*)
              | Effect(kind, args: atom*, static, result: value?)
    carried   = Carried(init: atom, inner: value, next: atom, result: value)
    join      = Join(then: atom, otherwise: atom, result: value)
    atom      = Value(name, type) | Constant(value, type)

No statement changes memory: `update(A, index, v)` *is* the new version of A, and whether it is
written in place is decided when source is printed. `Value`s are compared by identity, constants
bit for bit (0.0, -0.0, 1, 1.0 and True are five constants).

A `Loop` runs `index` over `range(start, stop, step)`. In the body, `inner` is the carried value
at the start of the iteration and `next` at its end; `result` is the value after the loop (`init`
when there was no iteration). With `leave`, a bool made in the body, the loop ends after the
first iteration in which it is true, and `trips` counts the iterations that were made.
`snapshots` is a mark for reverse mode: so many states of a loop may be kept
(`adjoint/checkpoint.py`); after it no loop is marked.
`parallel` is a wish that changes no meaning: the iterations may run at the same time where it is
proven that they are independent. `blocks` says that this is proven (`optimise/parallel.py`): the
loop carries nothing but arrays of which each iteration writes a part of its own.
A `While` evaluates `test` from the inner values, runs the body while `condition` holds, and
counts its trips. What `test` defines is not visible in the body.
Every statement has an `origin`: the user's statement that it came from.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from retrograd.errors import Span
from retrograd.ir.types import INT, Scalar, Type

Static = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A name for one value; two values are the same only if they are the same object."""

    name: str
    type: Type

    def __repr__(self) -> str:
        return f"{self.name}: {self.type}"


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A typed number; equality is equality of type and bits."""

    value: bool | int | float | complex
    type: Scalar

    def key(self) -> tuple[object, ...]:
        value = self.value
        bits: object
        if isinstance(value, complex):
            bits = struct.pack("<dd", value.real, value.imag)
        else:
            bits = struct.pack("<d", value) if isinstance(value, float) else value
        return (type(value), bits, self.type)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self.key() == other.key()

    def __hash__(self) -> int:
        return hash(self.key())

    def __repr__(self) -> str:
        return repr(self.value)


Atom = Value | Constant


def alike(value: Value) -> Value:
    """Another value of the same name and type."""
    return Value(value.name, value.type)


@dataclass(frozen=True, slots=True, eq=False)
class Let:
    result: Value
    op: str
    args: tuple[Atom, ...]
    static: Static = field(default_factory=dict)
    origin: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    init: Atom
    inner: Value
    next: Atom
    result: Value


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    then: Atom
    otherwise: Atom
    result: Value


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    index: Value
    start: Atom
    stop: Atom
    step: Atom
    carried: tuple[Carried, ...]
    body: Block
    leave: Atom | None = None
    trips: Value | None = None
    origin: Span | None = None
    snapshots: Atom | None = None
    parallel: bool = False
    blocks: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class While:
    carried: tuple[Carried, ...]
    test: Block
    condition: Atom
    body: Block
    trips: Value
    origin: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    test: Atom
    then: Block
    otherwise: Block
    joins: tuple[Join, ...]
    origin: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Raise:
    exception: type[BaseException]
    message: tuple[str | Atom, ...]
    origin: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """`print`, a check that raises, or a draw, which alone has a result (`ir/effects.py`)."""

    kind: str
    args: tuple[Atom, ...]
    static: Static = field(default_factory=dict)
    origin: Span | None = None
    result: Value | None = None


Statement = Let | Loop | While | Branch | Raise | Effect
Block = tuple[Statement, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    name: str
    params: tuple[Value, ...]
    body: Block
    returns: tuple[Atom, ...]
    notes: Static = field(default_factory=dict)


def zero(type: Scalar) -> Constant:
    return number(0, type)


def number(value: bool | int | float | complex, type: Scalar) -> Constant:
    """The constant of this type nearest to `value`."""
    convert = {"b": bool, "i": int, "f": float, "c": complex}[type.dtype[0]]
    return Constant(convert(value), type)


def integer(value: int) -> Constant:
    return Constant(int(value), INT)


def defined(statement: Statement) -> tuple[Value, ...]:
    """The values that a statement makes visible after it, in its own block."""
    match statement:
        case Let():
            return (statement.result,)
        case Loop() | While():
            results = tuple(c.result for c in statement.carried)
            return results if statement.trips is None else (*results, statement.trips)
        case Branch():
            return tuple(j.result for j in statement.joins)
        case Effect():
            return () if statement.result is None else (statement.result,)
        case Raise():
            return ()


def blocks(statement: Statement) -> tuple[Block, ...]:
    """The blocks inside a statement, in the order in which they are printed."""
    match statement:
        case Loop():
            return (statement.body,)
        case While():
            return (statement.test, statement.body)
        case Branch():
            return (statement.then, statement.otherwise)
        case Let() | Raise() | Effect():
            return ()


def operands(statement: Statement) -> tuple[Atom, ...]:
    """What a statement itself reads where it stands, the atoms inside its blocks apart."""
    match statement:
        case Let() | Effect():
            return statement.args
        case Loop():
            marks = () if statement.snapshots is None else (statement.snapshots,)
            return (statement.start, statement.stop, statement.step,
                    *(c.init for c in statement.carried), *marks)
        case While():
            return tuple(c.init for c in statement.carried)
        case Branch():
            return (statement.test,)
        case Raise():
            return tuple(p for p in statement.message if not isinstance(p, str))


def yields(statement: Statement) -> tuple[tuple[Atom, ...], ...]:
    """For each of `blocks(statement)`, the atoms that are read at its end."""
    match statement:
        case Loop():
            ends = tuple(c.next for c in statement.carried)
            return (ends if statement.leave is None else (*ends, statement.leave),)
        case While():
            return ((statement.condition,), tuple(c.next for c in statement.carried))
        case Branch():
            return (tuple(j.then for j in statement.joins),
                    tuple(j.otherwise for j in statement.joins))
        case Let() | Raise() | Effect():
            return ()


def bound(statement: Statement) -> tuple[Value, ...]:
    """The values that a statement defines for the blocks inside it."""
    match statement:
        case Loop():
            return (statement.index, *(c.inner for c in statement.carried))
        case While():
            return tuple(c.inner for c in statement.carried)
        case Let() | Branch() | Raise() | Effect():
            return ()


def free(block: Block, ends: Iterable[Atom] = ()) -> tuple[Value, ...]:
    """What a block and the atoms at its end read and the block does not define, in order of
    appearance."""
    made: set[Value] = set()
    read: dict[Value, None] = {}
    for statement in walk(block):
        made.update((*defined(statement), *bound(statement)))
        atoms = (*operands(statement), *(a for inner in yields(statement) for a in inner))
        read.update({a: None for a in atoms if isinstance(a, Value)})
    read.update({a: None for a in ends if isinstance(a, Value)})
    return tuple(v for v in read if v not in made)


def walk(block: Block) -> Iterator[Statement]:
    """Every statement of a block, outer before inner."""
    for statement in block:
        yield statement
        for inner in blocks(statement):
            yield from walk(inner)
