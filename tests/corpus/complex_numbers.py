"""Complex numbers: real functions of them, holomorphic derivatives, complex intermediates.

The gradient with respect to x + iy is df/dx - i df/dy, as in JAX; a complex value that is one
number is a holomorphic function here, and its gradient the complex derivative.
"""

from __future__ import annotations

import cmath

import numpy as np

from corpus.entry import normal, positive, program


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """Complex numbers with standard normal parts."""
    return normal(*shape, seed=seed) + 1j * normal(*shape, seed=seed + 100)


Z = numbers(4)
A = numbers(3, 3) + 2 * np.eye(3)
UNITY = 0.5 - 0.3j                      # captured


# --- real functions of complex numbers -----------------------------------------------------------


@program((0.3 + 0.4j,), (-1.2 - 0.5j,))
def polynomial_magnitude(z):
    p = 1.0 + (2 - 1j) * z - 0.5j * z**2 + z**3
    return abs(p)


@program((-0.4 + 0.55j, 12), (0.3 + 0.2j, 5), (1.0 + 1.0j, 3))
def escape_magnitude(c, limit):
    z = 0j
    for _ in range(limit):
        z = z * z + c
        if abs(z) > 2.0:
            break
    return abs(z) ** 2


@program((normal(6),), (numbers(6),))
def power_spectrum(x):
    n = len(x)
    k = np.arange(n)
    W = np.exp(-2j * np.pi * k[:, np.newaxis] * k / n)
    return np.abs(W @ x) ** 2


@program((0.7, 1.1, 0.4))
def two_level_population(omega, detuning, t):
    H = np.array([[0.5 * detuning, 0.5 * omega], [0.5 * omega, -0.5 * detuning]])
    psi = np.array([1.0 + 0j, 0j])
    for _ in range(20):
        psi = psi - 1j * (t / 20) * (H @ (psi - 0.5j * (t / 20) * (H @ psi)))
    return np.abs(psi[1]) ** 2


@program((1.0, 0.8, 2.5, 1.7))
def impedance(R, L, C, omega):
    Z = R + 1j * omega * L + 1 / (1j * omega * C)
    return np.abs(5.0 / Z)


@program((positive(5), 0.4))
def phase_of_a_filter(omega, tau):
    H = 1 / (1 + 1j * omega * tau)
    return np.angle(H) + np.angle(H * H, deg=True)


@program((Z, normal(3, 4) + 0.5j, positive(3)))
def phase_retrieval(x, M, measured):
    return np.sum((np.abs(M @ x) ** 2 - measured) ** 2)


@program((Z,), (numbers(2, 3),))
def parts(z):
    return np.sum(z.real * np.imag(z) + np.real(z) ** 2) + np.mean((z * z.conj()).real)


@program((0.4 + 0.3j, 2.0), (0.4 - 0.3j, 2.0), (-0.4 - 0.3j, -1.0))
def branches_on_parts(z, x):
    if z.imag > 0 and z.real > 0:
        w = z * x
    elif z == 0:
        w = z
    else:
        w = np.conj(z) / x
    return (w * w).real + x


@program((Z,))
def while_on_magnitude(z):
    w = z
    n = 0
    while np.max(np.abs(w)) > 0.3:
        w = 0.5 * w * np.exp(0.1j)
        n += 1
    return np.sum(np.abs(w)) * n


@program((Z, normal(4)))
def real_meets_complex(z, x):
    return np.sum(np.real(z * x)) + np.sum(np.abs(x - z)) + np.sum(np.imag(x * UNITY))


@program((np.array([0j, 1 + 1j]),), expected=[(np.array([0, np.sqrt(0.5) * (1 - 1j)]),)])
def magnitude_at_zero(z):
    return np.sum(np.abs(z))


@program((numbers(3, 2), numbers(2, 4, seed=1)))
def products(X, Y):
    return np.linalg.norm(X @ Y) + np.abs(np.sum(np.einsum("ij,jk->ki", X, Y))) + np.abs(
        np.vdot(X, X) * np.inner(X[0], Y[:, 1]))


