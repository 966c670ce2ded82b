"""Forward mode: the statements of the primal with those of their tangents between them.

    y = f(x)              y_dot = x_dot * partial
    y = load(A, i)        y_dot = load(A_dot, i)
    A1 = update(A, i, v)  A1_dot = update(A_dot, i, v_dot)
    loop, branch          carry and join the tangents beside the primal values

A tangent that is not there is zero, and is written only where a place must be filled: a part of an
array, the start of a loop, one arm of a branch. The tangent of an elementwise operation stands
before it unless it reads its result, so that `x = f(x)` needs no second x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from retrograd.adjoint.activity import activity, overwrites
from retrograd.adjoint.mixed import MIXED, NEITHER, Kinds, kinds
from retrograd.adjoint.ruled import check_read, forward_ruled
from retrograd.adjoint.tangents import Contribution, elementwise, finished, pushed, summed
from retrograd.errors import Unsupported
from retrograd.ir.build import Builder
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Constant,
    Effect,
    Function,
    Join,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
    number,
    walk,
)
from retrograd.ir.rewrite import without_marks
from retrograd.ir.ruled import Call, call_of
from retrograd.ir.types import Array, Scalar, is_float
from retrograd.rules import INDEXED, RULES
from retrograd.rules.rule import Rule

# All arguments of these are parts of the result.
_JOINING = frozenset({"array", "concatenate", "complex"})


@dataclass(frozen=True, slots=True)
class Tangents:
    """A function's body with its tangents, and those of its results that are floats, in order."""

    block: Block
    tangents: tuple[Atom, ...]


def forward(function: Function, inputs: Mapping[Value, Atom], facts: Facts) -> Tangents:
    """The tangents of a function's results; `inputs` maps its differentiated parameters to
    theirs, of the same types and extents.

    Raises
    ------
    Unsupported
        If an operation has a rule for reverse mode only.
    """
    varied = activity(function, inputs, function.returns)
    covered = frozenset(s.static["covers"] for s in walk(function.body)
                        if isinstance(s, Effect) and s.static.get("covers") is not None)
    walker = _Forward(varied, kinds(function, inputs), covered, dict(inputs))
    builder = Builder(facts, checks=False)
    walker.block(function.body, builder)
    tangents = tuple(walker.tangent_or_zero(r, builder) for r in function.returns
                     if is_float(r.type))
    return Tangents(builder.block, tangents)


