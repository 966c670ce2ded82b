"""Random statements that write into arrays.

What is written stays bounded: `=` squashes or halves, `*=` has factors of at most one, `/=`
divisors of at least 1.5, and `+=` adds something bounded.
"""

from __future__ import annotations

from generator.expressions import COMPARISONS, bounded, expression, scalar
from generator.parts import moving, part, parts_like, position
from generator.scope import Scope, Shape

Lines = list[str]
OPERATORS = ("=", "=", "=", "+=", "+=", "-=", "*=", "*=", "/=")


def target(scope: Scope) -> str | None:
    """An array to write into, often one of the last."""
    names = scope.named(1) + scope.named(2)
    names = [n for n in scope.shapes if n in names and 0 not in scope.shapes[n]]
    if not names:
        return None
    return scope.random.choice(names[-3:] if scope.chance(0.5) else names)


def value(scope: Scope, shape: Shape, operator: str = "=") -> str:
    """Something to write into a part of this shape with this operator."""
    if shape and scope.chance(0.25):
        text = scalar(scope, 1)
    elif len(shape) == 2 and scope.chance(0.3):
        text = expression(scope, shape[1:], 1)
    else:
        text = expression(scope, shape, scope.random.randint(0, 2))
    if operator == "=":
        return f"np.tanh({text})" if scope.chance(0.5) else f"0.5 * {text}"
    if operator == "*=":
        return f"np.cos({text})" if scope.chance(0.8) else "0.7"
    if operator == "/=":
        return f"(1.5 + ({text}) ** 2)"
    return bounded(scope, text, False) if scope.chance(0.7) else f"0.3 * {text}"


def store(scope: Scope) -> Lines:
    """An element, a slice, a row, a column or a block."""
    name = target(scope)
    if name is None:
        return []
    text, shape = part(scope, name)
    operator = scope.random.choice(OPERATORS)
    return [f"{text} {operator} {value(scope, shape, operator)}"]


def overlapping(scope: Scope) -> Lines:
    """The right side reads the array that is written, in another place."""
    name = target(scope)
    if name is None:
        return []
    text, shape = part(scope, name, 0.15)
    sources = parts_like(scope, name, shape) if shape else [
        f"{name}[{', '.join(position(scope, n) for n in scope.shapes[name])}]"]
    one, other = (scope.random.choice(sources) for _ in range(2))
    operator = scope.random.choice(("=", "+=", "-=", "*="))
    right = scope.random.choice((f"0.4 * {one}", f"np.sin({one})", f"0.3 * {one} * {other}",
                                 f"0.5 * ({one} - {other})", f"np.tanh({one} + {other})"))
    return [f"{text} {operator} {f'np.cos({right})' if operator == '*=' else right}"]


def moving_slice(scope: Scope) -> Lines:
    """A slice whose bounds are loop indices."""
    names = scope.named(1)
    if not names:
        return store(scope)
    name = scope.random.choice(names)
    extent = scope.shapes[name][0]
    found = moving(scope, extent)
    if not found:
        return store(scope)
    where, sources = scope.random.choice(found)
    others = [n for n in names if scope.shapes[n] == (extent,)]
    source = f"{scope.random.choice(others)}[{scope.random.choice(sources)}]"
    operator = scope.random.choice(("=", "+=", "-="))
    right = scope.random.choice((f"0.5 * {source}", f"np.sin({source})", scalar(scope, 1)))
    return [f"{name}[{where}] {operator} np.tanh({right})"]


def whole(scope: Scope) -> Lines:
    """The whole array at once: by slice, in place, `out=`, `fill` or `copyto`."""
    name = target(scope)
    if name is None:
        return []
    shape = scope.shapes[name]
    new, number = value(scope, shape), scalar(scope, 1)
    operator = scope.random.choice(("+=", "-=", "*=", "/="))
    one, other = expression(scope, shape, 0), expression(scope, shape, 0)
    place = scope.random.choice((name, f"out={name}"))
    return [scope.random.choice((
        f"{name}[:] = {new}", f"{name}[...] = {new}", f"{name}[:] = np.sin({number})",
        f"{name} {operator} {value(scope, shape, operator)}",
        f"{name} {operator} {value(scope, shape, operator)}",
        f"{name}.fill(np.sin({number}))", f"np.copyto({name}, {new})",
        f"np.sin({one}, {place})", f"np.multiply({one}, 0.5, {place})",
        f"np.subtract(0.5 * {one}, {other}, {place})", f"np.tanh({name}, {place})"))]


# --- gathered and scattered ------------------------------------------------------------------


