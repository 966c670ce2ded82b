"""Where a buffer may not be taken over: the copies that a function needs as it stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from retrograd.ir.index import advanced
from retrograd.ir.nodes import Atom, Block, Branch, Function, Let, Loop, Statement, Value, While
from retrograd.ir.types import Array
from retrograd.optimise.storage_copies import Edits
from retrograd.optimise.storage_parts import Parts, parts_of
from retrograd.optimise.storage_positions import Positions, Region, positions_of
from retrograd.optimise.storage_sharing import (
    TAKES_OVER,
    Sharing,
    disordered,
    is_array,
    is_view,
    sharing_of,
    written,
)


@dataclass(frozen=True, slots=True)
class Conflicts:
    """The copies to make, and the candidates that cannot write in place without one."""

    edits: Edits
    refused: frozenset[Let]
    parts: Parts


def conflicts(function: Function, candidates: Collection[Let]) -> Conflicts:
    positions = positions_of(function)
    mutable = written(function, candidates)
    parts = parts_of(function, _in_order(function))
    sharing = sharing_of(function, positions, mutable, candidates, parts)
    finder = _Finder(positions, sharing, mutable, frozenset(function.params), candidates, parts)
    finder.block(function.body, positions.body)
    finder.returns(function)
    finder.leave_out_views_of_copies()
    # a view that is copied is out of the way, so less may have to be copied besides
    edits = Edits(finder.edits.views) if finder.edits.views else finder.edits
    return Conflicts(edits, frozenset(finder.refused), parts)


def _in_order(function: Function) -> Callable[[Value], bool]:
    """Which arrays are in C order in memory, whatever their type says."""
    loose: list[frozenset[Value]] = []

    def certain(value: Value) -> bool:
        if not loose:
            loose.append(disordered(function))
        return value not in loose[0]

    return certain


@dataclass(eq=False, slots=True)
class _Finder:
    positions: Positions
    sharing: Sharing
    mutable: frozenset[Value]
    params: frozenset[Value]
    candidates: Collection[Let]
    parts: Parts
    edits: Edits = field(default_factory=Edits)
    refused: set[Let] = field(default_factory=set)

    # --- may this buffer be taken over? ------------------------------------------------------

    def is_view(self, value: Value) -> bool:
        definition = self.positions.definition.get(value)
        return is_view(definition) or definition in self.parts.writes

    def whole(self, value: Value) -> Value:
        """The array of which a value is all the elements in another shape, or the value itself.

        Where NumPy has to copy for the other shape, what is written is the copy: nobody reads
        the array itself afterwards.
        """
        definition = self.positions.definition.get(value)
        while isinstance(definition, Let) and (
                definition in self.parts.backs or definition in self.parts.writes
                or (definition.op == "reshape" and is_view(definition))):
            assert isinstance(definition.args[0], Value)
            value = definition.args[0]
            definition = self.positions.definition.get(value)
        return value

    def owned(self, value: Value, region: Region) -> bool:
        """Whether the memory of a value, or of the array that it is a part of in which it is
        written, belongs to this block."""
        array = self.whole(value)
        return (array not in self.params and not self.is_view(array)
                and self.positions.home[array].loop is region.loop)

    def in_the_way(self, value: Value, position: int, region: Region,
                   beside: Sequence[Atom], let: Let | None = None) -> tuple[bool, list[Value]]:
        """Whether the value must be copied before it is written to (by `let`, where it is a
        part), and else the views that must have been copied before."""
        array = value if let is None else self.parts.writes.get(let, value)
        if not self.owned(array, region):
            return True, []
        # what is defined later looks into the buffer only through what is there now
        others = [other for other in self.sharing.lookers_into(value)
                  if self.positions.defined_at[other] <= position
                  and (let is None or other is not let.result)
                  and self.positions.used_after(other, position, region,
                                                self.put_back(other, let))]
        others += [atom for atom in beside if isinstance(atom, Value)
                   and (atom is value or self.sharing.overlap(atom, value))]
        if any(other is value or not self.is_view(other) for other in others):
            return True, []
        return False, others

    def put_back(self, value: Value, let: Let | None) -> list[int]:
        """Where the part that `let` writes is put back into an array."""
        readers = () if let is None else self.parts.readers.get(let, ())
        return [self.positions.statement[r] for r in readers if r.args[0] is value]

    def take(self, atom: Atom, position: int, region: Region, beside: Sequence[Atom],
             let: Let | None = None) -> bool:
        """Note copies of views that are in the way; True if the array itself must be copied."""
        if not isinstance(atom, Value):
            return False
        copy, views = self.in_the_way(atom, position, region, beside, let)
        self.edits.views.update(views)
        return copy

    # --- the walk ----------------------------------------------------------------------------

    def block(self, block: Block, region: Region) -> None:
        for statement in block:
            match statement:
                case Let():
                    self.let(statement, region)
                case Loop() | While():
                    self.loop(statement, region)
                case Branch():
                    self.branch(statement)

    def let(self, let: Let, region: Region) -> None:
        position = self.positions.statement[let]
        if let in self.parts.backs:
            return
        if let in self.candidates:
            value = let.args[0]
            assert isinstance(value, Value)
            copy, views = self.in_the_way(value, position, region, ())
            if copy or views:
                self.refused.add(let)
        elif let.op in TAKES_OVER or (let.op == "let" and let.result in self.mutable):
            # np.add.at reads its operands while it writes; all other writes read them first
            scattered = let.op == "add_at" and advanced(let.static["index"])
            beside = let.args[1:] if scattered else ()
            if self.take(let.args[0], position, region, beside, let):
                copied = self.copied_by_shape(let.args[0], region)
                if copied is None:
                    self.edits.operands[let, 0] = None
                else:
                    self.edits.views.add(copied)

    def copied_by_shape(self, atom: Atom, region: Region) -> Value | None:
        """The view in another order that NumPy copies to give it the shape in which it is written:
        of the copy it is a view."""
        if not isinstance(atom, Value):
            return None
        seen = self.whole(atom)
        made = isinstance(seen.type, Array) and seen.type.layout != "C" and seen is not atom
        return seen if made and self.positions.home[seen] is region and is_view(
            self.positions.definition.get(seen)) else None

    def loop(self, loop: Loop | While, region: Region) -> None:
        inits = [c.init for c in loop.carried]
        taken = [c.inner in self.mutable for c in loop.carried]
        position = self.positions.statement[loop]
        beside = self.beside(inits, taken)
        for k, init in enumerate(inits):
            if taken[k] and self.take(init, position, region, beside[k]):
                self.edits.operands[loop, k] = None
        inside = self.positions.inside[loop]
        if isinstance(loop, While):
            self.block(loop.test, inside[0])
        self.block(loop.body, inside[-1])
        nexts = [c.next for c in loop.carried]
        self.ends(loop, len(inside) - 1, nexts, taken)

    def branch(self, branch: Branch) -> None:
        taken = [j.result in self.mutable for j in branch.joins]
        then, otherwise = self.positions.inside[branch]
        self.block(branch.then, then)
        self.ends(branch, 0, [j.then for j in branch.joins], taken)
        self.block(branch.otherwise, otherwise)
        self.ends(branch, 1, [j.otherwise for j in branch.joins], taken)

    def ends(self, statement: Statement, number: int, atoms: list[Atom],
             taken: list[bool]) -> None:
        """What leaves a block: a buffer that is handed on, and never a view."""
        region = self.positions.inside[statement][number]
        beside = self.beside(atoms, taken)
        for k, atom in enumerate(atoms):
            if not isinstance(atom, Value) or not is_array(atom):
                continue
            if self.is_view(self.whole(atom)):
                if self.positions.home[atom] is region:
                    self.edits.views.add(atom)
                else:
                    self.edits.ends[statement, number, k] = None
            elif taken[k] and self.take(atom, region.end, region, beside[k]):
                self.edits.ends[statement, number, k] = None

    def beside(self, atoms: Sequence[Atom], taken: Sequence[bool]) -> list[list[Atom]]:
        """For each atom the others that flow into slots at the same time and may share its
        memory; of two slots that both own their buffer the later one makes the copy."""
        places: dict[object, list[int]] = {}
        for k, atom in enumerate(atoms):
            if is_array(atom):
                for root in self.sharing.of(atom):
                    places.setdefault(root, []).append(k)
        result: list[list[Atom]] = []
        for k, atom in enumerate(atoms):
            near = {j for root in self.sharing.of(atom) for j in places.get(root, ())}
            result.append([atoms[j] for j in sorted(near)
                           if j != k and (j < k or not taken[j])])
        return result

    def returns(self, function: Function) -> None:
        loose = disordered(function)
        for k, atom in enumerate(function.returns):
            if isinstance(atom, Value) and is_array(atom) and (
                    atom in loose or not self.fresh(atom)
                    or any(self.sharing.overlap(atom, r) for r in function.returns[:k])):
                self.edits.returns[k] = None

    def fresh(self, value: Value) -> bool:
        """Whether an array is contiguous memory that was made in this function."""
        definition = self.positions.definition.get(value)
        if isinstance(definition, Let) and self.is_view(value) and definition.op != "reshape":
            return False
        return all(root not in self.params for root, _ in self.sharing.of(value))

    def leave_out_views_of_copies(self) -> None:
        """A view of a view that is copied looks into the copy from then on."""
        def viewed(value: Value) -> bool:
            definition = self.positions.definition.get(value)
            return (isinstance(definition, Let) and is_view(definition)
                    and isinstance(definition.args[0], Value)
                    and definition.args[0] in self.edits.views)

        self.edits.views -= {v for v in self.edits.views if viewed(v)}
