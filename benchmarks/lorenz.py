"""RK4 on the Lorenz system: three numbers carried through 10,000 steps, gradient by three numbers.

The adjoint by hand stores the state of every step (three doubles) and computes the stages again.
"""

from __future__ import annotations

import numba
import numpy as np

import retrograd as rg
from common import jax_or_none, seconds, table

STEPS, H = 10_000, 1e-3
SIGMA, RHO, BETA = 10.0, 28.0, 8.0 / 3.0


def lorenz(x, y, z, steps, h):
    for _ in range(steps):
        a1 = 10.0 * (y - x)
        b1 = x * (28.0 - z) - y
        c1 = x * y - 8.0 / 3.0 * z
        xs = x + 0.5 * h * a1
        ys = y + 0.5 * h * b1
        zs = z + 0.5 * h * c1
        a2 = 10.0 * (ys - xs)
        b2 = xs * (28.0 - zs) - ys
        c2 = xs * ys - 8.0 / 3.0 * zs
        xs = x + 0.5 * h * a2
        ys = y + 0.5 * h * b2
        zs = z + 0.5 * h * c2
        a3 = 10.0 * (ys - xs)
        b3 = xs * (28.0 - zs) - ys
        c3 = xs * ys - 8.0 / 3.0 * zs
        xs = x + h * a3
        ys = y + h * b3
        zs = z + h * c3
        a4 = 10.0 * (ys - xs)
        b4 = xs * (28.0 - zs) - ys
        c4 = xs * ys - 8.0 / 3.0 * zs
        x = x + h / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
        y = y + h / 6.0 * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
        z = z + h / 6.0 * (c1 + 2.0 * c2 + 2.0 * c3 + c4)
    return x * x + y * y + z * z


@numba.njit(error_model="numpy", fastmath={"contract"})
def field(x, y, z):
    return SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z


@numba.njit(error_model="numpy", fastmath={"contract"})
def field_bar(x, y, z, a_bar, b_bar, c_bar):
    """The adjoints of x, y, z through `field`."""
    return (-SIGMA * a_bar + (RHO - z) * b_bar + y * c_bar,
            SIGMA * a_bar - b_bar + x * c_bar,
            -x * b_bar - BETA * c_bar)


@numba.njit(error_model="numpy", fastmath={"contract"})
def by_hand(x, y, z, steps, h):
    saved = np.empty((steps, 3))
    for i in range(steps):
        saved[i, 0], saved[i, 1], saved[i, 2] = x, y, z
        a1, b1, c1 = field(x, y, z)
        a2, b2, c2 = field(x + 0.5 * h * a1, y + 0.5 * h * b1, z + 0.5 * h * c1)
        a3, b3, c3 = field(x + 0.5 * h * a2, y + 0.5 * h * b2, z + 0.5 * h * c2)
        a4, b4, c4 = field(x + h * a3, y + h * b3, z + h * c3)
        x += h / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
        y += h / 6.0 * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
        z += h / 6.0 * (c1 + 2.0 * c2 + 2.0 * c3 + c4)
    x_bar, y_bar, z_bar = 2.0 * x, 2.0 * y, 2.0 * z
    for i in range(steps - 1, -1, -1):
        x, y, z = saved[i, 0], saved[i, 1], saved[i, 2]
        a1, b1, c1 = field(x, y, z)
        x2, y2, z2 = x + 0.5 * h * a1, y + 0.5 * h * b1, z + 0.5 * h * c1
        a2, b2, c2 = field(x2, y2, z2)
        x3, y3, z3 = x + 0.5 * h * a2, y + 0.5 * h * b2, z + 0.5 * h * c2
        a3, b3, c3 = field(x3, y3, z3)
        x4, y4, z4 = x + h * a3, y + h * b3, z + h * c3
        u, v, w = h / 6.0 * x_bar, h / 6.0 * y_bar, h / 6.0 * z_bar
        p4, q4, r4 = field_bar(x4, y4, z4, u, v, w)
        p3, q3, r3 = field_bar(x3, y3, z3, 2 * u + h * p4, 2 * v + h * q4, 2 * w + h * r4)
        k = 0.5 * h
        p2, q2, r2 = field_bar(x2, y2, z2, 2 * u + k * p3, 2 * v + k * q3, 2 * w + k * r3)
        p1, q1, r1 = field_bar(x, y, z, u + k * p2, v + k * q2, w + k * r2)
        x_bar += p1 + p2 + p3 + p4
        y_bar += q1 + q2 + q3 + q4
        z_bar += r1 + r2 + r3 + r4
    return x_bar, y_bar, z_bar


def jax_gradient(jax):
    def step(_, state):
        x, y, z = state

        def f(x, y, z):
            return 10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z

        a1, b1, c1 = f(x, y, z)
        a2, b2, c2 = f(x + 0.5 * H * a1, y + 0.5 * H * b1, z + 0.5 * H * c1)
        a3, b3, c3 = f(x + 0.5 * H * a2, y + 0.5 * H * b2, z + 0.5 * H * c2)
        a4, b4, c4 = f(x + H * a3, y + H * b3, z + H * c3)
        return (x + H / 6 * (a1 + 2 * a2 + 2 * a3 + a4), y + H / 6 * (b1 + 2 * b2 + 2 * b3 + b4),
                z + H / 6 * (c1 + 2 * c2 + 2 * c3 + c4))

    def value(x, y, z):
        x, y, z = jax.lax.fori_loop(0, STEPS, step, (x, y, z))
        return x * x + y * y + z * z

    return jax.jit(jax.grad(value, argnums=(0, 1, 2)))


def main() -> None:
    args = (1.0, 0.5, -0.3, STEPS, H)
    gradient = rg.grad(lorenz, argnums=(0, 1, 2))
    true = by_hand(*args)
    assert np.allclose(gradient(*args), true, rtol=1e-6), (gradient(*args), true)
    rows = {"Numba, by hand": seconds(by_hand, *args), "retrograd": seconds(gradient, *args)}
    jax = jax_or_none()
    if jax is not None:
        f = jax_gradient(jax)
        assert np.allclose(f(*args[:3]), true, rtol=1e-6)
        rows["JAX"] = seconds(lambda: jax.block_until_ready(f(*args[:3])))
    table("Lorenz, RK4, 10,000 steps (target: within 1.3 of by hand)", rows)


if __name__ == "__main__":
    main()
