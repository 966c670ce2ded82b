"""Complex numbers in generated source: constants bit for bit, and Numba's results are NumPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backend.emit_help import flat, load
from retrograd.backend.emit import emit
from retrograd.backend.lowering import lower
from retrograd.backend.lowering.complex_functions import _FUNCTIONS
from retrograd.ir.build import Builder
from retrograd.ir.nodes import Constant, Function, Value
from retrograd.ir.types import Scalar

PARTS = [0.0, -0.0, 1.5, -2.5, 1e300, math.inf, -math.inf, math.nan]
AXIS = [-30.0, -2.5, -1.0, -0.3, -0.0, 0.0, 1e-8, 0.4, 1.0, 3.0, 720.0]
SIDES = [-2.0, -1e-9, -0.0, 0.0, 0.7, 5.0]
SAME = ("sqrt", "arcsin", "arccos", "arctan", "arcsinh", "arctanh", "log1p", "conjugate",
        "absolute", "real", "imag")


def function_of(op: str, dtype: str, *constants: Constant) -> Function:
    z = Value("z", Scalar(dtype))
    builder = Builder(checks=False)
    result = builder.let(op, z, *constants, name="r")
    return Function("f", (z,), builder.block, (result,))


def compiled(function: Function):
    return load(emit(lower(function), "compiled", flat(1)), jit=True)


@pytest.mark.parametrize("op", [*_FUNCTIONS, *SAME])
def test_compiled_functions_are_numpys(op: str) -> None:
    """Also on branch cuts, which the sign of a zero decides, and where real parts overflow."""
    for dtype, limit in (("complex128", 1e-12), ("complex64", 2e-5)):
        run = compiled(function_of(op, dtype))
        for x in AXIS:
            for y in SIDES:
                z = np.dtype(dtype).type(complex(x, y))
                with np.errstate(all="ignore"):
                    expected = getattr(np, op)(z)
                found = run(z)
                if np.isfinite(expected):
                    assert abs(found - expected) <= limit * max(abs(expected), 1e-30), (op, z)
                    assert np.signbit(found.imag) == np.signbit(expected.imag) or abs(
                        expected.imag) > 0, (op, z)
                else:
                    assert str(complex(found)) == str(complex(expected)) or not np.isfinite(found)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7, -1, -3, 2.0])
def test_whole_powers_stay_on_the_real_axis(exponent: float) -> None:
    dtype = "int64" if isinstance(exponent, int) else "float64"
    run = compiled(function_of("power", "complex128", Constant(exponent, Scalar(dtype, True))))
    for z in (-2 + 0j, 0.5 - 1j, 1j, 3 + 0j):
        expected = np.complex128(z) ** exponent
        assert abs(run(z) - expected) <= 1e-15 * abs(expected)
        assert (run(z).imag == 0) == (expected.imag == 0)
    if exponent < 0:
        assert np.isnan(run(0j))


@pytest.mark.parametrize("imag", PARTS)
@pytest.mark.parametrize("dialect", ["readable", "compiled"])
def test_constants_keep_their_bits(imag: float, dialect: str) -> None:
    for real in PARTS:
        for dtype in ("complex128", "complex64"):
            number = np.dtype(dtype).type(complex(real, imag)).item()
            emitted = emit(Function("f", (), (), (Constant(number, Scalar(dtype)),)), dialect,
                           flat(1))
            found = np.dtype(dtype).type(load(emitted)()[0] if dialect == "readable"
                                         else load(emitted)())
            assert found.tobytes() == np.dtype(dtype).type(number).tobytes(), emitted.source
            assert "1e1000" not in emitted.source
