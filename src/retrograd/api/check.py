"""`check_grads`: derivatives in both modes against central finite differences, in float64.

Every evaluation starts from the same state of every generator, given or captured, and the
caller's generators are left as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.api.check_leaves import (
    Place,
    adjoint_at,
    copied,
    doubled,
    float_places,
    has_tangent,
    in_double,
    leaf_at,
    no_tangent,
    with_leaf,
)
from retrograd.api.function import Compiled
from retrograd.api.options import Options
from retrograd.api.parameters import Argnums, display_name, signature_of, wanted
from retrograd.api.transformed import Transformed, path_number, pushforward_of
from retrograd.api.transforms import jvp, vjp
from retrograd.api.types import carries, param_of, type_of
from retrograd.api.vjp import found_for
from retrograd.ir.types import is_complex, is_float, is_generator
from retrograd.program import Known
from retrograd.trees import Leaf, Tree, rebuild, taken_apart, values_at

DEFAULT_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
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
    tree: Tree
    weights: tuple[Any, ...]
    streams: _Streams
    returns: tuple[str, ...]

    def __call__(self, args: Sequence[Any]) -> float:
        self.streams.rewind()
        bound = signature_of(self.function).bind(*args)
        bound.apply_defaults()
        for name, value in bound.arguments.items():     # a function may change its arguments
            bound.arguments[name] = copied(value)
        with np.errstate(all="ignore"):
            result = self.function(*bound.args, **bound.kwargs)
            leaves = taken_apart(result)[1]
            leaves += [bound.arguments[name] for name in self.returns]
        return self.contracted(leaves)

    def path(self, args: Sequence[Any]) -> int:
        """The number of the path that the function takes."""
        self.streams.rewind()
        return int(path_number(self.function)(*map(copied, args)))

    def contracted(self, leaves: Sequence[Any]) -> float:
        """The sum of the products of results, or of their tangents, with the weights."""
        total = sum(np.sum(doubled(leaf) * doubled(w)) for leaf, w in zip(
            leaves, self.weights, strict=True) if w is not None)
        return float(np.real(total))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants: which orders and modes, and how close."""

    order: int
    modes: tuple[str, ...]
    rtol: float | None
    atol: float | None
    step: float

    def limits(self, argument: Any, scale: float) -> tuple[float, float]:
        """The relative and the absolute tolerance for an argument."""
        tolerance = _TOLERANCE.get(str(np.asarray(argument).dtype), 1e-6)
        return (tolerance if self.rtol is None else self.rtol,
                tolerance * scale if self.atol is None else self.atol)


def check(f: Callable[..., Any], args: Sequence[Any], argnums: Argnums, asked: Asked,
          options: dict[str, Any]) -> None:
    """See `retrograd.check_grads`."""
    function = f
    if isinstance(f, Compiled):
        options = {"jit": f.options.jit, "returns": f.options.returns, **options}
        function = f if isinstance(f, Transformed) else f.primal
    args = tuple(args)
    positions = _positions(function, args, argnums)
    _first_order(function, args, positions, asked, options)
    if asked.order == 2:
        _second_order(function, args, positions, asked, options)


def _first_order(function: Callable[..., Any], args: tuple[Any, ...], positions: tuple[int, ...],
                 asked: Asked, options: dict[str, Any]) -> None:
    streams = _streams(function, args, positions, options)
    try:
        value, pullback = vjp(function, *map(copied, args), argnums=positions, **options)
        tree, leaves = taken_apart(value)
        weights = tuple(_weights(leaves))
        streams.rewind()
        places = list(float_places(args, positions))
        given: dict[str, list[Any]] = {}
        if "reverse" in asked.modes:
            bars = dict(zip(positions, pullback(rebuild(tree, weights)), strict=True))
            given["reverse"] = [adjoint_at(args, bars, place) for place in places]
        projected = _Projected(function, tree, weights, streams, Options(**options).contents)
        if "forward" in asked.modes:
            given["forward"] = [_in_forward_mode(projected, args, p, options) for p in places]
        _check_each(projected, args, places, given, asked)
    finally:
        streams.rewind()


