"""Derivative rules of the user's own: `rule` and `stop_gradient`.

    @rg.rule
    def softplus(x):
        return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0.0)

    @softplus.partials
    def _(x, *, out):
        return 1.0 / (1.0 + np.exp(-x))
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, TypeVar, overload

import numpy as np

_Function = Callable[..., Any]
_Rule = TypeVar("_Rule", bound=_Function)
_Result = str | tuple[str, ...] | _Function
T = TypeVar("T")
KINDS = ("function", "partials", "pullback", "pushforward")


class OpaqueWarning(UserWarning):
    """Compiled code calls an opaque function through the interpreter."""


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A function and its rule. `result` says what an opaque function returns (`api/opaque.py`)."""

    name: str
    function: _Function
    opaque: bool = False
    result: _Result | None = None
    partials: _Function | None = None
    pullback: _Function | None = None
    pushforward: _Function | None = None

    def functions(self) -> tuple[_Function | None, ...]:
        """The function, and those of its rule."""
        return tuple(getattr(self, kind) for kind in KINDS)


class Ruled:
    """A function whose derivative is given by a rule; see `retrograd.rule`."""

    __name__: str
    __qualname__: str

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        functools.update_wrapper(self, definition.function, updated=())
        self.__name__ = definition.name
        if not isinstance(getattr(self, "__qualname__", None), str):
            self.__qualname__ = definition.name

    @property
    def function(self) -> _Function:
        """The function itself."""
        return self.definition.function

    def partials(self, function: _Rule) -> _Rule:
        """Give the elementwise partial derivatives: one for each argument."""
        return self._with("partials", function)

    def pullback(self, function: _Rule) -> _Rule:
        """Give the adjoints of the arguments for those of the results."""
        return self._with("pullback", function)

    def pushforward(self, function: _Rule) -> _Rule:
        """Give the tangents of the results for those of the arguments."""
        return self._with("pushforward", function)

    def _with(self, kind: str, function: _Rule) -> _Rule:
        if not callable(function):
            raise TypeError(f"the {kind} of {self.__name__!r} must be a function")
        given: dict[str, _Function | None] = {
            "partials": self.definition.partials, "pullback": self.definition.pullback,
            "pushforward": self.definition.pushforward, kind: function}
        if given["partials"] and (given["pullback"] or given["pushforward"]):
            raise TypeError(f"the rule of {self.__name__!r} has partials, which serve both modes: "
                            "give these, or a pullback and a pushforward")
        self.definition = replace(self.definition, partials=given["partials"],
                                  pullback=given["pullback"], pushforward=given["pushforward"])
        return function

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        given = (*args, *keywords.values())
        return _apart(self.definition.function(*args, **keywords), given)

    def __reduce__(self) -> str | tuple[Any, ...]:
        """By reference where a module has it under its name; else with its functions."""
        from retrograd.api.pickling import at_its_name

        if at_its_name(self):
            return self.__qualname__
        return _blank, (type(self),), self.__dict__           # a rule may call what it is of

    def __repr__(self) -> str:
        return f"<rule of {self.__qualname__}>"


@overload
def rule(function: _Function, *, opaque: bool = False, result: _Result | None = None,
         name: str | None = None) -> Ruled: ...
@overload
def rule(function: None = None, *, opaque: bool = False,
         result: _Result | None = None,
         name: str | None = None) -> Callable[[_Function], Ruled]: ...
