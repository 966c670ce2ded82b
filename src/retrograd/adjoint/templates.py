"""Rules as small programs: traced once for each combination of types, then inlined.

A template holds only what the wanted adjoints need, so a value that no partial reads is not
asked for: what must be a residual falls out of the data flow.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retrograd.errors import Unsupported
from retrograd.frontend import inline
from retrograd.frontend.things import Items, Static, Thing, thing_of
from retrograd.frontend.tracer import Context, Tracer, static_thing
from retrograd.ir.build import Builder
from retrograd.ir.nodes import Atom, Constant, Function, Let, Value
from retrograd.ir.types import Scalar, Type
from retrograd.optimise.dead import remove_dead
from retrograd.rules.rule import Rule

Key = tuple[Type | Constant, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A rule for some argument types: placeholders, statements, and one result an argument
    (None where the rule gives none)."""

    args: tuple[Atom, ...]
    out: Value
    out_bar: Value
    lets: tuple[Let, ...]
    results: tuple[Atom | None, ...]

    def reads(self) -> set[Value]:
        """The placeholders whose values are read; shapes do not count."""
        used: set[Value] = set()
        for let in self.lets:
            if let.op != "dim":
                used.update(a for a in let.args if isinstance(a, Value))
        used.update(r for r in self.results if isinstance(r, Value))
        return used & {self.out, self.out_bar, *(a for a in self.args if isinstance(a, Value))}


def template(rule: Rule, args: Sequence[Atom], out: Type, static: dict[str, Any],
             wanted: Sequence[bool]) -> Template:
    """The rule for these arguments (constants are known to it), keeping the wanted results."""
    key = tuple(a if isinstance(a, Constant) else a.type for a in args)
    return _template(rule.op, rule.body, rule.keywords, key, out, tuple(sorted(static.items())),
                     tuple(wanted))


@functools.lru_cache(maxsize=4096)
def _template(op: str, body: Callable[..., Any], keywords: tuple[str, ...], key: Key, out: Type,
              static: tuple[tuple[str, Any], ...], wanted: tuple[bool, ...]) -> Template:
    args = _placeholders(key)
    result, result_bar = Value("out", out), Value("out_bar", out)
    available: dict[str, Thing] = {k: static_thing(v) for k, v in static}
    available |= {"out": thing_of(result), "out_bar": thing_of(result_bar)}
    tracer, thing = _traced(body, args, {k: available[k] for k in keywords})
    results = _results(tracer, thing, len(args))
    kept = tuple(r if keep else None for r, keep in zip(results, wanted, strict=True))
    return Template(args, result, result_bar, _lets(op, tracer, kept), kept)


@dataclass(frozen=True, slots=True, eq=False)
class Pushforward:
    """A rule's pushforward for some argument types: placeholders (None where an argument has no
    tangent), statements, and the result's tangent (None where the rule gives none)."""

    args: tuple[Atom, ...]
    out: Value
    tangents: tuple[Value | None, ...]
    lets: tuple[Let, ...]
    result: Atom | None


def pushforward(rule: Rule, args: Sequence[Atom], out: Type, static: dict[str, Any],
                tangents: Sequence[Type | None]) -> Pushforward:
    """The pushforward of the rule for these arguments and the types of their tangents."""
    assert rule.pushforward is not None
    key = tuple(a if isinstance(a, Constant) else a.type for a in args)
    return _pushforward(rule.op, rule.pushforward, key, out, tuple(sorted(static.items())),
                        tuple(tangents))


@functools.lru_cache(maxsize=1024)
def _pushforward(op: str, body: Callable[..., Any], key: Key, out: Type,
                 static: tuple[tuple[str, Any], ...], tangents: tuple[Type | None, ...],
                 ) -> Pushforward:
    args = _placeholders(key)
    result = Value("out", out)
    dots = tuple(None if t is None else Value("x_dot", t) for t in tangents)
    available: dict[str, Thing] = {k: static_thing(v) for k, v in static}
    available |= {"out": thing_of(result), **_tangent_things(body, dots)}
    asked = [p.name for p in inspect.signature(body).parameters.values()
             if p.kind is inspect.Parameter.KEYWORD_ONLY]
    tracer, thing = _traced(body, args, {k: available[k] for k in asked})
    tangent = None if isinstance(thing, Static) and thing.value is None else tracer.atom(thing)
    return Pushforward(args, result, dots, _lets(op, tracer, (tangent,)), tangent)


def _tangent_things(body: Callable[..., Any], dots: Sequence[Value | None]) -> dict[str, Thing]:
    """The tangents by the names that a pushforward knows them by: those of its arguments."""
    things = [static_thing(None) if d is None else thing_of(d) for d in dots]
    found: dict[str, Thing] = {}
    for k, parameter in enumerate(inspect.signature(body).parameters.values()):
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            found[f"{parameter.name}_dot"] = Items("tuple", tuple(things[k:]))
        elif parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            found[f"{parameter.name}_dot"] = things[k]
    return found


def inlined(lets: Sequence[Let], stand: dict[Value, Atom], shapes: Mapping[Value, Value],
            builder: Builder) -> None:
    """Append a template's statements, with what stands for its placeholders; `stand` learns the
    results. Extents are those of `shapes`, which need not stand for anything."""
    for step in lets:
        first = step.args[0] if step.args else None
        if step.op == "dim" and first in shapes:
            extent = builder.facts.of(shapes[first])[step.static["axis"]]  # type: ignore[index]
            stand[step.result] = builder.atom_of(extent)
            continue
        args = [stand[a] if isinstance(a, Value) else a for a in step.args]
        weak = step.result.type.weak if isinstance(step.result.type, Scalar) else None
        stand[step.result] = builder.let(step.op, *args, weak=weak, **step.static)


def _placeholders(key: Key) -> tuple[Atom, ...]:
    return tuple(k if isinstance(k, Constant) else Value("x", k) for k in key)


def _traced(body: Callable[..., Any], args: Sequence[Atom], keywords: dict[str, Thing],
            ) -> tuple[Tracer, Thing]:
    """The trace of a rule, and what it returns."""
    frame = inline.new_frame(inline.source_of(body), None, False, None)
    tracer = Tracer(Context(), frame, Builder(checks=False))
    return tracer, inline.function(tracer, body, tuple(thing_of(a) for a in args), keywords,
                                   user=False)


def _lets(op: str, tracer: Tracer, results: Sequence[Atom | None]) -> tuple[Let, ...]:
    """The statements that the results need."""
    function = remove_dead(Function(op, (), tracer.builder.block,
                                    tuple(r for r in results if r is not None)))
    lets = tuple(s for s in function.body if isinstance(s, Let))
    if len(lets) != len(function.body):
        raise ValueError(f"the rule of {op!r} has control flow that depends on values")
    return lets


def _results(tracer: Tracer, thing: Thing, count: int) -> list[Atom | None]:
    """What a rule returns: a tuple, or the bare result of an operation of one argument."""
    things = thing.items if isinstance(thing, Items) and thing.kind in ("tuple", "list") \
        else (thing,)
    if len(things) != count:
        raise ValueError(f"a rule gives {len(things)} results for {count} arguments")
    return [None if isinstance(t, Static) and t.value is None else tracer.atom(t) for t in things]


def placed(refusal: Unsupported, let: Let) -> Unsupported:
    """The refusal of a rule, at the place of the operation."""
    if refusal.span is not None or let.origin is None:
        return refusal
    return Unsupported(refusal.reason, refusal.remedy, let.origin)
