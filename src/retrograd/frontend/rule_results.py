"""What the functions of a rule return: adjoints, tangents and partials, each in the structure,
shape and dtype of what it belongs to. The messages name the rule:

    the pullback of 'f' returns an adjoint of shape (3,) for 'x', which has shape (4,)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrograd import containers
from retrograd.frontend import cells, objects
from retrograd.frontend.ruled_values import Flat, Traced
from retrograd.frontend.things import Items, Static, Thing
from retrograd.frontend.tracer import Tracer
from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent
from retrograd.ir.nodes import Atom
from retrograd.ir.operations_elementwise import shape_text
from retrograd.ir.types import Array, Scalar, Type, is_complex, is_float, kind, promote
from retrograd.trees import Leaf, Node, Tree

_ROWS = {"tuple", "list"}


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One function of a rule being checked."""

    call: Traced
    kind: str
    tracer: Tracer

    @property
    def builder(self) -> Builder:
        return self.tracer.builder

    @property
    def said(self) -> str:
        return f"the {self.kind} of {self.call.definition.name!r}"

    def wrong(self, kind_: type[Exception], what: str) -> Exception:
        return kind_(f"{self.said} {what}")

    def items(self, thing: Thing, trees: Sequence[Tree], what: str) -> tuple[Thing, ...]:
        """A tuple of so many results, or the bare one."""
        opened = cells.opened(self.tracer, thing)
        found = opened.items if isinstance(opened, Items) and opened.kind in _ROWS else (thing,)
        if len(trees) == 1 and isinstance(trees[0], Node) and trees[0].kind in _ROWS and (
                len(found) != 1 or len(trees[0].children) == 1):
            return (thing,)
        if len(found) != len(trees):
            raise self.wrong(TypeError, f"returns {len(found)} {what}, and there are {len(trees)}")
        return found

    def parts(self, flat: Flat, tree: Tree, thing: Thing, path: str) -> Iterator[tuple[int, Thing]]:
        """The numbers of the floats in a structure, with what a rule returns for each."""
        if not flat.has_floats(tree) or (isinstance(thing, Static) and thing.value is None):
            return
        if isinstance(tree, Leaf):
            yield tree.position, thing
        if isinstance(tree, Node):
            steps = containers.steps(tree.kind, tree.keys, len(tree.children))
            parts = self.children(tree, thing, self.shown(flat, path))
            for child, part, step in zip(tree.children, parts, steps, strict=True):
                yield from self.parts(flat, child, part, path + step)

    def shown(self, flat: Flat, path: str) -> str:
        """A place in messages: arguments are quoted."""
        return path if flat is self.call.results else repr(path)

    def children(self, tree: Node, thing: Thing, path: str) -> tuple[Thing, ...]:
        """The parts of what has to be such a container. A list may stand for a tuple."""
        opened = cells.opened(self.tracer, thing)
        if not isinstance(opened, Items) or (
                opened.kind != tree.kind and not {opened.kind, tree.kind} <= _ROWS):
            raise self.wrong(TypeError, f"returns {_described(self.tracer, opened)} for {path}, "
                             f"which is {containers.described(tree.kind)}")
        parts, keys = objects.parts_of(self.tracer, thing, opened)
        if keys and tree.kind not in containers.REGISTERED:
            if set(keys) != set(tree.keys):
                raise self.wrong(TypeError, f"returns {containers.described(tree.kind)} of "
                                 f"{list(keys)} for {path}, which has {list(tree.keys)}")
            return tuple(parts[keys.index(key)] for key in tree.keys)
        if len(parts) != len(tree.children):
            raise self.wrong(TypeError, f"returns {len(parts)} items for {path}, which has "
                             f"{len(tree.children)}")
        return parts

    def of_arguments(self, thing: Thing, what: str) -> Iterator[tuple[int, Thing]]:
        """What is returned for the numbers and arrays of the arguments."""
        given, trees = self.call.given, self.call.arguments
        things = self.items(thing, trees, what)
        for name, tree, item in zip(given.names, trees, things, strict=True):
            yield from self.parts(given.flat, tree, item, name)

    def of_results(self, thing: Thing, what: str) -> Iterator[tuple[int, Thing]]:
        """What is returned for the numbers and arrays of the results."""
        flat = self.call.results
        trees: tuple[Tree, ...] = (flat.tree,)
        paths = ["out"]
        if isinstance(flat.tree, Node) and flat.tree.kind == "tuple":
            trees = flat.tree.children
            paths = [f"out[{k}]" for k in range(len(trees))]
        for tree, item, path in zip(trees, self.items(thing, trees, what), paths, strict=True):
            yield from self.parts(flat, tree, item, path)

    def atom(self, thing: Thing, what: str) -> Atom:
        found = self.tracer.atom(thing)
        if found is None:
            raise self.wrong(TypeError, f"returns something that is no number and no array {what}")
        return found

    # --- dtypes and shapes -------------------------------------------------------------------

    def like(self, found: Atom, wanted: Atom, noun: str, what: str) -> Atom:
        """An adjoint or a tangent, of the dtype and shape of what it belongs to."""
        found = self.of_dtype(found, wanted.type, noun, what)
        if found.type.rank != wanted.type.rank:
            raise self.shapes(found, wanted, noun, what)
        if not wanted.type.rank:
            return self.of_no_axes(found, wanted.type)
        facts = self.builder.facts
        mine, theirs = facts.of(found), facts.of(wanted)
        for a, b in zip(mine, theirs, strict=True):
            if a.known is not None and b.known is not None and a.known != b.known:
                raise self.shapes(found, wanted, noun, what)
            self.builder.require_equal(a, b, ValueError, self.shape_message(
                mine, theirs, noun, what))
        if any(w == 1 and f != 1 for f, w in zip(found.type.dims, wanted.type.dims, strict=True)):
            return self.builder.let("reshape", found, *self.builder.shape_atoms(wanted))
        return found

    def of_no_axes(self, found: Atom, wanted: Type) -> Atom:
        """A number where a number is wanted, an array without axes where that is."""
        if isinstance(found.type, Array) == isinstance(wanted, Array):
            return found
        if isinstance(wanted, Array):
            return self.builder.let("reshape", found)
        return self.builder.let("load", found, index=())

    def of_dtype(self, found: Atom, wanted: Type, noun: str, what: str) -> Atom:
        """The result in the dtype that is wanted: numbers of Python's adapt themselves, and so do
        results for them."""
        if found.type.dtype == wanted.dtype:
            return found
        weak = any(isinstance(t, Scalar) and t.weak for t in (found.type, wanted))
        narrower = kind(found.type.dtype) in ("bif" if kind(wanted.dtype) == "f" else "bifc")
        if not weak or not narrower:
            raise self.wrong(TypeError, f"returns {noun} of dtype {found.type.dtype} {what}, which "
                             f"has dtype {wanted.dtype}")
        return self.builder.cast(found, wanted.dtype)

    def shapes(self, found: Atom, wanted: Atom, noun: str, what: str) -> Exception:
        facts = self.builder.facts
        parts = self.shape_message(facts.of(found), facts.of(wanted), noun, what)
        return ValueError("".join(p if isinstance(p, str) else _shown(p) for p in parts))

    def shape_message(self, found: tuple[Extent, ...], wanted: tuple[Extent, ...], noun: str,
                      what: str) -> list[str | Extent]:
        return [f"{self.said} returns {noun} of shape ", *shape_text(found), f" {what}, which has "
                "shape ", *shape_text(wanted)]


