"""The contract, "Arguments and results": what goes in, and of which type what comes out is."""

import numpy as np
import pytest

import retrograd as rg
from contract.support import both_modes, same


def cubed(x):
    return np.sum(x * x * x)


# --- what is taken for a float --------------------------------------------------------------------


@both_modes
def test_python_ints_and_bools_become_float64(jit):
    v = rg.value_and_grad(lambda x: x * x, jit=jit)
    same(v(3), (9.0, 6.0))
    same(v(True), (1.0, 2.0))
    same(rg.grad(lambda x: x / 2, jit=jit)(3), 0.5)


@both_modes
@pytest.mark.parametrize("given", [np.arange(3), np.array([True]), np.int64(3), np.bool_(True),
                                   "text", None, [1, "text"]], ids=str)
def test_what_is_not_a_float_raises_type_error(given, jit):
    for product in (rg.grad, rg.value_and_grad):
        with pytest.raises(TypeError, match="'x'"):
            product(cubed, jit=jit)(given)
    with pytest.raises(TypeError):
        rg.vjp(cubed, given, argnums=0, jit=jit)


# --- a gradient has the type, shape and dtype of its argument ------------------------------------

ARGUMENTS = {
    "float": 2.0,
    "float64": np.float64(2),
    "float32": np.float32(2),
    "0-d": np.array(2.0),
    "0-d float32": np.array(2.0, np.float32),
    "1-d": np.arange(3.0),
    "empty": np.zeros((0, 3)),
    "ones": np.ones((1, 1, 2)),
    "float32 array": np.arange(4, dtype=np.float32).reshape(2, 2),
    "Fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(24.0).reshape(4, 6)[::-2, 1::2],
    "broadcast": np.broadcast_to(np.arange(3.0), (2, 3)),
}


@pytest.mark.parametrize("name", ARGUMENTS)
@both_modes
def test_a_gradient_is_like_its_argument(name, jit):
    x = ARGUMENTS[name]
    before = np.copy(x)
    expected = 3 * x * x
    if isinstance(x, np.ndarray):
        expected = np.array(expected, x.dtype, order="C")
    got = rg.grad(cubed, jit=jit)(x)
    same(got, expected, 1e-6)
    np.testing.assert_array_equal(x, before)
    value, (bar,) = rg.value_and_grad(cubed, (0,), jit=jit)(x)
    same(bar, expected, 1e-6)
    assert value == cubed(x) and np.asarray(value).dtype == np.asarray(cubed(x)).dtype
    if isinstance(x, np.ndarray):
        assert got.flags.c_contiguous and got.flags.writeable
        assert not np.shares_memory(got, x)


@both_modes
def test_read_only_arguments(jit):
    x = np.arange(3.0)
    x.flags.writeable = False
    g = rg.grad(cubed, jit=jit)(x)
    same(g, 3 * x * x)
    assert g.flags.writeable and not x.flags.writeable


@both_modes
def test_a_gradient_keeps_the_dtype_of_its_own_argument_among_others(jit):
    def f(x, y, A, B):
        return np.sum(x * A * y + B)

    args = (np.float32(2), 3.0, np.ones((2, 3), np.float32), np.ones((3,)))
    gx, gy, gA, gB = rg.grad(f, (0, 1, 2, 3), jit=jit)(*args)
    same(gx, np.float32(18))
    same(gy, 12.0)
    same(gA, np.full((2, 3), 6, np.float32))
    same(gB, np.full(3, 2.0))


# --- promotion -----------------------------------------------------------------------------------

f32, f64, i32, i64 = np.float32, np.float64, np.int32, np.int64
OPERANDS = {
    "float": 1.5, "int": 2, "bool": True, "float32": f32(1.5), "float64": f64(1.5),
    "float32[:]": np.array([1.5, 2], f32), "float64[:]": np.array([1.5, 2]),
    "int64": i64(2), "int64[:]": np.array([2, 3]), "int32[:]": np.array([2, 3], i32),
    "bool[:]": np.array([True, False]),
}
PAIRS = [(a, b) for a in ("float", "float32", "float32[:]", "float64[:]") for b in OPERANDS]


def mixed(x, y):
    return x * y + x * 0.5 + 2 - y / 2, np.exp(x) + y, np.where(x > 1, x, 1) * 2


@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_promotion_is_numpys(names):
    x, y = (OPERANDS[n] for n in names)
    check_promotion(x, y, jit=False)


@pytest.mark.parametrize("names", PAIRS[1::5], ids=" and ".join)
def test_promotion_is_numpys_in_compiled_code(names):
    x, y = (OPERANDS[n] for n in names)
    check_promotion(x, y, jit=True)


def check_promotion(x, y, jit):
    expected = mixed(x, y)
    value, pullback = rg.vjp(mixed, x, y, jit=jit)
    for got, want in zip(value, expected):
        kind = np.ndarray if isinstance(want, np.ndarray) and np.ndim(want) else (float, np.generic)
        assert isinstance(got, kind)
        assert np.asarray(got).dtype == np.asarray(want).dtype
        np.testing.assert_allclose(got, want, rtol=1e-6)
    seeds = tuple(np.ones_like(v) if np.ndim(v) else type(v)(1) for v in value)
    bars = pullback(seeds)
    for bar, argument in zip(bars, (x, y)):
        if isinstance(argument, (float, np.floating)) or np.asarray(argument).dtype.kind == "f":
            assert type(bar) is type(argument)
            assert np.asarray(bar).dtype == np.asarray(argument).dtype
        else:
            assert bar is None


