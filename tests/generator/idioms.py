"""Whole small algorithms that write in place, as people write them, with random parts."""

from __future__ import annotations

from collections.abc import Callable

from generator.expressions import scalar
from generator.parts import position
from generator.scope import Scope
from generator.stores import Lines

TOUCHES: tuple[tuple[str, Lines], ...] = (
    ("", ["q[0] += np.sin(c)"]),
    ("", ["q[1:] = 0.5 * q[:-1] + 0.1 * c", "q[0] = c"]),
    ("", ["for k in range(len(q)):", "    q[k] = np.tanh(q[k] + c * q[k - 1])"]),
    ("same", ["q[:] = 0.5 * q[::-1]", "return q"]),
    ("number", ["q *= np.cos(c)", "return q[0] * c"]),
    ("number", ["last = q[-1]", "q[-1] = np.sin(c)", "return last * q[-1]"]),
    ("same", ["q = q * c", "q[0] = 0.5", "return q"]),
    ("", ["if c > 0.3:", "    q[0] = c", "    return", "q[-1] -= 0.5 * c"]),
    ("", ["r = q[::-1]", "r[0] = np.sin(r[-1])", "q[0] *= c"]),
    ("number", ["old = q.copy()", "q[q > c] = 0.5 * c", "return np.sum(old - q)"]),
)


def touch(scope: Scope) -> Lines:
    """A call of the helper that writes into its argument."""
    vectors, tables = scope.named(1), scope.named(2)
    if tables and scope.chance(0.3):
        name = scope.random.choice(tables)
        rows = scope.shapes[name][0]
        array, shape = f"{name}[{position(scope, rows)}]", scope.shapes[name][1:]
    elif vectors:
        array = scope.random.choice(vectors)
        shape = scope.shapes[array]
    else:
        return []
    call = f"touch({array}, {scalar(scope, 0)})"
    if scope.touch == "" or scope.chance(0.3):
        return [call]
    name = scope.fresh("t")
    scope.shapes[name] = shape if scope.touch == "same" else ()
    return [f"{name} = {call}"]


def idiom(scope: Scope) -> Lines:
    vector = scope.pick(1)
    table = scope.pick(2)
    if vector is not None and (table is None or scope.chance(0.65)):
        make = scope.random.choice(ON_VECTORS)
        return make(scope, vector) if scope.shapes[vector][0] >= 3 else []
    if table is not None and min(scope.shapes[table]) >= 3:
        return scope.random.choice(ON_TABLES)(scope, table)
    return []


def steps(scope: Scope) -> str:
    return scope.random.choice(("n", "2", "3", "n + 1"))


def number(scope: Scope) -> str:
    return scope.pick(0) or scope.number()


# --- on one axis -----------------------------------------------------------------------------


def double_buffer(scope: Scope, u: str) -> Lines:
    w, t = scope.fresh("w"), scope.fresh("i")
    scope.shapes[w] = scope.shapes[u]
    start = scope.random.choice((f"{u}.copy()", f"np.zeros_like({u})", f"0.5 * {u}"))
    update = scope.random.choice((
        [f"    {w}[1:-1] = np.sin({u}[:-2] + 0.5 * {u}[2:])"],
        [f"    {w}[:] = 0.5 * {u}", f"    {w}[1:] += 0.3 * {u}[:-1] * {u}[1:]"],
        [f"    for k in range(1, len({u})):", f"        {w}[k] = np.tanh({u}[k] - {u}[k - 1])"]))
    end = scope.random.choice((
        [f"    {u}, {w} = {w}, {u}"], [f"    {u}[:] = {w}"], [f"    {u} = {w}.copy()"],
        [f"    if {t} % 2 == 0:", f"        {u}, {w} = {w}, {u}"]))
    return [f"{w} = {start}", f"for {t} in range({steps(scope)}):", *update, *end]


def recurrence(scope: Scope, u: str) -> Lines:
    i = scope.fresh("i")
    others = [n for n in scope.named(1) if scope.shapes[n] == scope.shapes[u]]
    x = scope.random.choice(others)
    head = scope.random.choice((f"range(len({u}))", f"range(1, len({u}))",
                                f"range(len({u}) - 1, 0, -1)", f"range({u}.size - 1, -1, -1)"))
    body = scope.random.choice((
        f"{u}[{i}] = np.tanh({u}[{i} - 1] * {x}[{i}] + {number(scope)})",
        f"{u}[{i}] += 0.5 * {x}[{i} - 1]", f"{u}[{i} - 1] = 0.7 * {u}[{i}] * {x}[-{i} - 1]",
        f"{u}[{i}] = np.sin({u}[{i} - 1] + {u}[{i} - 2])"))
    return [f"for {i} in {head}:", f"    {body}"]


def history(scope: Scope, u: str) -> Lines:
    """The states of a time loop in the rows of an array."""
    rows, t = scope.fresh("h"), scope.fresh("i")
    extent = scope.shapes[u][0]
    scope.shapes[rows] = (4, extent)
    head = [f"{rows} = np.zeros((4, {extent}))", f"{rows}[0] = {u}"]
    body = scope.random.choice((
        [f"    {rows}[{t}] = np.sin({rows}[{t} - 1] + {number(scope)})"],
        [f"    {u} = np.tanh({u} * 1.1)", f"    {rows}[{t}] = {u}"],
        [f"    {rows}[{t}, 1:] = np.cos({rows}[{t} - 1, :-1]) * {u}[1:]"]))
    return [*head, f"for {t} in range(1, 4):", *body]


