"""What functions of the prelude and rules may use beyond NumPy: primitives and static helpers.

Everything here also works on plain NumPy values, so a prelude function can be run and tested as
the ordinary Python function that it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from retrograd.errors import Unsupported
from retrograd.ir.operations import OPERATIONS

F = TypeVar("F", bound=Callable[..., Any])


def primitive(op: str, *args: Any, **static: Any) -> Any:
    """The operation of the IR with this name; keyword arguments are its static parts."""
    return OPERATIONS[op].evaluate(*args, **static)


def draw(generator: Any, method: str, *bounds: Any, shape: Any,
         endpoint: bool = False) -> Any:
    """Numbers that the generator draws: one, or an array of a shape."""
    keywords = {"endpoint": True} if endpoint else {}
    return getattr(generator, method)(*bounds, size=shape, **keywords)


def static(function: F) -> F:
    """Mark a function that the front end runs while compiling: all its arguments are static
    (ints, strings, None, dtypes, tuples of these), and so is its result."""
    function.__dict__["retrograd_static"] = True
    return function


@static
def refuse(reason: str, remedy: str) -> None:
    """Refuse the call being compiled."""
    raise Unsupported(reason, remedy)


def is_scalar(x: Any) -> bool:
    """Whether x is a number and not an array (static: decided by x's type)."""
    return not isinstance(x, np.ndarray)


def is_float(x: Any) -> bool:
    """Whether x has a real or complex floating dtype (static: decided by x's type)."""
    return np.result_type(x).kind in "fc"


def is_weak(x: Any) -> bool:
    """Whether x is a Python number (static)."""
    return isinstance(x, (bool, int, float, complex)) and type(x).__module__ == "builtins"


def is_known(x: Any) -> bool:
    """Whether the front end knows the value of x while compiling (never that of an array)."""
    return not isinstance(x, np.ndarray)


def is_sequence(x: Any) -> bool:
    """Whether x is a tuple or a list of known length (static)."""
    return isinstance(x, (tuple, list))


def dtype_of(x: Any) -> Any:
    """The name of the dtype of a number or an array (static); a Python float's is float64."""
    return np.result_type(x).name


def in_one_piece(x: Any) -> Any:
    """x, or a copy of it where its memory has gaps: which, the front end may not know."""
    return np.ascontiguousarray(x)


def never_one(n: Any) -> bool:
    """Whether an extent is certainly not 1: those of arguments are not, where they are unknown."""
    return bool(n != 1)
