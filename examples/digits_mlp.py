"""Handwritten digits: a two-layer network, Xavier initialisation, minibatches, momentum.

The loss is written as nested functions, as one would sketch it; the compiler inlines them.
"""

from __future__ import annotations

import numpy as np

import retrograd as rg
from datasets import digits, split

HIDDEN, CLASSES = 48, 10


def network_loss(W1, b1, W2, b2, X, target):
    """Mean cross-entropy. X: (n, 64), target: (n, 10) with a one at the digit."""

    def layer(x, W, b):
        return x @ W + b

    def log_softmax(z):
        z = z - np.max(z, axis=1, keepdims=True)
        return z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))

    def network(x):
        return layer(np.tanh(layer(x, W1, b1)), W2, b2)

    return -np.mean(np.sum(target * log_softmax(network(X)), axis=1))


def initialise(rng: np.random.Generator) -> list[np.ndarray]:
    def xavier(rows: int, columns: int) -> np.ndarray:
        bound = np.sqrt(6.0 / (rows + columns))
        return rng.uniform(-bound, bound, (rows, columns))

    return [xavier(64, HIDDEN), np.zeros(HIDDEN), xavier(HIDDEN, CLASSES), np.zeros(CLASSES)]


def accuracy(parameters: list[np.ndarray], X: np.ndarray, digit: np.ndarray) -> float:
    W1, b1, W2, b2 = parameters
    scores = np.tanh(X @ W1 + b1) @ W2 + b2
    return float(np.mean(np.argmax(scores, axis=1) == digit))


def train(
    X: np.ndarray, digit: np.ndarray, jit: bool, epochs: int = 30, batch: int = 64
) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    parameters = initialise(rng)
    speed = [np.zeros_like(p) for p in parameters]
    target = np.eye(CLASSES)[digit]
    step = rg.value_and_grad(network_loss, argnums=(0, 1, 2, 3), jit=jit)
    for epoch in range(epochs):
        order = rng.permutation(len(X))
        total = 0.0
        for start in range(0, len(X) - batch + 1, batch):
            rows = order[start : start + batch]
            value, gradients = step(*parameters, X[rows], target[rows])
            total += value
            for p, v, g in zip(parameters, speed, gradients, strict=True):
                v *= 0.9
                v -= 0.1 * g
                p += v
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {total / (len(X) // batch):.4f}")
    return parameters


def main(jit: bool = True) -> None:
    X, digit, X_held_out, digit_held_out = split(*digits(), seed=0)
    parameters = train(X / 16.0, digit, jit)
    share = accuracy(parameters, X_held_out / 16.0, digit_held_out)
    print(f"held-out accuracy {share:.3f}")
    assert share >= 0.95


if __name__ == "__main__":
    main()
