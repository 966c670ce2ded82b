"""When snapshots are taken, as statements of the IR: binomial checkpointing.

A. Griewank and A. Walther, "Algorithm 799: revolve", ACM Transactions on Mathematical Software
26(1), 2000. Let beta(c, r) = C(c + r, c). With c snapshots, that of the first state among them,
and every step run at most r times, at most beta(c, r) steps can be reversed. For
beta(c, r - 1) < l <= beta(c, r) the least number of steps that are run to reverse l of them, the
runs that record for the reverse apart, is

    t(l, c) = r l - beta(c + 1, r - 1) = min over m of  m + t(l - m, c - 1) + t(m, c)

where m is the number of steps after which the next snapshot is taken. The minimum is reached for
every m with

    beta(c, r - 2) <= m <= beta(c, r - 1)    and    beta(c - 1, r - 1) <= l - m <= beta(c - 1, r)

of which the largest is taken here. With c = 1 there is no other snapshot: m = l - 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from retrograd.ir.build import Builder
from retrograd.ir.index import FULL
from retrograd.ir.nodes import Atom, Branch, Carried, Join, Value, While, integer
from retrograd.ir.types import INT


def steps_to_next(builder: Builder, length: Atom, free: Atom) -> Atom:
    """How many steps to run before the next snapshot is taken, where `length` steps are to be
    reversed with `free` snapshots (at least 1), the last one among them; 0 or 1 for one step."""
    last, many = builder.inner(), builder.inner()
    steps = Value("stretch", INT)
    all_but_one = last.let("subtract", length, integer(1), name="stretch")
    most = _largest_optimal(many, length, free)
    builder.append(Branch(builder.let("less", free, integer(2)), last.block, many.block,
                          (Join(all_but_one, most, steps),), builder.origin))
    return steps


def _largest_optimal(builder: Builder, length: Atom, free: Atom) -> Atom:
    """min(beta(c, r - 1), l - beta(c - 1, r - 1)); r is found by counting up."""
    names = ("repeats", "fewer", "reach")
    repeats, fewer, reach = inner = tuple(Value(name, INT) for name in names)
    test, body = builder.inner(), builder.inner()
    more = test.let("less", reach, length)
    next_repeats = body.let("add", repeats, integer(1), name="repeats")
    grown = body.let("multiply", reach, body.let("add", free, next_repeats))
    next_reach = body.let("floor_divide", grown, next_repeats, name="reach")
    inits = (integer(1), integer(1), builder.let("add", free, integer(1), name="reach"))
    results = tuple(Value(name, INT) for name in names)
    carried = tuple(map(Carried, inits, inner, (next_repeats, reach, next_reach), results))
    builder.append(While(carried, test.block, more, body.block, Value("trips", INT),
                         builder.origin))
    repeats, fewer, _ = results
    runs = builder.let("subtract", builder.let("add", free, repeats), integer(1))
    without = builder.let("floor_divide", builder.let("multiply", fewer, free), runs)
    return builder.let("minimum", fewer, builder.let("subtract", length, without), name="stretch")


@dataclass(frozen=True, slots=True)
class Stack:
    """The snapshots as a block sees them: how many there are, the numbers of the iterations with
    whose start they were taken, and for every value that they keep an array with a row each."""

    held: Atom
    taken: Atom
    rows: tuple[Atom, ...]

    @property
    def atoms(self) -> tuple[Atom, ...]:
        return (self.held, self.taken, *self.rows)

    @staticmethod
    def of(atoms: tuple[Atom, ...]) -> Stack:
        return Stack(atoms[0], atoms[1], atoms[2:])

    def push(self, builder: Builder, iteration: Atom, state: tuple[Atom, ...]) -> Stack:
        """One more snapshot."""
        taken = builder.let("update", self.taken, self.held, iteration, name="taken",
                            index=("int",))
        rows = tuple(
            builder.let("update", row, self.held, atom, name=_name(row),
                        index=("int",) + (FULL,) * atom.type.rank)
            for row, atom in zip(self.rows, state, strict=True))
        return Stack(builder.let("add", self.held, integer(1), name="held"), taken, rows)

    def top(self, builder: Builder, state: tuple[Value, ...]) -> tuple[Atom, Atom, list[Atom]]:
        """The number of the last snapshot, its iteration, and its values (copies)."""
        number = builder.let("subtract", self.held, integer(1), name="last")
        iteration = builder.let("load", self.taken, number, name="reached", index=("int",))
        values: list[Atom] = []
        for row, like in zip(self.rows, state, strict=True):
            rank = like.type.rank
            part = builder.let("view" if rank else "load", row, number,
                               name="t" if rank else like.name, index=("int",) + (FULL,) * rank)
            values.append(builder.let("copy", part, name=like.name) if rank else part)
        return number, iteration, values


def empty_stack(builder: Builder, capacity: Atom, state: tuple[Value, ...]) -> Stack:
    """Room for `capacity` snapshots of values like these."""
    taken = builder.let("empty", capacity, name="taken", dtype=INT.dtype)
    rows = tuple(builder.let("empty", capacity, *builder.shape_atoms(value),
                             name=f"{value.name}_snapshots", dtype=value.type.dtype)
                 for value in state)
    return Stack(integer(0), taken, rows)


def _name(atom: Atom) -> str:
    assert isinstance(atom, Value)
    return atom.name
