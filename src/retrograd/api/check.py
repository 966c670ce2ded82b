"""`check_grads`: derivatives against central finite differences, in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.api.function import Compiled
from retrograd.api.parameters import Argnums, display_name, signature_of, wanted
from retrograd.api.transforms import vjp
from retrograd.api.types import type_of
from retrograd.ir.types import is_complex, is_float
from retrograd.program import Known

_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
_TOLERANCE = {"float32": 1e-3, "complex64": 1e-3}


@dataclass(frozen=True, slots=True)
class _Projected:
    """A function of the arguments, with its results contracted with fixed weights: one float.
    Of complex results it is the real part, whose gradient is the pullback of the weights."""

    function: Callable[..., Any]
    weights: tuple[Any, ...]

    def __call__(self, args: Sequence[Any]) -> float:
        # a function may change its arguments: it gets copies
        given = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
        with np.errstate(all="ignore"):
            leaves = list(_leaves(self.function(*given)))
        total = sum(np.sum(_in_double(leaf) * w) for leaf, w in zip(
            leaves, self.weights, strict=True) if w is not None)
        return float(np.real(total))


def check_grads(f: Callable[..., Any], args: Sequence[Any], argnums: Argnums = None, *,
                rtol: float | None = None, atol: float | None = None, step: float | None = None,
                **options: Any) -> None:
    """Raise AssertionError where the gradient of `f` differs from central finite differences.

    Parameters
    ----------
    f : callable
        The user's function, or what `grad` made of it. An array or a container as its value is
        contracted with fixed pseudo-random weights. Complex arguments are moved along both axes
        and give df/dx - i df/dy; of a complex value the real part is taken.
    args : sequence
        The arguments at which to compare; `f` is called twice for each of their elements.
    argnums : int or sequence of ints, optional
        Which arguments; all that are floats by default.
    rtol, atol : float, optional
        Allowed difference: `atol + rtol * |finite difference|`. By default both are 1e-6, and
        1e-3 for float32, where `atol` is scaled by the size of the value.
    step : float, optional
        The step, relative to max(1, |element|); 6e-6 by default.

    Raises
    ------
    AssertionError
        Naming the first argument and element that disagree, and both numbers.
    TypeError
        If no argument is a float.
    """
    function = f.primal if isinstance(f, Compiled) else f
    if isinstance(f, Compiled):
        options = {"jit": f.options.jit, **options}
    args = tuple(args)
    name, signature = display_name(function), signature_of(function)
    positions = _positions(function, args, argnums)
    value, pullback = vjp(function, *_copies(args), argnums=positions, **options)
    weights = tuple(_weights(value))
    bars = pullback(_like(value, iter(weights)))
    projected = _Projected(function, weights)
    exact = [_in_double(a) if k in positions else a for k, a in enumerate(args)]
    scale = max(1.0, abs(projected(exact)))
    names = [*signature.parameters, *(f"args[{k}]" for k in range(len(args)))]
    for position, bar in zip(positions, bars, strict=True):
        tolerance = _TOLERANCE.get(str(np.asarray(args[position]).dtype), 1e-6)
        limits = (tolerance if rtol is None else rtol, tolerance * scale if atol is None else atol)
        what = f"{name}: the derivative with respect to {names[position]}"
        _compare(projected, exact, position, np.asarray(bar), limits=limits,
                 step=step or _STEP, what=what)


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