@dataclass(slots=True)
class _Forward:
    """The walk; `dots` has the tangents that are not zero, `covered` the values whose own
    operations make a check that the readable source leaves to them."""

    active: frozenset[Value]
    kinds: Kinds
    covered: frozenset[Value]
    dots: dict[Value, Atom] = field(default_factory=dict)
    calls: dict[tuple[Builder, Call, tuple[Atom, ...]], list[Atom | None]] = field(
        default_factory=dict)

    # --- tangents ------------------------------------------------------------------------------

    def tangent(self, atom: Atom) -> Atom | None:
        return self.dots.get(atom) if isinstance(atom, Value) else None

    def tangent_or_zero(self, atom: Atom, builder: Builder) -> Atom:
        found = self.tangent(atom)
        return self.zero(atom, builder) if found is None else found

    def zero(self, atom: Atom, builder: Builder) -> Atom:
        """The tangent of what does not depend on the inputs; memory that is not written yet has
        one that is not written yet."""
        if not isinstance(atom.type, Array):
            assert isinstance(atom.type, Scalar)
            return number(0, atom.type)
        op = "empty" if self.kinds[atom] == NEITHER else "zeros"
        return builder.let(op, *builder.shape_atoms(atom), name=dot(atom),
                           dtype=atom.type.dtype)

    def beside(self, value: Value, facts: Facts) -> Value:
        """A new value for the tangent of a value that a loop or a branch makes."""
        result = Value(dot(value), value.type)
        if isinstance(value.type, Array):
            facts.extents[result] = facts.of(value)
        return result

    # --- statements ----------------------------------------------------------------------------

    def block(self, block: Block, builder: Builder) -> None:
        for statement in block:
            with builder.at(statement.origin):
                self.statement(statement, builder)

    def statement(self, statement: Statement, builder: Builder) -> None:
        match statement:
            case Let(op="ruled", result=result) if result in self.active:
                builder.statements.append(statement)
                self.ruled(statement, builder)
            case Let(result=result) if result in self.active:
                self.let(statement, builder)
            case Loop() | While():
                self.loop(statement, builder)
            case Branch():
                self.branch(statement, builder)
            case Let() | Raise() | Effect():
                builder.statements.append(statement)

    def let(self, let: Let, builder: Builder) -> None:
        rule = RULES.get(let.op)
        if rule is not None and rule.kind == "elementwise" and let.op not in ("where", "strong"):
            self.elementwise(rule, let, builder)
        else:
            builder.statements.append(let)
            self.keep(let.result, self.structural(let, builder), builder)

    def elementwise(self, rule: Rule, let: Let, builder: Builder) -> None:
        """The primal statement, which no peephole of the tangents' arithmetic may look into, and
        its tangent before or after it."""
        partials = elementwise(rule, let, [self.tangent(a) for a in let.args])
        after = partials.reads_result or let.result in self.covered
        if after:
            builder.statements.append(let)
        self.keep(let.result, self.product_sum(let, partials.contributions(builder), builder),
                  builder)
        if not after:
            builder.statements.append(let)

    def keep(self, value: Value, tangent: Atom | None, builder: Builder) -> None:
        if tangent is not None:
            self.dots[value] = finished(tangent, value, dot(value), builder)

    def product_sum(self, let: Let, contributions: list[Contribution], builder: Builder,
                    ) -> Atom | None:
        """The sum of tangents times partials."""
        total: Atom | None = None
        for one in contributions:
            product, tangent = one.product, self.tangent(let.args[one.argument])
            if one.singular and tangent is not None and self.kinds[let.args[one.argument]] == MIXED:
                product = builder.let("strong", product, tangent)
            total = product if total is None else summed(builder, total, product)
        return total

    def structural(self, let: Let, builder: Builder) -> Atom | None:
        """The tangent of an operation that moves, joins or chooses, or has a pushforward."""
        if let.op in INDEXED:
            return self.indexed(let, builder)
        if let.op == "where":
            return self.chosen(let, builder)
        if let.op == "strong":
            return self.strong(let, builder)
        rule = RULES[let.op]
        tangents = [self.tangent(a) for a in let.args]
        if all(t is None for t in tangents):
            return None
        if not rule.linear:
            if rule.pushforward is None:
                raise Unsupported(f"{let.op} has no derivative in forward mode",
                                  "give its rule a pushforward, or use reverse mode (grad, vjp)",
                                  let.origin)
            return pushed(rule, let, tangents, builder)
        args = [self.part(a, let, builder) if let.op in _JOINING else a if t is None else t
                for a, t in zip(let.args, tangents, strict=True)]
        weak = let.result.type.weak if isinstance(let.result.type, Scalar) else None
        return builder.let(let.op, *args, weak=weak, **let.static)

    def part(self, atom: Atom, let: Let, builder: Builder) -> Atom:
        """The tangent of something joined; zeros of the result's dtype where it has none."""
        found = self.tangent(atom)
        if found is not None:
            return found
        dtype = let.result.type.dtype
        if let.op == "complex":
            return self.zero(atom, builder)
        if isinstance(atom.type, Array):
            return builder.let("zeros", *builder.shape_atoms(atom), dtype=dtype)
        return number(0, Scalar(dtype, atom.type.weak))

    def chosen(self, let: Let, builder: Builder) -> Atom | None:
        """What was not chosen contributes nothing."""
        arms = [self.tangent(a) for a in let.args[1:]]
        if all(a is None for a in arms):
            return None
        zero = number(0, Scalar(let.result.type.dtype))
        return builder.let("where", let.args[0], *(zero if a is None else a for a in arms))

    def strong(self, let: Let, builder: Builder) -> Atom | None:
        """The tangent of a product with a strong zero: a key that is 0 by accident may move."""
        product, *moved = [self.tangent(a) for a in let.args]
        if product is None:
            return None
        keys = [a for a in moved if a is not None and not isinstance(a, Constant)]
        return builder.let("strong", product, *let.args[1:], *keys)

    def indexed(self, let: Let, builder: Builder) -> Atom | None:
        """The same read or write in the tangent."""
        if let.op in ("load", "view", "take"):
            array = self.tangent(let.args[0])
            return None if array is None else builder.let(let.op, array, *let.args[1:],
                                                          index=let.static["index"])
        stored = self.tangent(let.args[-1])
        array = None if overwrites(let) else self.tangent(let.args[0])
        if stored is None and (array is None or let.op == "add_at"):
            return array
        if array is None:
            array = self.zero(let.args[0], builder)
        if stored is None:
            stored = self.nothing(let, builder)
        return builder.let(let.op, array, *let.args[1:-1], stored, **let.static)

    def nothing(self, let: Let, builder: Builder) -> Atom:
        """What is stored where the value has no tangent; `push` takes a row."""
        value = let.args[-1]
        if let.op == "push" and isinstance(value.type, Array):
            return self.zero(value, builder)
        return number(0, Scalar(let.result.type.dtype))

    def ruled(self, let: Let, builder: Builder) -> None:
        """A result of a call with a rule of the user's; a call has its tangents all at once."""
        key = (builder, call_of(let), let.args)
        if key not in self.calls:
            check_read(let, self.active)
            given = call_of(let).given(let.args)
            self.calls[key] = forward_ruled(builder, let, [self.tangent(a) for a in given],
                                            [self.kinds[a] == MIXED for a in given])
        self.keep(let.result, self.calls[key][let.static["index"]], builder)

    # --- loops and branches --------------------------------------------------------------------

    def loop(self, loop: Loop | While, builder: Builder) -> None:
        slots = [c for c in loop.carried if c.inner in self.active or c.result in self.active]
        if not slots:
            builder.statements += without_marks((loop,))
            return
        inits = [self.tangent_or_zero(c.init, builder) for c in slots]
        inner = builder.inner()
        starts = [self.beside(c.inner, builder.facts) for c in slots]
        self.dots.update(zip((c.inner for c in slots), starts, strict=True))
        self.block(loop.body, inner)
        nexts = [self.tangent_or_zero(c.next, inner) for c in slots]
        results = [self.beside(c.result, builder.facts) for c in slots]
        self.dots.update(zip((c.result for c in slots), results, strict=True))
        carried = (*loop.carried, *map(Carried, inits, starts, nexts, results))
        if isinstance(loop, While):
            builder.append(replace(loop, carried=carried, body=inner.block,
                                   test=without_marks(loop.test)))
        else:
            builder.append(replace(loop, carried=carried, body=inner.block, snapshots=None))

    def branch(self, branch: Branch, builder: Builder) -> None:
        arms = (builder.inner(), builder.inner())
        for block, arm in zip((branch.then, branch.otherwise), arms, strict=True):
            self.block(block, arm)
        joins: list[Join] = []
        for j in branch.joins:
            sides = self.tangent(j.then), self.tangent(j.otherwise)
            if j.result not in self.active or sides == (None, None):
                continue
            if sides[0] is sides[1] and sides[0] is not None:
                self.dots[j.result] = sides[0]
                continue
            ends = [self.tangent_or_zero(end, arm)
                    for end, arm in zip((j.then, j.otherwise), arms, strict=True)]
            self.dots[j.result] = result = self.beside(j.result, builder.facts)
            joins.append(Join(ends[0], ends[1], result))
        builder.append(replace(branch, then=arms[0].block, otherwise=arms[1].block,
                               joins=(*branch.joins, *joins)))


def dot(atom: Atom) -> str:
    """The name of a value's tangent."""
    return f"{atom.name}_dot" if isinstance(atom, Value) else "t"
