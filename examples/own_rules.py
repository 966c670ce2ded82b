"""Rules of one's own: the root of an equation by the implicit function theorem, and Bessel
functions of the C library."""

from __future__ import annotations

import ctypes
import ctypes.util
import math

import numpy as np
from scipy.special import jv

import retrograd as rg

# --- the volume of a gas: differentiated without reversing Newton's method ------------------------


def equation(v, p, T):
    """Van der Waals's equation in reduced units; 0 at the volume v of pressure p, temperature T."""
    return (p + 3.0 / (v * v)) * (3.0 * v - 1.0) - 8.0 * T


@rg.rule
def volume(p, T):
    v = 8.0 * T / (3.0 * p) + 1.0
    step = 1.0
    while abs(step) > 1e-13 * v:
        slope = 3.0 * (p + 3.0 / (v * v)) - 6.0 * (3.0 * v - 1.0) / v ** 3
        step = equation(v, p, T) / slope
        v -= step
    return v


@volume.pullback
def _(p, T, *, out, out_bar):
    """equation(v, p, T) = 0, so that dv/dp is -(d equation/dp) / (d equation/dv)."""
    by_v, by_p, by_T = rg.grad(equation, argnums=(0, 1, 2))(out, p, T)
    return -out_bar * by_p / by_v, -out_bar * by_T / by_v


@volume.pushforward
def _(p, T, *, out, p_dot, T_dot):
    by_v, by_p, by_T = rg.grad(equation, argnums=(0, 1, 2))(out, p, T)
    return -(by_p * p_dot + by_T * T_dot) / by_v


# --- j0 of the C library: compiled code calls it directly -----------------------------------------


def of_c_library(name: str):
    function = getattr(ctypes.CDLL(ctypes.util.find_library("m")), name)
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    return rg.rule(function, opaque=True)


j0, j1 = of_c_library("j0"), of_c_library("j1")


@j0.partials
def _(x, *, out):
    return -j1(x)


@j1.partials
def _(x, *, out):
    return j0(x) - out / x


def energy(amplitudes, r):
    """Of a sum of standing waves on a drum, at the points r."""
    total = 0.0
    for k in range(len(r)):
        wave = 0.0
        for n in range(len(amplitudes)):
            wave += amplitudes[n] * j0((n + 1.0) * r[k])
        total += wave * wave
    return total


def main(jit: bool = True) -> None:
    p, T = 1.3, 1.4
    v, (by_p, by_T) = rg.value_and_grad(volume, argnums=(0, 1), jit=jit)(p, T)
    h = 1e-6
    assert math.isclose(by_p, (volume(p + h, T) - volume(p - h, T)) / (2 * h), rel_tol=1e-7)
    assert math.isclose(by_T, (volume(p, T + h) - volume(p, T - h)) / (2 * h), rel_tol=1e-7)
    print(f"volume {v:.6f}, compressibility {-by_p / v:.6f}, expansion {by_T / v:.6f}")

    amplitudes, r = np.array([1.0, -0.5, 0.25]), np.linspace(0.1, 2.0, 8)
    by_amplitudes, by_r = rg.grad(energy, argnums=(0, 1), jit=jit)(amplitudes, r)
    n = np.arange(1.0, 4.0)
    waves = jv(0, n * r[:, None])
    wave = waves @ amplitudes
    np.testing.assert_allclose(by_amplitudes, 2 * wave @ waves, rtol=1e-12)
    np.testing.assert_allclose(by_r, -2 * wave * ((amplitudes * n) * jv(1, n * r[:, None])).sum(1),
                               rtol=1e-11)
    print("energy by radius:", np.array2string(by_r, precision=4))


if __name__ == "__main__":
    main()
