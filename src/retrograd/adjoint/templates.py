"""Rules as small programs: traced once for each combination of types, then inlined.

A template holds only what the wanted adjoints need, so a value that no partial reads is not
asked for: what must be a residual falls out of the data flow.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from retrograd.frontend import inline
from retrograd.frontend.things import Items, Static, Thing, thing_of
from retrograd.frontend.tracer import Context, Tracer, static_thing
from retrograd.ir.build import Builder
from retrograd.ir.nodes import Atom, Constant, Function, Let, Value
from retrograd.ir.types import Type
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
    args: list[Atom] = [k if isinstance(k, Constant) else Value("x", k) for k in key]
    result, result_bar = Value("out", out), Value("out_bar", out)
    available: dict[str, Thing] = {k: static_thing(v) for k, v in static}
    available |= {"out": thing_of(result), "out_bar": thing_of(result_bar)}
    builder = Builder(checks=False)
    source = inline.source_of(body)
    frame = inline.new_frame(source, None, False, None)
    tracer = Tracer(Context(), frame, builder)
    thing = inline.function(tracer, body, tuple(thing_of(a) for a in args),
                            {k: available[k] for k in keywords}, user=False)
    results = _results(tracer, thing, len(args))
    kept = tuple(r if keep else None for r, keep in zip(results, wanted, strict=True))
    params = tuple(a for a in (*args, result, result_bar) if isinstance(a, Value))
    function = remove_dead(Function(op, params, builder.block,
                                    tuple(r for r in kept if r is not None)))
    lets = tuple(s for s in function.body if isinstance(s, Let))
    if len(lets) != len(function.body):
        raise ValueError(f"the rule of {op!r} has control flow that depends on values")
    return Template(tuple(args), result, result_bar, lets, kept)


def _results(tracer: Tracer, thing: Thing, count: int) -> list[Atom | None]:
    """What a rule returns: a tuple, or the bare result of an operation of one argument."""
    things = thing.items if isinstance(thing, Items) and thing.kind in ("tuple", "list") \
        else (thing,)
    if len(things) != count:
        raise ValueError(f"a rule gives {len(things)} results for {count} arguments")
    return [None if isinstance(t, Static) and t.value is None else tracer.atom(t) for t in things]



