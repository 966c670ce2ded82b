"""Results as trees of leaves (pytrees): how they are taken apart and put together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from retrograd import containers
from retrograd.containers import Kind


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
    """A container (`containers.py`), with its keys."""

    kind: Kind
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
            return containers.put_together(kind, keys, [rebuild(c, leaves) for c in children])


def shifted(tree: Tree, by: int) -> Tree:
    """The same tree over leaves that start at a later position."""
    match tree:
        case Leaf(position=position):
            return Leaf(position + by)
        case Fixed():
            return tree
        case Node(kind=kind, children=children, keys=keys):
            return Node(kind, tuple(shifted(c, by) for c in children), keys)


def plain(tree: Tree) -> Tree:
    """The tree as generated source returns it, which knows no classes: a dataclass as a dict, any
    other object as a tuple."""
    if not isinstance(tree, Node):
        return tree
    children = tuple(map(plain, tree.children))
    if isinstance(tree.kind, str):
        return Node(tree.kind, children, tree.keys)
    if containers.is_dataclass(tree.kind):
        return Node("dict", children, tree.keys)
    return Node("tuple", children)


def without_leaves(tree: Tree) -> Tree:
    """The tree with None in place of every leaf."""
    if isinstance(tree, Node):
        return Node(tree.kind, tuple(map(without_leaves, tree.children)), tree.keys)
    return Fixed(None)


def positions(tree: Tree) -> Iterator[int]:
    """The leaves of a tree, in order."""
    if isinstance(tree, Leaf):
        yield tree.position
    elif isinstance(tree, Node):
        for child in tree.children:
            yield from positions(child)


def values_at(tree: Tree, nested: Any, name: str) -> dict[int, tuple[str, Any]]:
    """What stands at each leaf in an object of this structure: where that is, and the value.

    What is at other places is not looked at. Raises TypeError or ValueError, with the place, where
    the object has another structure.
    """
    match tree:
        case Leaf(position=position):
            return {position: (name, nested)}
        case Node(children=children):
            return {position: found for child, (place, part) in zip(
                children, parts_at(tree, nested, name), strict=True)
                for position, found in values_at(child, part, place).items()}
        case _:
            return {}


def parts_at(tree: Node, nested: Any, name: str) -> list[tuple[str, Any]]:
    """The parts of an object that has to be such a container, and how they are reached. A list
    may stand for a tuple, and a tuple for a list."""
    parts = _parts(tree.kind, tree.keys, len(tree.children), nested, name)
    steps = containers.steps(tree.kind, tree.keys, len(parts))
    return [(name + step, part) for step, part in zip(steps, parts, strict=True)]


def taken_apart(value: Any) -> tuple[Tree, list[Any]]:
    """The structure of any object, and its leaves: all that is no container and not None."""
    leaves: list[Any] = []

    def of(part: Any) -> Tree:
        kind = containers.kind_of(part)
        if kind is not None:
            parts, keys = containers.taken_apart(part, kind)
            return Node(kind, tuple(map(of, parts)), keys)
        if part is None:
            return Fixed(None)
        leaves.append(part)
        return Leaf(len(leaves) - 1)

    return of(value), leaves


def _parts(kind: Kind, keys: tuple[Any, ...], count: int, nested: Any, name: str,
           ) -> tuple[Any, ...]:
    given = containers.kind_of(nested)
    if given is None or (given != kind and {given, kind} != {"tuple", "list"}):
        raise TypeError(f"{name} must be {containers.described(kind)}, got "
                        f"{containers.described(type(nested))}")
    parts, found = containers.taken_apart(nested, given)
    if kind == "dict" and set(found) == set(keys):
        return tuple(nested[key] for key in keys)
    if kind == "dict":
        raise ValueError(f"{name} has the keys {list(found)}, but must have {list(keys)}")
    if len(parts) != count:
        raise ValueError(f"{name} has {len(parts)} items, but must have {count}")
    return parts
