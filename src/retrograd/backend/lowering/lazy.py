"""Arrays that need not be in memory: a function from indices to an element.

    before   b = exp(a); c = sum(b)          after   sum of exp(load(a, i)), without b

Whether an array stays lazy is decided in `context.py`: when it is used once, in its own block, or
when it is *free*: nothing but a view of something or a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from retrograd.backend.lowering.nest import Indices, element
from retrograd.backend.lowering.scope import Scope
from retrograd.ir.extents import Extent
from retrograd.ir.nodes import Atom, Value, integer
from retrograd.ir.types import Array

Extents = tuple[Extent, ...]
Axis = tuple[int | None, Atom, int]     # (axis of the view or None, start, step)
Map = tuple[object, ...]                # for each axis of a stored array the `Axis` that reads it,
#                                         or maps one after the other (`after`)
Reads = Mapping[Value, Map | None]      # None: read in another order
CHEAP = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Lazy:
    """`compute(scope, indices)` emits one element; indices count from the front.

    reads     the arrays in memory that elements come from, and how
    cost      of one element
    free      no arithmetic: to evaluate it again costs what a load costs
    loops     an element takes a loop, so that it cannot be moved out of one
    wraps     negative indices are understood
    depth     the length of its longest chain of operations
    make      emits the whole array as fresh memory, in one statement
    contiguous  emits a real view, contiguous in C or F order, without copying
    whole     emits all of an array in another shape: its memory may be taken over
    array     the array in memory of which the elements are, if they are nothing but that; element
              i is its element `place(i)`
    """

    type: Array
    extents: Extents
    compute: Callable[[Scope, Indices], Atom]
    reads: Reads
    cost: float = 1.0
    free: bool = False
    loops: bool = False
    wraps: bool = False
    depth: int = 1
    make: Callable[[Scope, str], Value] | None = None
    contiguous: Callable[[Scope], Value] | None = None
    layout: str = "A"
    whole: Callable[[Scope], Value] | None = None
    array: Value | None = None
    place: Callable[[Scope, Indices], Indices] = lambda scope, indices: indices

    @property
    def rank(self) -> int:
        return len(self.extents)

    def at(self, scope: Scope, indices: Indices) -> Atom:
        key = (self, indices)
        found = scope.recall(key)
        if found is None:
            found = self.compute(scope, indices)
            scope.remember(key, found)
        return found

    def over(self, array: Value) -> Lazy:
        """The same part of another version of its array."""
        how = None if self.array is None else self.reads[self.array]
        return Lazy(self.type, self.extents, lambda s, i: element(s, array, self.place(s, i)),
                    {array: how}, self.cost, self.free, wraps=self.wraps, depth=self.depth,
                    array=array, place=self.place)

    def broadcast(self, scope: Scope, indices: Indices) -> Atom:
        """The element that broadcasting to an array with these indices takes."""
        return self.at(scope, broadcast_indices(self.extents, indices))


def broadcast_indices(extents: Extents, indices: Indices) -> Indices:
    shift = len(indices) - len(extents)
    return tuple(integer(0) if e.known == 1 or axis + shift < 0 else indices[axis + shift]
                 for axis, e in enumerate(extents))


def array_type(dtype: str, extents: Extents, layout: str = "C") -> Array:
    return Array(dtype, tuple(1 if e.known == 1 else None for e in extents), layout)


def identity(rank: int) -> Map:
    return tuple((axis, integer(0), 1) for axis in range(rank))


def stored(scope: Scope, array: Value) -> Lazy:
    """An array in memory."""
    assert isinstance(array.type, Array)
    layout = array.type.layout
    extents = scope.facts.of(array)
    contiguous = (lambda _: array) if layout in "CF" else None
    return Lazy(array.type, extents, lambda s, i: element(s, array, i),
                {array: identity(len(extents))}, free=True, wraps=True,
                make=(lambda s, name: _copied(s, array, name)) if layout == "C" else None,
                contiguous=contiguous, layout=layout, array=array)


def _copied(scope: Scope, array: Value, name: str) -> Value:
    result = scope.let("copy", array, name=name)
    assert isinstance(result, Value)
    return result


def scalar(atom: Atom) -> Lazy:
    """A number as an array of rank 0."""
    return Lazy(Array(atom.type.dtype, ()), (), lambda s, i: atom, {}, cost=0.0, free=True,
                depth=0)


def merged(parts: Iterable[Reads]) -> Reads:
    """What an operation reads that reads all of these; two orders for one array make None."""
    result: dict[Value, Map | None] = {}
    for reads in parts:
        for array, how in reads.items():
            result[array] = how if result.get(array, how) == how else None
    return result


def reordered(reads: Reads) -> Reads:
    return dict.fromkeys(reads)


def after(reads: Reads, how: Map | None, rank: int) -> Reads:
    """How what reads by `how` something of so many axes reads what that reads."""
    whole = identity(rank)
    return {array: how if old == whole else
            None if old is None or how is None else ("after", old, how)
            for array, old in reads.items()}
