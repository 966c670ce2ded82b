"""PolyBench: stencils, as loops over elements."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, weighed


@in_place((normal(6), 3), (normal(6), 0))
def jacobi_1d(A, steps):
    A = A.copy()
    B = np.zeros(len(A))
    for t in range(steps):
        for i in range(1, len(A) - 1):
            B[i] = 0.33333 * (A[i - 1] + A[i] + A[i + 1])
        for i in range(1, len(A) - 1):
            A[i] = 0.33333 * (B[i - 1] + B[i] + B[i + 1])
    return A


@in_place((normal(4, 5), normal(4, 5, seed=1), 2))
def jacobi_2d(A, B, steps):
    A = A.copy()
    B = B.copy()
    n, m = A.shape
    for t in range(steps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                B[i, j] = 0.2 * (A[i, j] + A[i, j - 1] + A[i, 1 + j] + A[1 + i, j] + A[i - 1, j])
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                A[i, j] = 0.2 * (B[i, j] + B[i, j - 1] + B[i, 1 + j] + B[1 + i, j] + B[i - 1, j])
    return weighed(A * A) + weighed(B)


@in_place((normal(4, 4), 2))
def seidel_2d(A, steps):
    n = len(A)
    for t in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = (A[i - 1, j - 1] + A[i - 1, j] + A[i - 1, j + 1]
                           + A[i, j - 1] + A[i, j] + A[i, j + 1]
                           + A[i + 1, j - 1] + A[i + 1, j] + A[i + 1, j + 1]) / 9.0
    return A


@in_place((normal(4, 4), 2))
def nonlinear_seidel(A, steps):
    """Every element feeds its neighbours of the same sweep through a sine."""
    A = A.copy()
    n = len(A)
    for t in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = np.sin(A[i - 1, j] * A[i, j] + A[i, j - 1]) + 0.3 * A[i, j + 1] ** 2
    return weighed(A * A)


@in_place((normal(3, 4, 3), 0.125, 2))
def heat_3d(A, c, steps):
    A = A.copy()
    B = A.copy()
    for t in range(steps):
        for i in range(1, A.shape[0] - 1):
            for j in range(1, A.shape[1] - 1):
                for k in range(1, A.shape[2] - 1):
                    B[i, j, k] = (
                        c * (A[i + 1, j, k] - 2.0 * A[i, j, k] + A[i - 1, j, k])
                        + c * (A[i, j + 1, k] - 2.0 * A[i, j, k] + A[i, j - 1, k])
                        + c * (A[i, j, k + 1] - 2.0 * A[i, j, k] + A[i, j, k - 1])
                        + A[i, j, k])
        A, B = B, A
    return A


@in_place((normal(3, 4), normal(3, 4, seed=1), normal(3, 4, seed=2), normal(2)))
def fdtd_2d(ex, ey, hz, fict):
    ex = ex.copy()
    ey = ey.copy()
    hz = hz.copy()
    nx, ny = ex.shape
    for t in range(len(fict)):
        for j in range(ny):
            ey[0, j] = fict[t]
        for i in range(1, nx):
            for j in range(ny):
                ey[i, j] = ey[i, j] - 0.5 * (hz[i, j] - hz[i - 1, j])
        for i in range(nx):
            for j in range(1, ny):
                ex[i, j] = ex[i, j] - 0.5 * (hz[i, j] - hz[i, j - 1])
        for i in range(nx - 1):
            for j in range(ny - 1):
                hz[i, j] = hz[i, j] - 0.7 * (ex[i, j + 1] - ex[i, j] + ey[i + 1, j] - ey[i, j])
    return weighed(hz * hz) + weighed(ex) + weighed(ey)


@in_place((normal(4, 4), 0.3, 0.2, 2), (normal(4, 4), 0.3, 0.2, 1))
def adi(u, a, d, steps):
    """Alternating directions: an implicit sweep along columns, then one along rows."""
    u = u.copy()
    n = len(u)
    v = np.zeros((n, n))
    p = np.zeros((n, n))
    q = np.zeros((n, n))
    b, e = 1.0 + 2.0 * a, 1.0 + 2.0 * d
    for t in range(steps):
        for i in range(1, n - 1):
            v[0, i] = 1.0
            p[i, 0] = 0.0
            q[i, 0] = v[0, i]
            for j in range(1, n - 1):
                p[i, j] = a / (b - a * p[i, j - 1])
                q[i, j] = (d * u[j, i - 1] + (1.0 - 2.0 * d) * u[j, i] + d * u[j, i + 1]
                           + a * q[i, j - 1]) / (b - a * p[i, j - 1])
            v[n - 1, i] = 1.0
            for j in range(n - 2, 0, -1):
                v[j, i] = p[i, j] * v[j + 1, i] + q[i, j]
        for i in range(1, n - 1):
            u[i, 0] = 1.0
            p[i, 0] = 0.0
            q[i, 0] = u[i, 0]
            for j in range(1, n - 1):
                p[i, j] = d / (e - d * p[i, j - 1])
                q[i, j] = (a * v[i - 1, j] + (1.0 - 2.0 * a) * v[i, j] + a * v[i + 1, j]
                           + d * q[i, j - 1]) / (e - d * p[i, j - 1])
            u[i, n - 1] = 1.0
            for j in range(n - 2, 0, -1):
                u[i, j] = p[i, j] * u[i, j + 1] + q[i, j]
    return u


@in_place((normal(4, 4), 3))
def game_of_neighbours(A, steps):
    """The borders wrap around: `A[i - 1, j]` at i = 0 is the last row."""
    n = len(A)
    B = np.empty_like(A)
    A = A.copy()
    for t in range(steps):
        for i in range(n):
            for j in range(n):
                B[i, j] = np.tanh(A[i - 1, j] + A[i, j - 1] + A[(i + 1) % n, j])
        for i in range(n):
            for j in range(n):
                A[i, j] = B[i, j] * A[i, j]
    return A
