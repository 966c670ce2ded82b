"""Checkpointed loops: few states are kept, the others are computed again."""

from __future__ import annotations

import numpy as np

import retrograd as rg
from corpus.entry import normal, positive, program


@program((0.4, 3.5, 20, 3), (0.4, 3.5, 1, 3), (0.4, 3.5, 0, 1), (0.4, 3.5, 7, 50))
def logistic_map(x, r, n, k):
    for _ in rg.checkpointed(range(n), snapshots=k):
        x = r * x * (1 - x)
    return x


@program((normal(6), 0.3, 12), (normal(6), 0.3, 1), jax=False)
def diffusion_by_slices(u0, nu, steps):
    u = u0.copy()
    for _ in rg.checkpointed(range(steps), snapshots=2):
        un = u.copy()
        u[1:-1] = un[1:-1] + nu * (un[2:] - 2 * un[1:-1] + un[:-2]) - 0.1 * un[1:-1] ** 3
    return np.sum(u * u)


@program((normal(3), normal(3, seed=1), 0.1, 15))
def pendulums(q, p, h, steps):
    for _ in rg.checkpointed(range(steps)):
        p = p - h * np.sin(q)
        q = q + h * p
    return 0.5 * np.sum(p * p) - np.sum(np.cos(q))


@program((1.0, 0.5, 10.0, 28.0, 9))
def runge_kutta_with_a_helper(x, y, sigma, rho, steps):
    def field(x, y):
        return sigma * (y - x) * 0.1, (x * (rho - x) - y) * 0.01

    for _ in rg.checkpointed(range(steps), 3):
        a1, b1 = field(x, y)
        a2, b2 = field(x + 0.05 * a1, y + 0.05 * b1)
        x, y = x + 0.1 * a2, y + 0.1 * b2
    return x * y


@program((normal(4, 4), normal(4), normal(5, 4)))
def recurrent_network(W, h, inputs):
    loss = 0.0
    for row in rg.checkpointed(inputs, snapshots=2):
        h = np.tanh(W @ h + row)
        loss += np.sum(h * h)
    return loss


@program((positive(5), 4, 6))
def outer_and_inner(x, epochs, steps):
    for e in rg.checkpointed(range(epochs), snapshots=2):
        x = x * (1.0 + 0.1 * e)
        for t in rg.checkpointed(range(steps), snapshots=2):
            x = np.sqrt(x + np.sin(x * t) ** 2)
    return np.sum(x)


@program((0.7, 10), (1.4, 3))
def in_a_branch_of_a_loop(x, n):
    for i in range(3):
        if i != 1:
            for t in rg.checkpointed(range(n, 0, -2), snapshots=2):
                x = np.sin(x) + 0.1 * t / n
        else:
            x = x * x
    return x


@program((positive(4), 8))
def iterations_inside(a, n):
    y = np.ones(4)
    for _ in rg.checkpointed(range(n), snapshots=3):
        k = 0
        while k < 3 and np.max(np.abs(y * y - a)) > 1e-3:
            y = 0.5 * (y + a / y)
            k += 1
        a = a * 1.1
    return np.sum(y)


@program((normal(5), 0.8, 6), jax=False)
def two_buffers(u, c, n):
    a = u.copy()
    b = np.zeros(5)
    for _ in rg.checkpointed(range(n), snapshots=2):
        for i in range(5):
            b[i] = np.sin(a[i] * a[i - 1]) + c
        a, b = b, a
    return np.sum(a * b)


@program((normal(4).astype(np.float32), np.float32(0.5), 9), rtol=1e-3)
def single_precision(u, c, n):
    for _ in rg.checkpointed(range(n), snapshots=2):
        u = u + 0.1 * c * np.cos(u)
    return np.sum(u * u)
