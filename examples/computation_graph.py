"""A small computation graph: an affine map, its pullback called with several seeds, and a maximum.

`Y = X @ W + b` has an array as its value, so its derivative is a pullback: it takes the adjoint
of `Y` and returns the adjoints of `X`, `W` and `b`.
"""

from __future__ import annotations

import numpy as np

import retrograd as rg


def affine(X, W, b):
    return X @ W + b


def largest(X, W, b):
    """The sum of the column maxima of `Y + 5`."""
    Y = X @ W + b
    return np.sum(np.max(Y + 5, axis=0))


def column_of_largest(X, W, b):
    return np.argmax(np.max(X @ W + b + 5, axis=0))


def main(jit: bool = True) -> None:
    X, W, b = np.full((2, 2), 2.0), np.full((2, 2), 0.5), np.array([4.0])

    Y, pullback = rg.vjp(affine, X, W, b, jit=jit)
    assert np.array_equal(Y, np.full((2, 2), 6.0))
    print("Y =", Y.tolist())

    X_bar, W_bar, b_bar = pullback(np.ones((2, 2)))
    assert np.array_equal(X_bar, np.ones((2, 2)))
    assert np.array_equal(W_bar, np.full((2, 2), 4.0))
    assert np.array_equal(b_bar, [4.0])
    print("seed of ones: X_bar =", X_bar.tolist(), "W_bar =", W_bar.tolist(), "b_bar =", b_bar)

    seed = np.array([[1.0, 0.0], [0.0, -2.0]])
    X_bar, W_bar, b_bar = pullback(seed)
    assert np.allclose(X_bar, seed @ W.T)
    assert np.allclose(W_bar, X.T @ seed)
    assert np.allclose(b_bar, [-1.0])
    print("another seed: X_bar =", X_bar.tolist(), "W_bar =", W_bar.tolist(), "b_bar =", b_bar)

    again = pullback(np.ones((2, 2)))
    assert np.array_equal(again[1], np.full((2, 2), 4.0)), "a pullback may be called many times"

    # Both rows of Y are 6, so each column's maximum is a tie, which shares its derivative equally.
    assert np.array_equal(np.max(Y + 5, axis=0), [11.0, 11.0])
    assert column_of_largest(X, W, b) == 0
    value, (X_bar, b_bar) = rg.value_and_grad(largest, argnums=(0, 2), jit=jit)(X, W, b)
    assert value == 22.0
    assert np.array_equal(X_bar, np.full((2, 2), 0.5))
    assert np.array_equal(b_bar, [2.0])
    print("sum of column maxima =", value, "X_bar =", X_bar.tolist(), "b_bar =", b_bar)

    # One element raised: its column's derivative goes to its row alone.
    X[1, 0] = 3.0
    X_bar = rg.grad(largest, jit=jit)(X, W, b)
    assert np.array_equal(X_bar, [[0.0, 0.0], [1.0, 1.0]])
    print("after X[1, 0] = 3: X_bar =", X_bar.tolist())


if __name__ == "__main__":
    main()
