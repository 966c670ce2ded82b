"""Conditions, and how two paths through a function are joined into one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from typing import NoReturn

from retrograd.frontend import cells
from retrograd.frontend.certain import Certain, certain
from retrograd.frontend.things import (
    Base,
    Cell,
    Grown,
    Handle,
    Held,
    Items,
    Maybe,
    Static,
    Stream,
    Thing,
    atom_of,
    has_function,
    is_tuple,
    leaves,
    same_structure,
    with_leaves,
)
from retrograd.frontend.tracer import Tracer, constant_of
from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent, mentions
from retrograd.ir.index import Index
from retrograd.ir.nodes import (
    Atom,
    Branch,
    Constant,
    Join,
    Let,
    Value,
    bound,
    defined,
    integer,
    number,
    walk,
    zero,
)
from retrograd.ir.operations import OPERATIONS
from retrograd.ir.types import Array, Scalar, Type, is_float, kind, promote

Thunk = Callable[[Tracer], Thing]


# --- truth ---------------------------------------------------------------------------------------


def truth(tracer: Tracer, thing: Thing) -> Atom:
    """The bool that Python's `if` sees."""
    if isinstance(thing, Static):
        return constant_of(bool(thing.value))
    if isinstance(thing, (Cell, Items)):
        found = _truth_of_container(tracer, thing)
        if found is not None:
            return found
        thing = cells.content(tracer, thing) if isinstance(thing, Cell) else thing
    if isinstance(thing, Grown):
        thing = thing.count
    atom = tracer.atom(thing)
    if atom is None:
        tracer.refuse("this has no truth value", "compare numbers")
    if isinstance(atom, Constant):
        return constant_of(bool(atom.value))
    if isinstance(atom.type, Array):
        atom = _only_element(tracer, atom)
    if atom.type.dtype == "bool":
        return atom
    return tracer.builder.let("not_equal", atom, zero(Scalar(atom.type.dtype)))


def _truth_of_container(tracer: Tracer, thing: Cell | Items) -> Atom | None:
    """The truth of an object, which its class may define, and of a container of known length."""
    from retrograd.frontend import objects

    for method in ("__bool__", "__len__"):
        call = objects.special_method(tracer, thing, method)
        if call is not None:
            return truth(tracer, call(()))
    content = cells.opened(tracer, thing)
    if not isinstance(content, Items):
        return None
    is_object = isinstance(content.kind, type) and not is_tuple(content)
    return constant_of(is_object or bool(content.items))


def _only_element(tracer: Tracer, atom: Atom) -> Atom:
    if any(d != 1 for d in atom.type.dims):
        raise certain(ValueError)(
            "The truth value of an array with more than one element is ambiguous. "
            "Use a.any() or a.all()")
    index: Index = ("int",) * atom.type.rank
    return tracer.builder.let("load", atom, *(integer(0) for _ in index), index=index)


def short_circuit(tracer: Tracer, is_and: bool, nodes: Sequence[ast.expr]) -> Thing:
    """`a and b and ...` or `a or b or ...`."""
    from retrograd.frontend.expressions import evaluate

    return _lazily(tracer, is_and, [lambda t, n=n: evaluate(t, n)  # type: ignore[misc]
                                    for n in nodes])


def chained(tracer: Tracer, left: Thing, ops: Sequence[ast.cmpop],
            nodes: Sequence[ast.expr]) -> Thing:
    """`a < b < c`: each operand is evaluated once, and only as far as needed."""
    from retrograd.frontend.expressions import compare, evaluate

    operands = [left]

    def link(k: int) -> Thunk:
        def compute(inner: Tracer) -> Thing:
            operands.append(evaluate(inner, nodes[k]))
            return compare(inner, ops[k], operands[k], operands[k + 1])
        return compute

    return _lazily(tracer, True, [link(k) for k in range(len(ops))])


