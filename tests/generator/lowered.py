"""The source that Numba would get, run by Python: what lowering does, without waiting for LLVM."""

from __future__ import annotations

from typing import Any

import numpy as np

import truth
from frontend.tracing import leaves, request_for, settled
from generator.checking import IDLE, REFUSED, RIGHT, failure, load, refused, truth_of
from generator.generate import generate
from oracle import float_arguments, is_number
from retrograd.errors import Unsupported
from retrograd.pipeline import derive
from retrograd.program import VALUE_AND_GRAD, Emitted, Program, Request
from retrograd.trees import rebuild


def derived(function: Any, args: tuple[Any, ...]) -> tuple[Request, Program]:
    request = request_for(function, args, VALUE_AND_GRAD, float_arguments(args))
    return settled(request, args, derive)


def run(emitted: Emitted, args: list[Any], **names: Any) -> Any:
    """The results of a lowered function in their structure; its failures are raised. `names` stand
    for others in its module."""
    space: dict[str, Any] = {}
    exec(compile(emitted.source, "<lowered>", "exec"), space)
    space.update(names)
    with np.errstate(all="ignore"):
        found = space[emitted.name](*args)
    found = found if isinstance(found, tuple) else (found,)
    if emitted.failures:
        assert found[0] == 0, emitted.failures[int(found[0]) - 1]
        found = found[1 + emitted.integers + emitted.floats:]
    return rebuild(emitted.structure, found)


def check_lowered(seed: int, writes: bool = False) -> str:
    """RIGHT, REFUSED or IDLE, as `check` of generated programs; raises where it is wrong."""
    return judged_lowered(*generate(seed, writes), seed)


def judged_lowered(source: str, args: tuple[Any, ...], seed: int) -> str:
    program = load(source, f"<generated {seed}>")
    right = truth_of(program, args)
    if right is None:
        return IDLE
    value = program(*map(truth.fresh, args))
    if not is_number(value):
        return IDLE
    try:
        request, found = derived(program, args)
    except Unsupported:
        return REFUSED
    (unit,) = found.units
    try:
        given = leaves(request, [truth.fresh(a) for a in args], found.captures)
        result, gradients = run(unit.lowered(), given)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        assert np.isclose(result, value, rtol=1e-10, atol=1e-12)
        for one, other in zip(gradients, right, strict=True):
            assert truth.close(np.asarray(one, float), other, 1e-7)
    except Exception as error:
        if refused(error):
            return REFUSED
        raise failure(seed, source, args, error) from error
    return RIGHT
