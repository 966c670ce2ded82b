"""Growable tapes in compiled source: room is made between runs of iterations, not in them."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from frontend.tracing import load

EVERY = """
def f(x, steps):
    k = 0
    while k < steps:
        x = x * (1.5 - 0.5 * x * x)
        k += 1
    return x
"""
ROWS = """
def f(x, steps):
    k = 0
    while k < steps:
        x = x * (1.5 - 0.5 * x * x)
        k += 1
    return np.sum(x)
"""
TESTED = """
def f(x, steps):
    s = x[0]
    k = 0
    while s < x[k % 3] + 5.0 and k < steps:
        s = s * (1.5 - 0.1 * np.sin(s))
        k += 1
    return s
"""
INSIDE = """
def f(x, steps):
    for _ in range(steps):
        k = 0
        while k < 9:
            x = np.sin(x) + 0.1 * x
            k += 1
    return x
"""
BOTH = """
def f(x, steps):
    ys = [x]
    k = 0
    while k < steps:
        x = np.sin(x) * 1.1
        ys.append(x)
        if k % 4 == 2:
            ys.append(x * x)
        k += 1
    return sum(ys)
"""
VECTOR = np.array([0.3, 0.7, 1.1])
STEPS = (0, 1, 15, 16, 17, 31, 32, 33, 70)


def made(function: Any, *args: Any) -> list[int]:
    """How many `while` loops stand around each place where a tape grows."""
    tree = ast.parse(function.source("compiled", *args))
    found: list[int] = []

    def visit(node: ast.AST, depth: int) -> None:
        depth += isinstance(node, ast.While)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) \
                and "_grown" in node.targets[0].id:
            found.append(depth)
        for child in ast.iter_child_nodes(node):
            visit(child, depth)

    visit(tree, 0)
    return found


@pytest.mark.parametrize(("text", "x", "depths"), [
    (EVERY, 0.7, [1]), (ROWS, VECTOR, [1]), (TESTED, VECTOR, [1]), (INSIDE, 0.7, [1]),
])
def test_a_run_has_room(text: str, x: Any, depths: list[int]) -> None:
    gradient = rg.grad(load(text, file=f"<runs {hash(text)}>"))
    assert set(made(gradient, x, 5)) == set(depths)
    plain = rg.grad(gradient.primal, jit=False)
    for steps in STEPS:
        np.testing.assert_allclose(gradient(x, steps), plain(x, steps), rtol=1e-12, atol=1e-15)


def test_what_is_pushed_sometimes_is_tested_where_it_is_pushed() -> None:
    gradient = rg.grad(load(BOTH, file="<both>"))
    depths = made(gradient, 0.7, 5)
    assert 1 in depths and depths.count(2) == 2          # the list, pushed in two places
    plain = rg.grad(gradient.primal, jit=False)
    for steps in STEPS:
        np.testing.assert_allclose(gradient(0.7, steps), plain(0.7, steps), rtol=1e-12)


def test_an_error_of_the_test_leaves_the_loop() -> None:
    gradient = rg.grad(load(TESTED.replace("k % 3", "k"), file="<leaving>"))
    with pytest.raises(IndexError, match="index 3 is out of bounds"):
        gradient(VECTOR, 50)


def test_readable_source_stays_as_it_is() -> None:
    source = rg.grad(load(EVERY, file="<every again>")).source(0.7, 5)
    assert source.count("while ") == 1


def test_a_carried_array_is_written_in_place() -> None:
    """The test of a `while` reads what its body starts with, and does not keep it alive."""
    gradient = rg.grad(load(ROWS, file="<rows in place>"))
    tree = ast.parse(gradient.source("compiled", VECTOR, 5))
    moved = [node for loop in ast.walk(tree) if isinstance(loop, ast.While)
             for node in ast.walk(loop)
             if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Store)]
    assert not moved                                     # two buffers would be exchanged
