"""Handwritten digits with the gradient of every sample: each one's gradient is clipped to a norm
before the minibatch is averaged, as private training does.

The loss is that of one image, and the parameters are a list of layers `(W, b)`. `vmap` makes its
gradient one compiled loop over the batch.
"""

from __future__ import annotations

import itertools

import numpy as np

import retrograd as rg
from datasets import digits, split

HIDDEN, CLASSES = 32, 10

Layers = list[tuple[np.ndarray, np.ndarray]]


def loss(layers, image, digit):
    """Cross-entropy of one image. layers: [(W, b), ...], image: (64,), digit: an int."""
    x = image
    for number, (W, b) in enumerate(layers):
        x = W @ x + b
        if number < len(layers) - 1:
            x = np.tanh(x)
    top = np.max(x)
    return top + np.log(np.sum(np.exp(x - top))) - x[digit]


def initialise(rng: np.random.Generator) -> Layers:
    sizes = (64, HIDDEN, CLASSES)
    return [(rng.normal(size=(after, before)) / np.sqrt(before), np.zeros(after))
            for before, after in itertools.pairwise(sizes)]


def norms(gradients: Layers) -> np.ndarray:
    """The norm of each sample's gradient over all parameters: the first axis is the samples'."""
    squares = [np.sum(g.reshape(len(g), -1) ** 2, axis=1) for layer in gradients for g in layer]
    return np.sqrt(np.sum(squares, axis=0))


def train(X: np.ndarray, digit: np.ndarray, jit: bool, epochs: int = 12, batch: int = 64,
          rate: float = 0.5, limit: float = 1.0) -> Layers:
    rng = np.random.default_rng(1)
    layers = initialise(rng)
    gradients_of = rg.vmap(rg.grad(loss, jit=jit), in_axes=(None, 0, 0))
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for start in range(0, len(X) - batch + 1, batch):
            rows = order[start:start + batch]
            gradients = gradients_of(layers, X[rows], digit[rows])
            weight = np.minimum(1.0, limit / norms(gradients)) / batch
            layers = [(W - rate * np.tensordot(weight, W_bars, 1),
                       b - rate * np.tensordot(weight, b_bars, 1))
                      for (W, b), (W_bars, b_bars) in zip(layers, gradients, strict=True)]
    return layers


def accuracy(layers: Layers, X: np.ndarray, digit: np.ndarray) -> float:
    (W1, b1), (W2, b2) = layers
    return float(np.mean(np.argmax(np.tanh(X @ W1.T + b1) @ W2.T + b2, axis=1) == digit))


def compare(layers: Layers, X: np.ndarray, digit: np.ndarray, jit: bool) -> None:
    """`reduce="mean"` gives the mean of the gradients without keeping those of the samples."""
    gradient = rg.grad(loss, jit=jit)
    mean = rg.vmap(gradient, in_axes=(None, 0, 0), reduce="mean")(layers, X, digit)
    each = rg.vmap(gradient, in_axes=(None, 0, 0))(layers, X, digit)
    for found, gradients in zip(mean, each, strict=True):
        for m, g in zip(found, gradients, strict=True):
            assert np.allclose(m, np.mean(g, axis=0), rtol=1e-10, atol=1e-12)


def main(jit: bool = True) -> None:
    X, digit, X_held_out, digit_held_out = split(*digits(), seed=0)
    X, X_held_out = X / 16.0, X_held_out / 16.0
    layers = train(X, digit, jit)
    compare(layers, X, digit, jit)
    share = accuracy(layers, X_held_out, digit_held_out)
    print(f"held-out accuracy {share:.3f}")
    assert share >= 0.93


if __name__ == "__main__":
    main()
