"""Elementwise operations, and arrays that are given by a formula: all of them lazy.

    before   c = multiply(exp(a), b)
    after    c[i, j] = exp(a[i, j]) * b[0, j], wherever c is read
"""

from __future__ import annotations

from retrograd.backend.lowering import complex_functions
from retrograd.backend.lowering.context import Context, Lowered
from retrograd.backend.lowering.lazy import Extents, Lazy, Map, Reads, array_type, merged
from retrograd.backend.lowering.nest import Indices, constant, empty
from retrograd.backend.lowering.scope import Scope
from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent
from retrograd.ir.nodes import Atom, Let, Value, integer
from retrograd.ir.operations import OPERATIONS, Query, cost
from retrograd.ir.operations_elementwise import TRANSCENDENTAL, broadcast_shape
from retrograd.ir.types import Array, kind


def elementwise(context: Context, scope: Scope, let: Let) -> Lowered:
    """One element from one element of each argument."""
    if not isinstance(let.result.type, Array):
        return _scalar(context, scope, let)
    args = tuple(context.operand(scope, a) for a in let.args)
    extents = broadcast(args)
    args = tuple(_once(context, scope, lazy, extents, atom)
                 for lazy, atom in zip(args, let.args, strict=True))
    if cost(let) >= TRANSCENDENTAL:           # a loop that has an inner loop makes no vectors
        args = tuple(context.repeatable(scope, a, let.result.name) if a.loops else a
                     for a in args)
    dtype = let.result.type.dtype
    static = dict(let.static)

    def compute(inner: Scope, indices: Indices) -> Atom:
        elements = tuple(a.broadcast(inner, indices) for a in args)
        if complex_functions.differs(let.op, elements):
            return complex_functions.evaluate(inner, let.op, elements)
        return inner.let(let.op, *elements, name=let.result.name, weak=False, **static)

    return Lazy(array_type(dtype, extents, "A"), extents, compute,
                merged(_aligned(a, extents) for a in args),
                cost=cost(let) + sum(a.cost for a in args),
                loops=any(a.loops for a in args), depth=1 + max(a.depth for a in args))


def _scalar(context: Context, scope: Scope, let: Let) -> Atom:
    args = tuple(context.atom(scope, a) for a in let.args)
    if complex_functions.differs(let.op, args):
        return complex_functions.evaluate(scope, let.op, args)
    scope.keep(let, args)
    return let.result


def of_parts(context: Context, scope: Scope, let: Let) -> Lowered:
    """`complex(x, y)` of two numbers."""
    return _scalar(context, scope, let)


def broadcast(args: tuple[Lazy, ...]) -> Extents:
    query = Query(tuple(a.type for a in args), tuple(a.extents for a in args), {},
                  lambda k: Extent(0), lambda a, b, exception, message: None)
    return tuple(e for e in broadcast_shape(query) if e is not None)


def _once(context: Context, scope: Scope, lazy: Lazy, extents: Extents, atom: Atom) -> Lazy:
    """The argument, in memory if broadcasting would evaluate an expensive one repeatedly.

    Where only the innermost axes repeat it, it is evaluated outside their loops anyway.
    """
    shift = len(extents) - len(lazy.extents)
    repeated = [axis < shift or (lazy.extents[axis - shift].known == 1 and e.known != 1)
                for axis, e in enumerate(extents)]
    outermost = repeated.index(True) if True in repeated else len(repeated)
    if all(repeated[outermost:]) and not (lazy.loops and outermost < len(repeated)):
        return lazy
    return context.repeatable(scope, lazy, atom.name if isinstance(atom, Value) else "t")


def _aligned(lazy: Lazy, extents: Extents) -> Reads:
    """What an argument reads; the order is kept where it is not broadcast."""
    same = len(lazy.extents) == len(extents) and all(
        (a.known == 1) == (b.known == 1) for a, b in zip(lazy.extents, extents, strict=True))
    how: Reads = lazy.reads if same else dict.fromkeys(lazy.reads)
    return how


# --- arrays given by a formula -----------------------------------------------------------------


