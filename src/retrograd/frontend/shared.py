"""What a branch or a loop makes one thing or another: arrays' memory, lists."""

from __future__ import annotations

from typing import Any


class Shared:
    """What may turn out to be another one of its kind: a branch or a loop decides.

    `shares` are those that this one may be; it was found so at the time `born`. Those that were
    made at one place are in one group: which of them may be the same is said by `group`, not by
    what they share with others.
    """

    __slots__ = ()
    shares: frozenset[Any]
    born: int
    group: set[frozenset[Any]] | None
    _known: dict[Any, bool]

    def overlaps(self, other: Any) -> bool:
        """Whether the two may be the same."""
        if self is other:
            return True
        if self.group is not None and self.group is other.group:
            return frozenset((self, other)) in self.group
        found = self._known.get(other)
        if found is None:
            # the later one is one of those that it was made of: the earlier one is what it is
            found = (self.born >= other.born and any(s.overlaps(other) for s in self.shares)) or (
                other.born >= self.born and any(self.overlaps(s) for s in other.shares))
            self._known[other] = found
        return found
