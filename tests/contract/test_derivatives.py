"""The contract, "What a derivative is"."""

import numpy as np
import pytest

import retrograd as rg
from contract.support import INF, NAN, both_modes, same

# --- right means: the derivative of the path that was executed -----------------------------------


def by_branch(x, y):
    if x > y:
        return x * x
    elif x == y:
        return 3.0 * x
    return x * y


@both_modes
def test_branches_follow_the_path(jit):
    g = rg.grad(by_branch, (0, 1), jit=jit)
    same(g(2.0, 1.0), (4.0, 0.0))
    same(g(1.0, 1.0), (3.0, 0.0))
    same(g(1.0, 2.0), (2.0, 1.0))
    same(g(NAN, 1.0), (1.0, NAN))


def halvings(x):
    y = x
    while y > 1.0:
        y = y / 2.0 if y < 100.0 else y / 10.0
    return y * y


@both_modes
def test_trip_counts_follow_the_path(jit):
    g = rg.grad(halvings, jit=jit)
    same(g(0.5), 1.0)
    same(g(8.0), 0.25)
    same(g(500.0), 2 * 500 / 640 / 640)


def larger(x, y):
    return x if x > y else y


@both_modes
def test_maximum_of_two_numbers_by_if_follows_the_path(jit):
    assert rg.grad(larger, (0, 1), jit=jit)(1.0, 1.0) == (0.0, 1.0)
    g = rg.grad(lambda x, y: max(x, y) + 2.0 * min(x, y), (0, 1), jit=jit)
    assert g(1.0, 2.0) == (2.0, 1.0)
    assert g(1.0, 1.0) == (3.0, 0.0)            # Python's max and min give the first of equals


def step_size(x):
    return x * 3.0 if x > 1.0 else x


@both_modes
def test_check_grads_says_when_the_path_changes(jit):
    with pytest.raises(AssertionError, match="within the step the function takes another path"):
        rg.check_grads(step_size, (1.0,), jit=jit)


# --- kinks ---------------------------------------------------------------------------------------


def kinks_of_numbers(a, b, c, d, e):
    return np.abs(a) + abs(b) + np.hypot(c, d) + e ** 0 + e ** 0.0


@both_modes
def test_abs_and_hypot_at_0_give_0_and_so_does_x_to_the_0(jit):
    g = rg.grad(kinks_of_numbers, (0, 1, 2, 3, 4), jit=jit)
    assert g(0.0, 0.0, 0.0, 0.0, 0.0) == (0.0,) * 5
    assert g(-2.0, 3.0, 3.0, -4.0, 2.0) == (-1.0, 1.0, 0.6, -0.8, 0.0)


@both_modes
def test_norm_at_0_gives_0(jit):
    def f(x, A):
        return np.linalg.norm(x) + np.sum(np.linalg.norm(A, axis=1))

    gx, gA = rg.grad(f, (0, 1), jit=jit)(np.zeros(3), np.array([[0.0, 0.0], [3.0, 4.0]]))
    same(gx, np.zeros(3))
    same(gA, np.array([[0.0, 0.0], [0.6, 0.8]]))


@both_modes
def test_ties_in_reductions_share_equally(jit):
    def f(x, A):
        return np.max(x) + 2 * np.min(x) + np.sum(np.max(A, axis=0) + np.min(A, axis=0))

    gx, gA = rg.grad(f, (0, 1), jit=jit)(
        np.array([3.0, 1.0, 3.0, 1.0, 1.0, 2.0]), np.array([[1.0, 5.0], [1.0, 2.0], [0.0, 5.0]]))
    same(gx, np.array([0.5, 2 / 3, 0.5, 2 / 3, 2 / 3, 0.0]))
    same(gA, np.array([[0.5, 0.5], [0.5, 1.0], [1.0, 0.5]]))


@both_modes
def test_sort_and_median_are_stable(jit):
    def f(x, w):
        return np.sum(np.sort(x) * w)

    x = np.array([2.0, 1.0, 2.0, 1.0, -0.0, 0.0])
    w = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    same(rg.grad(f, jit=jit)(x, w), np.array([5.0, 3.0, 6.0, 4.0, 1.0, 2.0]))
    same(rg.grad(lambda x: np.median(x), jit=jit)(np.array([1.0, 0.0, 1.0, 1.0, 5.0])),
         np.array([0.0, 0.0, 1.0, 0.0, 0.0]))
    same(rg.grad(lambda x: np.median(x), jit=jit)(np.array([3.0, 3.0, 3.0, 3.0])),
         np.array([0.0, 0.5, 0.5, 0.0]))


@both_modes
def test_the_median_of_nan_is_nan_and_of_nothing_too(jit):
    f = rg.value_and_grad(lambda x: np.median(x), jit=jit)
    value, x_bar = f(np.array([1.0, np.nan, 0.0]))
    assert np.isnan(value)
    same(x_bar, np.array([0.0, 1.0, 0.0]))
    value, x_bar = f(np.zeros(0))
    assert np.isnan(value)
    same(x_bar, np.zeros(0))


@both_modes
def test_ties_of_maximum_and_minimum_share_equally(jit):
    def f(x, y):
        return np.sum(np.maximum(x, y) + 4 * np.minimum(x, y))

    gx, gy = rg.grad(f, (0, 1), jit=jit)(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))
    same(gx, np.array([2.5, 4.0, 1.0]))
    same(gy, np.array([2.5, 1.0, 4.0]))


