"""Which array values may share memory, and which buffers are written to.

Every array value has a set of *roots*: the buffers that it may look into. A result of an
operation that takes over its operand's buffer is a root of its own, because nothing else may
look into that buffer any more (the storage pass sees to it with copies). The same holds for a
*slot*, a carried value of a loop, whose buffer is written to somewhere: it owns its buffer at the
start of every iteration. A slot that is only read may share memory with anything; a root that was
made in an earlier iteration is another buffer than the one made in this iteration, and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
    walk,
)
from retrograd.ir.operations import family
from retrograd.ir.types import Array
from retrograd.optimise.storage_parts import NO_PARTS, Parts
from retrograd.optimise.storage_positions import Positions

TAKES_OVER = frozenset({"update", "add_at", "push"})
# NumPy returns the array itself, or a view of it, where the array is real.
_SOMETIMES_VIEWS = frozenset({"real", "imag"})

Root = tuple[Value, frozenset[Statement]]     # made in an earlier iteration of these loops
Roots = frozenset[Root]
NONE: Roots = frozenset()


def is_array(atom: Atom) -> bool:
    return isinstance(atom.type, Array)


def is_view(statement: Statement | None) -> bool:
    """Whether the statement's result looks into its operand's memory."""
    if not isinstance(statement, Let) or not statement.args or not is_array(statement.args[0]):
        return False
    return (family(statement.op) == "view" or statement.op in _SOMETIMES_VIEWS
            or (statement.op == "einsum" and len(statement.args) == 1))


def slots(statement: Statement) -> tuple[Carried, ...]:
    """The array slots of a loop."""
    if not isinstance(statement, Loop | While):
        return ()
    return tuple(c for c in statement.carried if is_array(c.inner))


def written(function: Function, accumulations: Collection[Let]) -> frozenset[Value]:
    """The values whose buffer is written to while they hold it, or later by what takes it over
    through a slot, a join, a plain assignment or another shape."""
    sources: dict[Value, list[Atom]] = {}
    todo: list[Atom] = []
    for statement in walk(function.body):
        match statement:
            case Let(op="let" | "reshape", result=result, args=args):
                sources[result] = [args[0]]
            case Let(op=op, args=args):
                if op in TAKES_OVER or statement in accumulations:
                    todo.append(args[0])
            case Branch():
                sources.update((j.result, [j.then, j.otherwise]) for j in statement.joins)
            case Loop() | While():
                for c in statement.carried:
                    sources[c.inner] = [c.init, c.next, c.result]
                    sources[c.result] = [c.inner]
    found: set[Value] = set()
    while todo:
        atom = todo.pop()
        if isinstance(atom, Value) and is_array(atom) and atom not in found:
            found.add(atom)
            todo += sources.get(atom, [])
    return frozenset(found)


@dataclass(eq=False, slots=True)
class Sharing:
    """The roots of every array value, and for every root the values that look into it."""

    positions: Positions
    mutable: frozenset[Value]
    accumulations: Collection[Let]
    parts: Parts = NO_PARTS
    roots: dict[Value, Roots] = field(default_factory=dict)
    lookers: dict[Root, list[Value]] = field(default_factory=dict)

    def of(self, atom: Atom) -> Roots:
        return self.roots.get(atom, NONE) if isinstance(atom, Value) else NONE

    def overlap(self, a: Atom, b: Atom) -> bool:
        return not self.of(a).isdisjoint(self.of(b))

    def lookers_into(self, value: Value) -> Iterator[Value]:
        """The values that may share memory with this one, itself first."""
        yield value
        for root in self.of(value):
            for other in self.lookers.get(root, ()):
                if other is not value:
                    yield other


def sharing_of(function: Function, positions: Positions, mutable: frozenset[Value],
               accumulations: Collection[Let], parts: Parts = NO_PARTS) -> Sharing:
    sharing = Sharing(positions, mutable, accumulations, parts)
    for param in function.params:
        if is_array(param):
            sharing.roots[param] = _own(param)
    _block(function.body, sharing)
    for value, roots in sharing.roots.items():
        for root in roots:
            sharing.lookers.setdefault(root, []).append(value)
    return sharing


def _own(value: Value) -> Roots:
    return frozenset({(value, frozenset())})


def _block(block: Block, sharing: Sharing) -> None:
    for statement in block:
        match statement:
            case Let():
                if is_array(statement.result):
                    sharing.roots[statement.result] = _let(statement, sharing)
            case Loop() | While():
                _loop(statement, sharing)
            case Branch():
                _branch(statement, sharing)


def _let(let: Let, sharing: Sharing) -> Roots:
    takes_over = let.op == "let" and let.result in sharing.mutable
    if is_view(let) or (let.op == "let" and not takes_over) or sharing.parts.over(let):
        return sharing.of(let.args[0])
    return _own(let.result)


def _branch(branch: Branch, sharing: Sharing) -> None:
    _block(branch.then, sharing)
    _block(branch.otherwise, sharing)
    for j in branch.joins:
        if is_array(j.result):
            sharing.roots[j.result] = _own(j.result) if j.result in sharing.mutable else \
                sharing.of(j.then) | sharing.of(j.otherwise)


def _loop(loop: Loop | While, sharing: Sharing) -> None:
    """The roots of slots that are only read flow around the loop until nothing is added."""
    for c in slots(loop):
        sharing.roots[c.inner] = _own(c.inner) if c.inner in sharing.mutable else \
            sharing.of(c.init)
    while True:
        if isinstance(loop, While):
            _block(loop.test, sharing)
        _block(loop.body, sharing)
        if not any([_flows_back(c, loop, sharing) for c in slots(loop)]):
            break
    for c in slots(loop):
        sharing.roots[c.result] = _own(c.result) if c.result in sharing.mutable else \
            sharing.of(c.init) | sharing.of(c.next)


def _flows_back(c: Carried, loop: Loop | While, sharing: Sharing) -> bool:
    if c.inner in sharing.mutable:
        return False
    before = sharing.roots[c.inner]
    body = sharing.positions.inside[loop][-1]
    after = before
    for value, loops in sharing.of(c.next):
        local = body.start <= sharing.positions.defined_at[value] <= body.end
        after = after | {(value, loops | {loop} if local else loops)}
    sharing.roots[c.inner] = after
    return after != before


def disordered(function: Function) -> frozenset[Value]:
    """Arrays of two or more axes that NumPy may give another order in memory than C.

    NumPy's elementwise results, reductions and `concatenate` follow the order of their operands.
    """
    found: set[Value] = {p for p in function.params if _strided(p)}
    statements = list(walk(function.body))
    size = -1
    while size != len(found):
        size = len(found)
        for statement in statements:
            match statement:
                case Let():
                    if statement.result.type.rank > 1 and _let_disordered(statement, found):
                        found.add(statement.result)
                case Loop() | While():
                    for c in statement.carried:
                        if found & {c.init, c.next, c.inner}:
                            found |= {c.inner, c.result}
                case Branch():
                    found |= {j.result for j in statement.joins if found & {j.then, j.otherwise}}
    return frozenset(found)


def _strided(atom: Atom) -> bool:
    return isinstance(atom.type, Array) and atom.type.rank > 1 and atom.type.layout != "C"


def _let_disordered(let: Let, found: set[Value]) -> bool:
    if let.op in ("take", "einsum"):
        return True
    if is_view(let):
        return let.op != "reshape" or let.args[0] in found or _not_c(let.args[0])
    if let.op in TAKES_OVER or let.op == "let":
        return let.args[0] in found
    follows = family(let.op) in ("elementwise", "reduction", "scan") or let.op == "concatenate"
    return follows and any(a in found for a in let.args)


def _not_c(atom: Atom) -> bool:
    return isinstance(atom.type, Array) and atom.type.layout != "C"
