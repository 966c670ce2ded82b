"""Where a number or an array is needed."""

from __future__ import annotations

import ast

import numpy as np

from retrograd.frontend import cells
from retrograd.frontend.things import Grown, Items, Static, Thing, is_tuple
from retrograd.frontend.tracer import Tracer
from retrograd.ir.nodes import Atom


def need_atom(tracer: Tracer, thing: Thing, node: ast.AST | None = None) -> Atom:
    from retrograd.frontend import calls, grown

    found = tracer.atom(thing)
    if found is not None:
        return found
    thing = cells.frozen(tracer, thing)
    if isinstance(thing, Grown):
        return need_atom(tracer, grown.as_array(tracer, thing), node)
    if isinstance(thing, Items) and (thing.kind == "list" or is_tuple(thing)) and thing.items:
        return need_atom(tracer, calls.call(tracer, Static(np.array), (thing,), {}), node)
    what = f"{thing.value!r}" if isinstance(thing, Static) else type(thing).__name__.lower()
    tracer.refuse(f"a number or an array is needed here, not {what}",
                  "use numbers and NumPy arrays in arithmetic", node)
