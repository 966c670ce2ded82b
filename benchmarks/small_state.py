"""RK4 on the Lorenz system with arrays of three as the state, beside three scalars: 10,000 steps.

People write `y = y + h * f(y)` because it is shorter; it should not cost them the gradient.
"""

from __future__ import annotations

import numpy as np

import retrograd as rg
from common import first_call, fresh_cache, side_by_side, table
from lorenz import STEPS, H, by_hand, lorenz


def field(y):
    return np.array([10.0 * (y[1] - y[0]), y[0] * (28.0 - y[2]) - y[1],
                     y[0] * y[1] - 8.0 / 3.0 * y[2]])


def with_arrays(y, steps, h):
    for _ in range(steps):
        k1 = field(y)
        k2 = field(y + 0.5 * h * k1)
        k3 = field(y + 0.5 * h * k2)
        k4 = field(y + h * k3)
        y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return np.sum(y * y)


def euler_with_arrays(y, steps, h):
    for _ in range(steps):
        y = y + h * field(y)
    return np.sum(y * y)


def euler(x, y, z, steps, h):
    for _ in range(steps):
        a = 10.0 * (y - x)
        b = x * (28.0 - z) - y
        c = x * y - 8.0 / 3.0 * z
        x, y, z = x + h * a, y + h * b, z + h * c
    return x * x + y * y + z * z


def measured(title, wide, small, more):
    """Scalars beside arrays of three: check that they agree, compile seconds, seconds a call."""
    start = np.array([1.0, 0.5, -0.3])
    scalars = (*start, STEPS, H)
    by_scalars, by_arrays = rg.grad(wide, argnums=(0, 1, 2)), rg.grad(small)
    runs = {"scalars, retrograd": lambda: by_scalars(*scalars),
            "arrays of 3, retrograd": lambda: by_arrays(start, STEPS, H)}
    for label, run in runs.items():
        print(f"\n  {title}, {label}: derived and compiled in {first_call(run):.2f} s")
    assert np.allclose(by_arrays(start, STEPS, H), by_scalars(*scalars), rtol=1e-6)
    runs |= {label: lambda f=f: f(*scalars) for label, f in more.items()}
    table(f"{title}, 10,000 steps (target: arrays within 3 of scalars)", side_by_side(runs))


def main() -> None:
    with fresh_cache():
        measured("Euler", euler, euler_with_arrays, {})
        measured("RK4", lorenz, with_arrays, {"scalars, Numba, by hand": by_hand})


if __name__ == "__main__":
    main()
