"""Which single-use temporaries are printed inside the expression that reads them.

    before:  t = multiply(y, z)          after:  x = x + y * z
             x = add(x, t)

A temporary is a value that nobody named: its name is in `TEMPORARY`, or that with `_bar` or
`_dot`. It is folded where it has one use, in the same block, where the expression stays short, and
where no write to an array that it reads lies between the two. A user's variable keeps its own line.
Three named values are folded too, because people write them so: a contribution to the adjoint of
the same name (`x_bar += ...`), a view that is copied at once (`g = u[1:-1].copy()`), and a scalar
adjoint that is only returned.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from retrograd.ir import families
from retrograd.ir.build import TEMPORARY
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Effect,
    Function,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
    walk,
)
from retrograd.ir.types import Scalar
from retrograd.optimise.storage_positions import Positions, Region
from retrograd.optimise.storage_sharing import TAKES_OVER, is_array, is_view

WIDTH = 88
_DEPTH = 12
# These print an operand more than once, or on several lines.
_READS_TWICE = frozenset({"push", "fmod"})
_PRINTED_ONCE = frozenset({"print", "check_divisor", "check_equal", "draw"})
_OPERATORS = frozenset({"add", "subtract", "multiply", "divide", "negative", "power", "matmul",
                        "load", "view", "less", "greater", "equal"})
# These go wrong, and with other words, where shapes are not as they should be.
_NEED_SHAPES = frozenset({"reshape", "matmul", "einsum", "load", "view", "take", "update",
                          "add_at", "concatenate", "broadcast_to"})
# An operand that may stay unevaluated must not be one whose evaluation reports an error.
_LAZY = frozenset({"where", "logical_and", "logical_or"})


def is_temporary(name: str) -> bool:
    """Whether a value of this name is one that the compiler made for itself."""
    while name.endswith(("_bar", "_dot")):
        name = name[:-4]
    return name in TEMPORARY


def folded_values(function: Function, positions: Positions, accumulations: Collection[Let],
                  reverse: int | None = None) -> dict[Value, Let]:
    """The statements that are printed inside another, by the value that they define.

    `reverse` is the index of the first statement of the reverse sweep, if there is one: it takes
    the shapes for checked, so an operation that reports an error is printed before it.
    """
    sweep = positions.body.end if reverse is None or reverse == len(function.body) \
        else positions.statement[function.body[reverse]]
    folder = _Folder(positions, accumulations, _writes(function, positions, accumulations),
                     _covered(function), sweep)
    folder.returns(function, folder.block(function.body))
    return folder.folded


def _covered(function: Function) -> frozenset[Value]:
    return frozenset(s.static["covers"] for s in walk(function.body)
                     if isinstance(s, Effect) and s.static.get("covers") is not None)


# --- where memory is written -------------------------------------------------------------------


@dataclass(eq=False, slots=True)
class _Writes:
    """For every array the places of writes to memory that it may look into.

    Coarse on purpose: everything that can ever be connected is one family.
    """

    parent: dict[Value, Value] = field(default_factory=dict)
    places: dict[Value, list[int]] = field(default_factory=dict)

    def family(self, value: Value) -> Value:
        return families.root(self.parent, value)

    def join(self, *atoms: Atom) -> None:
        values = [a for a in atoms if isinstance(a, Value) and is_array(a)]
        for value in values[1:]:
            self.parent[self.family(value)] = self.family(values[0])

    def between(self, value: Value, start: int, stop: int) -> bool:
        places = self.places.get(self.family(value), [])
        k = bisect_right(places, start)
        return k < len(places) and places[k] < stop


def _writes(function: Function, positions: Positions, accumulations: Collection[Let]) -> _Writes:
    writes = _Writes()
    written: list[tuple[int, Value]] = []
    for statement in walk(function.body):
        match statement:
            case Let(op=op, args=args, result=result):
                takes_over = op in TAKES_OVER or statement in accumulations
                if takes_over or op == "let" or is_view(statement):
                    writes.join(args[0], result)
                if takes_over:
                    written.append((positions.statement[statement], result))
            case Loop() | While():
                for c in statement.carried:
                    writes.join(c.inner, c.init, c.next, c.result)
            case Branch():
                for j in statement.joins:
                    writes.join(j.result, j.then, j.otherwise)
    for place, value in sorted(written, key=lambda item: item[0]):
        writes.places.setdefault(writes.family(value), []).append(place)
    return writes


# --- folding -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Tree:
    """A statement with one use, as the expression that it would be."""

    let: Let
    place: int
    width: int
    depth: int
    arrays: tuple[Value, ...]
    reports: bool                # whether NumPy's own error in it stands for a check


Trees = dict[Value, _Tree]


@dataclass(eq=False, slots=True)
class _Folder:
    positions: Positions
    accumulations: Collection[Let]
    writes: _Writes
    covered: frozenset[Value]
    sweep: int                   # where the reverse sweep starts
    folded: dict[Value, Let] = field(default_factory=dict)
    noisy: list[int] = field(default_factory=list)

    def block(self, block: Block, ends: Sequence[Atom] = (), place: int = 0) -> Trees:
        """Fold what can be folded in this block; `ends` is what is printed at its end."""
        trees: Trees = {}
        for statement in block:
            self.statement(statement, trees)
        self.into(ends, place, 8, trees)
        return trees

    def statement(self, statement: Statement, trees: Trees) -> None:
        place = self.positions.statement[statement]
        inside = self.positions.inside[statement]
        match statement:
            case Let():
                self.let(statement, place, trees)
            case Loop():
                self.into((statement.start, statement.stop, statement.step), place, 20, trees)
                self.loop(statement, inside[0])
            case While():
                self.block(statement.test, (statement.condition,), inside[0].end)
                self.block(statement.body)
            case Branch():
                self.into((statement.test,), place, 8, trees)
                self.block(statement.then)
                self.block(statement.otherwise)
            case Raise():
                self.into([p for p in statement.message if not isinstance(p, str)], place, 40,
                          trees)
                self.noisy.append(place)
            case Effect():
                if statement.kind in _PRINTED_ONCE:
                    self.into(statement.args, place, 30, trees)
                self.noisy.append(place)

    def loop(self, loop: Loop, region: Region) -> None:
        """`leave` is tested after the carried values have moved on, so it must not read them."""
        trees = self.block(loop.body)
        if isinstance(loop.leave, Value) and loop.leave in trees:
            tree = trees[loop.leave]
            inners = {c.inner for c in loop.carried}
            if inners.isdisjoint(self.leaves(tree.let)):
                self.into((loop.leave,), region.end, 8, trees)

    def leaves(self, let: Let) -> set[Value]:
        """The values that the expression of a statement reads."""
        found: set[Value] = set()
        for atom in let.args:
            if isinstance(atom, Value):
                found |= self.leaves(self.folded[atom]) if atom in self.folded else {atom}
        return found

    def let(self, let: Let, place: int, trees: Trees) -> None:
        width, depth, reports = _own_width(let), 0, let.result in self.covered
        if place >= self.sweep and _needs_shapes(let):
            self.noisy.append(place)
        arrays = [a for a in let.args if isinstance(a, Value) and is_array(a)]
        for k, atom in enumerate(let.args):
            tree = trees.get(atom) if isinstance(atom, Value) else None
            if tree is not None and self.wanted(tree, let, k) and width + tree.width <= WIDTH \
                    and self.allowed(tree, place):
                self.take(tree, trees)
                width, depth = width + tree.width, max(depth, tree.depth + 1)
                arrays += tree.arrays
                reports |= tree.reports
            else:
                width += _width(atom)
        if depth < _DEPTH and self.printable_inside(let):
            trees[let.result] = _Tree(let, place, width, depth, tuple(arrays), reports)

    def printable_inside(self, let: Let) -> bool:
        return (len(self.positions.uses.get(let.result, ())) == 1
                and let.op not in TAKES_OVER and let.op != "opaque"
                and let not in self.accumulations)

    def wanted(self, tree: _Tree, reader: Let, k: int) -> bool:
        """Whether this argument of `reader` may and should be an expression."""
        if reader.op in _READS_TWICE or reader.op == "dim" or (tree.reports and reader.op in _LAZY):
            return False
        if k == 0 and (reader.op in TAKES_OVER or reader in self.accumulations):
            return False
        name = tree.let.result.name
        if is_temporary(name):
            return True
        same = name == reader.result.name
        contribution = reader.op == "add" and k == 1 and name.endswith("_bar")
        return same and (contribution or (reader.op == "copy" and is_view(tree.let)))

    def allowed(self, tree: _Tree, place: int) -> bool:
        """Whether the expression has the same value, or error, where it is read."""
        k = bisect_right(self.noisy, tree.place)
        if tree.reports and k < len(self.noisy) and self.noisy[k] < place:
            return False
        return not any(self.writes.between(a, tree.place, place) for a in tree.arrays)

    def take(self, tree: _Tree, trees: Trees) -> None:
        self.folded[tree.let.result] = tree.let
        del trees[tree.let.result]

    def into(self, atoms: Sequence[Atom], place: int, width: int, trees: Trees) -> None:
        """Fold temporaries into a statement that is not a `Let`."""
        width += sum(_width(atom) + 2 for atom in atoms)
        for atom in atoms:
            tree = trees.get(atom) if isinstance(atom, Value) else None
            if tree is not None and is_temporary(tree.let.result.name) \
                    and width + tree.width <= WIDTH and self.allowed(tree, place):
                self.take(tree, trees)
                width += tree.width - _width(atom)

    def returns(self, function: Function, trees: Trees) -> None:
        """The return line: temporaries, and adjoints of scalars that are only returned."""
        width = sum(_width(atom) + 2 for atom in function.returns)
        for atom in function.returns:
            tree = trees.get(atom) if isinstance(atom, Value) else None
            if tree is None or not self.allowed(tree, self.positions.body.end):
                continue
            name = tree.let.result.name
            scalar = name.endswith("_bar") and isinstance(atom.type, Scalar)
            if (scalar or is_temporary(name)) and width + tree.width <= WIDTH:
                self.take(tree, trees)
                width += tree.width - _width(atom)


def _needs_shapes(let: Let) -> bool:
    return let.op in _NEED_SHAPES or sum(map(is_array, let.args)) > 1


def _width(atom: Atom) -> int:
    return len(atom.name) if isinstance(atom, Value) else len(repr(atom.value))


def _own_width(let: Let) -> int:
    """About how many characters an operation takes besides its operands."""
    index = let.static.get("index", ())
    operator = 3 if let.op in _OPERATORS else 3 + len(let.op) + 2 * len(let.args)
    return operator + 2 * len(index)