@program((A, numbers(3, seed=2)))
def linear_system(M, b):
    x = np.linalg.solve(M, b)
    return np.sum(np.abs(x) ** 2) + np.abs(np.linalg.det(M)) + np.real(np.trace(np.linalg.inv(M)))


@program((Z,), (np.array([0j, 1j, 2.0]),))
def products_of_elements(z):
    return np.abs(np.prod(z + 1)) + np.real(np.sum(np.cumprod(z))) + np.imag(np.sum(np.cumsum(z)))


@program((Z, np.array([True, False, True, False])))
def choice(z, mask):
    return np.sum(np.abs(np.where(mask, z * z, np.conj(z)))) + np.real(np.sum(z[mask]))


@program((0.3, 1.2), jax=False)
def python_complex_of_two_reals(x, y):
    z = complex(x * y, y)
    return (cmath.exp(z) * z).real + cmath.phase(z) + abs(cmath.sqrt(complex(x)))


@program((0.4,))
def reductions_of_constants(x):
    return x * np.prod(1.5 - 2j).imag + x * x * np.sum(0.5)


@program((0.6 + 0.2j, 1.5 - 0.5j))
def complex_powers(z, w):
    return abs(z**w) + (z**0.5).real + ((z + 1) ** -2).imag + (2.0**w).real + abs(z**0 * w)


@program((normal(4) * 0.3,))
def complex_from_reals(x):
    z = x[:2] + 1j * x[2:]
    w = np.zeros(2, dtype=complex) + np.array([z[0], 1.0])
    total = 0.0
    for k in range(2):
        total = total + z[k] * w[k]
    return np.abs(total) + np.std(z)


@program((numbers(3).astype(np.complex64), np.float32(0.5)))
def single_precision(z, s):
    return np.sum(np.abs(z * s + 0.5j) ** 2) + np.real(z[0] / 3)


@program((numbers(3),), (numbers(3).astype(np.complex64),))
def complex_results(z):
    return np.exp(1j * z) * np.conj(z), np.abs(z), 2 * z.imag


@program((Z, 0.5))
def complex_result_of_reals_and_complex(z, x):
    return np.outer(z, np.exp(1j * x * np.arange(3)))


# --- holomorphic ---------------------------------------------------------------------------------


@program((0.3 + 0.4j, 1.0 + 0j, 2j, 0.5 - 1j, 3.0 + 0j), (-1.0 + 0.1j, 1j, 2 - 1j, 1.0 + 0j, -2j))
def moebius(z, a, b, c, d):
    return (a * z + b) / (c * z + d)


@program((0.3 + 0.4j,), (1.2 - 0.7j,), (0.1 + 0j,))
def analytic(z):
    return (np.exp(z) * np.sin(z) + np.log(z + 2) * np.sqrt(z + 1) + np.cosh(z) / np.cos(z)
            + np.tan(z) - np.tanh(z) * np.arctan(z / 3) + np.sinh(z) ** 3)


@program((0.3 + 0.4j,), (-1.2 - 0.7j,), jax=False)
def more_analytic(z):
    return (np.arcsin(z) + np.arccos(z / 2) * np.arcsinh(z) + np.arccosh(z) + np.arctanh(z / 3)
            + np.log1p(z) + np.expm1(z) + np.log2(z + 3) * np.log10(z + 3) + np.exp2(z))


@program((1.0 + 0.5j, 6), (-0.3 + 1j, 1))
def newton_iteration(z, steps):
    for _ in range(steps):
        z = z - (z**3 - 1) / (3 * z**2)
    return z


@program((Z,))
def holomorphic_of_an_array(z):
    return np.sum(z**3) * np.prod(z) + z[0] / z[1]


@program((np.complex64(0.5 + 0.25j),))
def holomorphic_single(z):
    return z * z * np.exp(z)
