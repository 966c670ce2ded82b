"""Random programs: emitted source against the interpreter, in both dialects."""

from __future__ import annotations

import pytest

from backend.emit_help import check
from backend.emit_programs import Programs

ARGS = (0.3, -0.7, [0.1, -0.2, 0.3, -0.4, 0.5, -0.6], [1.0, 0.5, -1.5, 2.0, 0.0, 0.25])


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_readable_source_does_what_the_interpreter_does(first):
    for seed in range(first, first + 50):
        check(Programs(seed, whole_arrays=True).function(), ARGS)


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_compiled_source_does_the_same_when_it_is_not_compiled(first):
    for seed in range(first, first + 50):
        check(Programs(seed, whole_arrays=False).function(), ARGS, "compiled")


@pytest.mark.parametrize("seed", range(1000, 1006))
def test_compiled_source_does_the_same_under_numba(seed):
    check(Programs(seed, whole_arrays=False).function(), ARGS, "compiled", jit=True)


@pytest.mark.fuzz
@pytest.mark.parametrize("first", range(2000, 8000, 500))
def test_many_programs(first):
    for seed in range(first, first + 500):
        check(Programs(seed, whole_arrays=True).function(), ARGS)
