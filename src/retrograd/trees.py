"""Containers as trees of leaves (pytrees): how results are taken apart and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Leaf:
    """The leaf number `position` of the flat results."""

    position: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that was known while compiling (None, a string, ...)."""

    value: Any


@dataclass(frozen=True, slots=True)
class Node:
    """A tuple, a list or a dict (with its keys)."""

    kind: str
    children: tuple[Tree, ...]
    keys: tuple[Any, ...] = ()


Tree = Leaf | Fixed | Node


def rebuild(tree: Tree, leaves: Sequence[Any]) -> Any:
    """The container of this structure with these leaves."""
    match tree:
        case Leaf(position=position):
            return leaves[position]
        case Fixed(value=value):
            return value
        case Node(kind=kind, children=children, keys=keys):
            items = [rebuild(child, leaves) for child in children]
            if kind == "dict":
                return dict(zip(keys, items, strict=True))
            return tuple(items) if kind == "tuple" else items


def shifted(tree: Tree, by: int) -> Tree:
    """The same tree over leaves that start at a later position."""
    match tree:
        case Leaf(position=position):
            return Leaf(position + by)
        case Fixed():
            return tree
        case Node(kind=kind, children=children, keys=keys):
            return Node(kind, tuple(shifted(c, by) for c in children), keys)
