"""The user's parameters: how calls bind to them, and which of them are differentiated."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from retrograd.errors import Unsupported
from retrograd.program import Position

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
Argnums = int | Sequence[int] | None
Argnames = str | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Positions of the differentiated parameters, and whether the gradient is returned bare."""

    positions: tuple[Position, ...]
    single: bool

    def within(self, position: int) -> tuple[int, ...]:
        """Which of the arguments in the `*args` at a position are differentiated."""
        return tuple(p[1] for p in self.positions if isinstance(p, tuple) and p[0] == position)


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of what the user passed.

    Raises TypeError for what is not a Python function, and Unsupported for `**kwargs`.
    """
    if not callable(function):
        raise TypeError(f"expected a function, got {type(function).__name__}")
    try:
        signature = inspect.signature(plain(function))
    except ValueError:
        raise TypeError(f"{function!r} has no Python source and no signature; "
                        "wrap it in a function") from None
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            raise Unsupported(f"the parameter **{parameter.name} stands for any keywords",
                              "name the parameters")
    return signature


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """The Python function behind one that Numba compiled."""
    if type(function).__module__.startswith("numba."):
        inner: Callable[..., Any] = getattr(function, "py_func", function)
        return inner
    return function


def display_name(function: Callable[..., Any]) -> str:
    """The function's own name; a partial has that of what it wraps."""
    inner = plain(getattr(function, "func", function))
    return str(getattr(inner, "__name__", type(inner).__name__))


def wanted(signature: inspect.Signature, argnums: Argnums, argnames: Argnames,
           name: str) -> Wanted:
    """The parameters that `argnums` or `argnames` mean; the first if neither is given.

    Raises TypeError for wrong types and both given, ValueError for positions out of range,
    unknown names and repetitions.
    """
    if argnums is not None and argnames is not None:
        raise TypeError("give argnums or argnames, not both")
    if argnames is not None:
        return _by_name(signature, argnames, name)
    return _by_number(signature, 0 if argnums is None else argnums, name)


def _by_name(signature: inspect.Signature, argnames: str | Sequence[str], name: str) -> Wanted:
    single = isinstance(argnames, str)
    names = (argnames,) if isinstance(argnames, str) else tuple(argnames)
    order = list(signature.parameters)
    for argname in names:
        if not isinstance(argname, str):
            raise TypeError(f"argnames must be names, got {argname!r}")
        if argname not in order:
            raise ValueError(f"{name} has no parameter {argname!r}; it has {', '.join(order)}")
    return _distinct(signature, tuple(order.index(n) for n in names), single)


def _by_number(signature: inspect.Signature, argnums: int | Sequence[int], name: str) -> Wanted:
    single = not isinstance(argnums, Sequence)
    numbers = (argnums,) if single else tuple(argnums)  # type: ignore[arg-type]
    parameters = list(signature.parameters.values())
    count = sum(p.kind in _POSITIONAL for p in parameters)
    varied = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
    positions: list[Position] = []
    for number in numbers:
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise TypeError(f"argnums must be an int or a sequence of ints, got {number!r}")
        index = operator.index(number)
        if varied and index < 0:
            raise ValueError(f"argnums={index} counts from the end, but {name} takes any number "
                             "of arguments")
        if varied and index >= count:
            positions.append((count, index - count))
            continue
        if not -count <= index < count:
            raise ValueError(f"argnums={index} is out of range for {name}, which has {count} "
                             f"positional parameter{'' if count == 1 else 's'}")
        positions.append(index % count)
    return _distinct(signature, tuple(positions), single)


def _distinct(signature: inspect.Signature, positions: tuple[Position, ...],
              single: bool) -> Wanted:
    for k, place in enumerate(positions):
        name = place_name(signature, place)
        if place in positions[:k]:
            raise ValueError(f"the parameter {name!r} is asked for twice")
        if isinstance(place, int) and signature.parameters[
                name].kind is inspect.Parameter.VAR_POSITIONAL:
            raise Unsupported("the derivative with respect to all of *args at once is not "
                              "available", "ask for its arguments by argnums")
    return Wanted(positions, single)


def with_direction(signature: inspect.Signature, place: Position) -> inspect.Signature:
    """The parameters of a function and, after the differentiated one, a direction."""
    if not isinstance(place, int):
        raise Unsupported("a Hessian-vector product with respect to one of *args is not available",
                          "give the argument a parameter of its own")
    parameters = [p.replace(default=inspect.Parameter.empty) if k <= place else p
                  for k, p in enumerate(signature.parameters.values())]
    name = "v"
    while any(p.name == name for p in parameters):
        name += "_"
    parameters.insert(place + 1, inspect.Parameter(name, parameters[place].kind))
    return inspect.Signature(parameters)


def with_tangents(signature: inspect.Signature, count: int) -> inspect.Signature:
    """The first parameters of a function, so many, and their tangents.

    Raises TypeError where the function does not take so many arguments by position.
    """
    names: list[str] = []
    for p in signature.parameters.values():
        if p.kind in _POSITIONAL:
            names.append(p.name)
        elif p.kind is inspect.Parameter.VAR_POSITIONAL:
            names += [f"{p.name}_{k}" for k in range(count - len(names))]
    if count > len(names):
        raise TypeError(f"the function takes {len(names)} positional arguments, but {count} "
                        "primals were given")
    names = names[:count]
    for primal in names[:]:
        name = f"{primal}_dot"
        while name in names:
            name += "_"
        names.append(name)
    return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY)
                              for n in names])


def place_name(signature: inspect.Signature, place: Position) -> str:
    """The name of a parameter, or `args[k]`."""
    names = list(signature.parameters)
    return names[place] if isinstance(place, int) else f"{names[place[0]]}[{place[1]}]"


def call_places(signature: inspect.Signature, count: int) -> list[Position]:
    """The places of the first `count` positional arguments of a call."""
    fixed = sum(p.kind in _POSITIONAL for p in signature.parameters.values())
    return [k if k < fixed else (fixed, k - fixed) for k in range(count)]


def check_returns(signature: inspect.Signature, names: Sequence[str], name: str) -> None:
    """Raise ValueError unless the last contents of these parameters can be results."""
    for asked in names:
        parameter = signature.parameters.get(asked)
        if parameter is None:
            raise ValueError(f"returns names {asked!r}, but {name} has no such parameter; it has "
                             f"{', '.join(signature.parameters) or 'none'}")
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            raise ValueError(f"returns names {asked!r}, which stands for any number of arguments; "
                             "give the array a parameter of its own")
