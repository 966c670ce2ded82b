"""Derivatives of what makes arrays from numbers and arrays, of copies and of casts."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.prelude.language import dtype_of, primitive, static
from retrograd.prelude.shapes import part
from retrograd.rules.rule import pullback, table
from retrograd.rules.shared import plus, typed_like

ANY = (-2.0, 2.0)


@pullback(domain=[ANY, ANY], linear=True)
def concatenate(*xs: Any, out_bar: Any, axis: int) -> Any:
    ends = _ends([np.shape(x)[axis] for x in xs])
    last = len(xs) - 1
    return tuple([
        typed_like(part(out_bar, axis, ends[k - 1] if k > 0 else None,
                        ends[k] if k < last else None), x)
        for k, x in enumerate(xs)])


def _ends(extents: Any, ends: Any = ()) -> Any:
    """Where each of the joined arrays ends."""
    for n in extents:
        ends = (*ends, n if len(ends) == 0 else ends[-1] + n)
    return ends


@pullback(domain=[ANY, ANY], linear=True)
def array(*items: Any, out_bar: Any, shape: tuple[int, ...]) -> Any:
    if len(shape) == 0:
        return out_bar
    adjoints = tuple([
        typed_like(primitive("load", out_bar, *place(k, shape), index=("int",) * len(shape)), x)
        for k, x in enumerate(items)])
    return adjoints if len(items) > 1 else adjoints[0]


@static
def place(k: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of element k of an array in C order."""
    return tuple(int(i) for i in np.unravel_index(k, shape))


@pullback(domain=[ANY], linear=True)
def full(value: Any, *dims: Any, out_bar: Any) -> Any:
    return (typed_like(np.sum(out_bar), value), *[None for _ in dims])


def arange_tangent(start: Any, stop: Any, step: Any, *, out: Any, start_dot: Any, stop_dot: Any,
                   step_dot: Any) -> Any:
    k = primitive("cast", np.arange(np.size(out)), dtype=dtype_of(out))
    return plus(None if step_dot is None else k * step_dot, start_dot)


@pullback(domain=[ANY, (6.0, 6.1), (0.9, 1.0)], pushforward=arange_tangent)
def arange(start: Any, stop: Any, step: Any, *, out_bar: Any) -> Any:
    """start + k * step; where it stops is a jump."""
    k = primitive("cast", np.arange(np.size(out_bar)), dtype=dtype_of(out_bar))
    return typed_like(np.sum(out_bar), start), None, typed_like(np.sum(k * out_bar), step)


@pullback(domain=[ANY], linear=True)
def copy(x: Any, *, out_bar: Any) -> Any:
    return out_bar


@pullback(domain=[ANY], linear=True)
def let(x: Any, *, out_bar: Any) -> Any:
    return out_bar


@pullback(domain=[ANY], linear=True)
def cast(x: Any, *, out_bar: Any) -> Any:
    return typed_like(out_bar, x)


# --- complex numbers, by JAX's convention: adjoints are df/dx - i df/dy ------------------------


@pullback(domain=[ANY], linear=True)
def conjugate(x: Any, *, out_bar: Any) -> Any:
    return np.conjugate(out_bar)


@pullback(domain=[ANY, ANY], linear=True)
def complex(x: Any, y: Any, *, out_bar: Any) -> Any:
    """x + i y: each part gets what is real in its contribution."""
    return np.real(out_bar), -np.imag(out_bar)


@pullback(domain=[ANY], linear=True)
def real(x: Any, *, out_bar: Any) -> Any:
    return typed_like(out_bar, x)


@pullback(domain=[ANY], linear=True)
def imag(x: Any, *, out_bar: Any) -> Any:
    return typed_like(out_bar * -1j, x)


RULES = table((concatenate, array, full, arange, copy, let, cast, conjugate, complex, real,
               imag))
