"""Two loops over the same iterations become one where the second reads what the first left for it.

    before:                                   after:
        for i in range(n):                        for i in range(n):
            v = exp(load(x, i))                       v = exp(load(x, i))
            T = update(T, i, v)                       T = update(T, i, v)
        for i in range(n):                            w = multiply(v, 2.0)
            w = multiply(load(T, i), 2.0)             A = add_at(A, i, w)
            A = add_at(A, i, w)

`T`, a tape, is then dead unless something else reads it. Nothing is computed in another order, so
the pass is exact. The second loop must read nothing else of the first, no check or print may lie
between them, and no array that one of them reads may be written to on the way of the other. A loop
over elementary functions stays apart from one with an inner loop: alone, it makes vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

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
    While,
    blocks,
    defined,
    operands,
    walk,
    yields,
)
from retrograd.ir.operations import cost, family
from retrograd.ir.operations_elementwise import TRANSCENDENTAL
from retrograd.ir.rewrite import replaced, standing, with_blocks
from retrograd.ir.types import Array
from retrograd.optimise.sweeps import is_boundary

_FURTHEST = 60         # statements between two loops


def fuse(function: Function) -> Function:
    """The function with neighbouring loops in one where that saves an array."""
    return replace(function, body=_block(function.body))


def _block(block: Block) -> Block:
    line = _Line()
    for statement in block:
        line.add(with_blocks(statement, _block))
    return tuple(line.statements)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a statement, with all that is inside it, reads and takes over, and whether it acts."""

    reads: frozenset[Value]
    takes: frozenset[Value]
    acts: bool


@dataclass(eq=False, slots=True)
class _Line:
    """The statements of a block so far."""

    statements: list[Statement] = field(default_factory=list)
    facts: list[_Facts] = field(default_factory=list)
    views: set[Value] = field(default_factory=set)

    def add(self, statement: Statement) -> None:
        if isinstance(statement, Loop):
            while (fused := self.fused(statement)) is not None:
                statement = fused
        if isinstance(statement, Let) and family(statement.op) == "view":
            self.views.add(statement.result)
        self.statements.append(statement)
        self.facts.append(_facts(statement))

    def fused(self, loop: Loop) -> Loop | None:
        """The loop together with an earlier one, which is taken out; what depended on that one
        alone is moved behind, and so the loop that is returned comes before it."""
        wanted = {s.args[0] for s in walk(loop.body) if isinstance(s, Let) and s.op == "load"}
        lowest = max(0, len(self.statements) - _FURTHEST)
        for place in range(len(self.statements) - 1, lowest - 1, -1):
            first = self.statements[place]
            if isinstance(first, Loop) and any(c.result in wanted for c in first.carried):
                return self.joined(place, first, loop)
            if self.facts[place].acts and not is_boundary(first):
                return None
        return None

    def joined(self, place: int, first: Loop, loop: Loop) -> Loop | None:
        stand = _handed_over(first, loop)
        if stand is None or not self.movable(place, first, loop):
            return None
        body = tuple(s for s in loop.body if not (isinstance(s, Let) and s.result in stand))
        stand[loop.index] = first.index
        carried = tuple(replace(c, next=standing(c.next, stand)) for c in loop.carried)
        del self.statements[place], self.facts[place]
        return replace(first, carried=(*first.carried, *carried),
                       body=first.body + replaced(body, stand))

    def movable(self, place: int, first: Loop, loop: Loop) -> bool:
        """Whether the first loop may run right before the second."""
        results = {c.result for c in first.carried}
        facts, reads = self.facts[place], _facts(loop)
        if reads.acts or any(c.init in facts.reads for c in loop.carried if _is_array(c.init)):
            return False
        between = self.facts[place + 1:]
        if any(f.reads & results for f in between):
            return False
        taken = {v for f in between for v in f.takes}
        own = {v for s in self.statements[place + 1:] for v in defined(s)}
        return not (taken & facts.reads) and (taken <= own or not facts.reads & self.views)


