"""The source that Numba would get, run by Python: what lowering does, without waiting for LLVM."""

from __future__ import annotations

from typing import Any

import numpy as np

import truth
from frontend.tracing import leaves, request_for, with_known
from generator.checking import IDLE, REFUSED, RIGHT, load
from generator.generate import generate
from oracle import float_arguments
from retrograd.errors import Unsupported
from retrograd.frontend.reading import NeedStatic
from retrograd.pipeline import derive
from retrograd.program import VALUE_AND_GRAD, Emitted, Program, Request
from retrograd.trees import rebuild


def derived(function: Any, args: tuple[Any, ...]) -> tuple[Request, Program]:
    request = request_for(function, args, VALUE_AND_GRAD, float_arguments(args))
    while True:
        try:
            return request, derive(request)
        except NeedStatic as need:
            request = with_known(request, args, need)


def run(emitted: Emitted, args: list[Any]) -> Any:
    """The results of a lowered function in their structure; its failures are raised."""
    space: dict[str, Any] = {}
    exec(compile(emitted.source, "<lowered>", "exec"), space)
    with np.errstate(all="ignore"):
        found = space[emitted.name](*args)
    found = found if isinstance(found, tuple) else (found,)
    if emitted.failures:
        assert found[0] == 0, emitted.failures[int(found[0]) - 1]
        found = found[1 + emitted.integers + emitted.floats:]
    return rebuild(emitted.structure, found)


def check_lowered(seed: int) -> str:
    """RIGHT, REFUSED or IDLE, as `check` of generated programs; raises where it is wrong."""
    source, args = generate(seed)
    program = load(source, f"<generated {seed}>")
    with np.errstate(all="ignore"):
        if not np.isfinite(program(*args)):
            return IDLE
    try:
        request, found = derived(program, args)
    except Unsupported:
        return REFUSED
    (unit,) = found.units
    try:
        given = leaves(request, [truth.fresh(a) for a in args], found.captures)
        value, gradients = run(unit.lowered(), given)
        right = truth.gradients(program, args, float_arguments(args), "complex")
        assert np.isclose(value, program(*args), rtol=1e-10, atol=1e-12)
        for one, other in zip(gradients, right.gradients, strict=True):
            assert truth.close(np.asarray(one, float), other, 1e-7)
    except Exception as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}\n{source}") from error
    return RIGHT
