"""`out=`: results go into the caller's arrays, which are nested as the results are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from retrograd.trees import Leaf, Node, Tree, parts_at, rebuild


def written(tree: Tree, results: Sequence[Any], out: Any, what: str = "gradient") -> Any:
    """Copy results, which are the leaves of `tree`, into arrays, all or none; those that lie there
    already stay.

    Returns the arrays in the structure of the results. Where `out` has None in a container, the
    result itself is returned. Raises TypeError or ValueError, with the place, for another
    structure and for arrays that cannot take their results as they are.
    """
    arrays = dict(targets(tree, out, "out"))
    for position, (name, array) in arrays.items():
        if array is not results[position] and (array is not None or isinstance(tree, Leaf)):
            _check(results[position], array, name, what)
    for position, (_, array) in arrays.items():
        if array is not None and array is not results[position]:
            array[...] = results[position]
    return rebuild(tree, [r if arrays[k][1] is None else arrays[k][1]
                          for k, r in enumerate(results)])


def targets(tree: Tree, out: Any, name: str) -> Iterator[tuple[int, tuple[str, Any]]]:
    """The array for each result, and what it is called."""
    if isinstance(tree, Leaf):
        yield tree.position, (name, out)
    elif isinstance(tree, Node):
        count = len(tree.children)
        pairs = [(name, None)] * count if out is None else parts_at(tree, out, name)
        for child, (place, part) in zip(tree.children, pairs, strict=True):
            yield from targets(child, part, place)


def _check(result: Any, out: Any, name: str, what: str) -> None:
    """Raise unless `result` can be written into `out` as it is."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} must be an array, got {type(out).__name__}")
    shape, dtype = np.shape(result), np.asarray(result).dtype
    if out.shape != shape:
        raise ValueError(f"{name} has shape {out.shape}, but the {what} has {shape}")
    if out.dtype != dtype:
        raise TypeError(f"{name} has dtype {out.dtype}, but the {what} has {dtype}")
    if not out.flags.writeable:
        raise ValueError(f"{name} is read-only")
