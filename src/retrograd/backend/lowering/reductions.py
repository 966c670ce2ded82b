"""Reductions over static axes.

    before   b = sum(a, axes=(1,))             after   b[i] = the sum over j of a[i, j]: lazy
    before   b = max(a, axes=(0,))             after   loop i, loop j carrying b:
                                                       b[j] = maximum(b[j], a[i, j])

Where the last axis is reduced, a result is a number at a time, and the reduction is lazy; where it
is kept, rows are accumulated in the result, so that memory is read in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from retrograd.backend.lowering.context import Context, Lowered, converted
from retrograd.backend.lowering.lazy import Extents, Lazy, array_type, reordered
from retrograd.backend.lowering.nest import (
    Indices,
    constant,
    element,
    empty,
    fill,
    nest,
    put,
    raise_if,
)
from retrograd.backend.lowering.scope import Scope
from retrograd.backend.lowering.sums import total
from retrograd.ir.extents import nonnegative
from retrograd.ir.nodes import Atom, Let, integer
from retrograd.ir.operations import OPERATIONS
from retrograd.ir.types import Array, kind

_STEP = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum",
         "any": "logical_or", "all": "logical_and"}
_EMPTY = {
    "max": "zero-size array to reduction operation maximum which has no identity",
    "min": "zero-size array to reduction operation minimum which has no identity",
    "argmax": "attempt to get argmax of an empty sequence",
    "argmin": "attempt to get argmin of an empty sequence",
}


@dataclass(frozen=True, slots=True)
class _Reduction:
    """One reduction of `lazy`; `axes` of extent 1 take index 0."""

    op: str
    lazy: Lazy
    axes: tuple[int, ...]
    name: str
    dtype: str

    @property
    def kept(self) -> tuple[int, ...]:
        return tuple(a for a in range(self.lazy.rank) if a not in self.axes)

    @property
    def looped(self) -> tuple[int, ...]:
        return tuple(a for a in self.axes if self.lazy.extents[a].known != 1)

    def extents(self, axes: Sequence[int]) -> Extents:
        return tuple(self.lazy.extents[a] for a in axes)

    def at(self, scope: Scope, kept: Indices, reduced: Indices) -> Atom:
        where = dict(zip((*self.kept, *self.looped), (*kept, *reduced), strict=True))
        return self.lazy.at(scope, tuple(where.get(a, integer(0))
                                         for a in range(self.lazy.rank)))


def reduction(context: Context, scope: Scope, let: Let) -> Lowered:
    lazy = _as_operand(context.operand(scope, let.args[0]), let)
    given = let.static["axes"]
    axes = tuple(range(lazy.rank)) if given is None else tuple(sorted(a % lazy.rank for a in given))
    job = _Reduction(let.op, lazy, axes, let.result.name, let.result.type.dtype)
    if let.op in _EMPTY:
        _check_size(scope, job)
    if not isinstance(let.result.type, Array):
        return _one(scope, job, ())
    if _by_rows(job):
        return _rows(scope, job)
    return Lazy(array_type(job.dtype, job.extents(job.kept), "A"), job.extents(job.kept),
                lambda s, kept: _one(s, job, kept), reordered(lazy.reads),
                cost=OPERATIONS[let.op].cost + lazy.cost, loops=True, depth=5 + lazy.depth)


def _as_operand(lazy: Lazy, let: Let) -> Lazy:
    """The elements in the dtype in which they are reduced."""
    if let.op in ("any", "all"):
        return lazy if lazy.type.dtype == "bool" else _truth(lazy)
    return converted(lazy, let.result.type.dtype) if let.op in ("sum", "prod") else lazy


def _truth(lazy: Lazy) -> Lazy:
    zero = constant(0, lazy.type.dtype)
    return Lazy(array_type("bool", lazy.extents, "A"), lazy.extents,
                lambda s, i: s.let("not_equal", lazy.at(s, i), zero, name="true", weak=False),
                lazy.reads, lazy.cost + 1.0, loops=lazy.loops, depth=lazy.depth + 1)


def _check_size(scope: Scope, job: _Reduction) -> None:
    """NumPy's error for a reduction of nothing that has no identity."""
    tests = [_is_empty(scope, job, axis) for axis in job.looped
             if not nonnegative(job.lazy.extents[axis] + -1)]
    if not tests:
        return
    test = _joined(scope, "logical_or", tests)
    if not job.op.startswith("arg"):
        some = [scope.let("not_equal", scope.atom_of(job.lazy.extents[a]), integer(0), name="some")
                for a in job.kept if not nonnegative(job.lazy.extents[a] + -1)]
        test = _joined(scope, "logical_and", [test, *some])
    raise_if(scope, test, ValueError, (_EMPTY[job.op],))


def _is_empty(scope: Scope, job: _Reduction, axis: int) -> Atom:
    return scope.let("equal", scope.atom_of(job.lazy.extents[axis]), integer(0), name="nothing")


def _joined(scope: Scope, op: str, tests: Sequence[Atom]) -> Atom:
    first, *rest = tests
    for test in rest:
        first = scope.let(op, first, test, name="nothing")
    return first


