"""Logistic regression on the breast-cancer data, the gradient handed straight to SciPy."""

from __future__ import annotations

import time

import numpy as np
from scipy.optimize import minimize

import retrograd as rg
from datasets import breast_cancer, split


def loss(w, X, y, ridge):
    """Mean cross-entropy with a ridge penalty on all weights but the first (the intercept).

    w: (k + 1,), X: (n, k), y: (n,) of 0 and 1.
    """
    z = w[0] + X @ w[1:]
    cross_entropy = np.mean(np.logaddexp(0.0, z) - y * z)
    return cross_entropy + 0.5 * ridge * np.sum(w[1:] ** 2)


def accuracy(w: np.ndarray, X: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean((w[0] + X @ w[1:] > 0) == (y == 1)))


def seconds_a_call(f, *args, repeat: int = 200) -> float:
    f(*args)                                         # compiles, where that is needed
    start = time.perf_counter()
    for _ in range(repeat):
        f(*args)
    return (time.perf_counter() - start) / repeat


def main(jit: bool = True) -> None:
    X, y, X_held_out, y_held_out = split(*breast_cancer(), seed=0)
    mean, spread = X.mean(axis=0), X.std(axis=0)
    X, X_held_out = (X - mean) / spread, (X_held_out - mean) / spread
    w0, ridge = np.zeros(X.shape[1] + 1), 1e-3

    found = minimize(rg.value_and_grad(loss, jit=jit), w0, args=(X, y, ridge), jac=True)
    share = accuracy(found.x, X_held_out, y_held_out)
    print(f"loss {found.fun:.4f} after {found.nit} iterations; held-out accuracy {share:.3f}")
    assert np.max(np.abs(found.jac)) < 1e-4
    assert share >= 0.96

    for label, mode in (("compiled", True), ("NumPy", False)):
        if mode <= jit:
            duration = seconds_a_call(rg.grad(loss, jit=mode), w0, X, y, ridge)
            print(f"one gradient, {label}: {duration * 1e6:.0f} microseconds")


if __name__ == "__main__":
    main()
