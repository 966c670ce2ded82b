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

from retrograd.frontend.things import Base, Handle

Place = tuple[str, int]              # a name and the number of the leaf in what it stands for


@dataclass
class Sharing:
    """What the carried names share beyond what they start with; it only grows."""

    found: dict[Place, frozenset[Base]] = field(default_factory=dict)

    def of(self, place: Place) -> frozenset[Base]:
        return self.found.get(place, frozenset())

    def learn(self, starts: Mapping[Place, Handle], ends: Mapping[Place, Handle],
              outside: Iterable[Base]) -> bool:
        """Compare the end of an iteration with its start; whether something new is shared."""
        before = dict(self.found)
        for place, end in ends.items():
            for base in outside:
                if end.base.overlaps(base) and not starts[place].base.overlaps(base):
                    self._add(place, base)
        places = list(ends)
        for k, one in enumerate(places):
            for other in places[:k]:
                if ends[one].base.overlaps(ends[other].base) and not (
                        starts[one].base.overlaps(starts[other].base)):
                    both = Base()
                    self._add(one, both)
                    self._add(other, both)
        return self.found != before

    def _add(self, place: Place, base: Base) -> None:
        self.found[place] = self.of(place) | {base}
