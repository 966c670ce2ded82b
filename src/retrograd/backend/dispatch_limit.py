"""The part of an entry that is there only with `max_memory=`.

    if 8 * a.shape[0] * max(0, int(n)) > 1000000: too_large((a, n))      before the call: refused
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrograd.errors import Unsupported
from retrograd.program import Residual

if TYPE_CHECKING:
    from retrograd.backend.dispatch_results import Names

_FUNCTIONS: dict[str, Any] = {"int": int, "max": max, "min": min}
_REMEDY = ("give a larger max_memory=; or mark the loop with rg.checkpointed, or ask for "
           "recompute= of what .residuals(...) lists")


@dataclass(frozen=True, slots=True)
class Limit:
    """The bytes that residuals may take, and the residuals."""

    most: float
    residuals: tuple[Residual, ...]

    @property
    def text(self) -> str:
        """The forecast, as an expression over the arguments."""
        return " + ".join(r.total for r in self.residuals
                          if r.total is not None and r.total != "0") or "0"


def require_known(limit: Limit) -> None:
    """Raise Unsupported where the forecast is not known before the function runs."""
    for row in limit.residuals:
        if row.total is None:
            name = f"{row.variable!r}" if row.variable else "a part of an expression"
            raise Unsupported(
                f"max_memory cannot be kept: how much is stored for {name} is not known before "
                "the function runs", "leave max_memory out, or write a `for` loop over a range "
                "that is known when the loop is entered", row.span)


def within(limit: Limit | None, leaves: Sequence[str], names: Names) -> list[str]:
    """The test that the forecast for these arguments is within the limit."""
    if limit is None or limit.text == "0":
        return []
    functions = {name: names.put(name, value) for name, value in _FUNCTIONS.items()}
    refuse = names.put("too_large", functools.partial(require_within, limit))
    values = "".join(f"{leaf}, " for leaf in leaves)
    return [f"if {limit.text.format(*leaves, **functions)} > {names.put('most', limit.most)}: "
            f"{refuse}(({values}))"]


def require_within(limit: Limit | None, values: Sequence[Any]) -> None:
    """Raise Unsupported where more would be stored for these arguments than is allowed."""
    if limit is None:
        return
    needed = bytes_at(limit.text, values)
    if needed > limit.most:
        rows = [(bytes_at(r.total or "0", values), r) for r in limit.residuals]
        most, largest = max(rows, key=lambda row: row[0])
        name = repr(largest.variable) if largest.variable else "a part of an expression"
        raise Unsupported(
            f"the residuals need {needed:,} bytes, and max_memory={limit.most:,.0f} allows less; "
            f"most of it, {most:,} bytes, is for {name} ({largest.why})", _REMEDY, largest.span)


def bytes_at(text: str, values: Sequence[Any]) -> int:
    """What a size (`adjoint/residuals/sizes.py`) is for these arguments."""
    names = [f"a{k}" for k in range(len(values))]
    scope = {**_FUNCTIONS, **dict(zip(names, values, strict=True)), "__builtins__": {}}
    return int(eval(text.format(*names, **{name: name for name in _FUNCTIONS}), scope))
