"""Iterables: how long they are, which are written out, and their elements."""

from __future__ import annotations

from retrograd.frontend import cells, grown, indexing
from retrograd.frontend.certain import certain
from retrograd.frontend.things import (
    Cell,
    Checkpointed,
    Enumerate,
    Grown,
    Handle,
    Items,
    Range,
    Reversed,
    Static,
    Thing,
    Zip,
    is_tuple,
)
from retrograd.frontend.tracer import Tracer, static_thing
from retrograd.ir.extents import Extent, floor_divided, largest
from retrograd.ir.index import FULL
from retrograd.ir.nodes import Atom, Branch, Constant, Raise, integer
from retrograd.ir.types import INT

UNROLL_LIMIT = 50
ONLY_IN_FOR = ("checkpointed(...) stands here for something else than the iterable of a loop",
               "write `for t in checkpointed(range(n)):`, or leave the mark out")


def length(tracer: Tracer, thing: Thing) -> Atom:
    """The number of elements that iterating over a thing gives."""
    builder = tracer.builder
    match thing:
        case Cell():
            return length(tracer, cells.content(tracer, thing))
        case Handle(value=value):
            if not value.type.rank:
                raise certain(TypeError)("len() of unsized object")
            return builder.atom_of(builder.facts.of(value)[0])
        case Range():
            return _count(tracer, thing)
        case Zip(parts=parts):
            return _shortest(tracer, [length(tracer, p) for p in parts])
        case Enumerate(inner=inner) | Reversed(inner=inner):
            return length(tracer, inner)
        case Items(items=items):
            return integer(len(items))
        case Grown(count=count):
            return count
        case Checkpointed():
            tracer.refuse(*ONLY_IN_FOR)
        case _:
            tracer.refuse("this has no length", "use an array, a tuple or a list")


def _shortest(tracer: Tracer, lengths: list[Atom]) -> Atom:
    shortest, facts = lengths[0], tracer.builder.facts
    for other in lengths[1:]:
        if not facts.provably_equal(facts.integer(shortest), facts.integer(other)):
            shortest = tracer.builder.let("minimum", shortest, other, name="n")
    return shortest


def _count(tracer: Tracer, thing: Range) -> Atom:
    if thing.count is not None:
        return thing.count
    assert isinstance(thing.step, Constant)
    return range_length(tracer, thing.start, thing.stop, int(thing.step.value.real))


def range_length(tracer: Tracer, start: Atom, stop: Atom, step: int) -> Atom:
    return tracer.builder.atom_of(range_extent(tracer, start, stop, step))


def range_extent(tracer: Tracer, start: Atom, stop: Atom, step: int) -> Extent:
    """max(0, ceil((stop - start) / step))."""
    facts = tracer.builder.facts
    low, high = facts.integer(start), facts.integer(stop)
    span = high - low if step > 0 else low - high
    size = abs(step)
    return floor_divided(largest(Extent(0), span) + (size - 1), size)


def unrolled(tracer: Tracer, thing: Thing, wanted: int | None = None,
             short: bool = False) -> tuple[Thing, ...] | None:
    """The elements of a thing of known length, or None where it has none.

    Arrays are opened where their length is known to be 1 or `wanted` says how many there must be;
    ranges in rules and the prelude always, in user code where `short` allows it.
    """
    match thing:
        case Cell():
            return unrolled(tracer, cells.content(tracer, thing), wanted, short)
        case Grown() if wanted is not None:
            return _opened_array(tracer, thing, grown.length(tracer, thing), wanted)
        case Items():
            return elements(tracer, thing)
        case Static(value=value) if isinstance(value, (str, tuple, list)):
            return tuple(static_thing(v) for v in value)
        case Range(start=Constant() as start, stop=Constant() as stop, step=Constant() as step):
            numbers = range(*(int(c.value.real) for c in (start, stop, step)))
            if tracer.frame.user and not (short and len(numbers) <= UNROLL_LIMIT):
                return None
            return tuple(integer(k) for k in numbers)
        case Handle(value=value) if wanted is not None and value.type.rank:
            return _opened_array(tracer, thing, tracer.builder.facts.of(value)[0], wanted)
        case _:
            return _unrolled_iterator(tracer, thing, wanted, short)


def spread(tracer: Tracer, thing: Thing) -> tuple[Thing, ...] | None:
    """The elements of what stands behind a star: all of them, where a few are known to be there."""
    known = _known_length(tracer, thing)
    wanted = known if known is not None and known <= UNROLL_LIMIT else None
    return unrolled(tracer, thing, wanted, short=True)


