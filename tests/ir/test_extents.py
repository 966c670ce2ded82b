"""Extents: normal forms, and every slice against Python's own arithmetic."""

from __future__ import annotations

import itertools

import pytest

from retrograd.ir.extents import (
    Extent,
    Opaque,
    Root,
    floor_divided,
    largest,
    nonnegative,
    product,
    root,
    slice_extent,
    smallest,
    substituted,
)
from retrograd.ir.nodes import Value
from retrograd.ir.types import INT, Array

X = Value("x", Array("float64", (None, None)))
N, M = root(X, 0), root(X, 1)
K = root(Value("k", INT))


def value(extent: Extent, known: dict[Extent, int]) -> int:
    """What an extent is when its roots are these numbers."""
    numbers = {e.terms[0][0]: n for e, n in known.items()}

    def of(e: Extent) -> int:
        return e.constant + sum(factor * term(t) for t, factor in e.terms)

    def term(t: Root | Opaque) -> int:
        if isinstance(t, Root):
            return numbers[t]
        args = [of(a) for a in t.args]
        if t.kind == "multiply":
            total = 1
            for a in args:
                total *= a
            return total
        return {"max": max, "min": min, "floor_divide": lambda a, b: a // b}[t.kind](*args)

    return of(extent)


# --- normal forms ----------------------------------------------------------------------------


def test_equal_sums_are_equal_in_whatever_order_they_are_made() -> None:
    assert N + M + 2 == M + 1 + N + 1
    assert hash(N + M) == hash(M + N)
    assert (N - N).known == 0 and Extent(0) == N - N
    assert N.scaled(2) == N + N and N.scaled(0).known == 0
    assert N != M and N + 1 != N


def test_products() -> None:
    assert product(N, Extent(3)) == product(Extent(3), N) == N.scaled(3)
    assert product(N, M) == product(N, M)
    assert product(Extent(2), Extent(5)).known == 10
    for a, b, c in itertools.permutations((N, M, K)):
        assert value(product(product(a, b), c), {N: 2, M: 3, K: 5}) == 30


def test_division_of_what_divides() -> None:
    assert floor_divided(N.scaled(4) + 6, 2) == N.scaled(2) + 3
    assert floor_divided(N, 1) == N
    for n in range(-5, 6):
        assert value(floor_divided(N + 3, 2), {N: n}) == (n + 3) // 2
        assert value(floor_divided(N.scaled(2) + 1, 2), {N: n}) == (2 * n + 1) // 2


def test_what_is_certainly_not_negative() -> None:
    assert nonnegative(Extent(0)) and nonnegative(N) and nonnegative(N.scaled(2) + M + 3)
    for other in (Extent(-1), N - 1, N - M, K, K + 100):      # an int may be anything
        assert not nonnegative(other)
    assert nonnegative(largest(Extent(0), K - 5))
    assert not nonnegative(smallest(N, K))
    assert nonnegative(product(N, M)) and not nonnegative(product(N, K))


@pytest.mark.parametrize("a, b", list(
    itertools.permutations((N, M, N + 2, N - 3, K, Extent(4)), 2)))
def test_largest_and_smallest(a: Extent, b: Extent) -> None:
    for n, m, k in itertools.product((0, 1, 5), (0, 2, 7), (-4, 0, 6)):
        known = {N: n, M: m, K: k}
        assert value(largest(a, b), known) == max(value(a, known), value(b, known))
        assert value(smallest(a, b), known) == min(value(a, known), value(b, known))


def test_substitution_reaches_into_terms() -> None:
    term = N.terms[0][0]
    extent = largest(Extent(0), N - 2) + N.scaled(3)
    assert substituted(extent, {term: M + 1}) == largest(Extent(0), M - 1) + M.scaled(3) + 3
    assert substituted(extent, {}) == extent


# --- slices ------------------------------------------------------------------------------------

BOUNDS = (None, *range(-6, 7))
STEPS = (1, 2, 3, -1, -2, -3)


@pytest.mark.parametrize("step", STEPS)
def test_every_slice_of_an_unknown_extent(step: int) -> None:
    for start, stop in itertools.product(BOUNDS, BOUNDS):
        bounds = [None if b is None else Extent(b) for b in (start, stop)]
        found = slice_extent(N, bounds[0], bounds[1], step)
        assert found is not None
        for n in range(8):
            assert value(found, {N: n}) == len(range(n)[start:stop:step]), (start, stop, step, n)


@pytest.mark.parametrize("step", STEPS)
def test_every_slice_of_a_known_extent_is_a_number(step: int) -> None:
    for start, stop, n in itertools.product(BOUNDS, BOUNDS, range(8)):
        bounds = [None if b is None else Extent(b) for b in (start, stop)]
        found = slice_extent(Extent(n), bounds[0], bounds[1], step)
        assert found is not None
        assert found.known == len(range(n)[start:stop:step]), (start, stop, step, n)


@pytest.mark.parametrize("step", STEPS)
def test_bounds_that_are_extents(step: int) -> None:
    """`x[m:]`, `x[:m - 2]`: right where it is known that the bound is counted from the front."""
    for make in (lambda: (M, None), lambda: (None, M), lambda: (M, M + 3), lambda: (M + 2, N),
                 lambda: (None, M.scaled(2)), lambda: (Extent(1), M), lambda: (M, Extent(-1))):
        start, stop = make()
        found = slice_extent(N, start, stop, step)
        assert found is not None
        for n, m in itertools.product(range(7), range(7)):
            known = {N: n, M: m}
            cut = slice(None if start is None else value(start, known),
                        None if stop is None else value(stop, known), step)
            assert value(found, known) == len(range(n)[cut]), (cut, n, m)


def test_a_bound_of_unknown_sign_tells_nothing() -> None:
    assert slice_extent(N, K, None, 1) is None
    assert slice_extent(N, None, M - 1, 1) is None
    assert slice_extent(N, None, K, -1) is None


def test_stencils_have_equal_extents() -> None:
    cuts = [(1, -1), (None, -2), (2, None)]
    extents = {slice_extent(N, *(None if b is None else Extent(b) for b in cut), 1)
               for cut in cuts}
    assert len(extents) == 1