def _handed_over(first: Loop, loop: Loop) -> dict[Value, Atom] | None:
    """The loads of the second loop that give what the first has just written, with the values;
    None where the loops run differently, or the second reads something else of the first."""
    if not _together(first, loop) or _in_vectors(first, loop):
        return None
    results = {c.result for c in first.carried}
    if any(a in results for a in operands(loop)):
        return None
    written = _written(first)
    lets = {s.result: s for s in loop.body if isinstance(s, Let)}
    stand: dict[Value, Atom] = {}
    for statement, atom in _reads(loop):
        if atom not in results:
            continue
        if not isinstance(statement, Let) or statement.result not in lets \
                or statement.op != "load" or atom not in written:
            return None
        place, value = written[atom]
        if len(statement.args) != 2 or place != _iteration(statement.args[1], loop, lets) \
                or place is None or value.type.dtype != statement.result.type.dtype:
            return None
        stand[statement.result] = value
    return stand


def _together(first: Loop, loop: Loop) -> bool:
    """Whether two loops run over the same numbers, upwards from 0 or more."""
    starts = isinstance(first.start, Constant) and first.start.value.real >= 0
    return (starts and first.start == loop.start and first.stop == loop.stop
            and isinstance(first.step, Constant) and first.step == loop.step
            and first.step.value.real > 0 and first.leave is None and loop.leave is None
            and first.trips is None and loop.trips is None)


def _in_vectors(first: Loop, loop: Loop) -> bool:
    """Whether one of the loops computes elementary functions, several at a time, which it would
    not around the other's inner loop."""
    inner = [any(blocks(s) and not isinstance(s, Branch) for s in loop.body)
             for loop in (first, loop)]
    costly = [any(isinstance(s, Let) and cost(s) >= TRANSCENDENTAL for s in loop.body)
              for loop in (first, loop)]
    return inner[0] != inner[1] and costly[inner.index(False)]


def _written(loop: Loop) -> dict[Atom, tuple[str | None, Atom]]:
    """The arrays of which each iteration writes its own element and nothing else, once: which
    element, and its value."""
    lets = {s.result: s for s in loop.body if isinstance(s, Let)}
    count: dict[Atom, int] = {}
    for _, atom in _reads(loop):
        count[atom] = count.get(atom, 0) + 1
    found: dict[Atom, tuple[str | None, Atom]] = {}
    for c in loop.carried:
        let = lets.get(c.next) if isinstance(c.next, Value) else None
        if let is not None and let.op == "update" and let.args[0] is c.inner \
                and count[c.inner] == 1 and len(let.args) == 3 and let.static["index"] == ("int",):
            found[c.result] = (_iteration(let.args[1], loop, lets), let.args[2])
    return found


def _iteration(atom: Atom, loop: Loop, lets: dict[Value, Let]) -> str | None:
    """How an index follows the iterations of a loop: its index, or counted from its start."""
    if atom is loop.index:
        return "index"
    let = lets.get(atom) if isinstance(atom, Value) else None
    if let is not None and let.op == "subtract" and let.args == (loop.index, loop.start):
        return "from the start"
    return None


def _facts(statement: Statement) -> _Facts:
    inside = list(walk((statement,)))
    reads = {a for s in inside for _, a in _here(s) if isinstance(a, Value)}
    takes: set[Atom] = set()
    for s in inside:
        match s:
            case Let(op=op, args=args) if op in ("update", "add_at", "push", "let"):
                takes.add(args[0])
            case Loop(carried=carried) | While(carried=carried):
                takes.update(c.init for c in carried if _is_array(c.init))
    acts = any(isinstance(s, Effect | Raise) for s in inside)
    return _Facts(frozenset(reads), frozenset(t for t in takes if isinstance(t, Value)), acts)


def _reads(loop: Loop) -> Iterator[tuple[Statement, Atom]]:
    """Everything that is read inside a loop, with the statement that reads it."""
    for statement in walk(loop.body):
        yield from _here(statement)
    yield from ((loop, a) for ends in yields(loop) for a in ends)


def _here(statement: Statement) -> Iterator[tuple[Statement, Atom]]:
    yield from ((statement, a) for a in operands(statement))
    if blocks(statement):
        yield from ((statement, a) for ends in yields(statement) for a in ends)


def _is_array(atom: Atom) -> bool:
    return isinstance(atom.type, Array)
