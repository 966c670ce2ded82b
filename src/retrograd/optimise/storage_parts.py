"""Parts of arrays that are written and put back where they were: they are written in the array.

    p = view(a, 1:)              printed:   p = a[1:]
    q = update(p, i, v)                     p[i] = v
    b = update(a, 1:, q)                    (nothing: b is a)

A *place* says where in an array's memory a view of it is. What is put back (`q`) is the part of
that very array (`a`, in this version) which has been written to since in no other place; then the
writes may go into the array's own memory, and putting back does nothing. A part in another shape
has a place only where the reshape certainly is a view.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from retrograd.ir.index import advanced, whole
from retrograd.ir.nodes import (
    Atom,
    Block,
    Effect,
    Function,
    Let,
    Statement,
    Value,
    blocks,
    operands,
    walk,
    yields,
)
from retrograd.ir.rewrite import replaced, standing, with_blocks
from retrograd.ir.types import Array

Step = tuple[object, ...]
Steps = tuple[Step, ...]
_VIEWS = ("view", "transpose", "reshape")
_WRITES = ("update", "add_at")


@dataclass(frozen=True, slots=True)
class Place:
    """`steps` are views from the array `root`; `version` is the last write into the part, or
    the root itself."""

    root: Value
    steps: Steps
    version: Value


@dataclass(frozen=True, slots=True)
class Parts:
    """`backs` are the statements that put back what is there, with the result of the last write
    before (or the array itself); `writes` those that write in the array itself, with the array.
    `readers[w]` says which statements read what the write `w` changes only to put it back."""

    backs: Mapping[Let, Value] = field(default_factory=dict)
    writes: Mapping[Let, Value] = field(default_factory=dict)
    readers: Mapping[Let, tuple[Let, ...]] = field(default_factory=dict)

    def over(self, let: object) -> bool:
        """Whether the result of a statement is in the memory of its first operand, which stays
        what it is."""
        return isinstance(let, Let) and (let in self.backs or let in self.writes)


NO_PARTS = Parts()


def parts_of(function: Function, certain: Callable[[Value], bool]) -> Parts:
    """The parts that are put back; `certain` says whether an array that was made here is in C
    order, so that the type of a part of it tells whether its reshape is a view."""
    if not any(isinstance(s, Let) and s.op in _WRITES and _looks(s.args[-1]) for s in walk(
            function.body)):
        return NO_PARTS
    finder = _Finder(certain)
    finder.covered = covered(function)
    finder.block(function.body)
    return finder.found()


def reads_first(function: Function, parts: Parts) -> Function:
    """In loops, what stands between a write into a part and its putting back and does not need the
    write comes before it: often it reads what is written."""
    return function if not parts.writes else replace(function, body=tuple(
        with_blocks(s, lambda block: _reads_first(block, parts)) for s in function.body))


def _reads_first(block: Block, parts: Parts) -> Block:
    block = tuple(with_blocks(s, lambda inner: _reads_first(inner, parts)) for s in block)
    result: list[Statement] = []
    waiting: list[Let] = []
    after: set[Atom] = set()
    for statement in block:
        if not isinstance(statement, Let) or statement.op == "opaque":
            result += waiting
            waiting, after = [], set()
            result.append(statement)
        elif statement in parts.writes or not after.isdisjoint(statement.args):
            waiting.append(statement)
            after.add(statement.result)
        else:
            result.append(statement)
        if statement in parts.backs:
            result += waiting
            waiting, after = [], set()
    return (*result, *waiting)


def covered(function: Function) -> frozenset[Value]:
    """What may raise an error that stands for a check."""
    return frozenset(s.static["covers"] for s in walk(function.body) if isinstance(s, Effect)
                     and s.static.get("covers") is not None)


def _looks(atom: Atom) -> bool:
    return isinstance(atom, Value) and isinstance(atom.type, Array)


@dataclass(eq=False, slots=True)
class _Finder:
    """`chains` are the writes and inner puttings back between a part and its putting back."""

    certain: Callable[[Value], bool]
    covered: frozenset[Value] = frozenset()
    places: dict[Value, Place] = field(default_factory=dict)
    made: dict[Value, Let] = field(default_factory=dict)
    chains: dict[Let, tuple[Let, ...]] = field(default_factory=dict)
    final: list[Let] = field(default_factory=list)

    def place(self, value: Value) -> Place:
        return self.places.get(value, Place(value, (), value))

    def block(self, block: Block) -> None:
        here: set[Let] = set()
        for statement in block:
            if isinstance(statement, Let):
                here.add(statement)
                if statement.args and _looks(statement.args[0]):
                    self.let(statement, here)
            for inner in blocks(statement):
                self.block(inner)

    def let(self, let: Let, here: set[Let]) -> None:
        array = let.args[0]
        assert isinstance(array, Value)
        place = self.place(array)
        if let.op in _VIEWS:
            steps = self.looked(let, array, place)
            if steps is not None:
                self.places[let.result] = Place(place.root, steps, place.version)
        elif let.op in _WRITES:
            self.made[let.result] = let
            self.put_back(let, place, here)
            if any(step[0] != "reshape" for step in place.steps):
                self.places[let.result] = Place(place.root, place.steps, let.result)

    def looked(self, let: Let, array: Value, place: Place) -> Steps | None:
        """The way to what a view shows, None where it may be a copy."""
        if let.op == "view":
            return (*place.steps, ("view", let.static["index"], let.args[1:]))
        *front, last = place.steps or ((),)
        if let.op == "transpose":
            axes = tuple(let.static["axes"])
            if last and last[0] == "transpose":
                axes = tuple(last[1][a] for a in axes)  # type: ignore[index]
                return tuple(front) if axes == tuple(range(len(axes))) \
                    else (*front, ("transpose", axes))
            return (*place.steps, ("transpose", axes))
        assert isinstance(array.type, Array)
        if array.type.layout != "C" or not self.certain(place.root):
            return None
        step = ("reshape", let.args[1:])
        return (*front, step) if last and last[0] == "reshape" else (*place.steps, step)

    def put_back(self, let: Let, place: Place, here: set[Let]) -> None:
        value, index = let.args[-1], let.static["index"]
        if not isinstance(value, Value) or let.op != "update" or advanced(index) \
                or let.result in self.covered:
            return
        back = self.place(value)
        target = place.steps if whole(index) else (
            *place.steps, ("view", index, let.args[1:-1]))
        if back.root is not place.root or _shapeless(back.steps) != _shapeless(target):
            return
        chain = self.chain(back.version, place.version, _shapeless(target), here)
        if chain is None:
            return
        self.chains[let] = chain
        if all(step[0] == "reshape" for step in place.steps):
            self.final.append(let)

    def chain(self, last: Value, first: Value, target: Steps,
              here: set[Let]) -> tuple[Let, ...] | None:
        """The writes from one version to another, if they are in this block and all inside the
        part `target`."""
        found: list[Let] = []
        while last is not first:
            let = self.made.get(last)
            if let is None or let not in here:
                return None
            array = let.args[0]
            assert isinstance(array, Value)
            place = self.place(array)
            inside = place.steps
            if let in self.chains and not whole(let.static["index"]):
                inside = (*inside, ("view", let.static["index"], let.args[1:-1]))
            if inside[:len(target)] != target:
                return None
            found.append(let)
            last = place.version
        return tuple(found)

    def found(self) -> Parts:
        backs: dict[Let, Value] = {}
        writes: dict[Let, Value] = {}
        readers: dict[Let, tuple[Let, ...]] = {}

        def follow(back: Let, outer: tuple[Let, ...]) -> None:
            value = back.args[-1]
            assert isinstance(value, Value)
            backs[back] = self.place(value).version
            for let in self.chains[back]:
                if let in self.chains:
                    follow(let, (*outer, let))
                else:
                    writes[let] = self.place(let.result).root
                    readers[let] = outer

        for back in self.final:
            follow(back, (back,))
        return Parts(backs, writes, readers)


def _shapeless(steps: Steps) -> Steps:
    """Where all elements of a part are put back, its shape does not matter."""
    return steps[:-1] if steps and steps[-1][0] == "reshape" else steps


# --- as it is printed ----------------------------------------------------------------------------


def settled(function: Function, parts: Parts) -> tuple[Function, dict[Let, Let], list[int]]:
    """The function without what puts back what is there, the statements that read on in what they
    read, and the new place of each statement of the body (and of its end).

    Only the printer may read this function: its writes into parts are seen in the array.
    """
    stand: dict[Value, Atom] = {}
    for back in (s for s in walk(function.body) if s in parts.backs):
        assert isinstance(back, Let)
        stand[back.result] = standing(back.args[0], stand)
    dead = _only_put_back(function, parts)
    starts: list[int] = []
    body: list[Statement] = []
    for statement in function.body:
        starts.append(len(body))
        body += _without((statement,), dead.union(parts.backs))
    starts.append(len(body))
    new = replaced(tuple(body), stand)
    moved = {old: now for old, now in zip(walk(tuple(body)), walk(new), strict=True)
             if isinstance(old, Let) and isinstance(now, Let)}
    returns = tuple(standing(r, stand) for r in function.returns)
    return replace(function, body=new, returns=returns), moved, starts


def _without(block: Block, gone: frozenset[Let]) -> Block:
    return tuple(with_blocks(s, lambda inner: _without(inner, gone)) for s in block
                 if s not in gone)


def _only_put_back(function: Function, parts: Parts) -> frozenset[Let]:
    """Views that nothing reads once nothing is put back."""
    count = Counter(a for s in walk(function.body) for atoms in (operands(s), *yields(s))
                    for a in atoms)
    count.update(function.returns)
    raising = covered(function)
    made = {s.result: s for s in walk(function.body) if isinstance(s, Let) and s.op in _VIEWS
            and s.result not in raising}
    gone: set[Let] = set()
    todo = [back.args[-1] for back in parts.backs]
    while todo:
        value = todo.pop()
        count[value] -= 1
        let = made.get(value) if isinstance(value, Value) else None
        if let is not None and not count[value]:
            gone.add(let)
            todo.append(let.args[0])
    return frozenset(gone)
