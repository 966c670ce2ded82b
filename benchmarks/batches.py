"""Batches: three numbers, an option and its gradients, a network's gradients sample by sample.

What is mapped over samples is written for one sample. Figures are processor seconds on one core.
"""

from __future__ import annotations

import math

import numba
import numpy as np

import retrograd as rg
from common import jax_or_none, side_by_side, table

TRIPLES, OPTIONS, SAMPLES = 10**7, 10**6, 1797


def compute_s(x, y, z):
    r1 = np.subtract(x, y)
    r2 = np.multiply(r1, 2)
    z = np.add(r2, z)
    return z


def price(S, K, r, sigma, T):
    d1 = (math.log(S / K) + (r + 0.5 * sigma * sigma) * T) / (sigma * math.sqrt(T))
    d2 = d1 - sigma * math.sqrt(T)
    n1 = 0.5 * (1.0 + math.erf(d1 / math.sqrt(2.0)))
    n2 = 0.5 * (1.0 + math.erf(d2 / math.sqrt(2.0)))
    return S * n1 - K * math.exp(-r * T) * n2


def loss(W1, b1, W2, b2, x, label):
    h = np.tanh(W1 @ x + b1)
    z = W2 @ h + b2
    m = np.max(z)
    return m + np.log(np.sum(np.exp(z - m))) - z[label]


@numba.njit(error_model="numpy", fastmath={"contract"})
def price_by_hand(S, K, r, sigma, T):
    """The price and its gradients, without vector math: every expression once."""
    n = S.size
    values, by_S, by_K, by_r, by_sigma, by_T = (
        np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n))
    for i in range(n):
        root = math.sqrt(T[i])
        spread = sigma[i] * root
        d1 = (math.log(S[i] / K[i]) + (r[i] + 0.5 * sigma[i] * sigma[i]) * T[i]) / spread
        n1 = 0.5 * (1.0 + math.erf(d1 * math.sqrt(0.5)))
        n2 = 0.5 * (1.0 + math.erf((d1 - spread) * math.sqrt(0.5)))
        discount = math.exp(-r[i] * T[i])
        density = S[i] * math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
        strike = K[i] * discount * n2
        values[i] = S[i] * n1 - strike
        by_S[i] = n1
        by_K[i] = -discount * n2
        by_r[i] = T[i] * strike
        by_sigma[i] = density * root
        by_T[i] = 0.5 * density * sigma[i] / root + r[i] * strike
    return values, (by_S, by_K, by_r, by_sigma, by_T)


# --- bandwidth ------------------------------------------------------------------------------------


