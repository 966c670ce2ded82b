"""Arguments of compiled callers: what Numba's types are to retrograd.

    float64, int64, ...               Python numbers
    array(float64, 2d, C)             an array of any extents
    Tuple(...), UniTuple(...)         a tuple; of a class of the user's, a NamedTuple
    a literal string, none            known; and so are literal ints, where they must be

Numba's lists have a length that no type tells, and it has no dicts or objects of Python's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from retrograd import containers
from retrograd.api.types import checked_dtype, container, param_of, type_of
from retrograd.errors import Unsupported
from retrograd.ir.types import Array, Generator, Scalar, Type
from retrograd.program import Container, Known, Param


def param(given: Any, name: str, of: str) -> tuple[Param, Any]:
    """The type of an argument that Numba has typed (or its default), and its value if known.

    Raises Unsupported, naming the argument and the function `of` which it is one, for what
    compiled code cannot pass.
    """
    from numba import types

    if isinstance(given, types.Omitted):
        given = given.value
    if isinstance(given, types.BaseTuple):
        return _tuple(given, name, of)
    if not isinstance(given, types.Type):
        return _default(given, name, of)
    if isinstance(given, types.IntegerLiteral):
        return type_of(0), given.literal_value
    if isinstance(given, types.Literal) and not isinstance(
            given, (types.LiteralList, types.LiteralStrKeyDict)):
        return type_of(given.literal_value), None
    return _plain(given, name, of), None


def _default(value: Any, name: str, of: str) -> tuple[Param, Any]:
    found = param_of(value)
    if not _is_of_tuples(found):
        raise Unsupported(f"the default of {name!r} of {of} is a container that compiled code "
                          "cannot pass", "make it a tuple or a NamedTuple")
    return found, None if isinstance(found, Known) else value


def _is_of_tuples(found: Param) -> bool:
    return not isinstance(found, Container) or (
        (found.kind == "tuple" or containers.is_named_tuple(found.kind))
        and all(map(_is_of_tuples, found.parts)))


def _plain(given: Any, name: str, of: str) -> Param:
    from numba import types
    from numba.np.numpy_support import as_dtype

    if isinstance(given, types.NoneType):
        return Known(None)
    if given == types.npy_rng:
        return Generator()
    if isinstance(given, (types.Number, types.Boolean)):
        return _scalar(checked_dtype(as_dtype(given)))
    if isinstance(given, types.Array) and isinstance(given.dtype, (types.Number, types.Boolean)):
        if not given.aligned:
            raise Unsupported(f"the argument {name!r} of {of} is an array that is not aligned",
                              f"pass {name}.copy()")
        dtype = checked_dtype(as_dtype(given.dtype))
        return Array(dtype, (None,) * given.ndim, given.layout)
    raise _refused(given, name, of)


def _refused(given: Any, name: str, of: str) -> Unsupported:
    from numba import types

    if isinstance(given, (types.List, types.ListType, types.LiteralList)):
        return Unsupported(
            f"compiled code gives a list for {name!r} of {of}: its length is part of no type",
            "pass a tuple of its items, or one array")
    if isinstance(given, (types.DictType, types.LiteralStrKeyDict)):
        return Unsupported(f"compiled code gives a dict for {name!r} of {of}, and Numba's dicts "
                           "hold values of one type under keys that no type tells",
                           "pass a NamedTuple, or its values as a tuple")
    if isinstance(given, (types.ClassInstanceType, types.PyObject)):
        return Unsupported(f"compiled code gives an object ({given}) for {name!r} of {of}",
                           "pass a NamedTuple of its attributes")
    return Unsupported(f"compiled code gives {given} for {name!r} of {of}",
                       "pass numbers, arrays, tuples and named tuples of them, and strings or "
                       "None that are written in the call")


def _scalar(dtype: str) -> Scalar:
    """A number of Numba's: those of Python's types are Python's."""
    return Scalar(dtype, weak=dtype in ("float64", "int64", "bool", "complex128"))


# --- tuples --------------------------------------------------------------------------------------


def _tuple(given: Any, name: str, of: str) -> tuple[Param, Any]:
    """A tuple or a named tuple. One of nothing but ints and strings, all of them known, is known
    itself; of others the parts' values (None: not known) decide ints that must be."""
    cls = getattr(given, "instance_class", None)
    kind: containers.Kind = "tuple" if cls is None else cls
    keys = () if cls is None else containers.fields_of(cls)
    steps = containers.steps(kind, keys, len(given))
    pairs = [param(part, name + step, of) for part, step in zip(given, steps, strict=True)]
    parts = tuple(p for p, _ in pairs)
    values = tuple(p.value if isinstance(p, Known) else v for p, v in pairs)
    if all(isinstance(p, Known) or v is not None for p, v in pairs):
        return container(kind, parts, keys, values), values
    return Container(kind, parts, keys), values


def leaves(param: Param, text: str) -> Iterator[tuple[str, Type]]:
    """The numbers and arrays in an argument, as compiled source reaches them."""
    if isinstance(param, Container):
        for k, part in enumerate(param.parts):
            yield from leaves(part, f"{text}[{k}]")
    elif not isinstance(param, Known):
        yield text, param


def all_leaves(names: Sequence[str], params: Sequence[Param]) -> list[tuple[str, Type]]:
    """Those of all arguments."""
    return [leaf for name, param in zip(names, params, strict=True)
            for leaf in leaves(param, name)]


def any_extents(param: Param) -> Param:
    """The argument whatever its extents are."""
    from retrograd.api.static_leaves import with_leaves

    return with_leaves(param, lambda t: Array(t.dtype, (None,) * t.rank, t.layout)
                       if isinstance(t, Array) else t)
