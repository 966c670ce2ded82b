"""RK4 on the Lorenz system with arrays of three as the state, beside three scalars: 10,000 steps.

People write `y = y + h * f(y)` because it is shorter; it should not cost them the gradient.
"""

from __future__ import annotations

import os
import tempfile

import numpy as np

os.environ["RETROGRAD_CACHE_DIR"] = tempfile.mkdtemp()      # compile seconds are measured

import retrograd as rg  # noqa: E402
from common import first_call, side_by_side, table  # noqa: E402
from lorenz import H, STEPS, by_hand, lorenz  # noqa: E402


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


def main() -> None:
    start = np.array([1.0, 0.5, -0.3])
    scalars = (*start, STEPS, H)
    for title, small, wide in (("Euler", euler_with_arrays, euler), ("RK4", with_arrays, lorenz)):
        by_scalars, by_arrays = rg.grad(wide, argnums=(0, 1, 2)), rg.grad(small)
        for label, f, args in (("scalars", by_scalars, scalars),
                               ("arrays", by_arrays, (start, STEPS, H))):
            passed = first_call(lambda f=f, args=args: f(*args))
            print(f"  {title}, {label}: derived and compiled in {passed:.2f} s")
        assert np.allclose(by_arrays(start, STEPS, H), by_scalars(*scalars), rtol=1e-6)
        runs = {"scalars, retrograd": lambda: by_scalars(*scalars),
                "arrays of 3, retrograd": lambda: by_arrays(start, STEPS, H)}
        if wide is lorenz:
            runs["scalars, Numba, by hand"] = lambda: by_hand(*scalars)
        table(f"{title}, 10,000 steps (target: arrays within 3 of scalars)", side_by_side(runs))


if __name__ == "__main__":
    main()
