"""Loops: unrolled, over a range, over an iterable, or `while`."""

from __future__ import annotations

import ast
from collections.abc import Callable

from retrograd.frontend import iteration, lists
from retrograd.frontend.binding import bind
from retrograd.frontend.branches import truth
from retrograd.frontend.expressions import evaluate
from retrograd.frontend.growing import Steps
from retrograd.frontend.indexing import UnknownItem
from retrograd.frontend.slots import Slots
from retrograd.frontend.things import Checkpointed, Range, Thing
from retrograd.frontend.tracer import Tracer, constant_of
from retrograd.ir.extents import floor_divided, root
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
            with tracer.trying(iteration.unrolled(tracer, iterable, short=True) is not None):
                dynamic(tracer, node, iterable, _body(node))
            return
        except UnknownItem:
            items = iteration.unrolled(tracer, iterable, short=True)
            if items is None:
                raise
    if len(items) > iteration.UNROLL_LIMIT and tracer.frame.user:
        tracer.refuse(f"a loop over a container of {len(items)} items would be written out",
                      "put the items into an array and loop over that", node)
    _unroll(tracer, node, iterable, items, 0)


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
    dynamic(tracer, node, marked.inner, _body(node), snapshots)


def _body(node: ast.For) -> Callable[[Tracer], None]:
    def run(inner: Tracer) -> None:
        from retrograd.frontend.statements import execute

        execute(inner, node.body)

    return run


def _unroll(tracer: Tracer, node: ast.For, iterable: Thing, items: tuple[Thing, ...],
            k: int) -> None:
    """One copy of the body for each item; after a dynamic break the rest is guarded."""
    from retrograd.frontend.statements import Outcome, branch, execute

    if k == len(items):
        return
    watched = lists.watched(tracer, iterable)
    bind(tracer, node.target, items[k])
    execute(tracer, node.body)
    if watched:
        lists.check_watched(tracer, watched, node)
        items = iteration.unrolled(tracer, iterable) or items      # its elements may be others now
    flag = tracer.frame.leave.get(node)
    stopped = constant_of(False) if flag is None else truth(tracer, tracer.lookup(flag))
    if isinstance(stopped, Constant):
        if not stopped.value:
            _unroll(tracer, node, iterable, items, k + 1)
        return

    def rest(inner: Tracer) -> Outcome:
        _unroll(inner, node, iterable, items, k + 1)
        return None

    live = tracer.frame.live_after.get(node, frozenset()) | {flag or ""}
    live |= tracer.frame.live_inside.get(node, frozenset())
    branch(tracer, stopped, lambda _: None, rest, live)


def dynamic(tracer: Tracer, node: ast.For, iterable: Thing, run: Callable[[Tracer], None],
            snapshots: Atom | None = None) -> None:
    """A loop that stays one; `run` traces its body after the target is bound."""
    builder = tracer.builder
    affine = isinstance(iterable, Range) and iterable.count is None
    if isinstance(iterable, Range) and affine:
        start, stop, step = iterable.start, iterable.stop, iterable.step
    else:
        start, stop, step = integer(0), iteration.length(tracer, iterable), integer(1)
    index = Value(_index_name(node, iterable), INT)
    slots = Slots(tracer, node, [node.target, *node.body], _steps(tracer, index, start, stop, step))
    flag = tracer.frame.leave.get(node)

    def body(inner: Tracer) -> Atom | None:
        watched = lists.watched(inner, iterable)
        item: Thing = index if affine else iteration.element(
            inner, iterable, index)
        bind(inner, node.target, item)
        run(inner)
        lists.check_watched(inner, watched, node)
        leave = None if flag is None else truth(inner, inner.lookup(flag))
        if isinstance(leave, Constant) and not leave.value:
            leave = None
        return leave

    _note_bounds(tracer, index, start, stop, step)
    leave, inner = slots.trace(body)
    carried = slots.carried(inner)
    trips = None if leave is None else Value("trips", INT)
    if snapshots is not None and leave is not None:
        tracer.refuse("a checkpointed loop is left early",
                      "keep the last state by `if` instead of break or return, or leave the "
                      "mark out", node)
    builder.append(Loop(index, start, stop, step, carried, inner.builder.block, leave, trips,
                        builder.origin, snapshots, isinstance(iterable, Range)
                        and iterable.parallel))
    assert isinstance(step, Constant)
    op = "less" if step.value.real > 0 else "greater"
    slots.finish(inner, lambda: builder.let(op, start, stop), trips)


def _steps(tracer: Tracer, index: Value, start: Atom, stop: Atom, step: Atom) -> Steps:
    """How often a loop over a range runs, and which iteration an index belongs to."""
    facts = tracer.builder.facts
    assert isinstance(step, Constant)
    size = int(step.value.real)
    first = facts.integer(start)
    count = iteration.range_extent(tracer, start, stop, size)
    distance = root(index) - first if size > 0 else first - root(index)
    return Steps(count, floor_divided(distance, abs(size)))


def _index_name(node: ast.For, iterable: Thing) -> str:
    """The user's name for the index, where there is one that says something."""
    if isinstance(iterable, Range) and iterable.count is None and isinstance(
            node.target, ast.Name):
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
        if any(base.first not in made for base in tester.memory.since(clock)) or any(
                tester.memory.held[cell] is not held for cell, held in inner.memory.held.items()):
            tracer.refuse("the test of this loop writes into an array or a list",
                          "write in the loop's body", node.test)
        execute(inner, node.body)
        return condition, tester

    (condition, tester), inner = slots.trace(body)
    carried = slots.carried(inner)
    trips = Value("trips", INT)
    builder.append(While(carried, tester.builder.block, condition, inner.builder.block, trips,
                         builder.origin))
    slots.finish(inner, lambda: builder.let("greater", trips, integer(0)))
