"""The complex step for programs that write into arrays.

    u = np.zeros(3)
    u[0] = a             # a is complex: u must be, too

The program runs on a NumPy in which every array of floats that is made is complex, on arguments
that all are. NumPy orders complex numbers by their real parts and then by their imaginary ones, so
a tie shows: it is decided differently for a step forwards and a step backwards. There the
program has no derivative, and nothing is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special

import truth

STEP = 1e-30
MAKERS = frozenset({"zeros", "ones", "full", "empty", "array", "linspace", "arange", "eye"})
Gradients = tuple[np.ndarray, ...]


class NoDerivative(Exception):
    """The program has a kink here, or its values are too large to judge."""


class _ComplexNumPy:
    """NumPy whose new arrays of floats are complex."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if name not in MAKERS:
            return found

        def maker(*args: Any, **options: Any) -> Any:
            return widened(found(*args, **options))

        return maker


def widened(value: Any) -> Any:
    """A float or an array of floats as complex; anything else as it is (but copied)."""
    if isinstance(value, np.ndarray):
        return value.astype(complex) if value.dtype.kind == "f" else value.copy()
    return np.complex128(value) if isinstance(value, float) else value


def gradients(program: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int],
              value: Any, seeds: Any = None) -> Gradients:
    """The gradient of `sum(seeds * program)`, whose value Python gave already.

    Raises
    ------
    NoDerivative
        At a tie, and where the gradient is too large for rounding not to matter.
    """
    on_complex = truth.retargeted(program, _ComplexNumPy(), scipy.special)
    real = truth.contract(value, seeds)

    def along(direction: Sequence[Any], step: float) -> float:
        moved = [widened(a) for a in args]
        for n, d in zip(argnums, direction, strict=True):
            moved[n] = moved[n] + 1j * step * d
        found = truth.contract(on_complex(*moved), seeds)
        if not np.isclose(np.real(found), real, rtol=1e-9, atol=1e-12):
            raise NoDerivative(f"the value is {real}, in complex numbers {found}")
        return float(np.imag(found) / step)

    nothing = [np.zeros(np.shape(args[n])) for n in argnums]
    result = [d.copy() for d in nothing]
    for k, gradient in enumerate(result):
        for position in np.ndindex(gradient.shape):
            direction = [d.copy() for d in nothing]
            direction[k][position] = 1.0
            gradient[position] = along(direction, STEP)
    if not all(np.all(np.abs(g) < 1e6) for g in result):
        raise NoDerivative("the gradient is huge")
    _judge_kinks(along, result)
    return tuple(result)


def _judge_kinks(along: Callable[[Sequence[Any], float], float], found: list[np.ndarray]) -> None:
    """A step backwards in a random direction must give what the gradient says."""
    random = np.random.default_rng(3)
    direction = [random.uniform(0.2, 1.0, g.shape) for g in found]
    expected = sum(float(np.sum(g * d)) for g, d in zip(found, direction, strict=True))
    size = sum(float(np.sum(np.abs(g * d))) for g, d in zip(found, direction, strict=True))
    for step in (-STEP, STEP):
        if abs(along(direction, step) - expected) > 1e-8 * max(size, 1e-3):
            raise NoDerivative("the derivative depends on the direction")
