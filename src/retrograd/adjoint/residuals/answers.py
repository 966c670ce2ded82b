"""The planner's decisions: how the reverse sweep gets each primal value that it reads.

    keep        defined outside all loops and branches: it is still there
    index       a loop's index: the reverse loop's own
    count       a carried int that grows by the same number in every iteration
    recompute   cheap, from what is available: computed again where its block is reversed
    final       an element that is not overwritten later: loaded from the array's last version
    restore     what a write to an array overwrites: put back, so that the array is there again
    store       everything else: it waits on a tape

A copy has the value of what it copies: where that is available, it is that.
The user's `store=` and `recompute=` come before all of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from retrograd.adjoint.residuals.carried import Counter, counter
from retrograd.adjoint.residuals.versions import Versions
from retrograd.adjoint.scopes import Places, Scope
from retrograd.ir.nodes import Atom, Constant, Let, Loop, Value, bound
from retrograd.ir.operations import cost, family

_PICKED = 4                # elements picked out by number that make an array small
STORE_COST = 10.0          # an operation that costs more is stored rather than computed again
STORES = ("update", "add_at", "push")


class Answer(Enum):
    KEEP = "keep"
    INDEX = "index"
    COUNT = "count"
    RECOMPUTE = "recompute"
    FINAL = "final"
    RESTORE = "restore"
    STORE = "store"


@dataclass(slots=True)
class Answers:
    """One decision for each value, made when it is first asked for."""

    places: Places
    versions: Versions | None = None
    wanted: Mapping[str, Answer] = field(default_factory=dict)   # the user's, by name
    restored: frozenset[Value] = frozenset()      # the last versions of arrays that are restored
    overwritten: frozenset[Value] = frozenset()   # what the writes to them overwrite
    _found: dict[Value, Answer] = field(default_factory=dict)
    _free: dict[Value, bool] = field(default_factory=dict)
    _for_it_alone: dict[Value, bool] = field(default_factory=dict)
    _readers: dict[Value, list[Scope]] | None = None
    _small: dict[Scope, frozenset[Value]] = field(default_factory=dict)

    def of(self, value: Value) -> Answer:
        if value not in self._found:
            for other in self._undecided(value):
                if other not in self._found:
                    self._found[other] = self._decide(other)
                    self.free(other)
        return self._found[value]

    def _undecided(self, value: Value) -> list[Value]:
        """A value after all that it is computed from: such chains may be longer than Python's
        stack."""
        found: list[Value] = []
        seen: set[Value] = set()
        stack = [(value, False)]
        while stack:
            current, ready = stack.pop()
            if ready:
                found.append(current)
            elif current not in seen and current not in self._found:
                seen.add(current)
                stack.append((current, True))
                stack += [(a, False) for a in self._inside(current)]
        return found

    def _inside(self, value: Value) -> Iterator[Value]:
        """What a value of a loop or a branch is computed from, if it is by an operation."""
        let = self.places.lets.get(value)
        if let is not None and self.places.scope[value] is not self.places.top:
            yield from (a for a in let.args if isinstance(a, Value) and a in self.places.scope)

    def _decide(self, value: Value) -> Answer:
        scope = self.places.scope[value]
        if scope is self.places.top:
            return Answer.KEEP
        if isinstance(scope.statement, Loop) and scope.statement.index is value:
            return Answer.INDEX
        if value in self.overwritten:
            return Answer.RESTORE
        asked = self.wanted.get(value.name)
        if asked is Answer.STORE:
            return Answer.STORE
        counts = self.counter(value)
        if counts is not None and self.free(counts.init):
            return Answer.COUNT
        let = self.places.lets.get(value)
        again = let is not None and self._worth_recomputing(let)
        if asked is Answer.RECOMPUTE and let is not None and (
                again or let.op not in STORES or self._made_here(let.args[0], scope)):
            return Answer.RECOMPUTE
        if let is not None and again and self._all_free(let.args):
            return Answer.RECOMPUTE
        if self.versions is not None:
            last = self.versions.last(value)
            if last is not None and last[0] not in self.restored and self._all_free(last[2]):
                return Answer.FINAL
        return Answer.RECOMPUTE if again else Answer.STORE

    def needed(self, value: Value) -> tuple[Atom, ...]:
        """What a value is made from again."""
        match self.of(value):
            case Answer.RECOMPUTE:
                return self.places.lets[value].args
            case Answer.COUNT:
                counts = self.counter(value)
                assert counts is not None
                return (counts.init,)
            case Answer.FINAL:
                assert self.versions is not None
                last = self.versions.last(value)
                assert last is not None
                return last[2]
            case _:
                return ()

    def counter(self, value: Value) -> Counter | None:
        """How a value counts the iterations of its loop, if it does."""
        return None if self.versions is None else counter(
            value, self.places, self.versions.facts)

    # --- recompute or store -----------------------------------------------------------------------

    def _worth_recomputing(self, let: Let) -> bool:
        if let.op == "copy":
            return self.free(let.args[0])
        if let.op in STORES:
            return self._made_here(let.args[0], self.places.scope[let.result])
        if let.result.type.dtype == "bool" and any(map(self._stored_for, let.args)):
            return False                   # a byte, and not the numbers that it is made from
        return cost(let) < STORE_COST and not self._reads_more_than_it_gives(let)

    def _stored_for(self, atom: Atom) -> bool:
        """Whether something would be stored for a value alone: not the state of a loop, which is
        stored for most that an iteration computes."""
        if self.free(atom):
            return False
        assert isinstance(atom, Value)
        if atom not in self._for_it_alone:
            self._for_it_alone[atom] = atom in self.places.lets \
                if self.of(atom) is Answer.STORE else any(map(self._stored_for, self.needed(atom)))
        return self._for_it_alone[atom]

    def _made_here(self, atom: Atom, scope: Scope) -> bool:
        """Whether an array is made by the block in which it is written, so that writing it again
        costs no copy."""
        let = self.places.lets.get(atom) if isinstance(atom, Value) else None
        if let is None or self.places.scope[let.result] is not scope:
            return False
        if let.op in STORES:
            return self._made_here(let.args[0], scope)
        return (family(let.op) == "create" and let.op != "let") and self.free(let.result)

    def _reads_more_than_it_gives(self, let: Let) -> bool:
        """A part of an array that would itself have to be stored is stored in its place, unless
        the whole array serves many parts."""
        for a in let.args:
            if isinstance(a, Value) and a.type.rank > let.result.type.rank and not self.free(a) \
                    and not self._serves_many(a) and not self._of_small_state(a) and (
                        self.wanted.get(a.name) is not Answer.STORE):
                return True
        return False

    def _of_small_state(self, array: Value) -> bool:
        """Whether an array is made, in one iteration, from a carried array whose elements are
        picked out one by one: that is small, and all else is computed again from it."""
        scope = self.places.scope[array]
        if not scope.is_loop:
            return False
        if scope not in self._small:
            self._small[scope] = _small_states(scope, self.places)
        return array in self._small[scope]

    def _serves_many(self, array: Value) -> bool:
        """Whether the loops inside an array's block read about as much of it as it holds: then
        one row of a tape costs less than every element read."""
        own = self.places.scope[array]
        loops = len(own.loops())
        depths = [len(scope.loops()) - loops for scope in self._scopes_of_reads(array)]
        rank = array.type.rank
        return any(d > rank for d in depths) or sum(d >= rank for d in depths) > 1

    def reads_of(self, array: Value) -> int:
        """How many places read parts of an array that is stored because it serves many of them."""
        return len(self._scopes_of_reads(array)) if self._serves_many(array) else 0

    def _scopes_of_reads(self, array: Value) -> list[Scope]:
        if self._readers is None:
            self._readers = {}
            for let in self.places.lets.values():
                if let.op in ("load", "view", "take") and isinstance(let.args[0], Value):
                    self._readers.setdefault(let.args[0], []).append(self.places.scope[let.result])
        return self._readers.get(array, [])

    # --- what is available ---------------------------------------------------------------------

    def free(self, atom: Atom) -> bool:
        """Whether a value is available without a tape of its own."""
        if not isinstance(atom, Value) or atom not in self.places.scope:
            return True
        if atom not in self._free:
            self._free[atom] = self.of(atom) not in (Answer.STORE, Answer.RESTORE) \
                and self._all_free(self.needed(atom))
        return self._free[atom]

    def _all_free(self, atoms: Iterable[Atom]) -> bool:
        return all(self.free(a) for a in atoms)


def _small_states(scope: Scope, places: Places) -> frozenset[Value]:
    """The arrays that an iteration makes from carried arrays of which it picks out many elements
    by number."""
    assert scope.statement is not None
    found: set[Value] = set()
    for start in (v for v in bound(scope.statement) if v.type.rank == 1):
        made, picked = {start}, 0
        for value, let in places.lets.items():
            if places.scope[value] is not scope or made.isdisjoint(let.args):
                continue
            if let.op in STORES:
                break                                  # it is written in place: not rebuilt
            made.add(value)
            picked += let.op == "load" and all(isinstance(a, Constant) for a in let.args[1:])
        else:
            found |= {v for v in made if v.type.rank} if picked >= _PICKED else set()
    return frozenset(found)
