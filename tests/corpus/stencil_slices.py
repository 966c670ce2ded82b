"""Stencils and finite-difference schemes on slices of whole arrays."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, weighed


@in_place((normal(6), normal(6, seed=1), 3))
def jacobi_1d(A, B, steps):
    for t in range(1, steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])
    return A


@in_place((normal(4, 5), normal(4, 5, seed=1), 2), (normal(4, 5), normal(4, 5, seed=1), 0))
def jacobi_2d(A, B, steps):
    A = A.copy()
    B = B.copy()
    for t in range(steps):
        B[1:-1, 1:-1] = 0.2 * (A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:]
                               + A[2:, 1:-1] + A[:-2, 1:-1])
        A[1:-1, 1:-1] = 0.2 * (B[1:-1, 1:-1] + B[1:-1, :-2] + B[1:-1, 2:]
                               + B[2:, 1:-1] + B[:-2, 1:-1])
    return weighed(A * A) + weighed(B)


@in_place((normal(4, 4), 2))
def seidel_2d(A, steps):
    """The sums of neighbours at once, the recurrence along a row element by element."""
    A = A.copy()
    n = len(A)
    for t in range(steps):
        for i in range(1, n - 1):
            A[i, 1:-1] += (A[i - 1, :-2] + A[i - 1, 1:-1] + A[i - 1, 2:] + A[i, 2:]
                           + A[i + 1, :-2] + A[i + 1, 1:-1] + A[i + 1, 2:])
            for j in range(1, n - 1):
                A[i, j] += A[i, j - 1]
                A[i, j] /= 9.0
    return A


@in_place((normal(3, 4, 3), 2))
def heat_3d(A, steps):
    A = A.copy()
    B = np.zeros_like(A)
    for t in range(steps):
        B[1:-1, 1:-1, 1:-1] = (
            0.125 * (A[2:, 1:-1, 1:-1] - 2.0 * A[1:-1, 1:-1, 1:-1] + A[:-2, 1:-1, 1:-1])
            + 0.125 * (A[1:-1, 2:, 1:-1] - 2.0 * A[1:-1, 1:-1, 1:-1] + A[1:-1, :-2, 1:-1])
            + 0.125 * (A[1:-1, 1:-1, 2:] - 2.0 * A[1:-1, 1:-1, 1:-1] + A[1:-1, 1:-1, :-2])
            + A[1:-1, 1:-1, 1:-1])
        A[1:-1, 1:-1, 1:-1] = B[1:-1, 1:-1, 1:-1] * A[:-2, :-2, :-2]
    return A


@in_place((normal(3, 4), normal(3, 4, seed=1), normal(3, 4, seed=2), normal(2)))
def fdtd_2d(ex, ey, hz, fict):
    for t in range(len(fict)):
        ey[0, :] = fict[t]
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    return hz, ex


@in_place((normal(4, 5), 0.3, 0.2, 2))
def adi(u, a, d, steps):
    u = u.copy()
    v = np.zeros_like(u)
    p = np.zeros_like(u)
    q = np.zeros_like(u)
    m = u.shape[1]
    for t in range(steps):
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = 1.0
        for j in range(1, m - 1):
            p[1:-1, j] = a / (1.0 + 2.0 * a - a * p[1:-1, j - 1])
            q[1:-1, j] = (d * u[:-2, j] + (1.0 - 2.0 * d) * u[1:-1, j] + d * u[2:, j]
                          + a * q[1:-1, j - 1]) / (1.0 + 2.0 * a - a * p[1:-1, j - 1])
        v[1:-1, m - 1] = 1.0
        for j in range(m - 2, 0, -1):
            v[1:-1, j] = p[1:-1, j] * v[1:-1, j + 1] + q[1:-1, j]
        u[1:-1, 1:-1] = v[1:-1, 1:-1] + 0.1 * u[1:-1, 1:-1] ** 2
    return u


@in_place((normal(7), 0.02, 0.05, 0.3, 3), argnums=(0, 1))
def burgers(u0, nu, dt, dx, steps):
    u = u0.copy()
    for t in range(steps):
        un = u.copy()
        u[1:-1] = (un[1:-1] - dt / dx * un[1:-1] * (un[1:-1] - un[:-2])
                   + nu * dt / dx**2 * (un[2:] - 2 * un[1:-1] + un[:-2]))
    return weighed(u * u)


@in_place((normal(7), 0.4, 3))
def upwind_in_place(u, c, steps):
    """The right side overlaps the left and must be read before anything is written."""
    u = u.copy()
    for t in range(steps):
        u[1:] -= c * (u[1:] - u[:-1]) * u[1:]
    return u


@in_place((normal(6), normal(6, seed=1), 0.3, 4))
def wave_equation(u, v, c, steps):
    """Leapfrog with three buffers that change places."""
    before = u.copy()
    now = u + 0.1 * v
    after = np.zeros_like(u)
    for t in range(steps):
        after[1:-1] = 2 * now[1:-1] - before[1:-1] + c**2 * (now[2:] - 2 * now[1:-1] + now[:-2])
        after[0] = 0.0
        after[-1] = now[-2]
        before, now, after = now, after, before
    return now


@in_place((normal(4, 4), 0.1, 2))
def heat_with_ghost_cells(T, k, steps):
    """Borders that are copied from the inside before each step."""
    n, m = T.shape
    G = np.zeros((n + 2, m + 2))
    G[1:-1, 1:-1] = T
    for t in range(steps):
        G[0, :] = G[1, :]
        G[-1, :] = G[-2, :]
        G[:, 0] = G[:, -2]
        G[:, -1] = G[:, 1]
        G[1:-1, 1:-1] += k * (G[2:, 1:-1] + G[:-2, 1:-1] + G[1:-1, 2:] + G[1:-1, :-2]
                              - 4 * G[1:-1, 1:-1]) * G[1:-1, 1:-1]
    return G[1:-1, 1:-1]


@in_place((normal(5, 5), 2))
def red_black_relaxation(u, steps):
    """Strided stores in two colours."""
    u = u.copy()
    for t in range(steps):
        u[1:-1:2, 1:-1:2] = 0.25 * (u[:-2:2, 1:-1:2] + u[2::2, 1:-1:2]
                                    + u[1:-1:2, :-2:2] + u[1:-1:2, 2::2])
        u[2:-1:2, 2:-1:2] *= u[1:-2:2, 2:-1:2] + 0.5
    return u


@in_place((positive(6), 0.1 * normal(6), 2))
def shallow_water_1d(h, hu, steps):
    """Lax-Friedrichs for depth and momentum, with walls."""
    h = h.copy()
    hu = hu.copy()
    for t in range(steps):
        flux = hu * hu / h + 0.5 * 9.81 * h * h
        mid = 0.5 * (h[:-2] + h[2:]) - 0.02 * (hu[2:] - hu[:-2])
        hu[1:-1] = 0.5 * (hu[:-2] + hu[2:]) - 0.02 * (flux[2:] - flux[:-2])
        h[1:-1] = mid
        hu[0] = -hu[1]
        hu[-1] = -hu[-2]
        h[0], h[-1] = h[1], h[-2]
    return weighed(h) + weighed(hu)


@in_place((normal(4, 5), 2))
def gray_scott(u, steps):
    """Two species that react; one is an argument, the other starts as a block of ones."""
    u = u.copy()
    v = np.zeros(u.shape)
    v[1:3, 1:3] = 1.0
    for t in range(steps):
        uvv = u * v * v
        u[1:-1, 1:-1] += 0.1 * (u[:-2, 1:-1] + u[2:, 1:-1] - 2 * u[1:-1, 1:-1])
        u -= uvv - 0.03 * (1 - u)
        v += uvv - 0.09 * v
    return weighed(u) + weighed(v * v)
