"""A test of the tests: every planted mistake is found by the programs, and soon."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from backend.emit_help import check as emitted
from backend.emit_programs import Programs
from backend.test_emit_programs import ARGS
from corpus.test_corpus import ENTRIES
from generator.checking import check, check_front, check_writes
from generator.fronts import generate_front
from generator.lowered import check_lowered, judged_lowered
from generator.planted import Bug
from generator.planted_provers import BUGS
from oracle import assert_gradients
from retrograd.adjoint import templates
from retrograd.errors import Unsupported

SEEDS = range(20_000, 21_000)


@pytest.fixture(autouse=True)
def nothing_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a broken compiler makes is neither kept for others nor taken from before."""
    monkeypatch.setenv("RETROGRAD_CACHE_DIR", str(tmp_path))
    templates._template.cache_clear()
    yield
    templates._template.cache_clear()


def check_entry(number: int) -> None:
    """One program of the corpus, the nasty ones first."""
    names = sorted(ENTRIES, key=lambda n: (not n.startswith(("traps", "dtypes", "branches")), n))
    if number >= len(names):
        return
    entry = ENTRIES[names[number]]
    expected = None if entry.expected is None else entry.expected[0]
    with contextlib.suppress(Unsupported):
        assert_gradients(entry.function, entry.arguments[0], entry.argnums, ("numpy",),
                         method=entry.method, expected=expected, rtol=entry.rtol)


def check_stores(number: int) -> None:
    """A random program of the IR with writes into arrays, emitted."""
    emitted(Programs(number, whole_arrays=True).function(), ARGS)


JUDGES: dict[str, Callable[[int], object]] = {
    "generated": lambda k: check(SEEDS[k]), "lowered": lambda k: check_lowered(SEEDS[k]),
    "corpus": check_entry, "stores": check_stores,
    "writes": lambda k: check_writes(SEEDS[k]),
    "lowered writes": lambda k: check_lowered(SEEDS[k], writes=True),
    "fronts": lambda k: check_front(SEEDS[k]),
    "lowered fronts": lambda k: judged_lowered(*generate_front(SEEDS[k]), SEEDS[k])}
SLOW = ("writes", "lowered writes", "fronts", "lowered fronts")


def first_failure(judge: Callable[[int], object], within: int) -> int | None:
    """How many programs it takes; None if none of them fails."""
    for k in range(within):
        try:
            judge(k)
        except Exception:                # a crash is a find as well
            return k + 1
    return None


@pytest.mark.parametrize("bug", [
    pytest.param(b, marks=[pytest.mark.slow] if b.by in SLOW else []) for b in BUGS],
    ids=lambda b: b.name)
def test_a_planted_bug_is_found(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)
    with np.errstate(all="ignore"):
        assert first_failure(JUDGES[bug.by], bug.within) is not None


@pytest.mark.parametrize("kind", [
    "generated", "lowered", "stores", *[pytest.param(k, marks=pytest.mark.slow) for k in SLOW]])
def test_nothing_is_found_where_nothing_is_planted(kind: str) -> None:
    assert first_failure(JUDGES[kind], 30) is None


def test_there_are_twenty_of_each_kind() -> None:
    writes = [b for b in BUGS if "writes" in b.by]
    others = [b for b in BUGS if b.by not in SLOW]
    assert len(writes) >= 20 and len(others) >= 20
    assert len({b.name for b in BUGS}) == len(BUGS)
