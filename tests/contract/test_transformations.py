"""The contract, "Arguments and results": `hvp`, `jvp`, `jacobian`, `vmap`, derivatives inside."""

import numpy as np
import pytest

import retrograd as rg
from contract.support import both_modes, same

X, V = np.array([1.5, -0.5, 2.0]), np.array([1.0, 0.0, -2.0])


def weighted(x, w):
    return np.sum(w * x ** 3)


@both_modes
def test_hvp_has_the_order_of_hessp(jit):
    same(rg.hvp(weighted, jit=jit)(X, V, X), 6 * X * X * V)


def of_both(a, b):
    return a * b, np.sum(b)


@both_modes
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_jacobian_has_the_shape_of_the_value_and_the_argument_and_its_dtype(jit, mode):
    a = X.astype(np.float32)
    (aa, ab), (sa, sb) = rg.jacobian(of_both, (0, 1), mode=mode, jit=jit)(a, V)
    same(aa, np.diag(V).astype(np.float32))
    same(ab, np.diag(X))
    same(sa, np.zeros(3, np.float32))
    same(sb, np.ones(3))


@both_modes
def test_a_tangent_is_typed_as_the_value_is(jit):
    a = X.astype(np.float32)
    (product, total), (product_dot, total_dot) = rg.jvp(of_both, (a, V), (a, None), jit=jit)
    assert (product.dtype, type(total)) == (product_dot.dtype, type(total_dot))
    same(product_dot, X * V)
    assert total_dot == 0.0
    assert rg.jvp(lambda x, n: (x ** n, n), (2.0, 3), (1.0, None), jit=jit) == (
        (8.0, 3), (12.0, None))


@both_modes
def test_holomorphic_needs_complex_numbers_everywhere(jit):
    z = X + 1j * V
    same(rg.jacobian(lambda z: z * z, holomorphic=True, jit=jit)(z), np.diag(2 * z))
    for make in (rg.jacobian, rg.hessian):
        with pytest.raises(TypeError, match="holomorphic=True needs a complex value"):
            make(lambda z: np.sum(np.abs(z)), holomorphic=True, jit=jit)(z)
        with pytest.raises(TypeError, match="holomorphic=True needs complex arguments"):
            make(lambda x: np.sum(np.exp(1j * x)), holomorphic=True, jit=jit)(X)


def shifts(x, w):
    w[0] += x[0]
    return x * w[0]


@both_modes
def test_samples_have_copies_of_what_they_write(jit):
    rows, w = np.arange(6.0).reshape(2, 3), np.ones(1)
    found = rg.vmap(shifts, in_axes=(None, 0), jit=jit)(w, rows)
    same(found, np.stack([shifts(np.ones(1), row.copy()) for row in rows]))
    found = rg.vmap(shifts, in_axes=(0, None), jit=jit)(rows, w)
    same(found, np.stack([shifts(row, np.ones(1)) for row in rows]))
    same(w, np.ones(1))
    same(rows, np.arange(6.0).reshape(2, 3))


@both_modes
def test_no_bit_of_a_sum_over_samples_depends_on_parallel(jit):
    rows = np.random.default_rng(3).normal(size=(101, 3)) * 10.0 ** np.arange(-3, 6, 4)
    sums = [rg.vmap(rg.grad(weighted), in_axes=(None, 0), reduce="sum", parallel=parallel,
                    jit=jit)(X, rows) for parallel in (False, True)]
    assert sums[0].tobytes() == sums[1].tobytes()


def confused(x):
    return x * rg.grad(lambda y: x + y)(x)


def writes_outside(x):
    kept = np.zeros(1)

    def square(y):
        kept[0] = y
        return y * y

    return rg.grad(square)(x) + kept[0]


@both_modes
def test_a_derivative_inside_is_one_with_respect_to_the_inner_parameter(jit):
    assert rg.grad(confused, jit=jit)(3.0) == 1.0
    with pytest.raises(rg.Unsupported, match="writes into an array of the function around it"):
        rg.grad(writes_outside, jit=jit)(2.0)
