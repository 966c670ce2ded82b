"""What a loop carries from one iteration to the next, and out of it.

The body is traced with the types of the first iteration; where its end gives another type or
shape, it is traced again with what serves both.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from retrograd.frontend import cells, growing
from retrograd.frontend.after_loop import After, all_cells
from retrograd.frontend.branches import converted, default
from retrograd.frontend.growing import Growth, Steps
from retrograd.frontend.liveness import assigned
from retrograd.frontend.loop_ends import widened
from retrograd.frontend.loop_stores import check_lent, shares_more, stores_more
from retrograd.frontend.sharing import Key, Place, Sharing, grouped, handles_of, overlapping
from retrograd.frontend.things import (
    Base,
    Cell,
    Grown,
    Handle,
    Items,
    Lost,
    Maybe,
    Pairs,
    Thing,
    atom_of,
    leaves,
    with_leaves,
)
from retrograd.frontend.tracer import Tracer
from retrograd.ir.extents import root
from retrograd.ir.nodes import Atom, Carried, Constant, Value, alike, bound, defined, walk
from retrograd.ir.types import Array, Type

ATTEMPTS = 12
T = TypeVar("T")


@dataclass
class Slots:
    """The names that a loop carries from one iteration to the next, or out of it, and the lists
    whose content it changes.

    `initial` holds what is carried in; a name that is first assigned inside and read afterwards
    is only carried out, unless an iteration may read it from the one before. A name that an
    iteration binds to another list than it stood for is `opened`: the list is carried with it.
    """

    tracer: Tracer
    node: ast.For | ast.While
    syntax: list[ast.AST]
    steps: Steps | None = None
    initial: dict[Key, Thing] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    types: dict[Place, Type] = field(default_factory=dict)
    fresh: set[tuple[Key, int, int]] = field(default_factory=set)
    unbound: list[str] = field(default_factory=list)
    indices_outside: set[Value] = field(default_factory=set)
    inner_values: dict[Key, list[Value]] = field(default_factory=dict)
    results: dict[Key, list[Value]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    begun: dict[Key, Thing] = field(default_factory=dict)     # the names as an iteration starts
    ends: dict[Key, Thing] = field(default_factory=dict)      # and as it ends
    names: dict[Key, str] = field(default_factory=dict)       # of lists, as the user calls them
    opened: set[Key] = field(default_factory=set)
    own_cells: dict[Place, Cell] = field(default_factory=dict)
    cell_sharing: Sharing = field(default_factory=Sharing)
    growth: Growth = field(init=False)
    sharing: Sharing = field(default_factory=Sharing)
    kept: set[Place] = field(default_factory=set)             # names that stay what they are
    own: dict[Place, Base] = field(default_factory=dict)      # the memory of carried names
    written: set[Place] = field(default_factory=set)          # those written in an iteration
    contents: dict[Base, Value] = field(default_factory=dict)    # of other bases, as one starts
    content_types: dict[Base, Type] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frame = self.tracer.frame
        self.growth = Growth(self.tracer, self.steps)
        self.indices_outside = set(self.tracer.builder.facts.bounds)
        inside = frame.live_inside.get(self.node, frozenset())
        after = frame.live_after.get(self.node, frozenset())
        flag = frame.leave.get(self.node)
        for name in assigned(self.syntax):
            if name not in inside and name not in after and not (
                    name == flag and isinstance(self.node, ast.While)):
                continue
            if name in self.tracer.env:
                self.initial[name] = self.tracer.env[name]
            elif name not in inside:
                self.outputs.append(name)

    # --- tracing until the types are stable ------------------------------------------------------

    def trace(self, body: Callable[[Tracer], T]) -> tuple[T, Tracer]:
        """Trace the body until no type changes; gives what `body` gave and its tracer."""
        inside = self.tracer.frame.live_inside.get(self.node, frozenset())
        self.unbound = [name for name in assigned(self.syntax)
                        if name in inside and name not in self.tracer.env]
        for _ in range(ATTEMPTS):
            inner = self.tracer.inner()
            for name in assigned(self.syntax):
                inner.env.pop(name, None)
            self._begin(inner)
            result = body(inner)
            if not widened(self, inner) and not shares_more(self, inner) \
                    and not stores_more(self, inner):
                check_lent(self, inner)
                return result, inner
        self.tracer.refuse("the types of this loop's variables do not settle",
                           "give each variable one type before the loop", self.node)

    def _begin(self, inner: Tracer) -> None:
        """The names and the memory at the start of an iteration: what an iteration before it may
        have written is unknown to whoever may look into the same memory."""
        memory, facts = inner.memory, self.tracer.builder.facts
        memory.clock += 1
        for base in self.contents:
            before = self.tracer.memory.content(base)
            value = Value(before.name, self.content_types.get(base, before.type))
            facts.extents[value] = facts.of(before)
            self.contents[base] = memory.contents[base] = value
            memory.written[base] = memory.clock
        self.own = {}
        group: Pairs = set()
        self.own_cells = {}
        cell_group: set[frozenset[Cell]] = set()
        for key, thing in self.initial.items():
            self.begun[key] = begun = self._inner_thing(key, thing, memory.clock, group, inner)
            found = self._closed(inner, key, begun, cell_group)
            if isinstance(key, Cell):
                assert isinstance(found, (Items, Grown))
                memory.held[key] = found
            else:
                inner.env[key] = found
        grouped(self.own_cells, {*overlapping(self.cells_in(self.initial)),
                                 *self.cell_sharing.pairs}, cell_group)
        starts = handles_of(self.initial)
        grouped(self.own, {*overlapping(starts), *self.sharing.pairs}, group)
        for place in self.written:
            memory.written[self.own[place]] = memory.clock

    def _closed(self, inner: Tracer, key: Key, thing: Thing, group: set[frozenset[Cell]],
                ) -> Thing:
        """What a key stands for at the start of an iteration; lists that it may bring from the
        iteration before are lists of their own."""
        now = inner.memory.clock

        def new(cell: Cell) -> Cell:
            place = key, len([p for p in self.own_cells if p[0] == key])
            shares = self.cell_sharing.of(place) | {cell}
            self.own_cells[place] = Cell(shares, born=now, group=group)
            return self.own_cells[place]

        return cells.closed(inner, thing, new) if key in self.opened else thing

    def cells_in(self, things: Mapping[Key, Thing]) -> dict[Place, Cell]:
        """The lists that are carried with a name, by name and number."""
        return {(key, j): cell for key in self.opened if key in things
                for j, cell in enumerate(cells.cells_of(things[key]))}

    def opened_thing(self, tracer: Tracer, key: Key, thing: Thing) -> Thing:
        """A thing with the lists that are carried with it."""
        if key not in self.opened:
            return thing
        if isinstance(key, Cell):
            assert isinstance(thing, (Items, Grown))
            return cells.inside(tracer, thing)
        return cells.held(tracer, thing)

    def _inner_thing(self, name: Key, thing: Thing, now: int, group: Pairs, inner: Tracer,
                     ) -> Thing:
        """What the name stands for at the start of an iteration."""
        facts = self.tracer.builder.facts
        values: list[Value] = []

        def replace(leaf: Thing) -> Thing:
            atom = atom_of(leaf)
            assert atom is not None
            k = len(values)
            value = Value(growing.leaf_name(self.named(name), thing, k),
                          self.types.get((name, k), atom.type))
            values.append(value)
            if (name, k) in self.kept:
                return leaf
            if (name, k) in self.growth.counting:
                return self.growth.start((name, k), atom, inner)
            if isinstance(value.type, Array):
                facts.extents[value] = tuple(
                    root(value, axis) if (name, k, axis) in self.fresh else extent
                    for axis, extent in enumerate(facts.of(atom)))
                assert isinstance(leaf, Handle)
                base = Base(value, self.sharing.of((name, k)) | {leaf.base}, born=now, group=group)
                self.own[name, k] = base
                return Handle(value, base)
            return value

        result = with_leaves(thing, replace)
        self.inner_values[name] = values
        return result

    def named(self, key: Key) -> str:
        return key if isinstance(key, str) else self.names[key]

    def made_inside(self, inner: Tracer) -> set[Value]:
        """The values that an iteration computes, carries or counts."""
        made = set(inner.builder.facts.bounds) - self.indices_outside
        made.update(v for values in self.inner_values.values() for v in values)
        made.update(self.contents.values())
        for statement in walk(inner.builder.block):
            made.update((*defined(statement), *bound(statement)))
        return made

    # --- the finished loop -----------------------------------------------------------------------

    def carried(self, inner: Tracer) -> tuple[Carried, ...]:
        """The carried values; conversions go to the block before and to the body's end."""
        result: list[Carried] = []
        for name, thing in self.initial.items():
            self.results[name] = []
            pairs = zip(leaves(thing), self.inner_values[name], leaves(self.ends[name]),
                        strict=True)
            for k, (begin, value, end) in enumerate(pairs):
                if (name, k) in self.kept or (name, k) in self.growth.counting:
                    self.results[name].append(value)
                    continue
                first, last = self.tracer.atom(begin), inner.atom(end)
                assert first is not None and last is not None
                result.append(self._slot(name, converted(self.tracer.builder, first, value.type),
                                         value, converted(inner.builder, last, value.type)))
        for name in self.outputs:
            self.results[name] = []
            for leaf in leaves(self.ends[name]):
                last = inner.atom(leaf)
                assert last is not None
                value = Value(name, last.type)
                result.append(self._slot(name, default(self.tracer.builder, last.type), value,
                                         last, output=True))
        memory, facts = self.tracer.memory, self.tracer.builder.facts
        for base, value in self.contents.items():
            after = alike(value)
            facts.extents[after] = facts.of(value)
            result.append(Carried(memory.content(base), value, inner.memory.content(base), after))
            self.contents[base] = after
        return tuple(result)

    def _slot(self, name: Key, init: Atom, value: Value, end: Atom, output: bool = False,
              ) -> Carried:
        result = alike(value)
        facts = self.tracer.builder.facts
        if isinstance(value.type, Array):
            k = len(self.results[name])
            fresh = [output or (name, k, axis) in self.fresh for axis in range(value.type.rank)]
            facts.extents[result] = tuple(
                root(result, axis) if new else extent
                for axis, (new, extent) in enumerate(zip(fresh, facts.of(value), strict=True)))
        self.results[name].append(result)
        return Carried(init, value, end, result)

    def finish(self, inner: Tracer, nonempty: Callable[[], Atom],
               trips: Value | None = None) -> None:
        """Bind the names to what they are after the loop; `trips` are its iterations, where it
        may end early."""
        env, memory = self.tracer.env, self.tracer.memory
        memory.adopt_times(inner.memory)
        memory.clock += 1
        memory.contents.update(self.contents)
        for name in assigned(self.syntax):
            env.pop(name, None)
        after = After(self, trips)
        for key, thing in self.initial.items():
            after.thing(key, thing, self.ends[key])
        for name in self.outputs:
            after.thing(name, self.ends[name], self.ends[name])
        env.update((name, Lost("a loop")) for name in self.lost)
        starts = handles_of(self.initial)
        ends = handles_of({n: self.ends[n] for n in (*self.initial, *self.outputs)})
        grouped(after.bases, {*overlapping(starts), *overlapping(ends)}, after.group)
        grouped(after.cells, {*overlapping(self.cells_in(self.initial)),
                              *overlapping(all_cells(self.ends))}, after.cell_group)
        for name in self.outputs:
            ran = nonempty()
            if not isinstance(ran, Constant) or not ran.value:
                env[name] = Maybe(env[name], ran)
