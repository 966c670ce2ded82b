"""Factorisations in place, as loops over elements: what does a gradient cost beside the function?

The elements of a factor are final once they are written, so the reverse sweep reads them where they
are; what is overwritten on the way must be known again.
"""

from __future__ import annotations

import sys

import numba
import numpy as np

import retrograd as rg
from common import first_call, fresh_cache, side_by_side, table

OPTIONS = {"error_model": "numpy", "fastmath": {"contract"}}


def cholesky(A):
    A = A.copy()
    n = A.shape[0]
    for i in range(n):
        for j in range(i):
            for k in range(j):
                A[i, j] -= A[i, k] * A[j, k]
            A[i, j] /= A[j, j]
        for k in range(i):
            A[i, i] -= A[i, k] * A[i, k]
        A[i, i] = np.sqrt(A[i, i])
    return np.sum(A * A)


@numba.njit(**OPTIONS)
def cholesky_by_hand(A):
    L = A.copy()
    n = L.shape[0]
    for i in range(n):
        for j in range(i):
            s = L[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = s / L[j, j]
        s = L[i, i]
        for k in range(i):
            s -= L[i, k] * L[i, k]
        L[i, i] = np.sqrt(s)
    L_bar = 2.0 * L
    for i in range(n - 1, -1, -1):
        g = 0.5 * L_bar[i, i] / L[i, i]
        L_bar[i, i] = g
        for k in range(i):
            L_bar[i, k] -= 2.0 * g * L[i, k]
        for j in range(i - 1, -1, -1):
            g = L_bar[i, j] / L[j, j]
            L_bar[i, j] = g
            L_bar[j, j] -= g * L[i, j]
            for k in range(j):
                L_bar[i, k] -= g * L[j, k]
                L_bar[j, k] -= g * L[i, k]
    return L_bar


def lu(A):
    A = A.copy()
    n = A.shape[0]
    for i in range(n):
        for j in range(i):
            for k in range(j):
                A[i, j] -= A[i, k] * A[k, j]
            A[i, j] /= A[j, j]
        for j in range(i, n):
            for k in range(i):
                A[i, j] -= A[i, k] * A[k, j]
    return np.sum(A * A)


@numba.njit(**OPTIONS)
def lu_by_hand(A):  # noqa: C901 - the nest of loops, forward and back
    A = A.copy()
    n = A.shape[0]
    for i in range(n):
        for j in range(i):
            for k in range(j):
                A[i, j] -= A[i, k] * A[k, j]
            A[i, j] /= A[j, j]
        for j in range(i, n):
            for k in range(i):
                A[i, j] -= A[i, k] * A[k, j]
    A_bar = 2.0 * A
    for i in range(n - 1, -1, -1):
        for j in range(n - 1, i - 1, -1):
            g = A_bar[i, j]
            for k in range(i):
                A_bar[i, k] -= g * A[k, j]
                A_bar[k, j] -= g * A[i, k]
        for j in range(i - 1, -1, -1):
            g = A_bar[i, j] / A[j, j]
            A_bar[i, j] = g
            A_bar[j, j] -= g * A[i, j]
            for k in range(j):
                A_bar[i, k] -= g * A[k, j]
                A_bar[k, j] -= g * A[i, k]
    return A_bar


def gramschmidt(A):
    A = A.copy()
    m, n = A.shape
    Q = np.zeros((m, n))
    R = np.zeros((n, n))
    for k in range(n):
        nrm = 0.0
        for i in range(m):
            nrm += A[i, k] * A[i, k]
        R[k, k] = np.sqrt(nrm)
        for i in range(m):
            Q[i, k] = A[i, k] / R[k, k]
        for j in range(k + 1, n):
            for i in range(m):
                R[k, j] += Q[i, k] * A[i, j]
            for i in range(m):
                A[i, j] -= Q[i, k] * R[k, j]
    return np.sum(Q * R)


@numba.njit(**OPTIONS)
def gramschmidt_by_hand(A):  # noqa: C901 - the nest of loops, forward and back
    """The column A[:, j] is restored by adding again what was subtracted."""
    A = A.copy()
    m, n = A.shape
    Q = np.zeros((m, n))
    R = np.zeros((n, n))
    for k in range(n):
        nrm = 0.0
        for i in range(m):
            nrm += A[i, k] * A[i, k]
        R[k, k] = np.sqrt(nrm)
        for i in range(m):
            Q[i, k] = A[i, k] / R[k, k]
        for j in range(k + 1, n):
            for i in range(m):
                R[k, j] += Q[i, k] * A[i, j]
            for i in range(m):
                A[i, j] -= Q[i, k] * R[k, j]
    Q_bar, R_bar, A_bar = R.copy(), Q.copy(), np.zeros_like(A)
    for k in range(n - 1, -1, -1):
        for j in range(n - 1, k, -1):
            r, r_bar = R[k, j], R_bar[k, j]
            for i in range(m):
                A[i, j] += Q[i, k] * r
                Q_bar[i, k] -= A_bar[i, j] * r
                r_bar -= A_bar[i, j] * Q[i, k]
            for i in range(m):
                Q_bar[i, k] += r_bar * A[i, j]
                A_bar[i, j] += r_bar * Q[i, k]
        r_bar = R_bar[k, k]
        for i in range(m):
            g = Q_bar[i, k] / R[k, k]
            A_bar[i, k] += g
            r_bar -= g * Q[i, k]
        g = r_bar / R[k, k]
        for i in range(m):
            A_bar[i, k] += g * A[i, k]
    return A_bar


def durbin(r):
    y = np.empty(len(r))
    z = np.empty(len(r))
    y[0] = -r[0]
    beta = 1.0
    alpha = -r[0]
    for k in range(1, len(r)):
        beta = (1 - alpha * alpha) * beta
        total = 0.0
        for i in range(k):
            total += r[k - i - 1] * y[i]
        alpha = -(r[k] + total) / beta
        for i in range(k):
            z[i] = y[i] + alpha * y[k - i - 1]
        for i in range(k):
            y[i] = z[i]
        y[k] = alpha
    return np.sum(y * y)


@numba.njit(**OPTIONS)
def durbin_by_hand(r):
    """The vector y of every step is a row of a triangle."""
    n = len(r)
    ys, alphas, betas = np.empty((n, n)), np.empty(n), np.empty(n)
    ys[0, 0], alphas[0], betas[0] = -r[0], -r[0], 1.0
    for k in range(1, n):
        beta = (1 - alphas[k - 1] * alphas[k - 1]) * betas[k - 1]
        total = 0.0
        for i in range(k):
            total += r[k - i - 1] * ys[k - 1, i]
        alpha = -(r[k] + total) / beta
        for i in range(k):
            ys[k, i] = ys[k - 1, i] + alpha * ys[k - 1, k - i - 1]
        ys[k, k] = alphas[k] = alpha
        betas[k] = beta
    y_bar, z_bar, r_bar = 2.0 * ys[n - 1], np.empty(n), np.zeros(n)
    alpha_bar = beta_bar = 0.0
    for k in range(n - 1, 0, -1):
        alpha, alpha_bar = alphas[k], alpha_bar + y_bar[k]
        y_bar[k] = 0.0
        for i in range(k):
            z_bar[i] = y_bar[i]
        for i in range(k):
            alpha_bar += z_bar[i] * ys[k - 1, k - i - 1]
            y_bar[i] += alpha * z_bar[k - i - 1]
        total_bar = -alpha_bar / betas[k]
        beta_bar -= alpha_bar * alpha / betas[k]
        r_bar[k] += total_bar
        for i in range(k):
            r_bar[k - i - 1] += total_bar * ys[k - 1, i]
            y_bar[i] += total_bar * r[k - i - 1]
        alpha_bar = -2.0 * alphas[k - 1] * betas[k - 1] * beta_bar
        beta_bar *= 1 - alphas[k - 1] * alphas[k - 1]
    r_bar[0] -= alpha_bar + y_bar[0]
    return r_bar


def matrices(n):
    """A positive definite matrix, a diagonally dominant one, a well-conditioned one."""
    normal = np.random.default_rng(0).standard_normal((n, n)) / np.sqrt(n)
    return normal @ normal.T + np.eye(n), normal + 2.0 * np.sqrt(n) * np.eye(n), \
        normal + 2.0 * np.eye(n)


def correlations(n):
    """They fall off quickly, so that the system of equations is well conditioned."""
    return 0.1 * np.random.default_rng(0).standard_normal(n) / (1.0 + np.arange(n))


def cases(n=200):
    definite, dominant, regular = matrices(n)
    return ((cholesky, cholesky_by_hand, definite),
            (lu, lu_by_hand, dominant),
            (gramschmidt, gramschmidt_by_hand, regular),
            (durbin, durbin_by_hand, correlations(1000)))


def measured(f, by_hand, x):
    """Check that the gradients agree, then time them beside the primal; compile seconds."""
    primal, gradient = numba.njit(**OPTIONS)(f), rg.grad(f)
    passed = first_call(lambda: gradient(x))
    print(f"\n  {f.__name__}: derived and compiled in {passed:.2f} s")
    true = by_hand(x)
    assert np.allclose(gradient(x), true, rtol=1e-8, atol=1e-10 * np.abs(true).max())
    table(f"{f.__name__}, n = {len(x)} (target: gradient within 4 of the primal)",
          side_by_side({"primal, Numba": lambda: primal(x),
                        "gradient, Numba, by hand": lambda: by_hand(x),
                        "gradient, retrograd": lambda: gradient(x)}))


def main(names: list[str]) -> None:
    with fresh_cache():
        for f, by_hand, x in cases():
            if not names or f.__name__ in names:
                measured(f, by_hand, x)


if __name__ == "__main__":
    main(sys.argv[1:])
