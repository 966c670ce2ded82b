"""Lowering of generated straight-line programs with writes, views and loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backend.lowering_support import check
from retrograd.ir.index import FULL, Slice
from retrograd.ir.nodes import Carried, Constant, Loop, Value, integer
from retrograd.ir.types import INT, Scalar

SLICES: tuple[tuple[Slice, tuple[int, ...]], ...] = (
    (FULL, ()), (Slice(step=-1), ()), (Slice(False, True), (4,)), (Slice(True), (2,)),
    (Slice(True, True), (1, -1)), (Slice(step=2), ()), (Slice(step=-2), ()))


class Program:
    """Writes random operations on vectors; versions that were overwritten stay in use."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, b: Any, x: Any, y: Any, n: Any) -> Any:
        vectors = self.block(b, [x, y, b.let("copy", x)], n, 12)
        last = [self.pick(vectors[-4:]) for _ in range(2)]
        return (*last, b.let("sum", vectors[-1], axes=None))

    def pick(self, items: Any) -> Any:
        return items[self.rng.integers(len(items))]

    def block(self, b: Any, vectors: list[Any], n: Any, length: int, depth: int = 0) -> Any:
        vectors = list(vectors)
        for _ in range(length):
            kinds = ["unary", "binary", "view", "store", "store", "copy", "gather", "scan",
                     "element"]
            kind = self.pick(kinds if depth > 1 else [*kinds, "loop"])
            vectors += getattr(self, kind)(b, vectors, n, depth)
        return vectors

    def unary(self, b: Any, vectors: Any, n: Any, depth: int) -> list[Any]:
        return [b.let(self.pick(["tanh", "negative", "sin"]), self.pick(vectors[-5:]))]

    def binary(self, b: Any, vectors: Any, n: Any, depth: int) -> list[Any]:
        return [b.let("tanh", b.let(self.pick(["add", "multiply", "maximum"]),
                                    self.pick(vectors[-4:]), self.pick(vectors)))]

    def part(self, b: Any, vectors: Any) -> tuple[Any, Slice, tuple[Any, ...]]:
        item, bounds = self.pick(SLICES)
        atoms = tuple(map(integer, bounds))
        return b.let("view", self.pick(vectors[-4:]), *atoms, index=(item,)), item, atoms

    def view(self, b: Any, vectors: Any, n: Any, depth: int) -> list[Any]:
        return [b.let("view", self.pick(vectors), index=(Slice(step=-1),))]

    def copy(self, b: Any, vectors: Any, n: Any, depth: int) -> list[Any]:
        return [b.let(self.pick(["copy", "let"]), self.pick(vectors[-3:]))]

    def store(self, b: Any, vectors: Any, n: Any, depth: int) -> list[Any]:
        value, item, atoms = self.part(b, vectors)
        if self.rng.integers(2):
            value = b.let("sin", value)
        if self.rng.integers(2):
            value = b.let("multiply", value, Constant(0.5, Scalar("float64", weak=True)))
        op = self.pick(["update", "add_at"])
        return [b.let(op, self.pick(vectors[-3:]), *atoms, value, index=(item,))]

    def gather(self, b: Any, vectors: Any, n: Any, depth: int) -> list[Any]:
        index = b.let("arange", integer(5), integer(-1), integer(-1), dtype="int64")
        taken = b.let("take", self.pick(vectors), index, index=("array",))
        mask = b.let("greater", self.pick(vectors), self.pick(vectors))
        return [b.let("update", taken, mask, Constant(0.25, Scalar("float64", weak=True)),
                      index=("mask",))]

    def scan(self, b: Any, vectors: Any, n: Any, depth: int) -> list[Any]:
        total = b.let("max", self.pick(vectors), axes=None)
        return [b.let("subtract", b.let("cumsum", self.pick(vectors), axis=0), total)]

    def element(self, b: Any, vectors: Any, n: Any, depth: int) -> list[Any]:
        source, target = self.pick(vectors), self.pick(vectors[-3:])
        value = b.let("load", source, integer(int(self.rng.integers(-6, 6))), index=("int",))
        return [b.let("update", target, integer(int(self.rng.integers(-6, 6))), value,
                      index=("int",))]

    def loop(self, b: Any, vectors: Any, n: Any, depth: int) -> list[Any]:
        inits = [self.pick(vectors[-3:]) for _ in range(2)]
        inner = b.inner()
        inners = [Value("c", a.type) for a in inits]
        made = self.block(inner, [*vectors[-2:], *inners], n, 4, depth + 1)
        ends = [self.pick(made[-3:]) for _ in inits]
        results = [Value("c", a.type) for a in inits]
        b.append(Loop(Value("i", INT), integer(0), n, integer(1),
                      tuple(map(Carried, inits, inners, ends, results)), inner.block))
        return list(results)


@pytest.mark.parametrize("seed", range(150))
def test_programs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    check(Program(seed), rng.normal(size=6), rng.normal(size=6), seed % 4, exact=False,
          linearly=False)
