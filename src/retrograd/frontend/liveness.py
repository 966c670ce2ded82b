"""Which names are read later: so that loops carry, and branches join, only what matters."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Names = frozenset[str]


@dataclass
class Liveness:
    """For every `if` and loop, the names read after it; for every loop, those that an iteration
    (its test and body) reads before it assigns them. `leave` are the flags of loops."""

    leave: Mapping[ast.stmt, str]
    after: dict[ast.stmt, Names] = field(default_factory=dict)
    inside: dict[ast.stmt, Names] = field(default_factory=dict)


def liveness(body: Sequence[ast.stmt], leave: Mapping[ast.stmt, str]) -> Liveness:
    """Backward liveness over structured code; `leave` are the flags of loops (see `jumps.py`)."""
    result = Liveness(leave)
    always = frozenset(_read_by_inner_functions(body))
    _block(body, always, result, always)
    return result


def assigned(body: Iterable[ast.AST]) -> dict[str, None]:
    """The names that statements assign, in order of appearance; not those of inner functions."""
    names: dict[str, None] = {}
    for node in body:
        for name in _stores(node):
            names[name] = None
    return names


def _stores(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)):
        return
    else:
        for child in ast.iter_child_nodes(node):
            yield from _stores(child)


def reads(node: ast.AST | None) -> Names:
    """Every name that is read anywhere inside a node."""
    if node is None:
        return frozenset()
    return frozenset(n.id for n in ast.walk(node)
                     if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def _read_by_inner_functions(body: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, (ast.FunctionDef, ast.Lambda)):
                yield from reads(node)


def _block(body: Sequence[ast.stmt], live: Names, out: Liveness, always: Names) -> Names:
    for statement in reversed(body):
        live = _statement(statement, live, out, always) | always
    return live


def _statement(node: ast.stmt, live: Names, out: Liveness, always: Names) -> Names:
    match node:
        case ast.If():
            out.after[node] = out.after.get(node, frozenset()) | live
            return (reads(node.test) | _block(node.body, live, out, always)
                    | _block(node.orelse, live, out, always))
        case ast.For():
            return _loop(node, live, reads(node.iter), frozenset(assigned([node.target])), out,
                         always)
        case ast.While():
            return _loop(node, live, frozenset(), frozenset(), out, always)
        case ast.Assign() | ast.AnnAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = frozenset(t for t in assigned(targets))
            return (live - names) | reads(node)
        case ast.AugAssign():
            return live | reads(node) | frozenset(assigned([node.target]))
        case ast.Return() | ast.Raise():
            return reads(node)
        case _:
            return (live - frozenset(assigned([node]))) | reads(node)


def _loop(node: ast.For | ast.While, live: Names, first: Names, targets: Names, out: Liveness,
          always: Names) -> Names:
    test = frozenset({out.leave[node]}) if node in out.leave else frozenset()
    if isinstance(node, ast.While):
        test |= reads(node.test)
    out.after[node] = out.after.get(node, frozenset()) | live
    inside = _fixpoint(node, test, targets, Liveness(out.leave), always)
    out.inside[node] = out.inside.get(node, frozenset()) | inside
    return _fixpoint(node, live | test, targets, out, always) | first


def _fixpoint(node: ast.For | ast.While, live: Names, targets: Names, out: Liveness,
              always: Names) -> Names:
    """What is live at the head: at the end of the body, `live` and the head's names are."""
    head = live if isinstance(node, ast.While) else live - frozenset({out.leave.get(node, "")})
    while True:
        new = head | (_block(node.body, head | live, out, always) - targets)
        if new == head:
            return head
        head = new