def constant_array(context: Context, scope: Scope, let: Let) -> Lowered:
    """`zeros`, `ones`, `empty` and `full`."""
    first = 1 if let.op == "full" else 0
    dtype = let.result.type.dtype
    extents = integers(context, scope, let.args[first:])
    if let.op == "full":
        atom = scope.cast(context.atom(scope, let.args[0]), dtype)
    else:
        atom = constant(1 if let.op == "ones" else 0, dtype)
    op = let.op
    make = (lambda s, name: empty(s, extents, dtype, name, op)) \
        if op in ("zeros", "empty") else None
    return formula(dtype, extents, lambda s, i: atom, cost=0.0, free=True, make=make)


def integers(context: Context, scope: Scope, args: tuple[Atom, ...]) -> Extents:
    """Int operands as extents."""
    return tuple(scope.facts.integer(context.atom(scope, a)) for a in args)


def formula(dtype: str, extents: Extents, compute: object, **more: object) -> Lazy:
    how: dict[Value, Map | None] = {}
    return Lazy(array_type(dtype, extents, "A"), extents, compute, how,  # type: ignore[arg-type]
                **more)  # type: ignore[arg-type]


def eye(context: Context, scope: Scope, let: Let) -> Lowered:
    dtype = let.result.type.dtype
    offset = let.static["k"]

    def compute(inner: Scope, indices: Indices) -> Atom:
        column = inner.minus(indices[1], indices[0])
        on = inner.let("equal", column, integer(offset), name="on_diagonal", weak=False)
        return inner.let("cast", on, name=let.result.name, weak=False, dtype=dtype)

    return formula(dtype, integers(context, scope, let.args), compute, cost=2.5, depth=3)


def arange(context: Context, scope: Scope, let: Let) -> Lowered:
    dtype = let.result.type.dtype
    start, stop, step = (context.atom(scope, a) for a in let.args)
    if all(kind(a.type.dtype) == "i" for a in (start, stop, step)):
        extent, delta = _int_range(scope, start, stop, step), step
    else:
        start, stop, step = (scope.cast(a, "float64") for a in (start, stop, step))
        extent = _float_range(scope, start, stop, step)
        delta = scope.let("subtract", scope.let("add", start, step), start, name="delta")

    def compute(inner: Scope, indices: Indices) -> Atom:
        at = inner.cast(indices[0], "float64") if kind(delta.type.dtype) == "f" else indices[0]
        return inner.cast(inner.plus(start, inner.times(at, delta)), dtype)

    return formula(dtype, (extent,), compute, cost=2.5, free=True, depth=3)


def _int_range(scope: Scope, start: Atom, stop: Atom, step: Atom) -> Extent:
    rule = OPERATIONS["arange"].shape(
        Builder.query(scope, (start, stop, step), {}))
    if rule[0] is not None:
        return rule[0]
    span = scope.cast(scope.minus(stop, start), "float64")
    return _count(scope, scope.let("divide", span, scope.cast(step, "float64"), weak=False))


def _float_range(scope: Scope, start: Atom, stop: Atom, step: Atom) -> Extent:
    return _count(scope, scope.let("divide", scope.let("subtract", stop, start), step))


def _count(scope: Scope, steps: Atom) -> Extent:
    whole = scope.let("cast", scope.let("ceil", steps, name="count"), name="count", weak=False,
                      dtype="int64")
    return scope.facts.integer(scope.let("maximum", integer(0), whole, name="count"))


def nothing(context: Context, scope: Scope, let: Let) -> Lowered:
    """`let` and `copy`: the operand itself. What must be a copy becomes one when it is written,
    because a lazy array goes to memory before what it reads is overwritten. A second name of an
    array whose first name is not used otherwise is the array."""
    if not isinstance(let.result.type, Array):
        return _scalar(context, scope, let)
    if let.op == "let" and context.uses.count.get(let.args[0]) == 1:  # type: ignore[arg-type]
        found = scope.find(let.args[0])  # type: ignore[arg-type]
        if let.args[0] in scope.env and isinstance(found, Value):
            return found
    lazy = context.operand(scope, let.args[0])
    if not isinstance(lazy.type, Array):
        return context.atom(scope, let.args[0])
    return lazy
