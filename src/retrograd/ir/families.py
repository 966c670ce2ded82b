"""Union-find over values: which values belong to one family."""

from __future__ import annotations

from retrograd.ir.nodes import Value


def root(parent: dict[Value, Value], value: Value) -> Value:
    """The representative of a value's family; shortens the way to it."""
    top = value
    while parent.get(top, top) is not top:
        top = parent[top]
    while parent.get(value, value) is not top:
        parent[value], value = top, parent.get(value, top)
    return top
