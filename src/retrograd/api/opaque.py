"""Functions into which retrograd does not look: C extensions, `ctypes`, and everything else.

    j0 = rg.rule(scipy.special.j0, opaque=True)
    norm = rg.rule(lib.norm, opaque=True, result="float64")
    smooth = rg.rule(library.smooth, opaque=True, result=lambda x: x)      # like x
    both = rg.rule(library.both, opaque=True, result=("float64[:]", "int64"))

What such a function returns is checked wherever it is called by Python: it must be what `result`
says.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from retrograd.api.rules import Definition, OpaqueWarning, Ruled
from retrograd.ir.types import Array, Scalar, Type

_C_TYPES = {"c_double": "float64", "c_float": "float32", "c_bool": "bool", "c_int": "int32",
            "c_long": "int64", "c_longlong": "int64"}


class Opaque(Ruled):
    """An opaque function, with or without a rule; see `retrograd.rule`."""

    def __init__(self, definition: Definition) -> None:
        function = definition.function
        if definition.result is None and _is_ctypes(function):
            definition = replace(definition, result=_of_ctypes(definition))
        super().__init__(definition)
        self.warned = False
        if isinstance(definition.result, str | tuple):
            declared(definition)
        elif definition.result is None and not isinstance(function, np.ufunc):
            raise TypeError(f"nothing says what {definition.name!r} returns: pass result=, a type "
                            "such as 'float64[:]' or a function of the arguments that returns "
                            "something like it")

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        definition = self.definition
        found = definition.function(*args, **keywords)
        expected = expected_of(definition, args, keywords)
        if expected is None:
            return found
        if isinstance(expected, Expected):
            return _checked(definition.name, found, expected)
        if not isinstance(found, tuple | list) or len(found) != len(expected):
            what = f"{len(found)} results" if isinstance(found, tuple | list) else "one result"
            raise TypeError(f"{definition.name!r} returned {what}, and its result= says "
                            f"{len(expected)}")
        return tuple(_checked(definition.name, part, one, f" as result {k}")
                     for k, (part, one) in enumerate(zip(found, expected, strict=True)))

    def warn(self) -> None:
        """Say once that compiled code calls this through the interpreter."""
        if not self.warned:
            self.warned = True
            warnings.warn(
                f"{self.__name__!r} is opaque: compiled code calls it through the interpreter, "
                "which takes some microseconds for each call, lets no other thread run meanwhile, "
                "and keeps the compiled code from being stored on disk", OpaqueWarning,
                stacklevel=2)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a result has to be: its dtype, the number of axes and, where it is said, the shape."""

    dtype: str
    rank: int
    shape: tuple[int, ...] | None = None


def declared(definition: Definition) -> Type | tuple[Type, ...]:
    """The type that `result` names, or those of the results."""
    assert isinstance(definition.result, str | tuple)
    if isinstance(definition.result, tuple):
        return tuple(_parsed(definition, text) for text in definition.result)
    return _parsed(definition, definition.result)


def _parsed(definition: Definition, text: Any) -> Type:
    from retrograd.api.annotations import parse_type

    found = parse_type(text) if isinstance(text, str) else None
    if not isinstance(found, (Scalar, Array)):
        raise TypeError(f"{definition.name!r} cannot return a {text}")
    return found


def expected_of(definition: Definition, args: tuple[Any, ...], keywords: dict[str, Any],
                ) -> Expected | tuple[Expected, ...] | None:
    """What a function must return for these arguments, a tuple of it for one that returns a tuple;
    None where the function is a ufunc, which tells it itself."""
    if definition.result is None:
        return None
    if callable(definition.result):
        like = definition.result(*args, **keywords)
        return tuple(map(_alike, like)) if isinstance(like, tuple) else _alike(like)
    types = declared(definition)
    if isinstance(types, tuple):
        return tuple(Expected(t.dtype, t.rank) for t in types)
    return Expected(types.dtype, types.rank)


def _alike(like: Any) -> Expected:
    real = np.asarray(like)
    return Expected(real.dtype.name, real.ndim, real.shape)


def _checked(name: str, found: Any, expected: Expected, which: str = "") -> Any:
    """The result as an array in C order and memory of its own, or as a NumPy number.

    Raises TypeError or ValueError, naming the function, where it is not what `result` says.
    """
    dtype, rank, shape = expected.dtype, expected.rank, expected.shape
    python = type(found) in (bool, int, float, complex)
    real = np.asarray(found)
    adapts = python and np.can_cast(real.dtype, dtype, "same_kind")
    if (real.dtype.name != dtype and not adapts) or real.ndim != rank:
        raise TypeError(f"{name!r} returned {_described(real.dtype.name, real.ndim)}{which}, "
                        f"and its result= says {_described(dtype, rank)}")
    if shape is not None and real.shape != shape:
        raise ValueError(f"{name!r} returned an array of shape {_shown(real.shape)}{which}, "
                         f"and its result= says {_shown(shape)}")
    return np.array(real, dtype, order="C") if rank else np.dtype(dtype).type(real[()])


def _described(dtype: str, rank: int) -> str:
    return f"{dtype}[{', '.join(':' * rank)}]" if rank else dtype


def _shown(shape: tuple[int, ...]) -> str:
    return str(shape).replace(" ", "")


# --- what Numba can call -------------------------------------------------------------------------


def direct(function: Callable[..., Any]) -> Any:
    """What compiled code calls; None where only the interpreter can."""
    if _is_ctypes(function) or type(function).__module__.startswith("numba."):
        return function
    return None


def module_of(ruled: Ruled, scope: dict[str, Any], name: str) -> str | None:
    """The module in which an opaque function is found under its name."""
    for module in (scope.get("__name__"), getattr(ruled, "__module__", None)):
        if isinstance(module, str) and getattr(sys.modules.get(module), name, None) is ruled:
            return module
    return None


def _is_ctypes(function: object) -> bool:
    module = sys.modules.get("_ctypes")           # asking does not import ctypes
    return module is not None and isinstance(function, module.CFuncPtr)


def _of_ctypes(definition: Definition) -> str:
    """What a `ctypes` function returns.

    Raises TypeError where it does not tell its types in terms of numbers.
    """
    function: Any = definition.function
    found = _C_TYPES.get(getattr(function.restype, "__name__", ""))
    if found is None or function.argtypes is None:
        raise TypeError(f"the ctypes function {definition.name!r} needs argtypes and a restype "
                        "that is a number")
    return found
