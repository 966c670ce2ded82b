"""Adjoint arithmetic: multiply by partials, sum over broadcast axes, accumulate.

The products are written as a person would write them: `g * (1 / y)` is `g / y`, `g * -p` is
`-(g * p)`, `a + -b` is `a - b`, and nothing is multiplied by 1 or added to 0. A quotient that was
made before a loop stays one: a product is several times faster in it.
"""

from __future__ import annotations

from retrograd.ir.build import Builder
from retrograd.ir.nodes import Atom, Constant, Let, Value, number
from retrograd.ir.types import Array, Scalar, Type, is_complex


def times(builder: Builder, g: Atom, partial: Atom) -> Atom | None:
    """`g * partial`, or None where it is exactly zero."""
    if isinstance(partial, Constant):
        if partial.value == 0:
            return None
        if partial.value == 1:
            return g
        if partial.value == -1:
            return negative(builder, g)
        return scaled(builder, partial, g)
    if isinstance(g, Constant) and g.value in (1, -1):
        same = _in_dtype(builder, partial, g)
        return same if g.value == 1 else negative(builder, same)
    let = builder.definition(partial)
    if let is not None and let.op == "negative":
        product = times(builder, g, let.args[0])
        return None if product is None else negative(builder, product)
    if let is not None and let.op == "divide" and builder.made_here(let.result):
        product = times(builder, g, let.args[0])
        return None if product is None else divided(builder, product, let.args[1])
    if let is not None and let.op == "multiply" and isinstance(let.args[0], Constant):
        product = times(builder, g, let.args[0])
        return None if product is None else _outside(builder, "multiply", product, let.args[1])
    if let is not None and let.op in ("where", "strong"):
        return _chosen(builder, g, let)
    return builder.let("multiply", g, partial)


def scaled(builder: Builder, factor: Constant, g: Atom) -> Atom:
    """`factor * g` with the sign and the constant factor of `g` in the factor."""
    value = _real(factor, g)
    if value is None:
        return builder.let("multiply", factor, g)
    while (let := builder.definition(g)) is not None:
        inner = _real(let.args[0], g) if let.op == "multiply" else None
        if let.op == "negative":
            value, g = -value, let.args[0]
        elif inner is not None and _normal(value * inner):
            value, g = value * inner, let.args[1]
        else:
            break
    constant = Constant(value, Scalar(g.type.dtype, factor.type.weak))
    return g if value == 1 else builder.let("multiply", constant, g)


def divided(builder: Builder, g: Atom, divisor: Atom) -> Atom:
    """`g / divisor`; a constant divisor becomes a factor, which is several times faster."""
    value = _real(divisor, g)
    if value and _normal(1.0 / value):
        return scaled(builder, Constant(1.0 / value, Scalar(g.type.dtype, True)), g)
    return _outside(builder, "divide", g, divisor)


def _real(atom: Atom, g: Atom) -> float | None:
    """The value of a constant that may be a factor of `g` in the dtype of `g`."""
    if not isinstance(atom, Constant) or isinstance(atom.value, complex) \
            or is_complex(g.type) or not (atom.type.weak or atom.type.dtype == g.type.dtype):
        return None
    return float(atom.value)


def _normal(value: float) -> bool:
    """Whether a factor is neither overflowed nor so small that it has lost digits."""
    return 1e-30 < abs(value) < 1e30


def _outside(builder: Builder, op: str, a: Atom, b: Atom) -> Atom:
    """`a op b` with a minus sign of `a` in front of the whole."""
    let = builder.definition(a)
    if let is not None and let.op == "negative":
        return builder.let("negative", builder.let(op, let.args[0], b))
    return builder.let(op, a, b)


def _chosen(builder: Builder, g: Atom, let: Let) -> Atom | None:
    """`g * where(c, p, q)` as `where(c, g * p, g * q)`: no product with what is not chosen; in the
    same way `strong(g * p, key)`."""
    if let.op == "strong":
        product = times(builder, g, let.args[0])
        return None if product is None else builder.let("strong", product, *let.args[1:])
    arms = [times(builder, g, a) for a in let.args[1:]]
    zero = number(0, Scalar(g.type.dtype))
    return builder.let("where", let.args[0], *(zero if a is None else a for a in arms))


def _in_dtype(builder: Builder, partial: Atom, g: Atom) -> Atom:
    """The product of a partial with 1: a complex partial stays complex."""
    if partial.type.dtype == g.type.dtype or is_complex(partial.type):
        return partial
    return builder.cast(partial, g.type.dtype)


def negative(builder: Builder, g: Atom) -> Atom:
    """`-g`, and g for `-(-g)`."""
    if isinstance(g, Constant) and not isinstance(g.value, complex):
        return Constant(-g.value, g.type)
    let = builder.definition(g)
    if let is not None and let.op == "negative":
        return let.args[0]
    return builder.let("negative", g)


def add(builder: Builder, a: Atom, b: Atom, name: str) -> Atom:
    """`a + b`, as a subtraction where one of them is a negated value."""
    if isinstance(a, Constant) and a.value == 0:
        return b
    for first, second in ((a, b), (b, a)):
        let = builder.definition(second)
        if let is not None and let.op == "negative":
            return builder.let("subtract", first, let.args[0], name=name)
        if isinstance(second, Constant) and not isinstance(second.value, complex) \
                and second.value < 0:
            return builder.let("subtract", first, Constant(-second.value, second.type), name=name)
    return builder.let("add", a, b, name=name)


def unbroadcast(builder: Builder, g: Atom, value: Value) -> Atom:
    """Sum a contribution over the axes along which the value was broadcast, and give it the
    value's dtype: a real value takes what is real in a complex contribution."""
    type: Type = value.type
    lead = g.type.rank - type.rank
    axes = tuple(range(lead)) + tuple(
        lead + k for k, d in enumerate(type.dims) if d == 1 and g.type.dims[lead + k] != 1)
    if axes:
        g = builder.let("sum", g, axes=axes)
    if isinstance(type, Array) and g.type.rank != type.rank:
        g = reshaped(builder, g if isinstance(g.type, Array) else _array(builder, g), value)
    if g.type.dtype != type.dtype:
        g = builder.cast(g, type.dtype)
    return g


def reshaped(builder: Builder, g: Atom, value: Value) -> Atom:
    """An adjoint with the shape of a value, whatever it was reshaped from before."""
    let = builder.definition(g)
    while let is not None and let.op == "reshape":
        g = let.args[0]
        let = builder.definition(g)
    facts = builder.facts
    if g.type.dims == value.type.dims and isinstance(g.type, Array) and all(
            facts.provably_equal(a, b)
            for a, b in zip(facts.of(g), facts.of(value), strict=True)):
        return g
    return builder.let("reshape", g, *builder.shape_atoms(value))


def _array(builder: Builder, g: Atom) -> Atom:
    return builder.let("array", g, shape=(1,))


def zeros(builder: Builder, value: Atom) -> Atom:
    """The zero adjoint of a value."""
    if isinstance(value.type, Scalar):
        return number(0, value.type)
    assert isinstance(value, Value)
    return builder.let("zeros", *builder.shape_atoms(value), name=f"{value.name}_bar",
                       dtype=value.type.dtype)