def _second_order(function: Callable[..., Any], args: tuple[Any, ...],
                  positions: tuple[int, ...], asked: Asked, options: dict[str, Any]) -> None:
    """The derivatives of the tangent, which are those of all first derivatives in one direction."""
    generator = np.random.default_rng(1)
    tangents = tuple(_direction(generator, a) if k in positions else None
                     for k, a in enumerate(args))
    pushed = pushforward_of(function, Options(**options), len(args))
    inner = {k: v for k, v in options.items() if k != "returns"}
    _first_order(pushed, (*args, *tangents), positions, asked, inner)


def _direction(generator: np.random.Generator, argument: Any) -> Any:
    """A direction for an argument; None for what is no float in it."""
    tree, leaves = taken_apart(argument)
    return rebuild(tree, [
        _tangent(generator, leaf) if isinstance(tree, Leaf) or has_tangent(leaf) else None
        for leaf in leaves])


def _tangent(generator: np.random.Generator, argument: Any) -> Any:
    """A direction in the type of an argument, or of a float in one."""
    if isinstance(argument, np.ndarray):
        return np.asarray(generator.uniform(0.5, 1.5, argument.shape), argument.dtype)
    number = generator.uniform(0.5, 1.5)
    return type(argument)(number) if is_number(argument) else number


def is_number(value: Any) -> bool:
    """Whether a value is a float and not an int that becomes one."""
    return isinstance(value, (float, complex, np.inexact))


def _in_forward_mode(projected: _Projected, args: tuple[Any, ...], place: Place,
                     options: dict[str, Any]) -> Any:
    """The derivative of the contracted value with respect to each element of a leaf."""
    argument = leaf_at(args, place)
    found = np.zeros(np.shape(argument), np.result_type(np.asarray(argument), np.float32))
    for index in np.ndindex(np.shape(argument)):
        found[index] = _along(projected, args, place, index, 1, options)
        if np.iscomplexobj(found):
            found[index] -= 1j * _along(projected, args, place, index, 1j, options)
    return found


def _along(projected: _Projected, args: tuple[Any, ...], place: Place, index: tuple[int, ...],
           direction: complex, options: dict[str, Any]) -> float:
    argument, position = leaf_at(args, place), place[0]
    tangent: Any = direction.real
    if isinstance(argument, np.ndarray):
        tangent = np.zeros_like(argument)
        tangent[index] = direction
    elif is_number(argument):
        tangent = type(argument)(direction)
    tangents: list[Any] = [None] * len(args)
    tree, leaves = taken_apart(args[position])
    tangents[position] = rebuild(tree, [tangent if k == place[1] else no_tangent(leaf)
                                        for k, leaf in enumerate(leaves)])
    projected.streams.rewind()
    with np.errstate(all="ignore"):
        _, dots = jvp(projected.function, list(map(copied, args)), tangents, **options)
    found = values_at(projected.tree, dots, "the tangent")
    return projected.contracted([found[k][1] for k in range(len(projected.weights))])


def _streams(function: Callable[..., Any], args: tuple[Any, ...], positions: tuple[int, ...],
             options: dict[str, Any]) -> _Streams:
    """The generators among the arguments, and those that the function captures."""
    _, found, _, _ = found_for(function, Options(**options), args, kwargs={}, argnums=positions,
                               argnames=None)
    return _Streams([g for g in (*taken_apart(args)[1], *(c.read() for c in found.program.captures))
                     if is_generator(g)])


def _check_each(projected: _Projected, args: tuple[Any, ...], places: Sequence[Place],
                given: Mapping[str, Sequence[Any]], asked: Asked) -> None:
    """Compare the derivatives that each mode has `given`, one leaf after the other."""
    function = projected.function
    name, signature = display_name(function), signature_of(function)
    positions = {place[0] for place in places}
    exact = [in_double(a) if k in positions else a for k, a in enumerate(args)]
    scale = max(1.0, abs(projected(exact)))
    names = [*signature.parameters, *(f"args[{k}]" for k in range(len(args)))]
    for k, place in enumerate(places):
        modes = {mode: np.asarray(found[k]) for mode, found in given.items()}
        argument = args[place[0]]
        path = values_at(taken_apart(argument)[0], argument, names[place[0]])[place[1]][0]
        _compare(projected, exact, place, modes, asked.limits(leaf_at(args, place), scale),
                 asked.step, f"{name}: the derivative with respect to {path}")


