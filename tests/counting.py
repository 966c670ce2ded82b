"""Every array that a program makes, copies, works with and stores, counted place by place.

The source of a program (or of its generated gradient) is changed so that each expression reports
the arrays that it makes: makers, copies, results of NumPy expressions. A view makes none. Of a
program that a user wrote the operands of its operations and what it stores are counted too: an
adjoint may make arrays as large as those.
"""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any
from unittest import mock

import numpy as np

import retrograd as rg
from corpus.entry import Entry
from oracle import float_arguments, is_number
from retrograd.program import Emitted
from truth import fresh

_VIEWS = frozenset({"reshape", "ravel", "transpose", "squeeze", "swapaxes"})


@dataclass
class Tally:
    """How many arrays, and how many bytes, at each place of a program."""

    number: Counter[int] = field(default_factory=Counter)
    size: Counter[int] = field(default_factory=Counter)

    def add(self, place: int, size: int) -> None:
        self.number[place] += 1
        self.size[place] += size

    @property
    def total(self) -> int:
        return sum(self.size.values())

    def again(self) -> tuple[float, float]:
        """Arrays and bytes beyond the first time that each place ran: those of loops."""
        return (sum(n - 1 for n in self.number.values()),
                sum(self.size[p] * (n - 1) / n for p, n in self.number.items()))


@dataclass
class Count:
    made: Tally = field(default_factory=Tally)
    copied: Tally = field(default_factory=Tally)
    used: Tally = field(default_factory=Tally)         # operands of operations
    stored: Tally = field(default_factory=Tally)
    taped: Tally = field(default_factory=Tally)
    places: int = 0
    rows: int = 0                                      # arrays among what is stored on tapes
    _known: dict[int, np.ndarray] = field(default_factory=dict)

    def know(self, value: Any) -> None:
        """Arrays that were there before."""
        for array in _arrays(value):
            owner = _owner(array)
            self._known[id(owner)] = owner

    # --- what the changed source calls -------------------------------------------------------

    def make(self, place: int, value: Any) -> Any:
        for array in _arrays(value):
            owner = _owner(array)
            if id(owner) not in self._known:
                self.know(owner)
                self.made.add(place, owner.nbytes)
        return value

    def copy(self, place: int, value: Any) -> Any:
        for array in _arrays(value):
            self.copied.add(place, array.nbytes)
        return self.make(place, value)

    def use(self, place: int, value: Any) -> Any:
        for array in _arrays(value):
            self.used.add(place, array.nbytes)
        return value

    def store(self, place: int, part: Any) -> Any:
        for one in part if isinstance(part, (tuple, list)) else (part,):
            self.stored.add(place, np.asarray(one).nbytes)
        return part

    def tape(self, place: int, part: Any) -> Any:
        self.taped.add(place, np.asarray(part).nbytes)
        self.rows += isinstance(part, np.ndarray)
        return part


def _arrays(value: Any) -> list[np.ndarray]:
    parts = value if isinstance(value, (tuple, list)) else (value,)
    return [p for p in parts if isinstance(p, np.ndarray)]


def _owner(array: np.ndarray) -> np.ndarray:
    """The array in whose memory this one is."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


class _Counted(ast.NodeTransformer):
    """`users`: of a program that a user wrote, operands and stores are reported too."""

    def __init__(self, count: Count, users: bool) -> None:
        self.count = count
        self.users = users

    def call(self, name: str, value: ast.expr) -> ast.expr:
        self.count.places += 1
        return ast.Call(ast.Attribute(ast.Name("count_", ast.Load()), name, ast.Load()),
                        [ast.Constant(self.count.places), value], [])

    def used(self, value: ast.expr) -> ast.expr:
        return self.call("use", value) if self.users and not isinstance(value, ast.Starred) \
            else value

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        node.left, node.right = self.used(node.left), self.used(node.right)
        return self.call("make", node)

    def made(self, node: Any) -> Any:
        self.generic_visit(node)
        return self.call("make", node)

    visit_UnaryOp = visit_Compare = made

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        return self.call("make", node) if isinstance(node.ctx, ast.Load) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if isinstance(node.func, ast.Attribute) and name not in _VIEWS:
            node.func.value = self.used(node.func.value)
            node.args = [self.used(a) for a in node.args]
            if name == "append" and self.users and len(node.args) == 1:    # np.append has two
                node.args = [self.call("store", node.args[0])]
        return self.call("copy" if name == "copy" and not node.args else "make", node)

    def visit_Assign(self, node: ast.Assign) -> Any:
        parts = [p for target in node.targets for p in _parts(target)]
        report = [self.report(p) for p in parts if self.users or _is_tape(p)]
        self.generic_visit(node)
        return [node, *report]

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        if not self.users:
            self.generic_visit(node)
            return node
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        report = [self.report(node.target), ast.Expr(self.used(target))]
        self.generic_visit(node)
        node.value = self.used(node.value)
        return [node, *report]

    def report(self, target: ast.expr) -> ast.stmt:
        part = ast.parse(ast.unparse(target), mode="eval").body
        return ast.Expr(self.call("store" if self.users else "tape", part))


def _parts(target: ast.expr) -> list[ast.expr]:
    if isinstance(target, (ast.Tuple, ast.List)):
        return [p for e in target.elts for p in _parts(e)]
    return [target] if isinstance(target, ast.Subscript) else []


def _is_tape(target: ast.expr) -> bool:
    return "_saved" in ast.unparse(target).partition("[")[0]


def counted(source: str, count: Count, users: bool) -> dict[str, Any]:
    """What the source defines, with everything reported to `count`."""
    tree = ast.fix_missing_locations(_Counted(count, users).visit(ast.parse(source)))
    scope: dict[str, Any] = {"count_": count, "__name__": "counted"}
    exec(compile(tree, "<counted>", "exec"), scope)
    return scope


def of_program(entry: Entry) -> Count:
    """What the program itself makes, works with and stores."""
    module = inspect.getmodule(entry.function)
    assert module is not None
    scope = counted(inspect.getsource(module), Count(), users=True)
    scope["count_"] = count = Count()                   # without what the module makes
    args = [fresh(a) for a in entry.arguments[0]]
    count.know(args)
    scope[entry.function.__name__].function(*args)
    return count


def of_gradient(entry: Entry) -> Count:
    """What its generated gradient makes, copies and keeps."""
    count = Count()

    def loaded(emitted: Emitted) -> Callable[..., Any]:
        loaded: Callable[..., Any] = counted(emitted.source, count, False)[emitted.name]
        return loaded

    function = _anew(entry.function)
    args = [fresh(a) for a in entry.arguments[0]]
    argnums = entry.argnums or float_arguments(args)
    value = function(*map(fresh, args))
    count.know(args)
    with mock.patch("retrograd.backend.execute.loaded", loaded):
        if is_number(value):
            rg.grad(function, argnums=argnums, jit=False)(*args)
        else:
            result, pullback = rg.vjp(function, *args, argnums=argnums, jit=False)
            seed = _seed(result)
            count.know(seed)
            pullback(seed)
    assert count.places, "the gradient that ran was not the one that is counted"
    return count


def _anew(function: Any) -> FunctionType:
    """The same function as another object, for which nothing has been derived yet."""
    new = FunctionType(function.__code__, function.__globals__, function.__name__,
                       function.__defaults__, function.__closure__)
    new.__kwdefaults__ = function.__kwdefaults__
    return new


def _seed(result: Any) -> Any:
    if isinstance(result, (tuple, list)):
        return type(result)(_seed(r) for r in result)
    return np.ones_like(result) if isinstance(result, np.ndarray) else type(result)(1)
