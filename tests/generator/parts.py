"""Parts of arrays, as text and shape: what is read, what a store writes to, what a view shows.

    part(scope, "A")               A[1:, i - 1]      (3,)
    parts_like(scope, "A", (2,))   every way of this module to write a part of that shape
"""

from __future__ import annotations

from generator.scope import Index, Scope, Shape

SLICES = (slice(None), slice(1, None), slice(None, -1), slice(1, -1), slice(None, None, 2),
          slice(1, None, 2), slice(None, None, -1), slice(None, 0, -1), slice(-2, None),
          slice(None, 2), slice(-2, None, -1), slice(None, None, -2), slice(2, None),
          slice(-1, -3, -1), slice(0, -2))


def position(scope: Scope, extent: int) -> str:
    """An index within an extent, often a loop's index with an offset."""
    fitting = [text for i in scope.indices for text in offsets(i, extent)]
    if fitting and scope.chance(0.8):
        return scope.random.choice(fitting)
    if scope.indices and scope.chance(0.3):
        return f"{scope.random.choice(scope.indices).name} % {extent}"
    return str(scope.random.randrange(-extent, extent))


def offsets(index: Index, extent: int) -> list[str]:
    found = []
    for offset in (0, -1, 1, -2):
        if -extent <= index.low + offset and index.high - 1 + offset < extent:
            found.append(index.name + (f" {'+' if offset > 0 else '-'} {abs(offset)}"
                                       if offset else ""))
    if -extent <= -index.high and -index.low - 1 < extent and index.low >= 0:
        found.append(f"-{index.name} - 1")
    return found


def length(part: slice, extent: int) -> int:
    return len(range(*part.indices(extent)))


def written(part: slice) -> str:
    bounds = ["" if b is None else str(b) for b in (part.start, part.stop)]
    return ":".join(bounds if part.step is None else [*bounds, str(part.step)])


def subscripted(name: str, items: list[str]) -> str:
    """`name[items]`, mostly as a person would write it."""
    while len(items) > 1 and items[-1] == ":":
        items = items[:-1]
    return f"{name}[{', '.join(items)}]"


def part(scope: Scope, name: str, elements: float = 0.4) -> tuple[str, Shape]:
    """A random part of an array; `elements` is how often an axis gets an int."""
    items: list[str] = []
    shape: list[int] = []
    for extent in scope.shapes[name]:
        if scope.chance(elements):
            items.append(position(scope, extent))
            continue
        fitting = [s for s in SLICES if length(s, extent)]
        chosen = scope.random.choice(fitting)
        items.append(written(chosen))
        shape.append(length(chosen, extent))
    if len(items) == 2 and items[0] == ":" and scope.chance(0.3):
        items[0] = "..."
    return subscripted(name, items), tuple(shape)


def parts_like(scope: Scope, name: str, shape: Shape) -> list[str]:
    """Parts of an array that have a shape (of one or two axes)."""
    have = scope.shapes[name]
    if len(have) == 1 and len(shape) == 1:
        return [f"{name}[{s}]" for s in slices(have[0], shape[0])]
    if len(have) == 2 and len(shape) == 1:
        rows = [f"{name}[{position(scope, have[0])}, {s}]" for s in slices(have[1], shape[0])]
        columns = [f"{name}[{s}, {position(scope, have[1])}]" for s in slices(have[0], shape[0])]
        return [r.removesuffix(", :]") + "]" if r.endswith(", :]") else r for r in rows] + columns
    if len(have) == 2 and len(shape) == 2:
        found = [f"{name}[{r}, {c}]" for r in slices(have[0], shape[0])
                 for c in slices(have[1], shape[1])]
        return found
    return []


def slices(extent: int, wanted: int) -> list[str]:
    return [written(s) for s in SLICES if length(s, extent) == wanted]


def moving(scope: Scope, extent: int) -> list[tuple[str, tuple[str, ...]]]:
    """Slices whose bounds are loop indices: a target, and sources of the same length."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for index in scope.indices:
        i = index.name
        if index.low < 0 or index.high > extent + 1:
            continue
        front = [f":{i}", f"{extent} - {i}:"] + ([f"{i} - 1::-1"] if index.low >= 1 else [])
        found.append((f":{i}", tuple(front)))
        found.append((f"{i}:", (f"{i}:", f":{extent} - {i}")))
        if index.high < extent:
            found.append((f"{i}:{i} + 2", (f"{i}:{i} + 2", "-2:", ":2")))
    return found
