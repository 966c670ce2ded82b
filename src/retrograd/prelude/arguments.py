"""Static arguments: axes, dtypes and what is not supported, checked as NumPy checks them."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.errors import Unsupported
from retrograd.ir.index import FULL, Item, Slice
from retrograd.ir.types import DTYPES
from retrograd.prelude.language import is_sequence, refuse, static


@static
def normal_axis(axis: int, ndim: int, name: str | None = None) -> int:
    """The axis counted from the front; `name` is that of the argument, where NumPy says it."""
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim, name)
    return axis % ndim


@static
def normal_axes(axis: Any, ndim: int) -> tuple[int, ...] | None:
    """The axes in order and counted from the front; None when they are all of them."""
    if axis is None or (ndim == 0 and axis in (0, -1)):
        return None
    given = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(normal_axis(int(k), ndim) for k in given)
    if len(set(axes)) != len(axes):
        raise ValueError("duplicate value in 'axis'")
    return None if len(axes) == ndim else tuple(sorted(axes))


@static
def other_axes(axes: tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    return tuple(k for k in range(ndim) if axes is not None and k not in axes)


@static
def is_reduced(axis: int, axes: tuple[int, ...] | None) -> bool:
    return axes is None or axis in axes


@static
def moved(source: Any, destination: Any, ndim: int) -> tuple[int, ...]:
    """The permutation of `np.moveaxis`."""
    sources = _several(source, ndim, "source")
    targets = _several(destination, ndim, "destination")
    if len(sources) != len(targets):
        raise ValueError("`source` and `destination` arguments must have the same number of "
                         "elements")
    order = [k for k in range(ndim) if k not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return tuple(order)


def _several(axis: Any, ndim: int, name: str) -> tuple[int, ...]:
    given = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(normal_axis(k, ndim, name) for k in given)
    if len(set(axes)) != len(axes):
        raise ValueError(f"repeated axis in `{name}` argument")
    return axes


@static
def exchanged(first: int, second: int, ndim: int) -> tuple[int, ...]:
    """The permutation of `np.swapaxes`."""
    a, b = normal_axis(first, ndim, "axis1"), normal_axis(second, ndim, "axis2")
    order = list(range(ndim))
    order[a], order[b] = b, a
    return tuple(order)


@static
def permutation(axes: Any, ndim: int) -> tuple[int, ...]:
    """The permutation of `np.transpose`; None reverses."""
    if axes is None:
        return tuple(reversed(range(ndim)))
    if len(axes) != ndim:
        raise ValueError("axes don't match array")
    order = tuple(normal_axis(k, ndim) for k in axes)
    if len(set(order)) != ndim:
        raise ValueError("repeated axis in transpose")
    return order


@static
def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes this one."""
    return tuple(order.index(k) for k in range(len(order)))


@static
def along(axis: int, ndim: int, start: bool, stop: bool, step: int = 1) -> tuple[Item, ...]:
    """The index that slices one axis; `start` and `stop` say which bounds are given."""
    return tuple(Slice(start, stop, step) if k == axis else FULL for k in range(ndim))


@static
def at_place(item: Item, axis: int, ndim: int) -> tuple[Item, ...]:
    """The index that has an item on one axis and takes the others whole."""
    return tuple(item if k == axis else FULL for k in range(ndim))


@static
def flipped(axes: tuple[int, ...] | None, ndim: int) -> tuple[Item, ...]:
    """The index that reverses these axes."""
    return tuple(Slice(step=-1) if axes is None or k in axes else FULL for k in range(ndim))


@static
def with_new(axes: Any, ndim: int) -> tuple[Item, ...]:
    """The index that puts new axes where `np.expand_dims` does; `ndim` is that of the array."""
    given = tuple(axes) if isinstance(axes, (tuple, list)) else (axes,)
    total = ndim + len(given)
    places = {normal_axis(k, total) for k in given}
    if len(places) != len(given):
        raise ValueError("repeated axis")
    return tuple("new" if k in places else FULL for k in range(total))


@static
def with_first(axes: tuple[int, ...], ndim: int) -> tuple[Item, ...]:
    """The index that takes the first element of some axes, and all of the others."""
    return tuple("int" if k in axes else FULL for k in range(ndim))


@static
def dtype_name(dtype: Any) -> str:
    """The name of a dtype of the language."""
    name = str(np.dtype(dtype))
    if name not in DTYPES:
        raise Unsupported(f"the dtype {name} is not supported", "use float64, float32, int64, "
                          "int32 or bool")
    return name


@static
def common_dtype(*names: str) -> str:
    return str(np.result_type(*(np.dtype(n) for n in names)))


@static
def is_complex(name: str) -> bool:
    return name.startswith("complex")


@static
def is_text(x: Any) -> bool:
    return isinstance(x, str)


@static
def sort_kind(kind: Any) -> None:
    """Whatever kind is asked for, the sort is stable."""
    if kind not in (None, "quicksort", "mergesort", "heapsort", "stable"):
        raise ValueError(f"sort kind must be one of 'quick', 'heap', or 'stable' (got '{kind}')")


@static
def fail(kind: str, message: str) -> None:
    """Raise what NumPy raises for an argument that is wrong whatever the numbers are."""
    exceptions: dict[str, type[Exception]] = {
        "ValueError": ValueError, "TypeError": TypeError, "IndexError": IndexError,
        "LinAlgError": np.linalg.LinAlgError}
    raise exceptions[kind](message)


@static
def number(value: int) -> str:
    """A static int as text for a message."""
    return str(value)


def not_given(function: str, name: str, value: Any) -> None:
    """Refuse an optional argument that is not supported."""
    if value is not None:
        refuse("the argument " + name + "= of " + function + " is not supported",
               "leave it out, and write what it does with other operations")


def c_order(function: str, order: str) -> None:
    """Refuse orders other than C."""
    if order not in ("C", "K", "A"):
        refuse(function + " supports only order='C'", "transpose the array instead")


def as_shape(shape: Any) -> Any:
    """A shape given as an int or as a sequence."""
    return tuple(shape) if is_sequence(shape) else (shape,)
