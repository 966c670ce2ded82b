"""Compiled code that takes memory for its results gives the same results, and leaves each of them
in its memory or apart from all of it. Run by Python: what is asked here is the same for Numba."""

from __future__ import annotations

import copy
import math
import zlib
from typing import Any

import numpy as np
import pytest

from corpus.test_corpus import ENTRIES
from retrograd import pipeline
from retrograd.errors import Unsupported
from retrograd.ir.types import Array
from retrograd.program import Emitted, Unit
from test_pipeline import Recorded, derived, leaves

_LARGE = 3000                 # elements; Python needs a microsecond each, in every loop


class Cleared:
    """NumPy where new memory is cleared: what a tape has room for and nothing in is compared."""

    def __getattr__(self, name: str) -> Any:
        return np.zeros if name == "empty" else getattr(np, name)


def function_of(emitted: Emitted) -> Any:
    scope: dict[str, Any] = {"math": math}
    exec(compile(emitted.source, emitted.name, "exec"), scope)
    scope["np"] = Cleared()
    return scope[emitted.name]


def called(emitted: Emitted, unit: Unit, args: list[Any]) -> list[Any]:
    """Flat results; a status and what a message needs stand before them."""
    with np.errstate(all="ignore"):
        found = function_of(emitted)(*args)
    count = len(unit.results)
    if count == 1 and not isinstance(found, tuple):
        return [found]
    first = 1 + emitted.integers + emitted.floats if emitted.failures else 0
    assert not (first and found[0])
    assert len(found) == first + count
    return list(found[first:])


@pytest.mark.parametrize("name", [
    pytest.param(n, marks=pytest.mark.slow) if zlib.crc32(n.encode()) % 4 else n for n in ENTRIES])
def test_results_lie_in_their_memory(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "helpers-variable_arguments":
        pytest.skip("the interface spreads *args, the compiler has no parameter to differentiate")
    entry = ENTRIES[name]
    recorded = Recorded(monkeypatch)
    try:
        request = derived(entry, recorded)
    except Unsupported:
        pytest.skip("refused")            # judged by the corpus itself
    program = pipeline.derive(request)
    unit = program.units[0]
    emitted = unit.directed()
    if emitted is None or unit.readable.foreign:
        pytest.skip("no result is made in memory of its own")
    args = leaves(request, [copy.deepcopy(a) for a in entry.arguments[0]], program.captures)
    if sum(np.size(a) for a in args) > _LARGE:
        pytest.skip("long")
    expected = called(unit.lowered(), unit, copy.deepcopy(args))
    memory = []
    for position in emitted.directed:
        assert isinstance(unit.results[position], Array)
        left = 0 if len(program.units) > 1 else 7          # a first half returns tapes
        memory.append(np.full(np.shape(expected[position]), left, unit.results[position].dtype))
    found = called(emitted, unit, [*copy.deepcopy(args), *memory])
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    for k, position in enumerate(emitted.directed):
        others = [m for j, m in enumerate(memory) if j != k]
        assert not any(np.may_share_memory(found[position], m) for m in others)
        if found[position] is not memory[k]:
            assert not np.may_share_memory(found[position], memory[k])
