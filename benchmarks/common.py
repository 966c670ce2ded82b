"""Timing, and one table for all benchmarks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


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
