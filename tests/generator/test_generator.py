"""Generated programs: right or refused, and refused seldom."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.bounds import generate_bounds
from generator.checking import IDLE, REFUSED, RIGHT, check, check_bounds, check_front, check_writes
from generator.complexly import NoDerivative, gradients
from generator.fronts import generate_front
from generator.generate import generate
from generator.lowered import check_lowered, judged_lowered

NUMPY_SEEDS, COMPILED_SEEDS = range(40), range(104, 110)
WRITE_SEEDS, LOWERED_SEEDS, COMPILED_WRITE_SEEDS = range(80), range(200, 230), range(100, 106)
JUDGED = (RIGHT, REFUSED, IDLE)
verdict = functools.cache(check)
verdict_of_writes = functools.cache(check_writes)


def one_in_two(seeds: range) -> list[Any]:
    """Seeds as test parameters; the others are slow ones."""
    return [pytest.param(s, marks=pytest.mark.slow) if s % 2 else s for s in seeds]


@pytest.mark.parametrize("seed", NUMPY_SEEDS)
def test_numpy_mode(seed: int) -> None:
    assert verdict(seed) in JUDGED


@pytest.mark.parametrize("seed", one_in_two(COMPILED_SEEDS))
def test_compiled_mode(seed: int) -> None:
    assert check(seed, ("numpy", "compiled")) in JUDGED


@pytest.mark.parametrize("seed", WRITE_SEEDS)
def test_stores_in_numpy_mode(seed: int) -> None:
    assert verdict_of_writes(seed) in JUDGED


@pytest.mark.parametrize("seed", LOWERED_SEEDS)
def test_stores_lowered(seed: int) -> None:
    assert check_lowered(seed, writes=True) in JUDGED


@pytest.mark.parametrize("seed", one_in_two(COMPILED_WRITE_SEEDS))
def test_stores_in_compiled_mode(seed: int) -> None:
    assert check_writes(seed, ("numpy", "compiled")) in JUDGED


@pytest.mark.parametrize("seed", range(20))
def test_computed_bounds(seed: int) -> None:
    assert check_bounds(seed) in JUDGED


@pytest.mark.parametrize("seed", range(60))
def test_fronts(seed: int) -> None:
    assert check_front(seed) in JUDGED


@pytest.mark.parametrize("seed", range(100, 140))
def test_fronts_lowered(seed: int) -> None:
    assert judged_lowered(*generate_front(seed), seed) in JUDGED


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 206))
def test_fronts_in_compiled_mode(seed: int) -> None:
    assert check_front(seed, ("numpy", "compiled")) in JUDGED


def test_most_programs_are_differentiated() -> None:
    verdicts = [verdict(seed) for seed in NUMPY_SEEDS]
    assert verdicts.count(RIGHT) >= 0.8 * len(verdicts)


def test_most_programs_with_stores_are_differentiated() -> None:
    verdicts = [verdict_of_writes(seed) for seed in WRITE_SEEDS]
    assert verdicts.count(RIGHT) >= 0.8 * len(verdicts)


@pytest.mark.parametrize("writes", [False, True])
def test_the_same_seed_gives_the_same_program(writes: bool) -> None:
    for seed in range(20):
        (one, first), (other, second) = generate(seed, writes), generate(seed, writes)
        assert one == other and repr(first) == repr(second)


def test_every_construct_is_generated() -> None:
    text = "\n".join(generate(seed)[0] for seed in range(200))
    for construct in ("for ", "while ", "elif ", "else:", "break", "continue", "enumerate(", "zip(",
                      "[::-1]", "[:-1]", "[::2]", "[-1]", ".T", "@", "np.where(", "helper(",
                      "np.max(", "+=", "*=", "axis=0", "[:, None]", " - 1]", " if "):
        assert construct in text, construct


def test_every_kind_of_store_is_generated() -> None:
    text = "\n".join(generate(seed, writes=True)[0] for seed in range(400))
    for construct in ("[:] = ", "[...] = ", "[::-1] = ", "[1:-1] +=", "[1:] *=", " - 1] = ",
                      "] /= ", "[p]", "[q]", "np.add.at(", "[np.array([[", "] < ",
                      ".T\n", ".reshape(-1)", ".ravel()", "[:, None]", ".copy()", "np.empty(",
                      "np.zeros_like(", "np.copyto(", ".fill(", "out=", "touch(", "return x, x[",
                      "[:, ::2]", "in range(i"):
        assert construct in text, construct


def test_every_kind_of_bound_is_generated() -> None:
    text = "\n".join(generate_bounds(seed)[0] + generate_front(seed)[0] for seed in range(300))
    for construct in ("len(x[x > ", "len(u[u > ", "len(ys)", "len(y)", "len(p[p ", "p[", "[q] = ",
                      "rg.checkpointed(", "while ", "break", ", -2)", "range(k, n)", "touch(",
                      "u, w = w, u", ".copy()", "np.zeros(", "min(n, 3)", "abs(k)", "in p:"):
        assert construct in text, construct


def test_a_tie_has_no_derivative() -> None:
    def larger(a: float, b: float) -> float:
        return a if a > b else b * b

    with pytest.raises(NoDerivative):
        gradients(larger, (1.0, 1.0), (0, 1), 1.0)


@pytest.mark.fuzz
@pytest.mark.parametrize("start", range(1000, 3000, 100))
def test_many_programs(start: int) -> None:
    for seed in range(start, start + 100):
        check(seed, ("numpy",))


@pytest.mark.fuzz
@pytest.mark.parametrize("start", range(1000, 11_000, 100))
def test_many_programs_with_stores(start: int) -> None:
    for seed in range(start, start + 100):
        check_writes(seed, ("numpy",))


@pytest.mark.fuzz
@pytest.mark.parametrize("start", range(1000, 6000, 100))
def test_many_fronts(start: int) -> None:
    for seed in range(start, start + 100):
        check_front(seed)
        judged_lowered(*generate_front(seed), seed)


@pytest.mark.fuzz
@pytest.mark.parametrize("start", range(1000, 3000, 100))
def test_many_programs_with_computed_bounds(start: int) -> None:
    for seed in range(start, start + 100):
        check_bounds(seed)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(5000, 5300))
def test_many_programs_compiled(seed: int) -> None:
    check(seed, ("numpy", "compiled"))


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(5000, 5300))
def test_many_programs_with_stores_compiled(seed: int) -> None:
    check_writes(seed, ("numpy", "compiled"))


@pytest.mark.fuzz
@given(seed=st.integers(0, 2**32), writes=st.booleans())
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_program(seed: int, writes: bool) -> None:
    (check_writes if writes else check)(seed, ("numpy",))