def _lazily(tracer: Tracer, is_and: bool, thunks: Sequence[Thunk]) -> Thing:
    first = thunks[0](tracer)
    if len(thunks) == 1:
        return first
    test = truth(tracer, first)
    if isinstance(test, Constant):
        return _lazily(tracer, is_and, thunks[1:]) if bool(test.value) == is_and else first
    inner = tracer.inner(binds=False)
    column = _arm(inner, lambda t: _lazily(t, is_and, thunks[1:]))
    value = None if column is None else atom_of(column[0])
    if inner.memory.held != tracer.memory.held:
        value = None                                   # it changes a list
    if value is not None and value.type == test.type and first is test and _harmless(inner.builder):
        tracer.builder.adopt(inner.builder)
        return tracer.builder.let("logical_and" if is_and else "logical_or", test, value)
    other = tracer.inner()
    arms = ((inner, column), (other, [first]))
    return join(tracer, test, *(arms if is_and else reversed(arms)))[0]


def _harmless(builder: Builder) -> bool:
    """Whether computing a block needlessly costs little and cannot fail."""
    return len(builder.statements) <= 8 and all(
        isinstance(s, Let) and OPERATIONS[s.op].cost < 10 and not isinstance(s.result.type, Array)
        and (OPERATIONS[s.op].family == "elementwise" or s.op in ("dim", "let"))
        for s in builder.statements)


def choose(tracer: Tracer, test: Atom, then: Thunk, otherwise: Thunk) -> Thing:
    """`then if test else otherwise`."""
    if isinstance(test, Constant):
        return then(tracer) if test.value else otherwise(tracer)
    first, second = tracer.inner(binds=False), tracer.inner(binds=False)
    a, b = _arm(first, then), _arm(second, otherwise)
    joined = join(tracer, test, (first, a), (second, b))
    if not joined:
        raise Certain(None, said=True)
    return joined[0]


def _arm(tracer: Tracer, thunk: Thunk) -> list[Thing] | None:
    """What an arm gives, or None where it certainly raises."""
    try:
        return [thunk(tracer)]
    except Certain as found:
        found.say(tracer.builder)
        return None


# --- joining -------------------------------------------------------------------------------------

Arm = tuple[Tracer, Sequence[Thing] | None]


def join(tracer: Tracer, test: Atom, then: Arm, otherwise: Arm,
         names: Sequence[str] = ()) -> list[Thing]:
    """Append the branch with these two arms; what either arm gives becomes one thing outside.

    The things of an arm that always raises are None: the other arm's are taken.
    """
    joiner = _Joiner(tracer, (then[0], otherwise[0]),
                     (then[1] is not None, otherwise[1] is not None))
    first, second = then[1], otherwise[1]
    count = len(first if first is not None else second or ())
    results: list[Thing] = []
    for k in range(count):
        name = names[k] if k < len(names) else ""
        results.append(joiner.thing(None if first is None else first[k],
                                    None if second is None else second[k], name))
    held = joiner.cells.held(joiner.reached)
    contents = joiner.contents()
    tracer.builder.append(Branch(test, then[0].builder.block, otherwise[0].builder.block,
                                 tuple(joiner.joins), tracer.builder.origin))
    joiner.note_extents()
    tracer.memory.contents.update(contents)
    tracer.memory.held.update(held)
    return results


