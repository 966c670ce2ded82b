"""The derivative of every operation: one table, and the operations that have none.

`RULES` are functions in the language itself. `ZERO_DERIVATIVE` are operations whose results are
not floats, jump between constants, or do not depend on a float. The derivatives of `INDEXED`, the
operations on parts of arrays, are built by the reverse walk, which knows their indices.
"""

from __future__ import annotations

from retrograd.rules import (
    arithmetic,
    contraction,
    exponential,
    joins,
    linalg,
    reductions,
    scans,
    trigonometric,
    views,
)
from retrograd.rules.rule import Rule, table

RULES: dict[str, Rule] = table(
    rule for module in (arithmetic, exponential, trigonometric, reductions, views, contraction,
                        scans, joins, linalg)
    for rule in module.RULES.values())

ZERO_DERIVATIVE: frozenset[str] = frozenset({
    "sign", "floor", "ceil", "trunc", "rint", "floor_divide",
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_not", "isnan", "isinf", "isfinite", "signbit",
    "bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift",
    "any", "all", "argmax", "argmin", "argsort", "searchsorted",
    "zeros", "ones", "empty", "given", "eye", "dim", "slogdet_sign", "stop",
    "opaque",                    # its derivative is that of the `ruled` around it
})

INDEXED: frozenset[str] = frozenset({"view", "load", "take", "update", "add_at", "push"})

OF_USERS: frozenset[str] = frozenset({"ruled"})      # what a rule of the user's says
LOWERED: frozenset[str] = frozenset({"accumulate"})  # made after everything is differentiated

__all__ = ["INDEXED", "LOWERED", "OF_USERS", "RULES", "ZERO_DERIVATIVE"]
