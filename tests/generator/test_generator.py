"""Generated programs: right or refused, and refused seldom."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.checking import IDLE, REFUSED, RIGHT, check
from generator.generate import generate

NUMPY_SEEDS, COMPILED_SEEDS = range(60), range(100, 115)


@pytest.mark.parametrize("seed", NUMPY_SEEDS)
def test_numpy_mode(seed: int) -> None:
    assert check(seed, ("numpy",)) in (RIGHT, REFUSED, IDLE)


@pytest.mark.parametrize("seed", COMPILED_SEEDS)
def test_compiled_mode(seed: int) -> None:
    assert check(seed, ("numpy", "compiled")) in (RIGHT, REFUSED, IDLE)


def test_most_programs_are_differentiated() -> None:
    verdicts = [check(seed, ("numpy",)) for seed in NUMPY_SEEDS]
    assert verdicts.count(RIGHT) >= 0.8 * len(verdicts)


def test_the_same_seed_gives_the_same_program() -> None:
    for seed in range(20):
        (one, first), (other, second) = generate(seed), generate(seed)
        assert one == other and repr(first) == repr(second)


def test_every_construct_is_generated() -> None:
    text = "\n".join(generate(seed)[0] for seed in range(200))
    for construct in ("for ", "while ", "elif ", "else:", "break", "continue", "enumerate(", "zip(",
                      "[::-1]", "[:-1]", "[::2]", "[-1]", ".T", "@", "np.where(", "helper(",
                      "np.max(", "+=", "*=", "axis=0", "[:, None]", " - 1]", " if "):
        assert construct in text, construct


@pytest.mark.fuzz
@pytest.mark.parametrize("start", range(1000, 3000, 100))
def test_many_programs(start: int) -> None:
    for seed in range(start, start + 100):
        check(seed, ("numpy",))


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(5000, 5300))
def test_many_programs_compiled(seed: int) -> None:
    check(seed, ("numpy", "compiled"))


@pytest.mark.fuzz
@given(seed=st.integers(0, 2**32))
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_program(seed: int) -> None:
    check(seed, ("numpy",))
