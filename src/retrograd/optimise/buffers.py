"""Arrays that are made in every iteration of a loop get their memory once, before it.

    before:                                   after:
        for i in range(m):                        t = empty(3)
            t = empty(3)                          for i in range(m):
            t = update(t, 0, load(x, i))              t = update(t, 0, load(x, i))
            s = add(s, load(t, 0))                    s = add(s, load(t, 0))

The loop carries the buffer. An array that the loop hands on (`y = y_next`) needs two, which take
turns: the carried spare buffer becomes what was carried so far, `y, t = t, y`. `zeros`, `full`
and `copy` are filled in the loop. What was left in a buffer is never read: an `empty` array has no
contents. An extent that may be negative raises where it did. Only for compiled source; where
storage would have to copy in a loop because of it, the arrays stay where they are. Exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Constant,
    Function,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
    blocks,
    bound,
    defined,
    integer,
    number,
    walk,
)
from retrograd.ir.rewrite import with_blocks
from retrograd.ir.types import BOOL, INT, Array, Scalar
from retrograd.optimise.lineage import Lineage
from retrograd.optimise.readings import Path, Readings
from retrograd.optimise.shapes import Extent, Shape, Shapes, shapes_of
from retrograd.optimise.storage import plan_storage

_MADE = frozenset({"empty", "zeros", "ones", "full", "copy"})
_NEGATIVE = Raise(ValueError, ("negative dimensions are not allowed",))


def hoist_buffers(function: Function) -> Function:
    """The function with the memory of its loops before them."""
    stay: frozenset[int] = frozenset()
    while True:
        hoister = _Hoister(shapes_of(function))
        parts = [hoister.part(s, k in stay) for k, s in enumerate(function.body)]
        new = replace(function, body=tuple(s for part in parts for s in part))
        if not hoister.made:
            return function
        costly = _copying(new, parts)
        if not costly:
            return new
        if costly <= stay:
            return function
        stay |= costly


def _copying(function: Function, parts: list[list[Statement]]) -> frozenset[int]:
    """The parts of a function in whose loops storage copies whole arrays."""
    plan = plan_storage(function)
    hidden = set(plan.hidden)
    found, first = set(), 0
    for k, part in enumerate(parts):
        start, first = first, first + len(part)
        body = plan.function.body[plan.starts[start]:plan.starts[first]]
        if hidden and not hidden.isdisjoint(s for s in walk(body) if isinstance(s, Let)):
            found.add(k)
    return frozenset(found)


@dataclass(eq=False, slots=True)
class _Hoister:
    """`known` are extents of arrays made so far (which are not negative), as ints that are visible,
    in the order `trail`; `rotating` are the results of slots whose buffers take turns, and `made`
    is what was hoisted."""

    shapes: Shapes
    known: dict[Extent, Atom] = field(default_factory=dict)
    trail: list[Extent] = field(default_factory=list)
    rotating: set[Value] = field(default_factory=set)
    made: set[Value] = field(default_factory=set)

    def part(self, statement: Statement, stays: bool) -> list[Statement]:
        """A statement, and what is made before it."""
        out: list[Statement] = []
        new = statement if stays else with_blocks(statement, self.block)
        if not stays and isinstance(new, Loop | While):
            new = self.loop(new, out)
        if isinstance(new, Let):
            self.note(new)
        return [*out, new]

    def note(self, let: Let) -> None:
        """What is not negative after this, and what has been read."""
        if let.op == "dim":
            self.learn(self.shapes.extent(let.result), let.result)
        elif let.op in _MADE:
            for extent in self.shapes.of(let.result):
                if isinstance(extent, Value):
                    self.learn(extent, extent)
        elif let.op == "maximum" and any(map(self.is_natural, let.args)):
            self.learn(let.result, let.result)

    def learn(self, extent: Extent, atom: Atom) -> None:
        if extent not in self.known:
            self.known[extent] = atom
            self.trail.append(extent)

    def is_natural(self, extent: Extent) -> bool:
        if isinstance(extent, Constant):
            return extent.value.real >= 0
        return isinstance(extent, tuple) or extent in self.known

    def block(self, block: Block) -> Block:
        visible = len(self.trail)
        parts = [self.part(s, False) for s in block]
        for extent in self.trail[visible:]:
            del self.known[extent]
        del self.trail[visible:]
        return tuple(s for part in parts for s in part)

    def loop(self, loop: Loop | While, out: list[Statement]) -> Loop | While:
        """The loop without what is made in it, which goes to `out`."""
        if not any(isinstance(s, Let) and s.op in _MADE for s in loop.body) or (
                isinstance(loop, Loop) and loop.blocks):
            return loop                  # blocks that run at the same time share no memory
        return _Body(self, loop, out).hoisted()


@dataclass(eq=False, slots=True)
class _Body:
    """The body of one loop."""

    hoister: _Hoister
    loop: Loop | While
    out: list[Statement]
    inside: set[Value] = field(default_factory=set)
    readings: Readings = field(default_factory=Readings)
    slots: list[Carried] = field(default_factory=list)
    atoms: dict[Extent, Atom] = field(default_factory=dict)
    checked: set[Extent] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.readings.inside(self.loop, ())
        self.inside = {*bound(self.loop)}
        for block in blocks(self.loop):
            for statement in walk(block):
                self.inside.update((*bound(statement), *defined(statement)))

    def hoisted(self) -> Loop | While:
        body: list[Statement] = []
        for statement in self.loop.body:
            end = self.left(statement) if isinstance(statement, Let) else None
            if isinstance(statement, Let) and end is not None:
                body += self.moved(statement, end)
            else:
                body.append(statement)
        if not self.slots:
            return self.loop
        return replace(self.loop, carried=(*self.slots, *self.loop.carried), body=tuple(body))

    # --- may it leave? -----------------------------------------------------------------------

    def left(self, let: Let) -> Value | None:
        """The array whose buffer nobody needs at the end of an iteration in which `let` makes
        one, if it can be made before."""
        shapes, result = self.hoister.shapes, let.result
        if let.op not in _MADE or not result.type.rank:
            return None
        if let.op == "full" and let.args[0].type.dtype != result.type.dtype:
            return None
        shape = shapes.of(result)
        if not all(map(self.known, shape)):
            return None
        return self.spare(result, shape)

    def known(self, extent: Extent) -> bool:
        """Whether an extent is known before the loop."""
        if isinstance(extent, Constant):
            return extent.value.real >= 0
        return (extent[0] if isinstance(extent, tuple) else extent) not in self.inside

    def spare(self, value: Value, shape: Shape) -> Value | None:
        """What is left over at the end: the buffer itself, or the one whose place it takes."""
        path: Path = ((self.loop, len(blocks(self.loop)) - 1),)
        lineage = Lineage(self.readings, self.hoister.rotating)
        turns: list[Value] = []
        end = lineage.last(value, path)
        while end is not None:
            places = [c for c in self.loop.carried if c.next is end]
            if end.type != value.type or self.hoister.shapes.of(end) != shape:
                return None
            if not places:
                self.hoister.rotating.update(turns)
                return end
            if len(places) > 1 or places[0].result in turns:
                return None
            turns.append(places[0].result)
            end = lineage.last(places[0].inner, path)
        return None

    # --- making it before --------------------------------------------------------------------

    def moved(self, let: Let, end: Value) -> list[Statement]:
        """A slot for the buffer; what is left of `let` in the body."""
        hoister, made = self.hoister, let.result
        shape = hoister.shapes.of(made)
        assert isinstance(made.type, Array)
        type = replace(made.type, layout="C")
        before, inner, result = (Value(made.name, type) for _ in range(3))
        inner = made if let.op == "empty" else inner
        extents = tuple(self.atom(e, let) for e in shape)
        self.out.append(Let(before, "empty", extents, {"dtype": type.dtype}, let.origin))
        self.slots.append(Carried(before, inner, end, result))
        hoister.rotating.add(result)
        for value in (before, inner, result):
            hoister.shapes.arrays[value] = shape
        checks = [] if made in hoister.made else self.checks(shape, let)
        hoister.made.add(before)
        return checks if inner is made else [*checks, *filled(let, inner, extents)]

    def atom(self, extent: Extent, let: Let) -> Atom:
        """An extent before the loop, where it must not be negative."""
        if extent not in self.atoms:
            self.atoms[extent] = self.made_atom(extent, let)
        return self.atoms[extent]

    def made_atom(self, extent: Extent, let: Let) -> Atom:
        if isinstance(extent, Constant):
            return extent
        if extent in self.hoister.known:
            return self.hoister.known[extent]
        if isinstance(extent, tuple):
            value = Value("n", INT)
            self.out.append(Let(value, "dim", (extent[0],), {"axis": extent[1]}, let.origin))
            self.hoister.shapes.ints[value] = extent
            return value
        value = Value("size", INT)
        self.out.append(Let(value, "maximum", (integer(0), extent), {}, let.origin))
        return value

    def checks(self, shape: Shape, let: Let) -> list[Statement]:
        """NumPy's error for a negative extent, where the array was made."""
        body: list[Statement] = []
        for extent in shape:
            if not self.hoister.is_natural(extent) and extent not in self.checked:
                assert isinstance(extent, Value)
                self.checked.add(extent)
                negative = Value("negative", BOOL)
                body.append(Let(negative, "less", (extent, integer(0)), {}, let.origin))
                body.append(Branch(negative, (_NEGATIVE,), (), (), let.origin))
        return body


