"""One iteration of a checkpointed loop: run again and reversed, or only run again.

The body is differentiated like a function of its own, whose arguments are the loop's index, the
carried values and what it reads from outside. So it has tapes of its own, which live while one
iteration is reversed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retrograd.adjoint.arithmetic import zeros
from retrograd.adjoint.checkpoint_copies import Copy, computed_again
from retrograd.adjoint.residuals.answers import STORE_COST, Answer
from retrograd.adjoint.residuals.demand import Residuals
from retrograd.adjoint.residuals.filling import with_tapes
from retrograd.adjoint.residuals.tapes import Tapes
from retrograd.adjoint.residuals.versions import versions
from retrograd.adjoint.scopes import places
from retrograd.adjoint.sweep import Sweep, bar
from retrograd.ir.build import Builder
from retrograd.ir.nodes import (
    Atom,
    Block,
    Carried,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    free,
    integer,
)
from retrograd.ir.operations import cost
from retrograd.ir.rewrite import without_marks
from retrograd.optimise.dead import remove_dead

if TYPE_CHECKING:
    from retrograd.adjoint.reverse import Reverse


@dataclass(frozen=True, slots=True)
class Turn:
    """An iteration, run with its tapes and reversed.

    It reads `index` and `inner`, the carried values with which it starts (those that it needs).
    `before` are the adjoints that it starts from, by what they are the adjoints of, and `after`
    those at its end.
    """

    index: Value
    inner: dict[Carried, Value]
    block: Block
    slots: dict[Carried, tuple[Value, Atom]]
    outer: dict[Value, tuple[Value, Atom]]


@dataclass(frozen=True, slots=True)
class _Body:
    """A copy of a loop's body as a function: of the index, the carried values, and what it reads
    from outside; `ends` are the carried values at its end."""

    copy: Copy
    index: Value
    inner: dict[Carried, Value]
    block: Block
    ends: dict[Carried, Atom]
    read: tuple[Value, ...]

    @property
    def params(self) -> tuple[Value, ...]:
        return (self.index, *self.inner.values(), *self.read)


def _copied(loop: Loop, builder: Builder) -> _Body:
    copy = Copy(builder.facts)
    index, inner = copy.value(loop.index), {c: copy.value(c.inner) for c in loop.carried}
    block = copy.block(loop.body)
    ends = {c: copy.atom(c.next) for c in loop.carried}
    made = {index, *inner.values()}
    read = tuple(v for v in free(block, ends.values()) if v not in made)
    return _Body(copy, index, inner, block, ends, read)


def turn(walk: Reverse, loop: Loop, slots: Sequence[Carried], builder: Builder) -> Turn:
    """The reverse of one iteration, with the adjoints of `slots` and of outer values."""
    body = _copied(loop, builder)
    iteration = Function("iteration", body.params, body.block, ())
    where = places(iteration)
    tapes = Tapes(where, builder.facts)
    residuals = Residuals(where, tapes, versions(iteration, where, builder.facts),
                          walk.residuals.wanted)
    walk.residuals.nested.append(residuals)
    nested = replace(
        walk, residuals=residuals, active=_seen(walk.active, body.copy),
        strong=_seen(walk.strong, body.copy), overwritten=_seen(walk.overwritten, body.copy))
    sweep = Sweep(where.top, builder.inner())
    sweep.builder.origin = None
    sweep.builder.resolve = lambda value: value
    _know_cheap(body.block, sweep.builder.beside())
    _know_cheap(_cheap_outer(walk, body.read), sweep.builder.inner())
    of_slots, of_outer = _adjoints(nested, body, slots, sweep)
    forward = computed_again(with_tapes(Function("iteration", (), body.block, ()), tapes))
    final = tuple(end for _, end in (*of_slots.values(), *of_outer.values()))
    block = remove_dead(Function("iteration", (), forward + sweep.block, final)).body
    reads = set(free(block, final))
    needed = {c: v for c, v in body.inner.items() if v in reads}
    return Turn(body.index, needed, block, of_slots, of_outer)


def _adjoints(nested: Reverse, body: _Body, slots: Sequence[Carried], sweep: Sweep,
              ) -> tuple[dict[Carried, tuple[Value, Atom]], dict[Value, tuple[Value, Atom]]]:
    """Reverse the body; gives the adjoints before and after it, of carried and of outer values."""
    builder = sweep.builder
    outer = {v: like(v, builder, bar(v)) for v in body.read if v in nested.active}
    bars = {c: like(body.inner[c], builder, bar(c.result)) for c in slots}
    for v, before in outer.items():
        sweep.state[v] = before
    for c in slots:
        nested.accumulate(body.ends[c], bars[c], sweep)
    nested.block(body.block, sweep)
    of_slots: dict[Carried, tuple[Value, Atom]] = {}
    for c in slots:
        end = sweep.state.pop(body.inner[c], None)
        of_slots[c] = bars[c], zeros(builder, body.inner[c]) if end is None else end
    return of_slots, {v: (before, sweep.state[v]) for v, before in outer.items()
                      if sweep.state[v] is not before}


def _seen(values: frozenset[Value], copy: Copy) -> frozenset[Value]:
    """Values, and the copies of those that were copied."""
    return values | {new for old, new in copy.stand.items() if old in values}


def _cheap_outer(walk: Reverse, read: Sequence[Value]) -> list[Let]:
    """The definitions of outer values that are computed again where the loop is reversed."""
    where, answers = walk.residuals.places, walk.residuals.answers
    return [where.lets[v] for v in read if v in where.lets
            and where.scope[v] is not where.top and answers.of(v) is Answer.RECOMPUTE]


def _know_cheap(block: Sequence[Statement], known: Builder) -> None:
    """Adjoint arithmetic sees how a cheap value was made, as it does in a loop with tapes, where
    that value is recomputed: so the adjoints are the same to the last bit."""
    for statement in block:
        if isinstance(statement, Let) and cost(statement) < STORE_COST:
            known.append(statement)


# --- only run again ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advance:
    """The loop with what `kept` needs of its body: it runs from `state` on, for each of `kept` a
    value, and its bounds are still to be given."""

    loop: Loop
    kept: tuple[Carried, ...]
    state: tuple[Value, ...]

    def over(self, start: Atom, stop: Atom) -> Loop:
        return replace(self.loop, start=start, stop=stop)

    @property
    def results(self) -> tuple[Value, ...]:
        return tuple(c.result for c in self.loop.carried)


def advance(loop: Loop, wanted: Sequence[Carried], builder: Builder) -> Advance | None:
    """The part of the loop that computes the `wanted` carried values; None for none."""
    body = _copied(loop, builder)
    state, results = ({c: like(c.inner, builder) for c in loop.carried} for _ in range(2))
    carried = tuple(Carried(state[c], body.inner[c], body.ends[c], results[c])
                    for c in loop.carried)
    whole = Loop(body.index, integer(0), integer(0), loop.step, carried,
                 computed_again(body.block))
    block = without_marks((whole,))
    pruned = remove_dead(Function("advance", (), block, tuple(results[c] for c in wanted))).body
    if not pruned:
        return None
    found = pruned[0]
    assert isinstance(found, Loop)
    inner = {c.inner for c in found.carried}
    kept = tuple(c for c in loop.carried if body.inner[c] in inner)
    return Advance(found, kept, tuple(state[c] for c in kept))


def like(atom: Atom, builder: Builder, name: str | None = None) -> Value:
    """A new value with the type and extents of an atom."""
    given = atom.name if isinstance(atom, Value) else "held"
    new = Value(given if name is None else name, atom.type)
    if new.type.rank:
        builder.facts.extents[new] = builder.facts.of(atom)
    return new