def _known_length(tracer: Tracer, thing: Thing) -> int | None:
    """The length of an array or a list, where it is known while compiling."""
    match thing:
        case Cell():
            return _known_length(tracer, cells.content(tracer, thing))
        case Grown():
            return grown.length(tracer, thing).known
        case Handle(value=value) if value.type.rank:
            return tracer.builder.facts.of(value)[0].known
        case _:
            return None


def elements(tracer: Tracer, thing: Items) -> tuple[Thing, ...]:
    """What iterating over a container of known structure gives."""
    if thing.kind == "dict":
        return tuple(map(static_thing, thing.keys))
    if isinstance(thing.kind, type) and not is_tuple(thing):
        tracer.refuse(f"a {thing.kind.__name__} is iterated over or unpacked",
                      "use its attributes")
    return thing.items


def _unrolled_iterator(tracer: Tracer, thing: Thing, wanted: int | None, short: bool,
                       ) -> tuple[Thing, ...] | None:
    """The elements of `zip`, `enumerate` and `reversed` of things of known length."""
    match thing:
        case Zip(parts=parts):
            opened = [unrolled(tracer, p, wanted, short) for p in parts]
            if any(o is None for o in opened):
                return None
            return tuple(Items("tuple", row) for row in zip(
                *(o for o in opened if o is not None), strict=False))
        case Enumerate(inner=inner, start=Constant(value=start)):
            items = unrolled(tracer, inner, wanted, short)
            return None if items is None else tuple(
                Items("tuple", (integer(int(start.real) + k), item))
                for k, item in enumerate(items))
        case Reversed(inner=inner):
            items = unrolled(tracer, inner, wanted, short)
            return None if items is None else items[::-1]
        case _:
            return None


def about_root(tracer: Tracer, thing: Thing) -> Atom:
    """The largest whole number, at least 1, whose square is at most the length of a thing."""
    builder = tracer.builder
    count = builder.let("cast", length(tracer, thing), dtype="float64")
    root = builder.let("cast", builder.let("sqrt", count), dtype=INT.dtype)
    return builder.let("maximum", root, integer(1), name="snapshots")


def _opened_array(tracer: Tracer, thing: Handle | Grown, extent: Extent,
                  wanted: int) -> tuple[Thing, ...]:
    """Unpack `extent` elements into `wanted` names; another length raises ValueError."""
    builder = tracer.builder
    if extent.known != wanted:
        count = builder.atom_of(extent)
        message = (f"not enough values to unpack (expected {wanted}, got ", count, ")")
        builder.append(Branch(builder.let("less", count, integer(wanted)),
                              (Raise(ValueError, message, builder.origin),), (), (),
                              builder.origin))
    builder.require_equal(extent, type(extent)(wanted), ValueError,
                          [f"too many values to unpack (expected {wanted})"])
    return tuple(element(tracer, thing, integer(k)) for k in range(wanted))


def element(tracer: Tracer, thing: Thing, position: Atom) -> Thing:
    """Element number `position` of an iterable, which is within its length."""
    builder = tracer.builder
    match thing:
        case Cell():
            return element(tracer, cells.content(tracer, thing), position)
        case Grown():
            return grown.element(tracer, thing, position)
        case Handle(value=value):
            rest = (FULL,) * (value.type.rank - 1)
            builder.facts.checked.add((builder.facts.integer(position),
                                       builder.facts.of(value)[0]))
            return indexing.read_parts(tracer, thing, ("int", *rest), (position,))
        case Range(start=start, step=step):
            scaled = builder.let("multiply", step, position) if step != integer(1) else position
            return builder.let("add", start, scaled) if start != integer(0) else scaled
        case Zip(parts=parts):
            return Items("tuple", tuple(element(tracer, p, position) for p in parts))
        case Enumerate(inner=inner, start=start):
            number = position if start == integer(0) else builder.let("add", start, position)
            return Items("tuple", (number, element(tracer, inner, position)))
        case Reversed(inner=inner):
            last = builder.let("subtract", length(tracer, inner), integer(1))
            return element(tracer, inner, builder.let("subtract", last, position))
        case Items():
            return indexing.item(tracer, Items("tuple", elements(tracer, thing)), position)
        case Checkpointed():
            tracer.refuse(*ONLY_IN_FOR)
        case _:
            tracer.refuse("this cannot be iterated over", "loop over a range or an array")
