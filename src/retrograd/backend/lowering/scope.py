"""Where lowered statements go: a builder that shares what it has and moves out what does not vary.

    before (asked for in the body of a loop over i)      after
    n = dim(a, 0); t = load(b, 0); u = load(a, i)        n, t before the loop; u in it

A `Scope` is the block of the user's program or of a loop that lowering itself makes. The latter is
*movable*: what does not depend on its index is emitted before the loop. That is right because
lowering reads only inside the extents of arrays and evaluates only pure operations.
"""

from __future__ import annotations

from typing import Any

from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent, Root, Term
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Atom, Constant, Let, Statement, Value, defined, integer
from retrograd.ir.operations import OPERATIONS

_SHARED = frozenset({"dim", "load", "view", "transpose", "reshape"})


class Scope(Builder):
    """One block of the lowered program, inside its parents.

    `env` maps values of the source to what they have become here.
    """

    def __init__(self, facts: Facts | None = None, parent: Scope | None = None,
                 movable: bool = False) -> None:
        super().__init__(facts, checks=False)
        self.parent = parent
        self.movable = movable
        self.nesting: int = 0 if parent is None else parent.nesting
        self.position = 0            # of the statement of the source that is being lowered
        self.here: set[Value] = set()
        self.env: dict[Value, Any] = {}
        self._known: dict[tuple[Any, ...], Atom] = {}
        self._current: dict[Value, Value] = {}

    def inner(self, movable: bool = False, loop: bool = False) -> Scope:
        scope = Scope(self.facts, self, movable)
        scope.origin = self.origin
        scope._defined = self._defined
        scope.nesting += loop
        return scope

    def append(self, statement: Statement) -> None:
        super().append(statement)
        self.here.update(defined(statement))

    def keep(self, let: Let, args: tuple[Atom, ...]) -> None:
        """A statement of the source with its operands as they are now."""
        static = dict(let.static)
        self.append(Let(let.result, let.op, args, let.static, let.origin))
        if let.result.type.dtype == "int64":
            self.facts.note_integer(let.op, let.result, args, static)

    # --- sharing and moving ------------------------------------------------------------------

    def let(self, op: str, *args: Atom, name: str = "t", weak: bool | None = None,
            **static: Any) -> Atom:
        if op == "load" and isinstance(args[0], Value):
            args = (self.current(args[0]), *args[1:])
        if op not in _SHARED and OPERATIONS[op].family != "elementwise":
            return super().let(op, *args, name=name, weak=weak, **static)
        key = (op, args, weak, tuple(static.items()))
        found = self.recall(key)
        if found is None:
            home = self._home(args)
            found = Builder.let(home, op, *args, name=name, weak=weak, **static)
            home.remember(key, found)
        return found

    def recall(self, key: tuple[Any, ...]) -> Atom | None:
        scope: Scope | None = self
        while scope is not None:
            if key in scope._known:
                return scope._known[key]
            scope = scope.parent
        return None

    def remember(self, key: tuple[Any, ...], atom: Atom) -> None:
        self._known[key] = atom

    def _home(self, args: tuple[Atom, ...]) -> Scope:
        """The outermost scope, within the nest, in which these atoms are visible."""
        scope = self
        while scope.movable and scope.parent is not None and not any(
                isinstance(a, Value) and a in scope.here for a in args):
            scope = scope.parent
        return scope

    # --- versions of the array that a nest writes --------------------------------------------

    def current(self, array: Value) -> Value:
        """The version of an array that is read here, inside nests that write it in place."""
        if self.parent is not None:
            array = self.parent.current(array)
        return self._current.get(array, array)

    def carries(self, init: Value, inner: Value) -> None:
        self._current[init] = inner

    # --- values of the source ----------------------------------------------------------------

    def lookup(self, value: Value) -> Any:
        found = self.find(value)
        if found is None:
            raise KeyError(value)
        return found

    def find(self, value: Value) -> Any:
        """What a value has become, or None where it is not known here."""
        scope: Scope | None = self
        while scope is not None:
            if value in scope.env:
                return scope.env[value]
            scope = scope.parent
        return None

    def sees(self, extent: Extent) -> bool:
        """Whether what an extent is made of is visible here."""
        return all(self._sees(term) for term, _ in extent.terms)

    def _sees(self, term: Term) -> bool:
        if not isinstance(term, Root):
            return all(self.sees(a) for a in term.args)
        scope: Scope | None = self
        while scope is not None:
            if term.value in scope.here:
                return True
            scope = scope.parent
        return False

    # --- arithmetic on indices ---------------------------------------------------------------

    def plus(self, a: Atom, b: Atom) -> Atom:
        if _is(a, 0):
            return b
        if _is(b, 0):
            return a
        if isinstance(b, Constant) and b.value.real < 0:
            return self.let("subtract", a, integer(-int(b.value.real)), name="k")
        return self.let("add", a, b, name="k")

    def minus(self, a: Atom, b: Atom) -> Atom:
        return a if _is(b, 0) else self.let("subtract", a, b, name="k")

    def times(self, a: Atom, b: Atom) -> Atom:
        if _is(a, 1):
            return b
        if _is(b, 1):
            return a
        return integer(0) if _is(a, 0) or _is(b, 0) else self.let("multiply", a, b, name="k")

    def wrapped(self, index: Atom, extent: Atom) -> Atom:
        """A valid index counted from the front."""
        if isinstance(index, Constant):
            return index if index.value.real >= 0 else self.plus(extent, index)
        negative = self.let("less", index, integer(0), name="negative")
        return self.let("where", negative, self.plus(index, extent), index, name="k")


def _is(atom: Atom, number: int) -> bool:
    return isinstance(atom, Constant) and atom.value == number
