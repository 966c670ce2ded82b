"""Random programs whose loops and indices go by ints that the program computes.

    for t in range(n):                       a loop that may run zero times
        m = len(x[x > c[t]])                 a length that each iteration computes anew
        s += u[m - 1] ** 2
        for j in range(m + 1, len(u)):       bounds that depend on it
            u[j] = np.sin(u[j - 1]) + 1.0

Lengths of selections, of slices and of lists that grow, arguments of any sign, elements of index
arrays, counters that jump, indices that a branch binds anew, early exits. Each int is known to
lie between two numbers, so that most indices are within their arrays. Values stay bounded.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from generator.computed import Int, Lines, Writer

DEEPEST = 4
HELPERS = (["q[k] = np.sin(q[k]) + 0.3 * q[k - 1]"], ["for h in range(k, len(q)):",
           "    q[h] *= 0.7"], ["q[:k] += 0.2 * q[k]", "k = 0", "q[k] *= 0.5"],
           ["for h in range(len(q) - 1, k, -1):", "    q[h] = np.sin(q[h] * q[h - 1])"],
           ["if q[k] > 0.2:", "    return", "q[k] = 0.5 * q[k] + 0.1"])


def read(w: Writer) -> Lines:
    return [w.random.choice((f"s += 0.3 * {w.number()}", f"s = np.sin(s + {w.number()})",
                             f"s += {w.number()}"))]


def write(w: Writer) -> Lines:
    target = f"A[{w.index()}, {w.index()}]" if w.chance(0.15) else \
        f"{w.random.choice(w.arrays)}[{w.index()}]"
    return [w.random.choice((
        f"{target} = {w.number()}", f"{target} = np.sin({target}) + 0.2", f"{target} = s",
        f"{target} += 0.3 * {w.number()}", f"{target} *= np.cos({w.element()})"))]


def write_slice(w: Writer) -> Lines:
    u, one, two = w.random.choice(w.arrays), w.int(), w.int()
    part = w.random.choice((f"{one.text}:", f":{one.text}", f"{one.text}:{two.text}",
                            f"{one.text} + 1:", f"{one.text}:{one.text} + 2"))
    return [w.random.choice((f"{u}[{part}] *= np.cos({w.element()})",
                             f"{u}[{part}] = np.tanh({w.number()})",
                             f"{u}[{part}] = 0.5 * np.sin({u}[{part}])",
                             f"A[{w.index()}, {part}] += 0.2 * s"))]


def bind(w: Writer) -> Lines:
    found, name = w.computed(), w.fresh("m")
    w.ints.append(Int(name, found.low, found.high))
    return [f"{name} = {found.text}"]


def rebind(w: Writer) -> Lines:
    """An int that is carried, or comes out of a branch."""
    name, e, other = w.random.choice(w.slots), w.extent, w.int()
    line = f"{name} = " + w.random.choice((
        f"({name} + {w.random.randint(1, 3)}) % {e}", f"max({name} - 1, 0)",
        f"min({name} + 1, {e - 1})", f"{e - 1} - {name}", f"p[{name}]",
        f"({other.text}) % {e}", f"len(x[x > 0.1 * {name} - 0.2]) % {e}"))
    if w.chance(0.4):
        return [f"if {condition(w)}:", f"    {line}"]
    return [line]


def condition(w: Writer) -> str:
    kind = w.random.random()
    if kind < 0.4:
        return f"{w.element()} > {round(w.random.uniform(-0.4, 0.6), 2)}"
    if kind < 0.6:
        return f"({w.int().text}) % 2 == 0"
    return f"{w.int().text} {w.random.choice(('<', '>', '!=', '<='))} {w.int().text}"


def for_loop(w: Writer) -> Lines:
    text, low, high = w.bounds()
    name = w.fresh("i")
    with w.inner(True) as inner:
        inner.ints.append(Int(name, low, high))
        body = block(inner)
    return [f"for {name} in range({text}):", *indented(body)]


def over_indices(w: Writer) -> Lines:
    name, source = w.fresh("i"), w.random.choice(("p", "p[1:]", "p[::-1]", "q"))
    with w.inner(True) as inner:
        inner.ints.append(Int(name, -2 if source == "q" else 0, w.extent - 1))
        body = block(inner)
    return [f"for {name} in {source}:", *indented(body)]


def while_loop(w: Writer) -> Lines:
    name, last = w.fresh("k"), w.random.choice((str(w.extent), "n", w.size(), w.int().text))
    steps = w.random.choice(("1", "1", "2", "1 + p[0]", f"1 + {name} % 2", "1 + abs(k)"))
    test = f"{name} < {last}" + (f" and {condition(w)}" if w.chance(0.3) else "")
    first = w.random.choice(("0", "0", "1", "max(k, 0)", w.random.choice(w.slots)))
    with w.inner(True) as inner:
        inner.ints.append(Int(name, 0, w.extent - 1))
        body = indented(block(inner))
    advance = f"    {name} += {steps}"
    body = [line.replace("continue", "break") for line in body]
    body = [advance, *body] if w.chance(0.2) else [*body, advance]
    return [f"{name} = {first}", f"while {test}:", *body]


def branch(w: Writer) -> Lines:
    with w.inner() as one:
        lines = [f"if {condition(w)}:", *indented(block(one))]
    if w.chance(0.5):
        with w.inner() as other:
            lines += ["else:", *indented(block(other))]
    return lines


def leave(w: Writer) -> Lines:
    return [f"if {condition(w)}:", f"    {w.random.choice(('break', 'continue', 'break'))}"]


def other_array(w: Writer) -> Lines:
    """Names that exchange arrays, or get others."""
    one, two = w.random.sample(w.arrays, 2)
    e = w.size()
    return [w.random.choice((f"{one}, {two} = {two}, {one}", f"{one}, {two} = {two}, {one}",
                             f"{one} = {two}.copy()", f"{one} = np.zeros({e})",
                             f"{one} = np.sin({two})", f"{one}[:] = 0.5 * {two}",
                             f"{one} = 0.5 * {one}"))]


def view(w: Writer) -> Lines:
    some = w.int()
    if not (some.low >= 0 and some.high < w.extent):
        return read(w)
    name, u = w.fresh("v"), w.random.choice(w.arrays)
    w.views.append(Int(name, w.extent - some.high, w.extent - some.low))
    return [f"{name} = {u}[{some.text}:]" + (".copy()" if w.chance(0.3) else "")]


def through_view(w: Writer) -> Lines:
    if not w.views:
        return view(w)
    v = w.random.choice(w.views).text
    return [w.random.choice((f"{v}[0] = {w.number()}", f"{v}[-1] *= 0.6", f"{v} *= 0.8",
                             f"{v}[len({v}) - 1] += 0.2 * {w.number()}"))]


def append(w: Writer) -> Lines:
    if w.grown is None:
        return read(w)
    return w.random.choice(([f"{w.grown}.append({w.element()})"],
                            [f"if len({w.grown}) > 1:",
                             f"    s += 0.2 * np.sin({w.grown}[len({w.grown}) // 2])"]))


def gathered(w: Writer) -> Lines:
    u = w.random.choice(w.arrays)
    return [w.random.choice((f"{u}[p] = np.sin({u})", f"{u}[p[1:]] *= 0.7",
                             f"np.add.at({u}, q, 0.2 * s)", f"{u}[q] = {w.number()}",
                             f"{u}[p[{w.index()}]] = {w.number()}",
                             f"{u}[{u} > 0.4] *= 0.6"))]


def helped(w: Writer) -> Lines:
    some = w.int()
    index = some.text if some.low >= 0 and some.high < w.extent else f"({some.text}) % {w.extent}"
    array = w.random.choice([*w.arrays, f"A[{w.index()}]"])
    return [f"touch({array}, {index})"]


SIMPLE: list[tuple[int, Callable[[Writer], Lines]]] = [
    (8, read), (8, write), (2, write_slice), (4, bind), (3, rebind), (2, other_array), (1, view),
    (2, through_view), (2, append), (1, gathered), (1, helped)]
NESTED: list[tuple[int, Callable[[Writer], Lines]]] = [
    (9, for_loop), (1, over_indices), (2, while_loop), (3, branch)]


def block(w: Writer) -> Lines:
    lines: Lines = []
    for _ in range(w.random.randint(1, 3 if w.depth else 5)):
        choices = SIMPLE + (NESTED if w.depth < DEEPEST else []) + (
            [(1, leave)] if w.in_loop else [])
        makers, weights = [m for _, m in choices], [n for n, _ in choices]
        lines += w.random.choices(makers, weights)[0](w)
    return lines


def indented(lines: Lines) -> Lines:
    return ["    " + line for line in lines]


def arguments_of(r: random.Random, extent: int) -> dict[str, Any]:
    """Arguments by name; `n` and `k` have any sign, `p` is a permutation, `q` has duplicates."""
    numbers = np.random.default_rng(r.randrange(2**32))
    return {
        "a": round(r.uniform(-1.0, 1.0), 3), "x": np.round(numbers.uniform(-1, 1.2, extent), 5),
        "A": np.round(numbers.uniform(-1, 1.2, (extent, extent)), 5), "n": r.randint(-2, 5),
        "k": r.randint(-3, 4), "p": np.array(r.sample(range(extent), extent)),
        "q": np.array([r.randrange(-2, extent) for _ in range(3)])}


def beginning(w: Writer) -> Lines:
    """The arrays, ints and lists that the program goes by."""
    r, lines = w.random, ["s = 0.1"]
    lines.append(r.choice(("u = x.copy()", "u = np.sin(x)", "u = A[0].copy()")))
    lines.append(r.choice(("w = np.zeros(len(x))", "w = 0.5 * x", "w = x * a")))
    for name in ("f", "g")[:r.randint(1, 2)]:
        w.slots.append(name)
        lines.append(f"{name} = {r.randrange(w.extent)}")
    if w.chance(0.4):
        w.grown = "ys"
        lines.append(f"ys = [{r.choice(('a', '0.3, x[0]', 'x[1]'))}]")
    return lines


def outermost(w: Writer) -> Lines:
    """The loop around most of the program, sometimes a checkpointed one."""
    e, name = w.extent, w.fresh("t")
    text, low, high = w.random.choice((
        ("range(n)", 0, 4), ("range(n)", 0, 4), (f"range({e})", 0, e - 1),
        (f"range({e} - 1, -1, -1)", 0, e - 1), ("range(k, n)", -3, 4), ("range(1, n)", 1, 4),
        ("range(0, n, 2)", 0, 4)))
    with w.inner(True) as inside:
        inside.ints.append(Int(name, low, high))
        lines = indented(block(inside) + block(inside))
    if w.chance(0.08):
        text = f"rg.checkpointed({text}, snapshots=2)"
        lines = [line.replace("break", "pass") for line in lines]
    return [f"for {name} in {text}:", *lines]


def generate_bounds(seed: int) -> tuple[str, tuple[Any, ...]]:
    """Source of a module with the function `program`, and arguments to call it with."""
    r = random.Random(seed)
    w = Writer(r, r.choice((3, 4, 5)), [Int("n", -2, 5), Int("k", -3, 4)], arrays=["u", "w"])
    arguments = arguments_of(r, w.extent)
    body = beginning(w)
    body += block(w) if w.chance(0.3) else []
    body += outermost(w)
    body += block(w) if w.chance(0.4) else []
    result = "s + np.sum(np.sin(u + 0.3)) + np.sum(w * w) * 0.5 + np.sum(A[0] * A[-1])"
    if w.grown is not None:
        result += " + sum(ys)" if w.chance(0.5) else " + ys[-1]"
    source = ["import numpy as np", "", "import retrograd as rg", "", "", "def touch(q, k):",
              *indented(r.choice(HELPERS)), "", "", f"def program({', '.join(arguments)}):",
              *indented(body), f"    return {result}", ""]
    return "\n".join(source), tuple(arguments.values())