class _Joiner:
    def __init__(self, tracer: Tracer, arms: tuple[Tracer, Tracer],
                 reached: tuple[bool, bool]) -> None:
        self.tracer = tracer
        self.reached = reached               # whether the arms' ends are, or they raise
        self.tracers = arms
        self.arms = tuple(arm.builder for arm in arms)
        self.started = tracer.memory.clock
        for arm in arms:
            tracer.memory.adopt_times(arm.memory)
        tracer.memory.clock += 1
        self.bases: dict[Base, tuple[Base, ...]] = {}   # of results, and what they were in the arms
        self.group: set[frozenset[Base]] = set()
        self.joins: list[Join] = []
        self.present: dict[Value, int] = {}     # the arm that a result comes from, if only one
        from retrograd.frontend.joined_cells import CellJoins

        self.cells = CellJoins(tracer, arms, self.thing, self._differ)

    def thing(self, a: Thing | None, b: Thing | None, name: str) -> Thing:
        if a is b and isinstance(a, Cell):
            return a
        if any(x is not None and cells.has_cell(x) for x in (a, b)):
            return self.cells.join(a, b, name)
        if a is None or b is None:
            present = b if a is None else a
            assert present is not None
            if has_function(present):
                self.tracer.refuse("a function leaves the branch in which it may have been made",
                                   "define it before the branch")
            return with_leaves(present, lambda leaf: self._leaf(
                leaf if a is not None else None, leaf if b is not None else None, name))
        if isinstance(a, Maybe) or isinstance(b, Maybe):
            a = a if isinstance(a, Maybe) else Maybe(a, constant_of(True))
            b = b if isinstance(b, Maybe) else Maybe(b, constant_of(True))
        if not same_structure(a, b):
            self._differ(a, b, name)
        others = iter(leaves(b))
        return with_leaves(a, lambda leaf: self._leaf(leaf, next(others), name))

    def _differ(self, a: Thing, b: Thing, name: str) -> NoReturn:
        what = f"{name!r} is" if name else "the value is"
        self.tracer.refuse(f"{what} {describe(a)} in one branch and {describe(b)} in the other",
                           "give it the same kind of value on every path")

    def _leaf(self, a: Thing | None, b: Thing | None, name: str) -> Thing:
        if isinstance(a, Handle) and isinstance(b, Handle) and (
                a is b or (a.base is b.base and not a.path and not b.path)):
            return a                          # the same memory: its contents are joined
        first, second = (None if x is None else arm.atom(x)
                         for x, arm in zip((a, b), self.tracers, strict=True))
        if not isinstance(a, Handle) and first is not None and (first is second or (
                isinstance(first, Constant) and first == second)):
            assert a is not None
            return a
        type = _type_of_join(self.tracer, first, second, name)
        then, otherwise = (
            default(arm, type) if atom is None else converted(arm, atom, type)
            for arm, atom in zip(self.arms, (first, second), strict=True))
        result = Value(name or _name_of(first, second), type)
        self.joins.append(Join(then, otherwise, result))
        if first is None or second is None:
            self.present[result] = 0 if second is None else 1
        if isinstance(type, Array):
            return Handle(result, self._base(result, tuple(
                x.base for x in (a, b) if isinstance(x, Handle))))
        return result

    def _base(self, result: Value, ends: tuple[Base, ...]) -> Base:
        """The memory of a result, which is one base or the other."""
        base = Base(result, frozenset(ends), born=self.tracer.memory.clock, group=self.group)
        if len(ends) == 2:
            self.group.update(
                frozenset((base, other)) for other, others in self.bases.items()
                if len(others) != 2 or any(map(Base.overlaps, ends, others)))
        else:
            self.group.update(frozenset((base, other)) for other in self.bases)
        self.bases[base] = ends
        return base

    def contents(self) -> dict[Base, Value]:
        """What the bases hold afterwards that an arm has written and that were there before."""
        found: dict[Base, Value] = {}
        made = {v for arm in self.arms for s in walk(arm.block) for v in (*defined(s), *bound(s))}
        for base in dict.fromkeys(b for t in self.tracers for b in t.memory.since(self.started)):
            if base.first in made:
                continue
            ends = [t.memory.content(base) if there else None
                    for t, there in zip(self.tracers, self.reached, strict=True)]
            if ends == [None, None]:
                continue
            result = atom_of(self._leaf(ends[0], ends[1], self.tracer.memory.content(base).name))
            assert isinstance(result, Value)
            found[base] = result
        return found

    def note_extents(self) -> None:
        """A result has the extents of its arms where these agree and are visible outside."""
        hidden = {v for arm in self.arms for s in arm.statements for v in defined(s)}
        facts = self.tracer.builder.facts
        for j in self.joins:
            if isinstance(j.result.type, Array):
                ends = (j.then, j.otherwise)
                only = self.present.get(j.result)
                then, otherwise = ends if only is None else (ends[only], ends[only])
                pairs = zip(facts.of(then), facts.of(otherwise), facts.of(j.result), strict=True)
                facts.extents[j.result] = tuple(
                    a if a == b and not mentions(a, hidden) else own for a, b, own in pairs)


