"""Stencils written as loops over elements and as slices: Seidel and Jacobi in two dimensions.

Both are linear, so their adjoints need no tape. The adjoints by hand are plain: they scatter,
element by element.
"""

from __future__ import annotations

import numba
import numpy as np

import retrograd as rg
from common import first_call, fresh_cache, jax_or_none, side_by_side, table

OPTIONS = {"error_model": "numpy", "fastmath": {"contract"}}


def seidel(A, steps):
    A = A.copy()
    n = A.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = (A[i - 1, j - 1] + A[i - 1, j] + A[i - 1, j + 1]
                           + A[i, j - 1] + A[i, j] + A[i, j + 1]
                           + A[i + 1, j - 1] + A[i + 1, j] + A[i + 1, j + 1]) / 9.0
    return np.sum(A * A)


@numba.njit(**OPTIONS)
def seidel_by_hand(A, steps):
    A = A.copy()
    n = A.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = (A[i - 1, j - 1] + A[i - 1, j] + A[i - 1, j + 1]
                           + A[i, j - 1] + A[i, j] + A[i, j + 1]
                           + A[i + 1, j - 1] + A[i + 1, j] + A[i + 1, j + 1]) / 9.0
    A_bar = 2.0 * A
    for _ in range(steps):
        for i in range(n - 2, 0, -1):
            for j in range(n - 2, 0, -1):
                g = A_bar[i, j] * (1.0 / 9.0)
                A_bar[i - 1, j - 1] += g
                A_bar[i - 1, j] += g
                A_bar[i - 1, j + 1] += g
                A_bar[i, j - 1] += g
                A_bar[i, j] = g
                A_bar[i, j + 1] += g
                A_bar[i + 1, j - 1] += g
                A_bar[i + 1, j] += g
                A_bar[i + 1, j + 1] += g
    return A_bar


def jacobi(A, steps):
    A = A.copy()
    B = A.copy()
    n = A.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                B[i, j] = 0.2 * (A[i, j] + A[i, j - 1] + A[i, j + 1] + A[i + 1, j] + A[i - 1, j])
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = 0.2 * (B[i, j] + B[i, j - 1] + B[i, j + 1] + B[i + 1, j] + B[i - 1, j])
    return np.sum(A * A)


def jacobi_slices(A, steps):
    A = A.copy()
    B = A.copy()
    for _ in range(steps):
        B[1:-1, 1:-1] = 0.2 * (A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:]
                               + A[2:, 1:-1] + A[:-2, 1:-1])
        A[1:-1, 1:-1] = 0.2 * (B[1:-1, 1:-1] + B[1:-1, :-2] + B[1:-1, 2:]
                               + B[2:, 1:-1] + B[:-2, 1:-1])
    return np.sum(A * A)


@numba.njit(**OPTIONS)
def jacobi_by_hand(A, steps):  # noqa: C901 - two half steps, forward and back
    A = A.copy()
    B = A.copy()
    n = A.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                B[i, j] = 0.2 * (A[i, j] + A[i, j - 1] + A[i, j + 1] + A[i + 1, j] + A[i - 1, j])
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = 0.2 * (B[i, j] + B[i, j - 1] + B[i, j + 1] + B[i + 1, j] + B[i - 1, j])
    A_bar = 2.0 * A
    B_bar = np.zeros_like(A)
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                g = 0.2 * A_bar[i, j]
                A_bar[i, j] = 0.0
                B_bar[i, j] += g
                B_bar[i, j - 1] += g
                B_bar[i, j + 1] += g
                B_bar[i + 1, j] += g
                B_bar[i - 1, j] += g
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                g = 0.2 * B_bar[i, j]
                B_bar[i, j] = 0.0
                A_bar[i, j] += g
                A_bar[i, j - 1] += g
                A_bar[i, j + 1] += g
                A_bar[i + 1, j] += g
                A_bar[i - 1, j] += g
    return A_bar + B_bar


def jax_jacobi(jax, steps):
    def half(A, B):
        inner = 0.2 * (A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:] + A[2:, 1:-1] + A[:-2, 1:-1])
        return B.at[1:-1, 1:-1].set(inner)

    def step(_, state):
        A, B = state
        B = half(A, B)
        return half(B, A), B

    def value(A):
        A, _ = jax.lax.fori_loop(0, steps, step, (A, A))
        return jax.numpy.sum(A * A)

    return jax.jit(jax.grad(value))


def jax_seidel(jax, steps):
    """Rows by a scan, and in a row the recurrence of its elements by another scan."""
    def row(above, lines):
        old, below = lines
        known = (above[:-2] + above[1:-1] + above[2:] + old[1:-1] + old[2:]
                 + below[:-2] + below[1:-1] + below[2:])

        def element(left, rest):
            new = (left + rest) / 9.0
            return new, new

        _, inner = jax.lax.scan(element, old[0], known)
        new = jax.numpy.concatenate((old[:1], inner, old[-1:]))
        return new, new

    def step(_, A):
        _, rows = jax.lax.scan(row, A[0], (A[1:-1], A[2:]))
        return jax.numpy.concatenate((A[:1], rows, A[-1:]))

    def value(A):
        A = jax.lax.fori_loop(0, steps, step, A)
        return jax.numpy.sum(A * A)

    return jax.jit(jax.grad(value))


def measured(title, n, steps, by_hand, contestants, with_jax):
    """Check that all agree, then time them side by side; compile seconds of retrograd's."""
    A = np.random.default_rng(0).standard_normal((n, n))
    true = by_hand(A, steps)
    gradients = {label: rg.grad(f) for label, f in contestants.items()}
    for label, g in gradients.items():
        passed = first_call(lambda g=g: g(A, steps))
        print(f"\n  {label}: derived and compiled in {passed:.2f} s")
        assert np.allclose(g(A, steps), true, rtol=1e-9, atol=1e-12), label
    runs = {"Numba, by hand": lambda: by_hand(A, steps)}
    runs |= {label: lambda g=g: g(A, steps) for label, g in gradients.items()}
    jax = jax_or_none()
    if jax is not None:
        f, on_device = with_jax(jax, steps), jax.numpy.asarray(A)
        assert np.allclose(f(on_device), true, rtol=1e-9, atol=1e-12)
        runs["JAX"] = lambda: jax.block_until_ready(f(on_device))
    table(title, side_by_side(runs))


def main() -> None:
    with fresh_cache():
        measured("Seidel 2D, N 120, T 40 (target: within 1.3 of by hand)", 120, 40,
                 seidel_by_hand, {"retrograd": seidel}, jax_seidel)
        measured("Jacobi 2D, N 250, T 100 (targets: loops within 1.3 of by hand; slices within 2 "
                 "of loops, compiled in under 3 s)", 250, 100, jacobi_by_hand,
                 {"retrograd, loops": jacobi, "retrograd, slices": jacobi_slices}, jax_jacobi)


if __name__ == "__main__":
    main()
