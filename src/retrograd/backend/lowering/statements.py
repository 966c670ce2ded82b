"""The walk over a function: statements in order, arrays in memory wherever blocks meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retrograd.backend.lowering import (
    calls,
    contraction,
    creation,
    draws,
    elementwise,
    reductions,
    scans,
    sorting,
    stores,
    views,
)
from retrograd.backend.lowering.context import Context, Handler, Lowered
from retrograd.backend.lowering.lazy import Lazy
from retrograd.backend.lowering.nest import nest, raise_if
from retrograd.backend.lowering.scope import Scope
from retrograd.backend.lowering.uses import END, analyse, consumed_here, preserved
from retrograd.ir.effects import message_of
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Effect,
    Function,
    Join,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
)
from retrograd.ir.operations import family
from retrograd.ir.types import Array, Type
from retrograd.optimise.storage_parts import parts_of, reads_first


def lower(function: Function) -> Function:
    """The same function with array operations as loops over scalar operations.

        before   y = sum(exp(x))
        after    loop i: s = s + exp(load(x, i))
    """
    function = reads_first(function, parts_of(function, lambda _: True))
    parts = parts_of(function, lambda _: True)      # all that is in memory here is in C order
    return _Walk(Context(analyse(function), parts)).function(function)


def library(context: Context, scope: Scope, let: Let) -> Lowered:
    """Linear algebra on contiguous arrays of one float dtype."""
    dtype = let.result.type.dtype
    return scope.let(let.op, *(context.for_library(scope, a, dtype) for a in let.args),
                     name=let.result.name, **dict(let.static))


_BY_FAMILY: dict[str, Handler] = {
    "elementwise": elementwise.elementwise,
    "reduction": reductions.reduction,
    "scan": scans.scan,
    "library": library,
}
_BY_NAME: dict[str, Handler] = {
    **dict.fromkeys(("zeros", "ones", "empty", "full"), elementwise.constant_array),
    "eye": elementwise.eye, "arange": elementwise.arange,
    "complex": elementwise.of_parts, "let": elementwise.nothing, "copy": elementwise.nothing,
    "array": creation.array, "concatenate": creation.concatenate, "dim": creation.dim,
    "view": views.view, "transpose": views.transpose, "reshape": views.reshape,
    "broadcast_to": views.broadcast_to, "diagonal": views.diagonal,
    "load": views.load, "take": views.take,
    "update": stores.store, "add_at": stores.store, "push": stores.push,
    "matmul": contraction.matmul, "einsum": contraction.einsum,
    "opaque": calls.opaque,
    "argsort": sorting.argsort, "searchsorted": sorting.searchsorted,
}


class _Walk:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.uses = context.uses

    def function(self, function: Function) -> Function:
        scope = Scope()
        scope.env.update({p: p for p in function.params})
        scope.here.update(function.params)
        returns = self.block(scope, function.body, function.returns)
        return replace(function, body=scope.block, returns=returns)

    def block(self, scope: Scope, block: Block, ends: Sequence[Atom]) -> tuple[Atom, ...]:
        for position, statement in enumerate(block):
            scope.position = position
            with scope.at(statement.origin):
                self.statement(scope, statement, position)
        scope.position = END
        return tuple(self.crossing(scope, a) for a in ends)

    def crossing(self, scope: Scope, atom: Atom) -> Atom:
        """An atom that leaves a block or enters a loop: an array in memory, in C order."""
        if isinstance(atom.type, Array):
            return self.context.owned(scope, atom)
        return self.context.atom(scope, atom)

    def statement(self, scope: Scope, statement: Statement, position: int) -> None:
        match statement:
            case Let():
                self.let(scope, statement, position)
            case Loop():
                self.loop(scope, statement, position)
            case While():
                self.while_(scope, statement, position)
            case Branch():
                self.branch(scope, statement, position)
            case Raise():
                scope.append(replace(statement, message=self.message(scope, statement.message)))
            case Effect():
                self.effect(scope, statement)

    def message(self, scope: Scope, parts: tuple[str | Atom, ...]) -> tuple[str | Atom, ...]:
        return tuple(p if isinstance(p, str) else self.context.atom(scope, p) for p in parts)

    def let(self, scope: Scope, let: Let, position: int) -> None:
        handler = _BY_NAME.get(let.op) or _BY_FAMILY[family(let.op)]
        part = self.context.part(scope, let)
        if part is not None and part.array is not None:
            put_back = {r.args[0] for r in self.context.parts.readers[let]}
            self.context.flush(scope, (part.array,), position + 1, put_back)
        else:
            self.flush(scope, consumed_here(let), position + 1)
        self.context.define(scope, let.result, handler(self.context, scope, let))

    def flush(self, scope: Scope, sources: Sequence[Value], position: int) -> None:
        """What reads these arrays later than `position` goes to memory before they are written."""
        for source in sources:
            found = scope.find(source)
            if isinstance(found, Value):
                self.context.flush(scope, (found,), position)
            elif isinstance(found, Lazy) and found.whole is not None:
                self.context.flush(scope, found.reads, position)

    # --- effects -----------------------------------------------------------------------------

    def effect(self, scope: Scope, effect: Effect) -> None:
        if effect.result is not None:
            self.context.bind(scope, effect.result, draws.draw(self.context, scope, effect))
            return
        if effect.kind == "check_bounds":
            self.check_bounds(scope, effect)
            return
        args = tuple(self.context.in_memory(scope, a) if isinstance(a.type, Array)
                     else self.context.atom(scope, a) for a in effect.args)
        static = {k: v for k, v in effect.static.items() if k != "covers"}
        scope.append(replace(effect, args=args, static=static))

    def check_bounds(self, scope: Scope, effect: Effect) -> None:
        """Every element of an index array is compared with the extent."""
        lazy = self.context.operand(scope, effect.args[0])
        size = self.context.atom(scope, effect.args[1])
        lowest = scope.let("negative", size, name="lowest")

        def body(inner: Scope, indices: tuple[Atom, ...], _: object) -> tuple[Atom, ...]:
            index = lazy.at(inner, indices)
            below = inner.let("less", index, lowest, name="below", weak=False)
            above = inner.let("greater_equal", index, size, name="above", weak=False)
            outside = inner.let("logical_or", below, above, name="outside")
            check = Effect("check_index", (index, size), effect.static)
            raise_if(inner, outside, IndexError, message_of(check))
            return ()

        nest(scope, lazy.extents, (), (), body)

    # --- blocks ------------------------------------------------------------------------------

    def loop(self, scope: Scope, loop: Loop, position: int) -> None:
        start, stop, step = (self.context.atom(scope, a)
                             for a in (loop.start, loop.stop, loop.step))
        self.flush(scope, self.uses.consumed[loop], position)
        inits = self.inits(scope, loop.carried)
        body = scope.inner(loop=True)
        body.env[loop.index] = loop.index
        body.here.add(loop.index)
        inners = self.inners(scope, body, loop.carried, inits)
        ends = self.block(body, loop.body, [c.next for c in loop.carried])
        leave = None if loop.leave is None else self.context.atom(body, loop.leave)
        carried = self.carried(scope, loop.carried, inits, inners, ends)
        self.results(scope, (loop.trips,))
        scope.append(replace(loop, start=start, stop=stop, step=step, carried=carried,
                             body=body.block, leave=leave))

    def while_(self, scope: Scope, loop: While, position: int) -> None:
        self.flush(scope, self.uses.consumed[loop], position)
        inits = self.inits(scope, loop.carried)
        outer = scope.inner(loop=True)
        inners = self.inners(scope, outer, loop.carried, inits)
        test, body = outer.inner(), outer.inner()
        body.env.update(outer.env)       # the test has been made when the body takes buffers over
        (condition,) = self.block(test, loop.test, (loop.condition,))
        ends = self.block(body, loop.body, [c.next for c in loop.carried])
        carried = self.carried(scope, loop.carried, inits, inners, ends)
        self.results(scope, (loop.trips,))
        scope.append(replace(loop, carried=carried, test=test.block, condition=condition,
                             body=body.block))

    def inits(self, scope: Scope, carried: Sequence[Carried]) -> list[Atom]:
        return [self.crossing(scope, c.init) for c in carried]

    def inners(self, scope: Scope, body: Scope, carried: Sequence[Carried],
               inits: Sequence[Atom]) -> list[Value]:
        result = []
        for c, init in zip(carried, inits, strict=True):
            inner = Value(c.inner.name, _in_memory(c.inner.type))
            if isinstance(inner.type, Array) and preserved(self.uses, c):
                scope.facts.extents[inner] = scope.facts.of(init)
            self.context.bind(body, c.inner, inner)
            body.here.add(inner)
            result.append(inner)
        return result

    def carried(self, scope: Scope, carried: Sequence[Carried], inits: Sequence[Atom],
                inners: Sequence[Value], ends: Sequence[Atom]) -> tuple[Carried, ...]:
        result = []
        for c, init, inner, end in zip(carried, inits, inners, ends, strict=True):
            after = Value(c.result.name, _in_memory(c.result.type))
            if isinstance(after.type, Array) and preserved(self.uses, c):
                scope.facts.extents[after] = scope.facts.of(init)
            self.context.bind(scope, c.result, after)
            result.append(Carried(init, inner, end, after))
        return tuple(result)

    def results(self, scope: Scope, values: Sequence[Value | None]) -> None:
        scope.env.update({v: v for v in values if v is not None})

    def branch(self, scope: Scope, branch: Branch, position: int) -> None:
        test = self.context.atom(scope, branch.test)
        self.flush(scope, self.uses.consumed[branch], position)
        then, otherwise = scope.inner(), scope.inner()
        left = self.block(then, branch.then, [j.then for j in branch.joins])
        right = self.block(otherwise, branch.otherwise, [j.otherwise for j in branch.joins])
        joins = []
        for join, a, b in zip(branch.joins, left, right, strict=True):
            result = Value(join.result.name, _in_memory(join.result.type))
            if isinstance(result.type, Array):
                self.joined_extents(scope, result, a, b)
            self.context.bind(scope, join.result, result)
            joins.append(Join(a, b, result))
        scope.append(replace(branch, test=test, then=then.block, otherwise=otherwise.block,
                             joins=tuple(joins)))

    def joined_extents(self, scope: Scope, result: Value, a: Atom, b: Atom) -> None:
        """The extents of both arms where they agree and are known outside."""
        left, right = scope.facts.of(a), scope.facts.of(b)
        if left == right and all(scope.sees(e) for e in left):
            scope.facts.extents[result] = left


def _in_memory(type: Type) -> Type:
    return Array(type.dtype, type.dims, "C") if isinstance(type, Array) else type