def triples() -> None:
    """Beside NumPy copying as many bytes: half of those that are read and written."""
    x, y, z = np.random.default_rng(0).random((3, TRIPLES))
    for title, f, columns in (
            ("compute_s", rg.vmap(rg.differentiable(compute_s)), 4),
            ("compute_s and its gradients", rg.vmap(rg.value_and_grad(compute_s, (0, 1, 2))), 7)):
        fresh = f(x, y, z)
        out = np.empty_like(x) if columns == 4 else (
            np.empty_like(x), tuple(np.empty_like(x) for _ in range(3)))
        f(x, y, z, out=out)
        assert np.array_equal(out if columns == 4 else out[0], 2 * (x - y) + z)
        del fresh
        source = np.random.default_rng(1).random(columns * TRIPLES // 2)
        target = np.empty_like(source)
        runs = {"np.copyto": lambda t=target, s=source: np.copyto(t, s),
                "retrograd, out=": lambda f=f, o=out: f(x, y, z, out=o),
                "copy()": source.copy,
                "retrograd, fresh results": lambda f=f: f(x, y, z)}
        table(f"{title}, 10^7 triples (target: at most {1 / 0.6:.2f} of NumPy's copies)",
              side_by_side(runs))


# --- an option --------------------------------------------------------------------------------


def options() -> None:
    rng = np.random.default_rng(0)
    args = tuple(rng.uniform(low, high, OPTIONS) for low, high in (
        (80, 120), (80, 120), (0.01, 0.05), (0.1, 0.4), (0.2, 2.0)))
    ours = rg.vmap(rg.value_and_grad(price, (0, 1, 2, 3, 4)))
    value, gradients = ours(*args)
    true_value, true_gradients = price_by_hand(*args)
    for found, true in zip((value, *gradients), (true_value, *true_gradients), strict=True):
        assert np.allclose(found, true, rtol=1e-9, atol=1e-9)
    out = (np.empty(OPTIONS), tuple(np.empty(OPTIONS) for _ in range(5)))
    runs = {"Numba, by hand, no vector math": lambda: price_by_hand(*args),
            "retrograd": lambda: ours(*args),
            "retrograd, out=": lambda: ours(*args, out=out)}
    jax = jax_or_none()
    if jax is not None:
        theirs = jax.jit(jax.vmap(jax.value_and_grad(_jax_price(jax), (0, 1, 2, 3, 4))))
        moved = [jax.numpy.asarray(a) for a in args]
        runs["JAX"] = lambda: jax.block_until_ready(theirs(*moved))
    table("Black-Scholes and five gradients, 10^6 options (target: at most 1.5, and below JAX)",
          side_by_side(runs))


def _jax_price(jax):
    jnp, erf = jax.numpy, jax.scipy.special.erf

    def price(S, K, r, sigma, T):
        d1 = (jnp.log(S / K) + (r + 0.5 * sigma * sigma) * T) / (sigma * jnp.sqrt(T))
        d2 = d1 - sigma * jnp.sqrt(T)
        n1 = 0.5 * (1.0 + erf(d1 / jnp.sqrt(2.0)))
        n2 = 0.5 * (1.0 + erf(d2 / jnp.sqrt(2.0)))
        return S * n1 - K * jnp.exp(-r * T) * n2

    return price


# --- a network ----------------------------------------------------------------------------------


def network() -> None:
    rng = np.random.default_rng(0)
    params = (0.1 * rng.standard_normal((32, 64)), np.zeros(32),
              0.1 * rng.standard_normal((10, 32)), np.zeros(10))
    data = rng.random((SAMPLES, 64)), rng.integers(0, 10, SAMPLES)
    axes, by = (None, None, None, None, 0, 0), (0, 1, 2, 3)
    gradient = rg.grad(loss, by)
    each, mean = rg.vmap(gradient, axes), rg.vmap(gradient, axes, reduce="mean")
    found = each(*params, *data)
    out = tuple(map(np.empty_like, found))
    runs = {"retrograd": lambda: each(*params, *data),
            "retrograd, out=": lambda: each(*params, *data, out=out),
            "retrograd, mean": lambda: mean(*params, *data)}
    jax = jax_or_none()
    if jax is not None:
        theirs = jax.vmap(jax.grad(_jax_loss(jax), by), axes)
        jit_each = jax.jit(theirs)
        jit_mean = jax.jit(lambda *a: jax.tree.map(lambda t: t.mean(0), theirs(*a)))
        moved = [jax.numpy.asarray(a) for a in (*params, *data)]
        for ours, other in zip(found, jit_each(*moved), strict=True):
            assert np.allclose(ours, other, rtol=1e-9, atol=1e-12)
        runs["JAX"] = lambda: jax.block_until_ready(jit_each(*moved))
        runs["JAX, mean"] = lambda: jax.block_until_ready(jit_mean(*moved))
    table(f"digits network, gradients of {SAMPLES} samples (target: no slower than JAX)",
          side_by_side(runs, rounds=20))


def _jax_loss(jax):
    jnp = jax.numpy

    def loss(W1, b1, W2, b2, x, label):
        h = jnp.tanh(W1 @ x + b1)
        z = W2 @ h + b2
        m = jnp.max(z)
        return m + jnp.log(jnp.sum(jnp.exp(z - m))) - z[label]

    return loss


if __name__ == "__main__":
    triples()
    options()
    network()
