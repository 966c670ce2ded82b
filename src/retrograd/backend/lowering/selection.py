"""The index of `view`, `take`, `update` and `add_at` as a map from target to array indices.

    index (int k, slice s::2, array p)      extents (n', |p|)
    place (i, j)                            (k, s + 2 i, p[j])

A mask becomes the index arrays of its true elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrograd.backend.lowering.context import Context, materialise
from retrograd.backend.lowering.elementwise import broadcast
from retrograd.backend.lowering.lazy import Axis, Extents, Lazy, Map, broadcast_indices, stored
from retrograd.backend.lowering.nest import Indices, branch, empty, nest, put
from retrograd.backend.lowering.scope import Scope
from retrograd.ir.extents import Extent, nonnegative, slice_extent
from retrograd.ir.index import Index, Slice, parts
from retrograd.ir.nodes import Atom, Effect, Value, integer


@dataclass(frozen=True, slots=True)
class Step:
    """A slice: `start + step * index` along axis `axis` of the target."""

    axis: int
    start: Atom
    step: int


@dataclass(frozen=True, slots=True)
class Selection:
    """`axes` say for each axis of the array what its index is: an atom, a step along an axis of
    the target, or an element of an index array (which stands at target axes `at` and on)."""

    extents: Extents
    axes: tuple[Atom | Step | Lazy, ...]
    at: int
    block: Extents
    masked: bool

    @property
    def gathered(self) -> tuple[Lazy, ...]:
        return tuple(a for a in self.axes if isinstance(a, Lazy))

    def may_wrap(self, axis: int) -> bool:
        """Whether the index of this axis may be negative, to count from the end."""
        return not isinstance(self.axes[axis], Step)

    def place(self, scope: Scope, indices: Indices) -> Indices:
        return tuple(self._along(scope, axis, indices) for axis in self.axes)

    def _along(self, scope: Scope, axis: Atom | Step | Lazy, indices: Indices) -> Atom:
        if isinstance(axis, Step):
            k = indices[axis.axis]
            if axis.step < 0:
                return scope.minus(axis.start, scope.times(integer(-axis.step), k))
            return scope.plus(axis.start, scope.times(integer(axis.step), k))
        if isinstance(axis, Lazy):
            block = indices[self.at:self.at + len(self.block)]
            return axis.at(scope, broadcast_indices(axis.extents, block))
        return axis

    @property
    def map(self) -> Map | None:
        """How the target reads the array, if only slices and ints are involved."""
        result: list[Axis] = []
        for axis in self.axes:
            if isinstance(axis, Lazy):
                return None
            result.append((axis.axis, axis.start, axis.step) if isinstance(axis, Step)
                          else (None, axis, 0))
        return tuple(result)


def select(context: Context, scope: Scope, extents: Extents, index: Index,
           atoms: tuple[Atom, ...], *, written: Value | None = None) -> Selection:
    """The selection that `index` makes in an array of these extents.

    Index arrays that read `written` go to memory: they are what they were before the write.
    """
    return _Reader(context, scope, extents, written).read(index, atoms)


class _Reader:
    def __init__(self, context: Context, scope: Scope, extents: Extents,
                 written: Value | None) -> None:
        self.context, self.scope, self.extents = context, scope, extents
        self.written = written
        self.target: list[Extent] = []
        self.axes: list[Atom | Step | Lazy] = []
        self.position: int | None = None
        self.separated = False
        self.masked = False

    def read(self, index: Index, atoms: tuple[Atom, ...]) -> Selection:
        for item, args in parts(index, atoms):
            if isinstance(item, Slice):
                self._slice(item, *args)
            elif item == "new":
                self.target.append(Extent(1))
            else:
                self._advanced(item, args[0])
        gathered = tuple(a for a in self.axes if isinstance(a, Lazy))
        if not gathered:
            return Selection(tuple(self.target), tuple(self.axes), 0, (), False)
        block = broadcast(gathered)
        at = 0 if self.separated else self.position or 0
        axes = tuple(Step(a.axis + (len(block) if a.axis >= at else 0), a.start, a.step)
                     if isinstance(a, Step) else a for a in self.axes)
        return Selection((*self.target[:at], *block, *self.target[at:]), axes, at, block,
                         self.masked)

    def _advanced(self, item: str, atom: Atom | None) -> None:
        assert atom is not None
        if self.position is not None and len(self.target) != self.position:
            self.separated = True
        self.position = len(self.target) if self.position is None else self.position
        if item == "int":
            self.axes.append(self.context.atom(self.scope, atom))
        elif item == "array":
            lazy = self.context.operand(self.scope, atom)
            if self.written in lazy.reads:
                lazy = stored(self.scope, materialise(self.scope, lazy, "index"))
            self.axes.append(self.context.repeatable(self.scope, lazy))
        else:
            self.masked = True
            self.axes += self._positions(self.context.operand(self.scope, atom))

    def _slice(self, item: Slice, start: Atom | None, stop: Atom | None) -> None:
        extent = self.extents[len(self.axes)]
        context, scope = self.context, self.scope
        low = None if start is None else context.atom(scope, start)
        high = None if stop is None else context.atom(scope, stop)
        first = first_index(scope, extent, low, item.step)
        bounds = [None if a is None else scope.facts.integer(a) for a in (low, high)]
        known = Extent(1) if item.one else slice_extent(
            extent, bounds[0], bounds[1], item.step, scope.facts.least)
        if known is None:
            known = _counted(scope, extent, first, high, item.step)
        self.axes.append(Step(len(self.target), first, item.step))
        self.target.append(known)

    def _positions(self, mask: Lazy) -> Sequence[Lazy]:
        """The indices of the mask's true elements, one array for each of its axes."""
        scope = self.scope
        self._check_shape(mask)
        mask = self.context.repeatable(scope, mask, "mask")

        def count(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> tuple[Atom, ...]:
            one = inner.cast(mask.at(inner, indices), "int64")
            return (inner.let("add", state[0], one, name="count"),)

        (total,) = nest(scope, mask.extents, (integer(0),), ("count",), count)
        extent = scope.facts.integer(total)
        names = [f"where_{axis}" for axis in range(mask.rank)]
        arrays = [empty(scope, (extent,), "int64", name) for name in names]

        def store(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> tuple[Atom, ...]:
            def then(arm: Scope) -> tuple[Atom, ...]:
                written = (put(arm, a, (state[0],), i)
                           for a, i in zip(state[1:], indices, strict=True))
                return (arm.plus(state[0], integer(1)), *written)

            return branch(inner, mask.at(inner, indices), then, state, ("count", *names))

        _, *filled = nest(scope, mask.extents, (integer(0), *arrays), ("count", *names), store)
        return [stored(scope, a) for a in filled]  # type: ignore[arg-type]

    def _check_shape(self, mask: Lazy) -> None:
        """NumPy's error for a mask that is not as large as what it selects from."""
        first = len(self.axes)
        for axis, extent in enumerate(mask.extents):
            size = self.extents[first + axis]
            if size != extent:
                message = ("boolean index did not match indexed array along axis "
                           f"{first + axis}; size of axis is ", 0,
                           " but size of corresponding boolean axis is ", 1)
                self.scope.append(Effect(
                    "check_equal", (self.scope.atom_of(size), self.scope.atom_of(extent)),
                    {"exception": IndexError, "message": message}, self.scope.origin))


def first_index(scope: Scope, extent: Extent, start: Atom | None, step: int) -> Atom:
    """Where a slice starts, if it is not empty."""
    if start is None:
        return integer(0) if step > 0 else scope.atom_of(extent + -1)
    bound = scope.facts.integer(start)
    if bound.known is not None and bound.known < 0:
        low = extent + bound
        if step < 0 or nonnegative(low):
            return scope.atom_of(low)
        return scope.let("maximum", integer(0), scope.atom_of(low), name="start")
    if bound.known is None and not nonnegative(bound):
        n = scope.atom_of(extent)
        back = scope.let("add", start, n, name="start")
        if step > 0:
            back = scope.let("maximum", integer(0), back, name="start")
        negative = scope.let("less", start, integer(0), name="negative")
        start = scope.let("where", negative, back, start, name="start")
    if step > 0:
        return start
    return scope.let("minimum", start, scope.atom_of(extent + -1), name="start")


def _counted(scope: Scope, extent: Extent, first: Atom, stop: Atom | None, step: int) -> Extent:
    """The number of elements of a slice whose bounds are known when it runs."""
    n = scope.atom_of(extent)
    last = _last(scope, n, stop, step)
    span = scope.minus(last, first) if step > 0 else scope.minus(first, last)
    if abs(step) > 1:
        span = scope.let("floor_divide", scope.plus(span, integer(abs(step) - 1)),
                         integer(abs(step)), name="n")
    return scope.facts.integer(scope.let("maximum", integer(0), span, name="n"))


def _last(scope: Scope, n: Atom, stop: Atom | None, step: int) -> Atom:
    if stop is None:
        return n if step > 0 else integer(-1)
    floor, ceiling = (integer(0), n) if step > 0 else (integer(-1), scope.plus(n, integer(-1)))
    back = scope.let("maximum", floor, scope.let("add", stop, n, name="stop"), name="stop")
    front = scope.let("minimum", stop, ceiling, name="stop")
    negative = scope.let("less", stop, integer(0), name="negative")
    return scope.let("where", negative, back, front, name="stop")
