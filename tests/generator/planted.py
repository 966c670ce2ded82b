"""Mistakes that a compiler writer makes, planted one at a time into the running compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from retrograd.adjoint import derive, reverse, templates
from retrograd.adjoint.residuals import demand, filling
from retrograd.adjoint.sweep import Sweep, bar
from retrograd.backend import fold, names
from retrograd.backend.lowering import reductions, scope
from retrograd.ir import build
from retrograd.ir.nodes import Branch, Constant, Join, Let, Loop, Value, integer, number
from retrograd.ir.types import Array, Scalar
from retrograd.optimise import common, dead, simplify, storage_conflicts
from retrograd.rules import RULES

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Bug:
    """`within` is the number of programs in which it must be found; `by` says of which kind."""

    name: str
    plant: Plant
    within: int
    by: str


BUGS: list[Bug] = []


def bug(within: int, by: str = "generated") -> Callable[[Plant], Plant]:
    """Register a planted mistake (about twice as many programs as it takes now)."""
    def register(plant: Plant) -> Plant:
        BUGS.append(Bug(plant.__name__, plant, within, by))
        return plant
    return register


# --- rules -------------------------------------------------------------------------------------


def _with_body(monkeypatch: pytest.MonkeyPatch, op: str, body: Callable[..., Any]) -> None:
    templates._template.cache_clear()
    monkeypatch.setitem(RULES, op, replace(RULES[op], body=body))


@bug(6)
def wrong_sign_in_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    def sin(x: Any, *, out: Any) -> Any:
        return -np.cos(x)

    _with_body(monkeypatch, "sin", sin)


@bug(6)
def partials_in_the_wrong_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def divide(x: Any, y: Any, *, out: Any) -> Any:
        return -out / y, 1 / y

    _with_body(monkeypatch, "divide", divide)


@bug(40)
def a_factor_forgotten_in_a_pullback(monkeypatch: pytest.MonkeyPatch) -> None:
    def matmul(x: Any, y: Any, *, out_bar: Any) -> Any:
        if np.ndim(x) == 2 and np.ndim(y) == 1:
            return np.expand_dims(out_bar, 1) * y, out_bar @ x * 2
        return None, None

    _with_body(monkeypatch, "matmul", replace(RULES["matmul"], body=matmul).body)
    monkeypatch.setitem(RULES, "matmul", replace(RULES["matmul"], keywords=("out_bar",)))


# --- the reverse walk --------------------------------------------------------------------------


@bug(10)
def unbroadcast_forgets_extents_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    real = reverse.unbroadcast

    def unbroadcast(builder: Any, g: Any, value: Value) -> Any:
        return g if g.type.rank == value.type.rank + 1 and value.type.rank == 0 else real(
            builder, g, value)

    monkeypatch.setattr(reverse, "unbroadcast", unbroadcast)


@bug(10)
def branch_adjoint_from_the_wrong_arm(monkeypatch: pytest.MonkeyPatch) -> None:
    def swapped(test: Any, then: Any, otherwise: Any, joins: Any, origin: Any = None) -> Branch:
        return Branch(test, otherwise, then,
                      tuple(Join(j.otherwise, j.then, j.result) for j in joins), origin)

    monkeypatch.setattr(reverse, "Branch", type("Branch", (Branch,), {
        "__new__": staticmethod(lambda cls, *a, **k: swapped(*a, **k))}))


@bug(12)
def zero_init_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def ones(builder: Any, value: Value) -> Any:
        if isinstance(value.type, Scalar):
            return number(1, Scalar(value.type.dtype, value.type.weak))
        return builder.let("ones", *builder.shape_atoms(value), name=bar(value),
                           dtype=value.type.dtype)

    monkeypatch.setattr(reverse, "zeros", ones)


@bug(20)
def reverse_loop_in_the_wrong_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    real = reverse.Reverse.reversed_bounds

    def forward(self: Any, loop: Any, sweep: Sweep, scope_: Any) -> Any:
        first, end, step = real(self, loop, sweep, scope_)
        if not isinstance(loop, Loop) or loop.leave is not None or loop.step != integer(1):
            return first, end, step
        return loop.start, loop.stop, loop.step

    monkeypatch.setattr(reverse.Reverse, "reversed_bounds", forward)


@bug(20)
def tape_index_off_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    real = reverse.iteration_number
    monkeypatch.setattr(reverse, "iteration_number", lambda builder, *atoms: builder.let(
        "subtract", real(builder, *atoms), integer(1)))


@bug(6)
def accumulate_overwrites(monkeypatch: pytest.MonkeyPatch) -> None:
    def accumulate(self: Any, atom: Any, contribution: Any, sweep: Sweep) -> None:
        if isinstance(atom, Value) and atom in self.active and contribution is not None:
            sweep.get(atom, self.residuals.places.scope[atom])
            sweep.state[atom] = contribution

    monkeypatch.setattr(reverse.Reverse, "accumulate", accumulate)


@bug(20)
def what_was_there_before_the_reverse_loop_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    real = reverse.Reverse.threaded

    def threaded(self: Any, inner: Sweep, sweep: Sweep) -> Any:
        return [replace(c, init=reverse.zeros(sweep.builder, c.inner))
                if not isinstance(c.inner.type, Array) and c.inner.type.dtype == "float64" else c
                for c in real(self, inner, sweep)]

    monkeypatch.setattr(reverse.Reverse, "threaded", threaded)


@bug(6)
def seed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from retrograd import pipeline

    monkeypatch.setattr(pipeline, "unit_seed", lambda output: Constant(
        2.0, Scalar(output.type.dtype)))


@bug(40)
def arms_of_where_swapped(monkeypatch: pytest.MonkeyPatch) -> None:
    real = reverse.Reverse.where

    def where(self: Any, let: Let, g: Any, sweep: Sweep) -> None:
        condition, x, y = let.args
        real(self, replace(let, args=(condition, y, x)), g, sweep)

    monkeypatch.setattr(reverse.Reverse, "where", where)


@bug(180, "corpus")
def strong_zeros_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    for found in ("strong_values", "overwritten_values"):
        monkeypatch.setattr(derive, found, lambda *_: frozenset())


@bug(40)
def an_early_exit_is_reversed_from_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    real = reverse.Reverse.reversed_bounds
    monkeypatch.setattr(
        reverse.Reverse, "reversed_bounds", lambda self, loop, sweep, scope_: real(
            self, replace(loop, leave=None) if isinstance(loop, Loop) else loop, sweep, scope_))


# --- residuals -----------------------------------------------------------------------------------


@bug(20)
def the_version_after_the_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    """A carried value is stored as it is at the end of its iteration."""
    real = filling._Writer.loop

    def loop(self: Any, statement: Any, *rest: Any) -> None:
        for c in statement.carried:
            tape = self.tapes.tapes.get(c.inner)
            if tape is not None and isinstance(c.next, Value) and c.next not in self.tapes.tapes \
                    and self.tapes.places.scope.get(c.next) is tape.scope:
                tape.value = c.next
        real(self, statement, *rest)

    monkeypatch.setattr(filling._Writer, "loop", loop)


@bug(40)
def one_trip_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    real = demand.Residuals.trips
    monkeypatch.setattr(demand.Residuals, "trips", lambda self, loop, scope_, sweep:
                        sweep.builder.let("subtract", real(self, loop, scope_, sweep), integer(1)))


# --- passes --------------------------------------------------------------------------------------


@bug(40)
def common_expressions_with_different_statics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "_key", lambda let: (let.op, let.args, str(let.result.type)))


@bug(10)
def dead_code_takes_a_slot_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is read after the loop counts, not what the next iteration reads."""
    real = dead._needed
    monkeypatch.setattr(dead, "_needed", lambda carried, live: tuple(
        c for c in real(carried, live) if c.result in live or c.inner.type.dtype != "float64"))


