"""`vjp`: the value now, and a pullback that can be called many times."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd.api.identity import Itself, function_of, key_of
from retrograd.api.options import Options
from retrograd.api.parameters import (
    Argnames,
    Argnums,
    Wanted,
    call_places,
    display_name,
    signature_of,
    wanted,
)
from retrograd.api.specialisation import Specialisation
from retrograd.api.specialise import Specialiser
from retrograd.api.types import canonical, carries, param_of, type_of
from retrograd.errors import InternalError
from retrograd.ir.types import Array, Scalar, Type, is_float
from retrograd.program import JOINT, VJP, Known
from retrograd.trees import Node, positions, values_at

if TYPE_CHECKING:
    from retrograd.api.residuals import Residuals

Places = tuple[int | None, ...] | None


def vjp_of(function: Callable[..., Any], options: Options, args: tuple[Any, ...],
           *, kwargs: dict[str, Any], argnums: Argnums = None, argnames: Argnames = None
           ) -> tuple[Any, Pullback]:
    """See `retrograd.vjp`."""
    specialiser, found, values, places = found_for(
        function, options, args, kwargs=kwargs, argnums=argnums, argnames=argnames)
    leaves = found.leaves(values)
    value, residuals = found.run(*leaves)
    return value, Pullback(specialiser, found, value, _owned(residuals, leaves), places, leaves)


def found_for(function: Callable[..., Any], options: Options, args: tuple[Any, ...], *,
              kwargs: dict[str, Any], argnums: Argnums, argnames: Argnames
              ) -> tuple[Specialiser, Specialisation, tuple[Any, ...], Places]:
    """The specialisation for a call of `vjp`, with one value a parameter and, without argnums,
    the place of each argument's adjoint; nothing of the function has been run."""
    options = replace(options, has_aux=False)      # an aux is a part of the value here
    signature = signature_of(function)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    values = tuple(bound.arguments[name] for name in signature.parameters)
    name = display_name(function)
    if argnums is None and argnames is None:
        floats = [k for k, value in enumerate(args) if carries(param_of(value))]
        places: tuple[int | None, ...] | None = tuple(
            floats.index(k) if k in floats else None for k in range(len(args)))
        calls = call_places(signature, len(args))
        which = Wanted(tuple(calls[k] for k in floats), False)
    else:
        places, which = None, wanted(signature, argnums, argnames, name)
    specialiser = _specialiser(key_of(function), name, which, options)
    return specialiser, specialiser.for_values(values, _unused), values, places


@dataclass(frozen=True, slots=True)
class _Sized:
    """The shape of an argument, without its memory."""

    shape: tuple[int, ...]


class Pullback:
    """Maps an adjoint of the value to the adjoints of the arguments.

    It owns what it needs: later changes of the arguments or of the value do not show in it.
    """

    def __init__(self, specialiser: Specialiser, found: Specialisation, value: Any,
                 residuals: tuple[Any, ...], places: tuple[int | None, ...] | None,
                 leaves: Sequence[Any]) -> None:
        unit = found.program.units[1]
        self._residuals = tuple(map(_fitting, residuals, unit.params))
        self._types = unit.params[len(residuals):]
        self._places = places
        self._run = found.backward
        self._request = found.request
        self._options = specialiser.options
        self._name = specialiser.name
        forward = found.program.units[0]
        assert isinstance(forward.result, Node)
        self._structure = forward.result.children[0]
        self._floats = [k for k in positions(self._structure) if is_float(forward.results[k])]
        self._table = found.program.residuals
        self._sizes = [_Sized(leaf.shape) if isinstance(leaf, np.ndarray) else leaf
                       for leaf in leaves]
        given = values_at(self._structure, value, "value")
        self._shapes = [np.shape(given[k][1]) for k in self._floats]

    def __call__(self, value_bar: Any) -> Any:
        """The adjoints of the arguments for the adjoint of the value.

        `value_bar` is nested as the value is, each leaf of its leaf's shape; None stands at
        leaves that are not floats. Raises ValueError for another shape, TypeError for what
        cannot be cast.
        """
        given = values_at(self._structure, value_bar, "the adjoint")
        adjoints = [
            _adjoint(*given[k], type, shape) for k, type, shape in zip(
                self._floats, self._types, self._shapes, strict=True)]
        assert self._run is not None
        bars = self._run(*self._residuals, *adjoints)
        if self._places is None:
            return bars
        return tuple(None if p is None else bars[p] for p in self._places)

    def source(self, kind: str = "readable") -> str:
        """The generated source, as one function of the arguments and the value's adjoints that
        returns the adjoints of the arguments; `kind` is "readable" or "compiled"."""
        from retrograd.api import export
        from retrograd.pipeline import derive

        if kind not in ("readable", "compiled"):
            raise ValueError(f"kind must be 'readable' or 'compiled', not {kind!r}")
        program = derive(replace(self._request, product=JOINT))
        return export.text(program, kind == "compiled", self._options)

    def residuals(self) -> Residuals:
        """What the pullback reads of the primal, and what was stored for it; see
        `Gradient.residuals`."""
        from retrograd.api.residuals import residuals_of

        return residuals_of(self._table, self._sizes)

    def __repr__(self) -> str:
        return f"<retrograd pullback of {self._name}>"


@functools.lru_cache(maxsize=256)
def _specialiser(key: Callable[..., Any] | Itself, name: str, which: Wanted,
                 options: Options) -> Specialiser:
    """The same for every call of `vjp` with the same function: compiled once."""
    function = function_of(key)
    return Specialiser(function, signature_of(function), name, product=VJP, wanted=which,
                       options=options)


def _unused(values: tuple[Any, ...], out: Any) -> Any:
    raise AssertionError("a vjp has no entry")


def _owned(residuals: Sequence[Any], arguments: Sequence[Any]) -> tuple[Any, ...]:
    """The residuals, without memory that the caller may change."""
    arrays = [a for a in arguments if isinstance(a, np.ndarray)]
    return tuple(
        r.copy() if isinstance(r, np.ndarray) and any(np.may_share_memory(r, a) for a in arrays)
        else r for r in residuals)


def _fitting(residual: Any, type: Type) -> Any:
    """A residual in the layout that the backward function was compiled for.

    Compiled code checks nothing, so another dtype or rank would be misread: it is a bug here.
    """
    given = type_of(residual)
    if isinstance(given, Known) or (given.dtype, given.rank) != (type.dtype, type.rank):
        raise InternalError(f"a residual is {given}, but the backward function takes {type}")
    if isinstance(type, Array) and type.layout in ("C", "F"):
        return np.asarray(residual, order=type.layout)  # type: ignore[call-overload]
    return residual


def _adjoint(name: str, given: Any, type: Type, shape: tuple[int, ...]) -> Any:
    """An adjoint as the backward function takes it, of its own shape and dtype."""
    kind = type_of(given)
    if isinstance(kind, Known):
        raise TypeError(f"{name} must be a number or an array, got {kind.value!r}")
    if np.shape(given) != shape:
        raise ValueError(f"{name} has shape {np.shape(given)}, but the value has {shape}")
    if not np.can_cast(np.dtype(kind.dtype), np.dtype(type.dtype), "same_kind"):
        raise TypeError(f"{name} has dtype {kind.dtype}, but the value has {type.dtype}")
    if isinstance(type, Scalar):
        number = given.item() if isinstance(given, (np.ndarray, np.generic)) else given
        return canonical(number, type) if type.weak else np.dtype(type.dtype).type(number)
    assert isinstance(type, Array)
    return np.array(given, np.dtype(type.dtype), order="F" if type.layout == "F" else "C")
