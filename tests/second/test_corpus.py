"""Every program of the corpus at second order, in all four compositions of the modes."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from corpus.entry import Entry
from corpus.test_corpus import ENTRIES
from oracle import float_arguments, precision
from second.products import assert_second, case_of

NAMES = [name for name, entry in ENTRIES.items() if not entry.refused]


def chosen(names: list[str], one_of: int) -> list[Any]:
    """Of the names one of so many runs by default; the others are slow ones."""
    return [name if zlib.crc32(name.encode()) % one_of == 0 else
            pytest.param(name, marks=pytest.mark.slow) for name in names]


def check(entry: Entry, arguments: tuple[tuple[Any, ...], ...], jit: bool) -> None:
    for args in arguments:
        argnums = entry.argnums or float_arguments(args)
        if not argnums:
            continue
        case = case_of(entry.function, args, tuple(argnums))
        single = precision([*args, entry.function(*case.fresh())]) == "float32"
        rtol = 1e-4 if single else max(1e-9, entry.rtol or 0.0)
        assert_second(case, jit=jit, rtol=rtol,
                      true=entry.expected is None, true_rtol=1e-3 if single else 1e-5)


@pytest.mark.parametrize("name", chosen(NAMES, 16))
def test_numpy_mode(name: str) -> None:
    check(ENTRIES[name], ENTRIES[name].arguments, jit=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMES if zlib.crc32(n.encode()) % 23 == 1])
def test_compiled_mode(name: str) -> None:
    check(ENTRIES[name], ENTRIES[name].arguments[:1], jit=True)
