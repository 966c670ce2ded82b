"""Simulations written as scientists write them: in place, with work arrays and time loops."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, weighed


@in_place((normal(2, 4), positive(3, 4), normal(2, 4, seed=1), 0.4))
def vertical_advection(u_stage, wcon, u_pos, c):
    """An implicit column solver: elimination downwards in place, substitution upwards."""
    levels = u_stage.shape[1]
    w = 0.25 * (wcon[1:] + wcon[:-1])
    cc = np.empty_like(u_stage)
    dd = 2.0 * u_pos
    tendency = np.zeros_like(u_stage)
    for k in range(levels):
        if k == 0:
            cc[:, 0] = w[:, 1] * c
            dd[:, 0] -= w[:, 1] * (u_stage[:, 1] - u_stage[:, 0])
            dd[:, 0] /= 2.0 - cc[:, 0]
            cc[:, 0] /= 2.0 - cc[:, 0]
        else:
            acol = -w[:, k] * c
            cc[:, k] = 0.5 * w[:, k]
            divided = 1.0 / (2.0 - acol - cc[:, k] - cc[:, k - 1] * acol)
            cc[:, k] *= divided
            dd[:, k] -= w[:, k] * (u_stage[:, k] - u_stage[:, k - 1]) + dd[:, k - 1] * acol
            dd[:, k] *= divided
    data = dd[:, levels - 1]
    for k in range(levels - 1, -1, -1):
        if k < levels - 1:
            data = dd[:, k] - cc[:, k] * data
        tendency[:, k] = 3.0 * (data - u_pos[:, k])
    return tendency


@in_place((0.2 * normal(6, 6) + np.add.outer(np.arange(6.0) ** 2, np.arange(6.0)),
           positive(2, 2)))
def horizontal_diffusion(field, coeff):
    """Fluxes that would go up the gradient are set to zero by a mask."""
    lap = 4.0 * field[1:-1, 1:-1] - (field[2:, 1:-1] + field[:-2, 1:-1]
                                     + field[1:-1, 2:] + field[1:-1, :-2])
    res1 = lap[1:, 1:-1] - lap[:-1, 1:-1]
    flx = np.where(res1 * (field[2:-1, 2:-2] - field[1:-2, 2:-2]) > 0, 0, res1)
    res2 = lap[1:-1, 1:] - lap[1:-1, :-1]
    res2[res2 * (field[2:-2, 2:-1] - field[2:-2, 1:-2]) > 0] = 0.0
    out = np.zeros_like(field)
    out[2:-2, 2:-2] = field[2:-2, 2:-2] - coeff * (
        flx[1:, :] - flx[:-1, :] + res2[:, 1:] - res2[:, :-1])
    return out


def build_up_b(b, rho, dt, u, v, h):
    b[1:-1, 1:-1] = (rho * (1 / dt * ((u[1:-1, 2:] - u[1:-1, 0:-2]) / (2 * h)
                                      + (v[2:, 1:-1] - v[0:-2, 1:-1]) / (2 * h))
                            - ((u[1:-1, 2:] - u[1:-1, 0:-2]) / (2 * h)) ** 2))


def pressure_poisson(iterations, p, h, b):
    pn = np.empty_like(p)
    for q in range(iterations):
        pn[:] = p.copy()
        p[1:-1, 1:-1] = 0.25 * (pn[1:-1, 2:] + pn[1:-1, 0:-2] + pn[2:, 1:-1] + pn[0:-2, 1:-1]
                                - h**2 * b[1:-1, 1:-1])
        p[:, -1] = p[:, -2]
        p[0, :] = p[1, :]
        p[:, 0] = p[:, 1]
        p[-1, :] = 0


@in_place((0.1 * normal(4, 4), 0.1 * normal(4, 4, seed=1), normal(4, 4, seed=2), 1.2, 0.1, 2),
          argnums=(0, 1, 2, 3, 4))
def cavity_flow(u, v, p, rho, nu, steps):
    u, v, p = u.copy(), v.copy(), p.copy()
    h, dt = 0.5, 0.01
    b = np.zeros_like(p)
    for n in range(steps):
        un = u.copy()
        build_up_b(b, rho, dt, u, v, h)
        pressure_poisson(2, p, h, b)
        u[1:-1, 1:-1] += (nu * dt / h**2 * (un[1:-1, 2:] - 2 * un[1:-1, 1:-1] + un[1:-1, 0:-2])
                          - un[1:-1, 1:-1] * dt / h * (un[1:-1, 1:-1] - un[1:-1, 0:-2])
                          - dt / (2 * rho * h) * (p[1:-1, 2:] - p[1:-1, 0:-2]))
        v[1:-1, 1:-1] -= dt / (2 * rho * h) * (p[2:, 1:-1] - p[0:-2, 1:-1])
        u[0, :] = 0
        u[:, 0] = 0
        u[-1, :] = 1
        v[:, -1] = 0
    return weighed(u * u) + weighed(v) + 0.1 * weighed(p)


@in_place((0.1 * positive(4, 5), 0.9, 0.3), argnums=(0, 1, 2))
def channel_flow(u, force, nu):
    """Steps until the flow is steady; the channel is periodic along its axis."""
    u = u.copy()
    change = 1.0
    steps = 0
    while change > 0.05 and steps < 6:
        un = u.copy()
        u[1:-1, 1:-1] = un[1:-1, 1:-1] + 0.5 * (
            force + nu * (un[2:, 1:-1] - 2 * un[1:-1, 1:-1] + un[:-2, 1:-1])
            - un[1:-1, 1:-1] * (un[1:-1, 1:-1] - un[1:-1, :-2]))
        u[1:-1, -1] = un[1:-1, -1] + 0.5 * (force - un[1:-1, -1] * (un[1:-1, -1] - un[1:-1, -2]))
        u[1:-1, 0] = u[1:-1, -1]
        u[0, :] = 0
        u[-1, :] = 0
        change = (np.sum(u) - np.sum(un)) / np.sum(u)
        steps += 1
    return u


def acceleration(pos, mass, softening):
    x, y = pos[:, 0:1], pos[:, 1:2]
    dx, dy = x.T - x, y.T - y
    inv_r3 = dx**2 + dy**2 + softening**2
    inv_r3[inv_r3 > 0] = inv_r3[inv_r3 > 0] ** (-1.5)
    return np.column_stack(((dx * inv_r3) @ mass, (dy * inv_r3) @ mass))


@in_place((normal(3, 2), 0.2 * normal(3, 2, seed=1), positive(3), 0.1, 2),
          (normal(3, 2), 0.2 * normal(3, 2, seed=1), positive(3), 0.0, 1), argnums=(0, 1, 2))
def n_body(pos, vel, mass, softening, steps):
    """Kick and drift; without softening a body's distance to itself is masked out."""
    pos = pos.copy()
    vel = vel.copy()
    for i in range(steps):
        vel += acceleration(pos, mass, softening) * 0.1
        pos += vel * 0.1
    return weighed(pos) + np.sum(vel * vel)


