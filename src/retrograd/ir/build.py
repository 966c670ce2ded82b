"""The builder: appends typed statements to a block, inferring types, shapes and checks.

`let` is the one way to make an operation. It promotes (a weak operand is cast where compiled
code would promote differently), computes the result's type and extents, folds scalar operations
on constants, and inserts a check where two extents must be equal and may not be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from retrograd.errors import Span
from retrograd.ir.extents import Extent, Opaque, Root, Term, root, substituted
from retrograd.ir.facts import Facts
from retrograd.ir.index import FULL, Index, Slice
from retrograd.ir.nodes import Atom, Block, Constant, Effect, Let, Statement, Value, integer, number
from retrograd.ir.operations import OPERATIONS, Query
from retrograd.ir.types import Array, Scalar, Type, is_complex, kind, promote, strong_promotion

TEMPORARY = frozenset({"t", "n", "size"})      # names of values that the user has not named


class Builder:
    """Appends statements to one block; `inner()` opens a block inside it.

    `resolve` says what stands for a value that an extent mentions (in the reverse sweep, values
    of the forward sweep's loops are not visible).
    """

    def __init__(self, facts: Facts | None = None, checks: bool = True) -> None:
        self.facts = Facts() if facts is None else facts
        self.checks = checks
        self.statements: list[Statement] = []
        self.origin: Span | None = None
        self.resolve: Callable[[Value], Atom] = lambda value: value
        self._defined: dict[Value, Let] = {}
        self._here: set[Value] = set()

    def inner(self) -> Builder:
        builder = Builder(self.facts.inner(), self.checks)
        builder.origin = self.origin
        builder.resolve = self.resolve
        builder._defined = self._defined
        return builder

    def beside(self) -> Builder:
        """A builder for another part of the same block."""
        builder = self.inner()
        builder._here = self._here
        return builder

    @property
    def block(self) -> Block:
        return tuple(self.statements)

    @contextmanager
    def at(self, origin: Span | None) -> Iterator[None]:
        """Statements made inside come from `origin`."""
        before, self.origin = self.origin, origin
        try:
            yield
        finally:
            self.origin = before

    @contextmanager
    def unchecked(self) -> Iterator[None]:
        """What is made inside has been made before, or cannot fail: nothing has to be checked."""
        before, self.checks = self.checks, False
        try:
            yield
        finally:
            self.checks = before

    def append(self, statement: Statement) -> None:
        self.statements.append(statement)
        if isinstance(statement, Let):
            self._defined[statement.result] = statement
            self._here.add(statement.result)

    def definition(self, atom: Atom) -> Let | None:
        """The statement that made a value, where this builder or an outer one made it."""
        return self._defined.get(atom) if isinstance(atom, Value) else None

    def made_here(self, value: Value) -> bool:
        """Whether a statement of this very block, not of one around it, made a value."""
        return value in self._here

    # --- operations --------------------------------------------------------------------------

    def let(self, op: str, *args: Atom, name: str = "t", weak: bool | None = None,
            **static: Any) -> Atom:
        """Append `name = op(args)` and return its value (a constant where it can be folded)."""
        if op == "cast" and is_complex(args[0].type) and not static["dtype"].startswith("complex"):
            return self._real_cast(args[0], static["dtype"], name, weak)
        operation = OPERATIONS[op]
        if operation.family in ("elementwise", "contraction") or op in ("array", "concatenate"):
            args = self._promoted(op, args)
        if weak is None:
            weak = op == "dim" or all(_is_weak(a) for a in args)
        folded = self._fold(op, args, static, weak)
        if folded is not None:
            return folded
        before = len(self.statements)
        type, extents = self._infer(op, args, static, weak)
        result = Value(name, type)
        if len(self.statements) > before:
            self._cover(op, before, result)
        let = Let(result, op, args, static, self.origin)
        self.append(let)
        self._note(let, extents)
        return result

    def adopt_let(self, let: Let) -> None:
        """Append a statement that was made before, with what is known of its result."""
        _, extents = self._infer(let.op, let.args, dict(let.static), False)
        self.append(let)
        self._note(let, extents)

    def _note(self, let: Let, extents: tuple[Extent | None, ...]) -> None:
        result = let.result
        if isinstance(result.type, Array):
            self.facts.extents[result] = tuple(
                root(result, axis) if e is None else e for axis, e in enumerate(extents))
        elif result.type.dtype == "int64":
            self.facts.note_integer(let.op, result, let.args, let.static)

    def renamed(self, value: Value, name: str) -> Value:
        """Give the value of the last statement another name, where that statement just made it
        and nobody can have read it."""
        last = self.statements[-1] if self.statements else None
        if not isinstance(last, Let | Effect) or last.result is not value \
                or value.name not in TEMPORARY:
            return value
        new = Value(name, value.type)
        self.statements.pop()
        for k in range(len(self.statements) - 1, -1, -1):
            before = self.statements[k]
            if not isinstance(before, Effect) or before.static.get("covers") is not value:
                break
            self.statements[k] = Effect(before.kind, before.args,
                                        {**before.static, "covers": new}, before.origin)
        self.append(replace(last, result=new))
        old: dict[Term, Extent] = {
            Root(value, axis): root(new, axis) for axis in range(value.type.rank)}
        if value in self.facts.extents:
            self.facts.extents[new] = tuple(
                substituted(e, old) for e in self.facts.extents[value])
        if value in self.facts.integers:
            self.facts.integers[new] = self.facts.integers[value]
        return new

    def retyped(self, value: Value, type: Scalar) -> Value:
        """The scalar as weak or strong: a name for it with that type."""
        result = Value(value.name, type)
        self.append(Let(result, "let", (value,), {}, self.origin))
        if value in self.facts.integers:
            self.facts.integers[result] = self.facts.integers[value]
        return result

    def _promoted(self, op: str, args: tuple[Atom, ...]) -> tuple[Atom, ...]:
        """Casts for weak operands that compiled code would not treat as weak."""
        first = 1 if op == "where" else 0
        values = args[first:]
        if op in ("cast", "strong") or not values:
            return args
        common, _ = promote(a.type for a in values)
        if strong_promotion(a.type for a in values) == common:
            return args
        return (*args[:first], *(self.cast(a, common) if _is_weak(a) else a for a in values))

    def cast(self, atom: Atom, dtype: str) -> Atom:
        """The atom in another dtype; a constant changes its type."""
        if atom.type.dtype == dtype and not _is_weak(atom):
            return atom
        if isinstance(atom, Constant):
            value = atom.value.real if kind(dtype) in "if" else atom.value
            return number(np.dtype(dtype).type(value).item(), Scalar(dtype))
        if atom.type.dtype == dtype:
            return atom
        return self.let("cast", atom, name=atom.name, weak=False, dtype=dtype)

    def _real_cast(self, atom: Atom, dtype: str, name: str, weak: bool | None) -> Atom:
        """A complex number as a real one is its real part, as a bool whether it is not 0."""
        if dtype == "bool":
            return self.let("not_equal", atom, number(0, Scalar(atom.type.dtype)), name=name,
                            weak=weak)
        part = self.let("real", atom, name=name, weak=weak)
        return part if part.type.dtype == dtype else self.let(
            "cast", part, name=name, weak=weak, dtype=dtype)

    def _infer(self, op: str, args: tuple[Atom, ...], static: dict[str, Any],
               weak: bool) -> tuple[Type, tuple[Extent | None, ...]]:
        operation = OPERATIONS[op]
        query = self.query(args, static)
        extents = operation.shape(query)
        dtype = operation.dtype(query)
        if not extents and not (operation.is_array and operation.is_array(query)):
            return Scalar(dtype, weak), ()
        dims = tuple(1 if e is not None and e.known == 1 else None for e in extents)
        return Array(dtype, dims, _layout(op, args, static)), extents

    def query(self, args: Sequence[Atom], static: dict[str, Any]) -> Query:
        return Query(tuple(a.type for a in args), tuple(self.facts.of(a) for a in args), static,
                     lambda k: self.facts.integer(args[k]), self.require_equal,
                     self.facts.least)

    def _fold(self, op: str, args: tuple[Atom, ...], static: dict[str, Any],
              weak: bool) -> Constant | None:
        """Scalar operations on constants, where the result is a finite number."""
        if OPERATIONS[op].family != "elementwise" or not all(
                isinstance(a, Constant) for a in args):
            return None
        query = self.query(args, static)
        dtype = OPERATIONS[op].dtype(query)
        values = [np.dtype(a.type.dtype).type(a.value) for a in args if isinstance(a, Constant)]
        with np.errstate(all="ignore"):
            if op in ("floor_divide", "remainder") and not values[1]:
                return None
            if op == "power" and dtype == "int64" and values[1] < 0:
                return None
            result = OPERATIONS[op].evaluate(*values, **static)
        if not np.isfinite(result) or _overflows(op, args, result):
            return None
        return number(result.item() if hasattr(result, "item") else result, Scalar(dtype, weak))

    def check_index(self, index: Atom, extent: Extent, axis: int, covers: Value | None) -> None:
        """Check an int index, before the last statement where that defines `covers`."""
        self._check("check_index", index, extent, axis, covers)
        self.facts.checked.add((self.facts.integer(index), extent))

    def check_bounds(self, indices: Atom, extent: Extent, axis: int,
                     covers: Value | None) -> None:
        """Check an integer array's elements, like `check_index`."""
        self._check("check_bounds", indices, extent, axis, covers)

    def _check(self, kind: str, index: Atom, extent: Extent, axis: int,
               covers: Value | None) -> None:
        last = None if covers is None else self.statements.pop()
        static: dict[str, Any] = {"axis": axis}
        if covers is not None:
            static["covers"] = covers
        self.statements.append(Effect(kind, (index, self.atom_of(extent)), static, self.origin))
        if last is not None:
            self.statements.append(last)

    def adopt(self, inner: Builder) -> None:
        """Append the statements of an inner builder's block to this one."""
        for statement in inner.statements:
            self.append(statement)

    def _cover(self, op: str, first: int, result: Value) -> None:
        """Say which of the checks just made NumPy's own operation makes in the same way: all but
        those of a broadcast between extents that may be 1 when the program runs."""
        for k in range(first, len(self.statements)):
            check = self.statements[k]
            if isinstance(check, Effect) and (OPERATIONS[op].family != "elementwise" or all(
                    self.never_one(a) for a in check.args[:2])):
                self.statements[k] = Effect(check.kind, check.args,
                                            {**check.static, "covers": result}, check.origin)

    def never_one(self, atom: Atom) -> bool:
        """Whether an extent is known not to be 1: a number, or an argument's."""
        extent = self.facts.integer(atom)
        if extent.known is not None:
            return extent.known != 1
        roots = [t for t, _ in extent.terms if isinstance(t, Root)]
        return (not extent.constant and len(extent.terms) == len(roots) == 1
                and roots[0].axis is not None and roots[0].value in self.facts.arguments)

    # --- extents -----------------------------------------------------------------------------

    def require_equal(self, a: Extent, b: Extent, exception: type[Exception],
                      message: Sequence[str | Extent]) -> None:
        """Insert a check that two extents are equal, unless that is known."""
        if not self.checks or self.facts.provably_equal(a, b):
            return
        atoms = [self.atom_of(a), self.atom_of(b)]
        parts: list[str | int] = []
        for part in message:
            if isinstance(part, str):
                parts.append(part)
            else:
                parts.append(len(atoms))
                atoms.append(self.atom_of(part))
        self.append(Effect("check_equal", tuple(atoms),
                           {"exception": exception, "message": tuple(parts)}, self.origin))
        self.facts.equate(a, b)

    def shape_atoms(self, atom: Atom) -> tuple[Atom, ...]:
        """The shape of an array as int atoms, computed without using the array itself
        where its extents are those of something else."""
        return tuple(self.atom_of(e) for e in self.facts.of(atom))

    def atom_of(self, extent: Extent) -> Atom:
        """An int atom for an extent; appends what computes it."""
        total: Atom | None = integer(extent.constant) if extent.constant or not extent.terms \
            else None
        for term, factor in extent.terms:
            value = self._term_atom(term)
            if abs(factor) != 1:
                value = self.let("multiply", integer(abs(factor)), value, name="size")
            if total is None:
                total = value if factor > 0 else self.let("negative", value, name="size")
            elif isinstance(total, Constant) and factor > 0:
                constant = int(total.value.real)
                total = self.let("add" if constant > 0 else "subtract", value,
                                 integer(abs(constant)), name="size")
            else:
                total = self.let("add" if factor > 0 else "subtract", total, value, name="size")
        assert total is not None
        return total

    def _term_atom(self, term: Term) -> Atom:
        if isinstance(term, Root):
            value = self.resolve(term.value)
            if term.axis is None or isinstance(value, Constant):
                return value
            return self.let("dim", value, name="n", axis=term.axis)
        assert isinstance(term, Opaque)
        op = {"max": "maximum", "min": "minimum", "multiply": "multiply",
              "floor_divide": "floor_divide"}[term.kind]
        total, *rest = (self.atom_of(a) for a in term.args)
        for other in rest:
            total = self.let(op, total, other, name="size")
        return total


def _overflows(op: str, args: tuple[Atom, ...], result: Any) -> bool:
    """Whether folding an int operation wrapped around."""
    if not isinstance(result, np.integer) or op not in ("add", "subtract", "multiply", "power"):
        return False
    functions: dict[str, Callable[[Any, Any], Any]] = {
        "add": lambda a, b: a + b, "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b, "power": pow}
    a, b = (x.value for x in args if isinstance(x, Constant))
    return bool(functions[op](a, b) != int(result))


def _is_weak(atom: Atom) -> bool:
    return isinstance(atom.type, Scalar) and atom.type.weak


def _layout(op: str, args: tuple[Atom, ...], static: dict[str, Any]) -> str:
    """The memory layout of a result: fresh arrays are C, views follow NumPy."""
    source = args[0].type if args else None
    if not isinstance(source, Array):
        return "C"
    if op in ("update", "add_at", "let", "push"):
        return source.layout
    if op == "reshape":
        return "C"
    if op == "transpose":
        reversed_axes = tuple(reversed(range(source.rank)))
        if static["axes"] == reversed_axes:
            return {"C": "F", "F": "C"}.get(source.layout, "A") if source.rank > 1 \
                else source.layout
        return "A"
    if op == "view" and source.layout == "C" and _contiguous(static["index"]):
        return "C"
    return "A" if op in ("view", "broadcast_to", "diagonal") else "C"


def _contiguous(index: Index) -> bool:
    """Whether a part of an array in C order is one piece of memory: ints, at most one slice
    without gaps, and then whole axes."""
    rest = [item for item in index if item != "new"]
    while rest and rest[0] == "int":
        rest = rest[1:]
    return all(item == FULL for item in rest[1:]) and (
        not rest or (isinstance(rest[0], Slice) and rest[0].step == 1))
