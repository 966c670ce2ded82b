"""The smallest function worth differentiating, s = 2 (x - y) + z, and its gradient's source."""

from __future__ import annotations

import numpy as np

import retrograd as rg


def compute_s(x, y, z):
    r1 = np.subtract(x, y)
    r2 = np.multiply(r1, 2)
    z = np.add(r2, z)
    return z


def main(jit: bool = True) -> None:
    gradient = rg.grad(compute_s, argnums=(0, 1, 2), jit=jit)
    print(gradient.source())                         # before any call

    value, slopes = rg.value_and_grad(compute_s, argnums=(0, 1, 2), jit=jit)(1.0, 2.0, 5.0)
    assert value == 3.0
    assert slopes == (2.0, -2.0, 1.0)
    assert gradient(1.0, 2.0, 5.0) == (2.0, -2.0, 1.0)
    print("s(1, 2, 5) =", value, "  gradient =", slopes)


if __name__ == "__main__":
    main()