@in_place((normal(3, 2), positive(3)))
def n_body_forces_by_pairs(P, m):
    """Newton's third law: each pair adds to one row and subtracts from another."""
    n, d = P.shape
    F = np.zeros((n, d))
    r = np.empty(d)
    for i in range(n):
        for j in range(i):
            r2 = 0.01
            for k in range(d):
                r[k] = P[i, k] - P[j, k]
                r2 += r[k] * r[k]
            s = m[i] * m[j] / (r2 * np.sqrt(r2))
            for k in range(d):
                F[i, k] -= s * r[k]
                F[j, k] += s * r[k]
    return F


@in_place((np.array([0, 2, 2, 5, 6]), np.array([1, 3, 0, 2, 3, 1]), normal(6), normal(4)))
def sparse_matrix_vector(rows, columns, values, x):
    y = np.empty(len(rows) - 1)
    for i in range(len(y)):
        cols = columns[rows[i]:rows[i + 1]]
        vals = values[rows[i]:rows[i + 1]]
        y[i] = vals @ x[cols]
    return y


@in_place((np.array([0, 2, 2, 5, 6]), np.array([1, 3, 0, 2, 3, 1]), normal(6), normal(4), 2))
def sparse_power_iteration(rows, columns, values, x, steps):
    x, y = x.copy(), np.zeros_like(x)
    for t in range(steps):
        for i in range(len(rows) - 1):
            total = 0.0
            for k in range(rows[i], rows[i + 1]):
                total += values[k] * x[columns[k]]
            y[i] = np.tanh(total) + 0.1 * x[i]
        x, y = y, x
    return x


@in_place((np.sort(positive(5)), positive(5, seed=1)))
def particle_deposit(x, charge):
    """Cloud in cell: two nodes for each particle; several particles share a node."""
    grid = np.zeros(6)
    cell = np.floor(2 * x).astype(np.int64)
    w = 2 * x - cell
    np.add.at(grid, cell, charge * (1 - w))
    np.add.at(grid, cell + 1, charge * w)
    return weighed(grid * grid)


@in_place((positive(5), positive(5, seed=1), normal(7)))
def particle_push(x, v, field):
    """Deposit, field and push, element by element."""
    x, v = x.copy(), v.copy()
    rho = field.copy()
    for p in range(len(x)):
        k = int(2 * x[p])
        w = 2 * x[p] - k
        rho[k] += 1 - w
        rho[k + 1] += w
    for k in range(1, len(rho)):
        rho[k] += rho[k - 1]
    for p in range(len(x)):
        k = int(2 * x[p])
        v[p] += 0.1 * rho[k]
        x[p] += 0.1 * v[p]
    return x, v


