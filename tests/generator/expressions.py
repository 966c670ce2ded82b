"""Random expressions: smooth, bounded, and inside the shapes that the scope knows.

Each function returns Python source of a value of the asked shape. Everything is analytic along
the path that is executed, so the complex step is the truth.
"""

from __future__ import annotations

from generator.parts import parts_like, position
from generator.scope import Scope, Shape

SQUASH = ("np.tanh({})", "np.sin({})", "np.cos({})", "({0} / (1.5 + {0} ** 2))",
          "np.exp(-({}) ** 2)", "math.sin({})", "np.arctan({})", "np.sqrt(0.3 + ({}) ** 2)")
PAIRS = ("{} + {}", "{} - {}", "{} * {}", "{} / (1.5 + ({}) ** 2)", "0.5 * {} - {}", "{} * -{}",
         "np.maximum({}, {})")
COMPARISONS = ("<", ">", "<=", ">=")


def expression(scope: Scope, shape: Shape, depth: int = 2) -> str:
    """A value of this shape that stays bounded however often it is applied."""
    return scalar(scope, depth) if not shape else array(scope, shape, depth)


def bounded(scope: Scope, text: str, scalar: bool) -> str:
    choices = SQUASH if scalar else [s for s in SQUASH if "math" not in s]
    return scope.random.choice(choices).format(text)


# --- numbers -----------------------------------------------------------------------------------


def scalar(scope: Scope, depth: int = 2) -> str:
    if depth == 0:
        return scalar_leaf(scope)
    kind = scope.random.random()
    if kind < 0.35:
        pair = scope.random.choice(PAIRS)
        return f"({pair.format(scalar(scope, depth - 1), scalar(scope, depth - 1))})"
    if kind < 0.6:
        return bounded(scope, scalar(scope, depth - 1), True)
    if kind < 0.75:
        return reduction(scope, depth - 1)
    if kind < 0.82:
        a, b = scalar(scope, depth - 1), scalar(scope, depth - 1)
        return f"({a} if {condition(scope)} else {b})"
    if kind < 0.9:
        return f"helper({scalar(scope, depth - 1)}, {scalar_leaf(scope)})"
    return scalar_leaf(scope)


def scalar_leaf(scope: Scope) -> str:
    kind = scope.random.random()
    if kind < 0.35:
        found = element(scope)
        if found is not None:
            return found
    if kind < 0.45 and scope.indices:
        return f"0.1 * {scope.random.choice(scope.indices).name}"
    return scope.pick(0) or scope.number() if kind < 0.9 else scope.number()


def reduction(scope: Scope, depth: int) -> str:
    rank = 1 if scope.chance(0.7) else 2
    name = scope.pick(rank)
    if name is None:
        return scalar_leaf(scope)
    shape = scope.shapes[name]
    text = array(scope, shape, depth)
    form = scope.random.choice(("np.mean({})", f"np.sum({{}}) / {max(1, sum(shape))}",
                                "np.max({})", "({} ** 2).mean()"))
    return form.format(f"({text})")


def element(scope: Scope) -> str | None:
    """One element of an array, through constants, loop indices and negative indices."""
    rank = 1 if scope.chance(0.7) else 2
    name = scope.pick(rank)
    if name is None or 0 in scope.shapes[name]:
        return None
    places = [position(scope, n) for n in scope.shapes[name]]
    if rank == 2 and scope.chance(0.3):
        return f"{name}[{places[0]}][{places[1]}]"
    return f"{name}[{', '.join(places)}]"


# --- arrays ------------------------------------------------------------------------------------


def array(scope: Scope, shape: Shape, depth: int = 2) -> str:
    if depth == 0:
        return array_leaf(scope, shape)
    kind = scope.random.random()
    if kind < 0.4:
        pair = scope.random.choice(PAIRS)
        return f"({pair.format(array(scope, shape, depth - 1), operand(scope, shape, depth - 1))})"
    if kind < 0.65:
        return bounded(scope, array(scope, shape, depth - 1), False)
    if kind < 0.72:
        a = array(scope, shape, depth - 1)
        return f"np.where({a} {scope.random.choice(COMPARISONS)} {scope.number()}, {a}, 0.3)"
    return product(scope, shape) or array_leaf(scope, shape)


