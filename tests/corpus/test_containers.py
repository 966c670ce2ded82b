"""Programs over containers: both modes, against a complex step or differences over the leaves."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from corpus import containers
from corpus.containers import Program

PROGRAMS = {name: p for name, p in vars(containers).items() if isinstance(p, Program)}
both_modes = pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])


def mapped(value: Any, new: Callable[[str, Any], Any], path: str = "") -> Any:
    """The container with `new(path, leaf)` in place of every leaf."""
    if isinstance(value, dict):
        return {k: mapped(v, new, f"{path}[{k!r}]") for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(v, new, f"{path}.{k}") for k, v in value._asdict().items()))
    if isinstance(value, (tuple, list)):
        return type(value)(mapped(v, new, f"{path}[{k}]") for k, v in enumerate(value))
    if dataclasses.is_dataclass(value):
        made = copy.copy(value)
        for f in dataclasses.fields(value):
            object.__setattr__(made, f.name, mapped(getattr(value, f.name), new,
                                                    f"{path}.{f.name}"))
        return made
    return new(path, value)


def is_float(leaf: Any) -> bool:
    return isinstance(leaf, float) or (isinstance(leaf, (np.ndarray, np.generic))
                                       and leaf.dtype.kind == "f")


def moved(args: tuple[Any, ...], path: str, index: tuple[int, ...], by: complex) -> Any:
    def new(at: str, leaf: Any) -> Any:
        if at != path:
            return leaf.copy() if isinstance(leaf, np.ndarray) else leaf
        if not isinstance(leaf, np.ndarray):
            return leaf + by
        array = leaf.astype(np.result_type(leaf, type(by)))
        array[index] += by
        return array

    return mapped(args, new)


def derivative(program: Program, args: tuple[Any, ...], path: str, index: tuple[int, ...]) -> float:
    if not program.compares:
        return float(np.imag(program.function(*moved(args, path, index, 1e-30j))) / 1e-30)
    h = 1e-6
    ends = [program.function(*moved(args, path, index, s * h)) for s in (-2, -1, 1, 2)]
    return float((ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * h))


def expected(program: Program, args: tuple[Any, ...]) -> Any:
    """The gradients with respect to all arguments; None for what is no float."""
    def gradient(path: str, leaf: Any) -> Any:
        if not is_float(leaf):
            return None
        found = np.array(np.zeros(np.shape(leaf)))
        for index in np.ndindex(np.shape(leaf)):
            found[index] = derivative(program, args, path, index)
        return found if isinstance(leaf, np.ndarray) else type(leaf)(found)

    return mapped(args, gradient)


def assert_same(got: Any, wanted: Any, rtol: float, path: str = "") -> None:
    assert type(got) is type(wanted), (path, type(got), type(wanted))
    leaves: dict[str, Any] = {}
    mapped(wanted, lambda at, leaf: leaves.__setitem__(at, leaf))
    seen: dict[str, Any] = {}
    mapped(got, lambda at, leaf: seen.__setitem__(at, leaf))
    assert list(seen) == list(leaves)
    for at, leaf in leaves.items():
        assert type(seen[at]) is type(leaf), at
        if is_float(leaf):
            np.testing.assert_allclose(seen[at], leaf, rtol=rtol, atol=rtol, err_msg=at)
        elif not isinstance(leaf, np.ndarray):
            assert seen[at] == leaf


@both_modes
@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients(name: str, jit: bool) -> None:
    program = PROGRAMS[name]
    for args in program.arguments:
        wanted = expected(program, args)
        floats = tuple(k for k, g in enumerate(wanted) if g is not None)
        before, keep = copy.deepcopy(args), copy.deepcopy(args)
        value, got = rg.value_and_grad(program.function, argnums=floats, jit=jit)(*args)
        np.testing.assert_allclose(value, program.function(*keep), rtol=1e-12)
        assert_same(got, tuple(wanted[k] for k in floats),
                    1e-7 if program.compares else 1e-11)
        assert_same(args, before, 0.0)


SECOND = ("nested", "a_named_tuple", "an_object", "carried", "changed_objects", "captured")


@pytest.mark.parametrize("name", PROGRAMS)
def test_forward_and_reverse_mode(name: str) -> None:
    """Through the same objects; for some of them derivatives of derivatives, too."""
    program = PROGRAMS[name]
    rg.check_grads(program.function, program.arguments[0], jit=False,
                   order=2 if name in SECOND else 1)
