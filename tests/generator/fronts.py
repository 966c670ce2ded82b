"""Small random programs in which one part of an array is read and another part is written.

    for t in range(n):
        m = len(x[x > 0.2 * t])
        for i in range(t, m):
            s += u[i + 1] ** 2              is u[i + 1] written later, by an iteration whose m
            for j in range(m, len(u)):      is another one?
                u[j] = np.sin(u[j - 1])

Few statements, so that much can be proved of them, and nothing but places of known sign: indices of
loops, lengths, and sums of these. Where Python raises IndexError, there is nothing to judge.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EXTENT = 6
Lines = list[str]


@dataclass
class Front:
    """The ints in reach, latest last; `arrays` may be exchanged, `length` is an int that changes
    from one iteration to the next."""

    random: random.Random
    ints: list[str]
    arrays: list[str]
    counter: list[int] = field(default_factory=lambda: [0])

    def choice(self, *texts: str) -> str:
        return self.random.choice(texts)

    def inside(self, *names: str) -> Front:
        return Front(self.random, [*self.ints, *names], self.arrays, self.counter)

    def fresh(self, stem: str) -> str:
        self.counter[0] += 1
        return f"{stem}{self.counter[0]}"

    def int(self) -> str:
        """A place, mostly from the front and mostly by the last int."""
        one, two = (self.ints[-1] if self.random.random() < 0.6 else self.random.choice(self.ints)
                    for _ in range(2))
        if self.random.random() < 0.75:
            return self.choice(one, one, one, f"{one} + 1", f"{one} + 1", f"{one} - 1")
        return self.choice(f"{one} + 2", f"len(x) - 1 - {one}", f"{one} + {two}", f"2 * {one}",
                           f"-{one} - 1", f"{one} - {two}", str(self.random.randrange(4)))

    def range(self) -> str:
        low, high = self.int(), self.int()
        size = self.choice("len(u)", "len(x)", str(EXTENT))
        if self.random.random() < 0.6:
            return self.choice(f"{low}, {size}", f"{low}, {size}", low)
        return self.choice(f"{low}, {high}", f"{low}, -1, -1", f"{high}, {low}, -1",
                           f"{size} - 1, {low}, -1", f"{size} - 1, {low}, -2", f"{low}, {size}, 2",
                           f"1, {low}", f"{low}, {low} + 2")

    def element(self) -> str:
        array = self.random.choice(self.arrays)
        return f"A[{self.int()}, {self.int()}]" if self.random.random() < 0.12 \
            else f"{array}[{self.int()}]"

    def length(self) -> str:
        """An int that is not negative."""
        one = self.random.choice(self.ints)
        u, c = self.random.choice(self.arrays), round(self.random.uniform(-0.5, 0.9), 2)
        return self.choice(f"len({u}[{u} > {c}])", f"len(x[x > 0.3 * {one} - 0.8])",
                           f"len(x[x < 0.3 * {one} - 0.8])",
                           "len(x[x < s])", f"len({u}[{one}:])", f"len({u}[:{one}])",
                           f"len(p[p < {one}])", f"len(p[p > {one}])", "len(y)", "len(y)",
                           f"{one} + 1", f"{EXTENT} - {one}")


def reading(f: Front) -> Lines:
    one = f.element()
    part = f"{f.random.choice(f.arrays)}[{f.int()}:{f.int()}]"
    v = f.fresh("v")
    return f.random.choice((
        [f"s += 0.3 * {one} ** 2"], [f"s += 0.5 * np.sin({one})"], [f"s = np.sin(s + {one} ** 2)"],
        [f"s += {one} * {f.element()}"], [f"{v} = {part}", f"s += 0.3 * np.sum({v} * {v} * {v})"]))


def writing(f: Front) -> Lines:
    one = f.element()
    u = f.random.choice(f.arrays)
    return f.random.choice((
        [f"{one} = np.sin({one}) + 0.3"], [f"{one} = np.sin({f.element()}) + 0.2 * s"],
        [f"{one} = 0.4 * s"], [f"{one} *= np.cos({f.element()})"], [f"{one} += 0.3 * s"],
        [f"{u}[{f.int()}:] *= 0.5"], [f"{u}[:{f.int()}] = 0.4 * s"],
        [f"{u}[{f.int()}:{f.int()}] = 0.5 * np.sin(s)"], [f"touch({u}, {f.int()})"]))


def read_then_written(f: Front) -> Lines:
    """One element is read, perhaps in a loop, and a loop writes to others, perhaps."""
    one, two = f.fresh("i"), f.fresh("i")
    inner = f.inside(one)
    read = f.random.choice(([f"s += 0.3 * u[{f.int()}] ** 2"], [
        f"for {one} in range({f.range()}):", f"    s = np.sin(s + u[{inner.int()}] ** 2)"]))
    place = f.choice(two, two, two, f"{two} + 1", f"{two} - 1", f"len(u) - 1 - {two}")
    write = f.choice(f"u[{place}] = np.sin(u[{place}]) + 0.3", f"u[{place}] = 0.5 * s",
                     f"u[{place}] *= np.cos(u[{f.int()}])")
    stores = f.random.choice(([f"for {two} in range({f.range()}):", f"    {write}"],
                              [f"for {two} in range({f.range()}):", f"    {write}"],
                              [f"u[{f.int()}:] *= 0.5"], [f"u[{f.int()}] = 0.4 * s"]))
    return read + stores if f.random.random() < 0.7 else stores + read


def beside(f: Front) -> Lines:
    """An element is read, and all that is written in this iteration lies beside it."""
    base, j = f.random.choice([*f.ints, f.ints[-1]]), f.fresh("i")
    c = f.random.randrange(2)
    place, after = f"u[{base} + {c}]", f"{base} + {c + 1}"
    read = f.random.choice(([f"s += 0.3 * {place} ** 2"], [f"s = np.sin(s + {place} ** 2)"],
                            [f"v = {place}", f"s += 0.3 * v * np.sin({f.choice('v', place)})"]))
    write = f.choice(f"u[{j}] = np.sin(u[{j}]) + 0.3", f"u[{j}] *= 0.4 + s", f"u[{j}] = 0.5 * s")
    stores = f.random.choice((
        [f"for {j} in range({after}, len(u)):", f"    {write}"], [f"u[{after}:] *= 0.5"],
        [f"for {j} in range({base} + {c}):", f"    {write}"], [f"u[:{base} + {c}] = 0.4 * s"],
        [f"u[{after}] = 0.4 * s"], [f"for {j} in range(len(u) - 1, {base} + {c}, -1):",
                                    f"    {write}"]))
    if f.random.random() < 0.3:
        k = f.fresh("i")
        read = [f"for {k} in range({base} + 1):", f"    s = np.sin(s + u[{k}] ** 2)"]
    return f.random.choice((read + stores, stores + read, read + stores + read))


def wrapped(f: Front, make: Any, depth: int) -> Lines:
    """A statement, or loops and branches around some."""
    kind = f.random.random()
    if depth and kind < 0.55:
        name = f.fresh("i")
        text, inner = f.range(), f.inside(name)
        body = wrapped(inner, make, depth - 1)
        if f.random.random() < 0.3:
            body += wrapped(inner, f.random.choice((reading, writing)), depth - 1)
        if f.random.random() < 0.1:
            body += [f"if {inner.element()} > 0.5:", "    break"]
        return [f"for {name} in range({text}):", *indented(body)]
    if depth and kind < 0.65:
        return [f"if {condition(f)}:", *indented(wrapped(f, make, depth - 1))]
    if depth and kind < 0.7:
        name = f.fresh("m")
        return [f"{name} = {f.length()}", *wrapped(f.inside(name), make, depth - 1)]
    return make(f)


def condition(f: Front) -> str:
    return f.choice(f"{f.element()} > 0.3", f"{f.int()} < {f.int()}", f"{f.int()} % 2 == 0")


def turning(f: Front) -> Lines:
    """What the next iteration finds changed."""
    one, other = f.random.sample(f.arrays, 2)
    line = f.choice(f"y = {one}[{one} > 0.4]", f"y = x[x > 0.1 * {f.ints[0]}]",
                    f"{one}, {other} = {other}, {one}", f"{one} = {other}.copy()",
                    f"{one} = np.sin({one})", f"{one} = np.zeros({EXTENT})")
    return [line] if f.random.random() < 0.6 else [f"if {condition(f)}:", f"    {line}"]


def indented(lines: Lines) -> Lines:
    return ["    " + line for line in lines]


def generate_front(seed: int) -> tuple[str, tuple[Any, ...]]:
    """Source of a module with the function `program`, and arguments to call it with."""
    r = random.Random(seed)
    numbers = np.random.default_rng(seed)
    f = Front(r, [], ["u", "w"] if r.random() < 0.5 else ["u", "u", "u", "w"])
    head = [f.choice("u = x.copy()", "u = np.sin(x)"),
            f.choice("w = 0.5 * x", "w = u[::-1].copy()"),
            f.choice("y = x[:0]", "y = x[x > 0]"), "s = 0.1"]
    inner, last = f.inside("t"), []
    if r.random() < 0.6:
        last = [f"m = {inner.length()}"]
        inner = inner.inside("m")
    makers = [reading, writing, *r.choices((reading, writing), k=r.randint(0, 1))]
    r.shuffle(makers)
    kind = r.random()
    body = last + (beside(inner) if kind < 0.4 else read_then_written(inner) if kind < 0.6 else [
        line for make in makers for line in wrapped(inner, make, 2)])
    if r.random() < 0.2:
        body += turning(f.inside("t"))
    span = f.choice("range(n)", "range(n)", "range(4)", "range(3, -1, -1)", "range(1, n)",
                    "range(0, n, 2)", "range(n, 0, -1)")
    loop = [f"for t in {span}:", *indented(body)]
    if r.random() < 0.12:
        step = f.choice("1", "2", "1 + t % 2", "1 + len(x[x > s]) // 3")
        body = [line.replace("continue", "break") for line in body]
        loop = ["t = 0", f"while {f.choice('t < n', 't < n and s < 2.0')}:",
                *indented([*body, f"t += {step}"])]
    touch = f.choice("q[k] = np.sin(q[k])", "q[k:] *= 0.7", "q[k] = 0.3 * q[k - 1]")
    source = ["import numpy as np", "", "", "def touch(q, k):", f"    {touch}", "", "",
              "def program(x, A, n, p):", *indented([*head, *loop]),
              "    return s + np.sum(np.sin(u + 0.3)) + np.sum(w * w * x) + np.sum(A[0] * A[-1])",
              ""]
    arguments = (np.round(numbers.uniform(-1, 1.2, EXTENT), 5),
                 np.round(numbers.uniform(-1, 1.2, (EXTENT, EXTENT)), 5),
                 r.choice((0, 2, 3, 3, 4, 5)), np.array(r.sample(range(EXTENT), 4)))
    return "\n".join(source), arguments
