"""A variable for every value: out of single assignment, with as few moves as possible.

Values that share a variable form a *class* (union-find). Forced: what an operation in place
takes over and its result, and the value that a loop carries before and after. Wanted, where they
are not alive at the same time and the user's names agree (or one is a temporary): `next` and
`init` of a slot with the slot, the arms of a branch with its result. After that a class takes the
first variable of its name that is free while it lives: x, x_1, x_2, ...

Life is measured in the linear order of `storage_positions`, two ticks a place, so that what is
read when a statement starts and what is read after its moves can be told apart. What is read in a
loop and made outside lives until the loop ends; the arms of a branch do not see each other.
"""

from __future__ import annotations

import keyword
from bisect import bisect_right, insort
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from retrograd.backend.fold import is_temporary
from retrograd.backend.names_lives import Lives, Segment, lives_of
from retrograd.ir import families
from retrograd.ir.nodes import Atom, Branch, Function, Let, Loop, Value, While, walk
from retrograd.ir.types import Array, Type
from retrograd.optimise.storage_positions import Positions
from retrograd.optimise.storage_sharing import TAKES_OVER

_TRIES = 8


def names_of(function: Function, positions: Positions, folded: Mapping[Value, Let],
             accumulations: Collection[Let], *, taken: frozenset[str], users: frozenset[str],
             compiled: bool) -> dict[Value, str]:
    """The variable of every value.

    `taken` are names that no variable may have (keywords apart); `users` are names of the user,
    which no temporary may have.
    """
    lives = lives_of(function, positions, folded)
    indices = frozenset(s.index for s in walk(function.body) if isinstance(s, Loop))
    classes = _Classes(lives, frozenset(function.params), indices, compiled)
    _coalesce(function, accumulations, classes)
    return _Naming(classes, taken, users, _all_names(lives)).run(function.params)


def _all_names(lives: Lives) -> frozenset[str]:
    return frozenset(value.name for value in lives.segments)


# --- classes -------------------------------------------------------------------------------------


@dataclass(eq=False, slots=True)
class _Class:
    """Values that share a variable; `key` is what Numba must find the same in all of them."""

    members: list[Value]
    segments: list[Segment]
    key: object
    param: Value | None = None
    named: bool = False          # holds a parameter or a loop's index, which the user has named

    @property
    def label(self) -> Value:
        """The value that names the class: a parameter, else the first that a person named."""
        if self.param is not None:
            return self.param
        return next((v for v in self.members if not is_temporary(v.name)), self.members[0])

    @property
    def temporary(self) -> bool:
        return is_temporary(self.label.name) and not self.named

    def meets(self, other: _Class) -> bool:
        """Whether the two are ever alive at the same time."""
        small, large = sorted((self, other), key=lambda c: len(c.segments))
        return any(_overlaps(large.segments, s) for s in small.segments)


def _overlaps(segments: list[Segment], segment: Segment) -> bool:
    """Segments are open at the start: what dies in a statement makes room for its result."""
    start, end = segment
    k = bisect_right(segments, (start, end))
    return any(s[0] < end and start < s[1] for s in segments[max(0, k - 1):k + 1])


def _key(value: Value, param: bool, compiled: bool) -> object:
    """Numba gives a variable one type: never an int and a float, a contiguous and a strided
    array, or an argument that is read-only and an array that is written to."""
    if not compiled:
        return None
    type: Type = value.type
    if isinstance(type, Array):
        return value if param else (type.dtype, type.rank, type.layout)
    return type.dtype


