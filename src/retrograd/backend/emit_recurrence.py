"""Linear recurrences in readable source: a call of a function that is printed above.

NumPy has none, and a loop over single elements is slow. So pairs of elements are joined first, then
every second element is found in the same way, and the others from their neighbours. A product of
factors that are joined may overflow, or underflow and be missed, where the elements themselves do
not: where there are numbers large enough to show it, it is the loop.
"""

from __future__ import annotations

import ast

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_context import Context
from retrograd.backend.printer import Comment
from retrograd.ir.nodes import Let
from retrograd.program import Helper

_NAME = "recurrence"
_MEANING = ("y[k] = terms[k] + factors[k] * y[k - 1] along the axis;",
            "with the step -1 from its end, y[k] = terms[k] + factors[k + 1] * y[k + 1]")
_SOURCE = '''
def recurrence(factors, terms, axis, step):
    def run(a, y):
        if len(y) > 1:
            y[1::2] += a[::2] * y[:-1:2]
            run(a[1:-1:2] * a[2::2], y[1::2])
            y[2::2] += a[1::2] * y[1:-1:2]

    result = terms.copy()
    a, y = factors.swapaxes(0, axis)[1:][::step], result.swapaxes(0, axis)[::step]
    run(a, y)
    large = np.finfo(y.dtype).max ** 0.5
    if not ((abs(y) < large).all() and (abs(a) < large).all()):
        result[:] = terms
        for k in range(1, len(y)):
            y[k] += a[k - 1] * y[k - 1]
    return result
'''


def recurrence(context: Context, let: Let) -> ast.expr:
    """`recurrence(a, b, 0, -1)`"""
    step = -1 if let.static["backwards"] else 1
    return syntax.call(_function(context), *map(context.atom, let.args),
                       syntax.integer(let.static["axis"]), syntax.integer(step))


def _function(context: Context) -> str:
    """The name of the function, which is printed once."""
    found = next((h.name for h in context.helpers if h.name.startswith(_NAME)), None)
    if found is not None:
        return found
    name = context.fresh(_NAME)
    (definition,) = ast.parse(_SOURCE.replace("np.", f"{context.np}.")).body
    assert isinstance(definition, ast.FunctionDef)
    definition.name = name
    definition.body[:0] = map(Comment, _MEANING)
    context.helpers[Helper(name)] = definition
    return name
