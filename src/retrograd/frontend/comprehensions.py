"""Comprehensions and generator expressions: written out, or a loop that appends to a list.

    [f(x[k]) for k in range(n) if x[k] > 0]         items = []
                                                    for k in range(n):
                                                        if x[k] > 0:
                                                            items.append(f(x[k]))

Their variables are their own: nothing is seen outside.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from retrograd.frontend import iteration, lists
from retrograd.frontend.binding import bind
from retrograd.frontend.branches import truth
from retrograd.frontend.liveness import assigned
from retrograd.frontend.things import Cell, Items, Thing
from retrograd.frontend.tracer import Tracer
from retrograd.ir.nodes import Constant

Comprehension = ast.ListComp | ast.GeneratorExp | ast.DictComp


def evaluated(tracer: Tracer, node: Comprehension, name: str = "items") -> Thing:
    """The list or dict that a comprehension makes, which will be called `name`."""
    inner = Tracer(tracer.context, tracer.frame, tracer.builder, dict(tracer.env), tracer.memory)
    inner.node = tracer.node
    inner.binds = False
    inner.passing = tracer.passing | set(assigned([g.target for g in node.generators]))
    kind = "dict" if isinstance(node, ast.DictComp) else "list"
    cell = tracer.memory.make(Items(kind, ()), Cell(born=tracer.memory.clock, name=name))
    _Maker(node, cell).generate(inner, 0)
    if tracer.frame.user:
        return cell
    tracer.memory.changed.pop(cell, None)          # nobody else knows it
    return tracer.memory.held.pop(cell)


@dataclass(frozen=True, slots=True)
class _Maker:
    node: Comprehension
    cell: Cell

    def generate(self, tracer: Tracer, k: int) -> None:
        """The part from generator number k on."""
        from retrograd.frontend import loops
        from retrograd.frontend.expressions import evaluate

        if k == len(self.node.generators):
            self.add(tracer)
            return
        generator = self.node.generators[k]
        source = evaluate(tracer, generator.iter)
        elements = iteration.unrolled(tracer, source, short=True)
        if elements is None:
            loop = ast.copy_location(ast.For(generator.target, generator.iter, [], []), self.node)
            loops.dynamic(tracer, loop, source, lambda inner: self.tested(inner, k, 0))
            return
        watched = lists.watched(tracer, source)
        for number in range(len(elements)):
            bind(tracer, generator.target, elements[number])
            self.tested(tracer, k, 0)
            if watched:
                lists.check_watched(tracer, watched, self.node)
                elements = iteration.unrolled(tracer, source, short=True) or elements

    def add(self, tracer: Tracer) -> None:
        """One more element."""
        from retrograd.frontend.expressions import evaluate

        if isinstance(self.node, ast.DictComp):
            key = evaluate(tracer, self.node.key)
            lists.key_of(tracer, key)
            lists.assign(tracer, self.cell, key, evaluate(tracer, self.node.value))
        else:
            lists.append(tracer, self.cell, evaluate(tracer, self.node.elt))

    def tested(self, tracer: Tracer, k: int, number: int) -> None:
        """What follows condition `number` of generator k."""
        from retrograd.frontend.expressions import evaluate
        from retrograd.frontend.statements import Outcome, branch

        tests = self.node.generators[k].ifs
        if number == len(tests):
            self.generate(tracer, k + 1)
            return
        test = truth(tracer, evaluate(tracer, tests[number]))
        if isinstance(test, Constant):
            if test.value:
                self.tested(tracer, k, number + 1)
            return

        def then(inner: Tracer) -> Outcome:
            self.tested(inner, k, number + 1)
            return None

        branch(tracer, test, then, lambda _: None, frozenset())
