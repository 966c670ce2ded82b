"""np.linalg over its primitives; norms have the subgradient 0 where they are 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import fail, is_complex, is_text, normal_axes, normal_axis, number
from retrograd.prelude.language import dtype_of, is_known, primitive, refuse
from retrograd.prelude.reductions import restored, squared
from retrograd.prelude.shapes import matrix_transpose


def _matrix(function: str, a: Any) -> Any:
    x = np.asarray(a)
    if np.ndim(x) < 2:
        fail("LinAlgError", number(np.ndim(x))
             + "-dimensional array given. Array must be at least two-dimensional")
    if np.ndim(x) > 2:
        refuse(function + " of a stack of matrices is not supported", "loop over the matrices")
    return x


def solve(a: Any, b: Any) -> Any:
    y = np.asarray(b)
    if np.ndim(y) not in (1, 2):
        refuse("np.linalg.solve needs a vector or a matrix on the right side",
               "loop over the systems")
    return primitive("solve", _matrix("np.linalg.solve", a), y)


def inv(a: Any) -> Any:
    return primitive("inv", _matrix("np.linalg.inv", a))


def det(a: Any) -> Any:
    return primitive("det", _matrix("np.linalg.det", a))


def slogdet(a: Any) -> Any:
    x = _matrix("np.linalg.slogdet", a)
    if is_complex(dtype_of(x)):
        refuse("np.linalg.slogdet of a complex matrix is not supported",
               "use np.log of np.linalg.det")
    return primitive("slogdet_sign", x), primitive("slogdet_log", x)


def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    x = _matrix("np.linalg.cholesky", a)
    if is_complex(dtype_of(x)):
        refuse("np.linalg.cholesky of a complex matrix is not supported",
               "write it with its real and imaginary parts")
    # NumPy reads one triangle only, and so does the derivative
    return matrix_transpose(primitive("cholesky", matrix_transpose(x))) if upper \
        else primitive("cholesky", x)


def matrix_power(a: Any, n: int) -> Any:
    x = _matrix("np.linalg.matrix_power", a)
    if not is_known(n):
        refuse("the exponent of np.linalg.matrix_power must be known while compiling",
               "multiply in a loop")
    if n == 0:
        return np.eye(np.shape(x)[0], dtype=dtype_of(x))
    factor = x if n > 0 else inv(x)
    result = factor
    for _ in range(abs(n) - 1):
        result = result @ factor
    return result


def root_of_sum(total: Any) -> Any:
    """sqrt, with derivative 0 at 0 (a strong zero: what is not chosen contributes nothing)."""
    return np.where(total == 0, 0.0, np.sqrt(np.where(total == 0, 1.0, total)))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    a = np.asarray(x)
    axes = normal_axes(axis, np.ndim(a))
    rank = np.ndim(a) if axes is None else len(axes)
    if ord is None and (axis is None or rank < 3):
        result = root_of_sum(np.sum(squared(a), axis=axes))
    elif rank == 1:
        result = _vector_norm(a, ord, axes)
    elif rank == 2:
        result = _matrix_norm(a, ord, axes, axis)
    else:
        fail("ValueError", "Improper number of dimensions to norm.")
        result = a
    return restored(result, a, axes) if keepdims else result


def _vector_norm(a: Any, ord: Any, axes: Any) -> Any:
    if not is_known(ord):
        refuse("the order of a norm must be known while compiling", "use a literal")
    if is_text(ord):
        fail("ValueError", "Invalid norm order '" + ord + "' for vectors")
    if ord == np.inf:
        return np.max(np.absolute(a), axis=axes)
    if ord == -np.inf:
        return np.min(np.absolute(a), axis=axes)
    if ord == 0:
        refuse("the norm of order 0 counts elements and has no derivative",
               "use np.count_nonzero")
    if ord == 1:
        return np.sum(np.absolute(a), axis=axes)
    if ord == 2:
        return root_of_sum(np.sum(squared(a), axis=axes))
    total = np.sum(np.absolute(a) ** ord, axis=axes)
    return np.where(total == 0, 0.0, np.where(total == 0, 1.0, total) ** (1.0 / ord))


def _matrix_norm(a: Any, ord: Any, axes: Any, axis: Any) -> Any:
    """Frobenius norms and those that are sums over rows or columns."""
    if ord == "fro":
        return root_of_sum(np.sum(squared(a), axis=axes))
    if ord not in (1, -1, np.inf, -np.inf):
        refuse("this norm of a matrix needs its singular values", "use the Frobenius norm")
    first, second = (0, 1) if axis is None else (axis[0], axis[1])
    rows, columns = normal_axis(first, np.ndim(a)), normal_axis(second, np.ndim(a))
    summed, kept = (rows, columns) if ord in (1, -1) else (columns, rows)
    sums = np.sum(np.absolute(a), axis=summed)
    place = kept - 1 if summed < kept else kept
    return np.max(sums, axis=place) if ord > 0 else np.min(sums, axis=place)


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.linalg.solve: solve, np.linalg.inv: inv, np.linalg.det: det, np.linalg.slogdet: slogdet,
    np.linalg.cholesky: cholesky, np.linalg.norm: norm, np.linalg.matrix_power: matrix_power,
}
