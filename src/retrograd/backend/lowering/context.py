"""What a lowered array is at present: in memory, or lazy; and when it must go to memory.

A lazy array that reads A goes to memory before A is written, because afterwards A's old version
is gone. It also goes to memory where it would be evaluated again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from retrograd.backend.lowering.lazy import CHEAP, Lazy, array_type, identity, scalar, stored
from retrograd.backend.lowering.nest import empty, fill, put
from retrograd.backend.lowering.scope import Scope
from retrograd.backend.lowering.uses import END, Uses
from retrograd.ir.foreign import Foreign
from retrograd.ir.nodes import Atom, Constant, Let, Value
from retrograd.ir.types import Array
from retrograd.optimise.storage_parts import Parts

Lowered = Atom | Lazy
Handler = Callable[["Context", Scope, Let], Lowered]
DEEPEST = 60          # operations, one in another, in a lazy array: bounds recursion


@dataclass(frozen=True, slots=True, eq=False)
class Called:
    """The arguments of a call of an opaque function in a block: what they were (`seen`) when they
    were put in memory, and where they are."""

    seen: tuple[Lowered, ...]
    args: tuple[Atom, ...]


class Context:
    """One run of lowering: which lazy arrays wait for which arrays in memory."""

    def __init__(self, uses: Uses, parts: Parts) -> None:
        self.uses = uses
        self.parts = parts
        self.written = frozenset(let.args[0] for let in parts.writes)
        self.before: dict[Value, Value] = {}
        self.waiting: dict[Value, dict[Value, tuple[Lazy, Scope]]] = {}
        self.sources: dict[Value, list[Value]] = {}
        self.buffers: dict[Value, Value] = {}
        self.calls: dict[tuple[Scope, Foreign, tuple[Atom, ...]], Called] = {}

    def shows(self, made: Value, array: Value) -> None:
        """`made` is `array` in another shape."""
        self.buffers[made] = self.buffer(array)

    def buffer(self, array: Value) -> Value:
        """The array in whose memory this one is."""
        return self.buffers.get(array, array)

    # --- parts that are written in their array --------------------------------------------------

    def part(self, scope: Scope, let: Let) -> Lazy | None:
        """The part of an array in memory that is written in place, if a write is to one."""
        if let not in self.parts.writes:
            return None
        root = scope.find(self.parts.writes[let])
        part = self.operand(scope, let.args[0])
        here = isinstance(root, Value) and isinstance(root.type, Array) \
            and root.type.layout == "C" and self.is_version(part.array, root)
        return part if here else None

    def is_piece(self, let: Let) -> bool:
        """Whether a reshape shows a part, in one piece, that is written in its array."""
        return let.result in self.written and isinstance(let.args[0].type, Array) \
            and let.args[0].type.layout == "C"

    def wrote(self, array: Value, new: Value) -> None:
        """`new` is `array` with a part of it written, or in another shape for that."""
        self.before[new] = array

    def is_version(self, array: Value | None, first: Value) -> bool:
        """Whether an array is another one after writes into parts of it."""
        while array is not None and array is not first:
            array = self.before.get(array)
        return array is first

    # --- reading -----------------------------------------------------------------------------

    def atom(self, scope: Scope, atom: Atom) -> Atom:
        """A scalar operand."""
        if isinstance(atom, Constant):
            return atom
        found = scope.lookup(atom)
        if isinstance(found, Lazy) or isinstance(found.type, Array):
            return self.operand(scope, atom).at(scope, ())
        return found  # type: ignore[no-any-return]

    def operand(self, scope: Scope, atom: Atom) -> Lazy:
        """Any operand, as something whose elements can be asked for."""
        if isinstance(atom, Constant):
            return scalar(atom)
        found = scope.lookup(atom)
        if isinstance(found, Lazy):
            return found
        return stored(scope, found) if isinstance(found.type, Array) else scalar(found)

    # --- writing down ------------------------------------------------------------------------

    def define(self, scope: Scope, source: Value, lowered: Lowered) -> None:
        """From here on `source` is this; a lazy array is put in memory where it has to be."""
        if isinstance(lowered, Lazy):
            if not self._stays_lazy(source, lowered):
                lowered = self._made(scope, lowered, source.name, scope.position)
            else:
                for array in lowered.reads:
                    self.waiting.setdefault(self.buffer(array), {})[source] = (lowered, scope)
        self.bind(scope, source, lowered)

    def bind(self, scope: Scope, source: Value, lowered: Lowered) -> None:
        scope.env[source] = lowered
        if isinstance(lowered, Value) and isinstance(lowered.type, Array):
            self.sources.setdefault(lowered, []).append(source)

    def _stays_lazy(self, source: Value, lazy: Lazy) -> bool:
        return lazy.depth < DEEPEST and (lazy.free or self.uses.once(source))

    def flush(self, scope: Scope, arrays: Iterable[Value], position: int,
              but: Collection[Atom] = ()) -> None:
        """Before these arrays are written: what still reads them later goes to memory."""
        for array in arrays:
            for source, (lazy, home) in self.waiting.pop(self.buffer(array), {}).items():
                if home is scope and source not in but and scope.env.get(source) is lazy \
                        and self.uses.last.get(source, -1) >= position:
                    scope.env[source] = materialise(scope, lazy, source.name)

    # --- memory ------------------------------------------------------------------------------

    def in_memory(self, scope: Scope, atom: Atom) -> Value:
        """The operand as an array in memory, in C order."""
        return self._value(scope, self.operand(scope, atom), atom, "C")

    def for_library(self, scope: Scope, atom: Atom, dtype: str) -> Value:
        """The operand as a contiguous array of this dtype; a real view where one will do."""
        lazy = self.operand(scope, atom)
        if lazy.type.dtype != dtype:
            return materialise(scope, converted(lazy, dtype), _name(atom))
        return self._value(scope, lazy, atom, "CF")

    def _value(self, scope: Scope, lazy: Lazy, atom: Atom, layouts: str) -> Value:
        if lazy.contiguous is not None and lazy.layout in layouts:
            return lazy.contiguous(scope)
        return materialise(scope, lazy, _name(atom))

    def owned(self, scope: Scope, atom: Atom) -> Value:
        """The operand as an array in C order whose memory may be taken over."""
        if isinstance(atom, Value):
            found = scope.lookup(atom)
            if isinstance(found, Value) and isinstance(found.type, Array) \
                    and found.type.layout == "C":
                return found
            if isinstance(found, Lazy) and found.whole is not None:
                return found.whole(scope)
        return self._made(scope, self.operand(scope, atom), _name(atom), scope.position - 1)

    def _made(self, scope: Scope, lazy: Lazy, name: str, position: int) -> Value:
        """The elements in memory: in that of an array that is read for the last time, element by
        element in the same order, or else in fresh memory."""
        for array, how in lazy.reads.items():
            if not lazy.free and how == identity(lazy.rank) and array.type == lazy_type(lazy) \
                    and scope.facts.of(array) == lazy.extents \
                    and self._ends_here(scope, array, position):
                return _filled(scope, array, lazy, name)
        return materialise(scope, lazy, name)

    def _ends_here(self, scope: Scope, array: Value, position: int) -> bool:
        """Whether an array that this block owns is not read after the statement at `position`."""
        def over(source: Value) -> bool:
            last = self.uses.last.get(source, -1)
            return last <= position and last != END

        names = self.sources.get(array, [])
        if not names or not all(s in scope.env and over(s) for s in names):
            return False
        return all(over(s) for s, (lazy, home) in self.waiting.get(array, {}).items()
                   if home.env.get(s) is lazy)

    def repeatable(self, scope: Scope, lazy: Lazy, name: str = "t") -> Lazy:
        """The same elements, cheap enough to be asked for many times."""
        if lazy.free or (lazy.cost <= CHEAP and not lazy.loops):
            return lazy
        return stored(scope, materialise(scope, lazy, name))


def materialise(scope: Scope, lazy: Lazy, name: str) -> Value:
    """A fresh array with these elements."""
    if lazy.make is not None:
        return lazy.make(scope, name)
    return _filled(scope, empty(scope, lazy.extents, lazy.type.dtype, name), lazy, name)


def _filled(scope: Scope, base: Value, lazy: Lazy, name: str) -> Value:
    return fill(scope, base, lazy.extents,
                lambda s, array, i: put(s, array, i, lazy.at(s, i)), name)


def lazy_type(lazy: Lazy) -> Array:
    """The type of the array in memory."""
    return array_type(lazy.type.dtype, lazy.extents)


def converted(lazy: Lazy, dtype: str) -> Lazy:
    """The elements in another dtype."""
    if lazy.type.dtype == dtype:
        return lazy
    return Lazy(array_type(dtype, lazy.extents, "A"), lazy.extents,
                lambda s, i: s.cast(lazy.at(s, i), dtype), lazy.reads, lazy.cost + 0.5,
                loops=lazy.loops, depth=lazy.depth + 1)


def _name(atom: Atom) -> str:
    return atom.name if isinstance(atom, Value) else "t"
