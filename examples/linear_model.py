"""A line through data: one gradient checked by hand, then descent until the line is found."""

from __future__ import annotations

import numpy as np

import retrograd as rg


def half_squared_error(a, b, x, target):
    """0.5 (a x + b - target)^2 for one observation."""
    y = a * x + b
    return 0.5 * (y - target) ** 2


def mean_half_squared_error(a, b, x, target):
    """The same for many observations; x and target: (n,)."""
    y = a * x + b
    return 0.5 * np.mean((y - target) ** 2)


def one_observation(jit: bool) -> None:
    a, b, x, target = 1.0, 0.5, 1.4, 2.1
    a_bar, b_bar = rg.grad(half_squared_error, argnums=(0, 1), jit=jit)(a, b, x, target)
    error = a * x + b - target                       # -0.2
    assert np.isclose(a_bar, error * x) and np.isclose(a_bar, -0.28)
    assert np.isclose(b_bar, error) and np.isclose(b_bar, -0.2)
    print(f"dL/da = {a_bar:.2f}, dL/db = {b_bar:.2f}")


def descend(jit: bool, steps: int = 400, rate: float = 0.4) -> tuple[float, float]:
    """Fit a and b to noisy samples of y = 1.7 x - 0.6."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, 500)
    target = 1.7 * x - 0.6 + 0.05 * rng.standard_normal(500)
    slope = rg.grad(mean_half_squared_error, argnames=("a", "b"), jit=jit)
    a, b = 0.0, 0.0
    for _ in range(steps):
        a_bar, b_bar = slope(a, b, x, target)
        a, b = a - rate * a_bar, b - rate * b_bar
    return a, b


def main(jit: bool = True) -> None:
    one_observation(jit)
    a, b = descend(jit)
    assert abs(a - 1.7) < 0.01 and abs(b + 0.6) < 0.01
    print(f"found y = {a:.3f} x + {b:.3f}; the data came from y = 1.700 x - 0.600")


if __name__ == "__main__":
    main()
