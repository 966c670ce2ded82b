"""An index into a view, as an index into what the view looks into.

    row = A[i]            row[j] = v         is      A[i, j] = v
    part = A[1:-1]        part[2:] = v       is      A[3:-1] = v
    columns = A.T         columns[j] = v     is      A[:, j] = v
    flat = A.ravel()      flat[k] = v        is      A[k // m, k % m] = v
    rows = A[2:].ravel()  rows[::3] = v      is      A.ravel()[2 * m::3] = v

So what is done through a view costs what it costs itself. A slice of another shape has no index
in general: what stays is a view of the whole array in another shape, which is free.
"""

from __future__ import annotations

from retrograd.frontend.things import View
from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent, Opaque, largest, nonnegative, product, root, smallest
from retrograd.ir.index import FULL, Index, Item, Slice, advanced, apart, parts
from retrograd.ir.nodes import Atom, Value, integer
from retrograd.ir.operations_arrays import size
from retrograd.ir.types import Array

Part = tuple[Item, tuple[Atom, ...]]
Subscript = tuple[Index, tuple[Atom, ...]]
Path = tuple[View, ...]
Shape = tuple[Extent, ...]


def through(builder: Builder, path: Path, shape: Shape, index: Index,
            atoms: tuple[Atom, ...]) -> tuple[Path, Shape, Index, tuple[Atom, ...]]:
    """The same part, through as few views as possible; `shape` is that of what is indexed."""
    while path:
        *front, last = path
        found = composed(builder, last, shape, index, atoms)
        if found is not None:
            path, shape = tuple(front), last.extents
            index, atoms = found
            continue
        turned = _reshaped_first(builder, path, shape)
        if turned is None:
            break
        run = (index, atoms) if len(shape) == 1 else _run(builder, shape, _parts(index, atoms))
        if run is None:
            break
        path, shape = turned, (size(shape),)
        index, atoms = run
    return path, shape, index, atoms


def composed(builder: Builder, view: View, shape: Shape, index: Index,
             atoms: tuple[Atom, ...]) -> Subscript | None:
    """The index into `view`'s array that means `index` into the view, whose shape is `shape`."""
    wanted = _parts(index, atoms)
    if view.op == "view":
        found = _joined(_through_slices(builder, view, shape, wanted))
        # an int beside a slice and an integer array would bring the array's axes to the front
        moved = found is not None and advanced(index) and apart(found[0]) != apart(index)
        return None if moved else found
    if view.op == "transpose":
        return _joined(_through_transpose(view, wanted))
    if view.op == "reshape" and view.type.rank == len(shape) == 1:
        return index, atoms
    if view.op == "reshape" and all(item == "int" for item in index):
        return ("int",) * view.type.rank, _through_reshape(builder, view, shape, atoms)
    return None


def _parts(index: Index, atoms: tuple[Atom, ...]) -> list[Part]:
    return [(item, tuple(a for a in found if a is not None))
            for item, found in parts(index, atoms)]


def _joined(found: list[Part] | None) -> Subscript | None:
    return None if found is None else (
        tuple(item for item, _ in found), tuple(a for _, atoms in found for a in atoms))


