"""Contributions to one element are added up before they are added to it.

    before:                              after:
        x_bar = add_at(x_bar, i, a)          c = add(a, b)
        x_bar = add_at(x_bar, i, b)          x_bar = add_at(x_bar, i, c)

What is written first may be a whole value: `x_bar[i] = 0; x_bar[i] += b` becomes `x_bar[i] = b`.
Only single elements, and only in the reverse sweep: the sum is in another order, so the pass is
exact up to rounding. Other elements of the array may be written in between, where nothing reads
what is in the array meanwhile: additions commute, and a whole value moves past elements that are
certainly others.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from retrograd.ir.nodes import (
    Atom,
    Block,
    Constant,
    Function,
    Let,
    Statement,
    Value,
    operands,
    walk,
    yields,
)
from retrograd.ir.rewrite import with_blocks
from retrograd.optimise.disjoint import Elements, elements
from retrograd.optimise.sweeps import in_reverse_sweep

_FURTHEST = 8          # how many writes to other elements are looked past


def add_together(function: Function) -> Function:
    """The function with one addition to an element where there were several."""
    count: dict[Value, int] = {}
    for statement in walk(function.body):
        for atoms in (operands(statement), *yields(statement)):
            for a in atoms:
                if isinstance(a, Value):
                    count[a] = count.get(a, 0) + 1
    for atom in function.returns:
        if isinstance(atom, Value):
            count[atom] = count.get(atom, 0) + 1
    return in_reverse_sweep(function, _Gatherer(count, elements(function)).block)


@dataclass(eq=False, slots=True)
class _Gatherer:
    count: dict[Value, int]
    elements: Elements
    lets: dict[Value, tuple[int, Let]] = field(default_factory=dict)

    def block(self, block: Block) -> Block:
        before, self.lets = self.lets, {}
        result: list[Statement | None] = []
        for statement in block:
            new = with_blocks(statement, self.block)
            if isinstance(new, Let):
                new = self.let(new, result)
                self.lets[new.result] = (len(result), new)
            result.append(new)
        self.lets = before
        return tuple(s for s in result if s is not None)

    def let(self, let: Let, out: list[Statement | None]) -> Let:
        if let.op != "add_at" or set(let.static["index"]) != {"int"}:
            return let
        if let.origin is not None and let.origin.again:
            return let                   # the user's own order
        alone = True                     # no write on the way is to an element that may be this one
        for place, earlier in self.chain(let):
            if earlier.args[1:-1] == let.args[1:-1]:
                # a whole value may not move past additions that may be to the same element
                moves = earlier.op == "add_at" or alone
                return self.joined(place, earlier, let, out) if moves and _alike(earlier, let) \
                    else let
            apart = self.elements.apart(earlier.args[1:-1], let.args[1:-1])
            if earlier.op == "update" and not apart:
                return let
            alone &= apart
        return let

    def chain(self, let: Let) -> list[tuple[int, Let]]:
        """The writes before this one in the same block whose results only the next one reads."""
        found: list[tuple[int, Let]] = []
        atom = let.args[0]
        while len(found) < _FURTHEST and isinstance(atom, Value):
            place, earlier = self.lets.get(atom, (0, None))
            if earlier is None or self.count.get(atom) != 1 or earlier.op not in (
                    "add_at", "update") or set(earlier.static["index"]) != {"int"}:
                break
            found.append((place, earlier))
            atom = earlier.args[0]
        return found

    def joined(self, place: int, earlier: Let, let: Let, out: list[Statement | None]) -> Let:
        """`let` with the value of `earlier`, which is taken out."""
        a, b = earlier.args[-1], let.args[-1]
        value: Atom = b
        if not (isinstance(a, Constant) and a.value == 0):
            total = Value("t", b.type)
            out.append(Let(total, "add", (a, b), {}, let.origin))
            value = total
        out[place] = None
        array = self.without(earlier, let, out)
        op = "update" if earlier.op == "update" else "add_at"
        return replace(let, op=op, args=(array, *let.args[1:-1], value))

    def without(self, earlier: Let, let: Let, out: list[Statement | None]) -> Atom:
        """The array that `let` writes to when `earlier` is gone: what read it reads on."""
        if let.args[0] is earlier.result:
            return earlier.args[0]
        for place, later in self.chain(let):
            if later.args[0] is earlier.result:
                new = replace(later, args=(earlier.args[0], *later.args[1:]))
                out[place] = new
                self.lets[new.result] = (place, new)
        return let.args[0]


def _alike(earlier: Let, let: Let) -> bool:
    """Whether the two values can be added without a conversion."""
    return earlier.args[-1].type.dtype == let.args[-1].type.dtype == let.result.type.dtype
