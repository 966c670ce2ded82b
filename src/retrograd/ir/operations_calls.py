"""The operations that stand for calls and marks of the user's: see `ir/ruled.py`.

`opaque` calls a function as it is (`ir/foreign.py`). Of one that returns a tuple it is the
result with this `number`; `results` are the dtypes and ranks of all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.ir.foreign import Foreign
from retrograd.ir.operations import Operation, Query, Shape
from retrograd.ir.types import Array

_STORED = 100.0            # what a rule was given for is worth storing
_CALLED = 1000.0


def _dtype(query: Query) -> str:
    return query.types[query.static["index"]].dtype


def _shape(query: Query) -> Shape:
    return query.extents[query.static["index"]]


def _is_array(query: Query) -> bool:
    return isinstance(query.types[query.static["index"]], Array)


def _chosen(*operands: Any, call: object, index: int) -> Any:
    return operands[index]


def _stopped_dtype(query: Query) -> str:
    return query.types[0].dtype


def _stopped_shape(query: Query) -> Shape:
    return query.extents[0]


def _stopped_is_array(query: Query) -> bool:
    return isinstance(query.types[0], Array)


def _declared(query: Query) -> str:
    return str(query.static["dtype"])


def _unknown(query: Query) -> Shape:
    return (None,) * int(query.static["rank"])


def _called(*args: Any, function: Foreign, dtype: str, rank: int, number: int | None = None,
            results: tuple[tuple[str, int], ...] = ()) -> Any:
    found = function.value(*args)
    return found if number is None else found[number]


ALL = (
    Operation("ruled", "create", _dtype, _shape, _chosen, _STORED, _is_array),
    Operation("opaque", "library", _declared, _unknown, _called, _CALLED),
    Operation("stop", "create", _stopped_dtype, _stopped_shape, np.copy, 0.5, _stopped_is_array),
)
