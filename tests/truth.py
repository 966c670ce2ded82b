"""Derivatives from outside: four ways to compute a gradient that share nothing with retrograd.

differences   central differences, extrapolated (Ridders); for everything, about ten digits
complex       the complex step, exact to rounding; for analytic functions only
autograd      the same function run on `autograd.numpy`
jax           the same function run on `jax.numpy` in float64

For complex arguments a gradient is df/dx - i df/dy, and a complex value stands for its real part
(of `sum(seeds * f)`), so that its gradient is the adjoint that is linear in the seeds, as in JAX.
`gradients` computes by one of these; "auto" takes the differences and, where the complex step
works and agrees with them, its more exact result.
"""

from __future__ import annotations

import cmath
import functools
import math
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special

Gradients = tuple[np.ndarray, ...]


class NoTruth(Exception):
    """This method cannot say what the gradient is."""


@dataclass(frozen=True)
class Truth:
    """The gradients by `argnums`, and how exact they are relative to each gradient's size."""

    gradients: Gradients
    rtol: float
    method: str


def gradients(
    f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int],
    method: str = "auto", seeds: Any = None,
) -> Truth:
    """The gradient of `sum(seeds * f)`, or of `f` where there are no seeds."""
    if method == "jax":
        return Truth(by_jax(f, args, argnums, seeds), 1e-9, method)
    if method == "autograd":
        return Truth(by_autograd(f, args, argnums, seeds), 1e-9, method)
    if method == "complex":
        return Truth(by_complex_step(f, args, argnums, seeds), 1e-10, method)
    args = [in_float64(a) for a in args]
    differences = by_differences(f, args, argnums, seeds)
    if method == "auto" and not any(is_complex(args[n]) for n in argnums):
        try:
            exact = by_complex_step(f, args, argnums, seeds)
        except NoTruth:
            return Truth(differences, 1e-6, "differences")
        if all(close(e, d, 1e-6) for e, d in zip(exact, differences)):
            return Truth(exact, 1e-10, "complex")
    return Truth(differences, 1e-6, "differences")


def close(found: np.ndarray, true: np.ndarray, rtol: float) -> bool:
    """Whether two gradients agree, relative to the size of the whole gradient and to 1e-2."""
    if np.shape(found) != np.shape(true):
        return False
    finite = np.isfinite(true)
    if not np.array_equal(found[~finite], true[~finite], equal_nan=True):
        return False
    size = max(1e-2, float(np.max(np.abs(true[finite]), initial=0.0)))
    return bool(np.all(np.abs(found[finite] - true[finite]) <= rtol * size))


def fresh(value: Any) -> Any:
    """A copy that shares no memory."""
    return value.copy() if isinstance(value, np.ndarray) else value


def in_float64(value: Any) -> Any:
    """A single argument in double precision: numerical differentiation needs the digits."""
    if isinstance(value, np.ndarray | np.inexact) and value.dtype in (np.float32, np.complex64):
        return value.astype(np.result_type(value.dtype, np.float64))
    return value


def is_complex(value: Any) -> bool:
    return value is not None and np.asarray(value).dtype.kind == "c"


def contract(value: Any, seeds: Any) -> Any:
    """sum(seeds * value) over all leaves, in whatever number type the value has."""
    if seeds is None:
        return value
    if isinstance(value, tuple | list):
        total = 0.0
        for v, s in zip(value, seeds, strict=True):
            total = total + contract(v, s)
        return total
    return (value * seeds).sum() if np.ndim(seeds) else value * seeds


# --- numerical ---------------------------------------------------------------------------------


