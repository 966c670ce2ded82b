"""The vocabulary of `Let`: what each operation computes, its dtype, its shape and its cost.

One table, `OPERATIONS`, serves type inference, the verifier, the interpreter and the planner.
Derivatives live in `rules/`, printing and lowering in `backend/`.

    elementwise   broadcast over all arguments (`add`, `exp`, `where`, `cast`, ...); `strong`,
                  which only derivatives make, is explained in `optimise/choices.py`
    reduction     over static `axes` (None for all): `sum`, `prod`, `max`, `min`, `any`, `all`,
                  `argmax`, `argmin`; never keepdims
    view          `view`, `transpose`, `reshape`, `broadcast_to`, `diagonal`
    index         `load`, `take`, `update`, `add_at`, `push` (a row of a growable tape)
    contraction   `matmul`, `einsum`
    scan          `cumsum`, `cumprod`; `recurrence` of factors and terms: y[k] = terms[k]
                  + factors[k] * y[k - 1], or backwards terms[k] + factors[k + 1] * y[k + 1]
    create        `zeros`, `ones`, `empty`, `given`, `full`, `arange`, `eye`, `array`,
                  `concatenate`, `copy`, `dim`, `let`, `complex` (of two floats)
    library       `solve`, `inv`, `det`, `slogdet_sign`, `slogdet_log`, `cholesky`; `argsort`
                  (stable), `searchsorted`
    calls         `ruled`, `stop`: see `ir/ruled.py` (of the family create)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from retrograd.ir.extents import Extent
from retrograd.ir.nodes import Constant, Let, Static
from retrograd.ir.types import Type

Shape = tuple[Extent | None, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What a dtype or shape rule may look at.

    `same(a, b, exception, message)` states that two extents must be equal; the builder adds a
    check where it cannot prove it. A message is made of strings and extents.
    `integer(k)` is the extent that argument k, an int, stands for, and `least(e)` the least that
    an extent can be, for all the values of loop indices in it.
    """

    types: tuple[Type, ...]
    extents: tuple[tuple[Extent, ...], ...]
    static: Static
    integer: Callable[[int], Extent]
    same: Callable[[Extent, Extent, type[Exception], Sequence[str | Extent]], None]
    least: Callable[[Extent], Extent] = lambda extent: extent


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; a shape of None for an extent means that nothing is known about it."""

    name: str
    family: str
    dtype: Callable[[Query], str]
    shape: Callable[[Query], Shape]
    evaluate: Callable[..., Any]
    cost: float = 1.0
    is_array: Callable[[Query], bool] | None = None   # whether rank 0 is an array; default no


def _table() -> dict[str, Operation]:
    from retrograd.ir import (
        operations_arrays,
        operations_calls,
        operations_elementwise,
        operations_order,
    )

    table: dict[str, Operation] = {}
    for operation in (
            *operations_elementwise.ALL, *operations_arrays.ALL, *operations_order.ALL,
            *operations_calls.ALL):
        if operation.name in table:
            raise ValueError(f"two operations are called {operation.name!r}")
        table[operation.name] = operation
    return table


class _Operations:
    """The table, made on first use so that the modules can import `Operation` from here."""

    def __init__(self) -> None:
        self._table: dict[str, Operation] = {}

    def __getitem__(self, name: str) -> Operation:
        return self.table[name]

    def __contains__(self, name: object) -> bool:
        return name in self.table

    @property
    def table(self) -> dict[str, Operation]:
        if not self._table:
            self._table = _table()
        return self._table


OPERATIONS = _Operations()
_FEW_FACTORS: dict[object, float] = {k: 2.0 if k > 0 else 6.0 for k in range(-4, 5)}


def cost(let: Let) -> float:
    """About how much it costs to compute this again, in additions. A power with a small whole
    exponent is a few multiplications (and a division where the exponent is negative)."""
    if let.op == "power":
        exponent = let.args[1]
        if isinstance(exponent, Constant) and exponent.value in _FEW_FACTORS:
            return _FEW_FACTORS[exponent.value]
    return OPERATIONS[let.op].cost


def family(op: str) -> str:
    return OPERATIONS[op].family


def is_elementwise(op: str) -> bool:
    return OPERATIONS[op].family == "elementwise"