def operand(scope: Scope, shape: Shape, depth: int) -> str:
    """Something that broadcasts to the shape: the same shape, fewer axes, or a number."""
    if scope.chance(0.3):
        return scalar(scope, depth)
    if len(shape) == 2:
        for wanted, form in ((shape[1:], "{}"), (shape[:1], "{}[:, None]")):
            names = [n for n, s in scope.shapes.items() if s == wanted]
            if names and scope.chance(0.4):
                return form.format(scope.random.choice(names))
    return array(scope, shape, depth)


def array_leaf(scope: Scope, shape: Shape) -> str:
    names = [n for n, s in scope.shapes.items() if s == shape]
    views = [v for n in scope.shapes if (v := view(scope, n, shape))]
    if scope.stores:
        views += [v for n in scope.shapes for v in parts_like(scope, n, shape)[:3]]
    if views and (not names or scope.chance(0.4)):
        return scope.random.choice(views)
    if names:
        return scope.random.choice(names)
    filled = shape[0] if len(shape) == 1 else shape
    return f"np.full({filled}, {scalar_leaf(scope)})"


def view(scope: Scope, name: str, shape: Shape) -> str | None:
    """A part of an array that has the wanted shape."""
    have = scope.shapes[name]
    if len(have) == 1 and len(shape) == 1:
        return slice_of(scope, name, have[0], shape[0])
    if len(have) == 2 and len(shape) == 1 and have[1] == shape[0]:
        return f"{name}[{position(scope, have[0])}]"
    if len(have) == 2 and len(shape) == 1 and have[0] == shape[0]:
        return f"{name}[:, {position(scope, have[1])}]"
    if len(have) == 2 and shape == have[::-1]:
        return f"{name}.T"
    return None


def slice_of(scope: Scope, name: str, extent: int, wanted: int) -> str | None:
    if wanted == extent:
        return scope.random.choice((f"{name}[::-1]", f"{name}[:]", f"{name}[-{extent}:]"))
    choices = []
    if wanted == extent - 1:
        choices += [f"{name}[1:]", f"{name}[:-1]", f"{name}[:0:-1]"]
    if wanted == extent - 2:
        choices += [f"{name}[1:-1]", f"{name}[2:]", f"{name}[-3::-1]"]
    if wanted == (extent + 1) // 2:
        choices += [f"{name}[::2]", f"{name}[::-2]"]
    return scope.random.choice(choices) if choices else None


def product(scope: Scope, shape: Shape) -> str | None:
    """A matrix product or a reduction over an axis that gives a vector."""
    if len(shape) != 1:
        return None
    forms = []
    for name in scope.named(2):
        rows, columns = scope.shapes[name]
        if rows == shape[0]:
            forms += [f"{name} @ {v}" for v in scope.named(1) if scope.shapes[v] == (columns,)]
            forms.append(f"np.mean({name}, axis=1)")
        if columns == shape[0]:
            forms.append(f"np.sum({name}, axis=0)")
    return f"np.tanh({scope.random.choice(forms)})" if forms else None


# --- conditions --------------------------------------------------------------------------------


def condition(scope: Scope) -> str:
    if scope.stores and scope.chance(0.3):
        found = element(scope)
        if found is not None:
            return f"{found} {scope.random.choice(COMPARISONS)} {scope.number()}"
    kind = scope.random.random()
    if kind < 0.25 and scope.indices:
        index = scope.random.choice(scope.indices)
        return f"{index.name} % 2 == {scope.random.randrange(2)}"
    left = scope.pick(0) or scope.number()
    test = f"{left} {scope.random.choice(COMPARISONS)} {round(scope.random.uniform(-0.8, 1.2), 3)}"
    if kind > 0.85:
        other = scope.pick(0) or scope.number()
        word = scope.random.choice(("and", "or"))
        return f"({test} {word} not {other} > {round(scope.random.uniform(-0.5, 1.5), 3)})"
    return test
