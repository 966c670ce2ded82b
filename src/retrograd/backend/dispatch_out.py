"""Calls with `out=`: results are made in the caller's arrays, where that can be.

Compiled code for such calls takes memory for results as further arguments, and uses it where its
shape is that of the result. So arrays are handed over that are contiguous, aligned, writable, of
the result's dtype and rank, and certainly apart from all others in the call; a result that does
not lie where it should is copied there, or refused, by `written`, as after any other call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from retrograd.api import outputs
from retrograd.ir.types import Array
from retrograd.trees import Tree

_FIT = 0x501                      # bits of flags.num: C order, aligned, writable
_OWN = 0x4                        # the array's memory is its own
Run = Callable[..., Any]
Made = tuple[Run, Mapping[int, Array]]


class Into:
    """Calls a specialisation with its leaves and `out`.

    `run(*leaves)` gives fresh results, `written(results, out)` puts them into the arrays. `tree`
    is the part of the results that `out` mirrors. `make()` compiles, at the first call, what takes
    memory: the types of that are by position of the result.
    """

    def __init__(self, run: Run, written: Callable[[Any, Any], Any], tree: Tree,
                 make: Callable[[], Made | None]) -> None:
        self.run = run
        self.written = written
        self.tree = tree
        self.make = make
        self.made: Made | None = None
        self.asked = False

    def __call__(self, leaves: Sequence[Any], out: Any) -> Any:
        if not self.asked:
            self.made = self.make()
            self.asked = True
        if self.made is None:
            return self.written(self.run(*leaves), out)
        direct, memory = self.made
        given = self._given(leaves, out)
        taken = [_memory(given.get(k), type) for k, type in memory.items()]
        return self.written(direct(*leaves, *taken), out)

    def _given(self, leaves: Sequence[Any], out: Any) -> dict[int, Any]:
        """The arrays in `out` that certainly share memory with no other array."""
        found: dict[int, Any] = {}
        with contextlib.suppress(TypeError, ValueError):         # `written` says what is wrong
            found = {k: a for k, (_, a) in outputs.targets(self.tree, out, "out")
                     if isinstance(a, np.ndarray)}
        arrays = [a for a in (*leaves, *found.values()) if isinstance(a, np.ndarray)]
        return {k: a for k, a in found.items() if apart(a, arrays)}


def apart(array: Any, arrays: Collection[Any]) -> bool:
    """Whether an array, which is once among others, certainly shares memory with no other."""
    owns = array.flags.num & _OWN
    seen = False
    for other in arrays:
        if other is array:
            if seen:
                return False
            seen = True
        elif not (owns and other.flags.num & _OWN) and np.may_share_memory(array, other):
            return False
    return True


def _memory(array: Any, type: Array) -> Any:
    """The memory for a result: the caller's, or of no use where that does not fit."""
    if array is not None and array.ndim == len(type.dims) and array.dtype == type.dtype \
            and array.flags.num & _FIT == _FIT and array.__class__ is np.ndarray and array.size:
        return array
    return np.empty((0,) * len(type.dims), type.dtype)
