"""The functions of a rule as blocks: traced for one call, and what they return is checked.

What is wrong with a rule is only said where its derivative is asked for. The messages name it:

    the pullback of 'f' returns an adjoint of shape (3,) for 'x', which has shape (4,)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from retrograd.api.rules import KINDS, Definition
from retrograd.errors import RetrogradError, Unsupported
from retrograd.frontend import calls, cells
from retrograd.frontend.certain import Certain
from retrograd.frontend.pure import surroundings
from retrograd.frontend.reading import NeedStatic
from retrograd.frontend.things import Items, Static, Thing, atom_of, thing_of
from retrograd.frontend.tracer import Tracer
from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent
from retrograd.ir.nodes import Atom, Effect, Value, walk
from retrograd.ir.operations_elementwise import shape_text
from retrograd.ir.ruled import PARTIALS, PULLBACK, PUSHFORWARD, Body, NeedOrder
from retrograd.ir.types import Array, Scalar, Type, is_complex, is_float, kind, promote

_NONE = Static(None)


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """One call: its definition, arguments (`things`; the numbers and arrays among them are
    `operands`) and results, and what stands in the bodies for results, adjoints and tangents."""

    definition: Definition
    names: tuple[str, ...]
    things: tuple[Thing, ...]
    settings: dict[str, Thing]
    operands: tuple[Atom, ...]
    results: Sequence[Atom]
    outs: tuple[Value, ...]
    bars: tuple[Value | None, ...]
    dots: tuple[Value | None, ...]
    several: bool

    def together(self, values: Sequence[Value | None]) -> Thing:
        """One of them for one result, a tuple for several."""
        things = tuple(_NONE if v is None else thing_of(v) for v in values)
        return Items("tuple", things) if self.several else things[0]

    def tangents(self) -> dict[str, Thing]:
        """The arguments' tangents by name; None for what has none."""
        dots = iter(self.dots)
        found: dict[str, Thing] = {}
        for name, thing in zip(self.names, self.things, strict=True):
            dot = None if atom_of(thing) is None else next(dots)
            found[f"{name}_dot"] = _NONE if dot is None else thing_of(dot)
        return found


def bodies(tracer: Tracer, call: Traced) -> dict[str, Body]:
    """The bodies of a rule for one call."""
    definition, context = call.definition, tracer.context
    if context.rules_inside >= context.rules_wanted:
        return {k: Body(error=NeedOrder()) for k in KINDS[1:] if getattr(definition, k) is not None}
    offered = {"out": call.together(call.outs)}
    found: dict[str, Body] = {}
    for kind_, function, more, check in (
            (PARTIALS, definition.partials, {}, _partials),
            (PULLBACK, definition.pullback, {"out_bar": call.together(call.bars)}, _pullback),
            (PUSHFORWARD, definition.pushforward, call.tangents(), _pushforward)):
        if function is not None:
            found[kind_] = _body(tracer, call, kind_, function, {**offered, **more}, check)
    return found


_Check = Callable[["_Rule", Thing], tuple[Atom | None, ...]]


def _body(tracer: Tracer, call: Traced, kind_: str, function: Callable[..., Any],
          offered: dict[str, Thing], check: _Check) -> Body:
    inner = _apart(tracer)
    around = surroundings(tracer, call.things)
    rule = _Rule(call, kind_, inner)
    tracer.context.rules_inside += 1
    try:
        keywords = _asked(function, {**call.settings, **offered}, rule)
        found = calls.call(inner, Static(function), call.things, keywords)
        around.check(tracer, inner, rule.said)
        results = check(rule, cells.frozen(inner, found))
    except NeedStatic:
        raise
    except Certain as raised:
        return Body(error=raised.exception if isinstance(raised.exception, Exception)
                    else rule.wrong(ValueError, "always raises an exception"))
    except (RetrogradError, TypeError, ValueError) as error:
        return Body(error=error)
    finally:
        tracer.context.rules_inside -= 1
    block = inner.builder.block
    if any(isinstance(s, Effect) and s.kind == "draw" for s in walk(block)):
        return Body(error=Unsupported(f"{rule.said} draws random numbers",
                                      "draw them outside, and pass them as an argument"))
    return Body(block, results)