def _name_of(*atoms: Atom | None) -> str:
    names = [a.name for a in atoms if isinstance(a, Value)]
    return names[0] if names and all(n == names[0] for n in names) else "t"


def _type_of_join(tracer: Tracer, a: Atom | None, b: Atom | None, name: str) -> Type:
    if a is None or b is None:
        present = b if a is None else a
        assert present is not None
        return present.type
    type = join_types(a.type, b.type)
    if type is None:
        what = f"{name!r} is" if name else "the value is"
        tracer.refuse(f"{what} {a.type} in one branch and {b.type} in the other",
                      "give it the same type and number of axes on every path")
    return type


def join_types(a: Type, b: Type) -> Type | None:
    """The type of a name that is one or the other; None where no type serves both.

    Python numbers widen (an int that becomes a float was a float from the start); arrays and
    NumPy scalars keep their dtype.
    """
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        if a.dtype == b.dtype:
            return Scalar(a.dtype, a.weak and b.weak)
        dtype, weak = promote((a, b))
        strong = [t for t in (a, b) if not t.weak]
        if any(is_float(t) and t.dtype != dtype for t in strong):
            return None
        return None if "b" in (kind(a.dtype), kind(b.dtype)) else Scalar(dtype, weak)
    if isinstance(a, Array) and isinstance(b, Array) and a.dtype == b.dtype and a.rank == b.rank:
        dims = tuple(1 if x == y == 1 else None for x, y in zip(a.dims, b.dims, strict=True))
        return Array(a.dtype, dims, a.layout if a.layout == b.layout else "A")
    return None


def converted(builder: Builder, atom: Atom, type: Type) -> Atom:
    """The atom as a value of a joined type."""
    if atom.type.dtype == type.dtype:
        return Constant(atom.value, type) if isinstance(atom, Constant) and isinstance(
            type, Scalar) else atom
    if isinstance(atom, Constant) and isinstance(type, Scalar):
        return number(atom.value, type)
    return builder.let("cast", atom, dtype=type.dtype, weak=isinstance(type, Scalar) and type.weak)


def default(builder: Builder, type: Type, extents: Sequence[Extent] | None = None) -> Atom:
    """A value that is never used, where a type (and a shape) needs one."""
    if isinstance(type, Scalar):
        return zero(type)
    if extents is None:
        return builder.let("zeros", *(integer(1 if d == 1 else 0) for d in type.dims),
                           dtype=type.dtype)
    result = builder.let("zeros", *map(builder.atom_of, extents), dtype=type.dtype)
    assert isinstance(result, Value)
    builder.facts.extents[result] = tuple(extents)
    return result


def stand_in(builder: Builder, atom: Atom, made: Collection[Value]) -> Atom:
    """What stands for a value where the block that makes it (and the values `made`) does not run:
    of its type, and of its shape where that is known without the block. So the shape is known
    afterwards, too."""
    extents = builder.facts.of(atom)
    unknown = any(mentions(e, made) for e in extents)
    return default(builder, atom.type, None if unknown else extents)


def describe(thing: Thing) -> str:
    """What a thing is, for people."""
    atom = atom_of(thing)
    if atom is not None:
        return f"{'an array' if isinstance(atom.type, Array) else 'a number'} ({atom.type})"
    if isinstance(thing, Static):
        return repr(thing.value)
    if isinstance(thing, Items):
        return f"a {thing.kind} of {len(thing.items)}"
    if isinstance(thing, Held):
        return describe(thing.content)
    if isinstance(thing, (Cell, Grown)):
        return "a list" if isinstance(thing, Grown) else "a list or dict"
    if isinstance(thing, Stream):
        return f"the generator {thing.value.name!r}"
    return f"a {type(thing).__name__.lower()}"