def by_differences(
    f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int], seeds: Any = None
) -> Gradients:
    def along(argnum: int, position: Any, direction: float | complex, step: float) -> float:
        moved = [fresh(a) for a in args]
        kind: Any = complex if is_complex(args[argnum]) else float
        if isinstance(moved[argnum], np.ndarray):
            moved[argnum] = moved[argnum].astype(kind)
            moved[argnum][position] += direction * step
        else:
            moved[argnum] = kind(moved[argnum]) + direction * step
        return float(np.real(contract(f(*moved), seeds)))

    def slope(argnum: int, position: Any, direction: float | complex) -> float:
        at = abs(np.asarray(args[argnum])[position])
        return ridders(functools.partial(along, argnum, position, direction),
                       1e-2 * max(float(at), 0.1))

    def gradient(argnum: int) -> np.ndarray:
        result = np.zeros(np.shape(args[argnum]), complex if is_complex(args[argnum]) else float)
        for position in np.ndindex(result.shape):
            result[position] = slope(argnum, position, 1.0)
            if is_complex(args[argnum]):
                result[position] -= 1j * slope(argnum, position, 1j)
        return result

    return tuple(gradient(n) for n in argnums)


def ridders(f: Callable[[float], float], step: float, rows: int = 9) -> float:
    """f'(0) by central differences of shrinking steps, extrapolated to a step of zero.

    Ridders, Advances in Engineering Software 4 (1982) 75: the entry of the tableau with the
    smallest estimate of its own error.
    """
    best, smallest = math.nan, math.inf
    tableau: list[list[float]] = []
    for row in range(rows):
        h = step / 2.0**row
        line = [(f(h) - f(-h)) / (2 * h)]
        for k in range(row):
            factor = 4.0 ** (k + 1)
            line.append((factor * line[k] - tableau[-1][k]) / (factor - 1))
            error = max(abs(line[k + 1] - line[k]), abs(line[k + 1] - tableau[-1][k]))
            if error <= smallest:
                best, smallest = line[k + 1], error
        tableau.append(line)
    return best


def by_complex_step(
    f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int], seeds: Any = None
) -> Gradients:
    """Squire and Trapp, SIAM Review 40 (1998) 110: Im f(x + ih) / h with h near underflow."""
    h = 1e-30
    f = retargeted(f, _ComplexNumPy(), scipy.special)     # `math` refuses complex numbers

    def gradient(argnum: int) -> np.ndarray:
        shape = np.shape(args[argnum])
        result = np.zeros(shape)
        for position in np.ndindex(shape):
            moved = [_with_room(a) for a in args]
            if isinstance(moved[argnum], np.ndarray):
                moved[argnum][position] += 1j * h
            else:
                moved[argnum] = np.complex128(complex(moved[argnum], h))
            result[position] = np.imag(contract(f(*moved), seeds)) / h
        return result

    try:
        return tuple(gradient(n) for n in argnums)
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        # A function that is not made for complex numbers says so in one of these ways.
        raise NoTruth(str(error)) from error


def _with_room(value: Any) -> Any:
    """A copy of an argument that a program may store complex numbers into."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.complex128)
    return fresh(value)


class _ComplexNumPy:
    """NumPy whose new arrays of floats hold complex numbers: a store into them keeps the step."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def zeros(self, shape: Any, dtype: Any = float) -> np.ndarray:
        return _with_room(np.zeros(shape, dtype))

    def ones(self, shape: Any, dtype: Any = float) -> np.ndarray:
        return _with_room(np.ones(shape, dtype))

    def empty(self, shape: Any, dtype: Any = float) -> np.ndarray:
        return _with_room(np.zeros(shape, dtype))

    def full(self, shape: Any, value: Any, dtype: Any = None) -> np.ndarray:
        return _with_room(np.full(shape, value, dtype))

    def eye(self, *args: Any, **options: Any) -> np.ndarray:
        return _with_room(np.eye(*args, **options))

    def ones_like(self, a: Any, dtype: Any = None) -> np.ndarray:
        return _with_room(np.ones_like(a, dtype))


# --- other systems -----------------------------------------------------------------------------


