"""The most and the least that an extent can be, in terms of what is defined before a loop.

    for i in range(n):
        for j in range(i, n):              i <= j, and 0 <= i: 0 <= j <= n - 1
            for k in range(n - j):         at the most n iterations
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from retrograd.adjoint.scopes import Places, Scope
from retrograd.ir.extents import (
    Extent,
    Opaque,
    Term,
    floor_divided,
    largest,
    nonnegative,
    product,
    smallest,
)
from retrograd.ir.facts import Facts

Span = tuple[Extent, Extent]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known of extents before `loop`; indices inside it have a range."""

    places: Places
    facts: Facts
    loop: Scope

    def of(self, extent: Extent) -> Span | None:
        """The least and the most; None where that is not known before the loop."""
        low = high = Extent(extent.constant)
        for term, factor in extent.terms:
            span = self._term(term)
            if span is None:
                return None
            first, last = (s.scaled(factor) for s in (span if factor > 0 else span[::-1]))
            low, high = low + first, high + last
        return low, high

    def _term(self, term: Term) -> Span | None:
        if isinstance(term, Opaque):
            return self._opaque(term)
        if term.value not in self.places.scope or not self.places.inside(term.value, self.loop):
            return Extent(0, ((term, 1),)), Extent(0, ((term, 1),))
        bounds = self.facts.bounds.get(term.value) if term.axis is None else None
        if bounds is None:
            return None
        first, last = self.of(bounds[0]), self.of(bounds[1])
        return None if first is None or last is None else (first[0], last[1])

    def _opaque(self, term: Opaque) -> Span | None:
        found = [self.of(a) for a in term.args]
        spans = [s for s in found if s is not None]
        if len(spans) < len(found):
            return None
        if all(low == high == a for (low, high), a in zip(spans, term.args, strict=True)):
            return Extent(0, ((term, 1),)), Extent(0, ((term, 1),))
        match term.kind:
            case "max":
                low, high = (functools.reduce(largest, ends) for ends in zip(*spans, strict=True))
            case "min":
                low, high = (functools.reduce(smallest, ends) for ends in zip(*spans, strict=True))
            case "multiply":
                low, high = functools.reduce(_product, spans)
            case _:
                divisor = term.args[1].known
                if divisor is None or divisor <= 0:
                    return None
                low, high = (floor_divided(end, divisor) for end in spans[0])
        return low, high


def _product(a: Span, b: Span) -> Span:
    """A product lies between those of the ends, whatever their signs are."""
    if nonnegative(a[0]) and nonnegative(b[0]):
        return product(a[0], b[0]), product(a[1], b[1])
    ends = [product(x, y) for x in dict.fromkeys(a) for y in dict.fromkeys(b)]
    return functools.reduce(smallest, ends), functools.reduce(largest, ends)
