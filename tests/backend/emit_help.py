"""Running emitted source and comparing it with the interpreter."""

from __future__ import annotations

import numpy as np

from retrograd.backend.emit import emit
from retrograd.ir.interpret import interpret
from retrograd.ir.types import Array
from retrograd.ir.verify import verify
from retrograd.trees import Leaf, Node


def flat(count: int) -> Node:
    return Node("tuple", tuple(Leaf(k) for k in range(count)))


def load(emitted, jit: bool = False):
    """The function in emitted source."""
    space: dict = {}
    exec(compile(emitted.source, "<emitted>", "exec"), space)
    function = space[emitted.name]
    if jit:
        import numba

        for helper in emitted.helpers:
            space[helper.name] = numba.njit(space[helper.name])
        return numba.njit(error_model="numpy", fastmath={"contract"})(function)
    return function


def typed(function, args):
    """Arguments as the API passes them: NumPy numbers and arrays of the declared dtype."""
    return [np.array(a, p.type.dtype) if isinstance(p.type, Array)
            else np.dtype(p.type.dtype).type(a)
            for p, a in zip(function.params, args, strict=True)]


def run(function, args, dialect: str, jit: bool = False, **options):
    emitted = emit(function, dialect, flat(len(function.returns)), **options)
    given = typed(function, args)
    kept = [np.copy(a) for a in given]
    with np.errstate(all="ignore"):
        results = load(emitted, jit)(*given)
    for before, after in zip(kept, given, strict=True):
        np.testing.assert_array_equal(before, after)
    if dialect == "compiled" and len(function.returns) == 1 and not emitted.failures:
        results = (results,)
    return emitted, results, given


def check(function, args, dialect: str = "readable", jit: bool = False, **options) -> str:
    """Emitted source gives what the interpreter gives, in fresh arrays; returns the source."""
    verify(function)
    emitted, results, given = run(function, args, dialect, jit, **options)
    expected = interpret(function, typed(function, args))
    for result, wanted, atom in zip(results, expected, function.returns, strict=True):
        np.testing.assert_allclose(result, wanted, rtol=1e-12, atol=1e-12,
                                   err_msg=emitted.source)
        if isinstance(atom.type, Array):
            assert result.dtype == atom.type.dtype
            assert result.flags.c_contiguous and result.flags.writeable, emitted.source
    arrays = [a for a in (*results, *given) if isinstance(a, np.ndarray)]
    for k, array in enumerate(arrays):
        for other in arrays[:k]:
            assert not np.may_share_memory(array, other), emitted.source
    return emitted.source
