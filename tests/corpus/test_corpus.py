"""Every program of the corpus: both modes against truth from outside, and against JAX."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest

import corpus
import retrograd as rg
import truth
from corpus.entry import Entry, is_slow, sampled
from oracle import (
    assert_gradients,
    assert_value,
    expected_gradients,
    float_arguments,
    is_number,
    seeds_of,
)
from retrograd.errors import Unsupported

THEMES = sorted(m.name for m in pkgutil.iter_modules(corpus.__path__)
                if m.name != "entry" and not m.name.startswith("test_"))


def _entries() -> dict[str, Entry]:
    found = {}
    for theme in THEMES:
        module = importlib.import_module(f"corpus.{theme}")
        for name, value in vars(module).items():
            if isinstance(value, Entry):
                found[f"{theme}-{name}"] = value
    return found


ENTRIES = _entries()
NAMES = list(ENTRIES)
COMPILED = 2           # of the programs that write nothing, one in so many is compiled by default


def _check(entry: Entry, modes: tuple[str, ...]) -> None:
    if not entry.refused:
        _check_gradients(entry, modes)
        return
    with pytest.raises(Unsupported) as refusal:
        _check_gradients(entry, modes)
    assert refusal.value.span is not None and refusal.value.remedy


def _check_gradients(entry: Entry, modes: tuple[str, ...]) -> None:
    for number, args in enumerate(entry.arguments):
        expected = None if entry.expected is None else entry.expected[number]
        assert_gradients(entry.function, args, entry.argnums, modes, method=entry.method,
                         expected=expected, rtol=entry.rtol)


@pytest.mark.parametrize("name", [n for n in NAMES if is_slow(ENTRIES[n], n, COMPILED)])
def test_numpy_mode(name: str) -> None:
    """Of the programs whose test in both modes is a slow one."""
    _check(ENTRIES[name], ("numpy",))


@pytest.mark.parametrize("name", sampled(ENTRIES, NAMES, COMPILED))
def test_both_modes(name: str) -> None:
    _check(ENTRIES[name], ("numpy", "compiled"))


@pytest.mark.parametrize("name", [n for n in NAMES if ENTRIES[n].writes])
def test_the_primal_changes_what_the_function_changes(name: str) -> None:
    entry = ENTRIES[name]
    if entry.refused:
        pytest.skip("refused")
    for args in entry.arguments:
        expected, given = [truth.fresh(a) for a in args], [truth.fresh(a) for a in args]
        value = entry.function(*expected)
        assert_value(rg.differentiable(entry.function, jit=False)(*given), value, args, name)
        for before, after in zip(expected, given, strict=True):
            assert np.allclose(after, before, rtol=1e-12, atol=1e-12)


@pytest.mark.oracle
@pytest.mark.parametrize("name", [n for n in NAMES if ENTRIES[n].jax])
def test_truth_agrees_with_jax(name: str) -> None:
    """The truth that both modes are held against is itself held against JAX."""
    pytest.importorskip("jax")
    entry = ENTRIES[name]
    for number, args in enumerate(entry.arguments):
        argnums = entry.argnums or float_arguments(args)
        value = entry.function(*map(truth.fresh, args))
        seeds = None if is_number(value) else seeds_of(value, np.random.default_rng(7))
        by_jax = expected_gradients(entry.function, args, argnums, "jax", seeds).gradients
        if entry.expected is None:
            true = expected_gradients(entry.function, args, argnums, entry.method, seeds).gradients
        else:
            true = tuple(np.asarray(e) for e in entry.expected[number])
        single = any(np.asarray(a).dtype in (np.float32, np.complex64) for a in args)
        for one, other in zip(by_jax, true, strict=True):
            assert truth.close(one, other, 1e-4 if single else 1e-6), f"{one}\n{other}"


def test_the_corpus_is_large() -> None:
    assert len(ENTRIES) >= 550
    assert sum(entry.writes for entry in ENTRIES.values()) >= 200
