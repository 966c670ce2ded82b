"""A two-layer network: NumPy mode against autograd, and compiled against JAX."""

from __future__ import annotations

import autograd
import autograd.numpy
import numpy as np

import retrograd as rg
from common import jax_or_none, seconds, table


def loss(W1, b1, W2, b2, X, target):
    h = np.tanh(X @ W1 + b1)
    z = h @ W2 + b2
    z = z - np.max(z, axis=1, keepdims=True)
    logs = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(np.sum(target * logs, axis=1))


def on(numpy):
    """The same loss on another NumPy."""
    def other(W1, b1, W2, b2, X, target):
        h = numpy.tanh(X @ W1 + b1)
        z = h @ W2 + b2
        z = z - numpy.max(z, axis=1, keepdims=True)
        logs = z - numpy.log(numpy.sum(numpy.exp(z), axis=1, keepdims=True))
        return -numpy.mean(numpy.sum(target * logs, axis=1))

    return other


def main(batch: int = 64) -> None:
    rng = np.random.default_rng(0)
    args = (rng.standard_normal((64, 48)) * 0.1, np.zeros(48), rng.standard_normal((48, 10)) * 0.1,
            np.zeros(10), rng.standard_normal((batch, 64)), np.eye(10)[rng.integers(0, 10, batch)])
    by = (0, 1, 2, 3)
    reference = autograd.grad(on(autograd.numpy), by)
    uncompiled, compiled = rg.grad(loss, argnums=by, jit=False), rg.grad(loss, argnums=by)
    for found in (uncompiled(*args), compiled(*args)):
        for g, true in zip(found, reference(*args), strict=True):
            assert np.allclose(g, true, rtol=1e-9, atol=1e-12)
    rows = {"autograd": seconds(reference, *args),
            "retrograd, jit=False": seconds(uncompiled, *args),
            "retrograd, compiled": seconds(compiled, *args)}
    jax = jax_or_none()
    if jax is not None:
        f = jax.jit(jax.grad(on(jax.numpy), by))
        moved = [jax.numpy.asarray(a) for a in args]
        rows["JAX"] = seconds(lambda: jax.block_until_ready(f(*moved)))
    table(f"two-layer network, batch of {batch} (target: jit=False no slower than autograd)", rows)


if __name__ == "__main__":
    main()
    main(1024)
