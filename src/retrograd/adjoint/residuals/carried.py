"""What a loop carries and need not be stored, because something else tells what it was.

    while s < n:                    k is affine in the number of the iteration: no tape
        s = s * s + k
        k += 1

    for t in range(n):              the tanh is what the next iteration starts with, and that one
        h = tanh(w * h)             has been reversed before: one tape for both
"""

from __future__ import annotations

from dataclasses import dataclass

from retrograd.adjoint.scopes import Places
from retrograd.ir.extents import root
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Atom, Carried, Loop, Value, While
from retrograd.ir.types import INT


@dataclass(frozen=True, slots=True)
class Counter:
    """A carried int: `init + step * (the number of the iteration)`."""

    init: Atom
    step: int


def counter(value: Value, places: Places, facts: Facts) -> Counter | None:
    """How a carried value counts, if it does."""
    if value.type != INT:
        return None
    slot = next((c for c in _slots(value, places) if c.inner is value), None)
    if slot is None:
        return None
    step = (facts.integer(slot.next) - root(value)).known
    return None if step is None else Counter(slot.init, step)


def followers(value: Value, places: Places) -> list[Carried]:
    """What the loop carries and the next iteration starts with where this one leaves `value`."""
    return [c for c in _slots(value, places)
            if c.next is value and c.inner.type == value.type == c.result.type]


def _slots(value: Value, places: Places) -> tuple[Carried, ...]:
    """What the loop carries in whose body a value is defined."""
    scope = places.scope[value]
    return scope.statement.carried if isinstance(scope.statement, (Loop, While)) else ()
