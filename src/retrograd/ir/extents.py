"""Symbolic extents: what is known about the shape of every array before any call.

    extent = constant + sum(coefficient * term)
    term   = Root(value, axis)          an array's extent that nothing is known about
           | Root(value, None)          an int value of the program
           | Opaque(kind, extents)      "max", "min", "multiply", "floor_divide"

Two extents are provably equal when they have the same normal form. `x[1:-1]`, `x[:-2]` and
`x[2:]` all have the extent max(0, n - 2), so a stencil needs no check.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from retrograd.ir.nodes import Value


@dataclass(frozen=True, slots=True)
class Root:
    value: Value
    axis: int | None = None


@dataclass(frozen=True, slots=True)
class Opaque:
    kind: str
    args: tuple[Extent, ...]


Term = Root | Opaque


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    constant: int
    terms: tuple[tuple[Term, int], ...] = ()

    def _key(self) -> tuple[int, frozenset[tuple[Term, int]]]:
        return self.constant, frozenset(self.terms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Extent) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    @property
    def known(self) -> int | None:
        """The number, where it is one."""
        return None if self.terms else self.constant

    def __add__(self, other: Extent | int) -> Extent:
        other = as_extent(other)
        terms = dict(self.terms)
        for term, factor in other.terms:
            terms[term] = terms.get(term, 0) + factor
        return Extent(self.constant + other.constant,
                      tuple((t, f) for t, f in terms.items() if f))

    def __sub__(self, other: Extent | int) -> Extent:
        return self + as_extent(other).scaled(-1)

    def scaled(self, factor: int) -> Extent:
        if factor == 0:
            return Extent(0)
        return Extent(self.constant * factor, tuple((t, f * factor) for t, f in self.terms))


def as_extent(value: Extent | int) -> Extent:
    return value if isinstance(value, Extent) else Extent(value)


def root(value: Value, axis: int | None = None) -> Extent:
    return Extent(0, ((Root(value, axis), 1),))


def nonnegative(extent: Extent) -> bool:
    """Whether the extent is provably >= 0, taking every array extent as >= 0."""
    return extent.constant >= 0 and all(f > 0 and _term_nonnegative(t) for t, f in extent.terms)


def _term_nonnegative(term: Term) -> bool:
    if isinstance(term, Root):
        return term.axis is not None
    if term.kind == "max":
        return any(nonnegative(a) for a in term.args)
    return all(nonnegative(a) for a in term.args)


Least = Callable[[Extent], Extent]       # the least that an extent can be, for all loop indices


def largest(a: Extent, b: Extent, least: Least = lambda e: e) -> Extent:
    if nonnegative(least(a - b)):
        return a
    if nonnegative(least(b - a)):
        return b
    return Extent(0, ((Opaque("max", (a, b)), 1),))


def smallest(a: Extent, b: Extent, least: Least = lambda e: e) -> Extent:
    if nonnegative(least(a - b)):
        return b
    if nonnegative(least(b - a)):
        return a
    return Extent(0, ((Opaque("min", (a, b)), 1),))


def product(a: Extent, b: Extent) -> Extent:
    if a.known is not None:
        return b.scaled(a.known)
    if b.known is not None:
        return a.scaled(b.known)
    first, second = sorted((_factors(a), _factors(b)), key=len, reverse=True)
    return Extent(0, ((Opaque("multiply", (*first, *second)), 1),))


def _factors(extent: Extent) -> tuple[Extent, ...]:
    if extent.constant == 0 and len(extent.terms) == 1:
        term, factor = extent.terms[0]
        if factor == 1 and isinstance(term, Opaque) and term.kind == "multiply":
            return term.args
    return (extent,)


def floor_divided(a: Extent, divisor: int) -> Extent:
    if divisor == 1:
        return a
    if a.known is not None:
        return Extent(a.known // divisor)
    if a.constant % divisor == 0 and all(f % divisor == 0 for _, f in a.terms):
        return Extent(a.constant // divisor, tuple((t, f // divisor) for t, f in a.terms))
    return Extent(0, ((Opaque("floor_divide", (a, Extent(divisor))), 1),))


def slice_extent(n: Extent, start: Extent | None, stop: Extent | None, step: int,
                 least: Least = lambda e: e) -> Extent | None:
    """The extent of `a[start:stop:step]`, or None where the signs of the bounds are not known.

    A bound is written from the front (a non-negative extent) or from the back (a negative
    constant), as in Python.
    """
    low = _bound(n, start, Extent(0) if step > 0 else n - 1, step, least)
    high = _bound(n, stop, n if step > 0 else Extent(-1), step, least)
    if low is None or high is None:
        return None
    span = high - low if step > 0 else low - high
    if step > 0 and n.known is None:
        span = _unclamped(n, start, stop, span)
    size = abs(step)
    return floor_divided(largest(Extent(0), span, least) + (size - 1), size)


def _unclamped(n: Extent, start: Extent | None, stop: Extent | None, span: Extent) -> Extent:
    """Constant margins at both ends need no clamping: max(0, n - a - b) is right for every n."""
    front = 0 if start is None else start.known
    back = 0 if stop is None else stop.known
    if front is None or back is None or front < 0 or (stop is not None and back >= 0):
        return span
    return n - front + back


def _bound(n: Extent, bound: Extent | None, default: Extent, step: int, least: Least,
           ) -> Extent | None:
    """A slice bound clamped as Python does, counted from the front."""
    if bound is None:
        return default
    floor, ceiling = (Extent(0), n) if step > 0 else (Extent(-1), n - 1)
    if bound.known is not None and bound.known < 0:
        return largest(n + bound, floor, least)
    if nonnegative(least(bound)):
        return smallest(bound, ceiling, least)
    return None


def at_most_one(low: Extent | None, high: Extent | None) -> bool:
    """Whether a slice has one element, or none: `x[:1]`, `x[k:k + 1]`, `x[-1:]`. It is taken to
    have one, because a result broadcasts differently then."""
    if low is None or high is None:
        return (high is not None and high.known == 1) if low is None else (
            high is None and low.known == -1)
    return (high - low).known == 1


def mentions(extent: Extent, values: Collection[Value]) -> bool:
    """Whether an extent is made of one of these values."""
    return any(t.value in values if isinstance(t, Root) else any(
        mentions(a, values) for a in t.args) for t, _ in extent.terms)


def substituted(extent: Extent, known: Mapping[Term, Extent]) -> Extent:
    """The extent with some terms replaced by what they are known to equal."""
    total = Extent(extent.constant)
    for term, factor in extent.terms:
        new = known.get(term)
        if new is None and isinstance(term, Opaque):
            args = tuple(substituted(a, known) for a in term.args)
            new = Extent(0, ((Opaque(term.kind, args), 1),)) if args != term.args else None
        total = total + (Extent(0, ((term, 1),)) if new is None else new).scaled(factor)
    return total
