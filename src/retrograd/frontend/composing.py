"""An index into a view, as an index into what the view looks into.

    row = A[i]          row[j] = v      is      A[i, j] = v
    part = A[1:-1]      part[2:] = v    is      A[3:-1] = v
    columns = A.T       columns[j] = v  is      A[:, j] = v

So a store through a view costs what the store itself costs. None where there is no such index.
"""

from __future__ import annotations

from retrograd.frontend.things import View
from retrograd.frontend.tracer import Tracer
from retrograd.ir.extents import Extent, largest, nonnegative, smallest
from retrograd.ir.index import FULL, Index, Item, Slice, parts
from retrograd.ir.nodes import Atom, integer

Part = tuple[Item, tuple[Atom, ...]]
Subscript = tuple[Index, tuple[Atom, ...]]


def composed(tracer: Tracer, view: View, shape: tuple[Extent, ...], index: Index,
             atoms: tuple[Atom, ...]) -> Subscript | None:
    """The index into `view`'s array that means `index` into the view, whose shape is `shape`."""
    wanted = _parts(index, atoms)
    if view.op == "view":
        return _joined(_through_slices(tracer, view, shape, wanted))
    if view.op == "transpose":
        return _joined(_through_transpose(view, wanted))
    if view.op == "reshape" and view.type.rank == len(shape) == 1:
        return index, atoms
    if view.op == "reshape" and all(item == "int" for item in index):
        return ("int",) * view.type.rank, _through_reshape(tracer, view, shape, atoms)
    return None


def _parts(index: Index, atoms: tuple[Atom, ...]) -> list[Part]:
    return [(item, tuple(a for a in found if a is not None))
            for item, found in parts(index, atoms)]


def _joined(found: list[Part] | None) -> Subscript | None:
    return None if found is None else (
        tuple(item for item, _ in found), tuple(a for _, atoms in found for a in atoms))


def _through_reshape(tracer: Tracer, view: View, shape: tuple[Extent, ...],
                     atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """One element of an array in C order: its number, counted in one shape, in the other."""
    builder = tracer.builder
    number: Atom = integer(0)
    for atom, length in zip(atoms, shape, strict=True):
        place = builder.atom_of(_counted(tracer, atom, length))
        number = place if number == integer(0) else builder.let(
            "add", builder.let("multiply", number, builder.atom_of(length)), place)
    places: list[Atom] = []
    for extent in reversed(view.extents[1:]):
        length_of = builder.atom_of(extent)
        places.append(builder.let("remainder", number, length_of))
        number = builder.let("floor_divide", number, length_of)
    return (number, *reversed(places))


def _through_transpose(view: View, wanted: list[Part]) -> list[Part] | None:
    """Ints and at most one slice: what is stored keeps its order of axes."""
    if sum(item != "int" for item, _ in wanted) > 1 or any(
            not isinstance(item, Slice) and item != "int" for item, _ in wanted):
        return None
    found = list(wanted)
    for place, part in zip(view.static["axes"], wanted, strict=True):
        found[place] = part
    return found


def _through_slices(tracer: Tracer, view: View, shape: tuple[Extent, ...],
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
        both = _axis(tracer, (item, atoms), next(extents), part, length)
        if both is None:
            return None
        found.append(both)
    return found


def _axis(tracer: Tracer, outer: Part, extent: Extent, inner: Part, length: Extent) -> Part | None:
    """One axis: `inner` of what the slice `outer` leaves of an axis of `extent` elements."""
    if outer[0] == FULL:
        return inner
    if inner[0] == FULL:
        return outer
    slice_, bounds = outer
    assert isinstance(slice_, Slice)
    first = _start(tracer, slice_, bounds, extent)
    if first is None:
        return None
    if inner[0] == "int":
        place = first + _counted(tracer, inner[1][0], length).scaled(slice_.step)
        return "int", (tracer.builder.atom_of(place),)
    if isinstance(inner[0], Slice) and slice_.step > 0 and inner[0].step > 0:
        return _slice_of_slice(tracer, slice_.step, first, inner, length)
    return None


def _slice_of_slice(tracer: Tracer, step: int, first: Extent, inner: Part,
                    length: Extent) -> Part | None:
    item, atoms = inner
    assert isinstance(item, Slice)
    start = _bound(tracer, atoms[0], length) if item.start else Extent(0)
    stop = _bound(tracer, atoms[-1], length) if item.stop else length
    if start is None or stop is None:
        return None
    if item.stop:
        stop = smallest(stop, length)
    ends = (first + start.scaled(step), first + stop.scaled(step))
    return (Slice(True, True, step * item.step),
            tuple(tracer.builder.atom_of(e) for e in ends))


def _start(tracer: Tracer, slice_: Slice, bounds: tuple[Atom, ...],
           extent: Extent) -> Extent | None:
    """The place of the first element of a slice that is not empty."""
    if not slice_.start:
        return Extent(0) if slice_.step > 0 else extent - 1
    bound = _bound(tracer, bounds[0], extent)
    return bound if bound is None or slice_.step > 0 else smallest(bound, extent - 1)


def _bound(tracer: Tracer, atom: Atom, extent: Extent) -> Extent | None:
    """A bound counted from the front, or None where its sign is not known."""
    facts = tracer.builder.facts
    bound = facts.integer(atom)
    if bound.known is not None and bound.known < 0:
        return largest(extent + bound, Extent(0))
    return bound if nonnegative(facts.least(bound)) else None


def _counted(tracer: Tracer, atom: Atom, length: Extent) -> Extent:
    """An int index counted from the front."""
    builder = tracer.builder
    index = builder.facts.integer(atom)
    if nonnegative(builder.facts.least(index)):
        return index
    if index.known is not None:
        return length + index
    return builder.facts.integer(builder.let("remainder", atom, builder.atom_of(length)))
