import numpy as np
import pytest

import retrograd as rg
from api.fakes import square

both_modes = pytest.mark.parametrize("jit", [True, False], ids=["compiled", "numpy"])


@both_modes
def test_scalar(fake, jit):
    value, pullback = rg.vjp(square, 3.0, jit=jit)
    assert (value, type(value)) == (9.0, float)
    assert pullback(1.0) == (6.0,) and pullback(2) == (12.0,) and pullback(np.float64(1)) == (6.0,)
    assert type(pullback(1.0)[0]) is float
    _, pullback = rg.vjp(square, 3.0, argnums=0, jit=jit)
    assert pullback(1.0) == 6.0


def test_pullback_owns_what_it_needs(fake):
    x = np.arange(3.0)
    value, pullback = rg.vjp(square, x, jit=False)
    x[:] = 100.0
    value[:] = 100.0
    first, second = pullback(np.ones(3))[0], pullback(np.ones(3))[0]
    np.testing.assert_array_equal(first, [0.0, 2.0, 4.0])
    assert not np.shares_memory(first, second)
    first[:] = 7.0
    np.testing.assert_array_equal(pullback(np.ones(3))[0], [0.0, 2.0, 4.0])


def test_adjoint_must_fit_the_value(fake):
    _, pullback = rg.vjp(square, np.arange(3.0, dtype=np.float32), jit=False)
    got, = pullback(np.ones(3))
    assert got.dtype == np.float32
    got, = pullback(np.ones(3, int))
    assert got.dtype == np.float32
    with pytest.raises(ValueError, match=r"shape \(2,\), but the value has \(3,\)"):
        pullback(np.ones(2))
    with pytest.raises(ValueError, match="shape"):
        pullback(1.0)
    with pytest.raises(TypeError, match="complex"):
        pullback(np.ones(3) * 1j)
    with pytest.raises(TypeError, match="None"):
        pullback(None)


def test_compiled_once_for_many_calls(fake):
    for k in range(3):
        rg.vjp(square, float(k))
    before = len(fake.requests)
    rg.vjp(square, 7.0)
    assert len(fake.requests) == before


def test_integers_carry_no_derivative(fake):
    with pytest.raises(TypeError, match="int64"):
        rg.vjp(square, np.arange(3), argnums=0)
