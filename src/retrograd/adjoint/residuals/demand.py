"""The planner: what does the reverse sweep get for a primal value that it reads?

    keep        defined outside all loops and branches: it is still there
    index       a loop's index: the reverse loop's own
    recompute   cheap, from what is available: computed again where its block is reversed
    store       everything else: it waits on a tape

Recomputation happens once for each iteration that is reversed and in program order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from retrograd.adjoint.residuals.tapes import Tapes
from retrograd.adjoint.scopes import Places, Scope
from retrograd.adjoint.sweep import Sweep
from retrograd.ir.index import FULL
from retrograd.ir.nodes import Atom, Constant, Let, Value, While, integer
from retrograd.ir.operations import cost

STORE_COST = 10.0          # an operation that costs more is stored rather than computed again


@dataclass(slots=True)
class Residuals:
    """Answers for every primal value that the reverse sweep reads."""

    places: Places
    tapes: Tapes
    _decisions: dict[Value, bool] = field(default_factory=dict)

    def need(self, atom: Atom, sweep: Sweep) -> Atom:
        """What stands for a primal value in a block of the reverse sweep."""
        if isinstance(atom, Constant) or atom not in self.places.scope:
            return atom
        found = self._present(atom, sweep)
        if found is None:
            self._provide(atom, sweep)
            found = self._present(atom, sweep)
        assert found is not None
        return found

    def _present(self, value: Value, sweep: Sweep) -> Atom | None:
        if self.places.scope[value] is self.places.top:
            return value
        return sweep.find(value)

    def _provide(self, value: Value, sweep: Sweep) -> None:
        """Make a value and all that it is recomputed from present, in program order."""
        wanted: dict[Value, None] = {}
        pending = [value]
        while pending:
            v = pending.pop()
            if v in wanted or self._present(v, sweep) is not None:
                continue
            wanted[v] = None
            if self.recomputed(v):
                pending += [a for a in self.places.lets[v].args if isinstance(a, Value)]
        for v in sorted(wanted, key=self.places.position.__getitem__):
            home = sweep.at(self.places.scope[v])
            if self.recomputed(v):
                home.known[v] = self._recompute(self.places.lets[v], home)
            else:
                home.known[v] = self._load(v, home)

    def trips(self, loop: While, scope: Scope, sweep: Sweep) -> Atom:
        """How many iterations a `while` made; the pointer of its tapes counts them too."""
        if scope in self.tapes.pointers and _only_loop(scope):
            return self.tapes.pointers[scope].final
        return self.need(loop.trips, sweep)

    # --- the decision ---------------------------------------------------------------------------

    def recomputed(self, value: Value) -> bool:
        """Whether a value inside a loop or branch is computed again rather than stored."""
        if value in self._decisions:
            return self._decisions[value]
        let = self.places.lets.get(value)
        self._decisions[value] = decision = (
            let is not None and cost(let) < STORE_COST
            and not self._reads_more_than_it_gives(let))
        return decision

    def _reads_more_than_it_gives(self, let: Let) -> bool:
        """An element of an array that would itself have to be stored is stored in its place."""
        for a in let.args:
            if isinstance(a, Value) and a.type.rank > let.result.type.rank and not self._free(a):
                return True
        return False

    def _free(self, value: Value) -> bool:
        """Whether an array is available without a tape of its own."""
        while self.places.scope[value] is not self.places.top:
            let = self.places.lets.get(value)
            if let is None or not self.recomputed(value):
                return value in self.tapes.tapes
            arrays = [a for a in let.args if isinstance(a, Value) and a.type.rank]
            if len(arrays) != 1:
                return all(self._free(a) for a in arrays)
            value = arrays[0]
        return True

    # --- the answers ----------------------------------------------------------------------------

    def _recompute(self, let: Let, home: Sweep) -> Atom:
        args = [self.need(a, home) for a in let.args]
        return home.prologue.let(let.op, *args, name=let.result.name, weak=_weak(let),
                                 **let.static)

    def _load(self, value: Value, home: Sweep) -> Atom:
        """Read a stored value back."""
        tape = self.tapes.tape(value)
        loops = home.scope.loops()
        if not loops:
            return tape.final
        if tape.rows is None:
            numbers = [self._row(home)]
        else:
            numbers = []
            for scope in loops:
                iteration = home.at(scope).iteration
                assert iteration is not None
                numbers.append(iteration)
        rank = value.type.rank
        index = ("int",) * len(numbers) + (FULL,) * rank
        return home.prologue.let("view" if rank else "load", tape.final, *numbers,
                                name=value.name, index=index)

    def _row(self, home: Sweep) -> Atom:
        """The row of a pushed tape: the iteration number where the one loop around is a `while`
        of the function itself, else what the pointer says."""
        pointer = self.tapes.pointers[home.scope]
        if _only_loop(home.scope) and home.iteration is not None:
            return home.iteration
        row = home.known.get(pointer.final)
        if row is None:
            present = home.get(pointer, self.places.top)
            assert present is not None
            row = home.prologue.let("subtract", present, integer(1), name="n")
            home.known[pointer.final] = home.state[pointer] = row
        return row


def _only_loop(scope: Scope) -> bool:
    return scope.is_loop and scope.outer is not None and scope.outer.outer is None


def _weak(let: Let) -> bool | None:
    return getattr(let.result.type, "weak", None)
