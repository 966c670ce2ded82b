"""What a loop carries from one iteration to the next, and out of it.

The body is traced with the types of the first iteration; where its end gives another type or
shape, it is traced again with what serves both.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from retrograd.frontend.branches import converted, default, describe, join_types, stand_in
from retrograd.frontend.liveness import assigned
from retrograd.frontend.sharing import Place, Sharing, grouped, overlapping
from retrograd.frontend.things import (
    Base,
    Handle,
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
from retrograd.ir.nodes import Atom, Carried, Constant, Value, defined, walk
from retrograd.ir.types import Array, Type

ATTEMPTS = 12
T = TypeVar("T")


@dataclass
class Slots:
    """The names that a loop carries from one iteration to the next, or out of it.

    `initial` holds the names that are carried in; a name that is first assigned inside and read
    afterwards is only carried out, unless an iteration may read it from the one before.
    """

    tracer: Tracer
    node: ast.For | ast.While
    syntax: list[ast.AST]
    initial: dict[str, Thing] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    types: dict[tuple[str, int], Type] = field(default_factory=dict)
    fresh: set[tuple[str, int, int]] = field(default_factory=set)
    unbound: list[str] = field(default_factory=list)
    indices_outside: set[Value] = field(default_factory=set)
    inner_values: dict[str, list[Value]] = field(default_factory=dict)
    results: dict[str, list[Value]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    begun: dict[str, Thing] = field(default_factory=dict)     # the names as an iteration starts
    sharing: Sharing = field(default_factory=Sharing)
    kept: set[Place] = field(default_factory=set)             # names that stay what they are
    own: dict[Place, Base] = field(default_factory=dict)      # the memory of carried names
    written: set[Place] = field(default_factory=set)          # those written in an iteration
    contents: dict[Base, Value] = field(default_factory=dict)    # of other bases, as one starts
    content_types: dict[Base, Type] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frame = self.tracer.frame
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
        for name, thing in self.initial.items():
            inner.env[name] = self._inner_thing(name, thing, memory.clock, group)
        starts = _handles(self.initial)
        grouped(self.own, {*overlapping(starts), *self.sharing.pairs}, group)
        for place in self.written:
            memory.written[self.own[place]] = memory.clock

    def _inner_thing(self, name: str, thing: Thing, now: int, group: Pairs) -> Thing:
        """What the name stands for at the start of an iteration."""
        facts = self.tracer.builder.facts
        values: list[Value] = []

        def replace(leaf: Thing) -> Thing:
            atom = atom_of(leaf)
            assert atom is not None
            k = len(values)
            value = Value(_leaf_name(name, thing, k), self.types.get((name, k), atom.type))
            values.append(value)
            if (name, k) in self.kept:
                return leaf
            if isinstance(value.type, Array):
                facts.extents[value] = tuple(
                    root(value, axis) if (name, k, axis) in self.fresh else extent
                    for axis, extent in enumerate(facts.of(atom)))
                assert isinstance(leaf, Handle)
                base = Base(value, self.sharing.of((name, k)) | {leaf.base}, born=now, group=group)
                self.own[name, k] = base
                return Handle(value, base)
            return value

        result = self.begun[name] = with_leaves(thing, replace)
        self.inner_values[name] = values
        return result

    def _widened(self, inner: Tracer) -> bool:
        """Compare the end of the body with its start; note what must be wider."""
        if self._bound(inner):
            return True                      # where it read them unbound, the body was cut short
        changed = False
        for name in list(self.initial):
            changed |= self._compare(name, inner)
        for name in list(self.outputs):
            end = inner.env.get(name)
            if end is None:
                self.outputs.remove(name)
            elif has_function(end):
                self.outputs.remove(name)
                self.lost.append(name)
            elif isinstance(end, Maybe):
                self.outputs.remove(name)
                self.initial[name] = self._stand_in(end.thing, inner)
                changed = True
        return changed

    def _bound(self, inner: Tracer) -> bool:
        """Names that an iteration may read, and that an iteration before it has bound."""
        found = [name for name in self.unbound if name in inner.env]
        for name in found:
            self.unbound.remove(name)
            end = inner.env[name]
            if has_function(end):
                self.lost.append(name)
            else:
                self.initial[name] = self._stand_in(
                    end.thing if isinstance(end, Maybe) else end, inner)
        return bool(found)

    def _shared(self, inner: Tracer) -> bool:
        """Whether the end of the body shows that names share memory of which this was not known."""
        outside = [*inner.outer_things(), *inner.frame.names.values(),
                   *(t for n, t in self.tracer.env.items() if n not in assigned(self.syntax))]
        bases = [leaf.base for t in outside for leaf in leaves(t) if isinstance(leaf, Handle)]
        bases += inner.context.lasting                  # their owners look into them afterwards
        begun = _handles(self.begun)
        bases += [begun[place].base for place in self.kept]
        ends = _handles({name: inner.env[name] for name in self.initial})
        return self.sharing.learn(begun, {p: e for p, e in ends.items() if p not in self.kept},
                                  bases)

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
        begun, ends = _handles(self.begun), _handles({n: inner.env[n] for n in self.initial})
        found = {place for place, end in ends.items() if place not in self.kept
                 and end.base is begun[place].base and not end.path
                 and any(end.base.overlaps(base) for base in written)
                 and not isinstance(self.initial[place[0]], Maybe)}
        self.kept |= found
        self.written -= found
        return bool(found)

    def _stand_in(self, thing: Thing, inner: Tracer) -> Maybe:
        """The value of a name before the first iteration that binds it."""
        made = self._made_inside(inner)

        def replace(leaf: Thing) -> Thing:
            atom = atom_of(leaf)
            assert atom is not None
            return thing_of(stand_in(self.tracer.builder, atom, made))

        return Maybe(with_leaves(thing, replace), constant_of(False))

    def _compare(self, name: str, inner: Tracer) -> bool:
        begin, end = self.initial[name], inner.env.get(name)
        if end is None:
            end = inner.env[name] = self.begun[name]
        if isinstance(begin, Maybe) and not isinstance(end, Maybe):
            end = inner.env[name] = Maybe(end, constant_of(True))
        if not same_structure(begin, end):
            self._differs(name, begin, end)
        changed = False
        for k, (value, leaf) in enumerate(zip(self.inner_values[name], leaves(end), strict=True)):
            atom = atom_of(leaf)
            assert atom is not None
            if (name, k) not in self.kept:
                changed |= self._compare_leaf(name, k, value, atom, inner)
            elif leaf is not leaves(begin)[k]:
                self.kept.discard((name, k))
                changed = True
        return changed

    def _compare_leaf(self, name: str, k: int, value: Value, atom: Atom, inner: Tracer) -> bool:
        type = join_types(value.type, atom.type)
        if type is None:
            self._differs(name, thing_of(value), thing_of(atom))
        changed = False
        if type != value.type:
            self.types[name, k] = type
            changed = True
        if isinstance(type, Array):
            facts = inner.builder.facts
            pairs = zip(facts.of(value), facts.of(atom), strict=True)
            for axis, (a, b) in enumerate(pairs):
                if (name, k, axis) not in self.fresh and not facts.provably_equal(a, b):
                    changed |= self._extent_differs((name, k, axis), a, b, inner)
        return changed

    def _extent_differs(self, place: tuple[str, int, int], a: Extent, b: Extent,
                        inner: Tracer) -> bool:
        """An extent that is only not known to stay the same must do so when the loop runs; one
        that certainly changes, or that an iteration computes, is unknown after the loop. So is
        one of an array that is bound only sometimes, or starts empty: it has no shape to keep."""
        made = self._made_inside(inner)
        unshaped = isinstance(self.initial[place[0]], Maybe) or a.known == 0
        if not unshaped and (b - a).known is None and not mentions(b, made):
            inner.builder.require_equal(b, a, ValueError, [
                f"the array {place[0]!r} has extent ", b, f" along axis {place[2]} after an "
                "iteration of a loop that started with ", a, ": give it one shape (pad it, or mask "
                "it with np.where)"])
            return False
        self.fresh.add(place)
        return True

    def _made_inside(self, inner: Tracer) -> set[Value]:
        """The values that an iteration computes, carries or counts."""
        made = set(inner.builder.facts.bounds) - self.indices_outside
        made.update(v for values in self.inner_values.values() for v in values)
        made.update(self.contents.values())
        for statement in walk(inner.builder.block):
            made.update(defined(statement))
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
            pairs = zip(leaves(thing), self.inner_values[name], leaves(inner.env[name]),
                        strict=True)
            for k, (begin, value, end) in enumerate(pairs):
                if (name, k) in self.kept:
                    self.results[name].append(value)
                    continue
                first, last = self.tracer.atom(begin), inner.atom(end)
                assert first is not None and last is not None
                result.append(self._slot(name, converted(self.tracer.builder, first, value.type),
                                         value, converted(inner.builder, last, value.type)))
        for name in self.outputs:
            self.results[name] = []
            for leaf in leaves(inner.env[name]):
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

    def _slot(self, name: str, init: Atom, value: Value, end: Atom, output: bool = False,
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

    def finish(self, inner: Tracer, nonempty: Callable[[], Atom]) -> None:
        """Bind the names to what they are after the loop."""
        env, memory = self.tracer.env, self.tracer.memory
        memory.adopt_times(inner.memory)
        memory.clock += 1
        memory.contents.update(self.contents)
        for name in assigned(self.syntax):
            env.pop(name, None)
        results: dict[Place, Base] = {}
        group: Pairs = set()
        for name, thing in self.initial.items():
            env[name] = self._outer_thing(name, thing, inner.env[name], results, group)
        env.update((name, Lost("a loop")) for name in self.lost)
        starts = _handles(self.initial)
        ends = _handles({n: inner.env[n] for n in (*self.initial, *self.outputs)})
        grouped(results, {*overlapping(starts), *overlapping(ends)}, group)
        for name in self.outputs:
            found = self._outer_thing(name, inner.env[name], inner.env[name], results, group)
            ran = nonempty()
            env[name] = found if isinstance(ran, Constant) and ran.value else Maybe(found, ran)

    def _outer_thing(self, name: str, thing: Thing, end: Thing, bases: dict[Place, Base],
                     group: Pairs) -> Thing:
        """What the name is after the loop: what it was before, or what an iteration made it."""
        results, ends = iter(enumerate(self.results[name])), iter(leaves(end))
        now = self.tracer.memory.clock

        def replace(leaf: Thing) -> Thing:
            (k, value), last = next(results), next(ends)
            if (name, k) in self.kept:
                return leaf
            if isinstance(leaf, Handle) and isinstance(last, Handle):
                base = Base(value, frozenset({leaf.base, last.base}), born=now, group=group)
                bases[name, k] = base
                return Handle(value, base)
            return thing_of(value)

        return with_leaves(thing, replace)


def _handles(things: Mapping[str, Thing]) -> dict[Place, Handle]:
    """The arrays in what names stand for, by name and number of the leaf."""
    return {(name, k): leaf for name, thing in things.items()
            for k, leaf in enumerate(leaves(thing)) if isinstance(leaf, Handle)}


def _leaf_name(name: str, thing: Thing, k: int) -> str:
    """The user's name; numbered for the parts of a container, marked for the flag of a Maybe."""
    count = len(leaves(thing))
    if isinstance(thing, Maybe) and k == count - 1:
        return f"{name}_is_bound"
    inner = thing.thing if isinstance(thing, Maybe) else thing
    return name if atom_of(inner) is not None else f"{name}_{k}"
