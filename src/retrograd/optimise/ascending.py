"""Loops of the reverse sweep whose order is free run forward.

    before:                                   after:
        for i in range(n - 1, -1, -1):            for i in range(n):
            g = multiply(2.0, load(x, i))             g = multiply(2.0, load(x, i))
            x_bar = add_at(x_bar, i, g)               x_bar = add_at(x_bar, i, g)

The processor reads memory forward, and LLVM knows loops that count up. Only in the reverse
sweep, because the sums are in another order afterwards: the pass is exact up to rounding. A loop
that carries anything else than sums (`accumulating.py`) and arrays of which each iteration
touches its own elements (`independent.py`) keeps its order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from retrograd.ir.nodes import (
    Atom,
    Block,
    Constant,
    Effect,
    Function,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    integer,
    walk,
)
from retrograd.ir.rewrite import with_blocks
from retrograd.ir.types import INT
from retrograd.optimise.accumulating import accumulating
from retrograd.optimise.disjoint import Elements, elements
from retrograd.optimise.independent import own_elements
from retrograd.optimise.sweeps import in_reverse_sweep


def run_forward(function: Function) -> Function:
    """The function with the loops of its reverse sweep counting up wherever order is free."""
    lets = {s.result: s for s in walk(function.body) if isinstance(s, Let)}
    return in_reverse_sweep(function, _Turner(lets, elements(function)).block)


@dataclass(frozen=True, slots=True)
class _Turner:
    lets: dict[Value, Let]
    known: Elements

    def block(self, block: Block) -> Block:
        result: list[Statement] = []
        for statement in block:
            new = with_blocks(statement, self.block)
            if isinstance(new, Loop) and _turnable(new, self.known):
                new = self.turned(new, result)
            result.append(new)
        return tuple(result)

    def turned(self, loop: Loop, out: list[Statement]) -> Loop:
        """range(a, b, -1) as range(b + 1, a + 1)."""
        start, stop = (self.next_to(a, loop, out) for a in (loop.stop, loop.start))
        return replace(loop, start=start, stop=stop, step=integer(1))

    def next_to(self, atom: Atom, loop: Loop, out: list[Statement]) -> Atom:
        """`atom + 1`, as an atom; what computes it goes to `out`."""
        atom, distance = self.apart(atom)
        distance += 1
        if isinstance(atom, Constant):
            return integer(int(atom.value.real) + distance)
        if distance == 0:
            return atom
        result = Value("size", INT)
        out.append(Let(result, "add" if distance > 0 else "subtract",
                       (atom, integer(abs(distance))), {}, loop.origin))
        return result

    def apart(self, atom: Atom) -> tuple[Atom, int]:
        """An atom as another one and a distance from it."""
        distance = 0
        while isinstance(atom, Value) and atom in self.lets:
            let = self.lets[atom]
            if let.op not in ("add", "subtract") or not isinstance(let.args[1], Constant):
                break
            step = int(let.args[1].value.real)
            distance += step if let.op == "add" else -step
            atom = let.args[0]
        return atom, distance


def _turnable(loop: Loop, known: Elements) -> bool:
    if not (isinstance(loop.step, Constant) and loop.step.value == -1) or loop.leave is not None:
        return False
    if loop.origin is not None and loop.origin.again:
        return False                     # the user's own order
    acts = any(isinstance(s, Effect | Raise) for s in walk(loop.body))
    return not acts and _free(loop, known)


def _free(loop: Loop, known: Elements) -> bool:
    """Whether the iterations may come in any order."""
    return all(added or own_elements(loop, slot, known)
               for slot, added in enumerate(accumulating(loop)))
