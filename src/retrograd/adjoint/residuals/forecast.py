"""The table of residuals: every primal value that the reverse sweep reads, with what it costs.

It is made when the adjoint is finished and optimised, and lists only what is left in it: a tape
whose values nothing reads any more is not there. Sizes are expressions over the arguments.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from retrograd.adjoint.residuals.answers import Answer
from retrograd.adjoint.residuals.demand import Residuals
from retrograd.adjoint.residuals.reasons import place_of, reason
from retrograd.adjoint.residuals.sizes import Sizes, sum_of
from retrograd.adjoint.residuals.tapes import Tape
from retrograd.errors import Unsupported
from retrograd.ir.build import TEMPORARY
from retrograd.ir.nodes import Atom, Block, Function, Let, Value, bound, defined, free, walk
from retrograd.program import PRIMAL, Request, Residual


def forecast(residuals: Residuals, function: Function, reverse: Block, gradients: tuple[Atom, ...],
             ) -> tuple[Residual, ...]:
    """The residuals of an optimised adjoint, in program order; `reverse` is the part of
    `function` that computes `gradients`."""
    lets = {s.result: s for s in walk(function.body) if isinstance(s, Let)}
    present = {v for s in walk(function.body) for v in defined(s)}
    carried = {v for s in walk(function.body) for v in bound(s)}
    params = {p: k for k, p in enumerate(function.params)}
    sizes = Sizes(params, lets, residuals.tapes.facts)
    table = _Table(residuals, sizes, frozenset(present), frozenset(carried),
                   frozenset(free(reverse, gradients)))
    return _merged([row for _, row in sorted(table.rows(), key=lambda found: found[0])])


def answers_wanted(request: Request) -> dict[str, Answer]:
    """The user's own answers, by variable."""
    return dict.fromkeys(request.recompute, Answer.RECOMPUTE) | dict.fromkeys(
        request.store, Answer.STORE)


def check_wanted(table: Sequence[Residual], request: Request) -> None:
    """Raise ValueError for a name in `recompute` or `store` that no residual of a loop has."""
    if request.product == PRIMAL:
        return
    rows = [row for row in table if row.variable and row.answer != Answer.KEEP.value]
    for option, wanted in (("recompute", request.recompute), ("store", request.store)):
        for name in wanted:
            found = [row for row in rows if row.variable == name]
            if not found:
                names = dict.fromkeys(row.variable for row in rows)
                raise ValueError(
                    f"{option} names {name!r}, but the reverse sweep reads no such variable of a "
                    f"loop; it reads {', '.join(names) or 'none'}")
            if all(row.answer != option for row in found):
                raise Unsupported(
                    f"{option} names {name!r}, whose answer is {found[0].answer!r} "
                    f"({found[0].why})", f"leave {name!r} out of {option}=", found[0].span)


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of one function, or (`nested`) of an iteration of a checkpointed loop."""

    residuals: Residuals
    sizes: Sizes
    present: frozenset[Value]
    carried: frozenset[Value]
    kept: frozenset[Value]
    nested: bool = False

    def rows(self) -> Iterator[tuple[int, Residual]]:
        """Every row, with its place in program order."""
        places = self.residuals.places
        for value, tape in self.residuals.tapes.tapes.items():
            row = self._of_tape(value, tape)
            if row is not None:
                yield places.position[value], row
        for value, stand in self.residuals.stands.items():
            row = self._of(value, stand)
            if row is not None:
                yield places.position[value], row
        for nested in self.residuals.nested:
            for _, row in replace(self, residuals=nested, nested=True).rows():
                yield len(places.position), row
        for room, (value, loop) in self.residuals.tapes.snapshots.items():
            if room in self.sizes.lets:
                each, total = self._bytes(room, 1)
                yield places.position[value], Residual(
                    self._name(value), loop.origin, "store", "in the snapshots of a checkpointed "
                    "loop", each, total)

    def _of_tape(self, value: Value, tape: Tape) -> Residual | None:
        places, name = self.residuals.places, self._name(value)
        write = self._overwritten_by(value)
        span = place_of(value, places)
        if write is not None:
            name, span = write.result.name, write.origin
        if not tape.in_loop:
            return Residual(name, span, "keep", "it leaves the branch that makes it"
                            ) if tape.final in self.present else None
        room = self.residuals.tapes.rooms.get(value)
        if not isinstance(room, Value) or room not in self.sizes.lets:
            return None
        why = reason(value, self.residuals.answers, self.residuals.tapes.facts)
        answer = self.residuals.answers.of(value).value
        if tape.ragged:
            return Residual(name, span, answer, f"{why}; its shape changes",
                            None, None)
        each, total = self._bytes(room, 1 if tape.rows is None else len(tape.rows))
        return Residual(name, span, answer, why, each, None if tape.rows is None else total)

    def _overwritten_by(self, value: Value) -> Let | None:
        """The write that overwrites a value, where the value is what that overwrites."""
        return next((s for s, old in self.residuals.tapes.old.items()
                     if old is value and isinstance(s, Let)), None)

    def _bytes(self, room: Value, rows: int) -> tuple[str | None, str | None]:
        """The bytes of one row and of the whole array."""
        let = self.sizes.lets[room]
        dtype = room.type.dtype
        return (self.sizes.bytes_of(dtype, let.args[rows:]), self.sizes.bytes_of(dtype, let.args))

    def _of(self, value: Value, stand: Atom) -> Residual | None:
        """What is kept, loaded or computed again."""
        places, answers = self.residuals.places, self.residuals.answers
        answer = answers.of(value)
        if value in self.residuals.restored:
            return Residual(self._name(value), place_of(value, places), Answer.RESTORE.value,
                            "read where its array is as it was") if stand in self.present else None
        if answer is Answer.STORE and self.residuals.follower(value) is not None:
            return Residual(self._name(value), place_of(value, places), Answer.KEEP.value,
                            "the next iteration starts with it, and is reversed before"
                            ) if stand in self.carried else None
        if answer in (Answer.STORE, Answer.RESTORE, Answer.INDEX) or not isinstance(stand, Value):
            return None
        why = reason(value, answers, self.residuals.tapes.facts)
        if answer is Answer.KEEP:
            if self.nested or value not in self.kept:
                return None
        elif stand not in self.present and stand not in self.carried:
            return None
        shown = Answer.RECOMPUTE if answer is Answer.COUNT else answer
        return Residual(self._name(value), place_of(value, places), shown.value, why)

    def _name(self, value: Value) -> str:
        made = self.residuals.places.made.get(value)
        if made is None or value.name not in TEMPORARY or (
                made.origin is not None and value.name in _assigned(made.origin.text)):
            return value.name
        return ""


@functools.cache
def _assigned(text: str) -> frozenset[str]:
    """The names that a statement of the user's assigns to."""
    try:
        nodes = ast.walk(ast.parse(text.strip()))
    except SyntaxError:                # the head of a loop or branch, which assigns nothing here
        return frozenset()
    return frozenset(n.id for n in nodes if isinstance(n, ast.Name)
                     and isinstance(n.ctx, ast.Store))


def _merged(rows: list[Residual]) -> tuple[Residual, ...]:
    """Equal rows as one that needs the bytes of all."""
    groups: dict[Residual, list[Residual]] = {}
    for row in rows:
        groups.setdefault(replace(row, each=None, total=None), []).append(row)
    return tuple(replace(key, each=_sum([r.each for r in found]),
                         total=_sum([r.total for r in found])) for key, found in groups.items())


def _sum(texts: list[str | None]) -> str | None:
    return sum_of([t for t in texts if t != "0"] or ["0"])