@both_modes
def test_clip_at_a_bound_shares_equally(jit):
    def f(x, low):
        return np.sum(np.clip(x, low, 2.0))

    gx, glow = rg.grad(f, (0, 1), jit=jit)(np.array([0.0, 1.0, 1.5, 2.0, 3.0]), 1.0)
    same(gx, np.array([0.0, 0.5, 1.0, 0.5, 0.0]))
    same(glow, 1.5)


@both_modes
def test_argmax_is_stable(jit):
    def f(x):
        return x[np.argmax(x)] + 10.0 * x[np.argmin(x)]

    same(rg.grad(f, jit=jit)(np.array([1.0, 2.0, 2.0, 1.0])), np.array([10.0, 1.0, 0.0, 0.0]))


@both_modes
def test_sqrt_at_0_is_inf(jit):
    assert rg.grad(lambda x: np.sqrt(x), jit=jit)(0.0) == INF
    assert rg.grad(lambda x: x ** 0.5, jit=jit)(0.0) == INF


@both_modes
def test_arctan2_and_std_have_no_subgradient(jit):
    def f(x, y, a):
        return np.arctan2(x, y) + np.std(a)

    gx, gy, ga = rg.grad(f, (0, 1, 2), jit=jit)(0.0, 0.0, np.ones(3))
    assert np.isnan(gx) and np.isnan(gy) and np.all(np.isnan(ga))


# --- strong zeros --------------------------------------------------------------------------------


def safe_root(x):
    return np.where(x > 0, np.sqrt(x), 0.0)


def chain(x):
    y = safe_root(x)
    z = np.log(x)
    return np.where(x > 0, y * z / x, x)


STRONG = {
    "where": lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)),
    "where_both": lambda x: np.sum(np.where(x > 0, np.log(x), np.where(x < 0, 1.0 / x, x))),
    "helper": lambda x: np.sum(safe_root(x)),
    "chain": lambda x: np.sum(chain(x)),
    "reused": lambda x: np.sum(np.where(x > 0, np.exp(np.log(x)) + np.sqrt(x), 2 * x)),
}


@pytest.mark.parametrize("name", STRONG)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@both_modes
def test_what_where_did_not_choose_contributes_nothing(name, dtype, jit):
    x = np.array([0.0, 4.0], dtype)
    g = rg.grad(STRONG[name], jit=jit)(x)
    expected = {"where": [0, 0.25], "where_both": [1, 0.25], "helper": [0, 0.25],
                "chain": [1, (1 - np.log(4) / 2) / 8], "reused": [2, 1.25]}[name]
    assert g.dtype == dtype
    np.testing.assert_allclose(g, np.array(expected), rtol=1e-6)


def where_in_a_loop(x, n):
    s = 0.0
    for i in range(n):
        s = s + np.where(x[i] > 0, np.sqrt(x[i]) * x[i], 0.0)
        if x[i] != 0:
            s = s + np.log(x[i]) / x[i]
        s = s + (1.0 / x[i] if x[i] > 1 else x[i])
    return s


@both_modes
def test_what_was_not_chosen_contributes_nothing_in_loops(jit):
    g = rg.grad(where_in_a_loop, jit=jit)(np.array([0.0, 4.0]), 2)
    same(g, np.array([1.0, 3.0 + (1 - np.log(4)) / 16 - 1 / 16]))


def where_on_numbers(x):
    return np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x))


@both_modes
def test_what_was_not_chosen_contributes_nothing_for_numbers(jit):
    assert rg.grad(lambda x: np.where(x == 0, x, np.sin(x) / x), jit=jit)(0.0) == 1.0
    assert rg.grad(where_on_numbers, jit=jit)(0.0) == 0.0


def branched(x, y):
    r = np.sqrt(x)
    if y > 0:
        return r * y
    return y


@both_modes
def test_what_a_branch_did_not_choose_contributes_nothing(jit):
    assert rg.grad(branched, (0, 1), jit=jit)(0.0, -1.0) == (0.0, 1.0)


@both_modes
def test_elsewhere_ieee_arithmetic_holds(jit):
    assert np.isnan(rg.grad(lambda x: 0 * np.sqrt(x), jit=jit)(0.0))
    gx, gy = rg.grad(lambda x, y: np.sqrt(x) * y, (0, 1), jit=jit)(0.0, 0.0)
    assert np.isnan(gx) and gy == 0.0


# --- unused arguments and other leaves -----------------------------------------------------------


@both_modes
def test_unused_float_inputs_get_zeros(jit):
    def f(x, y, A):
        return x * 2.0

    same(rg.grad(f, (0, 1, 2), jit=jit)(1.0, np.float32(2), np.ones((2, 3))),
         (2.0, np.float32(0), np.zeros((2, 3))))
    same(rg.grad(lambda x: 3.0, jit=jit)(1.0), 0.0)


@both_modes
def test_leaves_that_are_not_floats_get_none(jit):
    def f(x, k, name, flag, index):
        return x[index] * k

    x, index = np.arange(3.0), np.array([2, 2])
    _, pullback = rg.vjp(f, x, 2.0, "a", True, index, jit=jit)
    bars = pullback(np.ones(2))
    same(bars[0], np.array([0.0, 0.0, 4.0]))
    assert bars[1] == 4.0 and bars[2:] == (None, None, None)
