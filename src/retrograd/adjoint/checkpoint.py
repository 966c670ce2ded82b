"""Binomial checkpointing: a loop that keeps few states, and computes the others again.

    forward sweep                               reverse sweep
        while reached < n:                          for i in range(n - 1, -1, -1):
            take a snapshot                             the state of the last snapshot
            for i in range(reached, ...):               while reached < i:
                the body                                    for j in range(reached, ...):
                                                                the body
                                                            take a snapshot
                                                        the body with tapes, and its reverse

A snapshot has what the body needs to run again, and nothing else. The state with which the last
iteration starts is kept besides the snapshots, because what comes after the loop is reversed
first. A loop inside another loop or a branch runs as it stands; its snapshots are all taken in
the reverse sweep, so that there are never more of them than was asked for.

Where snapshots are taken: `checkpoint_schedule.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retrograd.adjoint.arithmetic import zeros
from retrograd.adjoint.checkpoint_iteration import Advance, Turn, advance, like, turn
from retrograd.adjoint.checkpoint_schedule import Stack, empty_stack, steps_to_next
from retrograd.adjoint.residuals.tapes import iteration_number
from retrograd.adjoint.sweep import Sweep
from retrograd.errors import Unsupported
from retrograd.ir.build import Builder
from retrograd.ir.extents import mentions
from retrograd.ir.nodes import (
    Atom,
    Branch,
    Carried,
    Effect,
    Join,
    Loop,
    Value,
    While,
    bound,
    defined,
    free,
    integer,
    walk,
)
from retrograd.ir.rewrite import replaced, standing
from retrograd.ir.types import INT

if TYPE_CHECKING:
    from retrograd.adjoint.reverse import Reverse


def reverse_checkpointed(reverse: Reverse, loop: Loop, sweep: Sweep) -> None:
    """Append the reverse of a checkpointed loop to a block of the reverse sweep."""
    slots = [c for c in loop.carried if c.result in reverse.active or c.inner in reverse.active]
    seeds = [sweep.state.pop(c.result, None) for c in slots]
    if all(seed is None for seed in seeds):
        return
    _no_draws(loop)
    with sweep.builder.at(None):
        one = turn(reverse, loop, slots, sweep.builder)
        again = advance(loop, tuple(one.inner), sweep.builder)
        _same_shape(loop, (*slots, *(again.kept if again else ())), sweep.builder)
        checkpointed = _Checkpointed(reverse, loop, sweep, one)
        body = sweep.builder.inner()
        start = _Start((), {}) if again is None else checkpointed.restored(again, body)
        checkpointed.append(seeds, start, body)


def _no_draws(loop: Loop) -> None:
    """What is drawn is drawn once, and an iteration runs several times."""
    for statement in walk(loop.body):
        if isinstance(statement, Effect) and statement.kind == "draw":
            raise Unsupported("a checkpointed loop draws random numbers, and would have to draw "
                              "them again", "draw them into an array before the loop, or leave the "
                              "mark out", statement.origin)


def _same_shape(loop: Loop, carried: Sequence[Carried], builder: Builder) -> None:
    """Snapshots are rows of one array, so what they keep has one shape."""
    inside = {v for s in walk((loop,)) for v in bound(s)}
    inside.update(v for s in walk(loop.body) for v in defined(s))
    for c in carried:
        if any(mentions(extent, inside) for extent in builder.facts.of(c.inner)):
            raise Unsupported(
                f"the array {c.inner.name!r} changes its shape from one iteration of a "
                "checkpointed loop to the next",
                "give it one shape (pad it, or mask it with np.where), or leave the mark out",
                loop.origin)


@dataclass(frozen=True, slots=True)
class _Start:
    """The start of a reversed iteration: what the reverse loop carries for it, and what stands
    for the carried values."""

    carried: tuple[Carried, ...]
    state: dict[Value, Atom]


@dataclass(frozen=True, slots=True)
class _Checkpointed:
    """A checkpointed loop while its reverse is appended to `sweep`; `turn` reverses one of its
    iterations."""

    reverse: Reverse
    loop: Loop
    sweep: Sweep
    turn: Turn

    def append(self, seeds: Sequence[Atom | None], start: _Start, body: Builder) -> None:
        """The reverse loop: `body` has what restores the state."""
        sweep, builder = self.sweep, self.sweep.builder
        places = self.reverse.residuals.places
        carried: list[Carried] = []
        for (c, (before, after)), seed in zip(self.turn.slots.items(), seeds, strict=True):
            init = zeros(builder, c.result) if seed is None else seed
            carried.append(Carried(init, before, after, like(before, builder)))
        for value, (before, after) in self.turn.outer.items():
            present = sweep.get(value, places.scope[value])
            init = zeros(builder, value) if present is None else present
            sweep.state[value] = result = like(before, builder)
            carried.append(Carried(init, before, after, result))
        stand = start.state | {v: self.need(v) for v in free(self.turn.block)
                               if v not in start.state}
        for statement in replaced(self.turn.block, stand):
            body.append(statement)
        carried = [replace(c, next=standing(c.next, stand)) for c in carried]
        bounds = self.reverse.reversed_bounds(self.loop, sweep, places.of_block[self.loop, 0])
        builder.append(Loop(self.turn.index, *bounds, (*carried, *start.carried), body.block,
                            origin=self.loop.origin))
        for c, slot in zip(self.turn.slots, carried, strict=False):
            self.reverse.accumulate(c.init, slot.result, sweep)

    def need(self, atom: Atom) -> Atom:
        """What stands for a primal value from outside the loop."""
        return self.reverse.residuals.need(atom, self.sweep)

    # --- the state with which an iteration starts ------------------------------------------------

    def restored(self, again: Advance, body: Builder) -> _Start:
        """Restore the state with which the iteration starts that is reversed."""
        limit, first = self.first_snapshots(again)
        stack = Stack.of(tuple(like(atom, body) for atom in first.atoms))
        number = iteration_number(body, self.turn.index, self.need(self.loop.start),
                                  self.loop.step)
        last, reached, state = stack.top(body, again.state)
        held = Value("held", INT)                 # this iteration's own snapshot is used up
        body.append(Branch(body.let("equal", reached, number), (), (),
                           (Join(last, stack.held, held),)))
        left = replace(stack, held=held)
        state, after = self.run_to(number, reached, state, left, limit, again, body)
        carried = tuple(Carried(init, inner, end, like(inner, body)) for init, inner, end in zip(
            first.atoms, stack.atoms, after.atoms, strict=True) if isinstance(inner, Value))
        return _Start(carried, {self.turn.inner[c]: value for c, value in zip(
            again.kept, state, strict=True) if c in self.turn.inner})

    def run_to(self, number: Atom, reached: Atom, state: Sequence[Atom], stack: Stack,
               limit: Atom, again: Advance, builder: Builder) -> tuple[list[Atom], Stack]:
        """Run the loop from one iteration to another, and take snapshots on the way; gives the
        state at the end, and the snapshots."""
        here, there = Value("reached", INT), Value("reached", INT)
        inner = Stack.of(tuple(like(atom, builder) for atom in stack.atoms))
        after = Stack.of(tuple(like(atom, builder) for atom in stack.atoms))
        test, body = builder.inner(), builder.inner()
        more = test.let("less", here, number)
        length = body.let("add", body.let("subtract", number, here), integer(1), name="length")
        left = body.let("add", body.let("subtract", limit, inner.held), integer(1), name="free")
        next_stop = body.let("add", here, steps_to_next(body, length, left), name="stop")
        body.append(self.run(again, here, next_stop, body))
        going, arms = body.let("less", next_stop, number), body.inner()
        pushed = inner.push(arms, next_stop, again.results)
        ends = tuple(like(atom, builder) for atom in inner.atoms)
        body.append(Branch(going, arms.block, (), tuple(
            Join(new, old, end) for new, old, end in zip(
                pushed.atoms, inner.atoms, ends, strict=True))))
        results = [like(value, builder) for value in again.state]
        carried = [Carried(reached, here, next_stop, there)]
        carried += map(Carried, stack.atoms, _values(inner.atoms), ends, _values(after.atoms))
        carried += map(Carried, state, again.state, again.results, results)
        builder.append(While(tuple(carried), test.block, more, body.block, Value("trips", INT)))
        return list(results), after

    def run(self, again: Advance, first: Atom, end: Atom, builder: Builder) -> Loop:
        """The loop from one iteration up to another."""
        start, stop = (self.index_of(k, self.need(self.loop.start), builder)
                       for k in (first, end))
        block = (again.over(start, stop),)
        found = replaced(block, {v: self.need(v) for v in free(block)})[0]
        assert isinstance(found, Loop)
        return found

    def index_of(self, number: Atom, start: Atom, builder: Builder) -> Atom:
        """The loop's index in an iteration."""
        distance = number if self.loop.step == integer(1) else builder.let(
            "multiply", self.loop.step, number)
        return distance if start == integer(0) else builder.let("add", start, distance)

    # --- the snapshots before anything is reversed -----------------------------------------------

    def first_snapshots(self, again: Advance) -> tuple[Atom, Stack]:
        """How many there may be, and those with which the reverse sweep begins."""
        places, tapes = self.reverse.residuals.places, self.reverse.residuals.tapes
        if places.of_block[self.loop, 0].outer is places.top:
            forward = Builder(self.sweep.builder.facts, checks=False)
            limit, stack = self.room(forward, again)
            stack = self.taken_on_the_way(forward, limit, stack, again)
            tapes.instead[self.loop] = forward.block
            return limit, stack
        builder = self.sweep.builder
        limit, stack = self.room(builder, again)
        inits = tuple(self.need(c.init) for c in again.kept)
        return limit, stack.push(builder, integer(0), inits)

    def room(self, builder: Builder, again: Advance) -> tuple[Atom, Stack]:
        """How many snapshots there may be, and an empty stack for them and for the state with
        which the last iteration starts."""
        assert self.loop.snapshots is not None
        limit = builder.let("minimum", self.need(self.loop.snapshots), builder.let(
            "subtract", self.count(builder), integer(1)), name="limit")
        rows = builder.let("maximum", builder.let("add", limit, integer(1)), integer(1),
                           name="rows")
        stack = empty_stack(builder, rows, again.state)
        snapshots = self.reverse.residuals.tapes.snapshots
        kept = (self.loop.index, *(c.inner for c in again.kept))
        snapshots.update((room, (value, self.loop)) for room, value in zip(
            _values((stack.taken, *stack.rows)), kept, strict=True))
        return limit, stack

    def count(self, builder: Builder) -> Atom:
        """The number of iterations."""
        extent = self.reverse.residuals.tapes.count(self.loop)
        assert extent is not None
        return builder.atom_of(extent)

    def taken_on_the_way(self, builder: Builder, limit: Atom, stack: Stack,
                         again: Advance) -> Stack:
        """The loop itself in stretches, with a snapshot before each of them."""
        loop = self.loop
        here = Value("reached", INT)
        inner = Stack.of(tuple(like(atom, builder) for atom in stack.atoms))
        after = Stack.of(tuple(like(atom, builder) for atom in stack.atoms))
        state = [like(c.inner, builder) for c in loop.carried]
        ends = [like(c.inner, builder) for c in loop.carried]
        count = self.count(builder)
        test, body = builder.inner(), builder.inner()
        more = test.let("less", here, count)
        now = dict(zip(loop.carried, state, strict=True))
        left = body.let("subtract", limit, inner.held, name="free")
        pushed = inner.push(body, here, tuple(now[c] for c in again.kept))
        stretch = steps_to_next(body, body.let("subtract", count, here, name="length"), left)
        stop = body.let("add", here, body.let("maximum", stretch, integer(1)), name="stop")
        first, last = (self.index_of(k, loop.start, body) for k in (here, stop))
        slots = tuple(replace(c, init=s, result=e) for c, s, e in zip(
            loop.carried, state, ends, strict=True))
        body.append(replace(loop, start=first, stop=last, carried=slots, snapshots=None))
        carried = [Carried(integer(0), here, stop, Value("reached", INT))]
        carried += map(Carried, stack.atoms, _values(inner.atoms), pushed.atoms,
                       _values(after.atoms))
        carried += [Carried(c.init, s, e, c.result) for c, s, e in zip(
            loop.carried, state, ends, strict=True)]
        builder.append(While(tuple(carried), test.block, more, body.block, Value("trips", INT),
                             loop.origin))
        return after


def _values(atoms: Sequence[Atom]) -> list[Value]:
    return [atom for atom in atoms if isinstance(atom, Value)]
