"""What is known of shapes and ints from reading a program, as much as when it was built.

    t = matmul(W, x)                 the extent of t is the first of W
    for i in range(n):
        h = tanh(add(h, t))          that of h is what it was before the loop

An array that a loop carries is taken to keep its shape; where the body hands on another, it is read
again without that. What is checked in a block is known in it and in the blocks inside it alone.
"""

from __future__ import annotations

from retrograd.ir.build import Builder
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Block, Branch, Effect, Function, Let, Loop, Value, While, blocks


def seen(function: Function) -> Facts:
    """What is known of all values of a function."""
    builder = Builder(checks=False)
    _block(function.body, builder)
    return builder.facts


def see(loop: Loop, facts: Facts) -> None:
    """Add what is known of the values of a loop, of which some may be new, to what is known of
    those outside."""
    _loop(loop, Builder(facts.inner(), checks=False))


def _block(block: Block, builder: Builder) -> None:
    for statement in block:
        match statement:
            case Let():
                builder.adopt_let(statement)
            case Effect(kind="check_equal"):
                a, b = statement.args[:2]
                builder.facts.equate(builder.facts.integer(a), builder.facts.integer(b))
            case Branch():
                _branch(statement, builder)
            case Loop() | While():
                _loop(statement, builder.inner())


def _branch(branch: Branch, builder: Builder) -> None:
    facts = builder.facts
    _block(branch.then, builder.inner())
    _block(branch.otherwise, builder.inner())
    for j in branch.joins:
        if j.result.type.rank and facts.of(j.then) == facts.of(j.otherwise):
            facts.extents[j.result] = facts.of(j.then)
        else:
            facts.extents.pop(j.result, None)


def _loop(loop: Loop | While, builder: Builder) -> None:
    facts = builder.facts
    arrays = [c for c in loop.carried if c.inner.type.rank]
    facts.extents.update((c.inner, facts.of(c.init)) for c in arrays)
    before = dict(facts.equal)
    _blocks(loop, builder)
    if all(facts.provably_equal(a, b) for c in arrays
           for a, b in zip(facts.of(c.next), facts.of(c.init), strict=True)):
        facts.extents.update((c.result, facts.of(c.init)) for c in arrays)
        return
    facts.equal = before
    _forget([v for c in arrays for v in (c.inner, c.result)], facts)
    _blocks(loop, builder)


def _blocks(loop: Loop | While, builder: Builder) -> None:
    for block in blocks(loop):
        _block(block, builder)


def _forget(values: list[Value], facts: Facts) -> None:
    for value in values:
        facts.extents.pop(value, None)
