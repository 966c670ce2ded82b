"""Random programs of the IR, to compare emitted source with the interpreter.

Names come from a small pool, so that they collide; arrays have 6 elements, or 4 where they are
inner views; nothing keeps a program from reading an old version of an array after a write.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from retrograd.ir.build import Builder
from retrograd.ir.index import Slice
from retrograd.ir.nodes import (
    Branch,
    Carried,
    Constant,
    Function,
    Join,
    Loop,
    Value,
    While,
    integer,
    number,
)
from retrograd.ir.types import Array, Scalar

F = Scalar("float64")
VECTOR = Array("float64", (None,))
NAMES = ("x", "u", "w", "t", "t", "t", "t", "x_bar", "t_bar", "x_1", "np", "n")
INNER = (Slice(True, True, 1),)


@dataclass
class Scope:
    scalars: list
    arrays: list            # (value, length)
    indices: list

    def inner(self):
        return Scope(list(self.scalars), list(self.arrays), list(self.indices))


class Programs:
    def __init__(self, seed: int, whole_arrays: bool) -> None:
        self.random = random.Random(seed)
        self.whole = whole_arrays
        self.budget = 22

    def function(self) -> Function:
        a, b = Value("x", F), Value("b", F)
        u, v = Value("u", VECTOR), Value("v", VECTOR)
        scope = Scope([a, b], [(u, 6), (v, 6)], [])
        builder = Builder(checks=False)
        self.statements(builder, scope, 0, 9)
        returns = [self.random.choice(scope.scalars) for _ in range(2)]
        returns += [self.random.choice(scope.arrays)[0] for _ in range(3)]
        return Function("f", (a, b, u, v), builder.block, tuple(returns))

    # --- statements ----------------------------------------------------------------------------

    def name(self) -> str:
        return self.random.choice(NAMES)

    def statements(self, builder: Builder, scope: Scope, depth: int, most: int) -> None:
        for _ in range(self.random.randint(1, most)):
            self.budget -= 1
            kinds = [self.scalar, self.scalar, self.read, self.write, self.write, self.add,
                     self.fresh, self.plain]
            kinds += [self.view, self.vector, self.vector, self.slice] if self.whole else []
            if depth < 3 and self.budget > 0:
                kinds += [self.loop, self.branch, self.loop_while]
            kind = self.random.choice(kinds)
            if kind in (self.loop, self.branch, self.loop_while):
                kind(builder, scope, depth)
            else:
                kind(builder, scope)

    def number(self, scope: Scope):
        if self.random.random() < 0.2:
            return number(self.random.choice([0.5, -1.0, 2.0, 0.0, -0.0]), F)
        return self.random.choice(scope.scalars)

    def add_scalar(self, scope: Scope, atom) -> None:
        if not isinstance(atom, Constant):
            scope.scalars.append(atom)

    def index(self, scope: Scope):
        if scope.indices and self.random.random() < 0.6:
            return self.random.choice(scope.indices)
        return integer(self.random.choice([0, 1, 2, 3, -1]))

    def array(self, scope: Scope, length: int | None = None):
        found = [(v, k) for v, k in scope.arrays if length is None or k == length]
        return self.random.choice(found[-4:] if self.random.random() < 0.7 else found)

    def scalar(self, builder, scope) -> None:
        op = self.random.choice(["add", "multiply", "subtract", "maximum", "where", "tanh"])
        args = [self.number(scope) for _ in range({"tanh": 1}.get(op, 2))]
        if op == "where":
            args.insert(0, builder.let("less", self.number(scope), self.number(scope)))
        self.add_scalar(scope, builder.let(op, *args, name=self.name()))

    def read(self, builder, scope) -> None:
        array, _ = self.array(scope)
        scope.scalars.append(builder.let("load", array, self.index(scope), index=("int",),
                                         name=self.name()))

    def write(self, builder, scope) -> None:
        array, length = self.array(scope)
        scope.arrays.append((builder.let("update", array, self.index(scope), self.number(scope),
                                         index=("int",), name=array.name), length))

    def add(self, builder, scope) -> None:
        array, length = self.array(scope)
        scope.arrays.append((builder.let("add_at", array, self.index(scope), self.number(scope),
                                         index=("int",), name=array.name), length))

    def fresh(self, builder, scope) -> None:
        if self.random.random() < 0.5:
            new = builder.let("zeros", integer(6), dtype="float64", name=self.name())
            scope.arrays.append((new, 6))
        else:
            array, length = self.array(scope)
            scope.arrays.append((builder.let("copy", array, name=self.name()), length))

    def plain(self, builder, scope) -> None:
        array, length = self.array(scope)
        scope.arrays.append((builder.let("let", array, name=self.name()), length))

    def view(self, builder, scope) -> None:
        array, _ = self.array(scope, 6)
        new = builder.let("view", array, integer(1), integer(-1), index=INNER, name=self.name())
        scope.arrays.append((new, 4))

    def vector(self, builder, scope) -> None:
        array, length = self.array(scope)
        other = self.array(scope, length)[0] if self.random.random() < 0.6 else self.number(scope)
        op = self.random.choice(["add", "multiply", "subtract"])
        name = array.name if self.random.random() < 0.6 else self.name()
        scope.arrays.append((builder.let(op, array, other, name=name), length))

    def slice(self, builder, scope) -> None:
        array, _ = self.array(scope, 6)
        inner = [v for v, k in scope.arrays if k == 4]
        value = self.random.choice(inner) if inner else self.number(scope)
        op = self.random.choice(["update", "add_at"])
        scope.arrays.append((builder.let(op, array, integer(1), integer(-1), value, index=INNER,
                                         name=array.name), 6))

    # --- blocks --------------------------------------------------------------------------------

    def carried(self, scope: Scope):
        inits = [(self.number(scope), None) for _ in range(self.random.randint(0, 2))]
        inits += [self.array(scope) for _ in range(self.random.randint(0, 3))]
        out = []
        for init, length in inits:
            name = self.name() if isinstance(init, Constant) else init.name
            type = F if length is None else VECTOR
            out.append((init, Value(name, type), Value(name, type), length))
        return out

    def enter(self, scope: Scope, slots) -> Scope:
        inside = scope.inner()
        for _, inner, _, length in slots:
            if length is None:
                inside.scalars.append(inner)
            else:
                inside.arrays.append((inner, length))
        return inside

    def end(self, inside: Scope, length: int | None):
        return self.number(inside) if length is None else self.array(inside, length)[0]

    def leave(self, scope: Scope, slots) -> None:
        for _, _, result, length in slots:
            if length is None:
                scope.scalars.append(result)
            else:
                scope.arrays.append((result, length))

    def loop(self, builder, scope, depth) -> None:
        slots = self.carried(scope)
        inside = self.enter(scope, slots)
        index = Value(self.name(), Scalar("int64", True))
        inside.indices.append(index)
        body = builder.inner()
        self.statements(body, inside, depth + 1, 5)
        leave = trips = None
        if self.random.random() < 0.3:
            made = body.let("greater", self.number(inside), self.number(inside))
            leave = None if isinstance(made, Constant) else made
        if self.random.random() < 0.3:
            trips = Value("n", Scalar("int64", True))
        carried = tuple(Carried(init, inner, self.end(inside, length), result)
                        for init, inner, result, length in slots)
        start, stop, step = self.random.choice([(0, 3, 1), (2, -1, -1), (0, 0, 1), (1, 4, 2)])
        builder.append(Loop(index, integer(start), integer(stop), integer(step), carried,
                            body.block, leave, trips))
        if trips is not None:
            scope.scalars.append(builder.let("cast", trips, dtype="float64", name="trips"))
        self.leave(scope, slots)

    def loop_while(self, builder, scope, depth) -> None:
        slots = self.carried(scope)
        count, after = Value(self.name(), F), Value("count", F)
        slots = [*slots, (number(0.0, F), count, after, None)]
        inside = self.enter(scope, slots)
        test = builder.inner()
        limit = test.let("less", count, number(2.0, F))
        if self.random.random() < 0.4:
            extra = test.let("less", self.number(inside), number(9.0, F), name=self.name())
            limit = test.let("logical_and", limit, extra)
        body = builder.inner()
        self.statements(body, inside, depth + 1, 4)
        carried = [Carried(init, inner, self.end(inside, length), result)
                   for init, inner, result, length in slots[:-1]]
        step = body.let("add", count, number(1.0, F), name="count")
        carried.append(Carried(slots[-1][0], count, step, after))
        builder.append(While(tuple(carried), test.block, limit, body.block,
                             Value("trips", Scalar("int64", True))))
        self.leave(scope, slots)

    def branch(self, builder, scope, depth) -> None:
        test = builder.let("less", self.number(scope), self.number(scope))
        if isinstance(test, Constant):
            return
        arms = []
        for _ in range(2):
            inside, inner = scope.inner(), builder.inner()
            if self.random.random() < 0.8:
                self.statements(inner, inside, depth + 1, 4)
            arms.append((inside, inner.block))
        joins = []
        for length in self.random.choices([None, 6, 6], k=self.random.randint(1, 3)):
            result = Value(self.name(), F if length is None else VECTOR)
            joins.append(Join(self.end(arms[0][0], length), self.end(arms[1][0], length), result))
            if length is None:
                scope.scalars.append(result)
            else:
                scope.arrays.append((result, length))
        builder.append(Branch(test, arms[0][1], arms[1][1], tuple(joins)))