def _through_reshape(builder: Builder, view: View, shape: tuple[Extent, ...],
                     atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """One element of an array in C order: its number, counted in one shape, in the other."""
    number: Atom = integer(0)
    for atom, length in zip(atoms, shape, strict=True):
        place = builder.atom_of(_counted(builder, atom, length))
        number = place if number == integer(0) else builder.let(
            "add", builder.let("multiply", number, builder.atom_of(length)), place)
    places: list[Atom] = []
    for extent in reversed(view.extents[1:]):
        length_of = builder.atom_of(extent)
        places.append(builder.let("remainder", number, length_of))
        number = _quotient(builder, number, length_of)
    return (number, *reversed(places))


def _quotient(builder: Builder, number: Atom, length: Atom) -> Atom:
    """`number // length`, of which it stays known that it is not negative."""
    facts = builder.facts
    before, divisor = facts.integer(number), facts.integer(length)
    result = builder.let("floor_divide", number, length)
    if isinstance(result, Value) and nonnegative(facts.least(before)):
        facts.integers[result] = Extent(0, ((Opaque("floor_divide", (before, divisor)), 1),))
    return result


def _through_transpose(view: View, wanted: list[Part]) -> list[Part] | None:
    """Ints and at most one slice: what is stored keeps its order of axes."""
    if sum(item != "int" for item, _ in wanted) > 1 or any(
            not isinstance(item, Slice) and item != "int" for item, _ in wanted):
        return None
    found = list(wanted)
    for place, part in zip(view.static["axes"], wanted, strict=True):
        found[place] = part
    return found


def _through_slices(builder: Builder, view: View, shape: tuple[Extent, ...],
                    wanted: list[Part]) -> list[Part] | None:
    if any(item in ("new", "mask") for item, _ in wanted):
        return None
    found: list[Part] = []
    rest, extents, axes = iter(wanted), iter(view.extents), iter(shape)
    for item, atoms in _parts(view.static["index"], view.atoms):
        if item == "int":
            found.append((item, atoms))
            next(extents)
            continue
        part, length = next(rest), next(axes)
        if item == "new":
            if part[0] != "int":
                return None
            continue
        assert isinstance(item, Slice)
        both = _axis(builder, (item, atoms), next(extents), part, length)
        if both is None:
            return None
        found.append(both)
    return found


def _axis(builder: Builder, outer: Part, extent: Extent, inner: Part,
          length: Extent) -> Part | None:
    """One axis: `inner` of what the slice `outer` leaves of an axis of `extent` elements."""
    if outer[0] == FULL:
        return inner
    if inner[0] == FULL:
        return outer
    slice_, bounds = outer
    assert isinstance(slice_, Slice)
    first = _start(builder, slice_, bounds, extent)
    if first is None:
        return None
    if inner[0] == "int":
        place = first + _counted(builder, inner[1][0], length).scaled(slice_.step)
        return "int", (builder.atom_of(place),)
    if isinstance(inner[0], Slice) and slice_.step > 0 and inner[0].step > 0:
        return _slice_of_slice(builder, slice_.step, first, inner, length)
    return None


def _slice_of_slice(builder: Builder, step: int, first: Extent, inner: Part,
                    length: Extent) -> Part | None:
    item, atoms = inner
    assert isinstance(item, Slice)
    start = _bound(builder, atoms[0], length) if item.start else Extent(0)
    stop = _bound(builder, atoms[-1], length) if item.stop else length
    if start is None or stop is None:
        return None
    if item.stop:
        stop = smallest(stop, length)
    ends = (first + start.scaled(step), first + stop.scaled(step))
    return (Slice(True, True, step * item.step),
            tuple(builder.atom_of(e) for e in ends))


def _start(builder: Builder, slice_: Slice, bounds: tuple[Atom, ...],
           extent: Extent) -> Extent | None:
    """The place of the first element of a slice that is not empty."""
    if not slice_.start:
        return Extent(0) if slice_.step > 0 else extent - 1
    bound = _bound(builder, bounds[0], extent)
    return bound if bound is None or slice_.step > 0 else smallest(bound, extent - 1)


def _bound(builder: Builder, atom: Atom, extent: Extent) -> Extent | None:
    """A bound counted from the front, or None where its sign is not known."""
    facts = builder.facts
    bound = facts.integer(atom)
    if bound.known is not None and bound.known < 0:
        return largest(extent + bound, Extent(0))
    return bound if nonnegative(facts.least(bound)) else None


def _counted(builder: Builder, atom: Atom, length: Extent) -> Extent:
    """An int index counted from the front."""
    index = builder.facts.integer(atom)
    if nonnegative(builder.facts.least(index)):
        return index
    if index.known is not None:
        return length + index
    return builder.facts.integer(builder.let("remainder", atom, builder.atom_of(length)))


# --- parts in one piece --------------------------------------------------------------------------


def _reshaped_first(builder: Builder, path: Path, shape: Shape) -> Path | None:
    """Rows that follow each other in memory, in another shape, are a slice of the whole array in
    one piece: the path that goes there."""
    if len(path) < 2 or path[-1].op != "reshape" or path[-2].op != "view":
        return None
    part, after = path[-2], path[-1]
    if part.type.layout != "C" or after.type.layout != "C":
        return None
    offset = _offset(builder, part)
    if offset is None:
        return None
    everything, length = size(part.extents), size(shape)
    start = builder.atom_of(offset)
    if isinstance(start, Value) and not nonnegative(builder.facts.least(offset)):
        builder.facts.integers[start] = root(start)          # a number of elements
        builder.facts.bounds[start] = (Extent(0), everything)
    flat = Array(part.type.dtype, (1 if everything.known == 1 else None,), "C")
    one = View("reshape", (builder.atom_of(everything),), {}, part.type, part.extents)
    bounds = start, builder.atom_of(builder.facts.integer(start) + length)
    rows = View("view", bounds, {"index": (Slice(True, True),)}, flat, (everything,))
    return (*path[:-2], one, rows)


def _offset(builder: Builder, part: View) -> Extent | None:
    """How many elements stand before a part that is one piece of an array in C order."""
    offset, axes = Extent(0), list(part.extents)
    for item, atoms in _parts(part.static["index"], part.atoms):
        if item == "new":
            return None
        length = axes.pop(0)
        place = _counted(builder, atoms[0], length) if item == "int" else \
            _start(builder, item, atoms, length) if isinstance(item, Slice) else None
        if place is None:
            return None
        offset = offset + product(place, size(tuple(axes)))
    return offset


def _run(builder: Builder, shape: Shape, wanted: list[Part]) -> Subscript | None:
    """Elements of the last axis, as a slice of all the elements in one piece."""
    *ints, (item, bounds) = wanted
    if any(i != "int" for i, _ in ints) or not isinstance(item, Slice) or item.step < 0:
        return None
    start = _bound(builder, bounds[0], shape[-1]) if item.start else Extent(0)
    stop = _bound(builder, bounds[-1], shape[-1]) if item.stop else shape[-1]
    if start is None or stop is None:
        return None
    before = Extent(0)
    for axis, (_, atoms) in enumerate(ints):
        place = _counted(builder, atoms[0], shape[axis])
        before = before + product(place, size(shape[axis + 1:]))
    ends = before + start, before + smallest(stop, shape[-1])
    return (Slice(True, True, item.step),), tuple(builder.atom_of(e) for e in ends)