def rule(function: _Function | None = None, *, opaque: bool = False,
         result: _Result | None = None,
         name: str | None = None) -> Ruled | Callable[[_Function], Ruled]:
    """Give a function a derivative rule of its own. Also a decorator, plain or with arguments.

    What is returned is called as the function is. Inside a function that is differentiated, its
    derivative is what the rule says, never that of its body. Give either `partials`, or a
    `pullback` for reverse mode and a `pushforward` for forward mode:

        @f.partials                                  # elementwise: one partial an argument
        def _(x, y, *, out): return 1 / y, -out / y

        @f.pullback                                  # one adjoint an argument, of its shape
        def _(x, y, *, out, out_bar): return out_bar @ y.T, x.T @ out_bar

        @f.pushforward                               # one tangent a result
        def _(x, y, *, out, x_dot, y_dot): return x_dot @ y + x @ y_dot

    They take the function's arguments by position (keyword-only ones by keyword), and by keyword
    what they ask for. They are ordinary Python that retrograd differentiates in turn, for higher
    derivatives. A function of several results (a tuple) has tuples `out` and `out_bar`. None as
    an adjoint or a tangent means that there is no derivative; arguments that are not floats
    have none, whatever is returned for them. Arguments and results are numbers, arrays and
    containers of them: adjoints and tangents are nested as these are. Settings (ints used as axes,
    strings, functions) can be passed, too.

    Parameters
    ----------
    function : callable
    opaque : bool
        retrograd does not look into the function: it is called as it is. Compiled code calls
        what Numba can call (`ctypes` functions, functions of Numba's own), and everything else
        through the interpreter (`numba.objmode`), with an `OpaqueWarning`, once. It is assumed
        to be pure.
    result : str, tuple of str, or callable, optional
        What an opaque function returns: a type ("float64", "float64[:, :]"), a tuple of types
        where it returns a tuple, or a function of the arguments that returns an array or number of
        the same type and shape, or a tuple of them (`lambda x: x`). Not needed for ufuncs and for
        `ctypes` functions with a `restype`.
    name : str, optional
        What it is called in generated source and messages; the function's own name by default.

    Raises
    ------
    TypeError
        If the function is not Python and `opaque` is not set, or nothing says what an opaque
        function returns.
    """
    if function is None:
        return functools.partial(rule, opaque=opaque, result=result, name=name)
    called = name or getattr(function, "__name__", None) or type(function).__name__
    if not callable(function):
        raise TypeError(f"{function!r} is not a function")
    if isinstance(function, Ruled):
        raise TypeError(f"{called!r} has a rule already")
    if opaque:
        from retrograd.api.opaque import Opaque

        made = Opaque(Definition(called, function, True, result))
        if not isinstance(function, FunctionType):          # named by who makes it, as named tuples
            made.__module__ = sys._getframe(1).f_globals.get("__name__", "__main__")
            made.__qualname__ = called
        return made
    if result is not None:
        raise TypeError("result= is for opaque functions: retrograd sees what others return")
    if not isinstance(getattr(function, "py_func", function), FunctionType):
        raise TypeError(f"{called!r} is not a Python function: pass opaque=True, and what it "
                        "returns as result=")
    return Ruled(Definition(called, function))


def stop_gradient(x: T) -> T:
    """The value of `x`, through which no derivative flows.

        loss = np.sum((y - rg.stop_gradient(target)) ** 2)

    `x` is a number, an array, or a tuple, list or dict of them. The result is a value of its own:
    arrays in it are copies, in plain Python too.
    """
    found: Any = x
    if isinstance(x, np.ndarray):
        found = x.copy()
    elif isinstance(x, tuple) and hasattr(x, "_fields"):
        found = type(x)(*map(stop_gradient, x))
    elif isinstance(x, (tuple, list)):
        found = type(x)(map(stop_gradient, x))
    elif isinstance(x, dict):
        found = {k: stop_gradient(v) for k, v in x.items()}
    stopped: T = found
    return stopped


def _blank(kind: type[Ruled]) -> Ruled:
    return kind.__new__(kind)


def _apart(result: Any, args: tuple[Any, ...]) -> Any:
    """The result in memory of its own: a value, as it is in derivatives. Containers are made anew
    where they, or arrays in them, are the arguments'."""
    from retrograd.trees import rebuild, taken_apart

    given = taken_apart(args)[1]
    tree, parts = taken_apart(result)
    own = [p.copy() if _is_shared(p, given) else p for p in parts]
    if all(a is b for a, b in zip(own, parts, strict=True)) and _containers(args).isdisjoint(
            _containers(result)):
        return result
    return rebuild(tree, own)


def _is_shared(part: Any, given: list[Any]) -> bool:
    return isinstance(part, np.ndarray) and any(
        isinstance(g, np.ndarray) and np.may_share_memory(part, g) for g in given)


def _containers(value: Any) -> set[int]:
    """The lists, dicts and objects in a value, by identity."""
    from retrograd import containers

    kind = containers.kind_of(value)
    if kind is None:
        return set()
    inner = (_containers(part) for part in containers.taken_apart(value, kind)[0])
    return {id(value)}.union(*inner) if containers.is_changeable(kind) else set[int]().union(*inner)
