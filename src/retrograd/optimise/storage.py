"""Storage: which operation takes over whose buffer, and where an array has to be copied first.

    before:  b = update(a, 0, 1.0)          after:  a_1 = copy(a)
             return sum(a * b)                      b = update(a_1, 0, 1.0)
                                                    return sum(a * b)

`update`, `add_at` and `push` are printed as writes into their operand. That is right where the
operand owns its buffer (it is not a parameter, not a view, not from outside the loop) and nothing
that looks into the buffer is read afterwards. A view that is read afterwards is copied where it
is made; in all other cases the operand is copied before the write. What the function returns is
treated alike: fresh memory in C order, shared with nothing.

`x_bar = add(x_bar, e)` takes over the buffer too (an *accumulation*), but only where that costs
no copy. The pass is repeated until it finds nothing to copy, so it leaves its own result alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from retrograd.errors import InternalError
from retrograd.ir.build import TEMPORARY
from retrograd.ir.nodes import Block, Branch, Effect, Function, Let, Loop, Value, While, walk
from retrograd.ir.types import Array
from retrograd.optimise.storage_conflicts import Conflicts, conflicts
from retrograd.optimise.storage_copies import applied
from retrograd.optimise.storage_parts import Parts, parts_of, reads_first, settled

_IN_PLACE = frozenset({"add", "subtract", "multiply", "divide"})
_MOST_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Storage:
    """A function in which every write may happen in place.

    `hidden` are the copies of whole arrays that this pass put inside loops, `accumulations` the
    elementwise statements that may write into their first operand, and `starts[k]` is the place
    of the original statement k of the body (with the copies made for it).
    """

    function: Function
    hidden: tuple[Let, ...]
    accumulations: frozenset[Let]
    starts: tuple[int, ...]


def insert_copies(function: Function) -> Function:
    """The function with a `copy` wherever a buffer may not be taken over."""
    return _planned_best(function)[0].function


def hidden_copies(function: Function) -> tuple[Let, ...]:
    """The copies of whole arrays that storage needs inside loops; user code needs none."""
    return plan_storage(function).hidden


def plan_storage(function: Function) -> Storage:
    """Insert copies, with accumulations in place unless they cost copies inside loops; nothing
    is put back where it is already (`storage_parts.py`)."""
    plan, parts = _planned_best(function)
    if not parts.backs:
        return plan
    new, moved, starts = settled(plan.function, parts)
    return Storage(new, tuple(moved.get(c, c) for c in plan.hidden),
                   frozenset(moved.get(a, a) for a in plan.accumulations),
                   tuple(starts[s] for s in plan.starts))


def _planned_best(function: Function) -> tuple[Storage, Parts]:
    function = reads_first(function, parts_of(function, lambda _: True))
    with_accumulations = _planned(function, accumulate=True)
    if not with_accumulations[0].hidden:
        return with_accumulations
    without = _planned(function, accumulate=False)
    fewer = len(without[0].hidden) < len(with_accumulations[0].hidden)
    return without if fewer else with_accumulations


def _planned(function: Function, accumulate: bool) -> tuple[Storage, Parts]:
    starts = tuple(range(len(function.body) + 1))
    inserted: list[Let] = []
    for _ in range(_MOST_ROUNDS):
        candidates = _candidates(function) if accumulate else frozenset()
        candidates, found = _without_refused(function, candidates)
        if not found.edits:
            hidden = _inside_loops(function.body, frozenset(inserted))
            return Storage(function, hidden, candidates, starts), found.parts
        function, made, shifts = applied(function, found.edits)
        inserted += made
        starts = tuple(shifts[s] for s in starts)
    raise InternalError(f"storage of {function.name!r} does not settle")


def _without_refused(function: Function,
                     candidates: frozenset[Let]) -> tuple[frozenset[Let], Conflicts]:
    """Accumulations that cost nothing. Leaving one out can only free others."""
    while True:
        found = conflicts(function, candidates)
        if not found.refused:
            return candidates, found
        candidates -= found.refused


def _candidates(function: Function) -> frozenset[Let]:
    """Elementwise statements that could write into their first operand: same name and type.

    Where NumPy's own error stands for a check, the statement stays an ordinary expression,
    because a write in place has another message.
    """
    covered = {s.static.get("covers") for s in walk(function.body) if isinstance(s, Effect)}
    return frozenset(s for s in walk(function.body) if isinstance(s, Let)
                     and s.op in _IN_PLACE and s.result not in covered and _accumulates(s))


def _accumulates(let: Let) -> bool:
    first, result = let.args[0], let.result
    return (isinstance(first, Value) and first.name == result.name not in TEMPORARY
            and isinstance(result.type, Array) and isinstance(first.type, Array)
            and first.type.dtype == result.type.dtype and first.type.dims == result.type.dims)


def _inside_loops(block: Block, copies: frozenset[Let], inside: bool = False) -> tuple[Let, ...]:
    found: list[Let] = []
    for statement in block:
        match statement:
            case Let():
                if inside and statement in copies:
                    found.append(statement)
            case Loop():
                found += _inside_loops(statement.body, copies, True)
            case While():
                found += _inside_loops(statement.test + statement.body, copies, True)
            case Branch():
                found += _inside_loops(statement.then + statement.otherwise, copies, inside)
    return tuple(found)
