"""A product with a strong zero is a choice by its keys.

    before:                      after:
        y = strong(p, g, h)          a = not_equal(g, 0.0)
        return y                     b = not_equal(h, 0.0)
                                     c = logical_or(a, b)
                                     y = where(c, p, 0.0)
                                     return y

`strong(p, *keys)` is p where a key is not 0, else exactly 0, whatever p is there. Derivatives are
taken of that, because a key that is 0 by accident has a derivative; the choice has lost it. So
this is the first stage, after which there is no `strong`.
"""

from __future__ import annotations

from dataclasses import replace

from retrograd.ir.build import Builder
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Atom, Block, Constant, Function, Let, Statement, number
from retrograd.ir.rewrite import with_blocks
from retrograd.ir.types import BOOL, Scalar


def expand_choices(function: Function) -> Function:
    """The function with `where` in the place of `strong`."""
    return replace(function, body=_block(function.body))


def _block(block: Block) -> Block:
    result: list[Statement] = []
    for statement in block:
        if isinstance(statement, Let) and statement.op == "strong":
            result += _choice(statement)
        else:
            result.append(with_blocks(statement, _block))
    return tuple(result)


def _choice(let: Let) -> Block:
    builder = Builder(Facts(), checks=False)
    builder.origin = let.origin
    product, *keys = let.args
    chosen: Atom = number(False, BOOL)
    for key in keys:
        nonzero = builder.let("not_equal", key, number(0, Scalar(key.type.dtype)))
        chosen = _either(builder, chosen, nonzero)
    zero = number(0, Scalar(product.type.dtype))
    return (*builder.block, replace(let, op="where", args=(chosen, product, zero)))


def _either(builder: Builder, a: Atom, b: Atom) -> Atom:
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Constant):
            return one if one.value else other
    return builder.let("logical_or", a, b)
