"""Generated programs with lists: shared, rebound, grown in loops and branches, passed to helpers.
Each gives what Python gives, or is refused; most are not refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from frontend.tracing import load, run
from retrograd.errors import Unsupported

NAMES = ("a", "b", "c")
HELPERS = """\
def put(p, q):
    p.append(q)
    return len(p) * 0.5
def either(p, q, yes):
    if yes:
        return p
    return q
"""
X = np.array([0.7, -1.3, 0.4])


class Programs:
    """Writes one program; with `arrays` the elements of its lists are arrays."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.arrays = self.random.random() < 0.4
        self.part = "[0]" if self.arrays else ""
        self.loops = 0

    def one_of(self, *choices: str) -> str:
        return self.random.choice(choices)

    def name(self) -> str:
        return self.one_of(*NAMES)

    def index(self) -> list[str]:
        return [f"i{k}" for k in range(self.loops)]

    def number(self) -> str:
        return self.one_of("x[0]", "x[n % 3]", "1.5", f"{self.name()}[-1]{self.part}",
                           f"len({self.name()}) * 0.5", *(f"{i} * 0.25" for i in self.index()))

    def element(self) -> str:
        if not self.arrays:
            return self.one_of(self.number(), f"{self.number()} * 0.5 + {self.number()}")
        return self.one_of("u", "w", "u.copy()", "u[::-1]", f"x * {self.number()}",
                           f"{self.name()}[-1]", f"{self.name()}[-1] * 0.5")

    def place(self) -> str:
        return self.one_of("0", "-1", "1", *self.index(), *(f"-{i} - 1" for i in self.index()))

    def test(self) -> str:
        return self.one_of("n > 2", "t > 1", f"len({self.name()}) > 2",
                           *(f"{i} % 2 == 0" for i in self.index()))

    # --- statements ----------------------------------------------------------------------------

    def block(self, deep: int, count: int) -> list[str]:
        lines = [line for _ in range(count) for line in self.statement(deep)]
        return ["    " + line for line in lines]

    def statement(self, deep: int) -> list[str]:
        kinds: list[Callable[[int], list[str]]] = [
            self.append, self.append, self.append, self.change, self.rebind, self.read, self.read]
        if self.arrays:
            kinds.append(self.write)
        if deep < 3:
            kinds += [self.loop, self.loop, self.branch, self.branch]
        return self.random.choice(kinds)(deep)

    def append(self, _: int) -> list[str]:
        return [self.one_of(f"{self.name()}.append({self.element()})",
                            f"{self.name()} += [{self.element()}]",
                            f"t += put({self.name()}, {self.element()})")]

    def change(self, _: int) -> list[str]:
        name = self.name()
        if self.random.random() < 0.4:
            return [f"if len({name}) > 1:", f"    t = t * 0.5 + {name}.pop(){self.part}"]
        return [f"{name}[{self.place()}] = {self.element()}"]

    def rebind(self, _: int) -> list[str]:
        one, other = self.name(), self.name()
        return [self.one_of(
            f"{one} = {other}", f"{one}, {other} = {other}, {one}", f"{one} = {other}.copy()",
            f"{one} = {other}[1:] + [{self.element()}]", f"{one} = [{self.element()}]",
            f"{one} = either({one}, {other}, {self.test()})",
            f"{one} = [y * 0.5 for y in {other}]")]

    def read(self, _: int) -> list[str]:
        one, other, part = self.name(), self.name(), self.part
        head, body = self.random.choice([
            (f"for y in {one}:", f"t = t * 0.9 + y{part}"),
            (f"for k, y in enumerate({one}):", f"t = t * 0.9 + k * y{part}"),
            (f"for y, z in zip({one}, {other}):", f"t = t * 0.9 + y{part} - z{part}")])
        return self.random.choice([
            [head, "    " + body],
            [f"t = t * 0.5 + {one}[{self.place()}]{part}"],
            [f"t += sum(y{part} for y in {one} if y{part} > 0)"]])

    def write(self, _: int) -> list[str]:
        return [self.one_of("u += 1.0", "w[1] = t * 0.1", "u = u * 0.5", "w = u", "u, w = w, u",
                            f"u = {self.name()}[-1]")]

    def loop(self, deep: int) -> list[str]:
        index = f"i{self.loops}"
        self.loops += 1
        body = self.block(deep + 1, self.random.randint(1, 3))
        self.loops -= 1
        kind = self.random.random()
        if kind < 0.25:
            return [f"{index} = 0", f"while {index} < n:", *body, f"    {index} += 1"]
        leave = [f"    if {self.test()}:", "        break"] if kind < 0.45 else []
        bounds = self.one_of("n", "n - 1", "2", "n, 0, -1", "1, n, 2", *self.index())
        return [f"for {index} in range({bounds}):", *body, *leave]

    def branch(self, deep: int) -> list[str]:
        lines = [f"if {self.test()}:", *self.block(deep + 1, self.random.randint(1, 3))]
        if self.random.random() < 0.5:
            lines += ["else:", *self.block(deep + 1, self.random.randint(1, 2))]
        return lines

    def text(self) -> str:
        starts = ("[x]", "[x * 1, x * 2]") if self.arrays else ("[]", "[x[0]]", "[1.0, x[1], 0.5]")
        lines = ["t = 0.5", "u = x * 1", "w = x * 2", f"a = {self.one_of(*starts)}",
                 f"b = {self.one_of('a', *starts)}", f"c = {self.one_of(*starts)}"]
        lines += [line[4:] for line in self.block(0, self.random.randint(3, 7))]
        for name in NAMES:
            lines += [f"for y in {name}:", f"    t = t * 0.7 + y{self.part}", f"t += len({name})"]
        body = "".join(f"    {line}\n" for line in [*lines, "return t"])
        return f"{HELPERS}def f(x, n):\n{body}"


def outcome(function: Callable[..., Any], *args: Any) -> Any:
    """The number that a call gives, or the type of the exception that it raises."""
    try:
        return function(*args)
    except (IndexError, ValueError, ZeroDivisionError) as error:
        return type(error)


@pytest.mark.parametrize("block", range(4))
def test_generated_programs(block: int) -> None:
    right = refused = 0
    for seed in range(40 * block, 40 * block + 40):
        text = Programs(seed).text()
        f = load(text, file=f"<lists {seed}>")
        try:
            for n in (3, 0, 5):
                expected, found = outcome(f, X.copy(), n), outcome(run, f, X.copy(), n)
                if isinstance(expected, type) or isinstance(found, type):
                    assert expected is found, f"{n}: {found}, Python gives {expected}\n{text}"
                else:
                    assert np.isclose(found, expected, rtol=1e-9), f"{n}\n{text}"
            right += 1
        except Unsupported:
            refused += 1
    assert right > refused
