"""Types that are written down: `"float64[:, ::1]"`, Numba's types, jaxtyping's, Python's."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from retrograd import containers
from retrograd.api.types import container, param_of, type_of
from retrograd.errors import Unsupported
from retrograd.ir.types import DTYPES, FLOAT, Array, Generator, Scalar, Type, is_generator_class
from retrograd.program import Param

_PYTHON = {float: "float64", int: "int64", bool: "bool", complex: "complex128"}
_NAMES = {**{d: d for d in DTYPES}, "float": "float64", "int": "int64", "complex": "complex128",
          "boolean": "bool", "bool_": "bool"}
_SIGNATURE = re.compile(r"\s*(\w+)\s*(?:\[([:\d\s,]*)\])?\s*")
_EXAMPLE_REMEDY = "give an example: .source(x, y), or a signature such as float64[:, ::1]"


def parse_type(text: str) -> Type:
    """The type that a signature string names, as Numba writes it.

    `float64` is a number, `float64[:, :]` an array of any layout, `float64[:, ::1]` one in C
    order, `float64[::1, :]` one in Fortran order; `1` in the place of `:` is an extent of
    exactly 1; `Generator` is NumPy's. Raises ValueError for anything else.
    """
    if text.strip() == "Generator":
        return Generator()
    match = _SIGNATURE.fullmatch(text)
    dtype = _NAMES.get(match.group(1)) if match else None
    if match is None or dtype is None:
        raise ValueError(f"{text!r} is not a type; write for instance 'float64' or "
                         f"'float64[:, ::1]' with one of {', '.join(DTYPES)}")
    if match.group(2) is None:
        return _number(dtype)
    parts = [part.strip() for part in match.group(2).split(",")]
    if not set(parts) <= {":", "::1", "1"}:
        raise ValueError(f"{text!r} is not a type: an axis is written ':', '::1' or '1'")
    layout = "C" if parts[-1] == "::1" or all(p == "1" for p in parts) else (
        "F" if parts[0] == "::1" else "A")
    return Array(dtype, tuple(1 if p == "1" else None for p in parts), layout)


def split_types(text: str) -> tuple[str, ...]:
    """The parts of "float64[:, :], float64": commas inside brackets do not count."""
    return tuple(part for part in re.split(r",(?![^\[]*\])", text) if part.strip())


def declared_type(thing: Any) -> Param:
    """The type that a Numba type, a signature string or an example value stands for, or a
    container of these."""
    if isinstance(thing, str):
        return parse_type(thing)
    kind = containers.kind_of(thing)
    if kind is not None:
        parts, keys = containers.taken_apart(thing, kind)
        return container(kind, tuple(map(declared_type, parts)), keys, thing)
    written = annotated_type(thing)
    return type_of(thing) if written is None else written


def annotated_type(annotation: Any) -> Type | None:
    """The type that an annotation names; None if it names none.

    Raises Unsupported for an annotation that leaves the rank open (`np.ndarray`).
    """
    if isinstance(annotation, str):
        return parse_type(annotation) if _names_type(annotation) else None
    if is_generator_class(annotation):
        return Generator()
    if annotation in _PYTHON if isinstance(annotation, type) else False:
        return _number(_PYTHON[annotation])
    if isinstance(annotation, type) and issubclass(annotation, np.generic):
        name = np.dtype(annotation).name
        return Scalar(name) if name in DTYPES else None
    if type(annotation).__module__.startswith("numba."):
        return _numba_type(annotation)
    if hasattr(annotation, "dim_str") and hasattr(annotation, "dtypes"):
        return _jaxtyping_type(annotation)
    if annotation is np.ndarray or getattr(annotation, "__origin__", None) is np.ndarray:
        raise Unsupported("the annotation np.ndarray does not say how many axes there are",
                          _EXAMPLE_REMEDY)
    return None


def parameter_type(parameter: inspect.Parameter, annotations: Mapping[str, Any]) -> Param:
    """What a parameter is taken for before any call: annotated, like its default, or a float."""
    annotation = annotations.get(parameter.name)
    written = None if annotation is None else annotated_type(annotation)
    if written is not None:
        return written
    if parameter.default is not inspect.Parameter.empty:
        return param_of(parameter.default)
    return FLOAT


def annotations_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations by parameter; those that are strings are evaluated where they can be."""
    owner = inspect.unwrap(getattr(function, "func", function))
    owner = getattr(owner, "__func__", owner)
    found = dict(getattr(owner, "__annotations__", {}))
    scope = getattr(owner, "__globals__", {})
    for name, annotation in found.items():
        if isinstance(annotation, str) and not _names_type(annotation):
            try:
                found[name] = eval(annotation, scope)
            except (NameError, AttributeError, SyntaxError, TypeError):
                found[name] = None              # names something that only type checkers see
    return found


def _names_type(text: str) -> bool:
    match = _SIGNATURE.fullmatch(text)
    return text.strip() == "Generator" or (match is not None and match.group(1) in _NAMES)


def _number(dtype: str) -> Scalar:
    """A number by its dtype alone: Python's own where Python has it."""
    return Scalar(dtype, weak=dtype in _PYTHON.values())


def _numba_type(annotation: Any) -> Type:
    if type(annotation).__name__ == "NumPyRandomGeneratorType":
        return Generator()
    dtype = _NAMES.get(str(getattr(annotation, "dtype", annotation)))
    if dtype is None:
        raise Unsupported(f"the Numba type {annotation} is not known",
                          "use numbers and arrays of numbers")
    if not hasattr(annotation, "ndim"):
        return _number(dtype)
    return Array(dtype, (None,) * annotation.ndim, annotation.layout)


def _jaxtyping_type(annotation: Any) -> Type:
    names = [_NAMES[str(d)] for d in annotation.dtypes if str(d) in _NAMES]
    axes = annotation.dim_str.split()
    if not names or "..." in axes or any(a.startswith("*") for a in axes):
        raise Unsupported(f"the annotation {annotation} leaves the dtype or the rank open",
                          _EXAMPLE_REMEDY)
    dtype = "float64" if "float64" in names else names[0]
    return Array(dtype, tuple(1 if a == "1" else None for a in axes), "C")
