"""The floats in arguments, one by one: what `check_grads` moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from retrograd.api.types import type_of
from retrograd.ir.types import is_float
from retrograd.program import Known
from retrograd.trees import Leaf, rebuild, taken_apart, values_at

Place = tuple[int, int]         # the position of an argument, and the number of a leaf in it


def float_places(args: tuple[Any, ...], positions: Sequence[int]) -> Iterator[Place]:
    """The differentiated leaves: a Python int that is an argument itself counts as a float."""
    for position in positions:
        tree, leaves = taken_apart(args[position])
        for number, leaf in enumerate(leaves):
            if isinstance(tree, Leaf) or has_tangent(leaf):
                yield position, number


def leaf_at(args: Sequence[Any], place: Place) -> Any:
    return taken_apart(args[place[0]])[1][place[1]]


def with_leaf(value: Any, number: int, leaf: Any) -> Any:
    tree, leaves = taken_apart(value)
    leaves[number] = leaf
    return rebuild(tree, leaves)


def adjoint_at(args: Sequence[Any], bars: Mapping[int, Any], place: Place) -> Any:
    tree, _ = taken_apart(args[place[0]])
    return values_at(tree, bars[place[0]], "the adjoint")[place[1]][1]


def mapped(value: Any, new: Callable[[Any], Any]) -> Any:
    tree, leaves = taken_apart(value)
    return rebuild(tree, [new(leaf) for leaf in leaves])


def copied(value: Any) -> Any:
    """An argument with copies of the arrays in it, in containers of its own."""
    return mapped(value, lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf)


def has_tangent(leaf: Any) -> bool:
    kind = type_of(leaf)
    return not isinstance(kind, Known) and is_float(kind)


def in_double(argument: Any) -> Any:
    """An argument with its floats in double precision."""
    tree, leaves = taken_apart(argument)
    return rebuild(tree, [doubled(leaf) if isinstance(tree, Leaf) or has_tangent(leaf) else leaf
                          for leaf in leaves])


def no_tangent(leaf: Any) -> Any:
    """The tangent of a leaf that does not move; None for what is no float."""
    if not has_tangent(leaf):
        return None
    return np.zeros_like(leaf) if isinstance(leaf, np.ndarray) else type(leaf)(0)


def doubled(value: Any) -> Any:
    """An argument or a result in double precision; Python numbers stay Python numbers."""
    kind: Any = np.complex128 if np.iscomplexobj(value) else np.float64
    return np.asarray(value, kind) if isinstance(value, np.ndarray) else kind(value).item()