@dataclass(eq=False, slots=True)
class _Classes:
    lives: Lives
    params: frozenset[Value]
    indices: frozenset[Value]
    compiled: bool
    parent: dict[Value, Value] = field(default_factory=dict)
    of: dict[Value, _Class] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for value, segments in self.lives.segments.items():
            param = value in self.params
            self.of[value] = _Class([value], list(segments), _key(value, param, self.compiled),
                                    value if param else None, param or value in self.indices)

    def root(self, value: Value) -> Value:
        return families.root(self.parent, value)

    def find(self, value: Value) -> _Class:
        return self.of[self.root(value)]

    def union(self, a: Value, b: Value) -> None:
        """Put two classes in one variable, come what may."""
        first, second = self.root(a), self.root(b)
        if first is second:
            return
        one, two = self.of[first], self.of[second]
        assert one.param is None or two.param is None
        if len(one.members) < len(two.members):
            first, second, one, two = second, first, two, one
        for segment in two.segments:
            insort(one.segments, segment)
        one.members += two.members
        one.param = one.param or two.param
        one.named |= two.named
        self.parent[second] = first
        del self.of[second]

    def want(self, a: Atom, b: Atom) -> None:
        """Put two values in one variable if names, types and lives agree."""
        if not isinstance(a, Value) or not isinstance(b, Value) \
                or a not in self.lives.segments or b not in self.lives.segments:
            return
        one, two = self.find(a), self.find(b)
        if one is two or one.key != two.key or (one.param and two.param):
            return
        agree = one.label.name == two.label.name or one.temporary or two.temporary
        if agree and not one.meets(two):
            self.union(a, b)

    def distinct(self) -> Iterable[_Class]:
        return self.of.values()


def _coalesce(function: Function, accumulations: Collection[Let], classes: _Classes) -> None:
    _force(function, accumulations, classes)
    for statement in walk(function.body):
        match statement:
            case Loop() | While():
                for c in statement.carried:
                    classes.want(c.next, c.inner)
                for c in statement.carried:
                    classes.want(c.init, c.inner)
            case Branch():
                for j in statement.joins:
                    classes.want(j.then, j.result)
                    classes.want(j.otherwise, j.result)


def _force(function: Function, accumulations: Collection[Let], classes: _Classes) -> None:
    for statement in walk(function.body):
        match statement:
            case Let(op=op, args=args, result=result):
                if (op in TAKES_OVER or statement in accumulations) and isinstance(args[0], Value):
                    classes.union(args[0], result)
            case Loop() | While():
                for c in statement.carried:
                    classes.union(c.inner, c.result)


# --- names ---------------------------------------------------------------------------------------


@dataclass(eq=False, slots=True)
class _Naming:
    classes: _Classes
    taken: frozenset[str]
    users: frozenset[str]
    present: frozenset[str]
    variables: dict[str, list[tuple[str, _Class]]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    count: dict[str, int] = field(default_factory=dict)

    def run(self, params: tuple[Value, ...]) -> dict[Value, str]:
        order = {value: k for k, value in enumerate(self.classes.lives.segments)}
        for cls in self.classes.distinct():
            cls.members.sort(key=order.__getitem__)
        place = {param: k for k, param in enumerate(params)}
        names: dict[Value, str] = {}
        for cls in sorted(self.classes.distinct(), key=lambda c: (
                c.param is None, place.get(c.label, 0), c.temporary,
                order[c.members[0]])):
            name = self.name(cls)
            names.update(dict.fromkeys(cls.members, name))
        return names

    def name(self, cls: _Class) -> str:
        base = _identifier(cls.label.name)
        variables = self.variables.setdefault(base, [])
        for name, holder in (*variables[:_TRIES], *variables[_TRIES:][-_TRIES:]):
            if cls.param is None and holder.key == cls.key and not holder.meets(cls):
                for segment in cls.segments:
                    insort(holder.segments, segment)
                return name
        name = self.fresh(base, cls.temporary)
        variables.append((name, _Class([], list(cls.segments), cls.key)))
        return name

    def fresh(self, base: str, temporary: bool) -> str:
        refused = self.taken | self.users if temporary else self.taken
        if base not in self.used and base not in refused:
            self.used.add(base)
            return base
        number = self.count.get(base, 0)
        while True:
            number += 1
            name = f"{base}_{number}"
            if name not in self.used and name not in self.taken and name not in self.users \
                    and name not in self.present:
                self.count[base] = number
                self.used.add(name)
                return name


def _identifier(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name
