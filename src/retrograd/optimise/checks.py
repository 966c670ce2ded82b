"""Index checks leave their loop: they are made once, at the ends of its range.

    before:                          after:
        for i in range(n):               bad = or(0 < -m, n - 1 >= m)
            check_index(i, m)            if bad:
            s = add(s, load(x, i))           for i in range(n):
                                                 check_index(i, m)
                                         for i in range(n):
                                             s = add(s, load(x, i))

A check in a loop keeps LLVM from vectorising it. An index that grows or shrinks steadily is within
bounds wherever it is at both ends; where it is not, the checks alone are run through, and the
first that fails raises what it would have raised. Exact. A loop that prints, raises or checks
anything else, or may end early, keeps its checks; a check that has been made is not made again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from retrograd.ir.build import Builder
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Constant,
    Effect,
    Function,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    bound,
    defined,
    integer,
    walk,
)
from retrograd.ir.rewrite import with_blocks
from retrograd.ir.types import INT
from retrograd.optimise.signs import nonnegative_ints

Made = frozenset[tuple[Atom, ...]]


def hoist_checks(function: Function) -> Function:
    """The function with its index checks before the loops."""
    return replace(function, body=_block(function.body, frozenset(), nonnegative_ints(function)))


def _block(block: Block, made: Made, front: frozenset[Value]) -> Block:
    result: list[Statement] = []
    for statement in block:
        if isinstance(statement, Effect) and statement.kind == "check_index":
            key = (*statement.args, integer(statement.static["axis"]))
            if key in made:
                continue
            made |= {key}
        new = with_blocks(statement, lambda b, made=made: _block(b, made, front))  # type: ignore[misc]
        if isinstance(new, Loop):
            new = _hoisted(new, front, result)
        result.append(new)
    return tuple(result)


def _hoisted(loop: Loop, front: frozenset[Value], out: list[Statement]) -> Loop:
    """The loop without checks; what is done before it goes to `out`."""
    checks = [s for s in loop.body if isinstance(s, Effect)]
    hoist = _Hoist(loop, front)
    if not checks or not hoist.possible(checks):
        return loop
    builder = Builder(checks=False)
    builder.origin = loop.origin
    bad: Atom | None = None
    for check in checks:
        for test in hoist.outside(check, builder):
            bad = test if bad is None else builder.let("logical_or", bad, test, weak=False)
    assert bad is not None
    out += [*builder.block, Branch(bad, (hoist.checks_alone(),), (), (), loop.origin)]
    return replace(loop, body=tuple(s for s in loop.body if s not in set(checks)))


@dataclass(eq=False, slots=True)
class _Hoist:
    """One loop whose checks are looked at; `front` are indices that never count from the end."""

    loop: Loop
    front: frozenset[Value]
    lets: dict[Value, Let] = field(default_factory=dict)
    inside: set[Value] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.lets = {s.result: s for s in self.loop.body if isinstance(s, Let)}
        self.inside = {self.loop.index, *bound(self.loop)}
        for statement in walk(self.loop.body):
            self.inside.update((*bound(statement), *defined(statement)))

    def possible(self, checks: list[Effect]) -> bool:
        """Whether these are all that can raise or print, and all can be judged beforehand."""
        step = self.loop.step
        if self.loop.leave is not None or not isinstance(step, Constant) or not step.value:
            return False
        acts = [s for s in walk(self.loop.body) if isinstance(s, Effect | Raise)]
        return len(acts) == len(checks) and all(
            c.kind == "check_index" and c.args[1] not in self.inside
            and self.slope(c.args[0]) is not None for c in checks)

    def slope(self, atom: Atom) -> int | None:
        """How much an int grows when the index grows by 1; None where that is not one number."""
        if atom is self.loop.index:
            return 1
        if isinstance(atom, Constant) or atom not in self.inside:
            return 0
        let = self.lets.get(atom)
        if let is None or let.op not in ("add", "subtract", "negative", "multiply"):
            return None
        slopes = [self.slope(a) for a in let.args]
        first, second = slopes[0], slopes[-1]
        if first is None or second is None:
            return None
        if let.op == "multiply":
            return self._product(let, first, second)
        return first + second if let.op == "add" else -first if let.op == "negative" \
            else first - second

    def _product(self, let: Let, first: int, second: int) -> int | None:
        a, b = let.args
        if isinstance(a, Constant):
            return int(a.value.real) * second
        if isinstance(b, Constant):
            return first * int(b.value.real)
        return 0 if first == second == 0 else None

    def outside(self, check: Effect, builder: Builder) -> list[Atom]:
        """Tests one of which holds if an index leaves the bounds (and perhaps if none does,
        where the last iteration comes before the end of the range)."""
        step = self.loop.step
        assert isinstance(step, Constant)
        up = step.value.real > 0
        last = builder.let("subtract" if up else "add", self.loop.stop, integer(1), name="size")
        ends = [self.at(check.args[0], end, builder) for end in (self.loop.start, last)]
        slope = self.slope(check.args[0]) or 0
        low, high = ends if (slope >= 0) == up else reversed(ends)
        extent = check.args[1]
        above = builder.let("greater_equal", high, extent, name="t", weak=False)
        if isinstance(low, Constant) and low.value.real >= 0:
            return [above]
        lowest = integer(0) if check.args[0] in self.front \
            else builder.let("negative", extent, name="size")
        return [builder.let("less", low, lowest, name="t", weak=False), above]

    def at(self, atom: Atom, index: Atom, builder: Builder) -> Atom:
        """What an int of the body is where the loop's index is this."""
        if atom is self.loop.index:
            return index
        if isinstance(atom, Constant) or atom not in self.inside:
            return atom
        let = self.lets[atom]
        return builder.let(let.op, *(self.at(a, index, builder) for a in let.args), name="size")

    def checks_alone(self) -> Loop:
        """The loop with nothing but its checks."""
        index = Value(self.loop.index.name, INT)
        builder = Builder(checks=False)
        for check in self.loop.body:
            if isinstance(check, Effect):
                builder.append(replace(check, args=(self.at(check.args[0], index, builder),
                                                    check.args[1])))
        return Loop(index, self.loop.start, self.loop.stop, self.loop.step, (), builder.block,
                    origin=self.loop.origin)
