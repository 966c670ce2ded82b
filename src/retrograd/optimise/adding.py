"""An element that is loaded, added to and stored at its place is added to.

    before:                                   after:
        e = load(s, k)                            s = add_at(s, k, v)
        t = add(e, v)
        s = update(s, k, t)

So a loop that does it only adds to the array, and its order is free (`accumulating.py`). Only
where nothing else reads the element and the sum, and nothing is stored between. Exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from retrograd.ir.nodes import Atom, Block, Let, Loop, Value, operands, walk, yields
from retrograd.ir.rewrite import with_blocks
from retrograd.optimise.disjoint import place_of


def with_additions(loop: Loop) -> Loop:
    """The loop with additions to elements as one statement each."""
    reads: Counter[Atom] = Counter()
    for statement in (loop, *walk(loop.body)):
        reads.update((*operands(statement), *(a for end in yields(statement) for a in end)))
    return replace(loop, body=_block(loop.body, reads))


def _block(block: Block, reads: Mapping[Atom, int]) -> Block:
    lets = {s.result: s for s in block if isinstance(s, Let)}
    new = [with_blocks(s, lambda inner: _block(inner, reads)) for s in block]
    gone: set[Value] = set()
    for k, statement in enumerate(block):
        found = _addition(statement, lets, reads) if isinstance(statement, Let) else None
        if found is not None:
            new[k], used = found
            gone.update(used)
    return tuple(s for s in new if not (isinstance(s, Let) and s.result in gone))


def _addition(let: Let, lets: Mapping[Value, Let],
              reads: Mapping[Atom, int]) -> tuple[Let, tuple[Value, Value]] | None:
    """An update as an addition, with the element and the sum, which are no longer needed."""
    place = place_of(let) if let.op == "update" else None
    total = _only(let.args[-1], lets, reads) if place is not None else None
    if place is None or total is None or total.op != "add":
        return None
    for k in (0, 1):
        element, value = _only(total.args[k], lets, reads), total.args[1 - k]
        if element is not None and element.op == "load" and element.args[0] is let.args[0] \
                and place_of(element) == place \
                and value.type.dtype == let.result.type.dtype == total.result.type.dtype:
            return replace(let, op="add_at", args=(*let.args[:-1], value)), (
                element.result, total.result)
    return None


def _only(atom: Atom, lets: Mapping[Value, Let], reads: Mapping[Atom, int]) -> Let | None:
    """The statement of this block that makes a value which is read once."""
    return lets.get(atom) if isinstance(atom, Value) and reads[atom] == 1 else None
