"""`<w, H v>` of a program through the interface: derivatives of `grad`, `vjp` and `jvp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import retrograd as rg
import truth
from oracle import is_number, leaves, seeds_of

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """A program at some arguments; `seeds` weigh its results (None for one real number), `v` and
    `w` are directions with None for what is not differentiated."""

    function: Function
    args: tuple[Any, ...]
    argnums: tuple[int, ...]
    seeds: Any
    v: tuple[Any, ...]
    w: tuple[Any, ...]

    def fresh(self) -> list[Any]:
        return [truth.fresh(a) for a in self.args]

    def moving(self, direction: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(direction[n] for n in self.argnums)


def case_of(function: Function, args: tuple[Any, ...], argnums: tuple[int, ...]) -> Case:
    with np.errstate(all="ignore"):
        value = function(*map(truth.fresh, args))
    real = is_number(value) and not truth.is_complex(value)
    seeds = None if real else seeds_of(value, np.random.default_rng(7))
    return Case(function, args, argnums, seeds, _directions(args, argnums, 1),
                _directions(args, argnums, 2))


def _directions(args: Sequence[Any], argnums: Sequence[int], seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    return tuple(_direction(a, rng) if n in argnums else None for n, a in enumerate(args))


def _direction(like: Any, rng: np.random.Generator) -> Any:
    found = rng.standard_normal(np.shape(like))
    if truth.is_complex(like):
        found = found + 1j * rng.standard_normal(np.shape(like))
    if isinstance(like, np.ndarray):
        return np.asarray(found).astype(like.dtype)
    kind = float if isinstance(like, int) else type(like)
    return kind(found)


def paired(a: Any, b: Any) -> tuple[float, float]:
    """The pairing of tangents with adjoints, and the size of what is added up."""
    total = size = 0.0
    for x, y in zip(leaves(a), leaves(b), strict=True):
        if x is not None and y is not None and np.asarray(x).dtype.kind in "fc":
            products = np.asarray(x, complex) * np.asarray(y)
            total += float(np.sum(products).real)
            size += float(np.sum(np.abs(products)))
    return total, size


# --- first derivatives, as functions that are differentiated -------------------------------------


def adjoint_of(case: Case) -> Function:
    """The adjoints of the arguments: `grad`, or a pullback of the seeds."""
    function, argnums, seeds = case.function, case.argnums, case.seeds
    if seeds is None:
        return rg.grad(function, argnums=argnums)

    def adjoint(*args: Any) -> Any:
        _, pullback = rg.vjp(function, *args, argnums=argnums)
        return pullback(seeds)

    return adjoint


def tangent_of(case: Case) -> Function:
    """The tangent in the direction w."""
    function, w = case.function, case.w

    def tangent(*args: Any) -> Any:
        _, moved = rg.jvp(function, args, w)
        return moved

    return tangent


# --- second derivatives --------------------------------------------------------------------------


def over_reverse(case: Case, jit: bool) -> dict[str, tuple[float, float]]:
    """Both modes over reverse mode."""
    first = adjoint_of(case)
    _, tangents = rg.jvp(first, case.fresh(), case.v, jit=jit)
    _, pullback = rg.vjp(first, *case.fresh(), argnums=case.argnums, jit=jit)
    return {"forward over reverse": paired(tangents, case.moving(case.w)),
            "reverse over reverse": paired(pullback(case.moving(case.w)), case.moving(case.v))}


def over_forward(case: Case, jit: bool) -> dict[str, tuple[float, float]]:
    """Both modes over forward mode."""
    first = tangent_of(case)
    seeds = 1.0 if case.seeds is None else case.seeds
    _, tangents = rg.jvp(first, case.fresh(), case.v, jit=jit)
    value, pullback = rg.vjp(first, *case.fresh(), argnums=case.argnums, jit=jit)
    bar = type(value)(1.0) if case.seeds is None else seeds
    return {"forward over forward": paired(tangents, seeds),
            "reverse over forward": paired(pullback(bar), case.moving(case.v))}


def difference(case: Case) -> float:
    """Central differences of the gradient in NumPy mode, which has truth of its own."""
    args = [truth.in_float64(a) for a in case.args]
    first = rg.grad(case.function, argnums=case.argnums, jit=False)

    def gradient(args: Sequence[Any]) -> Any:
        if case.seeds is None:
            return first(*args)
        _, pullback = rg.vjp(case.function, *args, argnums=case.argnums, jit=False)
        return pullback(case.seeds)

    def along(step: float) -> float:
        moved = [truth.fresh(a) if d is None else _moved(a, d, step)
                 for a, d in zip(args, case.v, strict=True)]
        return paired(gradient(moved), case.moving(case.w))[0]

    return truth.ridders(along, 1e-2)


def _moved(value: Any, direction: Any, step: float) -> Any:
    moved = value + step * np.asarray(direction)
    return moved if isinstance(value, np.ndarray) else type(value + 0.5)(moved)


def assert_second(case: Case, *, jit: bool = False, true: bool = True, rtol: float = 1e-9,
                  true_rtol: float = 1e-5) -> None:
    """All ways agree with each other, and with the differences where these tell the truth."""
    with np.errstate(all="ignore"):
        found = over_reverse(case, jit) | over_forward(case, jit)
        numbers = {way: number for way, (number, _) in found.items()}
        one = next(iter(numbers.values()))
        scale = max(1e-2, *map(abs, numbers.values()), *(size for _, size in found.values()))
        for way, number in numbers.items():
            assert abs(number - one) <= rtol * scale, f"{way}: {numbers}"
        if true:
            expected = difference(case)
            assert abs(one - expected) <= true_rtol * scale, f"{numbers}, true {expected}"
