"""What several rules need: adjoints in the dtype and shape of their argument, sums of tangents."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.prelude.arguments import is_complex
from retrograd.prelude.elementwise import cast
from retrograd.prelude.language import dtype_of, is_known, is_scalar


def typed_like(bar: Any, x: Any) -> Any:
    """The adjoint in the dtype of its argument; a real argument takes the real part."""
    if is_complex(dtype_of(bar)) and not is_complex(dtype_of(x)):
        return cast(np.real(bar), dtype_of(x))
    return cast(bar, dtype_of(x))


def is_one(n: Any) -> bool:
    """Whether an extent is known to be 1."""
    return is_known(n) and n == 1


def summed_like(bar: Any, x: Any) -> Any:
    """The adjoint of x where x was broadcast: summed over what was repeated."""
    lead = np.ndim(bar) - np.ndim(x)
    repeated = tuple([k for k, n in enumerate(np.shape(bar))
                      if k < lead or (is_one(np.shape(x)[k - lead]) and not is_one(n))])
    if len(repeated) == 0:
        return bar
    total = np.sum(bar, axis=repeated)
    return total if np.ndim(total) == np.ndim(x) else np.reshape(total, np.shape(x))


def spread_like(bar: Any, x: Any) -> Any:
    """The adjoint with the shape of x, where it is the same along some axes."""
    if is_scalar(x):
        return bar
    repeated = [k for k, n in enumerate(np.shape(bar)) if is_one(n) and not is_one(np.shape(x)[k])]
    if np.ndim(bar) == np.ndim(x) and len(repeated) == 0:
        return bar
    return np.broadcast_to(bar, np.shape(x))


def plus(a: Any, b: Any) -> Any:
    """The sum of two tangents, where None is none."""
    if a is None:
        return b
    return a if b is None else a + b
