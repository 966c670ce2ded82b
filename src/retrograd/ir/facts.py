"""What is known about shapes and ints: extents of arrays, ints as affine expressions of extents and
other ints, the ranges of loop indices, and equations.

    n = dim(x, 0)            n is the first extent of x
    m = subtract(n, 1)       m is n - 1
    for i in range(m):       0 <= i <= n - 2, so that i + 1 is within x
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retrograd.ir.extents import Extent, Root, Term, nonnegative, product, root, substituted
from retrograd.ir.nodes import Atom, Constant, Value
from retrograd.ir.types import Scalar

Extents = tuple[Extent, ...]
_SAME = {"add": Extent.__add__, "subtract": Extent.__sub__, "multiply": product}


@dataclass
class Facts:
    """What is known about extents here: those of values, and equations that hold from here on.

    `extents` only grows, so the blocks of one function share it; equations belong to a block.
    `arguments` are arrays whose unknown extents are certainly not 1.
    """

    extents: dict[Value, Extents] = field(default_factory=dict)
    integers: dict[Value, Extent] = field(default_factory=dict)
    bounds: dict[Value, tuple[Extent, Extent]] = field(default_factory=dict)
    equal: dict[Term, Extent] = field(default_factory=dict)
    checked: set[tuple[Extent, Extent]] = field(default_factory=set)
    arguments: set[Value] = field(default_factory=set)

    def inner(self) -> Facts:
        return Facts(self.extents, self.integers, self.bounds, dict(self.equal),
                     set(self.checked), self.arguments)

    def of(self, atom: Atom) -> Extents:
        if isinstance(atom, Constant) or isinstance(atom.type, Scalar):
            return ()
        found = self.extents.get(atom)
        if found is None:
            found = tuple(Extent(1) if d == 1 else root(atom, axis)
                          for axis, d in enumerate(atom.type.dims))
            self.extents[atom] = found
        return found

    def integer(self, atom: Atom) -> Extent:
        if isinstance(atom, Constant):
            return Extent(int(atom.value.real))
        return self.integers.get(atom) or root(atom)

    def note_integer(self, op: str, result: Value, args: Sequence[Atom],
                     static: Mapping[str, Any]) -> None:
        """Remember an int that is an affine expression of extents and other ints."""
        if op == "dim":
            self.integers[result] = self.of(args[0])[static["axis"]]
        elif op == "let":
            self.integers[result] = self.integer(args[0])
        elif op in _SAME and all(isinstance(a.type, Scalar) and a.type.dtype == "int64"
                                 for a in args):
            self.integers[result] = _SAME[op](*(self.integer(a) for a in args))
        elif op == "negative":
            self.integers[result] = self.integer(args[0]).scaled(-1)

    def rename(self, stand: Mapping[Value, Value]) -> None:
        """Speak of the values that stand for others, which are gone."""
        new: dict[Term, Extent] = {Root(old): root(stand[old]) for old in stand}
        new.update((Root(old, axis), root(stand[old], axis)) for old in stand
                   for axis in range(old.type.rank))
        if not new:
            return
        for value, extents in self.extents.items():
            self.extents[value] = tuple(substituted(e, new) for e in extents)
        for value, extent in self.integers.items():
            self.integers[value] = substituted(extent, new)
        for value, (low, high) in self.bounds.items():
            self.bounds[value] = (substituted(low, new), substituted(high, new))
        self.equal.update((substituted(Extent(0, ((term, 1),)), new).terms[0][0],
                           substituted(extent, new)) for term, extent in self.equal.copy().items())

    def equate(self, a: Extent, b: Extent) -> None:
        """From here on a == b: one of their roots is expressed by the rest."""
        difference = substituted(a, self.equal) - substituted(b, self.equal)
        for term, factor in reversed(difference.terms):
            if factor in (1, -1) and isinstance(term, Root):
                rest = difference - Extent(0, ((term, factor),))
                self.equal[term] = rest.scaled(-factor)
                return

    def within(self, index: Extent, extent: Extent) -> bool:
        """Whether -extent <= index < extent is known (loop indices have `bounds`)."""
        if (index, extent) in self.checked:
            return True
        extent = substituted(extent, self.equal)
        low, high = (self._extreme(substituted(index, self.equal), end) for end in (0, 1))
        return nonnegative(substituted(extent + low, self.equal)) and nonnegative(
            substituted(extent - high - 1, self.equal))

    def _extreme(self, extent: Extent, end: int) -> Extent:
        """The extent with loop indices at the end of their range that makes it least (0) or
        greatest (1); outer loops' indices are replaced in turn."""
        for _ in range(8):
            terms = {t.value: (t, f) for t, f in extent.terms
                     if isinstance(t, Root) and t.value in self.bounds and t.axis is None}
            if not terms:
                break
            term, factor = next(terms[v] for v in reversed(self.bounds) if v in terms)
            bound = self.bounds[term.value][end if factor > 0 else 1 - end]
            extent = extent - Extent(0, ((term, factor),)) + bound.scaled(factor)
        return extent

    def least(self, extent: Extent) -> Extent:
        """The least that an extent can be, for all the values of loop indices in it."""
        return substituted(self._extreme(substituted(extent, self.equal), 0), self.equal)

    def provably_equal(self, a: Extent, b: Extent) -> bool:
        return a == b or substituted(a, self.equal) == substituted(b, self.equal)
