"""Pullbacks and pushforwards of linear algebra (Giles, An extended collection of matrix derivative
results for forward and reverse mode algorithmic differentiation, 2008)."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.rules.rule import pullback, table
from retrograd.rules.shared import plus, typed_like

ANY = (-2.0, 2.0)


def solve_tangent(a: Any, b: Any, *, out: Any, a_dot: Any, b_dot: Any) -> Any:
    return np.linalg.solve(a, plus(b_dot, None if a_dot is None else -(a_dot @ out)))


@pullback(domain=[ANY, ANY], pushforward=solve_tangent)
def solve(a: Any, b: Any, *, out: Any, out_bar: Any) -> Any:
    b_bar = np.linalg.solve(np.transpose(a), out_bar)
    a_bar = -np.outer(b_bar, out) if np.ndim(b) == 1 else -(b_bar @ np.transpose(out))
    return typed_like(a_bar, a), typed_like(b_bar, b)


def inv_tangent(a: Any, *, out: Any, a_dot: Any) -> Any:
    return -(out @ a_dot @ out)


@pullback(domain=[ANY], pushforward=inv_tangent)
def inv(a: Any, *, out: Any, out_bar: Any) -> Any:
    return -(np.transpose(out) @ out_bar @ np.transpose(out))


def det_tangent(a: Any, *, out: Any, a_dot: Any) -> Any:
    return out * slogdet_log_tangent(a, a_dot=a_dot)


def slogdet_log_tangent(a: Any, *, a_dot: Any) -> Any:
    return np.sum(np.transpose(np.linalg.inv(a)) * a_dot)


@pullback(domain=[ANY], pushforward=det_tangent)
def det(a: Any, *, out: Any, out_bar: Any) -> Any:
    """A matrix that is exactly singular raises LinAlgError."""
    return out_bar * out * np.transpose(np.linalg.inv(a))


@pullback(domain=[ANY], pushforward=slogdet_log_tangent)
def slogdet_log(a: Any, *, out_bar: Any) -> Any:
    return out_bar * np.transpose(np.linalg.inv(a))


def cholesky_tangent(a: Any, *, out: Any, a_dot: Any) -> Any:
    moved = np.tril(a_dot) + np.transpose(np.tril(a_dot, -1))
    return out @ _lower_half(np.linalg.solve(out, np.transpose(np.linalg.solve(out, moved))))


@pullback(domain=[ANY], pushforward=cholesky_tangent)
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
