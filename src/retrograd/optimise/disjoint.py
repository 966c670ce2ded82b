"""Places of single elements: which are certainly the same, and which are certainly different.

    A[i, j]   A[i, k]   with k in range(j)          apart: k < j, and neither is negative
    A[i + 1]  A[1 + i]                              the same
    A[i]      A[j]      with two ints               not known
    A[i - 1]  A[i]      with i in range(n)          not known: A[-1] may be the last element

What is known of ints comes from the statements that make them and from the ranges of loops. A
place is the tuple of ints of an index. Two places are compared where both are visible, or where
one is visible and the other is any that a loop comes to.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from retrograd.ir.extents import Extent, nonnegative, root
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Atom, Constant, Function, Let, Loop, Value, walk
from retrograd.ir.types import Scalar
from retrograd.optimise.shapes import shapes_of

Place = tuple[Atom, ...]


def place_of(let: Let) -> Place | None:
    """The place that a `load`, `update` or `add_at` names, if it is a single element."""
    if let.op not in ("load", "update", "add_at") or any(
            item != "int" for item in let.static["index"]):
        return None
    return let.args[1:] if let.op == "load" else let.args[1:-1]


@dataclass(eq=False, slots=True)
class Elements:
    """What is known of the ints and the shapes of a program."""

    facts: Facts
    _front: dict[Atom, Extent | None] = field(default_factory=dict)
    _different: dict[tuple[Atom, Atom], bool] = field(default_factory=dict)

    def same(self, a: Place, b: Place) -> bool:
        return all(x == y or self.facts.integer(x) == self.facts.integer(y)
                   for x, y in zip(a, b, strict=True))

    def apart(self, a: Place, b: Place) -> bool:
        """Whether two elements of one array are different ones, whatever the loop indices are."""
        return any(self._differ(x, y) for x, y in zip(a, b, strict=True) if x != y)

    def _differ(self, x: Atom, y: Atom) -> bool:
        if (x, y) not in self._different:
            first, second = self.front(x), self.front(y)
            self._different[x, y] = first is not None and second is not None and (
                self._positive(first - second) or self._positive(second - first))
        return self._different[x, y]

    def within(self, array: Value, place: Place) -> bool:
        """Whether a place is certainly one of this array."""
        return all(self.facts.within(self.facts.integer(atom), extent)
                   for atom, extent in zip(place, self.facts.of(array), strict=True))

    def key(self, array: Atom, place: Place) -> object:
        """Equal for places that exist or do not exist alike."""
        return self.facts.of(array), tuple(map(self.facts.integer, place))

    def front(self, atom: Atom) -> Extent | None:
        """A place along an axis, if it certainly counts from the front."""
        if atom not in self._front:
            place = self.facts.integer(atom)
            known = nonnegative(self.facts.least(place))
            self._front[atom] = place if known else None
        return self._front[atom]

    def _positive(self, extent: Extent) -> bool:
        return nonnegative(self.facts.least(extent) - 1)

    def runs(self, loop: Loop) -> bool:
        """Whether a loop certainly runs at least once."""
        start, stop = self.facts.integer(loop.start), self.facts.integer(loop.stop)
        return isinstance(loop.step, Constant) and self._positive(
            stop - start if loop.step.value.real > 0 else start - stop)


def elements(function: Function) -> Elements:
    """What the statements of a function say of ints, shapes and loop indices."""
    facts, shapes = Facts(), shapes_of(function)

    def known(extent: Atom | tuple[Value, int]) -> Extent:
        return root(*extent) if isinstance(extent, tuple) else facts.integer(extent)

    for statement in walk(function.body):
        if isinstance(statement, Let):
            result = statement.result
            if result in shapes.ints:
                facts.integers[result] = known(shapes.ints[result])
            elif isinstance(result.type, Scalar) and result.type.dtype == "int64":
                facts.note_integer(statement.op, result, statement.args, statement.static)
        elif isinstance(statement, Loop):
            _note_range(statement, facts)
    for array, shape in shapes.arrays.items():
        facts.extents[array] = tuple(map(known, shape))
    return Elements(facts)


def _note_range(loop: Loop, facts: Facts) -> None:
    if isinstance(loop.step, Constant) and loop.step.value:
        first, end = facts.integer(loop.start), facts.integer(loop.stop)
        facts.bounds[loop.index] = (first, end - 1) if loop.step.value.real > 0 \
            else (end + 1, first)
