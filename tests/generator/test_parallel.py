"""Generated programs with all loops marked parallel: right, in whatever order the blocks come."""

from __future__ import annotations

import pytest

from generator.checking import IDLE, REFUSED, RIGHT
from generator.parallel import SERIAL, check_parallel
from retrograd.ir.types import Array
from retrograd.optimise import parallel


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_blocks(seed: int) -> None:
    assert check_parallel(seed, bool(seed % 2)) in (RIGHT, SERIAL, REFUSED, IDLE)


def test_a_loop_that_is_wrongly_taken_for_independent_is_found(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "own_elements", lambda loop, slot, known: isinstance(
        loop.carried[slot].inner.type, Array))
    with pytest.raises(AssertionError, match="seed 1"):
        check_parallel(1, True)


@pytest.mark.fuzz
@pytest.mark.parametrize("start", range(0, 1000, 100))
def test_many_programs(start: int) -> None:
    for seed in range(start, start + 100):
        check_parallel(seed, bool(seed % 2))
