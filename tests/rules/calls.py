"""Calling a rule as the plain Python function that it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.ir.operations import OPERATIONS
from retrograd.rules.rule import Rule


def partials(rule: Rule, args: tuple[Any, ...], out_bar: Any = None, **static: Any,
             ) -> tuple[Any, ...]:
    """What the rule returns, always as one entry an argument."""
    with np.errstate(all="ignore"):
        offered = {"out": OPERATIONS[rule.op].evaluate(*args, **static), "out_bar": out_bar,
                   **static}
        result = rule.body(*args, **{name: offered[name] for name in rule.keywords})
    return result if isinstance(result, tuple) else (result,)


def difference(function: Any, args: tuple[Any, ...], k: int, direction: Any,
               step: float = 1e-6) -> Any:
    """The central difference of a function along a direction of its argument k."""
    ends = []
    for sign in (1, -1):
        moved = args[k] + sign * step * direction
        ends.append(function(*args[:k], moved, *args[k + 1:]))
    return (ends[0] - ends[1]) / (2 * step)
