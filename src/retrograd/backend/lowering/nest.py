"""Loop nests: open a loop, carry arrays and scalars through it, close it.

    before   fill(base c0, extents (n, m), write)
    after    loop i in range(n) carrying c0: loop j in range(m) carrying c: c = write(c, (i, j))

Axes of extent 1 make no loop. Every loop counts from 0 in steps of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from retrograd.backend.lowering.scope import Scope
from retrograd.ir.extents import Extent
from retrograd.ir.nodes import (
    Atom,
    Branch,
    Carried,
    Constant,
    Join,
    Loop,
    Raise,
    Value,
    integer,
    number,
)
from retrograd.ir.types import INT, Array, Scalar, Type

Indices = tuple[Atom, ...]
Step = Callable[[Scope, Atom, tuple[Atom, ...]], Sequence[Atom]]
Body = Callable[[Scope, Indices, tuple[Atom, ...]], Sequence[Atom]]
Write = Callable[[Scope, Value, Indices], Atom]

_INDICES = "ijkmnpqrs"


def loop(scope: Scope, extent: Atom, carried: Sequence[Atom], names: Sequence[str],
         step: Step, *, leave: bool = False) -> tuple[Atom, ...]:
    """Run `step(scope, index, carried)` for every index; with `leave`, until carried[0] holds."""
    if isinstance(extent, Constant) and extent.value == 1:
        return tuple(step(scope, integer(0), tuple(carried)))
    inner = scope.inner(movable=True, loop=True)
    index = Value(_INDICES[min(scope.nesting, len(_INDICES) - 1)], INT)
    inners = tuple(_like(scope, name, init) for name, init in zip(names, carried, strict=True))
    inner.here.update((index, *inners))
    for init, value in zip(carried, inners, strict=True):
        if isinstance(init, Value) and isinstance(init.type, Array):
            inner.carries(init, value)
    ends = step(inner, index, inners)
    results = tuple(_like(scope, name, init) for name, init in zip(names, carried, strict=True))
    scope.append(Loop(index, integer(0), extent, integer(1),
                      tuple(map(Carried, carried, inners, ends, results)),
                      inner.block, ends[0] if leave else None, None, scope.origin))
    return results


def nest(scope: Scope, extents: Sequence[Extent], carried: Sequence[Atom], names: Sequence[str],
         body: Body, *, leave: bool = False) -> tuple[Atom, ...]:
    """One loop for each extent, the last innermost."""
    atoms = [scope.atom_of(e) for e in extents]

    def level(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> tuple[Atom, ...]:
        if len(indices) == len(atoms):
            return tuple(body(inner, indices, state))
        return loop(inner, atoms[len(indices)], state, names,
                    lambda s, i, c: level(s, (*indices, i), c), leave=leave)

    return level(scope, (), tuple(carried))


def fill(scope: Scope, base: Value, extents: Sequence[Extent], write: Write,
         name: str = "") -> Value:
    """Carry `base` through a nest in which `write` makes its next version."""
    def body(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> Sequence[Atom]:
        assert isinstance(state[0], Value)
        return (write(inner, state[0], indices),)

    (result,) = nest(scope, extents, (base,), (name or base.name,), body)
    assert isinstance(result, Value)
    return result


def put(scope: Scope, array: Atom, indices: Indices, value: Atom, op: str = "update") -> Atom:
    """The version of `array` with one element written (or added to)."""
    value = scope.cast(value, array.type.dtype)
    return scope.let(op, array, *indices, value, name=_name(array),
                     index=("int",) * len(indices))


def element(scope: Scope, array: Atom, indices: Indices) -> Atom:
    return scope.let("load", array, *indices, index=("int",) * len(indices), name=_name(array))


def branch(scope: Scope, test: Atom, then: Callable[[Scope], Sequence[Atom]],
           otherwise: Sequence[Atom], names: Sequence[str]) -> tuple[Atom, ...]:
    """`then` where the test holds, the atoms `otherwise` elsewhere."""
    arm = scope.inner()
    ends = then(arm)
    results = tuple(_like(scope, name, atom) for name, atom in zip(names, otherwise, strict=True))
    scope.append(Branch(test, arm.block, (), tuple(map(Join, ends, otherwise, results)),
                        scope.origin))
    return results


def raise_if(scope: Scope, test: Atom, exception: type[BaseException],
             message: tuple[str | Atom, ...]) -> None:
    scope.append(Branch(test, (Raise(exception, message, scope.origin),), (), (), scope.origin))


def empty(scope: Scope, extents: Sequence[Extent], dtype: str, name: str,
          op: str = "empty") -> Value:
    """Fresh memory."""
    result = scope.let(op, *(scope.atom_of(e) for e in extents), name=name, dtype=dtype)
    assert isinstance(result, Value)
    scope.facts.extents[result] = tuple(extents)
    return result


def constant(value: bool | int | float | complex, dtype: str) -> Constant:
    return number(value, Scalar(dtype))


def _like(scope: Scope, name: str, init: Atom) -> Value:
    """A value of the type and extents of `init`."""
    type: Type = init.type if isinstance(init.type, Array) else Scalar(init.type.dtype,
                                                                       init.type.weak)
    value = Value(name, type)
    if isinstance(type, Array):
        scope.facts.extents[value] = scope.facts.of(init)
    return value


def _name(array: Atom) -> str:
    return array.name if isinstance(array, Value) else "t"
