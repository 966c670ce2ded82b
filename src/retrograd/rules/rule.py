"""What a rule is: the derivative of one operation, written in the language that retrograd compiles.

    @elementwise(domain=[(-2, 2)])
    def tanh(x, *, out):
        return 1 - out * out

    def matmul_tangent(x, y, *, x_dot, y_dot): ...

    @pullback(domain=..., pushforward=matmul_tangent)
    def matmul(x, y, *, out, out_bar): ...

A rule is named after its operation in the IR. It takes the operation's arguments by position,
and by keyword what it asks for of `out` (the result), `out_bar` (its adjoint) and the operation's
static parts (`axes`, `spec`, ...). It returns one partial (elementwise) or adjoint (pullback) for
each argument, or the bare one where there is one argument. None means that the operation does not
depend differentiably on that argument. The engine multiplies partials by `out_bar`, sums over
broadcast axes, accumulates, and drops what is not active. An adjoint must have its argument's
shape and dtype.

A pushforward returns the tangent of `out`. It takes the arguments by position, and by keyword
what it asks for of `out`, the static parts and the tangents: `x_dot` for an argument x, a tuple
`xs_dot` for arguments `*xs`, None for those that have no tangent. The engine broadcasts and casts
what it returns to the shape and dtype of `out`.

Rules are plain functions too, so they can be called on NumPy values.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """The derivative of one operation; `domain` is sampled by the tests, one interval an argument.

    `linear` operations are their own tangent; `pushforward` gives the tangent of the others that
    are not elementwise.
    """

    op: str
    kind: str                                  # "elementwise" or "pullback"
    body: Callable[..., Any]
    domain: tuple[Interval, ...]
    linear: bool = False
    keywords: tuple[str, ...] = ()
    pushforward: Callable[..., Any] | None = None


def elementwise(*, domain: Sequence[Interval], linear: bool = False,
                ) -> Callable[[Callable[..., Any]], Rule]:
    """Make a rule of a function that returns one partial for each argument."""
    return _maker("elementwise", domain, linear)


def pullback(*, domain: Sequence[Interval], linear: bool = False,
             pushforward: Callable[..., Any] | None = None,
             ) -> Callable[[Callable[..., Any]], Rule]:
    """Make a rule of a function that returns one adjoint for each argument."""
    return _maker("pullback", domain, linear, pushforward)


def _maker(kind: str, domain: Sequence[Interval], linear: bool,
           pushforward: Callable[..., Any] | None = None) -> Callable[[Callable[..., Any]], Rule]:
    def make(body: Callable[..., Any]) -> Rule:
        signature = inspect.signature(body)
        keywords = tuple(p.name for p in signature.parameters.values()
                         if p.kind is inspect.Parameter.KEYWORD_ONLY)
        return Rule(body.__name__.rstrip("_"), kind, body, tuple(domain), linear, keywords,
                    pushforward)

    return make


def table(rules: Iterable[Rule]) -> dict[str, Rule]:
    """One rule for each operation; two for one raise ValueError."""
    result: dict[str, Rule] = {}
    for rule in rules:
        if rule.op in result:
            raise ValueError(f"two rules are given for {rule.op!r}")
        result[rule.op] = rule
    return result
