"""A derivative for one tuple of argument types, and how it is called with arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from retrograd.api.types import accepts, canonical, leaves_of, type_of
from retrograd.backend.dispatch import guard_holds
from retrograd.backend.dispatch_limit import Limit, require_within
from retrograd.backend.dispatch_out import Into
from retrograd.backend.dispatch_writes import put_back, require_apart
from retrograd.errors import InternalError
from retrograd.ir.types import Type
from retrograd.program import Capture, Param, Program, Request


@dataclass(frozen=True, slots=True, eq=False)
class Specialisation:
    """A derivative for one tuple of argument types.

    `run(*leaves)` calls the first unit (the only one but for a vjp), `into(leaves, out)` does so
    for a call with `out`; `entry` does either for the user's own signature after testing every
    argument. `backward` is the second unit of a vjp.
    """

    request: Request
    program: Program
    run: Callable[..., Any]
    entry: Callable[..., Any] | None
    targets: tuple[Type, ...]
    backward: Callable[..., Any] | None = None
    limit: Limit | None = None
    into: Into | None = None

    def holds(self) -> bool:
        """Whether what the program took from outside is still of the same types and identity."""
        return (all(map(guard_holds, self.program.guards))
                and all(accepts(c.type, type_of(c.read())) for c in self.program.captures))

    def leaves(self, values: Sequence[Any]) -> list[Any]:
        """The arguments as the code takes them: without static ones, with captured ones.

        Raises Unsupported where one that is written may share memory with another, and where
        more would be stored than `max_memory` allows.
        """
        given = given_leaves(self.request.params, values)
        captured = [present(capture) for capture in self.program.captures]
        require_apart(self.program.units[0].written, [*(v for v, _ in given), *captured])
        leaves = [*(canonical(v, p) for v, p in given), *captured]
        require_within(self.limit, leaves)
        return leaves

    def called(self, values: Sequence[Any], out: Any = None) -> Any:
        """The first unit's results for these arguments."""
        leaves = self.leaves(values)
        if out is None or self.into is None:
            result = self.run(*leaves)
        else:
            result = self.into(tuple(leaves), out)
        given = [v for v, _ in given_leaves(self.request.params, values)]
        put_back(self.program.units[0].written, given, leaves)
        return result


def given_leaves(params: Sequence[Param], values: Sequence[Any]) -> list[tuple[Any, Type]]:
    """The numbers and arrays among the arguments, one by one, and their types."""
    return [leaf for value, param in zip(values, params, strict=True)
            for leaf in leaves_of(param, value)]


def present(capture: Capture) -> Any:
    """The present value of a capture, certainly of the type that the code takes."""
    value = capture.read()
    if not accepts(capture.type, type_of(value)):
        raise InternalError(f"{capture.name} is not of the type {capture.type} that it was "
                            "compiled for: it changed during the call")
    return canonical(value, capture.type)
