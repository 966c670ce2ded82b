"""Scans: every element of an axis depends on the one before it.

    before   b = cumsum(a, axis=1)        after   loop i, loop j carrying r:
                                                  r = r + a[i, j]; b[i, j] = r
    before   b = cumprod(a, axis=0)       after   loop i, loop j:
                                                  b[i, j] = b[i - 1, j] * a[i, j] if i else a[i, j]

Where the scanned axis is the last one, the running value is a number; else rows are computed from
the rows before them, so that memory is read in order and the elements of a row are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrograd.backend.lowering.context import Context, Lowered, converted
from retrograd.backend.lowering.lazy import Extents, Lazy
from retrograd.backend.lowering.nest import Indices, constant, element, empty, nest, put
from retrograd.backend.lowering.scope import Scope
from retrograd.ir.nodes import Atom, Let, integer


@dataclass(frozen=True, slots=True)
class _Running:
    """`y[k] = y[k - 1] op x[k]`"""

    op: str
    x: Lazy

    @property
    def start(self) -> int:
        return 0 if self.op == "add" else 1

    def number(self, scope: Scope, here: Indices, first: Atom, running: Atom) -> tuple[Atom, Atom]:
        """The element and what is carried to the next one."""
        new = scope.let(self.op, running, self.x.at(scope, here), name="running", weak=False)
        return new, new

    def in_row(self, scope: Scope, here: Indices, near: Indices, before: Atom,
               ) -> tuple[Atom, Atom]:
        """The element where it is the first one, and where another one is before it."""
        new = self.x.at(scope, here)
        return new, scope.let(self.op, before, new, name="running", weak=False)


@dataclass(frozen=True, slots=True)
class _Recurrence:
    """`y[k] = terms[k] + factors[k] * y[k - 1]`; backwards with k + 1, also of the factors. The
    first factor is not used: it may be inf."""

    factors: Lazy
    terms: Lazy
    backwards: bool
    start = 0

    def number(self, scope: Scope, here: Indices, first: Atom, running: Atom) -> tuple[Atom, Atom]:
        term, factor = self.terms.at(scope, here), self.factors.at(scope, here)
        if self.backwards:                  # what is carried is the product
            new = scope.let("add", term, running, name="running", weak=False)
            return new, scope.let("multiply", factor, new, name="running", weak=False)
        zero = constant(0, self.factors.type.dtype)
        factor = scope.let("where", first, zero, factor, name="factor", weak=False)
        product = scope.let("multiply", factor, running, name="t", weak=False)
        new = scope.let("add", term, product, name="running", weak=False)
        return new, new

    def in_row(self, scope: Scope, here: Indices, near: Indices, before: Atom,
               ) -> tuple[Atom, Atom]:
        term = self.terms.at(scope, here)
        factor = self.factors.at(scope, near if self.backwards else here)
        product = scope.let("multiply", factor, before, name="t", weak=False)
        return term, scope.let("add", term, product, name="running", weak=False)


@dataclass(frozen=True, slots=True)
class _Scan:
    """A scan along an axis, from its first element or its last."""

    extents: Extents
    axis: int
    backwards: bool
    name: str
    dtype: str
    step: _Running | _Recurrence

    @property
    def innermost(self) -> bool:
        """Whether memory is read in order when the scanned axis is."""
        return all(e.known == 1 for e in self.extents[self.axis + 1:])

    def first(self, scope: Scope, k: Atom) -> Atom:
        return scope.let("equal", k, integer(0), name="first")

    def place(self, scope: Scope, k: Atom) -> Atom:
        """The index along the axis in iteration k."""
        if not self.backwards:
            return k
        last = scope.minus(scope.atom_of(self.extents[self.axis]), integer(1))
        return scope.minus(last, k)

    def at(self, indices: Indices, k: Atom) -> Indices:
        return (*indices[:self.axis], k, *indices[self.axis + 1:])


def scan(context: Context, scope: Scope, let: Let) -> Lowered:
    """`cumsum`, `cumprod` and `recurrence`."""
    dtype = let.result.type.dtype
    operands = [converted(context.operand(scope, a), dtype) for a in let.args]
    extents, axis = operands[0].extents, let.static["axis"] % operands[0].rank
    backwards = let.static.get("backwards", False)
    step = _Recurrence(operands[0], operands[1], backwards) if let.op == "recurrence" \
        else _Running("add" if let.op == "cumsum" else "multiply", operands[0])
    job = _Scan(extents, axis, backwards, let.result.name, dtype, step)
    base = empty(scope, extents, dtype, job.name)
    return _numbers(scope, job, base) if job.innermost else _rows(scope, job, base)


def _numbers(scope: Scope, job: _Scan, base: Atom) -> Atom:
    """A running number for each row of the scanned axis."""
    others = tuple(e for a, e in enumerate(job.extents) if a != job.axis)

    def row(inner: Scope, outer: Indices, state: tuple[Atom, ...]) -> Sequence[Atom]:
        def body(deeper: Scope, k: Indices, now: tuple[Atom, ...]) -> Sequence[Atom]:
            here = (*outer[:job.axis], job.place(deeper, *k), *outer[job.axis:])
            new, running = job.step.number(deeper, here, job.first(deeper, *k), now[1])
            return put(deeper, now[0], here, new), running

        return nest(inner, (job.extents[job.axis],),
                    (state[0], constant(job.step.start, job.dtype)), (job.name, "running"),
                    body)[:1]

    return nest(scope, others, (base,), (job.name,), row)[0]


def _rows(scope: Scope, job: _Scan, base: Atom) -> Atom:
    """Each row from the one before it."""
    def body(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> Sequence[Atom]:
        k = indices[job.axis]
        first = job.first(inner, k)
        before = inner.let("where", first, k, inner.minus(k, integer(1)), name="before", weak=False)
        here, near = (job.at(indices, job.place(inner, place)) for place in (k, before))
        start, other = job.step.in_row(inner, here, near, element(inner, state[0], near))
        new = inner.let("where", first, start, other, name="running", weak=False)
        return (put(inner, state[0], here, new),)

    return nest(scope, job.extents, (base,), (job.name,), body)[0]
