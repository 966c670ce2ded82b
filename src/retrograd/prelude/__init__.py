"""NumPy's, math's and SciPy's functions, written in the language itself over the primitives.

    ELEMENTWISE   callables that are one elementwise operation
    FUNCTIONS     callable -> prelude function with the same parameters
    SCIPY         the same, keyed on qualified names so that SciPy is not imported; a string is
                  an elementwise operation
    METHODS       ndarray method -> prelude function that takes the array first
    DRAWS         method of a generator -> prelude function that takes the generator first
    ATTRIBUTES    ndarray attribute -> prelude function of the array
    ALIASES       those of them whose result may look into an argument, or be it
    WEAK          callables whose results are Python numbers (math's, float, int); every other
                  result of a NumPy function is strong
    OPERATORS     those of them that are Python's own
    REAL_ONLY     callables that take no complex numbers: they raise TypeError
    OF_COMPLEX    elementwise operation -> its definition for complex numbers, where it differs
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude import (
    complex_numbers,
    creation,
    elementwise,
    joining,
    linalg,
    numbers,
    products,
    reductions,
    shapes,
    sorting,
    writing,
)
from retrograd.prelude.complex_numbers import CMATH, CMATH_FUNCTIONS, OF_COMPLEX
from retrograd.prelude.draws import DRAWS
from retrograd.prelude.elementwise import MATH, OPERATORS
from retrograd.prelude.methods import ATTRIBUTES, METHODS
from retrograd.prelude.special import SCIPY

ELEMENTWISE: dict[Callable[..., Any], str] = {**elementwise.ELEMENTWISE, **CMATH}


def _together(*tables: dict[Callable[..., Any], Callable[..., Any]],
              ) -> dict[Callable[..., Any], Callable[..., Any]]:
    """One table; two entries for one callable raise ValueError."""
    result: dict[Callable[..., Any], Callable[..., Any]] = {}
    for table in tables:
        for function, body in table.items():
            if function in result or function in ELEMENTWISE:
                raise ValueError(f"{function!r} has two entries in the prelude")
            result[function] = body
    return result


FUNCTIONS = _together(
    elementwise.FUNCTIONS, reductions.FUNCTIONS, shapes.FUNCTIONS, creation.FUNCTIONS,
    joining.FUNCTIONS, sorting.FUNCTIONS, writing.FUNCTIONS, products.FUNCTIONS, linalg.FUNCTIONS,
    numbers.FUNCTIONS,
    complex_numbers.FUNCTIONS)

_COPIES = (np.roll, np.repeat, np.tile, np.take)
ALIASES: frozenset[Callable[..., Any]] = frozenset(
    [*(f for f in shapes.FUNCTIONS if f not in _COPIES), np.array, np.asarray, np.diagonal,
     np.diag, np.einsum, np.real, np.imag, np.astype])

WEAK: frozenset[Callable[..., Any]] = frozenset(
    {*MATH, *numbers.MATH_FUNCTIONS, *CMATH, *CMATH_FUNCTIONS, float, int, bool})

REAL_ONLY: frozenset[Callable[..., Any]] = frozenset(
    {*MATH, *numbers.MATH_FUNCTIONS, np.deg2rad, np.radians, np.rad2deg, np.degrees, np.fabs,
     float, int})

__all__ = ["ALIASES", "ATTRIBUTES", "DRAWS", "ELEMENTWISE", "FUNCTIONS", "METHODS", "OF_COMPLEX",
           "OPERATORS", "REAL_ONLY", "SCIPY", "WEAK"]
