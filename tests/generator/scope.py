"""What a generated program may use at a point: its variables, their shapes, and the randomness."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Index:
    """An int variable and the values that it can have: low <= value < high."""

    name: str
    low: int
    high: int


@dataclass
class Scope:
    """Names in reach. Blocks see the names outside; what they define is theirs alone.

    `fixed` are names whose shape must stay (they are carried around a loop or out of a branch).
    With `stores` the program may write into arrays; `integers` are its arrays of indices, with
    their lengths (good for any extent of three or more), `touch` is what its helper that writes
    into its argument returns, and `returns` what the program returns: a number, an array or a pair.
    """

    random: random.Random
    shapes: dict[str, Shape] = field(default_factory=dict)
    indices: list[Index] = field(default_factory=list)
    fixed: set[str] = field(default_factory=set)
    in_loop: bool = False
    depth: int = 0
    counter: list[int] = field(default_factory=lambda: [0])
    stores: bool = False
    integers: dict[str, int] = field(default_factory=dict)
    touch: str = ""
    returns: str = "number"

    def fresh(self, stem: str) -> str:
        self.counter[0] += 1
        return f"{stem}{self.counter[0]}"

    def named(self, rank: int) -> list[str]:
        return [name for name, shape in self.shapes.items() if len(shape) == rank]

    def pick(self, rank: int) -> str | None:
        names = self.named(rank)
        return self.random.choice(names) if names else None

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def number(self) -> str:
        return repr(round(self.random.uniform(0.1, 1.5), 2))

    @contextmanager
    def inner(self, loop: bool | None = None) -> Iterator[Scope]:
        """A block inside; `loop` says that the block is a loop's body."""
        yield Scope(
            self.random, dict(self.shapes), list(self.indices), self.fixed | set(self.shapes),
            self.in_loop if loop is None else loop, self.depth + 1, self.counter, self.stores,
            self.integers, self.touch, self.returns)
