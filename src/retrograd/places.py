"""Where a value outside the function is found: an owner, and one step from it.

    FACTOR          Place(function.__globals__, ITEM, "FACTOR")
    a closure's a   Place(cell, ATTRIBUTE, "cell_contents")
    model.weight    Place(model, ATTRIBUTE, "weight")
    SETTINGS["r"]   Place(Place(function.__globals__, ITEM, "SETTINGS"), ITEM, "r")

An owner that is a place itself is read anew every time.
"""

from __future__ import annotations

import keyword
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

    def expression(self, put: Callable[[str, Any], str]) -> str:
        """Source that reads the present value: faster still, because it calls nothing.

        `put(name, value)` gives a name, like this one, to an object that the source needs.
        """
        key = self.key
        owner = self.owner.expression(put) if isinstance(self.owner, Place) \
            else put("owner", self.owner)
        if self.kind == STRUCTURE:
            return f"{put('structure', structure)}({owner})"
        known = repr(key) if type(key) is str else put("key", key)
        if self.kind == ITEM:
            return f"{owner}[{known}]"
        if key.isascii() and key.isidentifier() and not keyword.iskeyword(key):
            return f"{owner}.{key}"
        return f"{put('getattr', getattr)}({owner}, {known})"

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
