"""`out=`: gradients go into the caller's arrays, which are nested as the gradients are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from retrograd.trees import Leaf, Node, Tree, parts_at, rebuild


def written(tree: Tree, gradients: Sequence[Any], out: Any) -> Any:
    """Copy gradients, which are the leaves of `tree`, into arrays, all or none.

    Returns the arrays in the structure of the gradients. Where `out` has None in a container, the
    gradient itself is returned. Raises TypeError or ValueError, with the place, for another
    structure and for arrays that cannot take their gradients as they are.
    """
    arrays = dict(_targets(tree, out, "out"))
    for position, (name, array) in arrays.items():
        if array is not None or isinstance(tree, Leaf):
            _check(gradients[position], array, name)
    for position, (_, array) in arrays.items():
        if array is not None:
            array[...] = gradients[position]
    return rebuild(tree, [g if arrays[k][1] is None else arrays[k][1]
                          for k, g in enumerate(gradients)])


def _targets(tree: Tree, out: Any, name: str) -> Iterator[tuple[int, tuple[str, Any]]]:
    """The array for each gradient, and what it is called."""
    if isinstance(tree, Leaf):
        yield tree.position, (name, out)
    elif isinstance(tree, Node):
        count = len(tree.children)
        pairs = [(name, None)] * count if out is None else parts_at(tree, out, name)
        for child, (place, part) in zip(tree.children, pairs, strict=True):
            yield from _targets(child, part, place)


def _check(gradient: Any, out: Any, name: str) -> None:
    """Raise unless `gradient` can be written into `out` as it is."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} must be an array, got {type(out).__name__}")
    shape, dtype = np.shape(gradient), np.asarray(gradient).dtype
    if out.shape != shape:
        raise ValueError(f"{name} has shape {out.shape}, but the gradient has {shape}")
    if out.dtype != dtype:
        raise TypeError(f"{name} has dtype {out.dtype}, but the gradient has {dtype}")
    if not out.flags.writeable:
        raise ValueError(f"{name} is read-only")
