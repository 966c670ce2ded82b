"""The extents of arrays are read from what is known first: an int, or the first array of a shape.

    before:                                   after:
        y = zeros(n)                              y = zeros(n)
        for i in range(m):                        for i in range(m):
            w = copy(y)                               w = copy(y)
            w = update(w, 0, load(x, i))              w = update(w, 0, load(x, i))
            s = add(s, multiply(2.0, dim(w)))         s = add(s, multiply(2.0, n))
            y = w                                     y = w

Arrays that loops exchange have one shape as long as every iteration hands on what it got. What is
computed from an extent can leave the loop then, and no version is kept for its shape alone. Exact.
"""

from __future__ import annotations

from dataclasses import replace

from retrograd.ir.nodes import Atom, Block, Function, Let, Statement, Value
from retrograd.ir.rewrite import replaced, standing, with_blocks
from retrograd.ir.types import INT
from retrograd.optimise.shapes import Shapes, shapes_of


def share_extents(function: Function) -> Function:
    """The function with extents as they are known first."""
    shapes = shapes_of(function)
    stand: dict[Value, Atom] = {}
    body = _block(function.body, shapes, stand)
    return replace(function, body=replaced(body, stand),
                   returns=tuple(standing(r, stand) for r in function.returns))


def _block(block: Block, shapes: Shapes, stand: dict[Value, Atom]) -> Block:
    result: list[Statement] = []
    for statement in block:
        new = with_blocks(statement, lambda inner: _block(inner, shapes, stand))
        if isinstance(new, Let) and new.op == "dim":
            extent = shapes.extent(new.result)
            if isinstance(extent, tuple):
                new = replace(new, args=(extent[0],), static={"axis": extent[1]})
            elif extent is not new.result and extent.type == INT:
                stand[new.result] = extent
                continue
        result.append(new)
    return tuple(result)
