"""Run one generated program through retrograd and judge it."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import retrograd as rg
import truth
from generator.bounds import generate_bounds
from generator.complexly import NoDerivative, gradients
from generator.fronts import generate_front
from generator.generate import generate
from oracle import assert_gradients, float_arguments, is_number, leaves, seeds_of

RIGHT, REFUSED, IDLE = "right", "refused", "idle"
REMEDIES = ("index with an int instead", "give it one shape")     # refused when the program runs


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
        raise failure(seed, source, arguments, error) from error
    return RIGHT


def check_writes(seed: int, modes: Sequence[str] = ("numpy",)) -> str:
    """The same for a program that writes into arrays.

    IDLE is also a program that raises, or that has no derivative where it is asked for.
    """
    source, arguments = generate(seed, writes=True)
    return judged(source, arguments, seed, modes)


def check_bounds(seed: int, modes: Sequence[str] = ("numpy",)) -> str:
    """The same for a program whose loops and indices go by ints that it computes."""
    return judged(*generate_bounds(seed), seed, modes)


def check_front(seed: int, modes: Sequence[str] = ("numpy",)) -> str:
    """The same for a small one, of which much can be proved."""
    return judged(*generate_front(seed), seed, modes)


def judged(source: str, arguments: tuple[Any, ...], seed: int, modes: Sequence[str]) -> str:
    program = load(source, f"<generated {seed}>")
    true = truth_of(program, arguments)
    if true is None:
        return IDLE
    try:
        assert_gradients(program, arguments, float_arguments(arguments), modes, expected=true,
                         rtol=1e-7)
    except rg.Unsupported:
        return REFUSED
    except Exception as error:
        if refused(error):
            return REFUSED
        raise failure(seed, source, arguments, error) from error
    return RIGHT


def refused(error: Exception) -> bool:
    """Whether an array had a shape, when the program ran, with which it is not differentiated."""
    return any(remedy in str(error) for remedy in REMEDIES)


def truth_of(program: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The gradients of `assert_gradients`; None where there is nothing to judge."""
    with np.errstate(all="ignore"):
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                value = program(*map(truth.fresh, arguments))
        except (IndexError, ValueError, FloatingPointError, OverflowError):
            return None                  # Python itself raises, or something on the way is inf
        if not all(np.all(np.isfinite(leaf)) for leaf in leaves(value)):
            return None
        seeds = None if is_number(value) else seeds_of(value, np.random.default_rng(7))
        try:
            return gradients(program, arguments, float_arguments(arguments), value, seeds)
        except NoDerivative:
            return None


def failure(seed: int, source: str, arguments: tuple[Any, ...], error: Exception,
            ) -> AssertionError:
    return AssertionError(f"seed {seed}: {type(error).__name__}: {error}\n"
                          f"arguments {arguments}\n{source}")
