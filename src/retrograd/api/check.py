"""`check_grads`: derivatives against central finite differences, in float64.

Every evaluation starts from the same state of every generator, given or captured, and the
caller's generators are left as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.api.function import Compiled
from retrograd.api.options import Options
from retrograd.api.parameters import Argnums, display_name, signature_of, wanted
from retrograd.api.transforms import vjp
from retrograd.api.types import type_of
from retrograd.api.vjp import found_for
from retrograd.ir.types import is_complex, is_float, is_generator
from retrograd.program import Known

_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
_TOLERANCE = {"float32": 1e-3, "complex64": 1e-3}


class _Streams:
    """The generators that a function draws from, and the state that they were found in."""

    def __init__(self, generators: Sequence[Any]) -> None:
        self.states = [(g.bit_generator, g.bit_generator.state) for g in generators]

    def rewind(self) -> None:
        for generator, state in self.states:
            generator.state = state


@dataclass(frozen=True, slots=True)
class _Projected:
    """A function of the arguments, with its results contracted with fixed weights: one float.
    Of complex results it is the real part, whose gradient is the pullback of the weights."""

    function: Callable[..., Any]
    weights: tuple[Any, ...]
    streams: _Streams
    returns: tuple[str, ...]

    def __call__(self, args: Sequence[Any]) -> float:
        self.streams.rewind()
        bound = signature_of(self.function).bind(*args)
        bound.apply_defaults()
        for name, value in bound.arguments.items():     # a function may change its arguments
            bound.arguments[name] = tuple(_copies(value)) if isinstance(value, tuple) \
                else _copies((value,))[0]
        with np.errstate(all="ignore"):
            result = self.function(*bound.args, **bound.kwargs)
            leaves = list(_leaves(result)) if result is not None or not self.returns else []
            leaves += [bound.arguments[name] for name in self.returns]
        total = sum(np.sum(_in_double(leaf) * _in_double(w)) for leaf, w in zip(
            leaves, self.weights, strict=True) if w is not None)
        return float(np.real(total))


def check(f: Callable[..., Any], args: Sequence[Any], argnums: Argnums, *,
          rtol: float | None, atol: float | None, step: float | None,
          options: dict[str, Any]) -> None:
    """See `retrograd.check_grads`."""
    function = f.primal if isinstance(f, Compiled) else f
    if isinstance(f, Compiled):
        options = {"jit": f.options.jit, "returns": f.options.returns, **options}
    args = tuple(args)
    positions = _positions(function, args, argnums)
    streams = _streams(function, args, positions, options)
    try:
        value, pullback = vjp(function, *_copies(args), argnums=positions, **options)
        weights = tuple(_weights(value))
        bars = pullback(_like(value, iter(weights)))
        projected = _Projected(function, weights, streams, Options(**options).contents)
        _check_each(projected, args, positions, bars, (rtol, atol, step or _STEP))
    finally:
        streams.rewind()


def _streams(function: Callable[..., Any], args: tuple[Any, ...], positions: tuple[int, ...],
             options: dict[str, Any]) -> _Streams:
    """The generators among the arguments, and those that the function captures."""
    _, found, _, _ = found_for(function, Options(**options), args, kwargs={}, argnums=positions,
                               argnames=None)
    return _Streams([g for g in (*args, *(c.read() for c in found.program.captures))
                     if is_generator(g)])


def _check_each(projected: _Projected, args: tuple[Any, ...], positions: tuple[int, ...],
                bars: Sequence[Any], asked: tuple[float | None, float | None, float]) -> None:
    """Compare the gradients `bars`, one argument after the other."""
    rtol, atol, step = asked
    function = projected.function
    name, signature = display_name(function), signature_of(function)
    exact = [_in_double(a) if k in positions else a for k, a in enumerate(args)]
    scale = max(1.0, abs(projected(exact)))
    names = [*signature.parameters, *(f"args[{k}]" for k in range(len(args)))]
    for position, bar in zip(positions, bars, strict=True):
        tolerance = _TOLERANCE.get(str(np.asarray(args[position]).dtype), 1e-6)
        limits = (tolerance if rtol is None else rtol, tolerance * scale if atol is None else atol)
        what = f"{name}: the derivative with respect to {names[position]}"
        _compare(projected, exact, position, np.asarray(bar), limits=limits,
                 step=step, what=what)


def _positions(function: Callable[..., Any], args: tuple[Any, ...],
               argnums: Argnums) -> tuple[int, ...]:
    if argnums is not None:
        found = wanted(signature_of(function), argnums, None, display_name(function)).positions
        return tuple(p if isinstance(p, int) else sum(p) for p in found)
    kinds = [type_of(a) for a in args]
    floats = tuple(k for k, kind in enumerate(kinds)
                  if not isinstance(kind, Known) and is_float(kind))
    if not floats:
        raise TypeError("none of the arguments is a float or an array of floats")
    return floats


def _compare(projected: _Projected, args: list[Any], position: int, bar: Any,
             *, limits: tuple[float, float], step: float, what: str) -> None:
    for index in np.ndindex(np.shape(args[position])):
        numeric = _derivative(projected, args, position, index, step)
        given = bar[index].item()
        allowed = limits[1] + limits[0] * abs(numeric)
        if not (abs(given - numeric) <= allowed or given == numeric):
            place = f"[{', '.join(map(str, index))}]" if index else ""
            coarse = _derivative(projected, args, position, index, 8 * step)
            unsure = "" if abs(coarse - numeric) <= allowed else (
                f"; with a step eight times as large they give {coarse!r}, so the function may "
                "not be smooth here, or takes another path within the step")
            raise AssertionError(f"{what}{place} is {given!r}, but finite differences give "
                                 f"{numeric!r}{unsure}")


def _derivative(projected: _Projected, args: list[Any], position: int, index: tuple[int, ...],
                step: float) -> float | complex:
    """df/dx, and df/dx - i df/dy for a complex element."""
    along_x = _difference(projected, args, position, index, step)
    if not np.iscomplexobj(args[position]):
        return along_x
    return complex(along_x, -_difference(projected, args, position, index, step, 1j))


def _difference(projected: _Projected, args: list[Any], position: int, index: tuple[int, ...],
                step: float, direction: complex = 1) -> float:
    base = args[position]
    at = np.asarray(base)[index].item()
    width = step * max(1.0, abs(at))
    low, high = at - width * direction, at + width * direction
    values = []
    for moved in (low, high):
        changed = moved
        if isinstance(base, np.ndarray):
            changed = base.copy()
            changed[index] = moved
        values.append(projected([*args[:position], changed, *args[position + 1:]]))
    return (values[1] - values[0]) / float(abs(high - low))


def _in_double(value: Any) -> Any:
    """An argument or a result in double precision; Python numbers stay Python numbers."""
    kind: Any = np.complex128 if np.iscomplexobj(value) else np.float64
    return np.asarray(value, kind) if isinstance(value, np.ndarray) else kind(value).item()


def _copies(args: tuple[Any, ...]) -> list[Any]:
    return [a.copy() if isinstance(a, np.ndarray) else a for a in args]


def _leaves(nested: Any) -> Iterator[Any]:
    if isinstance(nested, (tuple, list)):
        for item in nested:
            yield from _leaves(item)
    elif isinstance(nested, dict):
        for item in nested.values():
            yield from _leaves(item)
    else:
        yield nested


def _weights(value: Any) -> Iterator[Any]:
    """A weight for each element of the value: 1 for a single float, else pseudo-random ones."""
    leaves = list(_leaves(value))
    generator = np.random.default_rng(0)
    for leaf in leaves:
        kind = type_of(leaf)
        if isinstance(kind, Known) or not is_float(kind):
            yield None
        elif is_complex(kind):
            parts = generator.uniform(0.5, 1.5, (2, *np.shape(leaf)))
            yield (parts[0] + 1j * parts[1]).astype(kind.dtype)[()]
        elif len(leaves) == 1 and np.ndim(leaf) == 0:
            yield 1.0 if not isinstance(leaf, np.ndarray) else np.ones((), leaf.dtype)
        else:
            yield generator.uniform(0.5, 1.5, np.shape(leaf)).astype(kind.dtype)[()]


def _like(nested: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(nested, (tuple, list)):
        return type(nested)(_like(item, leaves) for item in nested)
    if isinstance(nested, dict):
        return {key: _like(item, leaves) for key, item in nested.items()}
    return next(leaves)
