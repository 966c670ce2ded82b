"""Gradient descent with momentum in an `@njit` loop that calls the gradient from compiled code."""

from __future__ import annotations

import time

import numpy as np
from numba import njit

import retrograd as rg
from datasets import breast_cancer, split


def loss(w, X, y, ridge):
    """Mean cross-entropy with a ridge penalty on all weights but the first (the intercept).

    w: (k + 1,), X: (n, k), y: (n,) of 0 and 1.
    """
    z = w[0] + X @ w[1:]
    return np.mean(np.logaddexp(0.0, z) - y * z) + 0.5 * ridge * np.sum(w[1:] ** 2)


def with_momentum(gradient):
    """The loop around a gradient; Numba compiles the two together."""
    def descend(w, X, y, ridge, rate, momentum, tolerance, most):
        velocity = np.zeros_like(w)
        for step in range(most):
            slope = gradient(w, X, y, ridge)
            if np.max(np.abs(slope)) < tolerance:
                return w, step
            velocity = momentum * velocity - rate * slope
            w = w + velocity
        return w, most

    return descend


def main(jit: bool = True) -> None:
    X, y, X_held_out, y_held_out = split(*breast_cancer(), seed=0)
    mean, spread = X.mean(axis=0), X.std(axis=0)
    X, X_held_out = (X - mean) / spread, (X_held_out - mean) / spread
    arguments = np.zeros(X.shape[1] + 1), X, y.astype(float), 1e-2, 0.2, 0.95, 1e-5, 5_000

    gradient = rg.grad(loss, jit=jit)
    descend = njit(with_momentum(gradient.compiled)) if jit else with_momentum(gradient)
    w, steps = descend(*arguments)                   # compiles, where that is needed
    start = time.perf_counter()
    descend(*arguments)
    duration = time.perf_counter() - start

    share = np.mean((w[0] + X_held_out @ w[1:] > 0) == (y_held_out == 1))
    print(f"{steps} steps, {duration / steps * 1e6:.1f} µs a step; held-out accuracy {share:.3f}")
    assert np.max(np.abs(gradient(w, *arguments[1:4]))) < 1e-5
    assert share >= 0.96


if __name__ == "__main__":
    main()
