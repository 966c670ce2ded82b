"""Rules of the user's in both modes: a rule's body becomes part of the sweep (`ir/ruled.py`).

    r = f(x, y)      x_bar, y_bar = what f's pullback returns for r_bar
                     r_dot = what f's pushforward returns for x_dot and y_dot

A function with several results has several `ruled`: its pullback runs once, where the first of
them is reversed, because all that reads any of them is reversed by then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from retrograd.adjoint.arithmetic import add, times, unbroadcast, zeros
from retrograd.adjoint.rule_bodies import Asked, Instance
from retrograd.adjoint.sweep import Sweep
from retrograd.errors import Unsupported
from retrograd.ir.build import Builder
from retrograd.ir.nodes import Atom, Constant, Let, Value, number
from retrograd.ir.ruled import PARTIALS, PULLBACK, PUSHFORWARD, Body, Call, call_of
from retrograd.ir.types import Scalar, is_float

if TYPE_CHECKING:
    from retrograd.adjoint.reverse import Reverse


# --- reverse mode --------------------------------------------------------------------------------


def reverse_ruled(reverse: Reverse, let: Let, sweep: Sweep) -> None:
    """The adjoints of a call's arguments, once those of all its results are known."""
    results = _results(reverse, let)
    if results[0] is not let:
        return
    bars: dict[int, Atom] = {}
    for result in results:
        g = sweep.state.pop(result.result, None)
        if g is not None and result.result in reverse.active:
            bars[result.static["index"]] = g
    if bars:
        _Reversed(reverse, sweep, let, {r.static["index"]: r for r in results}, bars).append()


def _results(reverse: Reverse, let: Let) -> list[Let]:
    """The results of the same call in the same block, in program order."""
    places, call = reverse.residuals.places, call_of(let)
    if call.results == 1:
        return [let]
    scope = places.scope[let.result]
    found = [other for other in places.lets.values()
             if other.op == "ruled" and call_of(other) is call and other.args == let.args
             and places.scope[other.result] is scope]
    return sorted(found, key=lambda other: places.position[other.result])


class _Reversed:
    """One call being reversed."""

    def __init__(self, reverse: Reverse, sweep: Sweep, let: Let, results: dict[int, Let],
                 bars: dict[int, Atom]) -> None:
        self.reverse, self.sweep, self.let = reverse, sweep, let
        self.results, self.bars = results, bars
        self.call = call_of(let)
        self.given = self.call.given(let.args)

    def append(self) -> None:
        check_read(self.let, self.reverse.active)
        kind, body = _body(self.let, PARTIALS, PULLBACK)
        wanted = [is_float(a.type) and a in self.reverse.active for a in self.given]
        instance = Instance(self.call, self.let.args, self.sweep.builder, self.ask)
        if kind == PARTIALS:
            self.by_partials(instance, body, wanted)
            return
        found = instance.results(body, [k for k, keep in enumerate(wanted) if keep])
        for k, adjoint in found.items():
            self.reverse.accumulate(self.given[k], adjoint, self.sweep)

    def by_partials(self, instance: Instance, body: Body, wanted: Sequence[bool]) -> None:
        n = self.call.arguments
        rows = [r * n + k for r in self.bars for k, keep in enumerate(wanted) if keep]
        for place, partial in instance.results(body, rows).items():
            row, k = divmod(place, n)
            arg = self.given[k]
            assert isinstance(arg, Value)
            product = self.reverse.product(self.results[row], arg, self.bars[row], partial,
                                           self.sweep)
            if product is not None:
                self.reverse.accumulate(
                    arg, unbroadcast(self.sweep.builder, product, arg), self.sweep)

    def ask(self, asked: Asked) -> Atom:
        need = self.reverse.residuals.need
        match asked:
            case ("operand", k):
                return need(self.let.args[k], self.sweep)
            case ("out", k) if k in self.results:
                return need(self.results[k].result, self.sweep)
            case ("out", k):
                return _result(self.sweep.builder, self.call, k,
                               [need(a, self.sweep) for a in self.let.args])
            case (_, k):
                g = self.bars.get(k)
                return _zero(self.sweep.builder, self.let.args[k]) if g is None else g


# --- forward mode --------------------------------------------------------------------------------


def forward_ruled(builder: Builder, let: Let, dots: Sequence[Atom | None],
                  mixed: Sequence[bool]) -> list[Atom | None]:
    """The tangents of all results of a call for those of its arguments (None: none; `mixed`: with
    strong zeros). The primal values, and the result `let`, are there where `builder` appends."""
    call, args = call_of(let), let.args
    given = call.given(args)

    def ask(asked: Asked) -> Atom:
        match asked:
            case ("operand", k):
                return args[k]
            case ("out", k):
                return let.result if k == let.static["index"] else _result(builder, call, k, args)
            case (_, k):
                dot = dots[k]
                return _zero(builder, given[k]) if dot is None else dot

    kind, body = _body(let, PARTIALS, PUSHFORWARD)
    instance = Instance(call, args, builder, ask)
    floats = [k for k in range(call.results) if is_float(args[k].type)]
    if kind == PUSHFORWARD:
        found = instance.results(body, floats)
        return [found.get(k) for k in range(call.results)]
    n = call.arguments
    places = [r * n + k for r in floats for k, dot in enumerate(dots) if dot is not None]
    sums: list[Atom | None] = [None] * call.results
    for place, partial in instance.results(body, places).items():
        row, k = divmod(place, n)
        product, before = _product(builder, dots[k], partial, mixed[k]), sums[row]
        if product is not None:
            sums[row] = product if before is None else add(builder, before, product, "t")
    return sums


def _product(builder: Builder, dot: Atom | None, partial: Atom, mixed: bool) -> Atom | None:
    product = None if dot is None else times(builder, dot, partial)
    if product is None or dot is None or not mixed or isinstance(partial, Constant):
        return product
    return builder.let("strong", product, dot)


# --- both ----------------------------------------------------------------------------------------


def check_read(let: Let, active: Collection[Value]) -> None:
    """Refuse a call whose result depends on more than its arguments."""
    for value in call_of(let).past(let.args):
        if value in active:
            assert isinstance(value, Value)
            raise Unsupported(
                f"a function that is passed to {call_of(let).name!r} reads {value.name!r}: the "
                "rule gives no derivative with respect to it",
                f"pass {value.name} as an argument, or let the function read "
                f"rg.stop_gradient({value.name})", let.origin)


def _body(let: Let, *kinds: str) -> tuple[str, Body]:
    """The rule's body; a refusal is placed at the call."""
    try:
        return call_of(let).body(*kinds)
    except Unsupported as refusal:
        if refusal.span is not None or let.origin is None:
            raise
        raise Unsupported(refusal.reason, refusal.remedy, let.origin) from None


def _result(builder: Builder, call: Call, k: int, args: Sequence[Atom]) -> Atom:
    weak = isinstance(args[k].type, Scalar) and args[k].type.weak  # type: ignore[union-attr]
    return builder.let("ruled", *args, name=call.outs[k].name, weak=weak, call=call, index=k)


def _zero(builder: Builder, atom: Atom) -> Atom:
    if isinstance(atom, Constant):
        assert isinstance(atom.type, Scalar)
        return number(0, atom.type)
    return zeros(builder, atom)
