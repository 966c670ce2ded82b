"""Statements: assignments, conditions, exceptions, and the order of things."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from retrograd import containers
from retrograd.frontend import branches, cells, lists, loops, objects, storing
from retrograd.frontend.arithmetic import augmented
from retrograd.frontend.binding import bind, named
from retrograd.frontend.branches import join, truth
from retrograd.frontend.certain import Certain
from retrograd.frontend.expressions import closure, evaluate, evaluate_named
from retrograd.frontend.things import (
    Cell,
    Handle,
    Items,
    Lost,
    Maybe,
    Static,
    Thing,
    atom_of,
    has_function,
    thing_of,
)
from retrograd.frontend.tracer import Tracer, constant_of, known
from retrograd.ir.nodes import Atom, Branch, Constant, Raise, bound, defined, walk
from retrograd.ir.types import Array


@dataclass(frozen=True, slots=True)
class Returned:
    thing: Thing


@dataclass(frozen=True, slots=True)
class Raised:
    """Control never gets here; `exception` where it is known while compiling."""

    exception: BaseException | None = None


Outcome = Returned | Raised | None


def execute(tracer: Tracer, body: Sequence[ast.stmt]) -> Outcome:
    """Trace statements in order; tells how they ended (None: they ran through)."""
    for statement in body:
        handler = _HANDLERS.get(type(statement))
        if handler is None:
            tracer.refuse(f"{_name(statement)} statements are not supported",
                          "write it with assignments, loops and conditions", statement)
        with tracer.visiting(statement), tracer.builder.at(
                tracer.span(statement) if tracer.frame.user else tracer.builder.origin):
            try:
                outcome = handler(tracer, statement)
            except Certain as found:
                found.say(tracer.builder)
                outcome = Raised(found.exception)
        if outcome is not None:
            return outcome
    return None


def _name(statement: ast.stmt) -> str:
    return {"FunctionDef": "def", "AsyncFunctionDef": "async def"}.get(
        type(statement).__name__, type(statement).__name__.lower())


# --- assignments ---------------------------------------------------------------------------------


def _assign(tracer: Tracer, node: ast.Assign) -> None:
    if len(node.targets) == 1 and isinstance(node.targets[0], (ast.Tuple, ast.List)) and isinstance(
            node.value, (ast.Tuple, ast.List)):
        targets = node.targets[0].elts
        if len(targets) == len(node.value.elts) and not any(
                isinstance(e, ast.Starred) for e in (*targets, *node.value.elts)):
            things = [evaluate_named(tracer, e, t)
                      for e, t in zip(node.value.elts, targets, strict=True)]
            bind(tracer, node.targets[0], Items("tuple", tuple(things)))
            return
    thing = evaluate_named(tracer, node.value, node.targets[0])
    for target in node.targets:
        bind(tracer, target, thing)


def _ann_assign(tracer: Tracer, node: ast.AnnAssign) -> None:
    if node.value is not None:
        bind(tracer, node.target, evaluate_named(tracer, node.value, node.target))


def _aug_assign(tracer: Tracer, node: ast.AugAssign) -> None:
    if isinstance(node.target, ast.Subscript):
        owner = evaluate(tracer, node.target.value)
        if isinstance(owner, Handle):
            storing.augment(tracer, owner, node.target.slice, node.op, node.value)
            return
        if isinstance(owner, (Cell, Items)):
            lists.augment(tracer, owner, node.target.slice, node.op, node.value)
            return
    if isinstance(node.target, ast.Attribute):
        _augment_attribute(tracer, node, node.target)
        return
    if not isinstance(node.target, ast.Name):
        bind(tracer, node.target, Static(None))
        return
    name = node.target.id
    old = tracer.lookup(name)
    value = evaluate(tracer, node.value)
    if isinstance(old, Handle):
        storing.augment_whole(tracer, old, node.op, value)
        tracer.env[name] = old
        return
    if isinstance(old, Cell) and isinstance(node.op, ast.Add) and (
            objects.content(tracer, old) is None):
        lists.extend(tracer, old, value)
        return
    tracer.env[name] = named(tracer, augmented(tracer, node.op, old, value), name)


def _augment_attribute(tracer: Tracer, node: ast.AugAssign, target: ast.Attribute) -> None:
    """`owner.name op= value`: an array is written in place."""
    owner = evaluate(tracer, target.value)
    found = objects.content(tracer, owner)
    if found is None:
        bind(tracer, target, Static(None))
        return
    old = objects.attribute(tracer, owner, found, target.attr)
    value = evaluate(tracer, node.value)
    if isinstance(old, Handle):
        storing.augment_whole(tracer, old, node.op, value)
        new: Thing = old
    elif isinstance(old, Cell) and isinstance(node.op, ast.Add) and (
            objects.content(tracer, old) is None):
        lists.extend(tracer, old, value)
        new = old
    else:
        new = augmented(tracer, node.op, old, value)
    found = objects.content(tracer, owner)
    assert found is not None
    if containers.is_changeable(found.kind) and target.attr in found.keys and (
            found.items[found.keys.index(target.attr)] is new):
        return                                    # it is the same array or list as before
    objects.assign(tracer, owner, found, target.attr, new)


# --- control flow --------------------------------------------------------------------------------


def _return(tracer: Tracer, node: ast.Return) -> Outcome:
    result = Static(None) if node.value is None else evaluate(tracer, node.value)
    tracer.frame.ended.append(tracer.env)
    return Returned(result)


def _if(tracer: Tracer, node: ast.If) -> Outcome:
    test = truth(tracer, evaluate(tracer, node.test))
    live = tracer.frame.live_after.get(node, frozenset())
    return branch(tracer, test, lambda t: execute(t, node.body),
                  lambda t: execute(t, node.orelse), live)


def branch(tracer: Tracer, test: Atom, then: Callable[[Tracer], Outcome],
           otherwise: Callable[[Tracer], Outcome], live: frozenset[str]) -> Outcome:
    """Trace both arms and join the live names and what they return."""
    if isinstance(test, Constant):
        return then(tracer) if test.value else otherwise(tracer)
    arms = (tracer.inner(), tracer.inner())
    outcomes = (then(arms[0]), otherwise(arms[1]))
    if all(isinstance(o, Raised) for o in outcomes):
        tracer.builder.append(Branch(test, arms[0].builder.block, arms[1].builder.block, (),
                                     tracer.builder.origin))
        return Raised()
    if any(isinstance(o, Returned) for o in outcomes):
        things = [None if isinstance(o, Raised) else [
            o.thing if isinstance(o, Returned) else Static(None)] for o in outcomes]
        return Returned(join(tracer, test, (arms[0], things[0]), (arms[1], things[1]))[0])
    _merge(tracer, test, arms, outcomes, live)
    return None


def _merge(tracer: Tracer, test: Atom, arms: tuple[Tracer, Tracer],
           outcomes: tuple[Outcome, Outcome], live: frozenset[str]) -> None:
    """Names that differ between the arms are joined where they are read later."""
    changed = [n for n in dict.fromkeys((*arms[0].env, *arms[1].env)) if any(
        a.env.get(n) is not tracer.env.get(n) for a in arms)]
    names = [n for n in changed if n in live and any(
        n in a.env and not isinstance(o, Raised) for a, o in zip(arms, outcomes, strict=True))]
    for n in changed:
        tracer.env.pop(n, None)
    lost = [n for n in names if arms[0].env.get(n) is not arms[1].env.get(n)
            and any(has_function(a.env.get(n)) for a in arms)]
    tracer.env.update((n, Lost("a branch")) for n in lost)
    names = [n for n in names if n not in lost]
    columns: list[list[Thing] | None] = []
    for k, (arm, outcome) in enumerate(zip(arms, outcomes, strict=True)):
        other = arms[1 - k]
        columns.append(None if isinstance(outcome, Raised) else [
            arm.env[n] if n in arm.env else _missing(arm, other, n) for n in names])
    joined = join(tracer, test, (arms[0], columns[0]), (arms[1], columns[1]), names)
    tracer.env.update(zip(names, joined, strict=True))


def _missing(arm: Tracer, other: Tracer, name: str) -> Thing:
    """The stand-in for a name that only the other arm defines."""
    from retrograd.frontend.things import with_leaves

    found = cells.held(other, other.env[name])
    thing = found.thing if isinstance(found, Maybe) else found
    made = {v for s in walk(other.builder.block) for v in (*defined(s), *bound(s))}

    def stand_in(leaf: Thing) -> Thing:
        atom = atom_of(leaf)
        assert atom is not None
        return thing_of(branches.stand_in(arm.builder, atom, made))

    return cells.closed(arm, Maybe(with_leaves(thing, stand_in), constant_of(False)),
                        lambda cell: Cell(born=arm.memory.clock))


def _raise(tracer: Tracer, node: ast.Raise) -> Outcome:
    if node.exc is None:
        tracer.refuse("a bare raise has nothing to raise here", "name the exception", node)
    call = node.exc if isinstance(node.exc, ast.Call) else None
    kind = evaluate(tracer, call.func if call else node.exc)
    if not (isinstance(kind, Static) and isinstance(kind.value, type)
            and issubclass(kind.value, BaseException)):
        tracer.refuse("only an exception class or a call of one can be raised",
                      'write raise ValueError("...")', node)
    things = [evaluate(tracer, a) for a in call.args] if call else []
    parts = message(tracer, things, node)
    tracer.builder.append(Raise(kind.value, parts, tracer.builder.origin))
    texts = [p for p in parts if isinstance(p, str)]
    if len(texts) < len(parts):
        return Raised()
    return Raised(kind.value("".join(texts)) if parts else kind.value())


def message(tracer: Tracer, things: Sequence[Thing], node: ast.AST) -> tuple[str | Atom, ...]:
    """The text of an exception, made of strings and numbers."""
    if not things:
        return ()
    if len(things) > 1:
        tracer.refuse("an exception with several arguments is not supported",
                      "give it one message", node)
    thing = things[0]
    pieces = thing.items if isinstance(thing, Items) and thing.kind == "message" else (thing,)
    parts: list[str | Atom] = []
    for piece in pieces:
        ok, value = known(piece)
        atom = tracer.atom(piece)
        if ok:
            parts.append(str(value))
        elif atom is not None and not isinstance(atom.type, Array):
            parts.append(atom)
        else:
            tracer.refuse("a message with an array in it is not supported",
                          "print its shape or an element instead", node)
    return tuple(parts)


def _assert(tracer: Tracer, node: ast.Assert) -> Outcome:
    test = truth(tracer, evaluate(tracer, node.test))
    if isinstance(test, Constant) and test.value:
        return None
    inner = tracer.inner()
    things = [evaluate(inner, node.msg)] if node.msg is not None else []
    inner.builder.append(Raise(AssertionError, message(inner, things, node),
                               tracer.builder.origin))
    if isinstance(test, Constant):
        tracer.builder.adopt(inner.builder)
        return Raised()
    failed = tracer.builder.let("logical_not", test)
    tracer.builder.append(Branch(failed, inner.builder.block, (), (), tracer.builder.origin))
    return None


def _expression(tracer: Tracer, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        evaluate(tracer, node.value)


def _function(tracer: Tracer, node: ast.FunctionDef) -> None:
    if node.decorator_list:
        tracer.refuse("decorated inner functions are not supported",
                      "define the function outside", node)
    tracer.env[node.name] = closure(tracer, node)


def _pass(_: Tracer, __: ast.stmt) -> None:
    return None


def _delete(tracer: Tracer, node: ast.Delete) -> None:
    for target in node.targets:
        owner = evaluate(tracer, target.value) if isinstance(target, ast.Subscript) else None
        if isinstance(target, ast.Subscript) and isinstance(owner, (Cell, Items)):
            lists.delete(tracer, owner, evaluate(tracer, target.slice))
        else:
            tracer.refuse("only elements of lists and dicts can be deleted",
                          "leave the name bound", target)


def _import(tracer: Tracer, node: ast.Import | ast.ImportFrom) -> None:
    """Imports inside a function: the modules are loaded now and are static."""
    import importlib

    if isinstance(node, ast.ImportFrom):
        module = importlib.import_module(node.module or "")
        for alias in node.names:
            tracer.env[alias.asname or alias.name] = Static(getattr(module, alias.name))
        return
    for alias in node.names:
        module = importlib.import_module(alias.name)
        top = module if alias.asname else importlib.import_module(alias.name.split(".")[0])
        tracer.env[alias.asname or alias.name.split(".")[0]] = Static(top)


def _scope(tracer: Tracer, node: ast.stmt) -> None:
    word = type(node).__name__.lower()
    tracer.refuse(f"`{word}` writes outside the function", "return the value instead", node)


def _for(tracer: Tracer, node: ast.For) -> Outcome:
    loops.trace_for(tracer, node)
    return None


def _while(tracer: Tracer, node: ast.While) -> Outcome:
    loops.trace_while(tracer, node)
    return None


_HANDLERS: dict[type[ast.stmt], Callable[[Tracer, Any], Outcome]] = {
    ast.Assign: _assign, ast.AnnAssign: _ann_assign, ast.AugAssign: _aug_assign,
    ast.Return: _return, ast.If: _if, ast.Raise: _raise, ast.Assert: _assert,
    ast.Expr: _expression, ast.FunctionDef: _function, ast.Pass: _pass, ast.For: _for,
    ast.While: _while, ast.Import: _import, ast.ImportFrom: _import, ast.Global: _scope,
    ast.Nonlocal: _scope, ast.Delete: _delete,
}
