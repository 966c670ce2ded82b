"""Calls of functions whose derivative a rule of the user's gives.

    y = exp(x)                                  the function's own statements
    r = ruled(y, x, call=..., index=0)          its result: y, with the rule's derivative

`ruled(results..., arguments..., others...)` is result number `index`. Its derivative with respect
to the results is nothing, and with respect to the arguments what the rule says; after deriving it
is the result itself (`optimise/ruled.py`). The bodies of the rule are blocks that read the call's
operands; `others` are what they read from around them, so that no pass has to look inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrograd.errors import Unsupported
from retrograd.ir.nodes import Atom, Block, Let, Value
from retrograd.ir.types import is_float


class NeedOrder(Exception):
    """A rule that is called inside a rule must be known, too: a derivative of higher order is asked
    for than the bodies were traced for."""


PARTIALS, PULLBACK, PUSHFORWARD = "partials", "pullback", "pushforward"
_REMEDY = {
    PULLBACK: "give it one: @{0}.pullback, or @{0}.partials where it works element by element",
    PUSHFORWARD: "give it one: @{0}.pushforward, or @{0}.partials where it works element by "
                 "element",
}


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One function of a rule as a block. `results` are one for each argument (partials: for each
    argument of each result; a pushforward: for each result), None for no derivative. Where it
    cannot be used, `error` says why."""

    block: Block = ()
    results: tuple[Atom | None, ...] = ()
    error: Exception | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call: `formals` are the operands for which the bodies were made, in their order; `outs`,
    `bars` and `dots` stand in the bodies for the results, their adjoints and the arguments'
    tangents (None for what is not a float). So many of the others the function has `read` past its
    arguments: no rule is with respect to them."""

    name: str
    results: int
    arguments: int
    outs: tuple[Value, ...]
    bars: tuple[Value | None, ...]
    dots: tuple[Value | None, ...]
    bodies: dict[str, Body]
    formals: tuple[Atom, ...] = ()
    read: int = 0

    def __repr__(self) -> str:
        return self.name

    def given(self, args: Sequence[Atom]) -> tuple[Atom, ...]:
        """The function's arguments among the operands."""
        return tuple(args[self.results:self.results + self.arguments])

    def past(self, args: Sequence[Atom]) -> tuple[Atom, ...]:
        """What the function has read past its arguments."""
        first = self.results + self.arguments
        return tuple(args[first:first + self.read])

    def body(self, *kinds: str) -> tuple[str, Body]:
        """The first of these that the rule has, and its kind.

        Raises what is wrong with it, and Unsupported where it has none of them.
        """
        for kind in kinds:
            found = self.bodies.get(kind)
            if found is not None:
                if found.error is not None:
                    raise found.error
                return kind, found
        raise Unsupported(f"the rule of {self.name!r} has no {kinds[-1]}",
                          _REMEDY[kinds[-1]].format(self.name))


def call_of(let: Let) -> Call:
    """The call that a `ruled` is a result of."""
    call = let.static["call"]
    assert isinstance(call, Call)
    return call


def differentiable(let: Let) -> tuple[Atom, ...]:
    """The arguments of a `ruled` on which it may depend differentiably."""
    call = call_of(let)
    given = tuple(a for k, a in enumerate(call.given(let.args))
                  if is_float(a.type) and not _without(call, k))
    return (*given, *call.past(let.args))


def _without(call: Call, k: int) -> bool:
    """Whether the rule says that there is no derivative with respect to an argument."""
    columns = [body.results[k::call.arguments] for kind, body in call.bodies.items()
               if kind != PUSHFORWARD and body.error is None]
    return bool(columns) and PUSHFORWARD not in call.bodies and all(
        r is None for column in columns for r in column)
