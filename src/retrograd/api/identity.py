"""Functions as keys: what is kept for a function is found by the function, never by its equal.

Callables may be equal and compute different things (their `__eq__` is the user's; `Power(2)` and
`Power(2.0)` are equal where `Power` is a dataclass), or have no hash.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

_OF_OBJECT: object = object.__hash__


class Itself:
    """A callable as a key: equal to no other. A bound method, which Python makes anew at every
    access, is its function and its object."""

    __slots__ = ("_parts", "function")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._parts: tuple[object, ...] = (
            (function.__func__, function.__self__) if isinstance(function, MethodType)
            else (function,))

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, Itself) and len(self._parts) == len(other._parts)
                and all(a is b for a, b in zip(self._parts, other._parts, strict=True)))

    def __hash__(self) -> int:
        return hash(tuple(map(id, self._parts)))


def key_of(function: Callable[..., Any]) -> Callable[..., Any] | Itself:
    """What stands for a function in a dict. Plain functions, like all objects with the hash of
    `object`, are found by their identity as they are."""
    return function if type(function).__hash__ is _OF_OBJECT else Itself(function)


def function_of(key: Callable[..., Any] | Itself) -> Callable[..., Any]:
    """The function that a key stands for."""
    return key.function if isinstance(key, Itself) else key