def bubble(scope: Scope, u: str) -> Lines:
    i = scope.fresh("i")
    return [f"for {i} in range(len({u}) - 1):", f"    if {u}[{i}] > {u}[{i} + 1]:",
            f"        {u}[{i}], {u}[{i} + 1] = {u}[{i} + 1], 0.9 * {u}[{i}]"]


def until(scope: Scope, u: str) -> Lines:
    k = scope.fresh("k")
    place = position(scope, scope.shapes[u][0])
    body = scope.random.choice((
        [f"    {u}[{place}] = np.tanh(1.3 * {u}[{place}]) + 0.2"],
        [f"    {u}[1:] += 0.3 * {u}[:-1]", f"    {u} *= 0.8"],
        [f"    {u}[{k} % {scope.shapes[u][0]}] -= np.sin({u}[{k} - 1])"]))
    return [f"{k} = 0", f"while {k} < {scope.random.choice(('n', '3', '4'))} "
            f"and {u}[{place}] < 0.9:", *body, f"    {k} += 1"]


def deposit(scope: Scope, u: str) -> Lines:
    """Particles in cells: `np.add.at`, or an element at a time through indices in an array."""
    if not scope.integers:
        return recurrence(scope, u)
    p, count = scope.random.choice(list(scope.integers.items()))
    i = scope.fresh("i")
    return scope.random.choice((
        [f"np.add.at({u}, {p}, 0.3 * {u}[{p}])"],
        [f"for {i} in range({count}):", f"    {u}[{p}[{i}]] += np.sin({u}[{i}])"],
        [f"for {i} in {p}:", f"    {u}[{i}] = 0.6 * {u}[{i} - 1] + {number(scope)}"]))


def aliased_start(scope: Scope, u: str) -> Lines:
    """A name that is another name's array in the first iteration only, or in one branch."""
    w, t = scope.fresh("w"), scope.fresh("i")
    scope.shapes[w] = scope.shapes[u]
    return scope.random.choice((
        [f"{w} = {u}", f"for {t} in range({steps(scope)}):", f"    {w} = np.sin({w} + 0.3)",
         f"    {w}[0] = {number(scope)}"],
        [f"{w} = {u}[::-1]", f"for {t} in range({steps(scope)}):",
         f"    {w}[{t} % 3] *= 0.5", f"    {u}[0] += {w}[1]"],
        [f"{w} = {u}.copy()", f"if {number(scope)} > 0.4:", f"    {u}, {w} = {w}, {u}",
         f"    {w}[1] = 0.5 * {u}[0]", f"{u}[0] = np.sin({w}[1])"]))


# --- on two axes -----------------------------------------------------------------------------


def triangular(scope: Scope, a: str) -> Lines:
    i, j = scope.fresh("i"), scope.fresh("i")
    least = min(scope.shapes[a])
    inner = scope.random.choice((f"range({i})", f"range({i} + 1)", f"range({i}, {least})",
                                 f"range({i} + 1, {least})", f"range({i} - 1, -1, -1)"))
    body = scope.random.choice((
        [f"        {a}[{i}, {j}] = np.tanh({a}[{j}, {i}] + {a}[{j} - 1, {i}])"],
        [f"        {a}[{i}, {j}] -= 0.4 * np.sin({a}[{i}, {i}] * {a}[{j}, {j}])"],
        [f"        {a}[{i}, {j}:] -= 0.3 * {a}[{j}, {j}:] * {a}[{i}, {j}]"],
        [f"        {a}[{i}] += 0.2 * {a}[{j}]"]))
    return [f"for {i} in range({least}):", f"    for {j} in {inner}:", *body,
            *([f"    {a}[{i}, {i}] = np.sin({a}[{i}, {i}])"] if scope.chance(0.5) else [])]


def rows(scope: Scope, a: str) -> Lines:
    r, i = scope.fresh("r"), scope.fresh("i")
    body = scope.random.choice((
        [f"    {r}[0] = np.sin({r}[-1])"], [f"    {r} *= 0.5"],
        [f"    {r}[1:] += 0.4 * {r}[:-1]"], [f"    {r}[:] = {r}[::-1] + 0.1 * {a}[0]"]))
    head = scope.random.choice(([f"for {r} in {a}:"], [f"for {i}, {r} in enumerate({a}):"],
                                [f"for {i} in range(len({a})):", f"    {r} = {a}[{i}]"],
                                [f"for {r} in {a}.T:"]))
    return [*head, *body]


def stencil(scope: Scope, a: str) -> Lines:
    i, j, t = scope.fresh("i"), scope.fresh("i"), scope.fresh("i")
    high, wide = scope.shapes[a]
    body = scope.random.choice((
        [f"    {a}[1:-1, 1:-1] = 0.25 * ({a}[:-2, 1:-1] + {a}[2:, 1:-1] + {a}[1:-1, :-2]"
         f" + {a}[1:-1, 2:] * {a}[1:-1, 1:-1])"],
        [f"    for {i} in range(1, {high} - 1):", f"        for {j} in range(1, {wide} - 1):",
         f"            {a}[{i}, {j}] = 0.3 * ({a}[{i} - 1, {j}] + {a}[{i} + 1, {j}]"
         f" + np.sin({a}[{i}, {j} - 1]))"],
        [f"    {a}[1:] += 0.3 * {a}[:-1]", f"    {a}[:, :-1] *= np.cos({a}[:, 1:])"]))
    return [f"for {t} in range({steps(scope)}):", *body]


ON_VECTORS: tuple[Callable[[Scope, str], Lines], ...] = (
    double_buffer, recurrence, recurrence, history, bubble, until, deposit, aliased_start)
ON_TABLES: tuple[Callable[[Scope, str], Lines], ...] = (triangular, triangular, rows, stencil)
