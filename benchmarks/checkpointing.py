"""A nonlinear time loop with tapes and checkpointed: time of the gradient, and bytes kept.

Bytes are what the gradient keeps between its sweeps: a state for each step, or for each snapshot
and the last step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import retrograd as rg
from common import readable, seconds, table

SIZE, STEPS, RATE = 1_000, 10_000, 1e-3


def arrays(u, rate, steps):
    for _ in range(steps):
        u = u + rate * u * (1.0 - u * u)
    return np.sum(u * u)


def arrays_checkpointed(u, rate, steps, snapshots):
    for _ in rg.checkpointed(range(steps), snapshots=snapshots):
        u = u + rate * u * (1.0 - u * u)
    return np.sum(u * u)


def pendulum(q, rate, steps):
    p = 0.0
    for _ in range(steps):
        p = p - rate * np.sin(q)
        q = q + rate * p
    return q * q + p * p


def pendulum_checkpointed(q, rate, steps, snapshots):
    p = 0.0
    for _ in rg.checkpointed(range(steps), snapshots=snapshots):
        p = p - rate * np.sin(q)
        q = q + rate * p
    return q * q + p * p


def runs(steps: int, snapshots: int) -> int:
    """How often the body runs in all."""
    r = next(r for r in range(steps) if math.comb(snapshots + r, snapshots) >= steps)
    return (r + 1) * steps - math.comb(snapshots + r, snapshots + 1) + 1


def compare(title: str, plain: Any, marked: Any, x: Any, state: int) -> None:
    """Time both gradients; `state` is the size of the state in bytes."""
    taped, checkpointed = rg.grad(plain), rg.grad(marked)
    expected = taped(x, RATE, STEPS)
    rows = {"with tapes": seconds(taped, x, RATE, STEPS, least=1.0)}
    notes = [f"  with tapes: {STEPS * state:,} bytes"]
    for snapshots in (10, 30, math.isqrt(STEPS), 1_000):
        found = checkpointed(x, RATE, STEPS, snapshots)
        assert np.allclose(found, expected, rtol=1e-12)
        label = f"{snapshots} snapshots"
        rows[label] = seconds(checkpointed, x, RATE, STEPS, snapshots, least=1.0)
        count = runs(STEPS, snapshots)
        notes.append(f"  {label}: {(snapshots + 1) * state:,} bytes, {count:,} runs of the body, "
                     f"{readable(rows[label] / count)} each")
    table(title, rows)
    print(*notes, sep="\n")


if __name__ == "__main__":
    u = np.random.default_rng(0).uniform(-0.5, 0.5, SIZE)
    compare(f"{STEPS:,} steps on {SIZE:,} numbers", arrays, arrays_checkpointed, u, SIZE * 8)
    compare(f"{STEPS:,} steps of a pendulum", pendulum, pendulum_checkpointed, 0.7, 16)
