"""From a function and example arguments to a request, its trace, and the leaves of a call."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from retrograd.api.types import canonical, differentiated, leaves_of, param_of, type_of
from retrograd.frontend.reading import NeedStatic
from retrograd.frontend.trace import Traced, trace
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function, Let, Loop, Statement, While, walk
from retrograd.ir.types import is_float
from retrograd.ir.verify import verify
from retrograd.program import PRIMAL, Container, Known, Request
from retrograd.trees import rebuild

Made = TypeVar("Made")


def request_for(function: Callable[..., Any], args: Sequence[Any], product: str = PRIMAL,
                wrt: Sequence[int] = (), has_aux: bool = False) -> Request:
    """The request that the interface would make for these arguments (defaults filled in)."""
    bound = inspect.signature(function).bind(*args)
    bound.apply_defaults()
    params: list[Any] = []
    for k, (name, value) in enumerate(bound.arguments.items()):
        parameter = inspect.signature(function).parameters[name]
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            params.append(Container("tuple", tuple(param_of(v) for v in value)))
        else:
            params.append(differentiated(param_of(value), name) if k in wrt else param_of(value))
    return Request(function, product, tuple(params), tuple(wrt), len(wrt) == 1, has_aux)


def with_known(request: Request, args: Sequence[Any], need: NeedStatic) -> Request:
    """The request again, with the ints that the front end asked for."""
    names = list(inspect.signature(request.function).parameters)
    params = tuple(Known(int(a)) if n in need.names else p
                   for n, p, a in zip(names, request.params, args))
    captures = tuple((name, None) for name in need.captures)
    assert params != request.params or set(captures) - set(request.known_captures), need
    return replace(request, params=(*params, *request.params[len(params):]),
                   known_captures=request.known_captures + captures)


def traced(function: Callable[..., Any], *args: Any) -> Traced:
    """The verified trace of the function itself."""
    _, found = settled(request_for(function, args), args, trace)
    verify(found.function)
    return found


def settled(request: Request, args: Sequence[Any], make: Callable[[Request], Made],
            ) -> tuple[Request, Made]:
    """The request in which all ints are known that must be, and what `make` gives for it."""
    while True:
        try:
            return request, make(request)
        except NeedStatic as need:
            request = with_known(request, args, need)


def leaves(request: Request, args: Sequence[Any], captures: Sequence[Any]) -> list[Any]:
    """The arguments as the IR takes them: without static ones, with captured ones."""
    bound = inspect.signature(request.function).bind(*args)
    bound.apply_defaults()
    found: list[Any] = []
    for value, param in zip(bound.arguments.values(), request.params, strict=True):
        found += [canonical(v, p) for v, p in leaves_of(param, value)]
    return found + [c.read() for c in captures]


def run(function: Callable[..., Any], *args: Any) -> Any:
    """What the trace of the function means for these arguments."""
    request, found = settled(request_for(function, args), args, trace)
    verify(found.function)
    return rebuild(found.visible, interpret(found.function, leaves(request, args, found.captures)))


def same(found: Any, expected: Any) -> bool:
    """Equal structure and equal numbers (nan equals nan)."""
    if isinstance(expected, (tuple, list)):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(same(found[k], expected[k]) for k in found)
    if expected is None or isinstance(expected, str):
        return bool(found == expected)
    return np.shape(found) == np.shape(expected) and bool(
        np.array_equal(found, expected, equal_nan=np.asarray(expected).dtype.kind == "f"))


def agrees(function: Callable[..., Any], *args: Any) -> None:
    """The trace, interpreted, gives what Python gives: the same values or the same exception."""
    try:
        expected = function(*[np.copy(a) if isinstance(a, np.ndarray) else a for a in args])
    except Exception as error:
        try:
            found = run(function, *args)
        except Exception as other:
            assert type(other) is type(error), repr(other)
            assert str(other) == str(error)
        else:
            raise AssertionError(f"{error!r} expected, found {found!r}") from None
    else:
        found = run(function, *args)
        assert same(found, expected), f"found {found!r}, Python gives {expected!r}"


def load(source: str, name: str = "f", file: str = "<loaded>", **names: Any) -> Any:
    """The function `name` of this source, readable through linecache."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"__name__": "loaded", "np": np, **names}
    exec(compile(source, file, "exec"), scope)
    return scope[name]


def ops(function: Function) -> list[str]:
    """The operations of a function, in order, those inside loops and branches too."""
    return [s.op for s in walk(function.body) if isinstance(s, Let)]


def statements(function: Function, kind: type) -> list[Any]:
    return [s for s in walk(function.body) if isinstance(s, kind)]


def loops(function: Function) -> list[Statement]:
    return [s for s in walk(function.body) if isinstance(s, (Loop, While))]


def float_positions(args: Sequence[Any]) -> tuple[int, ...]:
    return tuple(k for k, a in enumerate(args)
                 if not isinstance(p := type_of(a), Known) and is_float(p))
