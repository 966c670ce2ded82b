"""No hidden copies, counted: a gradient copies at most the bytes that the program itself writes.

The generated NumPy source is run with every `.copy()` and every array that is made counted, and
the program itself with every store and copy counted. A whole array that is copied for the store
of one element, in either sweep, would be many times what the program writes.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import pytest

import retrograd as rg
from corpus.entry import Entry, sampled
from corpus.test_corpus import ENTRIES
from oracle import float_arguments, is_number
from retrograd.program import Emitted
from truth import fresh

MAKERS = ("empty", "zeros", "ones", "full", "empty_like", "zeros_like", "ones_like", "full_like")


@dataclass
class Count:
    copied: int = 0
    made: int = 0
    stored: int = 0

    def copy(self, array: Any) -> Any:
        self.copied += np.asarray(array).nbytes
        return array.copy()

    def make(self, array: Any) -> Any:
        self.made += array.nbytes
        return array

    def store(self, part: Any) -> Any:
        parts = part if isinstance(part, (tuple, list)) else (part,)
        self.stored += sum(np.asarray(p).nbytes for p in parts)
        return part


class _Counted(ast.NodeTransformer):
    """Copies, arrays that are made and (in the user's program) stores are reported."""

    def __init__(self, stores: bool) -> None:
        self.stores = stores

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "copy" and not node.args:
            return _call("copy", node.func.value)
        appended = isinstance(node.func, ast.Attribute) and node.func.attr == "append"
        if appended and self.stores and len(node.args) == 1:            # np.append has two
            node.args = [_call("store", node.args[0])]
        if ast.unparse(node.func) in {f"np.{name}" for name in MAKERS}:
            return _call("make", node)
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        self.generic_visit(node)
        return [node, *(_stored(t) for target in node.targets for t in _parts(target))] \
            if self.stores else node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        return [node, _stored(node.target)] if self.stores else node


def _call(name: str, value: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(ast.Name("count_", ast.Load()), name, ast.Load()), [value], [])


def _parts(target: ast.expr) -> list[ast.expr]:
    if isinstance(target, (ast.Tuple, ast.List)):
        return [p for e in target.elts for p in _parts(e)]
    return [target] if isinstance(target, ast.Subscript) else []


def _stored(target: ast.expr) -> ast.stmt:
    return ast.Expr(_call("store", ast.parse(ast.unparse(target), mode="eval").body))


def counted(source: str, count: Count, stores: bool, **names: Any) -> dict[str, Any]:
    tree = ast.fix_missing_locations(_Counted(stores).visit(ast.parse(source)))
    scope: dict[str, Any] = {"count_": count, "__name__": "counted", **names}
    exec(compile(tree, "<counted>", "exec"), scope)
    return scope


def written(entry: Entry) -> Count:
    """What the program itself copies, makes and stores."""
    count = Count()
    module = inspect.getmodule(entry.function)
    assert module is not None
    scope = counted(inspect.getsource(module), count, stores=True)
    scope[entry.function.__name__].function(*map(fresh, entry.arguments[0]))
    return count


def gradient(entry: Entry) -> Count:
    """What its generated gradient copies and makes."""
    count = Count()

    def loaded(emitted: Emitted) -> Callable[..., Any]:
        function: Callable[..., Any] = counted(emitted.source, count, False)[emitted.name]
        return function

    args = entry.arguments[0]
    argnums = entry.argnums or float_arguments(args)
    value = entry.function(*map(fresh, args))
    with mock.patch("retrograd.backend.execute.loaded", loaded):
        if is_number(value):
            rg.grad(entry.function, argnums=argnums, jit=False)(*map(fresh, args))
        else:
            result, pullback = rg.vjp(entry.function, *map(fresh, args), argnums=argnums,
                                      jit=False)
            pullback(_seed(result))
    return count


def _seed(result: Any) -> Any:
    if isinstance(result, (tuple, list)):
        return type(result)(_seed(r) for r in result)
    return np.ones_like(result) if isinstance(result, np.ndarray) else type(result)(1)



@pytest.mark.parametrize("name", sampled(ENTRIES, [
    n for n, e in ENTRIES.items() if e.writes and not e.refused]))
def test_a_gradient_copies_no_more_than_the_program_writes(name: str) -> None:
    entry = ENTRIES[name]
    with np.errstate(all="ignore"):
        program, found = written(entry), gradient(entry)
    arguments = sum(np.asarray(a).nbytes for a in entry.arguments[0])
    once = program.copied + program.made + 4 * arguments      # before, between and after loops
    assert found.copied <= 2 * program.stored + once, (found, program)