def _positions(function: Callable[..., Any], args: tuple[Any, ...],
               argnums: Argnums) -> tuple[int, ...]:
    if argnums is not None:
        found = wanted(signature_of(function), argnums, None, display_name(function)).positions
        return tuple(p if isinstance(p, int) else sum(p) for p in found)
    floats = tuple(k for k, a in enumerate(args) if carries(param_of(a)))
    if not floats:
        raise TypeError("none of the arguments is a float or an array of floats")
    return floats


def _compare(projected: _Projected, args: list[Any], place: Place, given: Mapping[str, Any],
             limits: tuple[float, float], step: float, what: str) -> None:
    for index in np.ndindex(np.shape(leaf_at(args, place))):
        numeric = _derivative(projected, args, place, index, step)
        allowed = limits[1] + limits[0] * abs(numeric)
        for mode, derivatives in given.items():
            found = derivatives[index].item()
            if not (abs(found - numeric) <= allowed or found == numeric):
                element = f"[{', '.join(map(str, index))}]" if index else ""
                raise AssertionError(
                    f"{what}{element} is {found!r} in {mode} mode, but finite differences give "
                    f"{numeric!r}{_doubt(projected, args, place, index, step, allowed)}")


def _doubt(projected: _Projected, args: list[Any], place: Place, index: tuple[int, ...],
           step: float, allowed: float) -> str:
    """Why the finite difference may be the wrong one of two numbers."""
    ends = [end for direction in (1, 1j)[:1 + np.iscomplexobj(leaf_at(args, place))]
            for end in _ends(args, place, index, step, direction)[0]]
    paths = {projected.path(moved) for moved in (args, *ends)}
    if len(paths) > 1:
        return ("; within the step the function takes another path: a branch or the number of "
                "trips of a loop changes")
    numeric, coarse = (_derivative(projected, args, place, index, s) for s in (step, 8 * step))
    return "" if abs(coarse - numeric) <= allowed else (
        f"; with a step eight times as large they give {coarse!r}, so the function may not be "
        "smooth here")


def _derivative(projected: _Projected, args: list[Any], place: Place, index: tuple[int, ...],
                step: float) -> float | complex:
    """df/dx, and df/dx - i df/dy for a complex element."""
    along_x = _difference(projected, args, place, index, step)
    if not np.iscomplexobj(leaf_at(args, place)):
        return along_x
    return complex(along_x, -_difference(projected, args, place, index, step, 1j))


def _difference(projected: _Projected, args: list[Any], place: Place, index: tuple[int, ...],
                step: float, direction: complex = 1) -> float:
    ends, width = _ends(args, place, index, step, direction)
    low, high = map(projected, ends)
    return (high - low) / width


def _ends(args: list[Any], place: Place, index: tuple[int, ...], step: float,
          direction: complex) -> tuple[list[list[Any]], float]:
    """The arguments a step before and a step behind, and how far these are apart."""
    base = leaf_at(args, place)
    at = np.asarray(base)[index].item()
    width = step * max(1.0, abs(at))
    low, high = at - width * direction, at + width * direction
    ends = []
    for moved in (low, high):
        changed = moved
        if isinstance(base, np.ndarray):
            changed = base.copy()
            changed[index] = moved
        moved_args = list(args)
        moved_args[place[0]] = with_leaf(args[place[0]], place[1], changed)
        ends.append(moved_args)
    return ends, float(abs(high - low))


def _weights(leaves: Sequence[Any]) -> Iterator[Any]:
    """A weight for each element of a value: 1 for a single float, else pseudo-random ones."""
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
