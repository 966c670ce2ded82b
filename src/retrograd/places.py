"""Where a value outside the function is found: an owner, and one step from it.

    FACTOR          Place(function.__globals__, ITEM, "FACTOR")
    a closure's a   Place(cell, ATTRIBUTE, "cell_contents")
    model.weight    Place(model, ATTRIBUTE, "weight")
    SETTINGS["r"]   Place(Place(function.__globals__, ITEM, "SETTINGS"), ITEM, "r")

An owner that is a place itself is read anew every time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from retrograd import containers

ITEM, ATTRIBUTE, STRUCTURE = "item", "attribute", "structure"


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """`STRUCTURE` is what a container's elements are called; it has no key."""

    owner: Any
    kind: str
    key: Any = None

    def reader(self) -> Callable[[], Any]:
        """A function that gives the present value, as fast as Python can."""
        owner, key = self.owner, self.key
        if not isinstance(owner, Place):
            return (lambda: owner[key]) if self.kind == ITEM else (lambda: getattr(owner, key))
        outer = owner.reader()
        if self.kind == ITEM:
            return lambda: outer()[key]
        if self.kind == ATTRIBUTE:
            return lambda: getattr(outer(), key)
        return lambda: structure(outer())

    def identity(self) -> Hashable:
        """Equal for places of the same value."""
        owner = self.owner.identity() if isinstance(self.owner, Place) else id(self.owner)
        return (owner, self.kind, self.key)

    def item(self, key: Any) -> Place:
        return Place(self, ITEM, key)


def structure(container: Any) -> tuple[Any, ...]:
    """The type of a container, its length and the keys of a dict; the fields of an object."""
    kind: type = type(container)
    if kind in (tuple, list):
        return (kind.__name__, len(container))
    if kind is dict:
        return ("dict", len(container), *container)
    return (kind.__module__, kind.__qualname__, *containers.fields_of(kind))
