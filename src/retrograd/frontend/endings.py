"""How a traced function ends: what it returns, and what the arguments hold that it wrote into.

    def smooth(u, out):
        out[1:-1] = 0.5 * (u[:-2] + u[2:])

    returns=("out",)       the last content of `out` is the result
    the primal             the same, and the caller's array gets it
    derivatives            nothing more: the caller's arrays stay as they are
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from retrograd.errors import Unsupported
from retrograd.frontend import cells, objects
from retrograd.frontend.things import Base, Grown, Handle, Items, Static, Store, Thing, type_of
from retrograd.frontend.tracer import Tracer
from retrograd.ir.nodes import Atom, Value
from retrograd.ir.types import Array
from retrograd.program import PRIMAL, Request, Written
from retrograd.trees import Fixed, Leaf, Node, Tree


@dataclass(frozen=True, slots=True)
class Ending:
    """The results of a traced function: `tree` over `atoms`, of which the user gets `visible`."""

    tree: Tree
    visible: Tree
    atoms: tuple[Atom, ...]
    written: tuple[Written, ...]


def note_store(tracer: Tracer, base: Base) -> None:
    """Remember that a store may go into these arguments, and where it stands."""
    context = tracer.context
    for argument in base.closure():
        if argument.argument:
            first = context.stores.get(argument)
            always = argument is base and tracer.builder is context.top
            if first is None:
                context.stores[argument] = replace(_here(tracer), always=always)
            else:
                context.stores[argument] = replace(first, always=first.always or always,
                                                   copied=False)
        elif argument.of is not None:
            for original in _originals(argument):
                context.stores.setdefault(original, replace(_here(tracer), copied=True))


def _here(tracer: Tracer) -> Store:
    span = tracer.span()
    return Store(span, tracer.frame.user_frame().source.line(span) if span else "", False)


def _originals(base: Base) -> set[Base]:
    """The arguments of which a base is a copy."""
    if base.of is None:
        return {base} if base.argument else set()
    return {found for one in base.of.closure() for found in _originals(one)}


def ending(tracer: Tracer, request: Request, result: Thing, given: Mapping[str, Thing],
           params: Sequence[Value]) -> Ending:
    """What the function returns, and what its arguments hold (`given`, by their names)."""
    atoms: list[Atom] = []
    tree = structure(tracer, result, atoms)
    known: dict[Base, int] = {}
    asked = [_content(tracer, _asked(name, given[name]), atoms, known)
             for name in request.returns]
    visible = tree = _with(tree, asked)
    written = _written(tracer, params)
    if request.product == PRIMAL:
        extra: list[Tree] = []
        for base, one in written.items():
            if tracer.context.stores[base].copied:
                continue
            if base not in known:
                extra.append(_content(tracer, Handle(base.first, base), atoms, known))
            written[base] = replace(one, result=known[base])
        tree = _with(tree, extra)
    return Ending(tree, visible, tuple(atoms), tuple(written.values()))


def _with(tree: Tree, contents: Sequence[Tree]) -> Tree:
    """Contents of arguments behind what the function itself returns, if it returns anything."""
    if not contents:
        return tree
    nothing = isinstance(tree, Fixed) and tree.value is None
    parts = tuple(contents) if nothing else (tree, *contents)
    return parts[0] if len(parts) == 1 else Node("tuple", parts)


def _asked(name: str, thing: Thing) -> Handle:
    """The argument that `returns` names."""
    if isinstance(thing, Handle):
        return thing
    kind = type_of(thing)
    what = f"is a {kind.dtype}" if kind is not None else (
        "is known while compiling" if isinstance(thing, Static) else "is a container")
    raise TypeError(f"returns names {name!r}, which {what}: only an array has a last content; "
                    "pass an array, or return the number")


def _content(tracer: Tracer, argument: Handle, atoms: list[Atom], known: dict[Base, int]) -> Leaf:
    """The last content of an argument as a result."""
    other = tracer.memory.conflict(argument.base)
    if other is not None:
        name = argument.value.name
        store = tracer.context.stores[argument.base]
        raise Unsupported(
            f"a branch or a loop decides which array is written here, so what {name!r} holds at "
            "the end is not known", f"let the function copy it first, {name} = {name}.copy(), and "
            "return what is asked for", store.span, store.line)
    known[argument.base] = len(atoms)
    atoms.append(tracer.current(argument))
    return Leaf(len(atoms) - 1)


def _written(tracer: Tracer, params: Sequence[Value]) -> dict[Base, Written]:
    """The arguments that were written, in the order of the parameters."""
    arrays = [(k, p) for k, p in enumerate(params) if isinstance(p.type, Array)]
    stores = tracer.context.stores
    paths = tracer.context.parameters
    found: dict[Base, Written] = {}
    for base in sorted(stores, key=lambda b: params.index(b.first)):
        position = params.index(base.first)
        others = tuple((k, paths.get(p, p.name)) for k, p in arrays if k != position)
        store = stores[base]
        name = paths.get(base.first, base.first.name)
        found[base] = Written(name, position, others, store.span, store.line, store.always)
    return found


def structure(tracer: Tracer, thing: Thing, atoms: list[Atom]) -> Tree:
    """The structure of a result, its numbers and arrays appended to `atoms`."""
    atom = tracer.atom(thing)
    if atom is not None:
        atoms.append(atom)
        return Leaf(len(atoms) - 1)
    result = thing
    thing = cells.opened(tracer, result)
    if isinstance(thing, Items) and thing.kind != "message":
        parts, keys = objects.parts_of(tracer, result, thing)
        return Node(thing.kind, tuple(structure(tracer, i, atoms) for i in parts), keys)
    if isinstance(thing, Static):
        return Fixed(thing.value)
    if isinstance(thing, Grown):
        tracer.refuse("the function returns a list whose length only the program knows",
                      "return an array of it: np.array(...)")
    tracer.refuse("the function returns something that is not a number, an array or a container",
                  "return numbers and arrays")
