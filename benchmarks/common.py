"""Timing, and one table for all benchmarks."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def seconds(f: Callable[..., Any], *args: Any, least: float = 0.2, rounds: int = 5) -> float:
    """The best of several rounds, seconds a call; each round takes at least `least / rounds`."""
    f(*args)
    calls = 1
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            f(*args)
        passed = time.perf_counter() - start
        if passed > least / rounds:
            break
        calls *= 2
    best = passed / calls
    for _ in range(rounds - 1):
        start = time.perf_counter()
        for _ in range(calls):
            f(*args)
        best = min(best, (time.perf_counter() - start) / calls)
    return best


def side_by_side(contestants: dict[str, Callable[[], Any]], rounds: int = 12) -> dict[str, float]:
    """The best of many short rounds in which the contestants take turns, processor seconds a call:
    what others do on the machine meets all of them, and the best round meets least of it."""
    calls = {label: _calls_a_round(f) for label, f in contestants.items()}
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(rounds):
        for label, f in contestants.items():
            start = time.process_time()
            for _ in range(calls[label]):
                f()
            best[label] = min(best[label], (time.process_time() - start) / calls[label])
    return best


def _calls_a_round(f: Callable[[], Any], least: float = 0.02) -> int:
    """How many calls take about `least` seconds; the first call of all is not counted."""
    f()
    start = time.process_time()
    f()
    return max(1, int(least / max(time.process_time() - start, 1e-7)))


@contextmanager
def fresh_cache() -> Iterator[None]:
    """Nothing that was compiled before is found: for figures that contain compilation."""
    before = os.environ.get("RETROGRAD_CACHE_DIR")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RETROGRAD_CACHE_DIR"] = folder
        try:
            yield
        finally:
            del os.environ["RETROGRAD_CACHE_DIR"]
            if before is not None:
                os.environ["RETROGRAD_CACHE_DIR"] = before


def grown_heap() -> None:
    """Let glibc keep the memory that it is given back, as it does in any program that has once
    freed a large array; otherwise each call may hand its memory back to the system and fetch it."""
    large = np.ones(31 << 17)                  # 31 MB; what is above 32 MB does not count
    del large


def first_call(f: Callable[[], Any]) -> float:
    """Processor seconds of a call: of the first one, what compiling takes."""
    start = time.process_time()
    f()
    return time.process_time() - start


def table(title: str, rows: dict[str, float]) -> None:
    """Print durations with a fitting unit, and each as a multiple of the first."""
    print(f"\n{title}")
    first = next(iter(rows.values()))
    for label, duration in rows.items():
        print(f"  {label:<34}{readable(duration):>12}{duration / first:>9.2f} x")


def readable(duration: float) -> str:
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if duration * factor >= 1.0:
            return f"{duration * factor:.2f} {unit}"
    return f"{duration * 1e9:.0f} ns"


def jax_or_none() -> Any:
    """JAX in float64, or None where it is not installed."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    return jax
