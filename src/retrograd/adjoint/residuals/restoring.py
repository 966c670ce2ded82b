"""Chains: arrays that a program writes in place, and whether to undo their writes.

    for t in range(n):                            forward      old = A[k[t]]; A[k[t]] = f(A)
        A1 = update(A0, k[t], f(A0))              reverse      A[k[t]] = old: this is A0 again

A chain is all the versions of one piece of memory, from the array that starts it to its last
version, both outside all loops. Where the reverse sweep would otherwise keep more of them than
their updates overwrite, it restores them: every update is undone with what it overwrote.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from retrograd.adjoint.residuals.lineage import STORES
from retrograd.adjoint.residuals.tapes import Tapes
from retrograd.adjoint.residuals.versions import Versions
from retrograd.adjoint.scopes import Places, Scope
from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent, Opaque, Root, Term, mentions
from retrograd.ir.extents import root as extent_of
from retrograd.ir.families import root as representative
from retrograd.ir.index import advanced
from retrograd.ir.nodes import (
    Atom,
    Branch,
    Carried,
    Join,
    Let,
    Loop,
    Statement,
    Value,
    While,
    defined,
)
from retrograd.ir.operations_arrays import index_shape

_NOMINAL = 64.0              # an extent or a trip count that nothing is known about
_PAYS = 1.25                 # how much more must be stored otherwise


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The versions of one array; `final` is the last one, `old` what each write overwrites."""

    versions: frozenset[Value]
    final: Value
    old: dict[Let, Value] = field(default_factory=dict)


def chains(versions: Versions, places: Places) -> Iterator[Chain]:
    """The arrays that are written inside loops and whose versions are one chain."""
    parent: dict[Value, Value] = {}
    for value, flows in versions.flows.items():
        for _, target in flows:
            parent[representative(parent, target)] = representative(parent, value)
    groups: dict[Value, dict[Value, None]] = {}
    for value, flows in versions.flows.items():
        for member in (value, *(target for _, target in flows)):
            groups.setdefault(representative(parent, member), {})[member] = None
    for members in groups.values():
        found = _chain(frozenset(members), versions, places)
        if found is not None:
            yield found


def _chain(members: frozenset[Value], versions: Versions, places: Places) -> Chain | None:
    made = {target for v in members for _, target in versions.flows.get(v, ())}
    starts = [v for v in members if v not in made]
    ends = [v for v in members if not versions.flows.get(v)]
    if len(ends) != 1 or len(starts) != 1 or any(
            places.scope[v] is not places.top for v in (*ends, *starts)):
        return None
    if not all(_closed(v, members, versions) for v in members):
        return None
    updates = sorted((let for v in members if (let := places.lets.get(v)) is not None
                      and let.op in STORES), key=lambda let: places.position[let.result])
    if any(advanced(u.static["index"]) for u in updates) or not any(
            places.scope[u.result].loops() for u in updates):
        return None
    return Chain(members, ends[0], {let: _old(let, versions) for let in updates})


def _closed(value: Value, members: frozenset[Value], versions: Versions) -> bool:
    """Whether a version goes on in one way, and whatever else comes there is of the chain too."""
    statements = {statement for statement, _ in versions.flows.get(value, ())}
    arms = [_arms(statement, value, versions.places) for statement in statements]
    if not all(any((branch, 1 - k) in one for branch, k in other)
               for n, one in enumerate(arms) for other in arms[:n]):
        return False                                   # a fork: two arrays go on from here
    for statement in statements:
        slots: Iterable[Carried | Join] = ()
        if isinstance(statement, Loop) and statement.snapshots is not None:
            return False                               # its iterations are run again
        if isinstance(statement, (Loop, While)):
            slots = statement.carried
        elif isinstance(statement, Branch):
            slots = statement.joins
        for slot in slots:
            ends = (slot.init, slot.next) if isinstance(slot, Carried) else (
                slot.then, slot.otherwise)
            if value in ends and not all(end in members for end in ends):
                return False
        if sum(value in (s.init if isinstance(s, Carried) else s.then,) for s in slots) > 1:
            return False
    return True


