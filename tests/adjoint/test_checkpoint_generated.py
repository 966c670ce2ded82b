"""Generated programs with all their loops checkpointed: the same bits as without the marks."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import retrograd as rg
import truth
from frontend.tracing import load
from generator.generate import generate
from oracle import float_arguments, is_number, leaves, same_bits, seeds_of


class _Marks(ast.NodeTransformer):
    """Every loop that is not left early and not over a container that is written out."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        if not isinstance(node.iter, ast.Tuple | ast.List) and not _left_early(node.body):
            snapshots = ast.Constant(self.random.choice([1, 2, 3, None]))
            node.iter = ast.Call(ast.Name("checkpointed", ast.Load()), [node.iter, snapshots], [])
            self.count += 1
        return node


def _left_early(body: Sequence[ast.stmt]) -> bool:
    for statement in body:
        if isinstance(statement, ast.Break | ast.Return):
            return True
        if isinstance(statement, ast.If) and _left_early((*statement.body, *statement.orelse)):
            return True
        if isinstance(statement, ast.For | ast.While) and any(
                isinstance(inner, ast.Return) for inner in ast.walk(statement)):
            return True
    return False


def gradients(program: Callable[..., Any], arguments: Sequence[Any], seeds: Any) -> Any:
    argnums = float_arguments(arguments)
    given = [truth.fresh(a) for a in arguments]
    if seeds is None:
        return rg.value_and_grad(program, argnums=argnums, jit=False)(*given)
    value, pullback = rg.vjp(program, *given, argnums=argnums, jit=False)
    return value, pullback(seeds)


def check(seed: int) -> bool:
    """Whether there was something to compare."""
    source, arguments = generate(seed, writes=seed % 2 == 0)
    tree, marks = ast.parse(source), _Marks(seed)
    text = ast.unparse(ast.fix_missing_locations(marks.visit(tree)))
    if not marks.count or "np.empty" in source:        # some read what they never wrote
        return False
    plain, marked = (load(s + "\n", "program", f"<{name} {seed}>", checkpointed=rg.checkpointed)
                     for s, name in ((source, "plain"), (text, "marked")))
    with np.errstate(all="ignore"):
        try:
            value = plain(*map(truth.fresh, arguments))
        except (IndexError, ValueError):
            return False
        seeds = None if is_number(value) else seeds_of(value, np.random.default_rng(7))
        try:
            expected = gradients(plain, arguments, seeds)
            found = gradients(marked, arguments, seeds)
        except rg.Unsupported:
            return False
    assert all(map(same_bits, leaves(found), leaves(expected))), (
        f"seed {seed}: {found} instead of {expected}\narguments {arguments}\n{text}")
    return True


def test_generated_programs() -> None:
    assert sum(map(check, range(14))) >= 5


@pytest.mark.fuzz
@pytest.mark.parametrize("start", range(1000, 3000, 100))
def test_many_generated_programs(start: int) -> None:
    assert sum(map(check, range(start, start + 100))) >= 40
