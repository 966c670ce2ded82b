"""What a loop carries from one iteration to the next, and out of it.

The body is traced with the types of the first iteration; where its end gives another type or
shape, it is traced again with what serves both.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from retrograd.frontend import cells, growing
from retrograd.frontend.after_loop import After, all_cells
from retrograd.frontend.branches import converted, default, describe, join_types, stand_in
from retrograd.frontend.growing import Growth, Steps
from retrograd.frontend.liveness import assigned
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
    has_function,
    leaves,
    same_structure,
    thing_of,
    with_leaves,
)
from retrograd.frontend.tracer import Tracer, constant_of
from retrograd.ir.extents import Extent, mentions, root
from retrograd.ir.nodes import Atom, Carried, Constant, Value, bound, defined, walk
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
            if not self._widened(inner) and not self._shared(inner) and not self._stored(inner):
                self._check_lent(inner)
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
        grouped(self.own_cells, {*overlapping(self._cells(self.initial)),
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

    def _cells(self, things: Mapping[Key, Thing]) -> dict[Place, Cell]:
        """The lists that are carried with a name, by name and number."""
        return {(key, j): cell for key in self.opened if key in things
                for j, cell in enumerate(cells.cells_of(things[key]))}

    def _open(self, tracer: Tracer, key: Key, thing: Thing) -> Thing:
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
            value = Value(growing.leaf_name(self._named(name), thing, k),
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

    def _named(self, key: Key) -> str:
        return key if isinstance(key, str) else self.names[key]

    def _widened(self, inner: Tracer) -> bool:
        """Compare the end of the body with its start; note what must be wider."""
        if self._bound(inner):
            return True                      # where it read them unbound, the body was cut short
        changed = False
        for key in list(self.initial):
            changed |= self._compare(key, inner)
        changed |= self._changed_cells(inner)
        for name in list(self.outputs):
            end = inner.env.get(name)
            if end is not None:
                end = self.ends[name] = cells.held(
                    inner, end, lambda cell: cell not in self.tracer.memory.held)
            if end is None:
                self.outputs.remove(name)
            elif has_function(end):
                self.outputs.remove(name)
                self.lost.append(name)
            elif isinstance(end, Maybe):
                self.outputs.remove(name)
                self.initial[name] = self._stand_in(name, end.thing, inner)
                changed = True
        return changed

    def _changed_cells(self, inner: Tracer) -> bool:
        """Lists from before the loop whose content an iteration changes are carried."""
        before = self.tracer.memory.held
        found = [cell for cell, content in inner.memory.held.items()
                 if cell in before and cell not in self.initial and content is not before[cell]]
        for cell in found:
            self.initial[cell] = before[cell]
            self.names[cell] = cells.name_of(self.tracer, cell)
            end = inner.memory.held[cell]
            if not same_structure(before[cell], end):
                self._restart(cell, before[cell], end, inner)
        return bool(found)

    def _bound(self, inner: Tracer) -> bool:
        """Names that an iteration may read, and that an iteration before it has bound."""
        found = [name for name in self.unbound if name in inner.env]
        for name in found:
            self.unbound.remove(name)
            end = inner.env[name]
            if has_function(cells.held(inner, end)):
                self.lost.append(name)
            else:
                self.initial[name] = self._stand_in(
                    name, end.thing if isinstance(end, Maybe) else end, inner)
        return bool(found)

    def _shared(self, inner: Tracer) -> bool:
        """Whether the end of the body shows that names share memory of which this was not known."""
        held, names = self.tracer.memory.held, assigned(self.syntax)
        outside = [*inner.outer_things(), *inner.frame.names.values(),
                   *(t for n, t in self.tracer.env.items() if n not in names),
                   *(t for c, t in held.items() if c not in self.initial)]
        bases = [leaf.base for t in outside for leaf in leaves(t) if isinstance(leaf, Handle)]
        bases += inner.context.lasting                  # their owners look into them afterwards
        begun = handles_of(self.begun)
        bases += [begun[place].base for place in self.kept]
        ends = handles_of({key: self.ends[key] for key in self.initial})
        found = self.cell_sharing.learn(self.own_cells, self._cells(self.ends), held)
        return self.sharing.learn(begun, {p: e for p, e in ends.items() if p not in self.kept},
                                  bases) or found

    def _stored(self, inner: Tracer) -> bool:
        """Whether the body writes to memory, or makes of it another type, that was not known."""
        written = inner.memory.since(self.tracer.memory.clock + 1)
        own = {base: place for place, base in self.own.items()}
        changed = False
        for base in written:
            place = own.get(base)
            if place is not None and place not in self.written:
                self.written.add(place)
                changed = True
        changed |= self._kept(inner, written)
        made = self._made_inside(inner)
        for base in written:
            if base not in self.contents and base not in own and base.first not in made:
                self.contents[base] = base.first
                changed = True
        for base, value in self.contents.items():
            type = join_types(value.type, inner.memory.content(base).type)
            assert type is not None
            if type != value.type:
                self.content_types[base] = type
                changed = True
        return changed

    def _kept(self, inner: Tracer, written: list[Base]) -> bool:
        """Arrays whose memory is written and whose names are, in the end, bound as before need no
        slot: the name stays the array that it is."""
        begun, ends = handles_of(self.begun), handles_of({n: self.ends[n] for n in self.initial})
        found = {place for place, end in ends.items() if place not in self.kept
                 and end.base is begun[place].base and not end.path
                 and any(end.base.overlaps(base) for base in written)
                 and not isinstance(self.initial[place[0]], Maybe)}
        self.kept |= found
        self.written -= found
        return bool(found)

    def _check_lent(self, inner: Tracer) -> None:
        """Refuse an array that one iteration puts into a growing list and another one writes."""
        made = self._made_inside(inner)
        lent = list(inner.memory.lent)
        ends = handles_of({key: self.ends[key] for key in self.initial})
        found = {base for base in lent if base.first not in made or base in self.own.values()}
        while True:
            more = {self.own[place] for place, end in ends.items() if place in self.own
                    and any(end.base.overlaps(base) for base in (*lent, *found))} - found
            if not more:
                break
            found |= more
        for base in inner.memory.since(self.tracer.memory.clock + 1):
            if any(base.overlaps(other) for other in found):
                self.tracer.refuse(
                    f"the array {base.first.name!r} is put into a list that grows, and written "
                    "in another iteration: the list would see that",
                    "put a copy into the list: .append(x.copy())", self.node)

    def _stand_in(self, name: str, thing: Thing, inner: Tracer) -> Maybe:
        """The value of a name before the first iteration that binds it."""
        if cells.has_cell(thing):
            self.opened.add(name)
            thing = cells.held(inner, thing)
        made = self._made_inside(inner)

        def replace(leaf: Thing) -> Thing:
            atom = atom_of(leaf)
            assert atom is not None
            return thing_of(stand_in(self.tracer.builder, atom, made))

        return Maybe(with_leaves(thing, replace), constant_of(False))

    def _compare(self, key: Key, inner: Tracer) -> bool:
        begin = self.initial[key]
        end = inner.memory.held[key] if isinstance(key, Cell) else inner.env.get(key)
        end = self.begun[key] if end is None else self._open(inner, key, end)
        if isinstance(begin, Maybe) and not isinstance(end, Maybe):
            end = Maybe(end, constant_of(True))
        end = self.ends[key] = growing.fitted(begin, end, inner, self._named(key))
        if not same_structure(begin, end) or not growing.rooms_fit(begin, end):
            self._restart(key, begin, end, inner)
            return True
        changed = False
        roles = growing.roles(begin)
        for k, (value, leaf) in enumerate(zip(self.inner_values[key], leaves(end), strict=True)):
            atom = atom_of(leaf)
            assert atom is not None
            if (key, k) in self.kept:
                if leaf is not leaves(begin)[k]:
                    self.kept.discard((key, k))
                    changed = True
            elif roles[k] == "count" and self._counts((key, k), atom, inner):
                changed = True
            elif (key, k) not in self.growth.counting:
                changed |= self._compare_leaf(key, k, value, atom, inner, roles[k] == "buffer")
        if not changed and self.growth.wanting(key, self.begun[key], end, inner):
            self._restart(key, begin, end, inner)
            return True
        return changed

    def _counts(self, place: Place, end: Atom, inner: Tracer) -> bool:
        begin = atom_of(leaves(self.begun[place[0]])[place[1]])
        assert begin is not None
        return self.growth.counts(place, begin, end, inner, self._made_inside(inner))

    def _restart(self, key: Key, begin: Thing, end: Thing, inner: Tracer) -> None:
        """Start with something that the end has the structure of."""
        new: Thing | None = None
        if key in self.opened or isinstance(key, Cell):
            new = self.growth.widened(key, begin, end, inner, self._made_inside(inner),
                                      self._named(key))
        if new is None and key not in self.opened and (
                cells.has_cell(begin) or cells.has_cell(end)):
            self.opened.add(key)
            new = self._open(self.tracer, key, begin)
        if new is None:
            self._differs(self._named(key), begin, end)
        self.initial[key] = new
        self.types = {p: t for p, t in self.types.items() if p[0] != key}
        self.growth.forget(key)
        self.kept = {p for p in self.kept if p[0] != key}
        self.fresh = {p for p in self.fresh if p[0] != key}

    def _compare_leaf(self, name: Key, k: int, value: Value, atom: Atom, inner: Tracer,
                      buffer: bool) -> bool:
        type = join_types(value.type, atom.type)
        if type is None:
            self._differs(self._named(name), thing_of(value), thing_of(atom))
        changed = False
        if type != value.type:
            self.types[name, k] = type
            changed = True
        if isinstance(type, Array):
            facts = inner.builder.facts
            pairs = zip(facts.of(value), facts.of(atom), strict=True)
            for axis, (a, b) in enumerate(pairs):
                if (name, k, axis) in self.fresh or facts.provably_equal(a, b):
                    continue
                if buffer and not axis:                # a list may be as long as it likes
                    self.fresh.add((name, k, axis))
                    changed = True
                else:
                    changed |= self._extent_differs((name, k, axis), a, b, inner)
        return changed

    def _extent_differs(self, place: tuple[Key, int, int], a: Extent, b: Extent,
                        inner: Tracer) -> bool:
        """An extent that is only not known to stay the same must do so when the loop runs; one
        that certainly changes, or that an iteration computes, is unknown after the loop. So is
        one of an array that is bound only sometimes, or starts empty: it has no shape to keep."""
        made = self._made_inside(inner)
        unshaped = isinstance(self.initial[place[0]], Maybe) or a.known == 0
        if not unshaped and (b - a).known is None and not mentions(b, made):
            inner.builder.require_equal(b, a, ValueError, [
                f"the array {self._named(place[0])!r} has extent ", b,
                f" along axis {place[2]} after an iteration of a loop that started with ", a,
                ": give it one shape (pad it, or mask it with np.where)"])
            return False
        self.fresh.add(place)
        return True

    def _made_inside(self, inner: Tracer) -> set[Value]:
        """The values that an iteration computes, carries or counts."""
        made = set(inner.builder.facts.bounds) - self.indices_outside
        made.update(v for values in self.inner_values.values() for v in values)
        made.update(self.contents.values())
        for statement in walk(inner.builder.block):
            made.update((*defined(statement), *bound(statement)))
        return made

    def _differs(self, name: str, begin: Thing, end: Thing) -> NoReturn:
        first, last = (t.thing if isinstance(t, Maybe) else t for t in (begin, end))
        self.tracer.refuse(
            f"{name!r} is {describe(first)} before the loop's body and {describe(last)} after it",
            "give it the same kind of value in every iteration", self.node)

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
            after = Value(value.name, value.type)
            facts.extents[after] = facts.of(value)
            result.append(Carried(memory.content(base), value, inner.memory.content(base), after))
            self.contents[base] = after
        return tuple(result)

    def _slot(self, name: Key, init: Atom, value: Value, end: Atom, output: bool = False,
              ) -> Carried:
        result = Value(value.name, value.type)
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
        grouped(after.cells, {*overlapping(self._cells(self.initial)),
                              *overlapping(all_cells(self.ends))}, after.cell_group)
        for name in self.outputs:
            ran = nonempty()
            if not isinstance(ran, Constant) or not ran.value:
                env[name] = Maybe(env[name], ran)
