"""Large arrays in compiled code lie on large pages, as NumPy's own do.

Linux gives memory in pages of 4 KiB when it is first touched, and each of them costs as much as
filling it several times over. NumPy asks for pages of 2 MiB for its large arrays
(`madvise(MADV_HUGEPAGE)`); Numba does not, and needs five times as long for a fresh array. So the
`np.empty` and `np.zeros` of a function that is compiled here are these (`substitutes.py`).

Imported when something is compiled: it needs Numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LARGE = 1 << 22                      # bytes, NumPy's own limit
_PAGE = 1 << 12
_ADVICE = 14                         # MADV_HUGEPAGE
Decorator = Callable[[Callable[..., Any]], Any]       # Numba's versions differ in their types
_intrinsic: Decorator = intrinsic
_njit: Decorator = numba.njit
_code: Any = cgutils


@_intrinsic
def _on_large_pages(_: Any, array: Any) -> Any:
    """Ask for large pages where an array, which is fresh, is large."""
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, args[0])
        word = context.get_value_type(types.intp)
        size = builder.mul(made.nitems, made.itemsize)
        with builder.if_then(builder.icmp_signed(">=", size, ir.Constant(word, LARGE)),
                             likely=False):
            _advise(builder, made.data, size, word)
        return context.get_dummy_value()

    return types.void(array), generate


@_intrinsic
def _cleared(_: Any, array: Any) -> Any:
    """Fill an array with zero bytes."""
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, args[0])
        _code.memset(builder, made.data, builder.mul(made.nitems, made.itemsize), 0)
        return context.get_dummy_value()

    return types.void(array), generate


def _advise(builder: Any, data: Any, size: Any, word: Any) -> None:
    """`madvise` from the first page that begins inside the array; what it answers is not asked."""
    first = builder.and_(builder.add(builder.ptrtoint(data, word), ir.Constant(word, _PAGE - 1)),
                         ir.Constant(word, -_PAGE))
    length = builder.sub(size, ir.Constant(word, _PAGE))
    number = ir.IntType(32)
    kind = ir.FunctionType(number, [word, word, number])
    function = _code.get_or_insert_function(builder.module, kind, "madvise")
    builder.call(function, [first, length, ir.Constant(number, _ADVICE)])


@_njit
def large_empty(shape: Any, dtype: Any = np.float64) -> Any:
    array = np.empty(shape, dtype)
    _on_large_pages(array)
    return array


@_njit
def large_zeros(shape: Any, dtype: Any = np.float64) -> Any:
    array = np.empty(shape, dtype)
    _on_large_pages(array)
    _cleared(array)
    return array


INSTEAD = {"empty": large_empty, "zeros": large_zeros}
