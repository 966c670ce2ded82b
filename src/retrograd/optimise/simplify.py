"""Algebra that a careful person does without thinking; exact in IEEE arithmetic.

    before:                                  after:
        g = broadcast_to(1.0, n)                 y = multiply(2.0, x)
        a = multiply(g, 2.0)                     return y
        y = multiply(a, x)
        return y

x * 1, x / 1, x ** 1, x - 0 and -(-x) are x; operations on constants are done; a name for another
value (`let`) is that value; a broadcast that an elementwise operation would do anyway is left to
it; adding into fresh zeros is writing. A carried value that no iteration changes is not carried,
a branch whose two sides give the same joins nothing, and a decided branch is its arm.
A constant takes the place of its name where it is 0, 1 or -1 or is read once.
"""

from __future__ import annotations

from dataclasses import replace

from retrograd.ir.build import Builder
from retrograd.ir.facts import Facts
from retrograd.ir.index import FULL, advanced
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
    operands,
    walk,
    yields,
)
from retrograd.ir.operations import is_elementwise
from retrograd.ir.types import Array, Scalar, is_complex


def simplify(function: Function) -> Function:
    """The function with the algebra done."""
    return _Simplifier(function).run()


class _Simplifier:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.stand: dict[Value, Atom] = {}
        self.lets: dict[Value, Let] = {}
        self.uses = _count_uses(function)
        self.returned = frozenset(function.returns)
        self.folder = Builder(Facts(), checks=False)

    def run(self) -> Function:
        body = self.block(self.function.body)
        return replace(self.function, body=body, returns=self.atoms(self.function.returns))

    def atom(self, atom: Atom) -> Atom:
        if isinstance(atom, Constant):
            return atom
        return self.stand.get(atom, atom)

    def atoms(self, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        return tuple(self.atom(a) for a in atoms)

    def definition(self, atom: Atom) -> Let | None:
        return self.lets.get(atom) if isinstance(atom, Value) else None

    # --- statements ----------------------------------------------------------------------------

    def block(self, block: Block) -> Block:
        result: list[Statement] = []
        for statement in block:
            self.statement(statement, result)
        return tuple(result)

    def statement(self, statement: Statement, out: list[Statement]) -> None:
        match statement:
            case Let():
                self.let(statement, out)
            case Loop():
                new = replace(statement, start=self.atom(statement.start),
                              stop=self.atom(statement.stop), step=self.atom(statement.step))
                self.loop(new, out)
            case While():
                self.while_(statement, out)
            case Branch():
                self.branch(statement, out)
            case Raise():
                out.append(replace(statement, message=tuple(
                    p if isinstance(p, str) else self.atom(p) for p in statement.message)))
            case Effect():
                if statement.args:
                    statement = replace(statement, args=self.atoms(statement.args))
                out.append(statement)

    def let(self, let: Let, out: list[Statement]) -> None:
        let = replace(let, args=self.atoms(let.args))
        let = self.full(self.filled_later(self.without_broadcasts(let), out))
        same = self.same(let)
        if same is None:
            let = self.into_zeros(let)
            self.lets[let.result] = let
            out.append(let)
        elif isinstance(same, Constant) and not self.trivial(same, let.result):
            kept = Let(let.result, "let", (same,), {}, let.origin)
            self.lets[let.result] = kept
            out.append(kept)
        else:
            self.stand[let.result] = same

    def trivial(self, constant: Constant, value: Value) -> bool:
        """Whether a constant stands better where it is used than under its name."""
        return (constant.value in (0, 1, -1) or self.uses.get(value, 0) <= 1
                or not isinstance(constant.value, float))

    def same(self, let: Let) -> Atom | None:
        """What the operation gives, where that is known already."""
        if let.op == "let":
            return self.named(let)
        if let.op == "cast" and let.args[0].type.dtype == let.result.type.dtype:
            return self.retyped(let.args[0], let)
        if let.op == "view":
            return self.undone(let)
        if not is_elementwise(let.op):
            return None
        if all(isinstance(a, Constant) for a in let.args) and isinstance(let.result.type, Scalar):
            folded = self.folder._fold(let.op, let.args, dict(let.static), let.result.type.weak)
            return folded
        return self.identity(let)

    def named(self, let: Let) -> Atom | None:
        """What only has another name; a result of the function stays a Python number, or one of
        NumPy's."""
        atom = let.args[0]
        if atom.type.dtype != let.result.type.dtype:
            return None
        if let.result in self.returned and atom.type != let.result.type and not (
                isinstance(atom, Constant)):
            return None
        return self.retyped(atom, let)

    def undone(self, let: Let) -> Atom | None:
        """Adding axes of extent 1 that a reshape has just dropped gives the array before it."""
        made = self.definition(let.args[0])
        if made is None or made.op != "reshape" or any(
                item not in (FULL, "new") for item in let.static["index"]):
            return None
        before = made.args[0]
        one_long_axis = sum(d is None for d in before.type.dims) <= 1
        return before if one_long_axis and _fits(before, let.result) else None

    def retyped(self, atom: Atom, let: Let) -> Atom:
        if isinstance(atom, Constant) and isinstance(let.result.type, Scalar):
            return Constant(atom.value, let.result.type)
        return atom

    def identity(self, let: Let) -> Atom | None:
        a = let.args[0]
        b = let.args[1] if len(let.args) > 1 else None
        found: Atom | None = None
        match let.op:
            case "multiply" | "divide" if is_complex(let.result.type):
                pass                     # 1 is 1+0j: infinite * 0 is nan
            case "multiply":
                found = b if _is(a, 1) else a if b is not None and _is(b, 1) else None
            case "divide" | "power":
                found = a if b is not None and _is(b, 1) else None
            case "subtract":
                found = a if b is not None and _is(b, 0) else None
            case "negative":
                inner = self.definition(a)
                found = inner.args[0] if inner is not None and inner.op == "negative" else None
            case "where":
                found = self.chosen(let)
        return found if found is not None and _fits(found, let.result) else None

    def chosen(self, let: Let) -> Atom | None:
        condition, x, y = let.args
        if isinstance(condition, Constant):
            return x if condition.value else y
        return x if x is y or (isinstance(x, Constant) and x == y) else None

    def without_broadcasts(self, let: Let) -> Let:
        """An operand that is only broadcast is taken as it was, where another operand has the
        shape of the result."""
        if not is_elementwise(let.op) or not isinstance(let.result.type, Array):
            return let
        args = list(let.args)
        for k, a in enumerate(args):
            made = self.definition(a)
            if made is None or made.op not in ("broadcast_to", "full"):
                continue
            if any(self.has_shape(other, let.result, made) for j, other in enumerate(args)
                   if j != k):
                source = made.args[0]
                if source.type.dtype == a.type.dtype:
                    args[k] = source
        return replace(let, args=tuple(args))

    def filled_later(self, let: Let, out: list[Statement]) -> Let:
        """Computing with an array full of a number is computing with the number."""
        if not is_elementwise(let.op) or not isinstance(let.result.type, Array):
            return let
        fills = [self.definition(a) for a in let.args if isinstance(a.type, Array)]
        first = fills[0] if fills else None
        if first is None or any(
                f is None or f.op != "full" or f.args[1:] != first.args[1:] for f in fills):
            return let
        numbers = tuple(f.args[0] if (f := self.definition(a)) is not None and isinstance(
            a.type, Array) else a for a in let.args)
        if any(n.type.dtype != a.type.dtype for n, a in zip(numbers, let.args, strict=True)):
            return let
        number = Value("t", Scalar(let.result.type.dtype))
        self.uses[number] = 1
        self.let(Let(number, let.op, numbers, let.static, let.origin), out)
        return Let(let.result, "full", (self.atom(number), *first.args[1:]),
                   {"dtype": let.result.type.dtype}, let.origin)

    def full(self, let: Let) -> Let:
        """A number that is broadcast is an array full of it; computing with the number comes
        before filling."""
        if let.op == "broadcast_to" and isinstance(let.args[0].type, Scalar):
            return replace(let, op="full", static={"dtype": let.result.type.dtype})
        return let

    def has_shape(self, other: Atom, result: Value, made: Let) -> bool:
        """Whether an operand has the result's shape by itself: the broadcast one adds no axis,
        and stretches none that the operand leaves at 1."""
        return (isinstance(other, Value) and other.type.rank == result.type.rank
                and all(d != 1 or r == 1
                        for d, r in zip(other.type.dims, result.type.dims, strict=True)))

    def into_zeros(self, let: Let) -> Let:
        """Adding into fresh zeros, or where zeros were stored just before, is writing, where no
        element is named twice."""
        if let.op != "add_at" or advanced(let.static["index"]):
            return let
        made = self.definition(let.args[0])
        if made is None or self.uses.get(made.result, 0) != 1:
            return let
        if made.op == "zeros":
            return replace(let, op="update")
        if made.op == "update" and _is(made.args[-1], 0) and made.args[1:-1] == let.args[1:-1] \
                and made.static["index"] == let.static["index"] and any(
                    item != "int" for item in let.static["index"]):
            return replace(let, op="update", args=(made.args[0], *let.args[1:]))
        return let

    # --- structure -----------------------------------------------------------------------------

    def loop(self, loop: Loop, out: list[Statement]) -> None:
        kept = self.changing(loop.carried)
        carried = [replace(c, init=self.atom(c.init)) for c in kept]
        body = self.block(loop.body)
        done = tuple(replace(c, next=self.atom(c.next)) for c in carried)
        leave = None if loop.leave is None else self.atom(loop.leave)
        out.append(replace(loop, carried=done, body=body, leave=leave))

    def while_(self, loop: While, out: list[Statement]) -> None:
        kept = self.changing(loop.carried)
        carried = [replace(c, init=self.atom(c.init)) for c in kept]
        test = self.block(loop.test)
        condition = self.atom(loop.condition)
        body = self.block(loop.body)
        done = tuple(replace(c, next=self.atom(c.next)) for c in carried)
        out.append(replace(loop, carried=done, body=body, test=test, condition=condition))

    def changing(self, carried: tuple[Carried, ...]) -> list[Carried]:
        """The carried values that some iteration may change; the others are what they were."""
        kept: list[Carried] = []
        for c in carried:
            init = self.atom(c.init)
            if c.next is c.inner or (isinstance(c.next, Constant) and c.next == init):
                if isinstance(init, Constant) and isinstance(c.inner.type, Scalar):
                    init = Constant(init.value, c.inner.type)
                self.stand[c.inner] = self.stand[c.result] = init
            else:
                kept.append(c)
        return kept

    def branch(self, branch: Branch, out: list[Statement]) -> None:
        test = self.atom(branch.test)
        if isinstance(test, Constant):
            taken = branch.then if test.value else branch.otherwise
            for statement in taken:
                self.statement(statement, out)
            for j in branch.joins:
                self.stand[j.result] = self.atom(j.then if test.value else j.otherwise)
            return
        then = self.block(branch.then)
        otherwise = self.block(branch.otherwise)
        joins: list[Join] = []
        for j in branch.joins:
            new = replace(j, then=self.atom(j.then), otherwise=self.atom(j.otherwise))
            if new.then is new.otherwise or (
                    isinstance(new.then, Constant) and new.then == new.otherwise):
                self.stand[j.result] = new.then
            elif _is_test(new):
                self.stand[j.result] = test
            else:
                joins.append(new)
        if then or otherwise or joins:
            out.append(replace(branch, test=test, then=then, otherwise=otherwise,
                               joins=tuple(joins)))


def _is_test(join: Join) -> bool:
    """Whether a branch joins True and False: that is its test."""
    return (isinstance(join.then, Constant) and join.then.value is True
            and isinstance(join.otherwise, Constant) and join.otherwise.value is False)


def _is(atom: Atom, value: int) -> bool:
    """Whether an atom is this number (and not -0.0)."""
    return isinstance(atom, Constant) and not isinstance(atom.value, bool) and (
        atom.value == value and str(atom.value)[0] != "-")


def _fits(atom: Atom, result: Value) -> bool:
    """Whether an operand can stand for a result: the same dtype and axes."""
    return (atom.type.dtype == result.type.dtype and atom.type.rank == result.type.rank
            and isinstance(atom.type, Array) == isinstance(result.type, Array)
            and atom.type.dims == result.type.dims)


def _count_uses(function: Function) -> dict[Value, int]:
    uses: dict[Value, int] = {}
    ends = [function.returns]
    for statement in walk(function.body):
        ends += [operands(statement), *yields(statement)]
    for atoms in ends:
        for a in atoms:
            if isinstance(a, Value):
                uses[a] = uses.get(a, 0) + 1
    return uses


