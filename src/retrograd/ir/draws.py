"""Draws: numbers that are taken from a generator, an effect with a result.

    result = draw(generator, bounds*, extents*)     static method, bounds, array, endpoint

A draw moves the generator's state. So it is made exactly once and where it stands: no pass
removes, repeats, shares or moves an `Effect`, and the planner keeps or stores its result but never
computes it again.

`method` is one of `METHODS`; everything else that a generator offers is made of these
(`prelude/draws.py`). `bounds` counts the arguments that `integers` takes; with `array` the result
is an array of the extents that follow, else one number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.ir.build import Builder
from retrograd.ir.nodes import Atom, Effect, Value
from retrograd.ir.types import FLOAT, Array, Scalar

# Python's floats are what NumPy's methods return, but for `integers`.
METHODS = {"random": FLOAT, "standard_normal": FLOAT, "standard_exponential": FLOAT,
           "integers": Scalar("int64")}


def draw(builder: Builder, method: str, generator: Atom, bounds: Sequence[Atom],
         shape: Sequence[Atom] | None, endpoint: bool = False) -> Value:
    """Append a draw and return its result."""
    number = METHODS[method]
    if shape is None:
        result = Value("t", number)
    else:
        extents = tuple(builder.facts.integer(a) for a in shape)
        dims = tuple(1 if e.known == 1 else None for e in extents)
        result = Value("t", Array(number.dtype, dims))
        builder.facts.extents[result] = extents
    static = {"method": method, "bounds": len(bounds), "array": shape is not None,
              "endpoint": endpoint}
    builder.append(Effect("draw", (generator, *bounds, *(shape or ())), static, builder.origin,
                          result))
    return result


def parts(effect: Effect) -> tuple[Atom, tuple[Atom, ...], tuple[Atom, ...] | None]:
    """The generator, the bounds and the shape of a draw."""
    generator, *rest = effect.args
    count = effect.static["bounds"]
    return generator, tuple(rest[:count]), tuple(rest[count:]) if effect.static["array"] else None


def drawn(effect: Effect, args: Sequence[Any]) -> Any:
    """What NumPy draws, for arguments that are numbers."""
    generator, *rest = args
    count = effect.static["bounds"]
    size = tuple(map(int, rest[count:])) if effect.static["array"] else None
    keywords = {"endpoint": True} if effect.static["endpoint"] else {}
    result = getattr(generator, effect.static["method"])(*rest[:count], size=size, **keywords)
    return result if size is not None else np.float64(result) \
        if effect.static["method"] != "integers" else result
