"""Whether an iteration of a loop ends as it started, and what it must start as where it does not.

A type that is wider at the end, an extent that differs, a list with other elements, a name that is
bound inside and read in the next iteration: what they teach is noted in the slots (`slots.py`), and
the body is traced again. What can be given no one type is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from retrograd.frontend import cells, growing
from retrograd.frontend.branches import describe, join_types, stand_in
from retrograd.frontend.sharing import Key, Place
from retrograd.frontend.things import (
    Cell,
    Maybe,
    Thing,
    atom_of,
    has_function,
    leaves,
    same_structure,
    thing_of,
    with_leaves,
)
from retrograd.frontend.tracer import Tracer, constant_of
from retrograd.ir.extents import Extent, mentions
from retrograd.ir.nodes import Atom, Value
from retrograd.ir.types import Array

if TYPE_CHECKING:
    from retrograd.frontend.slots import Slots


def widened(slots: Slots, inner: Tracer) -> bool:
    """Compare the end of the body with its start; note what must be wider."""
    if _bound(slots, inner):
        return True                      # where it read them unbound, the body was cut short
    changed = False
    for key in list(slots.initial):
        changed |= _compare(slots, key, inner)
    changed |= _changed_cells(slots, inner)
    for name in list(slots.outputs):
        end = inner.env.get(name)
        if end is not None:
            end = slots.ends[name] = cells.held(
                inner, end, lambda cell: cell not in slots.tracer.memory.held)
        if end is None:
            slots.outputs.remove(name)
        elif has_function(end):
            slots.outputs.remove(name)
            slots.lost.append(name)
        elif isinstance(end, Maybe):
            slots.outputs.remove(name)
            slots.initial[name] = _stand_in(slots, name, end.thing, inner)
            changed = True
    return changed


def _changed_cells(slots: Slots, inner: Tracer) -> bool:
    """Lists from before the loop whose content an iteration changes are carried."""
    before = slots.tracer.memory.held
    found = [cell for cell, content in inner.memory.held.items()
             if cell in before and cell not in slots.initial and content is not before[cell]]
    for cell in found:
        slots.initial[cell] = before[cell]
        slots.names[cell] = cells.name_of(slots.tracer, cell)
        end = inner.memory.held[cell]
        if not same_structure(before[cell], end):
            _restart(slots, cell, before[cell], end, inner)
    return bool(found)


def _bound(slots: Slots, inner: Tracer) -> bool:
    """Names that an iteration may read, and that an iteration before it has bound."""
    found = [name for name in slots.unbound if name in inner.env]
    for name in found:
        slots.unbound.remove(name)
        end = inner.env[name]
        if has_function(cells.held(inner, end)):
            slots.lost.append(name)
        else:
            slots.initial[name] = _stand_in(
                slots, name, end.thing if isinstance(end, Maybe) else end, inner)
    return bool(found)


def _stand_in(slots: Slots, name: str, thing: Thing, inner: Tracer) -> Maybe:
    """The value of a name before the first iteration that binds it."""
    if cells.has_cell(thing):
        slots.opened.add(name)
        thing = cells.held(inner, thing)
    made = slots.made_inside(inner)

    def replace(leaf: Thing) -> Thing:
        atom = atom_of(leaf)
        assert atom is not None
        return thing_of(stand_in(slots.tracer.builder, atom, made))

    return Maybe(with_leaves(thing, replace), constant_of(False))


def _compare(slots: Slots, key: Key, inner: Tracer) -> bool:
    begin = slots.initial[key]
    end = inner.memory.held[key] if isinstance(key, Cell) else inner.env.get(key)
    end = slots.begun[key] if end is None else slots.opened_thing(inner, key, end)
    if isinstance(begin, Maybe) and not isinstance(end, Maybe):
        end = Maybe(end, constant_of(True))
    end = slots.ends[key] = growing.fitted(begin, end, inner, slots.named(key))
    if not same_structure(begin, end) or not growing.rooms_fit(begin, end):
        _restart(slots, key, begin, end, inner)
        return True
    changed = False
    roles = growing.roles(begin)
    for k, (value, leaf) in enumerate(zip(slots.inner_values[key], leaves(end), strict=True)):
        atom = atom_of(leaf)
        assert atom is not None
        if (key, k) in slots.kept:
            if leaf is not leaves(begin)[k]:
                slots.kept.discard((key, k))
                changed = True
        elif roles[k] == "count" and _counts(slots, (key, k), atom, inner):
            changed = True
        elif (key, k) not in slots.growth.counting:
            changed |= _compare_leaf(slots, key, k, value, atom, inner, roles[k] == "buffer")
    if not changed and slots.growth.wanting(key, slots.begun[key], end, inner):
        _restart(slots, key, begin, end, inner)
        return True
    return changed


def _counts(slots: Slots, place: Place, end: Atom, inner: Tracer) -> bool:
    begin = atom_of(leaves(slots.begun[place[0]])[place[1]])
    assert begin is not None
    return slots.growth.counts(place, begin, end, inner, slots.made_inside(inner))


def _restart(slots: Slots, key: Key, begin: Thing, end: Thing, inner: Tracer) -> None:
    """Start with something that the end has the structure of."""
    new: Thing | None = None
    if key in slots.opened or isinstance(key, Cell):
        new = slots.growth.widened(key, begin, end, inner, slots.made_inside(inner),
                                   slots.named(key))
    if new is None and key not in slots.opened and (
            cells.has_cell(begin) or cells.has_cell(end)):
        slots.opened.add(key)
        new = slots.opened_thing(slots.tracer, key, begin)
    if new is None:
        _differs(slots, slots.named(key), begin, end)
    slots.initial[key] = new
    slots.types = {p: t for p, t in slots.types.items() if p[0] != key}
    slots.growth.forget(key)
    slots.kept = {p for p in slots.kept if p[0] != key}
    slots.fresh = {p for p in slots.fresh if p[0] != key}


def _compare_leaf(slots: Slots, name: Key, k: int, value: Value, atom: Atom, inner: Tracer,
                  buffer: bool) -> bool:
    type = join_types(value.type, atom.type)
    if type is None:
        _differs(slots, slots.named(name), thing_of(value), thing_of(atom))
    changed = False
    if type != value.type:
        slots.types[name, k] = type
        changed = True
    if isinstance(type, Array):
        facts = inner.builder.facts
        pairs = zip(facts.of(value), facts.of(atom), strict=True)
        for axis, (a, b) in enumerate(pairs):
            if (name, k, axis) in slots.fresh or facts.provably_equal(a, b):
                continue
            if buffer and not axis:                # a list may be as long as it likes
                slots.fresh.add((name, k, axis))
                changed = True
            else:
                changed |= _extent_differs(slots, (name, k, axis), a, b, inner)
    return changed


def _extent_differs(slots: Slots, place: tuple[Key, int, int], a: Extent, b: Extent,
                    inner: Tracer) -> bool:
    """An extent that is only not known to stay the same must do so when the loop runs; one
    that certainly changes, or that an iteration computes, is unknown after the loop. So is
    one of an array that is bound only sometimes, or starts empty: it has no shape to keep."""
    made = slots.made_inside(inner)
    unshaped = isinstance(slots.initial[place[0]], Maybe) or a.known == 0
    if not unshaped and (b - a).known is None and not mentions(b, made):
        inner.builder.require_equal(b, a, ValueError, [
            f"the array {slots.named(place[0])!r} has extent ", b,
            f" along axis {place[2]} after an iteration of a loop that started with ", a,
            ": give it one shape (pad it, or mask it with np.where)"])
        return False
    slots.fresh.add(place)
    return True


def _differs(slots: Slots, name: str, begin: Thing, end: Thing) -> NoReturn:
    first, last = (t.thing if isinstance(t, Maybe) else t for t in (begin, end))
    slots.tracer.refuse(
        f"{name!r} is {describe(first)} before the loop's body and {describe(last)} after it",
        "give it the same kind of value in every iteration", slots.node)
