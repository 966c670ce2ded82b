"""Pullbacks of linear algebra (Giles, An extended collection of matrix derivative results for
forward and reverse mode algorithmic differentiation, 2008)."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.rules.rule import pullback, table
from retrograd.rules.shared import typed_like

ANY = (-2.0, 2.0)


@pullback(domain=[ANY, ANY])
def solve(a: Any, b: Any, *, out: Any, out_bar: Any) -> Any:
    b_bar = np.linalg.solve(np.transpose(a), out_bar)
    a_bar = -np.outer(b_bar, out) if np.ndim(b) == 1 else -(b_bar @ np.transpose(out))
    return typed_like(a_bar, a), typed_like(b_bar, b)


@pullback(domain=[ANY])
def inv(a: Any, *, out: Any, out_bar: Any) -> Any:
    return -(np.transpose(out) @ out_bar @ np.transpose(out))


@pullback(domain=[ANY])
def det(a: Any, *, out: Any, out_bar: Any) -> Any:
    """A matrix that is exactly singular raises LinAlgError."""
    return out_bar * out * np.transpose(np.linalg.inv(a))


@pullback(domain=[ANY])
def slogdet_log(a: Any, *, out_bar: Any) -> Any:
    return out_bar * np.transpose(np.linalg.inv(a))


@pullback(domain=[ANY])
def cholesky(a: Any, *, out: Any, out_bar: Any) -> Any:
    """NumPy reads the lower triangle of a only: the adjoint of the upper one is zero."""
    upper = np.transpose(out)
    inner = _lower_half(upper @ np.tril(out_bar))
    s = np.linalg.solve(upper, np.transpose(np.linalg.solve(upper, np.transpose(inner))))
    return _lower_half(s + np.transpose(s))


def _lower_half(x: Any) -> Any:
    """The lower triangle, its diagonal halved."""
    return 0.5 * (np.tril(x) + np.tril(x, -1))


RULES = table((solve, inv, det, slogdet_log, cholesky))
