"""Pullbacks and pushforwards of matrix products and of einsum."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.prelude.language import primitive, static
from retrograd.rules.rule import pullback, table
from retrograd.rules.shared import plus, spread_like, summed_like, typed_like

ANY = (-2.0, 2.0)


def matmul_tangent(x: Any, y: Any, *, x_dot: Any, y_dot: Any) -> Any:
    return plus(None if x_dot is None else x_dot @ y, None if y_dot is None else x @ y_dot)


@pullback(domain=[ANY, ANY], pushforward=matmul_tangent)
def matmul(x: Any, y: Any, *, out_bar: Any) -> Any:
    x_bar, y_bar = _matmul_adjoints(x, y, out_bar)
    return typed_like(x_bar, x), typed_like(y_bar, y)


def _matmul_adjoints(x: Any, y: Any, out_bar: Any) -> Any:
    if np.ndim(x) == 1 and np.ndim(y) == 1:
        return out_bar * y, out_bar * x
    if np.ndim(x) == 2 and np.ndim(y) == 2:
        return out_bar @ np.transpose(y), np.transpose(x) @ out_bar
    if np.ndim(x) == 2 and np.ndim(y) == 1:
        return np.outer(out_bar, y), np.transpose(x) @ out_bar
    if np.ndim(x) == 1 and np.ndim(y) == 2:
        return y @ out_bar, np.outer(x, out_bar)
    return _batched(x, y, out_bar)


def _batched(x: Any, y: Any, out_bar: Any) -> Any:
    """Stacks of matrices: a vector is a matrix of one row (x) or one column (y)."""
    left = np.expand_dims(x, 0) if np.ndim(x) == 1 else x
    right = np.expand_dims(y, 1) if np.ndim(y) == 1 else y
    if np.ndim(x) == 1:
        out_bar = np.expand_dims(out_bar, -2)
    if np.ndim(y) == 1:
        out_bar = np.expand_dims(out_bar, -1)
    x_bar = summed_like(out_bar @ np.swapaxes(right, -1, -2), left)
    y_bar = summed_like(np.swapaxes(left, -1, -2) @ out_bar, right)
    return (np.reshape(x_bar, np.shape(x)) if np.ndim(x) == 1 else x_bar,
            np.reshape(y_bar, np.shape(y)) if np.ndim(y) == 1 else y_bar)


def einsum_tangent(*xs: Any, xs_dot: Any, spec: str) -> Any:
    """The sum over the operands of the einsum with one of them moved."""
    total = None
    for k, x_dot in enumerate(xs_dot):
        if x_dot is not None:
            moved = primitive("einsum", *xs[:k], x_dot, *xs[k + 1:], spec=spec)
            total = plus(total, moved)
    return total


@pullback(domain=[ANY, ANY], pushforward=einsum_tangent)
def einsum(*xs: Any, out_bar: Any, spec: str) -> Any:
    """The adjoint of one operand is an einsum of out_bar and the others."""
    adjoints = tuple([typed_like(_operand_adjoint(k, xs, out_bar, spec), x)
                      for k, x in enumerate(xs)])
    return adjoints if len(xs) > 1 else adjoints[0]


def _operand_adjoint(k: int, xs: Any, out_bar: Any, spec: str) -> Any:
    others = xs[:k] + xs[k + 1:]
    inner, missing = _transposed_spec(k, spec)
    if inner == "":
        bar = out_bar
    elif _output(spec) != "":
        bar = primitive("einsum", out_bar, *others, spec=inner)
    elif _is_identity(inner):
        bar = out_bar * others[0]
    else:
        bar = out_bar * primitive("einsum", *others, spec=inner)
    if len(missing) > 0:
        bar = np.expand_dims(bar, missing) if np.ndim(bar) > 0 else bar
    return spread_like(summed_like(bar, xs[k]), xs[k])


@static
def _output(spec: str) -> str:
    return spec.partition("->")[2]


@static
def _transposed_spec(k: int, spec: str) -> tuple[str, tuple[int, ...]]:
    """The subscripts of operand k's adjoint, and the axes of it that nothing else knows.

    "ij,jk->ik" has "ik,jk->ij" for its first operand. A scalar output is left out and multiplied
    on; "" says that the adjoint is that of the output alone.
    """
    inputs, _, output = spec.partition("->")
    terms = inputs.split(",")
    term = terms.pop(k)
    factors = [output, *terms] if output else terms
    available = set("".join(factors))
    target = "".join(c for c in term if c in available)
    missing = tuple(n for n, c in enumerate(term) if c not in available)
    if not terms and (not output or output == target):
        return "", missing
    return f"{','.join(factors)}->{target}", missing


@static
def _is_identity(spec: str) -> bool:
    inputs, _, output = spec.partition("->")
    return inputs == output


RULES = table((matmul, einsum))
