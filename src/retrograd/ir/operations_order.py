"""Operations that put numbers in order: a stable `argsort` along an axis, and `searchsorted`.

Sorting is one operation, the permutation; sorted arrays, medians and quantiles are gathered by
it (`prelude/sorting.py`), so their derivatives are those of gathering.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.ir.operations import Operation, Query, Shape

_SORT, _SEARCH = 200.0, 20.0


def _int(_: Query) -> str:
    return "int64"


def _shape_of(argument: int) -> Any:
    def shape(query: Query) -> Shape:
        return query.extents[argument]

    return shape


def _argsort(x: Any, *, axis: int) -> Any:
    return np.argsort(x, axis=axis, kind="stable")


def _searchsorted(a: Any, v: Any, *, side: str) -> Any:
    return np.searchsorted(a, v, side=side)  # type: ignore[call-overload]


ALL = (
    Operation("argsort", "library", _int, _shape_of(0), _argsort, _SORT),
    Operation("searchsorted", "library", _int, _shape_of(1), _searchsorted, _SEARCH),
)
