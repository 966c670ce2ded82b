"""The methods of a `np.random.Generator`: prelude functions that take the generator first.

Four methods are draws themselves; the others are arithmetic on standard draws, as they are in
NumPy: the same numbers from the same state, and differentiable in what shifts and scales them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import as_shape, dtype_name, fail, is_complex, not_given
from retrograd.prelude.elementwise import cast
from retrograd.prelude.language import (
    draw,
    dtype_of,
    is_float,
    is_known,
    is_scalar,
    is_sequence,
    refuse,
)


def random(rng: Any, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
    _double("random", dtype, out)
    return draw(rng, "random", shape=_shape(size))


def standard_normal(rng: Any, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
    _double("standard_normal", dtype, out)
    return draw(rng, "standard_normal", shape=_shape(size))


def standard_exponential(rng: Any, size: Any = None, dtype: Any = np.float64,
                         method: str = "zig", out: Any = None) -> Any:
    _double("standard_exponential", dtype, out)
    if method != "zig":
        refuse("standard_exponential supports only method='zig'", "leave method= out")
    return draw(rng, "standard_exponential", shape=_shape(size))


def normal(rng: Any, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    mean, width = _parameter(loc), _parameter(scale)
    _not_negative("scale", width)
    drawn = draw(rng, "standard_normal", shape=_common_shape(size, mean, width))
    return _shifted(mean, _scaled(width, drawn))


def uniform(rng: Any, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    start, end = _parameter(low), _parameter(high)
    span = end - start
    if not _all(np.isfinite(span)):
        raise OverflowError("high - low range exceeds valid bounds")
    _not_negative("high - low", span)
    drawn = draw(rng, "random", shape=_common_shape(size, start, span))
    return _shifted(start, _scaled(span, drawn))


def exponential(rng: Any, scale: Any = 1.0, size: Any = None) -> Any:
    width = _parameter(scale)
    _not_negative("scale", width)
    return _scaled(width, draw(rng, "standard_exponential", shape=_common_shape(size, width)))


def integers(rng: Any, low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64,
             endpoint: bool = False) -> Any:
    if dtype_name(dtype) != "int64":
        refuse("integers of another dtype than int64 are drawn in another way",
               "draw int64 and convert them with astype")
    start, end = (0, _bound(low)) if high is None else (_bound(low), _bound(high))
    if start > end if endpoint else start >= end:
        raise ValueError(_nothing_between(high is None, endpoint))
    if 1.0 * end - 1.0 * start >= 2.0**63 - 2.0**12:       # Numba's range is a signed int
        raise OverflowError("the integers to draw from are more than 2**63: draw them in parts")
    return draw(rng, "integers", start, end, shape=_shape(size), endpoint=endpoint)


def _nothing_between(one: bool, endpoint: bool) -> str:
    comparison = (" < " if endpoint else " <= ") if one else (" > " if endpoint else " >= ")
    return "high" + comparison + "0" if one else "low" + comparison + "high"


# --- arguments -----------------------------------------------------------------------------------


def _double(method: str, dtype: Any, out: Any) -> None:
    not_given(method, "out", out)
    if dtype_name(dtype) != "float64":
        refuse(method + " of another dtype than float64 draws other numbers",
               "draw float64 and convert them with astype")


def _bound(x: Any) -> Any:
    if not is_scalar(x) or is_sequence(x):
        refuse("integers with an array of bounds is not supported", "draw in a loop")
    if is_float(x):
        refuse("integers with bounds that are floats is not supported", "convert them with int()")
    return x


def _parameter(p: Any) -> Any:
    """A parameter of a distribution in float64; an array of no axes counts as a number."""
    x = np.asarray(p) if is_sequence(p) else p
    if is_complex(dtype_of(x)):
        fail("TypeError", "must be real number, not complex")
    if np.ndim(x) == 0 and not is_scalar(x):
        x = np.reshape(x, (1,))[0]
    return x if dtype_of(x) == "float64" else cast(x, "float64")


def _all(truth: Any) -> Any:
    return truth if np.ndim(truth) == 0 else np.all(truth)


def _not_negative(name: str, x: Any) -> None:
    """NumPy's check: -0.0 counts as negative, nan does not."""
    if not _all(np.logical_or(np.logical_not(np.signbit(x)), np.isnan(x))):
        raise ValueError(name + " < 0")


def _shape(size: Any) -> Any:
    return None if size is None else as_shape(size)


def _common_shape(size: Any, *parameters: Any) -> Any:
    """The shape of the result: `size`, or that of the parameters together."""
    if size is not None:
        shape = as_shape(size)
        for p in parameters:
            if np.ndim(p) > 0:
                np.broadcast_to(p, shape)                # raises where it does not fit
        return shape
    arrays = [p for p in parameters if np.ndim(p) > 0]
    if len(arrays) == 0:
        return None
    return np.shape(arrays[0] if len(arrays) == 1 else arrays[0] + arrays[1])


def _scaled(scale: Any, drawn: Any) -> Any:
    return drawn if is_known(scale) and scale == 1 else scale * drawn


def _shifted(loc: Any, drawn: Any) -> Any:
    return drawn if is_known(loc) and loc == 0 else loc + drawn


DRAWS: dict[str, Callable[..., Any]] = {
    "random": random, "standard_normal": standard_normal,
    "standard_exponential": standard_exponential, "normal": normal, "uniform": uniform,
    "exponential": exponential, "integers": integers,
}