# --- contents ------------------------------------------------------------------------------------


def filled(let: Let, array: Value, extents: tuple[Atom, ...]) -> list[Statement]:
    """Loops that write into `array` what `let` would make."""
    indices = tuple(Value("k", INT) for _ in extents)

    def level(axis: int, array: Value) -> tuple[list[Statement], Value]:
        if axis == len(indices):
            return _written(let, array, indices)
        inner = Value(array.name, array.type)
        body, end = level(axis + 1, inner)
        result = Value(array.name, array.type) if axis else let.result
        return [Loop(indices[axis], integer(0), extents[axis], integer(1),
                     (Carried(array, inner, end, result),), tuple(body), origin=let.origin)], result

    return level(0, array)[0]


def _written(let: Let, array: Value, indices: tuple[Value, ...]) -> tuple[list[Statement], Value]:
    index = {"index": ("int",) * len(indices)}
    body: list[Statement] = []
    type = Scalar(array.type.dtype)
    item: Atom
    if let.op == "copy":
        item = Value("t", type)
        body.append(Let(item, "load", (let.args[0], *indices), index, let.origin))
    else:
        item = let.args[0] if let.op == "full" else number(int(let.op == "ones"), type)
    end = Value(array.name, array.type)
    body.append(Let(end, "update", (array, *indices, item), index, let.origin))
    return body, end
