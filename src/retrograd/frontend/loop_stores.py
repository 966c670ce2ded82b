"""What the body of a loop shows about memory: names that share it, arrays that it writes.

What was not known before is noted in the slots (`slots.py`), and the body is traced again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrograd.frontend.branches import join_types
from retrograd.frontend.liveness import assigned
from retrograd.frontend.sharing import handles_of
from retrograd.frontend.things import Base, Handle, Maybe, leaves
from retrograd.frontend.tracer import Tracer

if TYPE_CHECKING:
    from retrograd.frontend.slots import Slots


def shares_more(slots: Slots, inner: Tracer) -> bool:
    """Whether the end of the body shows that names share memory of which this was not known."""
    held, names = slots.tracer.memory.held, assigned(slots.syntax)
    outside = [*inner.outer_things(), *inner.frame.names.values(),
               *(t for n, t in slots.tracer.env.items() if n not in names),
               *(t for c, t in held.items() if c not in slots.initial)]
    bases = [leaf.base for t in outside for leaf in leaves(t) if isinstance(leaf, Handle)]
    bases += inner.context.lasting                  # their owners look into them afterwards
    begun = handles_of(slots.begun)
    bases += [begun[place].base for place in slots.kept]
    ends = handles_of({key: slots.ends[key] for key in slots.initial})
    found = slots.cell_sharing.learn(slots.own_cells, slots.cells_in(slots.ends), held)
    return slots.sharing.learn(begun, {p: e for p, e in ends.items() if p not in slots.kept},
                               bases) or found


def stores_more(slots: Slots, inner: Tracer) -> bool:
    """Whether the body writes to memory, or makes of it another type, that was not known."""
    written = inner.memory.since(slots.tracer.memory.clock + 1)
    own = {base: place for place, base in slots.own.items()}
    changed = False
    for base in written:
        place = own.get(base)
        if place is not None and place not in slots.written:
            slots.written.add(place)
            changed = True
    changed |= _kept(slots, inner, written)
    made = slots.made_inside(inner)
    for base in written:
        if base not in slots.contents and base not in own and base.first not in made:
            slots.contents[base] = base.first
            changed = True
    for base, value in slots.contents.items():
        type = join_types(value.type, inner.memory.content(base).type)
        assert type is not None
        if type != value.type:
            slots.content_types[base] = type
            changed = True
    return changed


def _kept(slots: Slots, inner: Tracer, written: list[Base]) -> bool:
    """Arrays whose memory is written and whose names are, in the end, bound as before need no
    slot: the name stays the array that it is."""
    begun, ends = handles_of(slots.begun), handles_of({n: slots.ends[n] for n in slots.initial})
    found = {place for place, end in ends.items() if place not in slots.kept
             and end.base is begun[place].base and not end.path
             and any(end.base.overlaps(base) for base in written)
             and not isinstance(slots.initial[place[0]], Maybe)}
    slots.kept |= found
    slots.written -= found
    return bool(found)


def check_lent(slots: Slots, inner: Tracer) -> None:
    """Refuse an array that one iteration puts into a growing list and another one writes."""
    made = slots.made_inside(inner)
    lent = list(inner.memory.lent)
    ends = handles_of({key: slots.ends[key] for key in slots.initial})
    found = {base for base in lent if base.first not in made or base in slots.own.values()}
    while True:
        more = {slots.own[place] for place, end in ends.items() if place in slots.own
                and any(end.base.overlaps(base) for base in (*lent, *found))} - found
        if not more:
            break
        found |= more
    for base in inner.memory.since(slots.tracer.memory.clock + 1):
        if any(base.overlaps(other) for other in found):
            slots.tracer.refuse(
                f"the array {base.first.name!r} is put into a list that grows, and written "
                "in another iteration: the list would see that",
                "put a copy into the list: .append(x.copy())", slots.node)
