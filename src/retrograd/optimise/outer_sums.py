"""Matrices to which every iteration of a loop adds outer products and nothing else.

        M = multiply(view(a, new axis), b)         A is the sum of a[i] * b[j]
        A = add(A, M)

Over many iterations at once that is a product of two matrices (`distribute.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from retrograd.ir.index import FULL, everything
from retrograd.ir.nodes import Atom, Carried, Let, Loop, Value, operands, walk, yields
from retrograd.ir.types import kind

_COLUMN, _ROW = (FULL, "new"), ("new", FULL)


@dataclass(frozen=True, slots=True)
class OuterSum:
    """One addition to what a loop carries in `slot`, and the statements that make it."""

    slot: int
    column: Value
    row: Value
    addition: Let
    product: Let


def outer_sums(loop: Loop) -> tuple[OuterSum, ...]:
    """The additions to all matrices to which nothing but outer products is added, in order."""
    uses = Counter(a for s in walk((loop,)) for atoms in (operands(s), *yields(s)) for a in atoms
                   if isinstance(a, Value))
    made = {s.result: s for s in loop.body if isinstance(s, Let)}
    readers = {a: s for s in loop.body if isinstance(s, Let) for a in s.args}
    finder = _Finder(uses, made, readers)
    return tuple(found for slot, c in enumerate(loop.carried) for found in finder.chain(slot, c))


@dataclass(frozen=True, slots=True)
class _Finder:
    uses: Counter[Value]
    made: dict[Value, Let]
    readers: dict[Atom, Let]

    def chain(self, slot: int, carried: Carried) -> Sequence[OuterSum]:
        """The additions from the start of an iteration to its end, if there is nothing else."""
        found: list[OuterSum] = []
        version = carried.inner
        while version is not carried.next:
            new = None if self.uses[version] != 1 else self.sum(slot, self.readers.get(version))
            if new is None or new.addition.args[0] is not version:
                return ()
            found.append(new)
            version = new.addition.result
        return found if self.uses[version] == 1 else ()

    def sum(self, slot: int, let: Let | None) -> OuterSum | None:
        if let is None or let.result.type.rank != 2 or not (
                let.op == "add" or (let.op == "add_at"
                                    and let.static["index"] == everything(2))):
            return None
        product = self.only(let.args[1], "multiply")
        vectors = None if product is None else self.vectors(product)
        if product is None or vectors is None or kind(let.result.type.dtype) not in "fc" \
                or any(v.type.dtype != let.result.type.dtype for v in vectors):
            return None
        return OuterSum(slot, *vectors, let, product)

    def only(self, atom: Atom, op: str) -> Let | None:
        """What makes a value that is read once."""
        let = self.made.get(atom) if isinstance(atom, Value) else None
        return let if let is not None and let.op == op and self.uses[let.result] == 1 else None

    def vectors(self, product: Let) -> tuple[Value, Value] | None:
        """The column and the row of an outer product."""
        first, second = product.args
        for a, b in ((first, second), (second, first)):
            column = self.seen(a, _COLUMN)
            row = b if b.type.rank == 1 else self.seen(b, _ROW)
            if column is not None and isinstance(row, Value):
                return column, row
        return None

    def seen(self, atom: Atom, index: tuple[object, ...]) -> Value | None:
        """The vector of which something is a view with a new axis."""
        let = self.made.get(atom) if isinstance(atom, Value) else None
        if let is None or let.op != "view" or let.static["index"] != index:
            return None
        vector = let.args[0]
        return vector if isinstance(vector, Value) else None