@both_modes
def test_a_float32_array_stays_float32(jit):
    x = np.array([1.0, 2.0], np.float32)
    for f in (lambda x: np.sum(x * 0.5), lambda x: np.mean(x ** 2), lambda x: np.sum(x / 3),
              lambda x: np.sum(np.maximum(x, 0.1)), lambda x: x[0] * 0.1):
        value, g = rg.value_and_grad(f, jit=jit)(x)
        assert type(value) is np.float32 and g.dtype == np.float32
        assert value == f(x) or abs(value - f(x)) < 1e-6


# --- both modes agree ----------------------------------------------------------------------------


def network(W, b, x, n):
    h = x
    for i in range(n):
        h = np.tanh(W @ h + b) + np.exp(-h * h) / (1.0 + i)
        if h[0] > 0.2:
            h = h * np.log1p(np.abs(h))
    return np.sum(np.sqrt(h * h + 1.0)) + np.std(h)


@pytest.mark.parametrize("dtype, rtol", [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_both_modes_agree(dtype, rtol):
    random = np.random.default_rng(1)
    args = [random.normal(size=s).astype(dtype) for s in ((5, 5), 5, 5)]
    results = [rg.value_and_grad(network, (0, 1, 2), jit=jit)(*args, 4) for jit in (True, False)]
    (v1, g1), (v2, g2) = results
    assert type(v1) is type(v2) and np.asarray(v1).dtype == dtype
    np.testing.assert_allclose(v1, v2, rtol=rtol)
    for a, b in zip(g1, g2):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.max(np.abs(b)))


# --- argnums and argnames ------------------------------------------------------------------------


def three(x, y=3.0, *, z=5.0):
    return x * y * z


@both_modes
def test_one_gives_the_gradient_itself_a_sequence_a_tuple(jit):
    assert rg.grad(three, jit=jit)(2.0) == 15.0
    assert rg.grad(three, 1, jit=jit)(2.0) == 10.0
    assert rg.grad(three, -1, jit=jit)(2.0) == 10.0
    assert rg.grad(three, (1, 0), jit=jit)(2.0) == (10.0, 15.0)
    assert rg.grad(three, [0], jit=jit)(2.0) == (15.0,)
    assert rg.grad(three, np.int64(1), jit=jit)(2.0) == 10.0
    assert rg.grad(three, argnames="z", jit=jit)(2.0) == 6.0
    assert rg.grad(three, argnames=("z", "x"), jit=jit)(2.0) == (6.0, 15.0)
    assert rg.grad(three, argnames=["y"], jit=jit)(x=2.0, z=1.0) == (2.0,)
    assert rg.value_and_grad(three, (0, 1), jit=jit)(2.0, 1.0) == (10.0, (5.0, 10.0))


@both_modes
def test_vjp_gives_one_entry_a_positional_argument(jit):
    value, pullback = rg.vjp(three, 2.0, 4.0, jit=jit)
    assert value == 40.0 and pullback(1.0) == (20.0, 10.0)
    assert rg.vjp(three, 2.0, jit=jit)[1](2.0) == (30.0,)
    assert rg.vjp(three, 2.0, 4.0, argnums=1, jit=jit)[1](1.0) == 10.0
    assert rg.vjp(three, 2.0, 4.0, argnames=("z", "x"), jit=jit)[1](1.0) == (8.0, 20.0)


@pytest.mark.parametrize("arguments, error, text", [
    (dict(argnums=3), ValueError, "out of range"),
    (dict(argnums=(0, 0)), ValueError, "twice"),
    (dict(argnums=1.0), TypeError, "argnums"),
    (dict(argnums=True), TypeError, "argnums"),
    (dict(argnums="x"), TypeError, "argnums"),
    (dict(argnames="w"), ValueError, "no parameter 'w'"),
    (dict(argnames=(1,)), TypeError, "argnames"),
    (dict(argnums=0, argnames="x"), TypeError, "not both"),
])
def test_wrong_argnums_and_argnames(arguments, error, text):
    for product in (rg.grad, rg.value_and_grad, rg.differentiable):
        with pytest.raises(error, match=text):
            product(three, **arguments)
    with pytest.raises(error, match=text):
        rg.vjp(three, 1.0, **arguments)


@both_modes
def test_argument_errors_are_pythons(jit):
    g = rg.grad(three, jit=jit)
    for args, kwargs in (((), {}), ((1.0, 2.0, 3.0), {}), ((1.0,), {"w": 1.0}),
                         ((1.0,), {"x": 1.0})):
        with pytest.raises(TypeError) as expected:
            three(*args, **kwargs)
        with pytest.raises(TypeError) as got:
            g(*args, **kwargs)
        words = str(expected.value).split("()")[1]
        assert str(got.value).split("()")[1].split(" but ")[0] == words.split(" but ")[0]
