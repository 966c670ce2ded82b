"""The contract, "complex": JAX's convention, holomorphic functions, what they lack."""

import cmath
import math

import numpy as np
import pytest

import retrograd as rg
from contract.support import both_modes, same

Z = np.array([0.3 + 0.4j, -1.2 + 0.5j])


# --- the convention ------------------------------------------------------------------------------


@both_modes
def test_a_gradient_is_df_dx_minus_i_df_dy(jit):
    """f = x^2 + 3 y has df/dx = 2x and df/dy = 3."""
    g = rg.grad(lambda z: z.real**2 + 3.0 * z.imag, jit=jit)
    same(g(0.5 + 2j), 1 - 3j)


@both_modes
def test_a_real_argument_takes_the_real_part(jit):
    """d/dx |x + i|^2 = 2x, whatever complex numbers are in between."""
    g = rg.grad(lambda x: np.abs(x + 1j) ** 2, jit=jit)
    same(g(0.75), 1.5)
    same(rg.grad(lambda x: (x * (2 + 1j) * 1j).real, jit=jit)(0.75), -1.0)


@both_modes
def test_pullbacks_are_linear_in_the_adjoint(jit):
    value, pullback = rg.vjp(lambda z: z * z, Z, jit=jit)
    same(value, Z * Z, 1e-15)
    for bar in (np.ones(2, complex), np.array([1j, 2 - 1j])):
        same(pullback(bar), (bar * 2 * Z,))
    # conj is not holomorphic: its pullback conjugates
    _, pullback = rg.vjp(lambda z: np.conj(z), Z, jit=jit)
    same(pullback(np.array([1 + 2j, 3j])), (np.array([1 - 2j, -3j]),))


@both_modes
def test_adjoints_of_real_values_stay_real(jit):
    _, pullback = rg.vjp(lambda z: np.abs(z), Z, jit=jit)
    with pytest.raises(TypeError, match="complex128"):
        pullback(np.ones(2, complex))


@both_modes
def test_the_magnitude_at_zero_has_derivative_zero(jit):
    same(rg.grad(lambda z: np.abs(z), jit=jit)(0j), 0j)
    same(rg.grad(lambda z: np.sum(np.abs(z)), jit=jit)(np.array([0j, 2j])), np.array([0, -1j]))
    same(rg.grad(lambda z: np.linalg.norm(z), jit=jit)(np.zeros(2, complex)), np.zeros(2, complex))
    same(rg.grad(lambda z: np.sum(np.sign(z)).real, jit=jit)(np.zeros(2, complex)),
         np.zeros(2, complex))


@both_modes
def test_powers_and_their_branches(jit):
    same(rg.grad(lambda z: z**0, holomorphic=True, jit=jit)(0j), 0j)
    same(rg.grad(lambda z: z**3, holomorphic=True, jit=jit)(-2 + 0j), 12 + 0j)
    # on the left half-plane one root of z^2 - 1 is not the product of the two
    z = -2 + 0.5j
    same(rg.grad(lambda z: np.arccosh(z), holomorphic=True, jit=jit)(z),
         1 / (cmath.sqrt(z - 1) * cmath.sqrt(z + 1)))
    # a negative base of a complex power: the logarithm is complex
    same(rg.grad(lambda w: ((-2.0) ** w).real, jit=jit)(0.5 + 1j),
         cmath.log(-2) * cmath.exp(cmath.log(-2) * (0.5 + 1j)))


@both_modes
def test_strong_zeros(jit):
    """What was not chosen contributes nothing, though its partial is nan."""
    def f(z):
        return np.sum(np.abs(np.where(z == 0, 1.0, z ** -2)))

    assert np.all(np.isfinite(rg.grad(f, jit=jit)(np.array([0j, 1j]))))


# --- holomorphic functions -----------------------------------------------------------------------


@both_modes
def test_a_complex_value_needs_holomorphic(jit):
    f = lambda z: z * z
    with pytest.raises(TypeError, match="holomorphic=True"):
        rg.grad(f, jit=jit)(1j)
    with pytest.raises(TypeError, match="holomorphic=True"):
        rg.value_and_grad(f, jit=jit)(1.0 + 0j)
    same(rg.grad(f, holomorphic=True, jit=jit)(1 + 2j), 2 + 4j)
    same(rg.value_and_grad(f, holomorphic=True, jit=jit)(1j), (-1 + 0j, 2j))


@both_modes
def test_holomorphic_needs_complex_arguments_and_values(jit):
    with pytest.raises(TypeError, match="argument x is float64"):
        rg.grad(lambda x: x * 1j, holomorphic=True, jit=jit)(1.0)
    with pytest.raises(TypeError, match="needs a complex value"):
        rg.grad(lambda z: np.abs(z), holomorphic=True, jit=jit)(1j)
    # an argument that is not differentiated may be real
    same(rg.grad(lambda z, x: x * z, holomorphic=True, jit=jit)(1j, 2.0), 2 + 0j)


@both_modes
def test_a_real_value_needs_no_promise(jit):
    same(rg.grad(lambda z: np.abs(z) ** 2, jit=jit)(3 + 4j), 6 - 8j)


# --- types ---------------------------------------------------------------------------------------


