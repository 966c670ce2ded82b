"""The functions of a rule as blocks, traced for one call.

    @f.pullback                                    a block over the values of the call, with
    def _(x, y, *, out_bar): return ...            placeholders for results and their adjoints

What they return is checked (`rule_results.py`); what is wrong with a rule is only said where its
derivative is asked for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from retrograd.api.rules import KINDS
from retrograd.errors import RetrogradError, Unsupported
from retrograd.frontend import calls
from retrograd.frontend.certain import Certain
from retrograd.frontend.pure import surroundings
from retrograd.frontend.reading import NeedStatic
from retrograd.frontend.rule_results import Rule, partials, pullback, pushforward
from retrograd.frontend.ruled_values import Traced
from retrograd.frontend.things import Static, Thing
from retrograd.frontend.tracer import Tracer
from retrograd.ir.nodes import Atom, Effect, walk
from retrograd.ir.ruled import PARTIALS, PULLBACK, PUSHFORWARD, Body, NeedOrder


def bodies(tracer: Tracer, call: Traced) -> dict[str, Body]:
    """The bodies of a rule for one call."""
    definition, context = call.definition, tracer.context
    if context.rules_inside >= context.rules_wanted:
        return {k: Body(error=NeedOrder()) for k in KINDS[1:] if getattr(definition, k) is not None}
    found: dict[str, Body] = {}
    for kind_, check in ((PARTIALS, partials), (PULLBACK, pullback), (PUSHFORWARD, pushforward)):
        function = getattr(definition, kind_)
        if function is not None:
            found[kind_] = _body(tracer, call, kind_, function, check)
    return found


_Check = Callable[[Rule, Thing], tuple[Atom | None, ...]]


def _body(tracer: Tracer, call: Traced, kind_: str, function: Callable[..., Any],
          check: _Check) -> Body:
    inner, given = _apart(tracer), call.given
    around = surroundings(tracer, given.things)
    rule = Rule(call, kind_, inner)
    tracer.context.rules_inside += 1
    try:
        keywords = _asked(function, rule)
        found = calls.call(inner, Static(function), given.things, keywords)
        around.check(tracer, inner, rule.said)
        results = check(rule, found)
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


def _asked(function: Callable[..., Any], rule: Rule) -> dict[str, Thing]:
    """What a function of a rule takes by keyword."""
    settings, offered = rule.call.given.settings, rule.call.offered(rule.kind)
    available = {**settings, **offered}
    parameters = inspect.signature(function).parameters.values()
    names = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        names = list(available)
    unknown = [n for n in names if n not in available]
    if unknown:
        raise rule.wrong(TypeError, f"asks for {unknown[0]!r}: there is {', '.join(available)}")
    return {n: offered[n](rule.tracer) if n in offered else settings[n] for n in names}
