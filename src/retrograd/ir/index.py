"""The index of `load`, `view`, `take`, `update` and `add_at`.

It is static structure plus atoms: a tuple with one item for each part of the subscript, whose
atoms follow the array among the statement's arguments, in order.

    item = "int"                        one atom
         | "new"                        np.newaxis, no atom
         | "array" | "mask"             one atom, an integer or a boolean array
         | Slice(start, stop, step)     True where the bound is an atom; step is static; `one` says
                                        that it is taken to have one element, and not none

An index always names every axis of the array (the front end expands `...`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice:
    start: bool = False
    stop: bool = False
    step: int = 1
    one: bool = False


FULL = Slice()
Item = str | Slice
Index = tuple[Item, ...]


def parts(index: Index, atoms: tuple[T, ...]) -> Iterator[tuple[Item, tuple[T | None, ...]]]:
    """Each item with its atoms; a slice has two, None where the bound is absent."""
    rest = iter(atoms)
    for item in index:
        if isinstance(item, Slice):
            yield item, (next(rest) if item.start else None, next(rest) if item.stop else None)
        elif item == "new":
            yield item, ()
        else:
            yield item, (next(rest),)


def subscript(index: Index, atoms: tuple[object, ...]) -> tuple[object, ...]:
    """The Python object that indexes a NumPy array in the same way."""
    result: list[object] = []
    for item, bounds in parts(index, atoms):
        if isinstance(item, Slice):
            step = None if item.step == 1 else item.step
            result.append(slice(bounds[0], bounds[1], step))
        else:
            result.append(None if item == "new" else bounds[0])
    return tuple(result)


def everything(rank: int) -> Index:
    """The index of every element."""
    return (FULL,) * rank


def whole(index: Index) -> bool:
    """Whether an index names every element, in order."""
    return all(item == FULL for item in index)


def apart(index: Index) -> bool:
    """Whether slices stand between the arrays and ints of an index: then NumPy puts the axes of
    the arrays first."""
    kinds = [item in ("array", "mask", "int") for item in index]
    first, last = kinds.index(True), len(kinds) - kinds[::-1].index(True)
    return not all(kinds[first:last])


def advanced(index: Index) -> bool:
    return "array" in index or "mask" in index
