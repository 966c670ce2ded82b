"""Generated programs whose loops are all marked parallel, as the source that Numba would get, run
by Python with the blocks in both orders: the derivatives must be the same bits, and right.

Blocks that do not depend on each other may come in any order. One that reads what another writes,
or memory that two share, shows where the order changes the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

import truth
from frontend.tracing import leaves
from generator.checking import IDLE, REFUSED, RIGHT, failure, load, refused, truth_of
from generator.generate import generate
from generator.lowered import derived, run
from oracle import is_number
from retrograd import pipeline
from retrograd.errors import Unsupported
from retrograd.ir.nodes import Block, Function, Loop, Statement
from retrograd.ir.rewrite import with_blocks

SERIAL = "serial"                    # right, but no loop was split


def marked(function: Function) -> Function:
    """The function with a wish on every loop."""
    return replace(function, body=_marked(function.body))


def _marked(block: Block) -> Block:
    return tuple(_wish(with_blocks(s, _marked)) for s in block)


def _wish(statement: Statement) -> Statement:
    return replace(statement, parallel=True) if isinstance(statement, Loop) else statement


@contextmanager
def all_parallel() -> Iterator[None]:
    """Programs that are derived in here have all loops marked."""
    before = pipeline.without_wishes
    pipeline.without_wishes = marked
    try:
        yield
    finally:
        pipeline.without_wishes = before


def check_parallel(seed: int, writes: bool = True) -> str:
    """RIGHT, SERIAL, REFUSED or IDLE; raises where it is wrong."""
    source, args = generate(seed, writes)
    program = load(source, f"<generated {seed}>")
    right = truth_of(program, args)
    value = None if right is None else program(*map(truth.fresh, args))
    if right is None or not is_number(value):
        return IDLE
    try:
        with all_parallel():
            request, found = derived(program, args)
            emitted = found.units[0].lowered()
        results = []
        for backwards in (False, True):
            given = leaves(request, [truth.fresh(a) for a in args], found.captures)
            blocks = (lambda n: reversed(range(n))) if backwards else range
            result, gradients = run(emitted, given, prange=blocks)
            gradients = gradients if isinstance(gradients, tuple) else (gradients,)
            results.append([np.asarray(a, float) for a in (result, *gradients)])
        for one, other, true in zip(*results, (np.asarray(value), *right), strict=True):
            assert one.tobytes() == other.tobytes(), "the order of the blocks matters"
            assert truth.close(one, true, 1e-7)
    except Unsupported:
        return REFUSED
    except Exception as error:
        if refused(error):
            return REFUSED
        raise failure(seed, source, args, error) from error
    return RIGHT if "prange(" in emitted.source else SERIAL
