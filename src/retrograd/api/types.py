"""What an argument is to the compiler: a type, or a value that is known while compiling.

    float, int, bool, complex      Scalar, weak (a Python number)
    np.float32(1), np.int64(1)     Scalar, strong
    np.random.Generator            Generator
    np.ndarray                     Array: dtype, which extents are exactly 1, layout C, F or A
    a container of these           Container: its kind and keys, and what each part is
    anything else                  Known: part of the specialisation, by value or by identity

Tuples, lists and dicts in which there is no float and no array are Known as a whole.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Hashable
from typing import Any

import numpy as np

from retrograd import containers
from retrograd.errors import Unsupported
from retrograd.ir.types import DTYPES, FLOAT, Array, Generator, Scalar, Type, is_float, is_generator
from retrograd.program import Container, Known, Param, leaf_types

_WEAK: dict[type, Scalar] = {
    kind: Scalar(dtype, weak=True) for kind, dtype in
    ((float, "float64"), (int, "int64"), (bool, "bool"), (complex, "complex128"))}
_ALIGNED, _CONTIGUOUS_C, _CONTIGUOUS_F = 0x100, 0x1, 0x2
_BY_VALUE = (str, bytes, type(None), type(Ellipsis))
_BY_IDENTITY = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, np.ufunc)


def type_of(value: Any) -> Type | Known:
    """The type of an argument, or `Known(value)` for what is part of the specialisation.

    Raises
    ------
    TypeError
        For arrays that do not hold numbers (object, str, dates, records).
    Unsupported
        For numbers of a dtype that retrograd does not compute in (float16, uint8, ...), and for
        subclasses of ndarray.
    OverflowError
        For a Python int that does not fit into 64 bits.
    """
    weak = _WEAK.get(type(value))
    if weak is not None:
        if type(value) is int and not -2**63 <= value < 2**63:
            raise OverflowError(f"the int {value} does not fit into 64 bits")
        return weak
    if isinstance(value, np.ndarray):
        return _array_type(value)
    if isinstance(value, np.generic):
        return Scalar(checked_dtype(value.dtype))
    kinds: tuple[Any, ...] = (int, float, complex)
    for kind in kinds:                              # IntEnum and other subclasses of numbers
        if isinstance(value, kind):
            return type_of(kind(value))
    return Generator() if is_generator(value) else Known(_frozen(value))


def param_of(value: Any) -> Param:
    """What an argument is: a container of what its parts are, or as `type_of` says."""
    try:
        return _param_of(value)
    except RecursionError:
        raise Unsupported("an argument is a container that contains itself, or is nested too "
                          "deeply", "pass the parts that are needed") from None


def _param_of(value: Any) -> Param:
    kind = containers.kind_of(value)
    if kind is None:
        return type_of(value)
    parts, keys = containers.taken_apart(value, kind)
    return container(kind, tuple(map(_param_of, parts)), keys, value)


def container(kind: containers.Kind, parts: tuple[Param, ...], keys: tuple[Any, ...],
              value: Any) -> Param:
    """The container of these parts; the value itself, where that is part of the
    specialisation."""
    if isinstance(kind, str) and all(_is_static(p) for p in parts):
        return Known(_frozen(value))
    return Container(kind, parts, keys)


def _is_static(param: Param) -> bool:
    """Whether a part of a tuple, list or dict makes none of it an argument of the code."""
    return isinstance(param, Known) or (
        isinstance(param, Scalar) and param.weak and param.dtype in ("int64", "bool"))


def leaves_of(param: Param, value: Any) -> list[tuple[Any, Type]]:
    """The numbers and arrays in an argument, and their types."""
    if isinstance(param, Container):
        kind = containers.kind_of(value)
        assert kind is not None
        parts, _ = containers.taken_apart(value, kind)
        return [leaf for p, v in zip(param.parts, parts, strict=True) for leaf in leaves_of(p, v)]
    return [] if isinstance(param, Known) else [(value, param)]


def canonical(value: Any, type: Type) -> Any:
    """The value as compiled code of this type takes it: exact Python and NumPy types.

    An unaligned array is copied; a subclass of a number becomes the number.
    """
    if isinstance(type, Array):
        plain = np.asarray(value)
        return plain if plain.flags.num & _ALIGNED else plain.copy(order="C")
    if isinstance(type, Scalar) and type.weak:
        kind = {"float64": float, "int64": int, "bool": bool, "complex128": complex}[type.dtype]
        return kind(value)
    return value


def accepts(type: Type | Known, given: Type | Known) -> bool:
    """Whether code compiled for `type` may be called with an argument of the type `given`."""
    if isinstance(type, Array) and type.layout == "A" and isinstance(given, Array):
        return (type.dtype, type.dims) == (given.dtype, given.dims)
    return param_key(type) == param_key(given)


def carries(param: Param) -> bool:
    """Whether an argument can carry a derivative."""
    return any(map(is_float, leaf_types(param)))


def differentiated(param: Param, name: str) -> Type | Container:
    """The type of an argument with respect to which a derivative is asked.

    A Python int or bool becomes a float; in a container it stays what it is, and has no
    derivative. Raises TypeError, naming the argument, for integer and boolean arrays, for what is
    not a number, and for containers without a float.
    """
    if isinstance(param, Container):
        if not carries(param):
            raise TypeError(f"cannot differentiate with respect to {name!r}: there is no float "
                            f"and no array of floats in this {_name_of(param.kind)}")
        return param
    if isinstance(param, Known):
        raise TypeError(f"cannot differentiate with respect to {name!r}: it is {_an(param.value)},"
                        " not a float or an array of floats")
    if isinstance(param, Generator):
        raise TypeError(f"cannot differentiate with respect to {name!r}: it is a random generator")
    if is_float(param):
        return param
    if isinstance(param, Scalar) and param.weak:
        return FLOAT
    remedy = f"{name}.astype(float)" if isinstance(param, Array) else f"float({name})"
    what = "an array" if isinstance(param, Array) else "a NumPy scalar"
    raise TypeError(f"cannot differentiate with respect to {name!r}: it is {what} of dtype "
                    f"{param.dtype}; pass {remedy}")


def param_key(param: Param) -> Hashable:
    """What distinguishes one specialisation from another."""
    if isinstance(param, Known):
        return ("known", static_key(param.value))
    if isinstance(param, Container):
        return (param.kind, static_key(param.keys), *map(param_key, param.parts))
    return param


def static_key(value: Any) -> Hashable:
    """A key for a static value: typed content for plain data, else identity."""
    kind = type(value)
    if isinstance(value, _BY_VALUE) or kind in (bool, int):
        return (kind.__name__, value)
    if kind in (float, complex):
        return (kind.__name__, repr(value))
    if kind in (tuple, list):
        return (kind.__name__, *(static_key(v) for v in value))
    if kind is dict:
        return ("dict", *((static_key(k), static_key(v)) for k, v in value.items()))
    if isinstance(value, (slice, range)):
        return (kind.__name__, *map(static_key, (value.start, value.stop, value.step)))
    if isinstance(value, np.dtype):
        return ("dtype", value.str)
    if isinstance(value, types.MethodType):
        return ("method", id(value.__self__), id(value.__func__))
    return ("object", id(value))


def comparable_by_identity(value: Any) -> bool:
    """Whether `is` tells that a static value is the same as before (it cannot be changed)."""
    return value is None or value is ... or isinstance(value, _BY_IDENTITY)


def _array_type(value: np.ndarray[Any, Any]) -> Type:
    if type(value) not in (np.ndarray, np.memmap):
        raise Unsupported(f"an argument is a {type(value).__name__}, a subclass of ndarray",
                          "pass np.asarray(...) of it")
    flags = value.flags.num
    if not flags & _ALIGNED or flags & _CONTIGUOUS_C:
        layout = "C"
    else:
        layout = "F" if flags & _CONTIGUOUS_F else "A"
    return _array(checked_dtype(value.dtype),
                  tuple(1 if n == 1 else None for n in value.shape), layout)


@functools.lru_cache(maxsize=4096)
def _array(dtype: str, dims: tuple[int | None, ...], layout: str) -> Array:
    return Array(dtype, dims, layout)


@functools.lru_cache(maxsize=64)
def checked_dtype(dtype: np.dtype[Any]) -> str:
    if dtype.name in DTYPES and dtype.isnative:
        return str(dtype.name)
    if dtype.kind not in "biufc":
        raise TypeError(f"arrays of dtype {dtype} do not hold numbers")
    if not dtype.isnative:
        raise Unsupported(f"an argument has the byte order of another machine ({dtype.str})",
                          "convert it: x.astype(x.dtype.newbyteorder('='))")
    target = {"f": "np.float64", "c": "np.complex128"}.get(dtype.kind, "np.int64")
    raise Unsupported(f"an argument has the dtype {dtype.name}; known are {', '.join(DTYPES)}",
                      f"convert it: x.astype({target})")


def _frozen(value: Any) -> Any:
    """A static value that its owner can no longer change under us."""
    kind = type(value)
    if kind in (tuple, list):
        return kind(_frozen(v) for v in value)
    if kind is dict:
        return {k: _frozen(v) for k, v in value.items()}
    return value


def _name_of(kind: containers.Kind) -> str:
    return kind if isinstance(kind, str) else kind.__name__


def _an(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