@bug(70, "corpus")
def one_times_x_of_another_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simplify, "_fits", lambda atom, result: True)


@bug(20, "stores")
def storage_forgets_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_conflicts._Finder, "in_the_way", lambda *_: (False, []))


@bug(300, "stores")
def a_name_folded_across_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold._Folder, "allowed", lambda *_: True)


@bug(6)
def names_coalesced_while_both_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names._Class, "meets", lambda *_: False)


@bug(90)
def a_constant_folded_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    real = build.Builder._fold

    def fold_(self: Any, op: str, args: Any, static: Any, weak: bool) -> Any:
        return real(self, "add" if op == "subtract" else op, args, static, weak)

    monkeypatch.setattr(build.Builder, "_fold", fold_)


# --- lowering ------------------------------------------------------------------------------------


@bug(80, "lowered")
def a_negative_index_counts_from_the_front(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope.Scope, "wrapped", lambda self, index, extent: self.minus(
        index, integer(0)) if not isinstance(index, Constant) else integer(
            abs(int(index.value.real))))


@bug(40, "lowered")
def a_reduction_over_the_wrong_axis(monkeypatch: pytest.MonkeyPatch) -> None:
    real = reductions._Reduction

    def made(op: str, lazy: Any, axes: tuple[int, ...], name: str, dtype: str) -> Any:
        if lazy.rank == 2 and len(axes) == 1:
            axes = (1 - axes[0],)
        return real(op, lazy, axes, name, dtype)

    monkeypatch.setattr(reductions, "_Reduction", made)
