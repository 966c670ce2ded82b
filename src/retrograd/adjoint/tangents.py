"""Tangents of single operations: partials times tangents, and pushforwards, by their rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from retrograd.adjoint.activity import differentiable_args
from retrograd.adjoint.arithmetic import add, negative, times
from retrograd.adjoint.strong import SINGULAR
from retrograd.adjoint.templates import Template, inlined, placed, pushforward, template
from retrograd.errors import Unsupported
from retrograd.ir.build import TEMPORARY, Builder
from retrograd.ir.nodes import Atom, Constant, Let, Value, number
from retrograd.ir.types import Array, Scalar, real_dtype
from retrograd.rules.rule import Rule


class Contribution(NamedTuple):
    """A tangent times a partial; whether that partial may be inf or nan."""

    argument: int
    product: Atom
    singular: bool


@dataclass(frozen=True, slots=True)
class Partials:
    """The rule of an elementwise operation for the arguments that have tangents."""

    let: Let
    tangents: tuple[Atom | None, ...]
    rule: Template

    @property
    def reads_result(self) -> bool:
        return self.rule.out in self.rule.reads()

    def contributions(self, builder: Builder) -> list[Contribution]:
        """Each tangent times its partial; `x * x` moves twice as much as one x."""
        let = self.let
        shapes = _shapes(self.rule.args, self.rule.out, let)
        stand: dict[Value, Atom] = dict(shapes)
        inlined(self.rule.lets, stand, shapes, builder)
        partials = [stand[r] if isinstance(r, Value) else r for r in self.rule.results]
        found = [(k, t, p) for k, (t, p) in enumerate(zip(self.tangents, partials, strict=True))
                 if t is not None and p is not None]
        if len(found) == 2 and found[0][1:] == found[1][1:]:
            k, t, p = found[0]
            two = number(2, Scalar(real_dtype(t.type.dtype), True))
            found = [(k, builder.let("multiply", two, t), p)]
        result = []
        for k, tangent, partial in found:
            product = _product(let, tangent, partial, builder)
            if product is not None:
                result.append(Contribution(k, product, _singular(let, k, partial)))
        return result


def elementwise(rule: Rule, let: Let, tangents: Sequence[Atom | None]) -> Partials:
    """The partials of an operation with respect to the arguments that have tangents."""
    candidates = differentiable_args(let)
    wanted = [t is not None and a in candidates
              for a, t in zip(let.args, tangents, strict=True)]
    try:
        found = template(rule, let.args, let.result.type, dict(let.static), wanted)
    except Unsupported as refusal:
        raise placed(refusal, let) from None
    return Partials(let, tuple(tangents), found)


def pushed(rule: Rule, let: Let, tangents: Sequence[Atom | None], builder: Builder) -> Atom | None:
    """The tangent by the pushforward of a rule."""
    types = [None if t is None else t.type for t in tangents]
    try:
        found = pushforward(rule, let.args, let.result.type, dict(let.static), types)
    except Unsupported as refusal:
        raise placed(refusal, let) from None
    shapes = _shapes(found.args, found.out, let)
    stand: dict[Value, Atom] = dict(shapes)
    for placeholder, tangent in zip(found.tangents, tangents, strict=True):
        if placeholder is not None and tangent is not None:
            stand[placeholder] = tangent
            if isinstance(tangent, Value):
                shapes[placeholder] = tangent
    inlined(found.lets, stand, shapes, builder)
    return stand[found.result] if isinstance(found.result, Value) else found.result


def _shapes(placeholders: Sequence[Atom], out: Value, let: Let) -> dict[Value, Value]:
    """The values that placeholders stand for."""
    found = {p: a for p, a in zip(placeholders, let.args, strict=True)
             if isinstance(p, Value) and isinstance(a, Value)}
    return {**found, out: let.result}


def _product(let: Let, tangent: Atom, partial: Atom, builder: Builder) -> Atom | None:
    """`tangent * partial`, or None where it is exactly zero."""
    if isinstance(tangent, Constant):
        tangent = number(tangent.value, Scalar(let.result.type.dtype, tangent.type.weak))
    if let.op == "multiply" and isinstance(partial, Constant) and not partial.value:
        return builder.let("multiply", partial, tangent)       # the user's 0: 0 * inf is nan
    return times(builder, tangent, partial)


def _singular(let: Let, k: int, partial: Atom) -> bool:
    """Whether the partial may be inf or nan where the operation itself is finite. That with
    respect to a numerator is so only where the quotient is not."""
    if isinstance(partial, Constant) or let.op not in SINGULAR:
        return False
    if let.op == "divide":
        return k == 1
    if let.op == "power" and k == 0 and isinstance(let.args[1], Constant):
        exponent = let.args[1].value
        return isinstance(exponent, complex) or exponent < 1
    return True


def summed(builder: Builder, a: Atom, b: Atom) -> Atom:
    """`a + b`; two quotients by the same divisor are one, which saves a division."""
    one, other = _quotient(builder, a), _quotient(builder, b)
    if one is None or other is None or one[1] is not other[1]:
        return add(builder, a, b, "t")
    return builder.let("divide", add(builder, one[0], other[0], "t"), one[1])


def _quotient(builder: Builder, atom: Atom) -> tuple[Atom, Atom] | None:
    """The numerator and the divisor of a quotient that is made here, or of minus one."""
    let = builder.definition(atom)
    if let is None or not builder.made_here(let.result):
        return None
    if let.op == "negative":
        inner = _quotient(builder, let.args[0])
        return None if inner is None else (negative(builder, inner[0]), inner[1])
    return (let.args[0], let.args[1]) if let.op == "divide" else None


def finished(tangent: Atom, value: Value, name: str, builder: Builder) -> Atom:
    """The tangent in the dtype and shape of its value, with its name."""
    type = value.type
    if tangent.type.dtype != type.dtype:
        tangent = builder.cast(tangent, type.dtype)
    if isinstance(type, Array):
        tangent = _shaped(tangent, value, builder)
        assert isinstance(tangent, Value)
        if builder.made_here(tangent):
            tangent = builder.renamed(tangent, name)
            builder.facts.extents[tangent] = builder.facts.of(value)
        return tangent
    assert isinstance(type, Scalar)
    if isinstance(tangent.type, Array):
        tangent = builder.let("load", tangent, index=())
    return _typed(tangent, type, name, builder)


def _shaped(tangent: Atom, value: Value, builder: Builder) -> Atom:
    """The tangent broadcast to the shape of its value, where it does not have it."""
    facts = builder.facts
    have, want = facts.of(tangent), facts.of(value)
    same = isinstance(tangent.type, Array) and len(have) == len(want) and all(
        (a.known == 1) == (b.known == 1) for a, b in zip(have, want, strict=True))
    if same and tangent.type.dims == value.type.dims:
        return tangent
    if not value.type.rank:
        return builder.let("reshape", tangent)
    return builder.let("broadcast_to", tangent, *builder.shape_atoms(value))


def _typed(tangent: Atom, type: Scalar, name: str, builder: Builder) -> Atom:
    """The scalar as weak as its value: a Python number takes the precision of what it meets."""
    if isinstance(tangent, Constant):
        return Constant(tangent.value, type)
    last = builder.statements[-1] if builder.statements else None
    if isinstance(last, Let) and last.result is tangent and builder.made_here(tangent) \
            and tangent.name in TEMPORARY:
        builder.statements.pop()
        result = Value(name, type)
        builder.append(replace(last, result=result))
        return result
    return tangent if tangent.type == type else builder.retyped(tangent, type)