def _apart(tracer: Tracer) -> Tracer:
    """A block for a rule. It is no part of the call: a rule may call the function that it is of."""
    inner = tracer.inner(binds=False)
    inner.frame = replace(tracer.frame, outer=None, caller=tracer, entrance=True)
    return inner


def _asked(function: Callable[..., Any], offered: dict[str, Thing], rule: _Rule,
           ) -> dict[str, Thing]:
    """What a function of a rule takes by keyword."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return offered
    names = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    unknown = [n for n in names if n not in offered]
    if unknown:
        raise rule.wrong(TypeError, f"asks for {unknown[0]!r}: there is {', '.join(offered)}")
    return {n: offered[n] for n in names}


# --- what a rule returns -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """One function of a rule being checked."""

    call: Traced
    kind: str
    tracer: Tracer

    @property
    def builder(self) -> Builder:
        return self.tracer.builder

    @property
    def said(self) -> str:
        return f"the {self.kind} of {self.call.definition.name!r}"

    def wrong(self, kind_: type[Exception], what: str) -> Exception:
        return kind_(f"{self.said} {what}")

    def items(self, thing: Thing, count: int, what: str) -> tuple[Thing, ...]:
        """A tuple of so many results, or the bare one."""
        if isinstance(thing, Items) and thing.kind in ("tuple", "list"):
            found = thing.items
        else:
            found = (thing,)
        if len(found) != count:
            raise self.wrong(TypeError, f"returns {len(found)} {what}, and there are {count}")
        return found

    def of_arguments(self, things: Sequence[Thing]) -> Iterator[tuple[str, Atom, Thing]]:
        """The name and value of every argument that is a number or an array, and what is returned
        for it."""
        for name, given, thing in zip(self.call.names, self.call.things, things, strict=True):
            atom = atom_of(given)
            if atom is not None:
                yield name, atom, thing

    def atom(self, thing: Thing, what: str) -> Atom | None:
        if isinstance(thing, Static) and thing.value is None:
            return None
        found = self.tracer.atom(thing)
        if found is None:
            raise self.wrong(TypeError, f"returns something that is no number and no array {what}")
        return found

    # --- dtypes and shapes -------------------------------------------------------------------

    def like(self, found: Atom, wanted: Atom, noun: str, what: str) -> Atom:
        """An adjoint or a tangent, of the dtype and shape of what it belongs to."""
        found = self.of_dtype(found, wanted.type, noun, what)
        if found.type.rank != wanted.type.rank:
            raise self.shapes(found, wanted, noun, what)
        if not wanted.type.rank:
            return self.of_no_axes(found, wanted.type)
        facts = self.builder.facts
        mine, theirs = facts.of(found), facts.of(wanted)
        for a, b in zip(mine, theirs, strict=True):
            if a.known is not None and b.known is not None and a.known != b.known:
                raise self.shapes(found, wanted, noun, what)
            self.builder.require_equal(a, b, ValueError, self.shape_message(
                mine, theirs, noun, what))
        if any(w == 1 and f != 1 for f, w in zip(found.type.dims, wanted.type.dims, strict=True)):
            return self.builder.let("reshape", found, *self.builder.shape_atoms(wanted))
        return found

    def of_no_axes(self, found: Atom, wanted: Type) -> Atom:
        """A number where a number is wanted, an array without axes where that is."""
        if isinstance(found.type, Array) == isinstance(wanted, Array):
            return found
        if isinstance(wanted, Array):
            return self.builder.let("reshape", found)
        return self.builder.let("load", found, index=())

    def of_dtype(self, found: Atom, wanted: Type, noun: str, what: str) -> Atom:
        """The result in the dtype that is wanted: numbers of Python's adapt themselves, and so do
        results for them."""
        if found.type.dtype == wanted.dtype:
            return found
        weak = any(isinstance(t, Scalar) and t.weak for t in (found.type, wanted))
        narrower = kind(found.type.dtype) in ("bif" if kind(wanted.dtype) == "f" else "bifc")
        if not weak or not narrower:
            raise self.wrong(TypeError, f"returns {noun} of dtype {found.type.dtype} {what}, which "
                             f"has dtype {wanted.dtype}")
        return self.builder.cast(found, wanted.dtype)

    def shapes(self, found: Atom, wanted: Atom, noun: str, what: str) -> Exception:
        facts = self.builder.facts
        parts = self.shape_message(facts.of(found), facts.of(wanted), noun, what)
        return ValueError("".join(p if isinstance(p, str) else _shown(p) for p in parts))

    def shape_message(self, found: tuple[Extent, ...], wanted: tuple[Extent, ...], noun: str,
                      what: str) -> list[str | Extent]:
        return [f"{self.said} returns {noun} of shape ", *shape_text(found), f" {what}, which has "
                "shape ", *shape_text(wanted)]


def _shown(extent: Extent) -> str:
    return "n" if extent.known is None else str(extent.known)


def _pullback(rule: _Rule, thing: Thing) -> tuple[Atom | None, ...]:
    """One adjoint for each argument."""
    things = rule.items(thing, len(rule.call.things), "adjoints for the arguments")
    found: list[Atom | None] = []
    for name, arg, item in rule.of_arguments(things):
        atom = rule.atom(item, f"for {name!r}") if is_float(arg.type) else None
        found.append(None if atom is None else rule.like(atom, arg, "an adjoint", f"for {name!r}"))
    return tuple(found)


def _pushforward(rule: _Rule, thing: Thing) -> tuple[Atom | None, ...]:
    """One tangent for each result."""
    results = rule.call.results
    things = rule.items(thing, len(results), "tangents for the results")
    found: list[Atom | None] = []
    for k, (result, item) in enumerate(zip(results, things, strict=True)):
        what = f"for result {k}" if len(results) > 1 else "for the result"
        atom = rule.atom(item, what) if is_float(result.type) else None
        found.append(None if atom is None else rule.like(atom, result, "a tangent", what))
    return tuple(found)


def _partials(rule: _Rule, thing: Thing) -> tuple[Atom | None, ...]:
    """For each result, one partial for each argument."""
    results = rule.call.results
    rows = (thing,) if len(results) == 1 else rule.items(thing, len(results),
                                                         "rows of partials for the results")
    found: list[Atom | None] = []
    for result, row in zip(results, rows, strict=True):
        things = rule.items(row, len(rule.call.things), "partials for the arguments")
        for name, arg, item in rule.of_arguments(things):
            atom = rule.atom(item, f"for {name!r}") if is_float(arg.type) else None
            if atom is None or not is_float(result.type):
                found.append(None)
                continue
            _check_broadcast(rule, arg, result, f"an argument {name!r}")
            _check_broadcast(rule, atom, result, f"a partial for {name!r}")
            found.append(_partial_of_dtype(rule, atom, result.type, name))
    return tuple(found)


def _check_broadcast(rule: _Rule, atom: Atom, result: Atom, what: str) -> None:
    """Elementwise: everything is broadcast to the shape of the result."""
    facts = rule.builder.facts
    mine, theirs = facts.of(atom), facts.of(result)
    if len(mine) > len(theirs):
        raise rule.wrong(ValueError, f"needs a function that works element by element: there is "
                         f"{what} of rank {len(mine)}, and the result has rank {len(theirs)}")
    for a, b in zip(reversed(mine), reversed(theirs), strict=False):
        if a.known == 1:
            continue
        message = [f"{rule.said} has {what} of shape ", *shape_text(mine),
                   " and a result of shape ", *shape_text(theirs)]
        if a.known is not None and b.known is not None and a.known != b.known:
            raise ValueError("".join(p if isinstance(p, str) else _shown(p) for p in message))
        rule.builder.require_equal(a, b, ValueError, message)


def _partial_of_dtype(rule: _Rule, atom: Atom, wanted: Type, name: str) -> Atom:
    """A partial that leaves its products with adjoints in their dtype."""
    if (is_complex(atom.type) and not is_complex(wanted)) or promote(
            (Scalar(wanted.dtype), atom.type))[0] != wanted.dtype:
        raise rule.wrong(TypeError, f"returns a partial of dtype {atom.type.dtype} for {name!r}, "
                         f"and the result has dtype {wanted.dtype}")
    return atom
