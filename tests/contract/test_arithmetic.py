"""The contract, "Arithmetic"."""

import math
import warnings

import numpy as np
import pytest

import retrograd as rg
from contract.support import INF, NAN, alike, both_modes, same

# --- IEEE semantics and order --------------------------------------------------------------------


def kahan(x):
    total, c = 0.0, 0.0
    for i in range(len(x)):
        y = x[i] - c
        t = total + y
        c = (t - total) - y
        total = t
    return total


def two_sum(a, b):
    s = a + b
    t = s - a
    return (a - (s - t)) + (b - t)


def neumaier(x):
    total, c = 0.0, 0.0
    for value in x:
        t = total + value
        if abs(total) >= abs(value):
            c += (total - t) + value
        else:
            c += (value - t) + total
        total = t
    return total + c


@both_modes
def test_kahan_summation_is_unharmed(jit):
    x = np.full(10_000 if jit else 2_000, 0.1)
    x[0] = 1e8
    value, g = rg.value_and_grad(kahan, jit=jit)(x)
    assert value == kahan(x) and abs(value - math.fsum(x)) <= 2e-8
    assert abs(sum(x.tolist()) - math.fsum(x)) > 1e-7         # plain summation is worse
    assert np.all(g == 1.0)


@both_modes
def test_two_sum_is_unharmed(jit):
    assert rg.differentiable(two_sum, jit=jit)(1.0, 1e-20) == 1e-20
    assert rg.value_and_grad(two_sum, (0, 1), jit=jit)(1e16, 1.0)[0] == two_sum(1e16, 1.0) == 1.0 \
        or two_sum(1e16, 1.0) == 0.0


@both_modes
def test_what_is_lost_stays_lost(jit):
    assert rg.value_and_grad(lambda x: (x + 1e16) - 1e16, jit=jit)(1.0) == (0.0, 1.0)
    assert rg.value_and_grad(lambda x: x * 3.0 / 3.0 - x, jit=jit)(0.1)[0] == 0.1 * 3.0 / 3.0 - 0.1
    value = rg.differentiable(lambda x: np.sum((x + 1e16) - 1e16), jit=jit)(np.ones(8))
    assert value == 0.0


@both_modes
def test_summation_with_compensation_of_arrays(jit):
    x = np.array([1.0, 1e100, 1.0, -1e100] * 100)
    assert rg.differentiable(neumaier, jit=jit)(x) == 200.0


def ill_conditioned(n, dtype=np.float64, seed=7):
    """Terms of very different sizes, whose sum is small against them."""
    random = np.random.default_rng(seed)
    half = (random.normal(size=n) * 10.0 ** random.uniform(-6, 6, n)).astype(dtype)
    x = np.concatenate((half, -half)) + random.normal(size=2 * n).astype(dtype)
    random.shuffle(x)
    return x


def unit_errors(total, x):
    """The error of a sum in units of rounding of the sum of the sizes."""
    unit = float(np.finfo(x.dtype).eps) / 2
    return (float(total) - math.fsum(x.tolist())) / (unit * math.fsum(np.abs(x).tolist()))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@both_modes
def test_sums_are_no_less_accurate_than_numpys(dtype, jit):
    d = rg.differentiable(lambda x: np.sum(x), jit=jit)
    errors = []
    for seed in range(100):
        x = ill_conditioned(3000 + 7 * seed, dtype, seed)
        errors.append([unit_errors(total, x) for total in (d(x), np.sum(x))])
    ours, numpys = np.sqrt(np.mean(np.square(errors), axis=0))
    assert ours <= 1.5 * numpys                            # for one sum, chance decides
    for x in (np.full(10**6, 0.1, dtype), np.linspace(0, 1, 65_537).astype(dtype)):
        assert abs(unit_errors(d(x), x)) <= 19 + np.log2(x.size / 128)     # pairwise bound


@both_modes
def test_sums_over_an_axis_are_no_less_accurate_than_numpys(jit):
    d = rg.differentiable(lambda x: (np.sum(x, axis=0), np.sum(x, axis=1)), jit=jit)
    for shape in ((5000, 3), (3, 5000)):
        x = ill_conditioned(7500).reshape(shape)
        for axis, got in enumerate(d(x)):
            exact = np.array([math.fsum(row) for row in np.moveaxis(x, axis, -1)])
            limit = np.max(np.abs(np.sum(x, axis=axis) - exact))
            assert np.max(np.abs(got - exact)) <= 4 * limit + 1e-15 * np.max(np.abs(x))


def sum_of_products(x, y):
    return np.sum(x * y), np.mean(x), np.var(x)


@both_modes
def test_sums_inside_expressions_are_accurate_too(jit):
    x = ill_conditioned(20_000)
    y = np.ones_like(x)
    for got, want in zip(rg.differentiable(sum_of_products, jit=jit)(x, y), sum_of_products(x, y)):
        assert abs(got - want) <= 1e-10 * max(1.0, np.max(np.abs(x)), abs(want))


# --- division by zero, overflow, invalid operations ----------------------------------------------


def divisions(x, y):
    return x / y, 1.0 / y, x ** -1.0, np.log(y), math.exp(x + 800.0)


