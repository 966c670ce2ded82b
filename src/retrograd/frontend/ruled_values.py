"""Arguments and results of functions with rules: containers of numbers and arrays, one by one.

    f({"w": w, "n": 3}, x)    tree   (({"w": 0, "n": 1}), 2)     over the atoms   w, 3, x

A rule gets and gives adjoints and tangents in the same structure (`rule_bodies.py`); the call
itself has only the atoms for operands (`ir/ruled.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn

from retrograd import containers
from retrograd.api.rules import Definition
from retrograd.frontend import cells, objects
from retrograd.frontend.things import Grown, Items, Static, Thing, leaves, thing_of
from retrograd.frontend.tracer import Tracer, known
from retrograd.ir.nodes import Atom, Value
from retrograd.ir.ruled import PULLBACK, PUSHFORWARD
from retrograd.ir.types import is_float
from retrograd.trees import Fixed, Leaf, Node, Tree, positions

NONE = Static(None)


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """The numbers and arrays of a structure. `paths` say how each is reached, for messages. What
    is no number, no array and no container is a thing in the tree."""

    tree: Tree
    atoms: tuple[Atom, ...]
    paths: tuple[str, ...]

    def together(self, tracer: Tracer, leaf: Callable[[int], Thing],
                 fixed: Callable[[Thing], Thing] = lambda thing: thing) -> Thing:
        """The structure with `leaf(k)` for number k, lists and dicts as objects of their own."""
        return _together(tracer, self.tree, leaf, fixed)

    def has_floats(self, tree: Tree) -> bool:
        """Whether anything in a part of the structure has a derivative."""
        return any(is_float(self.atoms[k].type) for k in positions(tree))


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """The arguments of a call, in the order of the parameters: `things` with these `names`, and
    what is `flat` of them, as one tuple. `settings` are the keyword-only ones. `functions` among
    the arguments may read more than these."""

    names: tuple[str, ...]
    things: tuple[Thing, ...]
    settings: dict[str, Thing]
    flat: Flat
    functions: bool


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """One call: its definition, arguments and results, and what stands in the bodies for results,
    adjoints and tangents."""

    definition: Definition
    given: Given
    results: Flat
    outs: tuple[Value, ...]
    bars: tuple[Value | None, ...]
    dots: tuple[Value | None, ...]

    def offered(self, kind_: str) -> dict[str, Callable[[Tracer], Thing]]:
        """What a function of a rule may ask for, by name; it is made in the rule's own block."""
        found: dict[str, Callable[[Tracer], Thing]] = {
            "out": partial(self.results.together, leaf=lambda k: thing_of(self.outs[k]))}
        if kind_ == PULLBACK:
            found["out_bar"] = partial(self.results.together, leaf=partial(_derivative, self.bars),
                                       fixed=_nothing)
        if kind_ == PUSHFORWARD:
            for name, tree in zip(self.given.names, self.arguments, strict=True):
                found[f"{name}_dot"] = partial(
                    _together, tree=tree, leaf=partial(_derivative, self.dots), fixed=_nothing)
        return found

    @property
    def arguments(self) -> tuple[Tree, ...]:
        """The structure of every argument."""
        assert isinstance(self.given.flat.tree, Node)
        return self.given.flat.tree.children


def _derivative(values: Sequence[Value | None], k: int) -> Thing:
    value = values[k]
    return NONE if value is None else thing_of(value)


def _nothing(_: Thing) -> Thing:
    return NONE


@dataclass(frozen=True, slots=True)
class Opener:
    """Takes arguments or `results` apart. `what` says which: "is passed to 'f'". The `own` value
    of a number or array is that of the call."""

    tracer: Tracer
    what: str
    own: Callable[[Thing, Atom], Atom]
    results: bool = False
    atoms: list[Atom] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def flat(self, tree: Tree) -> Flat:
        return Flat(tree, tuple(self.atoms), tuple(self.paths))

    def tree(self, thing: Thing, path: str) -> Tree:
        """The structure of a thing."""
        tracer = self.tracer
        atom = tracer.atom(thing)
        if atom is not None:
            self.atoms.append(self.own(thing, atom))
            self.paths.append(path)
            return Leaf(len(self.atoms) - 1)
        found = cells.opened(tracer, thing)
        if isinstance(found, Grown):
            self.refuse("a list whose length only the program knows",
                        "make it an array first: np.array(...)")
        if isinstance(found, Items) and _is_container(found):
            parts, keys = objects.parts_of(tracer, thing, found)
            steps = containers.steps(found.kind, keys, len(parts))
            return Node(found.kind, tuple(self.tree(part, path + step) for part, step in zip(
                parts, steps, strict=True)), keys)
        # a function that is returned may read what the function knows, past its rule
        if not (isinstance(found, Static) if self.results else all(
                known(leaf)[0] for leaf in leaves(cells.frozen(tracer, thing)))):
            self.refuse_unknown(found)
        return Fixed(thing)

    def refuse(self, thing: str, remedy: str) -> NoReturn:
        self.tracer.refuse(f"{thing} {self.what}, which has a rule of its own", remedy)

    def refuse_unknown(self, found: Thing) -> NoReturn:
        if isinstance(found, Items) and isinstance(found.kind, type):
            self.refuse(f"a {found.kind.__name__}, of which it is not known how it is taken apart,",
                        "make it a dataclass, use retrograd.register_container, or pass its "
                        "attributes")
        self.refuse("something that is no number, no array and no container of them",
                    "use numbers, arrays and containers of them")


def _is_container(found: Items) -> bool:
    return containers.is_container_class(found.kind) if isinstance(found.kind, type) \
        else found.kind in ("tuple", "list", "dict")


def _together(tracer: Tracer, tree: Tree, leaf: Callable[[int], Thing],
              fixed: Callable[[Thing], Thing]) -> Thing:
    match tree:
        case Leaf(position=position):
            return leaf(position)
        case Fixed(value=thing):
            return fixed(thing)
        case Node(kind=kind, children=children, keys=keys):
            parts = tuple(_together(tracer, c, leaf, fixed) for c in children)
            return cells.made(tracer, objects.container(tracer, kind, parts, keys))