def _shown(extent: Extent) -> str:
    return "n" if extent.known is None else str(extent.known)


def _described(tracer: Tracer, thing: Thing) -> str:
    if isinstance(thing, Items):
        return containers.described(thing.kind)
    atom = tracer.atom(thing)
    return "something else" if atom is None else "an array" if atom.type.rank else "a number"


# --- the three kinds -----------------------------------------------------------------------------


def pullback(rule: Rule, thing: Thing) -> tuple[Atom | None, ...]:
    """One adjoint for each argument."""
    flat = rule.call.given.flat
    found: list[Atom | None] = [None] * len(flat.atoms)
    for k, item in rule.of_arguments(thing, "adjoints for the arguments"):
        what = f"for {flat.paths[k]!r}"
        found[k] = rule.like(rule.atom(item, what), flat.atoms[k], "an adjoint", what)
    return tuple(found)


def pushforward(rule: Rule, thing: Thing) -> tuple[Atom | None, ...]:
    """One tangent for each result."""
    flat = rule.call.results
    found: list[Atom | None] = [None] * len(flat.atoms)
    for k, item in rule.of_results(thing, "tangents for the results"):
        what = f"for {flat.paths[k]}"
        found[k] = rule.like(rule.atom(item, what), flat.atoms[k], "a tangent", what)
    return tuple(found)


def partials(rule: Rule, thing: Thing) -> tuple[Atom | None, ...]:
    """For each result, one partial for each argument."""
    results, flat = rule.call.results, rule.call.given.flat
    count = len(flat.atoms)
    found: list[Atom | None] = [None] * (count * len(results.atoms))
    bare = len(results.atoms) == 1 and not (isinstance(results.tree, Node)
                                            and results.tree.kind != "tuple")
    rows = [(0, thing)] if bare else rule.of_results(thing, "rows of partials for the results")
    for r, row in rows:
        result = results.atoms[r]
        for k, item in rule.of_arguments(row, "partials for the arguments"):
            if is_float(result.type):
                found[r * count + k] = _partial(rule, item, flat.atoms[k], result, flat.paths[k])
    return tuple(found)


def _partial(rule: Rule, item: Thing, arg: Atom, result: Atom, path: str) -> Atom:
    atom = rule.atom(item, f"for {path!r}")
    _check_broadcast(rule, arg, result, f"an argument {path!r}")
    _check_broadcast(rule, atom, result, f"a partial for {path!r}")
    return _partial_of_dtype(rule, atom, result.type, path)


def _check_broadcast(rule: Rule, atom: Atom, result: Atom, what: str) -> None:
    """Elementwise: everything is broadcast to the shape of the result."""
    facts = rule.builder.facts
    mine, theirs = facts.of(atom), facts.of(result)
    if len(mine) > len(theirs):
        raise rule.wrong(ValueError, f"needs a function that works element by element: there is "
                         f"{what} of rank {len(mine)}, and the result has rank {len(theirs)}")
    for a, b in zip(reversed(mine), reversed(theirs), strict=False):
        if a.known == 1:
            continue
        message = [f"{rule.said} has {what} of shape ", *shape_text(mine),
                   " and a result of shape ", *shape_text(theirs)]
        if a.known is not None and b.known is not None and a.known != b.known:
            raise ValueError("".join(p if isinstance(p, str) else _shown(p) for p in message))
        rule.builder.require_equal(a, b, ValueError, message)


def _partial_of_dtype(rule: Rule, atom: Atom, wanted: Type, name: str) -> Atom:
    """A partial that leaves its products with adjoints in their dtype."""
    if (is_complex(atom.type) and not is_complex(wanted)) or promote(
            (Scalar(wanted.dtype), atom.type))[0] != wanted.dtype:
        raise rule.wrong(TypeError, f"returns a partial of dtype {atom.type.dtype} for {name!r}, "
                         f"and the result has dtype {wanted.dtype}")
    return atom