@both_modes
def test_gradients_have_the_type_of_their_argument(jit):
    g = rg.grad(lambda z: np.sum((z * z).real), jit=jit)
    same(g(1 + 2j), 2 + 4j)
    same(g(np.complex128(1 + 2j)), np.complex128(2 + 4j))
    same(g(np.complex64(1 + 2j)), np.complex64(2 + 4j))
    same(g(np.array(1 + 2j)), np.array(2 + 4j))
    for dtype in (np.complex64, np.complex128):
        same(g(Z.astype(dtype)), 2 * Z.astype(dtype), 1e-6)


@both_modes
def test_promotion_is_numpys(jit):
    single, real = Z.astype(np.complex64), np.arange(2, dtype=np.float32)
    for f in (lambda z: z * 2.0 + 1j, lambda z: z * real, lambda z: z * real.astype(float),
              lambda z: np.abs(z) * 2.0, lambda z: z / 3, lambda z: 1j * real + z.imag):
        value, pullback = rg.vjp(f, single, jit=jit)
        same(value, f(single), 1e-6)
        assert pullback(np.ones_like(value))[0].dtype == np.complex64


OUTSIDE, FACTOR = np.array([1j, 2.0]), 2j


@both_modes
def test_captured_complex_values_are_read_at_every_call(jit):
    global FACTOR
    g = rg.grad(lambda z: np.sum((FACTOR * OUTSIDE * z).real), jit=jit)
    same(g(Z), 2j * OUTSIDE)
    before, FACTOR = FACTOR, 1 - 1j
    try:
        same(g(Z), (1 - 1j) * OUTSIDE)
    finally:
        FACTOR = before


@both_modes
def test_parts_of_an_array_are_not_written_through(jit):
    def f(z):
        y = z.real
        y = y + z.imag
        y += 1.0
        return np.sum(y * z.real)

    z = Z.copy()
    same(rg.grad(f, jit=jit)(z), 2 * z.real + z.imag + 1 - 1j * z.real)
    same(z, Z)


# --- what complex numbers do not have ------------------------------------------------------------


def typed(call, *args):
    with pytest.raises(TypeError) as caught:
        call(*args)
    return str(caught.value)


@both_modes
def test_order_and_rounding_raise_as_python_does(jit):
    for f in (lambda z: abs(z) if z < 1j else 0.0, lambda z: abs(z) if z <= 2.0 else 0.0,
              lambda z: abs(z // 2), lambda z: abs(z % 2.0), lambda z: float(z),
              lambda z: math.exp(z), lambda z: abs(max(z, 1j)), lambda z: np.abs(np.floor(z)),
              lambda z: np.hypot(z, 1.0), lambda z: abs(~z), lambda z: np.deg2rad(z).real):
        assert typed(rg.grad(f, jit=jit), 1 + 2j) == typed(f, 1 + 2j)


@both_modes
def test_the_order_of_arrays_is_refused(jit):
    """NumPy compares the real parts first, which has no derivative that anybody would want."""
    for f in (lambda z: np.abs(np.max(z)), lambda z: np.sum(np.abs(z[z < 1j])),
              lambda z: np.abs(z[np.argmax(z)]), lambda z: np.sum(np.maximum(z, 1j)).real,
              lambda z: np.sum(np.round(z)).real, lambda z: np.sum(np.abs(np.fft.fft(z))),
              lambda z: np.linalg.slogdet(np.outer(z, z))[1]):
        with pytest.raises(rg.Unsupported) as caught:
            rg.grad(f, jit=jit)(Z)
        assert caught.value.remedy and caught.value.span is not None


@both_modes
def test_division_by_zero_raises_nothing(jit):
    for f in (lambda z: (1j / z).real, lambda z: (z / 0.0).real, lambda z: abs(z**-1)):
        with np.errstate(all="ignore"):
            expected = f(np.complex128(0))
        value, gradient = rg.value_and_grad(f, jit=jit)(0j)
        np.testing.assert_equal(float(value), float(expected))
        assert type(gradient) is complex and not cmath.isfinite(gradient)


@both_modes
def test_truth_and_equality(jit):
    g = rg.grad(lambda z: abs(z) if z else 3.0 * z.imag, jit=jit)
    same(g(3 + 4j), 0.6 - 0.8j)
    same(g(0j), -3j)
    same(rg.grad(lambda z: z.real if z == 1j else z.imag, jit=jit)(1j), 1 + 0j)


def fails(z):
    if abs(z) > 1:
        raise ValueError(f"{z} has the parts {z.real} and {z.imag}")
    return z.real


@both_modes
def test_messages_with_complex_numbers(jit):
    for z in (1 + 2j, -1.5 - 0.5j):
        with pytest.raises(ValueError) as expected:
            fails(z)
        with pytest.raises(ValueError) as found:
            rg.grad(fails, jit=jit)(z)
        assert str(found.value) == str(expected.value)


# --- check_grads ---------------------------------------------------------------------------------


def test_check_grads_of_complex_numbers():
    rg.check_grads(lambda z, x: np.exp(z) * np.conj(z) * x, (Z, 0.5), jit=False)
    rg.check_grads(lambda z: np.sum(np.angle(z)), (Z.astype(np.complex64),), jit=False)
    with pytest.raises(AssertionError, match=r"with respect to z\[1\] is .*, but finite"):
        rg.check_grads(lambda z: np.abs(z[0]) + np.abs(z[1]), (np.array([2 + 1j, 1e-4]),),
                       step=1e-3, rtol=1e-6, atol=0.0, jit=False)
