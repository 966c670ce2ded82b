"""Functions of complex numbers, by real arithmetic on their parts.

    before   w = exp(z)
    after    x = real(z), y = imag(z), r = exp(x): w = complex(r * cos(y), r * sin(y))

Numba's own are not NumPy's: `exp(800)` and `tanh(800)` give nan, `expm1` and `log` near 0 and 1
lose half the digits, `arccosh` takes the other side of the branch cut, and a whole power is
computed by angles, so that (-2) ** 3 leaves the real axis. The formulas are those of Kahan
(Branch cuts for complex elementary functions, 1987); powers multiply in NumPy's order.
Functions that are not here are the same in both.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from retrograd.backend.lowering.nest import constant
from retrograd.backend.lowering.scope import Scope
from retrograd.ir.nodes import Atom, Constant
from retrograd.ir.types import is_complex, real_dtype

Parts = tuple[Atom, Atom]
_LARGEST_POWER = 100
_SATURATED = 20.0          # beyond, tanh(x) is 1 to the last digit


def differs(op: str, args: tuple[Atom, ...]) -> bool:
    """Whether an operation on these numbers is written with real ones."""
    if not is_complex(args[0].type):
        return False
    return op in _FUNCTIONS or (op == "power" and _whole(args[1]) is not None)


def evaluate(scope: Scope, op: str, args: tuple[Atom, ...]) -> Atom:
    """The operation on these numbers."""
    if op == "power":
        exponent = _whole(args[1])
        assert exponent is not None
        return _power(scope, args[0], exponent)
    x, y = (scope.let(part, args[0], name=name) for part, name in (("real", "x"), ("imag", "y")))
    return _joined(scope, _FUNCTIONS[op](_Reals(scope, x.type.dtype), x, y))


def _joined(scope: Scope, parts: Parts) -> Atom:
    return scope.let("complex", *parts, name="z", weak=False)


class _Reals:
    """Arithmetic on the parts, in their dtype."""

    def __init__(self, scope: Scope, dtype: str) -> None:
        self.scope = scope
        self.dtype = dtype

    def __call__(self, op: str, *args: Atom | float) -> Atom:
        atoms = (constant(a, self.dtype) if isinstance(a, float) else a for a in args)
        return self.scope.let(op, *atoms, weak=False)

    def is_zero(self, x: Atom) -> Atom:
        return self("equal", x, 0.0)


# --- exponentials and logarithms -----------------------------------------------------------------


def _exp(real: _Reals, x: Atom, y: Atom) -> Parts:
    """On the real axis the result is real, also where exp(x) overflows."""
    size = real("exp", x)
    imag = real("where", real.is_zero(y), y, real("multiply", size, real("sin", y)))
    return real("multiply", size, real("cos", y)), imag


def _exp2(real: _Reals, x: Atom, y: Atom) -> Parts:
    return _exp(real, *(real("multiply", part, 0.6931471805599453) for part in (x, y)))


def _expm1(real: _Reals, x: Atom, y: Atom) -> Parts:
    """expm1(x) cos y - 2 sin(y/2)^2: nothing cancels near 0."""
    half = real("sin", real("multiply", y, 0.5))
    first = real("multiply", real("expm1", x), real("cos", y))
    second = real("multiply", 2.0, real("multiply", half, half))
    imag = real("multiply", real("exp", x), real("sin", y))
    return (real("subtract", first, second),
            real("where", real.is_zero(y), y, imag))


def _log(real: _Reals, x: Atom, y: Atom) -> Parts:
    """log |z|; near the unit circle by what |z|^2 differs from 1."""
    size = real("hypot", x, y)
    away = real("add", real("multiply", real("subtract", real("absolute", x), 1.0),
                            real("add", real("absolute", x), 1.0)), real("multiply", y, y))
    near = real("logical_and", real("greater", size, 0.7), real("less", size, 1.4))
    precise = real("multiply", 0.5, real("log1p", real("where", near, away, 0.0)))
    return real("where", near, precise, real("log", size)), real("arctan2", y, x)


def _scaled_log(factor: float) -> Callable[[_Reals, Atom, Atom], Parts]:
    def logarithm(real: _Reals, x: Atom, y: Atom) -> Parts:
        first, second = _log(real, x, y)
        return real("multiply", first, factor), real("multiply", second, factor)

    return logarithm


# --- trigonometric and hyperbolic ----------------------------------------------------------------


def _sinh(real: _Reals, x: Atom, y: Atom) -> Parts:
    imag = real("where", real.is_zero(y), y,
                real("multiply", real("cosh", x), real("sin", y)))
    return real("multiply", real("sinh", x), real("cos", y)), imag


def _cosh(real: _Reals, x: Atom, y: Atom) -> Parts:
    imag = real("where", real.is_zero(y), real("multiply", x, y),
                real("multiply", real("sinh", x), real("sin", y)))
    return real("multiply", real("cosh", x), real("cos", y)), imag


def _tanh(real: _Reals, x: Atom, y: Atom) -> Parts:
    """(b r s + i t) / (1 + b s^2) with t = tan y, b = 1 + t^2, s = sinh x, r = sqrt(1 + s^2)."""
    saturated = real("greater", real("absolute", x), _SATURATED)
    t = real("tan", y)
    b = real("add", 1.0, real("multiply", t, t))
    s = real("sinh", real("where", saturated, 0.0, x))
    bs = real("multiply", b, s)
    r = real("sqrt", real("add", 1.0, real("multiply", s, s)))
    divisor = real("add", 1.0, real("multiply", bs, s))
    far = real("multiply", real("multiply", 4.0, real("multiply", real("sin", y), real("cos", y))),
               real("exp", real("multiply", -2.0, real("absolute", x))))
    return (real("where", saturated, real("copysign", 1.0, x),
                 real("divide", real("multiply", bs, r), divisor)),
            real("where", saturated, far, real("divide", t, divisor)))


def _turned(function: Callable[[_Reals, Atom, Atom], Parts]) -> Callable[..., Parts]:
    """f(z) = -i g(iz), as sin from sinh."""
    def turned(real: _Reals, x: Atom, y: Atom) -> Parts:
        first, second = function(real, real("negative", y), x)
        return second, real("negative", first)

    return turned


def _cos(real: _Reals, x: Atom, y: Atom) -> Parts:
    """cosh(iz)."""
    return _cosh(real, real("negative", y), x)


def _arccosh(real: _Reals, x: Atom, y: Atom) -> Parts:
    """arcsinh(Re(conj(sqrt(z - 1)) sqrt(z + 1))) + 2i arctan2(Im sqrt(z - 1), Re sqrt(z + 1))."""
    scope = real.scope
    below, above = (scope.let("sqrt", _joined(scope, (real("add", x, side), y)))
                    for side in (-1.0, 1.0))
    (a, b), (c, d) = ((scope.let("real", root), scope.let("imag", root))
                      for root in (below, above))
    product = real("add", real("multiply", a, c), real("multiply", b, d))
    return real("arcsinh", product), real("multiply", 2.0, real("arctan2", b, c))


_FUNCTIONS: dict[str, Callable[[_Reals, Atom, Atom], Parts]] = {
    "exp": _exp, "exp2": _exp2, "expm1": _expm1, "log": _log,
    "log2": _scaled_log(1.4426950408889634), "log10": _scaled_log(0.4342944819032518),
    "sinh": _sinh, "cosh": _cosh, "tanh": _tanh, "sin": _turned(_sinh), "cos": _cos,
    "tan": _turned(_tanh), "arccosh": _arccosh,
}


# --- whole powers --------------------------------------------------------------------------------


def _whole(exponent: Atom) -> int | None:
    """A constant exponent that NumPy multiplies out."""
    if not isinstance(exponent, Constant) or exponent.value.imag:
        return None
    value = exponent.value.real
    return int(value) if value == int(value) and abs(value) < _LARGEST_POWER else None


def _power(scope: Scope, z: Atom, exponent: int) -> Atom:
    """z ** n by repeated squaring, and the reciprocal of it where n is negative (nan at 0)."""
    if exponent == 0:
        return constant(1, z.type.dtype)
    product: Atom | None = None
    square, rest = z, abs(exponent)
    while rest:
        if rest & 1:
            product = square if product is None else _times(scope, product, square)
        rest >>= 1
        if rest:
            square = _times(scope, square, square)
    assert product is not None
    if exponent > 0:
        return product
    one = constant(1, real_dtype(z.type.dtype))
    at_zero = scope.let("equal", z, constant(0, z.type.dtype), name="at_zero", weak=False)
    return scope.let("where", at_zero, constant(complex(math.nan, math.nan), z.type.dtype),
                     scope.let("divide", one, product, name="z", weak=False), name="z", weak=False)


def _times(scope: Scope, a: Atom, b: Atom) -> Atom:
    return scope.let("multiply", a, b, name="z", weak=False)
