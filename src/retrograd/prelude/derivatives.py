"""What derivatives are made of in the language itself: directions, one call for each of many, sums
over blocks of samples. `one`, `add` and `zero` are functions that the front end makes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.api.marks import parallel_range
from retrograd.prelude.language import dtype_of, is_scalar

Function = Callable[..., Any]


def direction(x: Any, k: Any) -> Any:
    """The unit vector for element number k of x, in the shape of x."""
    if is_scalar(x):
        return np.ones((), dtype_of(x))[()]
    flat = np.zeros(np.size(x), dtype_of(x))
    flat[k] = 1
    return flat if np.ndim(x) == 1 else np.reshape(flat, np.shape(x))


def each(one: Function, n: Any) -> Any:
    """A list of `one(0)`, ..., `one(n - 1)`."""
    return [one(k) for k in range(n)]


def each_in_parallel(one: Function, n: Any) -> Any:
    return [one(k) for k in parallel_range(n)]


def either(test: Any, first: Function, second: Function) -> Any:
    """The one or the other, decided by the program."""
    if test:
        result = first()
    else:
        result = second()
    return result


def total(one: Function, zero: Function, add: Function, start: Any, stop: Any) -> Any:
    """`one(start) + ... + one(stop - 1)`, in this order."""
    found = zero()
    for k in range(start, stop):
        found = add(found, one(k))
    return found
