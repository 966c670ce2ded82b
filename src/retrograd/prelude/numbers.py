"""Builtins and math's functions on Python numbers; `max` and `min` follow the path taken."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import fail
from retrograd.prelude.elementwise import deg2rad, fabs, rad2deg
from retrograd.prelude.language import (
    dtype_of,
    is_float,
    is_known,
    is_scalar,
    is_sequence,
    primitive,
    refuse,
)


def maximum_of(*args: Any) -> Any:
    """Python's max: the first of the largest."""
    items = _candidates("max", args)
    best = items[0]
    for x in items[1:]:
        best = x if x > best else best
    return best


def minimum_of(*args: Any) -> Any:
    """Python's min: the first of the smallest."""
    items = _candidates("min", args)
    best = items[0]
    for x in items[1:]:
        best = x if x < best else best
    return best


def _candidates(name: str, args: Any) -> Any:
    items = args[0] if len(args) == 1 else args
    if not is_sequence(items):
        if np.ndim(items) != 1:
            refuse("Python's " + name + " of this array compares whole rows",
                   "use np." + name)
        return (items[np.argmax(items)],) if name == "max" else (items[np.argmin(items)],)
    if len(items) == 0:
        fail("ValueError", name + "() iterable argument is empty")
    for x in items:
        if not is_scalar(x):
            refuse("Python's " + name + " of arrays has no single truth value",
                   "use np." + name + "imum for two arrays")
    return items


def sum_of(iterable: Any, /, start: Any = 0) -> Any:
    """Python's sum, of a container of known length or of an array's first axis."""
    if not is_sequence(iterable):
        total = np.sum(iterable, axis=0)
        return total if is_known(start) and start == 0 else start + total
    items = iterable
    if is_known(start) and start == 0 and len(items) > 0:
        start = items[0] + 0 if dtype_of(items[0]) == "bool" else items[0]
        items = items[1:]
    for x in items:
        start = start + x
    return start


def power(base: Any, exp: Any, mod: Any = None) -> Any:
    if mod is not None:
        refuse("pow with three arguments is not supported", "write base ** exp % mod")
    return base ** exp


def to_float(x: Any = 0.0, /) -> Any:
    return primitive("cast", x, dtype="float64")


def to_int(x: Any = 0, /) -> Any:
    return primitive("cast", np.trunc(x) if is_float(x) else x, dtype="int64")


def to_bool(x: Any = False, /) -> Any:
    return x if dtype_of(x) == "bool" else x != 0


def quotient_and_remainder(x: Any, y: Any, /) -> Any:
    return x // y, x % y


def logarithm(x: Any, base: Any = None, /) -> Any:
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _float(x: Any) -> Any:
    return x if is_float(x) else primitive("cast", x, dtype="float64")


def math_pow(x: Any, y: Any, /) -> Any:
    return _float(x) ** _float(y)


def math_fmod(x: Any, y: Any, /) -> Any:
    return np.fmod(_float(x), _float(y))


def math_floor(x: Any, /) -> Any:
    return primitive("cast", np.floor(x), dtype="int64")


def math_ceil(x: Any, /) -> Any:
    return primitive("cast", np.ceil(x), dtype="int64")


def math_trunc(x: Any, /) -> Any:
    return to_int(x)


def math_hypot(*coordinates: Any) -> Any:
    if len(coordinates) == 0:
        return 0.0
    result = np.absolute(_float(coordinates[0]))
    if len(coordinates) > 1:
        result = np.hypot(coordinates[0], coordinates[1])
    for x in coordinates[2:]:
        result = np.hypot(result, x)
    return result


def math_prod(iterable: Any, /, *, start: Any = 1) -> Any:
    if not is_sequence(iterable):
        return start * np.prod(iterable, axis=0)
    result = start
    for x in iterable:
        result = x if is_known(result) and result == 1 and not is_known(x) else result * x
    return result


BUILTINS: dict[Callable[..., Any], Callable[..., Any]] = {
    max: maximum_of, min: minimum_of, sum: sum_of, pow: power, float: to_float, int: to_int,
    bool: to_bool, divmod: quotient_and_remainder,
}
MATH_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    math.log: logarithm, math.pow: math_pow, math.fmod: math_fmod, math.floor: math_floor,
    math.ceil: math_ceil, math.trunc: math_trunc, math.fabs: fabs, math.hypot: math_hypot,
    math.degrees: rad2deg, math.radians: deg2rad, math.prod: math_prod,
}
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {**BUILTINS, **MATH_FUNCTIONS}
