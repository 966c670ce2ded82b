"""Marks inside user code: in plain Python they do nothing, differentiated they are instructions."""

from __future__ import annotations

import operator
from typing import TypeVar

T = TypeVar("T")


def parallel_range(*bounds: int) -> range:
    """`range`, for a loop whose iterations may run at the same time where it is proven that they
    are independent."""
    return range(*bounds)


def checkpointed(iterable: T, snapshots: int | None = None) -> T:
    """Mark the iterable of a `for` loop: its reverse keeps few states and computes the rest again.

        for t in rg.checkpointed(range(n), snapshots=10):
            u = u + dt * f(u)

    In a gradient, the reverse sweep of such a loop keeps at most `snapshots` states of what the
    loop carries from one iteration to the next (and the state with which the last iteration
    starts), and runs the loop's body again from them. What one iteration needs besides is kept
    only while that iteration is reversed. This is binomial checkpointing: the number of runs of
    the body is the least that is possible with so many snapshots. The gradient is the same.

    Parameters
    ----------
    iterable : range, array, zip or enumerate
        What the loop runs over; returned as it is.
    snapshots : int, optional
        How many states may be kept; the largest whole number whose square is at most the number
        of iterations (and at least 1) without it. With `n` iterations and `k` snapshots the body
        is run `(r + 1) n - C(k + r, k + 1) + 1` times in all, where `r` is the least number with
        `n <= C(k + r, k)`: three or four times `n` for most `n` and `k`.

    Raises
    ------
    ValueError
        If `snapshots` is less than 1.
    """
    if snapshots is not None and operator.index(snapshots) < 1:
        raise ValueError("snapshots must be at least 1")
    return iterable
