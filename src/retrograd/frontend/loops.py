"""Loops: unrolled, over a range, over an iterable, or `while`."""

from __future__ import annotations

import ast

from retrograd.frontend import iteration
from retrograd.frontend.binding import bind
from retrograd.frontend.branches import truth
from retrograd.frontend.expressions import evaluate
from retrograd.frontend.indexing import UnknownItem
from retrograd.frontend.slots import Slots
from retrograd.frontend.things import Checkpointed, Range, Thing
from retrograd.frontend.tracer import Tracer, constant_of
from retrograd.ir.nodes import Atom, Constant, Loop, Value, While, bound, defined, integer, walk
from retrograd.ir.types import INT


def trace_for(tracer: Tracer, node: ast.For) -> None:
    """A loop over something of known length is unrolled, any other becomes a `Loop`."""
    iterable = evaluate(tracer, node.iter)
    if isinstance(iterable, Checkpointed):
        _checkpointed(tracer, node, iterable)
        return
    items = iteration.unrolled(tracer, iterable)
    if items is None:
        try:
            _dynamic(tracer, node, iterable)
            return
        except UnknownItem:
            items = iteration.unrolled(tracer, iterable, short=True)
            if items is None:
                raise
    if len(items) > iteration.UNROLL_LIMIT and tracer.frame.user:
        tracer.refuse(f"a loop over a container of {len(items)} items would be written out",
                      "put the items into an array and loop over that", node)
    _unroll(tracer, node, items)


def _checkpointed(tracer: Tracer, node: ast.For, marked: Checkpointed) -> None:
    """A loop whose reverse keeps few states: what is written out, or may end early, is none."""
    if iteration.unrolled(tracer, marked.inner) is not None:
        tracer.refuse("a checkpointed loop runs over a container, which is written out",
                      "run over a range or an array, or leave the mark out", node.iter)
    if isinstance(marked.inner, Checkpointed):
        tracer.refuse("a loop is marked twice as checkpointed", "mark it once", node.iter)
    snapshots = marked.snapshots
    if snapshots is None:
        snapshots = iteration.about_root(tracer, marked.inner)
    _dynamic(tracer, node, marked.inner, snapshots)


def _unroll(tracer: Tracer, node: ast.For, items: tuple[Thing, ...]) -> None:
    """One copy of the body for each item; after a dynamic break the rest is guarded."""
    from retrograd.frontend.statements import Outcome, branch, execute

    if not items:
        return
    bind(tracer, node.target, items[0])
    execute(tracer, node.body)
    flag = tracer.frame.leave.get(node)
    stopped = constant_of(False) if flag is None else truth(tracer, tracer.lookup(flag))
    if isinstance(stopped, Constant):
        if not stopped.value:
            _unroll(tracer, node, items[1:])
        return

    def rest(inner: Tracer) -> Outcome:
        _unroll(inner, node, items[1:])
        return None

    live = tracer.frame.live_after.get(node, frozenset()) | {flag or ""}
    live |= tracer.frame.live_inside.get(node, frozenset())
    branch(tracer, stopped, lambda _: None, rest, live)


def _dynamic(tracer: Tracer, node: ast.For, iterable: Thing,
             snapshots: Atom | None = None) -> None:
    builder = tracer.builder
    if isinstance(iterable, Range):
        start, stop, step = iterable.start, iterable.stop, iterable.step
    else:
        start, stop, step = integer(0), iteration.length(tracer, iterable), integer(1)
    slots = Slots(tracer, node, [node.target, *node.body])
    flag = tracer.frame.leave.get(node)

    def body(inner: Tracer) -> tuple[Value, Atom | None]:
        from retrograd.frontend.statements import execute

        index = Value(_index_name(node, iterable), INT)
        _note_bounds(inner, index, start, stop, step)
        item: Thing = index if isinstance(iterable, Range) else iteration.element(
            inner, iterable, index)
        bind(inner, node.target, item)
        execute(inner, node.body)
        leave = None if flag is None else truth(inner, inner.lookup(flag))
        if isinstance(leave, Constant) and not leave.value:
            leave = None
        return index, leave

    (index, leave), inner = slots.trace(body)
    carried = slots.carried(inner)
    trips = None if leave is None else Value("trips", INT)
    if snapshots is not None and leave is not None:
        tracer.refuse("a checkpointed loop is left early",
                      "keep the last state by `if` instead of break or return, or leave the "
                      "mark out", node)
    builder.append(Loop(index, start, stop, step, carried, inner.builder.block, leave, trips,
                        builder.origin, snapshots))
    assert isinstance(step, Constant)
    op = "less" if step.value.real > 0 else "greater"
    slots.finish(inner, lambda: builder.let(op, start, stop))


def _index_name(node: ast.For, iterable: Thing) -> str:
    """The user's name for the index, where there is one that says something."""
    if isinstance(iterable, Range) and isinstance(node.target, ast.Name):
        return "i" if node.target.id == "_" else node.target.id
    return "i"


def _note_bounds(tracer: Tracer, index: Value, start: Atom, stop: Atom, step: Atom) -> None:
    facts = tracer.builder.facts
    first, last = facts.integer(start), facts.integer(stop)
    assert isinstance(step, Constant)
    facts.bounds[index] = (first, last - 1) if step.value.real > 0 else (last + 1, first)


def trace_while(tracer: Tracer, node: ast.While) -> None:
    builder = tracer.builder
    slots = Slots(tracer, node, [node.test, *node.body])
    flag = tracer.frame.leave.get(node)

    def body(inner: Tracer) -> tuple[Atom, Tracer]:
        from retrograd.frontend.branches import choose
        from retrograd.frontend.statements import execute

        tester = inner.inner(binds=False)
        clock = tester.memory.clock
        if flag is None:
            condition = truth(tester, evaluate(tester, node.test))
        else:
            going = tester.builder.let("logical_not", truth(tester, tester.lookup(flag)))
            condition = truth(tester, choose(
                tester, going, lambda t: truth(t, evaluate(t, node.test)),
                lambda _: constant_of(False)))
        made = {v for s in walk(tester.builder.block) for v in (*defined(s), *bound(s))}
        if any(base.first not in made for base in tester.memory.since(clock)):
            tracer.refuse("the test of this loop writes into an array",
                          "write in the loop's body", node.test)
        execute(inner, node.body)
        return condition, tester

    (condition, tester), inner = slots.trace(body)
    carried = slots.carried(inner)
    trips = Value("trips", INT)
    builder.append(While(carried, tester.builder.block, condition, inner.builder.block, trips,
                         builder.origin))
    slots.finish(inner, lambda: builder.let("greater", trips, integer(0)))
