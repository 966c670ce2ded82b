"""Which arrays that a loop carries may be the same memory when an iteration starts.

    p = 0 * y
    for x in xs:
        y += x             # from the second iteration on this changes p
        s = s + p
        p = y

The body is traced with what is known; where its end shows that two carried names share memory, or
that one shares memory with a name outside, it is traced again with that knowledge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from retrograd.frontend.shared import Shared
from retrograd.frontend.things import Cell, Handle, Thing, leaves

Key = str | Cell                     # a name, or a list or dict whose content changes
Place = tuple[Key, int]              # and the number of the leaf in what it stands for
Pairs = set[frozenset[Any]]


@dataclass
class Sharing:
    """What the carried names share beyond what they start with; it only grows."""

    outside: dict[Place, frozenset[Any]] = field(default_factory=dict)
    pairs: set[frozenset[Place]] = field(default_factory=set)

    def of(self, place: Place) -> frozenset[Any]:
        return self.outside.get(place, frozenset())

    def learn(self, starts: Mapping[Place, Handle | Cell], ends: Mapping[Place, Handle | Cell],
              outside: Iterable[Shared]) -> bool:
        """Compare the end of an iteration with its start; whether something new is shared."""
        found = False
        for place, end in ends.items():
            for base in outside:
                if end.base.overlaps(base) and not starts[place].base.overlaps(base):
                    self.outside[place] = self.of(place) | {base}
                    found = True
        for pair in overlapping(ends):
            one, other = pair
            if not starts[one].base.overlaps(starts[other].base):
                self.pairs.add(pair)
                found = True
        return found


def overlapping(handles: Mapping[Place, Handle | Cell]) -> set[frozenset[Place]]:
    """The pairs of places whose arrays may share memory."""
    places = list(handles)
    return {frozenset((one, other)) for k, one in enumerate(places) for other in places[:k]
            if handles[one].base.overlaps(handles[other].base)}


def grouped(bases: Mapping[Place, Shared], pairs: Iterable[frozenset[Place]], group: Pairs) -> None:
    """Note in the group of these bases which of them may be the same memory."""
    group.update(frozenset(bases[place] for place in pair) for pair in pairs
                 if all(place in bases for place in pair))


def handles_of(things: Mapping[Key, Thing]) -> dict[Place, Handle]:
    """The arrays in what names stand for, by name and number of the leaf."""
    return {(key, k): leaf for key, thing in things.items()
            for k, leaf in enumerate(leaves(thing)) if isinstance(leaf, Handle)}
