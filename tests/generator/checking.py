"""Run one generated program through retrograd and judge it."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import retrograd as rg
from generator.generate import generate
from oracle import assert_gradients, float_arguments

RIGHT, REFUSED, IDLE = "right", "refused", "idle"


def load(source: str, name: str) -> Callable[..., Any]:
    """The function `program` of this source, with its text where debuggers look for it."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    scope: dict[str, Any] = {"__name__": "generated"}
    exec(compile(source, name, "exec"), scope)
    function: Callable[..., Any] = scope["program"]
    return function


def check(seed: int, modes: Sequence[str] = ("numpy",)) -> str:
    """RIGHT or REFUSED; raises AssertionError, with the program, where a gradient is wrong.

    IDLE is a program whose own value is not finite: there is nothing to judge.
    """
    source, arguments = generate(seed)
    program = load(source, f"<generated {seed}>")
    with np.errstate(all="ignore"):
        if not np.isfinite(program(*arguments)):
            return IDLE
    argnums = float_arguments(arguments)
    try:
        assert_gradients(program, arguments, argnums, modes, method="complex", rtol=1e-7)
    except rg.Unsupported:
        return REFUSED
    except Exception as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}\n"
                             f"arguments {arguments}\n{source}") from error
    return RIGHT
