"""`ravel`: parameters as one flat vector, as optimisers want them, and the way back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.api.types import type_of
from retrograd.ir.types import Array, Scalar, is_complex, is_float
from retrograd.trees import Tree, rebuild, taken_apart


@dataclass(frozen=True, slots=True)
class Part:
    """A float leaf: the `size` elements of the vector from `start` on, in this shape and type."""

    start: int
    shape: tuple[int, ...]
    type: Array | Scalar

    @property
    def stop(self) -> int:
        return self.start + math.prod(self.shape)


class Unravel:
    """Makes parameters of a flat vector; `ravel` returns it.

    It may be called inside functions that are differentiated.

    Attributes
    ----------
    size : int
        The length of the vector.
    parts : tuple of Part or int
        What each leaf is: a part of the vector, or the position of what is not in the vector in
        `others`.
    """

    def __init__(self, tree: Tree, parts: tuple[Part | int, ...], others: list[Any]) -> None:
        self.tree = tree
        self.parts = parts
        self.others = others
        self.size = max((p.stop for p in parts if isinstance(p, Part)), default=0)

    def __call__(self, vector: Any) -> Any:
        """The parameters in this vector. Arrays of float64 look into it, as `reshape` does.

        Raises ValueError for another shape than `(size,)`.
        """
        flat = np.asarray(vector)
        if flat.shape != (self.size,):
            raise ValueError(f"the vector has shape {flat.shape}, but must have ({self.size},)")
        return rebuild(self.tree, [self._leaf(flat, part) for part in self.parts])

    def _leaf(self, flat: np.ndarray[Any, Any], part: Part | int) -> Any:
        if isinstance(part, int):
            return self.others[part]
        dtype = np.dtype(part.type.dtype)
        if isinstance(part.type, Array):
            return flat[part.start:part.stop].reshape(part.shape).astype(dtype, copy=False)
        number = flat[part.start]
        return number.item() if part.type.weak else dtype.type(number)

    def __repr__(self) -> str:
        return f"<the way back from a vector of {self.size}>"


def ravel(params: Any) -> tuple[np.ndarray[Any, Any], Unravel]:
    """The floats in a container as one flat vector, and the way back.

        x0, unravel = rg.ravel(params)
        f = rg.value_and_grad(lambda x: loss(unravel(x)))
        params = unravel(scipy.optimize.minimize(f, x0, jac=True).x)

    Parameters
    ----------
    params : any container
        Its floats and arrays of floats go into the vector, in order; what is no float stays as it
        is, and is not in the vector (nor is None, as gradients have it there).

    Returns
    -------
    vector : array, (n,), float64
        In memory of its own.
    unravel : callable
        `unravel(vector)` gives a container of the same structure, shapes and dtypes.

    Raises
    ------
    TypeError
        If there is a complex number among the leaves.
    """
    tree, leaves = taken_apart(params)
    parts: list[Part | int] = []
    others: list[Any] = []
    floats: list[Any] = []
    start = 0
    for leaf in leaves:
        kind = type_of(leaf)
        if not isinstance(kind, (Array, Scalar)) or not is_float(kind):
            parts.append(len(others))
            others.append(leaf)
            continue
        if is_complex(kind):
            raise TypeError("a complex number has no place in a vector of float64: ravel its real "
                            "and its imaginary part")
        parts.append(Part(start, np.shape(leaf), kind))
        floats.append(np.ravel(leaf))
        start += np.size(leaf)
    return _joined(floats), Unravel(tree, tuple(parts), others)


def _joined(arrays: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    return np.concatenate([np.empty(0), *arrays], dtype=np.float64)