def numbers(scope: Scope, extent: int) -> tuple[str, int]:
    """An array of indices: an argument or a literal, with duplicates or without."""
    fitting = [(n, k) for n, k in scope.integers.items() if extent >= 3]
    if fitting and scope.chance(0.6):
        return scope.random.choice(fitting)
    count = scope.random.randint(2, 3)
    if scope.chance(0.5) and extent >= count:
        chosen = scope.random.sample(range(extent), count)
    else:
        chosen = [scope.random.randrange(-extent, extent) for _ in range(count)]
    return (f"np.array({chosen})" if scope.chance(0.7) else f"{chosen}"), count


def scattered(scope: Scope) -> Lines:
    """A store through an array of indices, or `np.add.at`."""
    name = target(scope)
    if name is None:
        return []
    shape = scope.shapes[name]
    if len(shape) == 1 and scope.chance(0.15):
        chosen = [[scope.random.randrange(-n, n) for _ in range(2)] for n in shape * 2]
        return [f"{name}[np.array({chosen})] = {value(scope, (2, 2))}"]
    items, left = [], []
    place = scope.random.randrange(len(shape))
    for axis, extent in enumerate(shape):
        if axis == place:
            text, count = numbers(scope, extent)
            items.append(text)
            left.append(count)
        elif scope.chance(0.5):
            items.append(position(scope, extent))
        else:
            items.append(":")
            left.append(extent)
    if len(shape) == 2 and items[0] == ":" and scope.chance(0.5):
        return store(scope)
    if items[-1] == ":":
        items.pop()
    if scope.chance(0.35):
        where = items[0] if len(items) == 1 else f"({', '.join(items)})"
        if ":" not in items:
            return [f"np.add.at({name}, {where}, {value(scope, tuple(left), '+=')})"]
    operator = scope.random.choice(OPERATORS)
    return [f"{name}[{', '.join(items)}] {operator} {value(scope, tuple(left), operator)}"]


def masked(scope: Scope) -> Lines:
    """A store through a boolean mask, with a number or with values chosen by the same mask."""
    name = target(scope)
    if name is None:
        return []
    shape = scope.shapes[name]
    same = [n for n, s in scope.shapes.items() if s == shape]
    rows = [n for n, s in scope.shapes.items() if s == shape[:1]]
    ends = [n for n, s in scope.shapes.items() if len(shape) == 2 and s == shape[1:]]
    if ends and scope.chance(0.2):
        by, before = scope.random.choice(ends), f"{position(scope, shape[0])}, "
    else:
        by, before = scope.random.choice(rows if scope.chance(0.2) and rows else same), ""
    test = f"{by} {scope.random.choice(COMPARISONS)} {round(scope.random.uniform(-0.6, 0.9), 2)}"
    operator = scope.random.choice(OPERATORS)
    if scope.chance(0.4):
        mask = scope.fresh("m")
        head = [f"{mask} = {test}"]
    else:
        mask, head = test, []
    if scope.chance(0.35):
        other = scope.random.choice(same)
        amounts = {"=": "np.sin({})", "*=": "np.cos({})", "/=": "(1.5 + {} ** 2)"}
        right = amounts.get(operator, "0.5 * {}").format(f"{other}[{before}{mask}]")
    else:
        right = value(scope, (), operator)
    return [*head, f"{name}[{before}{mask}] {operator} {right}"]


# --- several targets -------------------------------------------------------------------------


def chained(scope: Scope) -> Lines:
    """`a[i] = b[j] = v`, sometimes with a name among the targets."""
    name, other = target(scope), target(scope)
    if name is None or other is None:
        return []
    text, shape = part(scope, name, 0.6)
    twins = parts_like(scope, other, shape) if shape else [
        f"{other}[{', '.join(position(scope, n) for n in scope.shapes[other])}]"]
    right = value(scope, shape)
    if not twins:
        return [f"{text} = {right}"]
    targets = [text, scope.random.choice(twins)]
    free = scope.fresh("s")
    if not shape and scope.chance(0.3):
        targets.insert(scope.random.randrange(3), free)
        scope.shapes[free] = ()
    return [f"{' = '.join(targets)} = {right}"]


def exchanged(scope: Scope) -> Lines:
    """Two parts at once: `u[i], u[j] = u[j], u[i]`; of views the second may be overwritten."""
    name, other = target(scope), target(scope)
    if name is None or other is None:
        return []
    one, shape = part(scope, name, 0.7)
    twins = parts_like(scope, other, shape) if shape else [
        f"{other}[{', '.join(position(scope, n) for n in scope.shapes[other])}]"]
    if not twins:
        return []
    two = scope.random.choice(twins)
    right = scope.random.choice((f"{two}, {one}", f"0.5 * {two}, np.sin({one})",
                                 f"np.tanh({one} + {two}), {one}"))
    if "2]" in one + two and shape:
        # NumPy 2.4 copies x[:3] to x[::2] without a temporary, and wrongly: nothing to judge
        right = f"0.5 * {two}, np.sin({one})"
    return [f"{one}, {two} = {right}"]
