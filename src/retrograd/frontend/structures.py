"""Results as things: the opposite of `endings.structure`."""

from __future__ import annotations

from collections.abc import Callable

from retrograd.frontend import cells, objects
from retrograd.frontend.things import Thing
from retrograd.frontend.tracer import Tracer, static_thing
from retrograd.trees import Fixed, Leaf, Node, Tree


def thing_from(tracer: Tracer, tree: Tree, things: Callable[[int], Thing]) -> Thing:
    """The result of a structure whose leaf number k is `things(k)`."""
    match tree:
        case Leaf(position=position):
            return things(position)
        case Fixed(value=value):
            return static_thing(value)
        case Node(kind=kind, children=children, keys=keys):
            parts = tuple(thing_from(tracer, c, things) for c in children)
            return cells.made(tracer, objects.container(tracer, kind, parts, keys))
