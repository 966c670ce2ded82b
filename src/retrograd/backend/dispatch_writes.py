"""The part of an entry that is there only for functions that write into their arguments.

    if may_share_memory(A, B): apart((A, B))      before the call: refused
    r0, r1 = call(A, B)
    A[...] = r1                                   the last content, where the entry stands for the
    return r0                                     function itself and not for a derivative
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd.errors import Unsupported
from retrograd.program import Written

if TYPE_CHECKING:
    from retrograd.backend.dispatch_results import Names

_ALIGNED = 0x100


def apart(written: Sequence[Written], leaves: Sequence[str], names: Names) -> list[str]:
    """The test that what is written shares memory with no other array, and not with itself."""
    pairs = {tuple(sorted((w.argument, k))) for w in written for k, _ in w.others}
    tests = [f"{names.put('may_share', np.may_share_memory)}({leaves[a]}, {leaves[b]})"
             for a, b in sorted(pairs)]
    tests += [f"not {leaves[w.argument]}.flags.forc and {names.put('folded', folded)}"
              f"({leaves[w.argument]})" for w in written]
    if not tests:
        return []
    refuse = names.put("apart", functools.partial(require_apart, tuple(written)))
    values = "".join(f"{leaf}, " for leaf in leaves)
    return [f"if {' or '.join(tests)}: {refuse}(({values}))"]


def last_contents(written: Sequence[Written], leaves: Sequence[str], results: Sequence[str],
                  names: Names) -> list[str]:
    """The statements that give arguments their last contents."""
    lines = []
    for one in written:
        if one.result is None:
            continue
        array, content = leaves[one.argument], results[one.result]
        if not one.always:
            changed = names.put("changed", _changed)
            lines.append(f"if {array}.flags.writeable or {changed}({array}, {content}):")
        lines.append(f"{'' if one.always else '    '}{array}[...] = {content}")
    return lines


def require_apart(written: Sequence[Written], values: Sequence[Any]) -> None:
    """Raise Unsupported where an array that is written may share memory with another one."""
    for one in written:
        array = values[one.argument]
        for position, name in one.others:
            if np.may_share_memory(array, values[position]):
                what = "are the same array" if array is values[position] else "may share memory"
                raise Unsupported(
                    f"{one.name!r} and {name!r} {what}, and {one.name!r} is written to",
                    f"pass a copy: {one.name}.copy()", one.span, one.line)
        if folded(array):
            raise Unsupported(f"elements of {one.name!r} share memory with each other, and it is "
                              "written to", f"pass a copy: {one.name}.copy()", one.span, one.line)
        if not array.flags.num & _ALIGNED and not array.flags.c_contiguous:
            raise Unsupported(f"{one.name!r} is not aligned, and it is written to",
                              f"pass a copy: {one.name}.copy()", one.span, one.line)


def folded(array: np.ndarray[Any, Any]) -> bool:
    """Whether elements of an array may share memory with each other."""
    reach = array.itemsize
    for stride, extent in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if extent > 1:
            if stride < reach:
                return True
            reach = stride * extent
    return False


def put_back(written: Sequence[Written], given: Sequence[Any], leaves: Sequence[Any]) -> None:
    """What code changed in a copy of an argument that it could not take as it is."""
    for one in written:
        array, leaf = given[one.argument], leaves[one.argument]
        if one.result is not None and not np.may_share_memory(array, leaf) and array.size and (
                array.flags.writeable or _changed(array, leaf)):
            array[...] = leaf


def _changed(array: np.ndarray[Any, Any], content: Any) -> bool:
    """Whether a content differs from what an array holds, in any bit."""
    return array.tobytes() != np.asarray(content, array.dtype).tobytes()