def by_jax(
    f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int], seeds: Any = None
) -> Gradients:
    import jax
    import jax.numpy
    import jax.scipy.special

    jax.config.update("jax_enable_x64", True)
    on_jax = retargeted(f, jax.numpy, jax.scipy.special)
    moved = [jax.numpy.asarray(a) if isinstance(a, np.ndarray) else a for a in args]
    for n in argnums:
        dtype = np.result_type(np.asarray(moved[n]), np.float32)
        moved[n] = jax.numpy.asarray(moved[n], dtype=dtype)
    found = jax.grad(lambda *a: jax.numpy.real(contract(on_jax(*a), seeds)),
                     tuple(argnums))(*moved)
    return tuple(np.asarray(g) for g in found)


def by_autograd(
    f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int], seeds: Any = None
) -> Gradients:
    import autograd
    import autograd.numpy
    import autograd.scipy.special

    on_autograd = retargeted(f, autograd.numpy, autograd.scipy.special)
    moved = [float(a) if n in argnums and np.ndim(a) == 0 else a for n, a in enumerate(args)]
    found = autograd.grad(lambda *a: contract(on_autograd(*a), seeds), tuple(argnums))(*moved)
    return tuple(np.asarray(g) for g in found)


def retargeted(f: Any, numpy: Any, special: Any) -> Any:
    """The same function on another implementation of NumPy, with everything that it calls."""
    return _Retarget(numpy, special).convert(f)


class _Retarget:
    """Copies functions, with other modules in the place of NumPy, math and scipy.special."""

    def __init__(self, numpy: Any, special: Any) -> None:
        self.modules = ((np, numpy), (math, _math_of(numpy)), (cmath, _cmath_of(numpy)),
                        (scipy.special, special))
        self.made: dict[int, types.FunctionType] = {}

    def convert(self, value: Any) -> Any:
        value = getattr(value, "py_func", value)          # of a function that Numba compiled
        if isinstance(value, functools.partial):
            return functools.partial(self.convert(value.func), *value.args, **value.keywords)
        if isinstance(value, types.MethodType):
            return types.MethodType(self.convert(value.__func__), value.__self__)
        if isinstance(value, types.FunctionType) and not _is_library(value):
            return self.made.get(id(value)) or self.function(value)
        return self.twin(value)

    def function(self, original: types.FunctionType) -> types.FunctionType:
        scope: dict[str, Any] = dict(original.__globals__)
        closure = original.__closure__ or ()
        cells = tuple(types.CellType() for _ in closure)
        copy = types.FunctionType(original.__code__, scope, original.__name__,
                                  original.__defaults__, cells or None)
        copy.__kwdefaults__ = original.__kwdefaults__
        self.made[id(original)] = copy
        for name in _names(original.__code__) & set(scope):
            scope[name] = self.convert(scope[name])
        for cell, old in zip(cells, closure):
            cell.cell_contents = self.convert(old.cell_contents)
        return copy

    def twin(self, value: Any) -> Any:
        """The counterpart of a module, or of a function that was imported by its own name."""
        name = getattr(value, "__name__", None)
        for source, target in self.modules:
            if value is source:
                return target
            if callable(value) and isinstance(name, str) and getattr(source, name, None) is value:
                return getattr(target, name)
        return value


def _names(code: types.CodeType) -> set[str]:
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*(_names(c) for c in inner))


def _is_library(function: types.FunctionType) -> bool:
    return function.__module__.split(".")[0] in ("numpy", "scipy", "math", "cmath")


def _cmath_of(numpy: Any) -> types.SimpleNamespace:
    """Python's `cmath` over another NumPy."""
    same = ("exp", "log", "sqrt", "sin", "cos", "pi")
    found = {name: getattr(numpy, name) for name in same}
    return types.SimpleNamespace(**found, phase=numpy.angle)


def _math_of(numpy: Any) -> types.SimpleNamespace:
    """Python's `math` over another NumPy."""
    renamed = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
               "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "pow": "power"}
    same = ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "log1p", "expm1",
            "floor", "ceil", "fabs", "hypot", "log2", "log10", "copysign", "pi", "e", "inf")
    found = {name: getattr(numpy, name) for name in same}
    found |= {name: getattr(numpy, other) for name, other in renamed.items()}
    return types.SimpleNamespace(**found)
