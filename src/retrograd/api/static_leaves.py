"""Ints among the arguments that must be known while compiling, wherever they are in containers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from retrograd import containers
from retrograd.errors import Unsupported
from retrograd.ir.types import Array, Type
from retrograd.program import Container, Known, Param


def leaves_by_path(name: str, param: Param) -> Iterator[tuple[str, Type]]:
    """The numbers and arrays in an argument, by how the caller would write them."""
    if isinstance(param, Container):
        steps = containers.steps(param.kind, param.keys, len(param.parts))
        for part, step in zip(param.parts, steps, strict=True):
            yield from leaves_by_path(name + step, part)
    elif not isinstance(param, Known):
        yield name, param


def with_known(param: Param, value: Any, path: str, static: Collection[str],
               names: Sequence[str]) -> Param:
    """An argument with the values of those of its ints that must be known (`static`); without a
    value these are refused, naming the parameters in the remedy."""
    if isinstance(param, Container):
        parts = _parts(param, value)
        steps = containers.steps(param.kind, param.keys, len(param.parts))
        return replace(param, parts=tuple(
            with_known(p, v, path + step, static, names)
            for p, v, step in zip(param.parts, parts, steps, strict=True)))
    if path not in static or isinstance(param, Known):
        return param
    if value is None or isinstance(value, str):
        raise Unsupported(f"the value of {path!r} must be known while compiling",
                          f"give example arguments: .source({', '.join(names)})")
    return Known(int(value))


def _parts(param: Container, value: Any) -> Sequence[Any]:
    kind = containers.kind_of(value)
    return [None] * len(param.parts) if kind is None else containers.taken_apart(value, kind)[0]


def with_any_layout(param: Param) -> Param:
    """The argument with all its arrays in any layout."""
    return with_leaves(param, lambda t: replace(t, layout="A") if isinstance(t, Array) else t)


def with_leaves(param: Param, new: Callable[[Type], Type]) -> Param:
    if isinstance(param, Container):
        return replace(param, parts=tuple(with_leaves(p, new) for p in param.parts))
    return param if isinstance(param, Known) else new(param)
