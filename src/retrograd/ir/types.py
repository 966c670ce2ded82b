"""Types of the IR, and NumPy's promotion (NEP 50).

    type = Scalar(dtype, weak) | Array(dtype, dims, layout) | Generator
    dim  = 1 | None (unknown, and not 1 where it came from an argument)

A *weak* scalar is a Python number: it takes the precision of what it meets. A scalar that NumPy
made (an element of an array, a result of a reduction or of `np.sin`) is strong.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

DTYPES = ("bool", "int32", "int64", "float32", "float64", "complex64", "complex128")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number; `weak` when it is a Python number."""

    dtype: str
    weak: bool = False

    @property
    def rank(self) -> int:
        return 0

    @property
    def dims(self) -> tuple[int | None, ...]:
        return ()

    def __str__(self) -> str:
        return f"{self.dtype}~" if self.weak else self.dtype


@dataclass(frozen=True, slots=True)
class Array:
    """An array; a dim of 1 is known and broadcasts, None is any extent. Layout is C, F or A."""

    dtype: str
    dims: tuple[int | None, ...]
    layout: str = "C"

    @property
    def rank(self) -> int:
        return len(self.dims)

    def __str__(self) -> str:
        extents = ", ".join("1" if d == 1 else ":" for d in self.dims)
        return f"{self.dtype}[{extents}]" + ("" if self.layout == "C" else self.layout)


@dataclass(frozen=True, slots=True)
class Generator:
    """A `np.random.Generator`. It is no number: only a draw reads it (`ir/draws.py`)."""

    @property
    def dtype(self) -> str:
        return "generator"

    @property
    def weak(self) -> bool:
        return False

    @property
    def rank(self) -> int:
        return 0

    @property
    def dims(self) -> tuple[int | None, ...]:
        return ()

    def __str__(self) -> str:
        return "Generator"


Type = Scalar | Array | Generator

BOOL = Scalar("bool")
INT = Scalar("int64", weak=True)
FLOAT = Scalar("float64", weak=True)


def is_generator(value: object) -> bool:
    """Whether a value is a generator; asking does not import `numpy.random`."""
    return is_generator_class(type(value))


def is_generator_class(kind: object) -> bool:
    """Whether a class is NumPy's generator itself."""
    random = sys.modules.get("numpy.random")
    return random is not None and kind is random.Generator


def is_float(type: Type) -> bool:
    """Whether values of this type can carry a derivative."""
    return type.dtype.startswith(("float", "complex"))


def is_integer(type: Type) -> bool:
    return type.dtype in ("int32", "int64")


def is_complex(type: Type) -> bool:
    return type.dtype.startswith("complex")


def kind(dtype: str) -> str:
    """'b', 'i', 'f' or 'c'."""
    return {"b": "b", "i": "i", "f": "f", "c": "c"}[dtype[0]]


_EXAMPLE: dict[str, bool | int | float | complex] = {"b": False, "i": 0, "f": 0.0, "c": 0j}


def promote(types: Iterable[Type]) -> tuple[str, bool]:
    """The common dtype of the operands under NEP 50, and whether the result is weak."""
    types = tuple(types)
    weak = all(isinstance(t, Scalar) and t.weak for t in types)
    if weak:
        return max((t.dtype for t in types), key=lambda d: "bifc".index(kind(d))), True
    return _common(tuple((t.dtype, isinstance(t, Scalar) and t.weak) for t in types)), False


@functools.cache
def _common(parts: tuple[tuple[str, bool], ...]) -> str:
    """NumPy's common dtype; asked for once for each combination, because NumPy takes microseconds
    to answer and a program asks for every statement."""
    return str(np.result_type(*(_EXAMPLE[kind(dtype)] if weak else np.dtype(dtype)
                                for dtype, weak in parts)))


def strong_promotion(types: Iterable[Type]) -> str:
    """The common dtype if no operand were weak: what compiled code does without casts."""
    return _common(tuple((t.dtype, False) for t in types))


def floating(dtype: str) -> str:
    """The dtype that a function such as `exp` computes in."""
    return "float64" if kind(dtype) in "bi" else dtype


def real_dtype(dtype: str) -> str:
    """The dtype of a complex number's parts."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
