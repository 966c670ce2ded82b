"""Random statements that give arrays names: views, aliases, copies and new arrays."""

from __future__ import annotations

from generator.expressions import expression
from generator.parts import part
from generator.scope import Scope, Shape
from generator.stores import OPERATORS, Lines, target, value


def named(scope: Scope, text: str, shape: Shape, stem: str) -> Lines:
    """`name = text`, where the name is new or has this shape already."""
    old = [n for n, s in scope.shapes.items() if s == shape and n != text]
    name = scope.random.choice(old) if old and scope.chance(0.25) else scope.fresh(stem)
    scope.shapes[name] = shape
    return [f"{name} = {text}"]


def view(scope: Scope) -> Lines:
    """A part, a transpose or another shape of an array, held by a name."""
    source = target(scope)
    if source is None:
        return []
    shape = scope.shapes[source]
    if scope.chance(0.6):
        text, found = part(scope, source, 0.25)
        return named(scope, text, found, "v" if found else "s")
    size = shape[0] * shape[-1] if len(shape) == 2 else shape[0]
    forms: list[tuple[str, Shape]] = [(f"{source}.reshape(-1)", (size,)),
                                      (f"{source}.ravel()", (size,))]
    if len(shape) == 2:
        forms += [(f"{source}.T", shape[::-1])] * 2
        forms += [(f"{source}.reshape({shape[1]}, {shape[0]})", shape[::-1]),
                  (f"{source}.reshape({size})", (size,))]
    elif scope.chance(0.4):
        forms += [(f"{source}.reshape(1, -1)", (1, size)), (f"{source}[:, None]", (size, 1)),
                  (f"{source}[None]", (1, size))]
        if size == 4:
            forms.append((f"{source}.reshape(2, 2)", (2, 2)))
    return named(scope, *scope.random.choice(forms), "v")


def through(scope: Scope) -> Lines:
    """A view, and a store through it."""
    lines = view(scope)
    name = lines[0].split(" = ")[0] if lines else ""
    if not scope.shapes.get(name):
        return lines
    text, shape = part(scope, name)
    operator = scope.random.choice(OPERATORS)
    return [*lines, f"{text} {operator} {value(scope, shape, operator)}"]


def alias(scope: Scope) -> Lines:
    """Another name for the same array."""
    source = target(scope)
    return [] if source is None else named(scope, source, scope.shapes[source], "w")


def copied(scope: Scope) -> Lines:
    source = target(scope)
    if source is None:
        return []
    text = scope.random.choice((f"{source}.copy()", f"{source}.copy()", f"np.copy({source})",
                                f"np.array({source})", f"1.0 * {source}"))
    return named(scope, text, scope.shapes[source], "u")


def made(scope: Scope) -> Lines:
    """A new array of numbers."""
    shapes = [s for s in scope.shapes.values() if s]
    shape = scope.random.choice(shapes) if shapes and scope.chance(0.8) else (4,)
    extents = str(shape[0] if len(shape) == 1 else shape)
    same = [n for n, s in scope.shapes.items() if s == shape]
    if scope.chance(0.25):
        new, name = value(scope, shape), scope.fresh("u")
        scope.shapes[name] = shape
        return [f"{name} = np.empty({extents})", f"{name}[:] = {new}"]
    texts = [f"np.zeros({extents})", f"np.zeros({extents})", f"np.ones({extents})",
             f"np.full({extents}, {expression(scope, (), 0)})"]
    texts += [f"np.zeros_like({n})" for n in same[:2]]
    return named(scope, scope.random.choice(texts), shape, "u")


def swapped(scope: Scope) -> Lines:
    """Two names of one shape exchange their arrays."""
    one = target(scope)
    if one is None:
        return []
    others = [n for n, s in scope.shapes.items() if s == scope.shapes[one] and n != one]
    if not others:
        return copied(scope)
    other = scope.random.choice(others)
    return [f"{one}, {other} = {other}, {one}"]
