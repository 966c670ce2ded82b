"""What programs of `bounds.py` may use at a point: ints and what they lie between, arrays."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Lines = list[str]


@dataclass(frozen=True)
class Int:
    """An int expression and the numbers between which it lies, both included."""

    text: str
    low: int
    high: int


@dataclass
class Writer:
    """What can be used where the next statement goes."""

    random: random.Random
    extent: int
    ints: list[Int] = field(default_factory=list)
    slots: list[str] = field(default_factory=list)     # ints that are bound again and again
    arrays: list[str] = field(default_factory=list)
    views: list[Int] = field(default_factory=list)     # short arrays: name and possible lengths
    grown: str | None = None
    counter: list[int] = field(default_factory=lambda: [0])
    depth: int = 0
    in_loop: bool = False

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def fresh(self, stem: str) -> str:
        self.counter[0] += 1
        return f"{stem}{self.counter[0]}"

    @contextmanager
    def inner(self, loop: bool = False) -> Iterator[Writer]:
        yield Writer(self.random, self.extent, list(self.ints), self.slots, list(self.arrays),
                     list(self.views), self.grown, self.counter, self.depth + 1,
                     self.in_loop or loop)

    # --- ints ------------------------------------------------------------------------------------

    def size(self) -> str:
        """The length of every array, as a number or as what the array says."""
        return str(self.extent) if self.chance(0.2) else f"len({self.random.choice(self.arrays)})"

    def int(self) -> Int:
        """A name or an expression of one."""
        choices = [*self.ints[-6:], *self.ints[-3:]]
        choices += [Int(s, 0, self.extent - 1) for s in self.slots]
        if not choices or self.chance(0.1):
            value = self.random.randrange(self.extent)
            return Int(str(value), value, value)
        found = self.random.choice(choices)
        if self.chance(0.12):
            other = self.random.choice(choices)
            if self.chance(0.5):
                return Int(f"{found.text} + {other.text}", found.low + other.low,
                           found.high + other.high)
            return Int(f"{found.text} - ({other.text})", found.low - other.high,
                       found.high - other.low)
        return found

    def computed(self) -> Int:
        """An int that only the run knows."""
        e, r = self.extent, self.random
        u, c = r.choice(self.arrays), round(r.uniform(-0.6, 0.9), 2)
        some = self.int()
        forms = [Int(f"len({u}[{u} > {c}])", 0, e), Int(f"len({u}[{u} < s])", 0, e)] * 2
        forms += [Int(f"len(x[x > {c}])", 0, e), Int(f"p[({some.text}) % {e}]", 0, e - 1),
                  Int(f"({some.text}) % {e}", 0, e - 1), Int(f"abs({some.text}) // 2", 0, max(
                      abs(some.low), abs(some.high)) // 2),
                  Int("min(n, 3)", -3, 3), Int("max(k, 0)", 0, 4), Int("k * k % 3", 0, 2),
                  Int(f"(1 if {u}[0] > {c} else 2)", 1, 2)]
        if some.low >= 0 and some.high <= e:
            forms += [Int(f"len({u}[{some.text}:])", e - some.high, e - some.low),
                      Int(f"len({u}[:{some.text}])", some.low, some.high)] * 2
        if self.grown is not None:
            forms += [Int(f"len({self.grown})", 0, 99)] * 2
        forms += [Int(f"len({v.text})", v.low, v.high) for v in self.views[-2:]] * 2
        return r.choice(forms)

    def index(self) -> str:
        """An index of an array, mostly within it."""
        for _ in range(8):
            found = self.int()
            if self.chance(0.15):
                found = Int(f"{self.size()} - 1 - ({found.text})", self.extent - 1 - found.high,
                            self.extent - 1 - found.low)
            if self.chance(0.08):
                found = Int(f"-({found.text}) - 1", -found.high - 1, -found.low - 1)
            step = self.random.choice((0, 0, 0, 1, -1, 1, -1, 2, -2))
            found = Int(found.text + (f" {'+' if step > 0 else '-'} {abs(step)}" if step else ""),
                        found.low + step, found.high + step)
            if -self.extent <= found.low and found.high < self.extent:
                return found.text
        if self.chance(0.4):
            return found.text                          # perhaps it is within
        return f"({found.text}) % {self.extent}" if self.chance(0.5) else str(
            self.random.randrange(-self.extent, self.extent))

    def bounds(self) -> tuple[str, int, int]:
        """A range, and the numbers between which its indices lie."""
        e, r = self.extent, self.random
        one, two = (self.int() if self.chance(0.7) else self.computed() for _ in range(2))
        shift = r.choice((0, 0, 1, -1))
        low = Int(f"{one.text}{f' + {shift}' if shift > 0 else ' - 1' if shift else ''}",
                  one.low + shift, one.high + shift)
        forms = [(f"{low.text}, {self.size()}", low.low, e - 1), (low.text, 0, low.high - 1),
                 (f"{low.text}, {two.text}", low.low, two.high - 1),
                 (f"{self.size()} - 1, {low.text}, -1", low.low + 1, e - 1),
                 (f"{low.text}, -1, -1", 0, low.high), (f"0, {low.text}, 2", 0, low.high - 1),
                 (f"{low.text}, {two.text}, -2", two.low + 1, low.high),
                 (f"{self.size()} - ({one.text})", 0, e - one.low - 1),
                 (f"({one.text}) * ({two.text}), {self.size()}", -9, e - 1)]
        found = r.choice(forms)
        return found if found[1] <= found[2] else forms[0]

    # --- floats ----------------------------------------------------------------------------------

    def element(self) -> str:
        if self.views and self.chance(0.12):
            view = self.random.choice(self.views)
            if view.low >= 1:
                return f"{view.text}[{self.random.randrange(-view.low, view.low)}]"
        if self.chance(0.15):
            return f"A[{self.index()}, {self.index()}]"
        return f"{self.random.choice([*self.arrays, 'x'])}[{self.index()}]"

    def number(self) -> str:
        one = self.element()
        return self.random.choice((
            f"np.sin({one})", f"0.5 * {one} ** 2", f"{one} * {self.element()}",
            f"np.sin(s + {one})", f"np.cos(a * {one})", f"0.3 * s * {one}", f"0.4 * {one}"))
