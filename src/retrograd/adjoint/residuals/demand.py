"""Answering the reverse sweep: what stands for a primal value in a block (see `answers.py`).

Recomputation and loads happen once for each iteration that is reversed and in program order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from retrograd.adjoint.residuals.answers import Answer, Answers
from retrograd.adjoint.residuals.carried import followers
from retrograd.adjoint.residuals.reasons import cannot_recompute
from retrograd.adjoint.residuals.restoring import Chain
from retrograd.adjoint.residuals.tapes import Tape, Tapes
from retrograd.adjoint.residuals.versions import Versions
from retrograd.adjoint.scopes import Places, Scope
from retrograd.adjoint.sweep import Sweep
from retrograd.ir.build import Builder
from retrograd.ir.index import FULL, Slice
from retrograd.ir.nodes import Atom, Carried, Let, Value, While, alike, integer


@dataclass(slots=True)
class Residuals:
    """Answers for every primal value that the reverse sweep reads."""

    places: Places
    tapes: Tapes
    versions: Versions | None = None
    wanted: Mapping[str, Answer] = field(default_factory=dict)   # the user's, by name
    chains: tuple[Chain, ...] = ()                 # arrays whose writes are undone
    chain_of: dict[Value, Chain] = field(init=False)
    answers: Answers = field(init=False)
    stands: dict[Value, Atom] = field(default_factory=dict)      # what was asked for, what it is
    nested: list[Residuals] = field(default_factory=list)        # of checkpointed iterations
    restored: set[Value] = field(default_factory=set)            # read from restored arrays

    def __post_init__(self) -> None:
        self.answers = Answers(self.places, self.versions, self.wanted,
                               frozenset(c.final for c in self.chains),
                               frozenset(old for c in self.chains for old in c.old.values()))
        self.chain_of = {version: c for c in self.chains for version in c.versions}

    def need(self, atom: Atom, sweep: Sweep) -> Atom:
        """What stands for a primal value in a block of the reverse sweep."""
        if not isinstance(atom, Value) or atom not in self.places.scope:
            return atom
        found = self._present(atom, sweep)
        if found is None and self._restored(atom, sweep):
            found = sweep.known[atom] = self._here(atom, sweep)
            self.restored.add(atom)
        if found is None:
            self._provide(atom, sweep)
            found = self._present(atom, sweep)
        assert found is not None
        self.stands.setdefault(atom, found)
        return found

    # --- arrays that are restored ---------------------------------------------------------------

    def _restored(self, value: Value, sweep: Sweep) -> bool:
        """Whether a value is, or is made from, what a restored array holds at this moment."""
        if not self.chain_of or self._present(value, sweep) is not None or (
                self.wanted.get(value.name) is Answer.STORE):
            return False
        array = self._array(value)
        if array in self.chain_of:
            return sweep.version(self.chain_of[array]) is array
        return self.answers.of(value) is Answer.RECOMPUTE and any(
            isinstance(a, Value) and (self._restored(a, sweep) or self._was_here(a, sweep))
            for a in self.answers.needed(value))

    def _was_here(self, value: Value, sweep: Sweep) -> bool:
        """Whether a value was read at this place before: what is made from it comes later, too."""
        return value in self.restored and sweep.find(value) is not None

    def _array(self, value: Value) -> Value:
        """The array that a value is a part of, or the value itself."""
        let = self.places.lets.get(value)
        if let is not None and let.op in ("load", "view", "take"):
            assert isinstance(let.args[0], Value)
            return let.args[0]
        return value

    def _here(self, value: Value, sweep: Sweep) -> Atom:
        """Read it, or compute it, at this place: later it will be another version."""
        array = self._array(value)
        if array not in self.chain_of:
            return self._recompute(self.places.lets[value], sweep, sweep.builder)
        content = sweep.get(self.chain_of[array], self.places.top)
        assert content is not None
        if array is value:
            return content
        let = self.places.lets[value]
        return sweep.builder.let(let.op, content, *(self.need(a, sweep) for a in let.args[1:]),
                                 name=value.name, **let.static)

    def undo(self, let: Let, sweep: Sweep) -> None:
        """Put back what a write to a restored array has overwritten."""
        chain = self.chain_of[let.result]
        content = sweep.get(chain, self.places.top)
        assert content is not None
        atoms = [self.need(a, sweep) for a in let.args[1:-1]]
        sweep.state[chain] = sweep.builder.let(
            "update", content, *atoms, self.need(chain.old[let], sweep), name=let.result.name,
            index=let.static["index"])
        assert isinstance(let.args[0], Value)
        sweep.holds[chain] = let.args[0]

    # --- in program order -----------------------------------------------------------------------

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
            pending += [a for a in self.answers.needed(v) if isinstance(a, Value)]
        for v in sorted(wanted, key=self.places.position.__getitem__):
            home = sweep.at(self.places.scope[v])
            answer = self.answers.of(v)
            if answer is Answer.STORE and self.wanted.get(v.name) is Answer.RECOMPUTE:
                raise cannot_recompute(v, self.places)
            match answer:
                case Answer.RECOMPUTE:
                    home.known[v] = self._recompute(self.places.lets[v], home)
                case Answer.FINAL:
                    home.known[v] = self._final(v, home)
                case Answer.COUNT:
                    home.known[v] = self._count(v, home)
                case _:
                    slot = self.follower(v)
                    if slot is None:
                        home.known[v] = self._load(v, home)
                    else:
                        self._hand_over(v, slot, home)
            self.stands[v] = home.known[v]

    def trips(self, loop: While, scope: Scope, sweep: Sweep) -> Atom:
        """How many iterations a `while` made; the pointer of its tapes counts them too."""
        if scope in self.tapes.pointers and _only_loop(scope):
            return self.tapes.pointers[scope].final
        return self.need(loop.trips, sweep)

    # --- the answers ----------------------------------------------------------------------------

    def _recompute(self, let: Let, home: Sweep, builder: Builder | None = None) -> Atom:
        builder = home.prologue if builder is None else builder
        args = [self.need(a, home) for a in let.args]
        if let.op == "copy":
            return args[0]
        if let.op in ("update", "add_at") and self._copied(let.args[0]):
            args[0] = builder.let("copy", args[0], name=let.result.name)
        return builder.let(let.op, *args, name=let.result.name, weak=_weak(let),
                                 **let.static)

    def _copied(self, atom: Atom) -> bool:
        let = self.places.lets.get(atom) if isinstance(atom, Value) else None
        return let is not None and let.op == "copy"

    def _final(self, value: Value, home: Sweep) -> Atom:
        """Load what an array holds in the end."""
        assert self.versions is not None
        last = self.versions.last(value)
        assert last is not None
        array, index, atoms = last
        return home.prologue.let("view" if value.type.rank else "load", array,
                                 *(self.need(a, home) for a in atoms), name=value.name,
                                 index=index)

    def _count(self, value: Value, home: Sweep) -> Atom:
        """A carried int from the number of the iteration."""
        counts, builder = self.answers.counter(value), home.prologue
        assert counts is not None and home.iteration is not None
        first, grown = self.need(counts.init, home), home.iteration
        if counts.step != 1:
            grown = builder.let("multiply", grown, integer(counts.step))
        return grown if first == integer(0) else builder.let("add", first, grown, name=value.name)

    def follower(self, value: Value) -> Carried | None:
        """What is stored at the start of the next iteration, and is `value` then."""
        return next((c for c in followers(value, self.places)
                     if self.answers.of(c.inner) is Answer.STORE
                     and not self.tapes.changes_shape(c.inner)), None)

    def _hand_over(self, value: Value, slot: Carried, home: Sweep) -> None:
        """The iteration that was reversed before has read what it started with; that is `value`
        here. The last iteration leaves the loop's result."""
        assert home.outer is not None
        here, after = (alike(value) for _ in range(2))
        for v in (here, after):
            if v.type.rank:
                home.builder.facts.extents[v] = self.tapes.facts.of(slot.inner)
        home.known[value] = here
        started = self.need(slot.inner, home)
        if value.type.rank:                # a row of a tape, which stays what it is
            started = home.prologue.let("copy", started, name=slot.inner.name)
            home.known[slot.inner] = self.stands[slot.inner] = started
        home.handed.append(Carried(self.need(slot.result, home.outer), here, started, after))

    def _load(self, value: Value, home: Sweep) -> Atom:
        """Read a stored value back."""
        tape = self.tapes.tape(value)
        loops = home.scope.loops()
        if not loops:
            return tape.final
        if tape.ragged:
            return self._pop(tape, home)
        if tape.rows is None:
            numbers = [self._row(home)]
        else:
            numbers = []
            for scope in loops:
                iteration = home.at(scope).iteration
                assert iteration is not None
                numbers.append(iteration)
            numbers = tape.places(home.prologue, numbers)
        rank = value.type.rank
        index = ("int",) * len(numbers) + (FULL,) * rank
        return home.prologue.let("view" if rank else "load", tape.final, *numbers,
                                name=value.name, index=index)

    def _pop(self, tape: Tape, home: Sweep) -> Atom:
        """Take the elements of an array from the end of a ragged tape."""
        builder, pointer = home.prologue, self.tapes.places_in[tape.value]
        shape: list[Atom] = []
        for length, extent in zip(tape.lengths, self.tapes.facts.of(tape.value), strict=True):
            if length is None:
                shape.append(builder.atom_of(extent))
                continue
            home.known[length] = self._load(length, home)
            shape.append(home.known[length])
        count = shape[0]
        for other in shape[1:]:
            count = builder.let("multiply", count, other, name="size")
        end = home.get(pointer, self.places.top)
        assert end is not None
        start = home.state[pointer] = builder.let("subtract", end, count, name="n")
        part = builder.let("view", tape.final, start, end, name=tape.value.name,
                           index=(Slice(True, True),))
        return part if len(shape) == 1 else builder.let("reshape", part, *shape,
                                                        name=tape.value.name)

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