# --- a number at a time ------------------------------------------------------------------------


def _one(scope: Scope, job: _Reduction, kept: Indices) -> Atom:
    """The result at the indices `kept`."""
    extents = job.extents(job.looped)
    if job.op in ("argmax", "argmin"):
        return _position(scope, job, kept)
    if not extents:
        return job.at(scope, kept, ())
    if job.op == "sum":
        return total(scope, lambda s, i: job.at(s, kept, i), extents, job.dtype, job.name,
                     compensated=True)
    logical = job.op in ("any", "all")
    if job.op == "all":
        return _negated(scope, job, kept)

    def body(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> Sequence[Atom]:
        return (inner.let(_STEP[job.op], state[0], job.at(inner, kept, indices), name=job.name,
                          weak=False),)

    start = _start(scope, job, kept)
    return nest(scope, extents, (start,), (job.name,), body, leave=logical)[0]


def _negated(scope: Scope, job: _Reduction, kept: Indices) -> Atom:
    """`all`: not any is false; the loop ends at the first that is."""
    def body(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> Sequence[Atom]:
        false = inner.let("logical_not", job.at(inner, kept, indices), name="false")
        return (inner.let("logical_or", state[0], false, name="false", weak=False),)

    (found,) = nest(scope, job.extents(job.looped), (constant(False, "bool"),), ("false",), body,
                    leave=True)
    return scope.let("logical_not", found, name=job.name, weak=False)


def _start(scope: Scope, job: _Reduction, kept: Indices) -> Atom:
    """What a reduction starts from; integers have no infinity, so the first element."""
    start = _identity(job)
    return job.at(scope, kept, (integer(0),) * len(job.looped)) if start is None else start


def _identity(job: _Reduction) -> Atom | None:
    if job.op in ("max", "min"):
        if kind(job.dtype) == "f":
            return constant(-np.inf if job.op == "max" else np.inf, job.dtype)
        return constant(job.op == "min", "bool") if job.dtype == "bool" else None
    return constant({"sum": 0, "prod": 1, "any": False}[job.op], job.dtype)


def _position(scope: Scope, job: _Reduction, kept: Indices) -> Atom:
    """`argmax` and `argmin`: the first best element; nan is better than any number."""
    extents = job.extents(job.looped)
    if not extents:
        return integer(0)
    better = "greater" if job.op == "argmax" else "less"
    dtype = job.lazy.type.dtype
    sizes = [scope.atom_of(e) for e in extents]
    first = job.at(scope, kept, (integer(0),) * len(extents))

    def body(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> Sequence[Atom]:
        best, place = state
        new = job.at(inner, kept, indices)
        wins = inner.let(better, new, best, name="better", weak=False)
        if kind(dtype) in "fc":
            wins = _or_first_nan(inner, wins, new, best)
        flat: Atom = integer(0)
        for index, size in zip(indices, sizes, strict=True):
            flat = inner.plus(inner.times(flat, size), index)
        return (inner.let("where", wins, new, best, name="best", weak=False),
                inner.let("where", wins, flat, place, name=job.name, weak=False))

    return nest(scope, extents, (first, integer(0)), ("best", job.name), body)[1]


def _or_first_nan(scope: Scope, wins: Atom, new: Atom, best: Atom) -> Atom:
    is_nan = scope.let("isnan", new, name="is_nan")
    number = scope.let("logical_not", scope.let("isnan", best, name="was_nan"), name="number")
    return scope.let("logical_or", wins, scope.let("logical_and", is_nan, number, name="nan"),
                     name="better")


# --- a row at a time ---------------------------------------------------------------------------


def _by_rows(job: _Reduction) -> bool:
    """Whether the innermost axis is kept and an outer one reduced."""
    if not job.looped or job.op not in ("sum", "prod", "max", "min"):
        return False
    inner = [a for a in job.kept if job.lazy.extents[a].known != 1]
    return bool(inner) and inner[-1] > job.looped[-1]


def _rows(scope: Scope, job: _Reduction) -> Atom:
    extents = job.extents(job.kept)
    identity = _identity(job)
    start: Callable[[Scope, Indices], Atom]
    if identity is None:
        first = (integer(0),) * len(job.looped)
        start = lambda s, i: job.at(s, i, first)  # noqa: E731
    else:
        start = lambda s, i: identity  # noqa: E731
    base = empty(scope, extents, job.dtype, job.name, "zeros" if job.op == "sum" else "empty")
    if job.op != "sum":
        base = fill(scope, base, extents, lambda s, array, i: put(s, array, i, start(s, i)))

    def write(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> Sequence[Atom]:
        where = dict(zip(range(job.lazy.rank), indices, strict=True))
        kept = tuple(where[a] for a in job.kept)
        new = job.lazy.at(inner, indices)
        old = element(inner, state[0], kept)
        return (put(inner, state[0], kept,
                    inner.let(_STEP[job.op], old, new, name=job.name, weak=False)),)

    return nest(scope, job.lazy.extents, (base,), (job.name,), write)[0]
