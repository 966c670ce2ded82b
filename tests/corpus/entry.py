"""An entry of the corpus: a program, arguments to try it with, and where its truth comes from."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest


@dataclass(frozen=True)
class Entry:
    """`arguments` are sets of arguments; `expected` has one tuple of gradients for each set."""

    function: Callable[..., Any]
    arguments: tuple[tuple[Any, ...], ...]
    argnums: tuple[int, ...] | None = None
    method: str = "auto"
    expected: Sequence[tuple[Any, ...]] | None = None
    rtol: float | None = None
    jax: bool = True                  # whether JAX can run it
    writes: bool = False              # whether it writes into arrays or lists
    refused: bool = False             # whether it is refused, with place and remedy


def program(*arguments: tuple[Any, ...], **options: Any) -> Callable[[Callable[..., Any]], Entry]:
    """Decorate a program with its sets of arguments; the options are the fields of `Entry`."""
    return lambda function: Entry(function, arguments, **options)


def sampled(entries: dict[str, Entry], names: Iterable[str], others: int = 1) -> list[Any]:
    """Names as test parameters. Of programs that write into arrays two of three are slow ones, of
    which continuous integration runs some; of the others all but one in `others`."""
    return [pytest.param(name, marks=pytest.mark.slow) if is_slow(entries[name], name, others)
            else name for name in names]


def is_slow(entry: Entry, name: str, others: int) -> bool:
    """Whether `sampled` makes this one slow."""
    return zlib.crc32(name.encode()) % (3 if entry.writes else others) != 0


def in_place(*arguments: tuple[Any, ...], **options: Any) -> Callable[[Callable[..., Any]], Entry]:
    """A program that writes into arrays, which JAX and autograd do not run."""
    return program(*arguments, jax=False, writes=True, **options)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Standard normal numbers, rounded so that failures are easy to type in again."""
    return np.round(np.random.default_rng([seed, *shape]).standard_normal(shape), 3)


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers between 0.5 and 2."""
    return np.round(np.random.default_rng([seed, *shape]).uniform(0.5, 2.0, shape), 3)


def weighed(A: np.ndarray) -> np.ndarray:
    """The sum with a weight of its own for every element, so that no errors cancel."""
    return np.sum(np.sin(1.0 + 0.7 * np.arange(A.size)).reshape(A.shape) * A)
