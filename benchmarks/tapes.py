"""What tapes cost: one that grows beside one of known length, and in-place stores by the million.

The two loops compute the same numbers; the `while` only finds out at its end how long it was.
"""

from __future__ import annotations

import numpy as np

import retrograd as rg
from common import readable, side_by_side, table


def fixed(x, steps):
    for _ in range(steps):
        x = x * (1.5 - 0.5 * x * x)
    return x


def growing(x, steps):
    k = 0
    while k < steps:
        x = x * (1.5 - 0.5 * x * x)
        k += 1
    return x


def fixed_inner(x, steps, inner):
    for _ in range(steps):
        for _ in range(inner):
            x = x * (1.5 - 0.5 * x * x)
    return x


def growing_inner(x, steps, inner):
    for _ in range(steps):
        k = 0
        while k < inner:
            x = x * (1.5 - 0.5 * x * x)
            k += 1
    return x


def rows_fixed(x, steps):
    for _ in range(steps):
        x = x * (1.5 - 0.5 * x * x)
    return np.sum(x)


def rows_growing(x, steps):
    k = 0
    while k < steps:
        x = x * (1.5 - 0.5 * x * x)
        k += 1
    return np.sum(x)


def stores(x, n):
    """A recurrence: every element is stored once and final."""
    y = np.zeros(n)
    y[0] = x
    for i in range(1, n):
        y[i] = 0.5 * y[i - 1] * y[i - 1] + x
    return y[n - 1]


def overwrites(x, n):
    """Eight elements that are overwritten again and again."""
    y = np.full(8, x)
    for i in range(n):
        y[i % 8] = 0.5 * y[(i + 3) % 8] * y[i % 8] + x
    return np.sum(y)


def pairs():
    x = np.linspace(0.5, 0.9, 50)
    return (("numbers, 10^5", fixed, growing, (0.7, 100_000)),
            ("numbers, a loop of 10 in one of 10^4", fixed_inner, growing_inner, (0.7, 10_000, 10)),
            ("rows of 50, 10^4", rows_fixed, rows_growing, (x, 10_000)))


def beside(title, known, unknown, args):
    """A tape that grows beside one of known length."""
    a, b = rg.grad(known), rg.grad(unknown)
    assert np.allclose(a(*args), b(*args), rtol=1e-9)
    table(f"{title} (target: within 1.3 of fixed)", side_by_side(
        {"tape of known length": lambda: a(*args), "growing tape": lambda: b(*args)}))


def by_length(f):
    """Time an element store at three lengths."""
    gradient = rg.grad(f)
    rows = side_by_side({f"10^{k} element stores": lambda k=k: gradient(0.4, 10**k)
                         for k in (4, 5, 6)})
    table(f"{f.__name__} (target: linear)", rows)
    print("  a store:", ", ".join(
        readable(t / 10**k) for k, t in zip((4, 5, 6), rows.values(), strict=True)))


def main() -> None:
    for title, known, unknown, args in pairs():
        beside(title, known, unknown, args)
    for f in (stores, overwrites):
        by_length(f)


if __name__ == "__main__":
    main()
