"""Products of vectors, matrices and arrays of more axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.arguments import fail, not_given, number
from retrograd.prelude.language import primitive, refuse, static

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def matmul(x1: Any, x2: Any, /, out: Any = None) -> Any:
    not_given("np.matmul", "out", out)
    a, b = np.asarray(x1), np.asarray(x2)
    for k, x in enumerate((a, b)):
        if np.ndim(x) == 0:
            fail("ValueError", "matmul: Input operand " + number(k) + " does not have enough "
                 "dimensions (has 0, gufunc core with signature (n?,k),(k,m?)->(n?,m?) requires 1)")
    return primitive("matmul", a, b)


def dot(a: Any, b: Any, out: Any = None) -> Any:
    not_given("np.dot", "out", out)
    x, y = np.asarray(a), np.asarray(b)
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return x * y
    if np.ndim(y) == 1 or (np.ndim(x) < 3 and np.ndim(y) == 2):
        return primitive("matmul", x, y)
    return tensordot(x, y, (-1, -2))


def vdot(a: Any, b: Any, /) -> Any:
    return primitive("matmul", np.conjugate(np.ravel(a)), np.ravel(b))


def inner(a: Any, b: Any, /) -> Any:
    x, y = np.asarray(a), np.asarray(b)
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return x * y
    if np.ndim(y) == 1:
        return primitive("matmul", x, y)
    return primitive("matmul", x, np.transpose(y)) if np.ndim(y) == 2 \
        else tensordot(x, y, (-1, -1))


def outer(a: Any, b: Any, out: Any = None) -> Any:
    not_given("np.outer", "out", out)
    return np.expand_dims(np.ravel(a), 1) * np.ravel(b)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    x, y = np.asarray(a), np.asarray(b)
    left, right = _contracted(axes, np.ndim(x), np.ndim(y))
    if np.ndim(x) == 2 and np.ndim(y) in (1, 2) and left == (1,) and right == (0,):
        return primitive("matmul", x, y)
    return primitive("einsum", x, y, spec=_tensordot_spec(left, right, np.ndim(x), np.ndim(y)))


@static
def _contracted(axes: Any, m: int, n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that `np.tensordot` sums over, in both operands."""
    if isinstance(axes, int):
        if axes > min(m, n):
            raise IndexError("tuple index out of range")
        return tuple(range(m - axes, m)), tuple(range(axes))
    first, second = (tuple(k) if isinstance(k, (tuple, list)) else (k,) for k in axes)
    if len(first) != len(second):
        raise ValueError("shape-mismatch for sum")
    if not all(-m <= k < m for k in first) or not all(-n <= k < n for k in second):
        raise IndexError("tuple index out of range")
    return tuple(k % m for k in first), tuple(k % n for k in second)


@static
def _tensordot_spec(left: tuple[int, ...], right: tuple[int, ...], m: int, n: int) -> str:
    first = list(_LETTERS[:m])
    second = list(_LETTERS[m:m + n])
    for a, b in zip(left, right, strict=True):
        second[b] = first[a]
    kept = [c for k, c in enumerate(first) if k not in left]
    kept += [c for k, c in enumerate(second) if k not in right]
    return f"{''.join(first)},{''.join(second)}->{''.join(kept)}"


def einsum(subscripts: Any, *operands: Any, out: Any = None, optimize: Any = False) -> Any:
    not_given("np.einsum", "out", out)
    arrays = [np.asarray(x) for x in operands]
    spec = _explicit(subscripts, tuple([np.ndim(x) for x in arrays]))
    arrays = [_without_repeats(x, term) for x, term in zip(arrays, _terms(spec))]  # noqa: B905
    order = _reordered(_plain(spec))
    if order is not None:
        return np.transpose(arrays[0], order)         # a view, as NumPy gives it
    return primitive("einsum", *arrays, spec=_plain(spec))


@static
def _reordered(spec: str) -> tuple[int, ...] | None:
    """The order of the axes where nothing is summed and nothing is multiplied."""
    term, _, output = spec.partition("->")
    return tuple(term.index(c) for c in output) if sorted(term) == sorted(output) else None


@static
def _explicit(subscripts: Any, ranks: tuple[int, ...]) -> str:
    """The subscripts without spaces and with their output."""
    if not isinstance(subscripts, str):
        refuse("np.einsum without a string of subscripts is not supported",
               "write the subscripts as one string")
    text = subscripts.replace(" ", "")
    if "." in text:
        refuse("an ellipsis in np.einsum is not supported", "name every index")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if not arrow:
        output = "".join(sorted(c for c in set(inputs) - {","} if inputs.count(c) == 1))
    _check(terms, output, ranks)
    return f"{inputs}->{output}"


def _check(terms: list[str], output: str, ranks: tuple[int, ...]) -> None:
    if len(terms) != len(ranks):
        few = "fewer" if len(terms) > len(ranks) else "more"
        raise ValueError(f"{few} operands provided to einstein sum function than specified in the "
                         "subscripts string")
    for k, (term, rank) in enumerate(zip(terms, ranks, strict=True)):
        if len(term) != rank:
            raise ValueError(f"einstein sum subscripts string has {len(term)} indices for operand "
                             f"{k}, which has {rank}")
    for c in output:
        if c not in "".join(terms):
            raise ValueError("einstein sum subscripts string included output subscript "
                             f"'{c}' which never appeared in an input")
        if output.count(c) > 1:
            raise ValueError("einstein sum subscripts string includes output subscript "
                             f"'{c}' multiple times")


@static
def _terms(spec: str) -> tuple[str, ...]:
    return tuple(spec.partition("->")[0].split(","))


@static
def _plain(spec: str) -> str:
    """The subscripts with `ii` written as `i`."""
    inputs, output = spec.split("->")
    terms = ["".join(dict.fromkeys(term)) for term in inputs.split(",")]
    return f"{','.join(terms)}->{output}"


@static
def _repeats(term: str) -> bool:
    return len(set(term)) < len(term)


def _without_repeats(x: Any, term: str) -> Any:
    """The diagonal, where an operand is `ii`."""
    if not _repeats(term):
        return x
    if np.ndim(x) != 2:
        refuse("an index that is repeated in one operand of np.einsum is not supported for more "
               "than two axes", "take the diagonal first")
    return np.diagonal(x)


def kron(a: Any, b: Any) -> Any:
    x, y = np.atleast_1d(a), np.atleast_1d(b)
    rank = max(np.ndim(x), np.ndim(y))
    x = np.expand_dims(x, tuple(range(rank - np.ndim(x)))) if np.ndim(x) < rank else x
    y = np.expand_dims(y, tuple(range(rank - np.ndim(y)))) if np.ndim(y) < rank else y
    product = np.expand_dims(x, tuple([2 * k + 1 for k in range(rank)])) * np.expand_dims(
        y, tuple([2 * k for k in range(rank)]))
    return primitive("reshape", product,
                     *[np.shape(x)[k] * np.shape(y)[k] for k in range(rank)])


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.matmul: matmul, np.dot: dot, np.vdot: vdot, np.inner: inner, np.outer: outer,
    np.tensordot: tensordot, np.einsum: einsum, np.kron: kron,
}
