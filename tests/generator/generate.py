"""Random programs in the supported language: `generate(seed)` gives source and arguments.

A program has loops, `while`, branches, jumps, reads through indices, slices and views,
broadcasting, reductions, helper calls, unpacking, augmented assignment and rebinding. Its value
is a number, and it stays bounded: carried values pass through squashing functions.
With `stores` it writes into arrays as well: into its arguments, new arrays, copies, aliases and
views; its value may then be an array, or an array and a view of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from generator import idioms, stores, views
from generator.expressions import condition, expression, scalar
from generator.parts import part
from generator.scope import Index, Scope, Shape

Lines = list[str]
DEEPEST = 3
EXTENTS = (3, 4, 5)
HELPERS = (
    ["return a * np.sin(b) + 0.2"],
    ["if a > b:", "    return a - 0.5 * b", "return np.tanh(a) * b"],
    ["c = a / (1.0 + b * b)", "for _ in range(2):", "    c = np.sin(c + a)", "return c"],
    ["def twice(v):", "    return v * v", "return twice(np.cos(a)) + b"],
)


def generate(seed: int, writes: bool = False) -> tuple[str, tuple[Any, ...]]:
    """Source of a module with the function `program`, and arguments to call it with."""
    scope = Scope(random.Random(seed), stores=writes)
    arguments = parameters(scope)
    lines = ["import math", "", "import numpy as np", "", ""]
    if writes:
        arguments |= index_arrays(scope)
        scope.touch, touch = scope.random.choice(idioms.TOUCHES)
        scope.returns = scope.random.choices(("number", "array", "pair"), (8, 1, 1))[0]
        lines += ["def touch(q, c):", *indented(touch), "", ""]
    names = list(arguments)
    body = block(scope, scope.random.randint(3, 7))
    body.append(f"return {result(scope)}")
    helper = scope.random.choice(HELPERS)
    lines += ["def helper(a, b):", *indented(helper), "", "",
              f"def program({', '.join(names)}):", *indented(body), ""]
    return "\n".join(lines), tuple(arguments.values())


def parameters(scope: Scope) -> dict[str, Any]:
    """Arguments by name; their values and shapes come from the same randomness."""
    numbers = np.random.default_rng(scope.random.randrange(2**32))
    arguments: dict[str, Any] = {}
    for name in ("a", "b")[: scope.random.randint(1, 2)]:
        arguments[name] = round(scope.random.uniform(-1.2, 1.2), 3)
        scope.shapes[name] = ()
    extents = scope.random.choices(EXTENTS, k=2)
    if scope.stores and scope.chance(0.5):
        extents[1] = extents[0]
    shapes: dict[str, Shape] = {"x": (extents[0],), "y": (extents[1],), "A": tuple(extents)}
    for name, shape in shapes.items():
        if scope.chance(0.7):
            arguments[name] = np.round(numbers.uniform(-1.2, 1.2, shape), 5)   # no ties
            scope.shapes[name] = shape
    arguments["n"] = scope.random.randint(0, 4)
    return arguments


def index_arrays(scope: Scope) -> dict[str, Any]:
    """Arguments that are arrays of indices: `p` mostly without duplicates, `q` with some."""
    arguments: dict[str, Any] = {}
    least = min(EXTENTS)
    for name, chosen in (("p", scope.random.sample(range(least), least)),
                         ("q", [scope.random.randrange(-least, least) for _ in range(4)])):
        if scope.chance(0.4):
            arguments[name] = np.array(chosen)
            scope.integers[name] = len(chosen)
    return arguments


def result(scope: Scope) -> str:
    """A number that depends on much of what is in reach."""
    if scope.stores:
        return result_of_stores(scope)
    terms = scope.named(0)[-4:]
    terms += [f"np.sum({name})" for rank in (1, 2) for name in scope.named(rank)[-2:]]
    scope.random.shuffle(terms)
    return " + ".join(terms[:5]) or "1.0"


def result_of_stores(scope: Scope) -> str:
    """A number in which the elements of arrays have different weights, or arrays themselves."""
    arrays = scope.named(1) + scope.named(2)
    if scope.returns == "array" and arrays:
        return scope.random.choice(arrays)
    if scope.returns == "pair" and arrays:
        one = scope.random.choice(arrays)
        other = scope.random.choice((scope.random.choice(arrays), part(scope, one, 0.2)[0]))
        return f"{one}, {other}"
    weighted = ("np.sum(np.sin({0} + 0.3))", "np.sum({0} * {0})", "np.sum({0}[::2])",
                "0.5 * np.sum({0})", "np.sum({0}[:-1] * {0}[1:])", "np.mean({0} ** 3)")
    terms = scope.named(0)[-3:]
    for name in scope.random.sample(arrays, min(4, len(arrays))):
        terms.append(scope.random.choice(weighted).format(name))
    scope.random.shuffle(terms)
    return " + ".join(terms) or "1.0"


def indented(lines: Lines) -> Lines:
    return ["    " + line for line in lines]


# --- statements --------------------------------------------------------------------------------


def block(scope: Scope, length: int) -> Lines:
    lines: Lines = []
    for _ in range(length):
        lines += statement(scope)
    return lines


def statement(scope: Scope) -> Lines:
    simple: list[tuple[int, Callable[[Scope], Lines]]] = [
        (6, assign), (2, augment), (2, unpack), (2, rebind)]
    nested: list[tuple[int, Callable[[Scope], Lines]]] = [
        (3, for_range), (2, for_array), (2, while_loop), (3, branch), (1, guarded_return)]
    choices = simple + (nested if scope.depth < DEEPEST else [])
    if scope.stores:
        nested = [(w, make) for w, make in choices[len(simple):]
                  if make is not guarded_return or scope.returns == "number"]
        choices = [(1, assign), (1, augment), (1, unpack), *nested, *WRITING]
    if scope.in_loop:
        choices += [(2, jump)]
    weights = [weight for weight, _ in choices]
    return scope.random.choices([make for _, make in choices], weights)[0](scope)


WRITING: list[tuple[int, Callable[[Scope], Lines]]] = [
    (6, stores.store), (2, stores.overlapping), (1, stores.moving_slice), (3, stores.whole),
    (2, stores.scattered), (2, stores.masked), (1, stores.chained), (1, stores.exchanged),
    (2, views.view), (3, views.through), (1, views.alias), (1, views.copied), (2, views.made),
    (1, views.swapped), (1, idioms.touch), (3, idioms.idiom)]


def shape_for(scope: Scope) -> Shape:
    if scope.chance(0.55):
        return ()
    return scope.random.choice([s for s in scope.shapes.values() if s] or [()])


def assign(scope: Scope) -> Lines:
    """A new name, or an old one with a value of the same shape; sometimes a view by name."""
    arrays = scope.named(1)
    if arrays and scope.chance(0.15):
        source, name = scope.random.choice(arrays), scope.fresh("v")
        extent = scope.shapes[source][0]
        if extent >= 2:
            scope.shapes[name] = (extent - 1,)
            return [f"{name} = {source}{scope.random.choice(('[1:]', '[:-1]', '[:0:-1]'))}"]
    shape = shape_for(scope)
    old = [n for n, s in scope.shapes.items() if s == shape]
    value = expression(scope, shape)
    name = scope.random.choice(old) if old and scope.chance(0.5) else scope.fresh("sv"[bool(shape)])
    scope.shapes[name] = shape
    return [f"{name} = {squashed(scope, value)}"]


def squashed(scope: Scope, value: str) -> str:
    """Whatever is carried around a loop must not grow."""
    return f"np.tanh({value})" if scope.in_loop or scope.chance(0.3) else value


def augment(scope: Scope) -> Lines:
    name = scope.pick(0)
    if name is None:
        return assign(scope)
    operator = scope.random.choice(("+=", "-=", "*="))
    value = scalar(scope)
    return [f"{name} {operator} {value if operator != '*=' else f'np.cos({value})'}",
            *([f"{name} = np.sin({name})"] if scope.in_loop else [])]


def unpack(scope: Scope) -> Lines:
    shape = shape_for(scope)
    names = [n for n, s in scope.shapes.items() if s == shape]
    if len(names) < 2:
        return assign(scope)
    one, other = scope.random.sample(names, 2)
    if scope.chance(0.4):
        return [f"{one}, {other} = {other}, {one}"]
    return [f"{one}, {other} = np.sin({expression(scope, shape, 1)}), {one} * 0.5"]


def rebind(scope: Scope) -> Lines:
    """A name gets a value of another shape, where nothing outside depends on its shape."""
    free = [n for n in scope.shapes if n not in scope.fixed and len(n) > 1]
    if not free:
        return assign(scope)
    name, shape = scope.random.choice(free), shape_for(scope)
    value = expression(scope, shape)
    scope.shapes[name] = shape
    return [f"{name} = {squashed(scope, value)}"]


# --- control flow ------------------------------------------------------------------------------


def body_of(scope: Scope, loop: bool | None = None, index: Index | None = None,
            extra: dict[str, Shape] | None = None) -> tuple[Lines, Scope]:
    with scope.inner(loop) as inside:
        if index is not None:
            inside.indices.append(index)
        inside.shapes.update(extra or {})
        return indented(block(inside, scope.random.randint(1, 3)) or ["pass"]), inside


def for_range(scope: Scope) -> Lines:
    name = scope.fresh("i")
    extent = scope.random.choice(EXTENTS)
    ranges = [
        (f"range({extent})", 0, extent), ("range(n)", 0, 4), (f"range(1, {extent})", 1, extent),
        (f"range({extent - 1}, -1, -1)", 0, extent), (f"range(0, {extent}, 2)", 0, extent),
        (f"range({extent}, 0, -2)", 1, extent + 1), ("range(n, 0)", 0, 1)]
    if scope.stores:
        ranges += triangles(scope, extent)
    text, low, high = scope.random.choice(ranges)
    body, inside = body_of(scope, True, Index(name, low, high))
    leaves = any(line.strip() in ("break", "continue") for line in body)
    if text == f"range({extent})" and not leaves and scope.chance(0.3):
        # The loop certainly runs to its end, so what its body makes stays in reach.
        scope.shapes.update({n: s for n, s in inside.shapes.items() if n not in scope.shapes})
    return [f"for {name} in {text}:", *body]


def triangles(scope: Scope, extent: int) -> list[tuple[str, int, int]]:
    """Ranges that depend on the index of a loop around."""
    found: list[tuple[str, int, int]] = []
    for index in scope.indices[-2:]:
        if index.low >= 0 and index.high <= extent + 1:
            i = index.name
            found += [(f"range({i})", 0, index.high), (f"range({i}, {extent})", index.low, extent),
                      (f"range({i} + 1, {extent})", index.low + 1, extent),
                      (f"range({i} - 1, -1, -1)", 0, index.high)]
    return found


def for_array(scope: Scope) -> Lines:
    source = scope.pick(1)
    if source is None:
        return for_range(scope)
    extent, value, name = scope.shapes[source][0], scope.fresh("e"), scope.fresh("i")
    same = [v for v in scope.named(1) if scope.shapes[v] == (extent,)]
    kind = scope.random.randrange(3)
    if kind == 0:
        head, extra, index = f"for {value} in {source}:", {value: ()}, None
    elif kind == 1:
        head, extra = f"for {name}, {value} in enumerate({source}):", {value: ()}
        index = Index(name, 0, extent)
    else:
        other, twin = scope.random.choice(same), scope.fresh("e")
        head, extra = f"for {value}, {twin} in zip({source}, {other}):", {value: (), twin: ()}
        index = None
    shapes: dict[str, Shape] = dict(extra)
    return [head, *body_of(scope, True, index, shapes)[0]]


def while_loop(scope: Scope) -> Lines:
    name = scope.fresh("k")
    limit = scope.random.choice(("n", "3", "5"))
    test = f"{name} < {limit}"
    if scope.chance(0.5):
        test += f" and {condition(scope)}"
    body, _ = body_of(scope, True, Index(name, 1, 6))
    return [f"{name} = 0", f"while {test}:", f"    {name} += 1", *body]


def branch(scope: Scope) -> Lines:
    arms = [body_of(scope) for _ in range(scope.random.randint(1, 3))]
    lines = [f"if {condition(scope)}:", *arms[0][0]]
    if len(arms) == 3:
        lines += [f"elif {condition(scope)}:", *arms[2][0]]
    if len(arms) > 1:
        lines += ["else:", *arms[1][0]]
    return lines


def jump(scope: Scope) -> Lines:
    return [f"if {condition(scope)}:", f"    {scope.random.choice(('break', 'continue'))}"]


def guarded_return(scope: Scope) -> Lines:
    return [f"if {condition(scope)}:", f"    return {result(scope)}"]
