"""Functions that are made of others with their derivatives: `hvp`, `jacobian`, `hessian`, `vmap`,
and what `jvp` calls.

Each of them is a program whose function is the object itself: the front end knows how to call it
(`derivation.py`, `frontend/derived.py`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

from retrograd.api import outputs
from retrograd.api.function import Compiled, ValueAndGradient
from retrograd.api.identity import Itself, function_of, key_of
from retrograd.api.options import Options
from retrograd.api.parameters import Wanted, signature_of, with_direction, with_tangents
from retrograd.derivation import Derivation
from retrograd.program import PATH
from retrograd.trees import taken_apart


class Transformed(Compiled):
    """A function that a transformation makes of another; `settings` are the transformation's."""

    kind = ""

    def __init__(self, function: Callable[..., Any], wanted: Wanted, options: Options,
                 settings: tuple[Hashable, ...] = ()) -> None:
        self.settings = settings
        super().__init__(function, wanted, options)

    def _traced(self) -> Callable[..., Any]:
        return self

    def _own_wanted(self) -> Wanted:
        return Wanted((), False)

    def _own_options(self) -> Options:
        """Without what is said of the function inside (`derivation`)."""
        return replace(self.options, has_aux=False, holomorphic=False, returns=())

    def _written(self, result: Any, out: Any) -> Any:
        return outputs.written(*taken_apart(result), out, "result")

    @property
    def derivation(self) -> Derivation:
        return Derivation(self.kind, self.primal, self._wanted.positions, self._wanted.single,
                          self.options.has_aux, self.options.holomorphic, self.settings,
                          self.options.contents)

    @functools.cached_property
    def value_and_grad(self) -> ValueAndGradient:
        """The function that returns `(value, gradient)` of this one, by its first parameter."""
        return ValueAndGradient(self, Wanted((0,), True), self._own_options())

    def vjp(self, *args: Any, **kwargs: Any) -> tuple[Any, Callable[[Any], Any]]:
        """`(value, pullback)` of this function at these arguments."""
        from retrograd.api.vjp import vjp_of

        return vjp_of(self, self._own_options(), args, kwargs=kwargs)

    def __reduce__(self) -> Any:
        from retrograd.api import pickling

        return pickling.reduce(self, self.primal, (self._wanted, self.options, self.settings))

    def __repr__(self) -> str:
        names = ", ".join(self._signature.parameters)
        return f"<retrograd {self.kind} of {self.__name__}({names})>"


class Pushforward(Transformed):
    """Takes the primals and then as many tangents; returns the value and its tangent. The setting
    is the number of primals."""

    kind = "jvp"
    _entry: Callable[..., tuple[Any, Any]]

    def _signature_of(self, function: Callable[..., Any]) -> inspect.Signature:
        return with_tangents(signature_of(function), int(str(self.settings[0])))


class HessianVectorProduct(Transformed):
    """Returns the Hessian times a direction; see `retrograd.hvp`."""

    kind = "hvp"

    def _signature_of(self, function: Callable[..., Any]) -> inspect.Signature:
        """That of the function, with the direction after the differentiated parameter."""
        return with_direction(signature_of(function), self._wanted.positions[0])


class Jacobian(Transformed):
    """Returns the Jacobian; see `retrograd.jacobian`."""

    kind = "jacobian"


class Hessian(Transformed):
    """Returns the Hessian; see `retrograd.hessian`."""

    kind = "hessian"


class Mapped(Transformed):
    """Maps a function over samples; see `retrograd.vmap`."""

    kind = "vmap"


class PathNumber(Compiled):
    """Returns the number of the path that a call takes (`ir/path.py`)."""

    product = PATH

    def _own_wanted(self) -> Wanted:
        return Wanted((), False)


def path_number(function: Callable[..., Any]) -> PathNumber:
    """The path of a function, run by NumPy."""
    return _path_number(key_of(function))


@functools.lru_cache(maxsize=64)
def _path_number(key: Callable[..., Any] | Itself) -> PathNumber:
    return PathNumber(function_of(key), Wanted((), False), Options(jit=False))


def pushforward_of(function: Callable[..., Any], options: Options, count: int) -> Pushforward:
    """The object behind calls of `jvp` with so many primals, one for each function."""
    return _pushforward(key_of(function), options, count)


@functools.lru_cache(maxsize=256)
def _pushforward(key: Callable[..., Any] | Itself, options: Options, count: int) -> Pushforward:
    return Pushforward(function_of(key), Wanted((), False), options, (count,))
