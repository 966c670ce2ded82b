"""Functions that write into their arguments, in a module of their own: they are pickled."""

import numpy as np


def smooth(u, out):
    """A kernel: it returns nothing."""
    out[1:-1] = 0.5 * (u[:-2] + u[2:]) * u[1:-1]
    out[0] = u[0]
    out[-1] = u[-1]


def step(u, v, dt):
    """Changes both arrays and returns a number."""
    v -= dt * u * u
    u += dt * v
    return np.sum(u * v)


def alike(u, v, dt):
    """What `step` with returns=("u", "v") stands for."""
    u, v = u.copy(), v.copy()
    value = step(u, v, dt)
    return value, u, v


def unwritten(a, b):
    return a * b


def rebinds(a):
    a[0] = 2.0 * a[1]
    a = a + 1.0
    a[1] = 7.0


def squares(a, b):
    a *= a
    b += 2.0 * a