@both_modes
def test_float_division_by_zero_gives_inf_and_nan(jit):
    d = rg.differentiable(lambda x, y: (x / y, -1.0 / y, y / y, x // y, x % y), jit=jit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(tuple(map(float, d(1.0, 0.0))), (INF, -INF, NAN, INF, NAN))
        g = rg.grad(lambda x, y: x / y, (0, 1), jit=jit)
        assert g(1.0, 0.0) == (INF, -INF)
        arrays = rg.grad(lambda x, y: np.sum(x / y), (0, 1), jit=jit)
        same(arrays(np.ones(2), np.zeros(2)), (np.full(2, INF), np.full(2, -INF)))


@both_modes
def test_overflow_and_invalid_operations_do_not_raise(jit):
    def f(x):
        return np.exp(x), x * x, math.exp(x), x ** 3.0, x ** 400

    def g(x):
        return np.log(x), np.sqrt(x), x ** 0.5, np.arcsin(x), math.log(x), math.sqrt(x)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rg.differentiable(f, jit=jit)(1e300) == (INF,) * 5
        assert all(map(np.isnan, rg.differentiable(g, jit=jit)(-2.0)))
        assert rg.grad(lambda x: math.exp(x), jit=jit)(1e4) == INF
        assert rg.grad(lambda x: np.log(x), jit=jit)(0.0) == INF
        assert rg.value_and_grad(lambda x: 10.0 ** x, jit=jit)(1e3) == (INF, INF)
        same(rg.grad(lambda x: np.sum(np.exp(x)), jit=jit)(np.array([800.0, 0.0])),
             np.array([INF, 1.0]))


@both_modes
def test_ints_divided_give_inf_and_nan_too(jit):
    d = rg.differentiable(lambda x, n: (x / n, n / n), jit=jit)
    got = d(1.0, 0)
    assert got[0] == INF and np.isnan(got[1])


@pytest.mark.parametrize("f", [lambda x, n: x * (5 // n), lambda x, n: x * (5 % n),
                               lambda x, n: x + 0 * (n // n)])
def test_integer_division_by_zero_raises(f):
    assert alike(f, 1.0, 0)[0] is ZeroDivisionError
    for jit in (True, False):
        assert np.isfinite(rg.grad(f, jit=jit)(1.0, 2))


@both_modes
def test_integer_division_rounds_down(jit):
    def f(x, a, b):
        return x, a // b, a % b

    d = rg.differentiable(f, jit=jit)
    for a, b in ((7, 2), (-7, 2), (7, -2), (-7, -2)):
        assert d(1.0, a, b) == (1.0, a // b, a % b)
    floats = rg.differentiable(lambda a, b: (a // b, a % b), jit=jit)
    for a, b in ((7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (-7.5, -2.0), (-1e-20, 1.0)):
        assert floats(a, b) == (a // b, a % b)


# --- ints ----------------------------------------------------------------------------------------


def test_ints_wrap_in_compiled_code():
    d = rg.differentiable(lambda n: n * n)
    assert d(2**32 + 1) == 2**33 + 1
    assert rg.differentiable(lambda x, n: (x, n + 1))(1.0, 2**63 - 1) == (1.0, -2**63)


@both_modes
def test_constants_that_do_not_fit_are_refused(jit):
    with pytest.raises(rg.Unsupported, match="does not fit in 64 bits"):
        rg.grad(lambda x: x * 9223372036854775808, jit=jit)(1.0)
    assert rg.grad(lambda x: x * 9223372036854775807, jit=jit)(1.0) == 2.0**63
    with pytest.raises(OverflowError):
        rg.grad(lambda x, n: x * n, jit=jit)(1.0, 2**63)


# --- indices -------------------------------------------------------------------------------------


def picks(x, index):
    s = 0.0
    for k in index:
        s = s + x[k] * x[k]
    return s


@both_modes
def test_indices_are_checked(jit):
    g = rg.grad(picks, jit=jit)
    x = np.arange(3.0)
    same(g(x, np.array([0, -1, 2])), np.array([0.0, 0.0, 8.0]))
    for bad in (3, -4, 2**62, -2**62):
        words = f"index {bad} is out of bounds for axis 0 with size 3"
        with pytest.raises(IndexError, match=words):
            g(x, np.array([0, bad]))


def gathers(x, index, n):
    s = 0.0
    for i in range(n):
        s = s + x[i] * x[index[i]]
    return s + np.sum(x[index] ** 2)


def test_boundscheck_false_drops_index_checks_and_nothing_else():
    x, index = np.arange(1.0, 4.0), np.array([2, 0, -2])
    checked, free = rg.grad(gathers), rg.grad(gathers, boundscheck=False)
    same(free(x, index, 3), checked(x, index, 3))
    same(rg.grad(gathers, boundscheck=False, jit=False)(x, index, 3), checked(x, index, 3))
    assert "return 1" in checked.source("compiled", x, index, 3)
    assert "return 1" not in free.source("compiled", x, index, 3)

    def f(x, y, n):
        if n > 2:
            raise KeyError("n")
        return np.sum(x + y) / (7 // n)

    g = rg.grad(f, boundscheck=False)
    for args, error in (((x, x[1:], 1), ValueError), ((x, x, 3), KeyError),
                        ((x, x, 0), ZeroDivisionError)):
        with pytest.raises(error):
            g(*args)