def _arms(statement: Statement, value: Value, places: Places) -> set[tuple[Statement, int]]:
    """The arms of branches in which a statement takes a version over."""
    if isinstance(statement, Branch):
        ends = [{j.then for j in statement.joins}, {j.otherwise for j in statement.joins}]
        return {(statement, k) for k in (0, 1) if value in ends[k]}
    inside: set[tuple[Statement, int]] = set()
    scope: Scope | None = places.scope[defined(statement)[0]]
    while scope is not None and scope.statement is not None:
        if isinstance(scope.statement, Branch):
            inside.add((scope.statement, 0 if places.of_block[scope.statement, 0] is scope else 1))
        scope = scope.outer
    return inside


def _old(let: Let, versions: Versions) -> Value:
    """A name for what a write overwrites; the forward sweep reads it before the write."""
    array = let.args[0]
    part = overwritten(Builder(versions.facts, checks=False), let)
    assert isinstance(array, Value)
    old = Value(f"{array.name}_old", part.type)
    if part.type.rank:
        assert isinstance(part, Value)
        # what only the part itself could tell is asked of the value that stands for it
        versions.facts.extents[old] = tuple(
            extent_of(old, axis) if mentions(extent, {part}) else extent
            for axis, extent in enumerate(versions.facts.of(part)))
    return old


def overwritten(builder: Builder, let: Let) -> Atom:
    """What is where a write is going to happen."""
    op = "load" if all(item == "int" for item in let.static["index"]) else "view"
    return builder.let(op, *let.args[:-1], index=let.static["index"])


# --- what it costs -------------------------------------------------------------------------------


def worth_restoring(chain: Chain, tapes: Tapes) -> bool:
    """Whether undoing the writes keeps less than the tapes of parts and versions do."""
    kept = sum(_numbers(tape.value, tapes) for tape in tapes.tapes.values()
               if tape.in_loop and _of(chain, tape.value, tapes.places))
    return kept > _PAYS * sum(_overwritten(let, tapes) for let in chain.old)


def total(tapes: Tapes) -> float:
    """About how many numbers all tapes hold."""
    return sum(_numbers(tape.value, tapes) for tape in tapes.tapes.values() if tape.in_loop)


def _of(chain: Chain, value: Value, places: Places) -> bool:
    """Whether a value is a version of the array, or a part of one."""
    let = places.lets.get(value)
    return value in chain.versions or (
        let is not None and let.op in ("load", "view", "take") and let.args[0] in chain.versions)


def _numbers(value: Value, tapes: Tapes) -> float:
    return _rows(value, tapes) * math.prod(_number(e, tapes) for e in tapes.facts.of(value))


def _rows(value: Value, tapes: Tapes) -> float:
    trips = [tapes.count(scope.statement) for scope in tapes.places.scope[value].loops()]
    return math.prod(_NOMINAL if t is None else _number(t, tapes) for t in trips)


def _overwritten(let: Let, tapes: Tapes) -> float:
    builder = Builder(tapes.facts, checks=False)
    shape = index_shape(builder.query(let.args[:-1], dict(let.static)), len(let.args) - 2)
    return _rows(let.result, tapes) * math.prod(
        _NOMINAL if e is None else _number(e, tapes) for e in shape)


def _number(extent: Extent, tapes: Tapes) -> float:
    """An extent, with the same number for everything that is not known; a loop index is about in
    the middle of its range."""
    found = extent.constant + sum(f * _term(term, tapes) for term, f in extent.terms)
    return max(found, 0.0)


def _term(term: Term, tapes: Tapes) -> float:
    if isinstance(term, Opaque):
        first, *rest = (_number(a, tapes) for a in term.args)
        match term.kind:
            case "max":
                return max(first, *rest)
            case "min":
                return min(first, *rest)
            case "multiply":
                return math.prod((first, *rest))
            case _:
                return first // max(rest[0], 1.0)
    assert isinstance(term, Root)
    if term.axis is None and term.value in tapes.facts.bounds:
        low, high = tapes.facts.bounds[term.value]
        return (_number(low, tapes) + _number(high, tapes)) / 2
    return _NOMINAL