@in_place((normal(3), 0.5, 2.0, 4), argnums=(0, 1, 2))
def symplectic_chain(q, k, m, steps):
    p = np.zeros_like(q)
    force = np.empty_like(q)
    q = q.copy()
    for t in range(steps):
        force[:] = -k * q
        force[:-1] += np.sin(q[1:] - q[:-1])
        force[1:] -= np.sin(q[1:] - q[:-1])
        p += 0.1 * force
        q += 0.1 * p / m
    return q, p


def predator_and_prey(t, y, out):
    out[0] = y[0] * (1.0 - 0.3 * y[1])
    out[1] = y[1] * (0.2 * y[0] - 0.5) + 0.1 * t


@in_place((positive(2), 0.1, 3), argnums=(0, 1))
def rk4_with_a_helper(y, h, steps):
    y = y.copy()
    k1, k2, k3, k4 = np.empty(2), np.empty(2), np.empty(2), np.empty(2)
    for n in range(steps):
        predator_and_prey(n * h, y, k1)
        predator_and_prey(n * h + h / 2, y + h / 2 * k1, k2)
        predator_and_prey(n * h + h / 2, y + h / 2 * k2, k3)
        predator_and_prey(n * h + h, y + h * k3, k4)
        y += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def pendulum(y):
    return np.array([y[1], -np.sin(y[0]) - 0.1 * y[1]])


@in_place((normal(2), 0.1, 4), argnums=(0, 1))
def rk4_with_small_arrays(y, h, steps):
    path = np.zeros((steps + 1, 2))
    path[0] = y
    for n in range(steps):
        k1 = pendulum(y)
        k2 = pendulum(y + h / 2 * k1)
        k3 = pendulum(y + h / 2 * k2)
        k4 = pendulum(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        path[n + 1] = y
    return path


@in_place((positive(3),), rtol=1e-6)
def newton_for_many_roots(a):
    """All cube roots at once, to convergence."""
    x = np.ones_like(a)
    step = np.empty_like(a)
    while True:
        step[:] = (x * x * x - a) / (3 * x * x)
        x -= step
        if np.max(np.abs(step)) < 1e-12:
            break
    return x


@in_place((normal(4), normal(4, seed=1), 8), argnums=(0, 1))
def escape_iteration(cr, ci, limit):
    """The points that have escaped leave the arrays; where they were, their radius stays."""
    radius = np.zeros(len(cr))
    index = np.arange(len(cr))
    zr, zi = cr.copy(), ci.copy()
    for n in range(limit):
        r2 = zr * zr + zi * zi
        out = r2 > 4.0
        radius[index[out]] = np.sqrt(r2[out]) + n
        keep = ~out
        index = index[keep]
        zr, zi, cr, ci = zr[keep], zi[keep], cr[keep], ci[keep]
        zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
    return radius


@in_place((normal(5),  normal(5, seed=1), 5), argnums=(0, 1))
def escape_with_masks(cr, ci, limit):
    zr, zi = np.zeros_like(cr), np.zeros_like(ci)
    for n in range(limit):
        alive = zr * zr + zi * zi < 4.0
        new = zr[alive] * zr[alive] - zi[alive] * zi[alive] + cr[alive]
        zi[alive] = 2 * zr[alive] * zi[alive] + ci[alive]
        zr[alive] = new
    return zr, zi


@in_place((normal(4, 4), positive(4, 4), 2), argnums=(0, 1))
def random_walk_with_sinks(u, k, steps):
    """Diffusion with a mask of sinks, given by a comparison of the state itself."""
    u = u.copy()
    for t in range(steps):
        new = u.copy()
        new[1:-1, 1:-1] += 0.2 * k[1:-1, 1:-1] * (u[2:, 1:-1] + u[:-2, 1:-1] - 2 * u[1:-1, 1:-1])
        new[new < -0.5] *= 0.1
        u = new
    return u


@in_place((positive(4), 0.4, 2), argnums=(0, 1))
def population_matrix(N, fertility, years):
    """An age-structured population: everybody moves up one class, the first class is born."""
    N = N.copy()
    for year in range(years):
        born = fertility * np.sum(N[1:])
        for age in range(len(N) - 1, 0, -1):
            N[age] = 0.8 * N[age - 1] / (1 + 0.1 * N[age])
        N[0] = born
    return weighed(N)


@in_place((positive(6), 0.05, 0.3), argnums=(0, 1, 2))
def option_by_tree(S, rate, vol):
    """Backward induction in one array, with early exercise."""
    v = np.maximum(1.2 - S, 0.0)
    for step in range(len(S) - 1, 0, -1):
        for i in range(step):
            v[i] = np.exp(-rate) * (0.5 * v[i] + 0.5 * v[i + 1]) + vol * v[i] ** 2
            if v[i] < 1.0 - S[i]:
                v[i] = 1.0 - S[i]
    return v[0]
