"""Second derivatives of a program as IR, in the four ways that two modes can be composed.

`<w, H v>` is one number, whichever way it is computed: reverse over reverse, forward over reverse,
forward over forward and reverse over forward; and the central difference of the first derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import truth
from adjoint.tangents import directions, paired, traces
from retrograd.adjoint.derive import derive, seed_parameter
from retrograd.adjoint.forward import forward
from retrograd.ir.facts import Facts
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Atom, Function, Value
from retrograd.ir.types import is_float
from retrograd.ir.verify import verify
from retrograd.pipeline import optimised

WAYS = ("reverse over reverse", "forward over reverse", "forward over forward",
        "reverse over forward")


@dataclass(frozen=True)
class Program:
    """A function, its differentiated parameters, and the numbers to run it with; `seeds` are the
    adjoints of its float results, `v` and `w` directions of the parameters."""

    function: Function
    facts: Facts
    inputs: tuple[Value, ...]
    args: tuple[Any, ...]
    seeds: list[Any]
    v: list[Any]
    w: list[Any]

    def moved(self, step: float) -> list[Any]:
        """The arguments a step in the direction v away."""
        args = list(self.args)
        for value, v in zip(self.inputs, self.v, strict=True):
            place = self.function.params.index(value)
            args[place] = np.asarray(args[place] + step * v)[()]
        return args


def program(function: Function, facts: Facts, inputs: Sequence[Value], args: Sequence[Any],
            ) -> Program:
    """The program with random seeds and directions."""
    found = zip(interpret(function, args), function.returns, strict=True)
    results = [r for r, a in found if is_float(a.type)]
    at = [args[function.params.index(v)] for v in inputs]
    return Program(function, facts, tuple(inputs), tuple(args),
                   directions(outputs(function), results, 7), directions(inputs, at, 1),
                   directions(inputs, at, 2))


def outputs(function: Function) -> list[Atom]:
    return [r for r in function.returns if is_float(r.type)]


def program_of(function: Callable[..., Any], *args: Any) -> Program:
    """A Python function with respect to all its float arguments."""
    found = traces(function, [truth.fresh(a) for a in args])
    return program(found.traced.function, found.traced.facts, found.inputs, found.args)


def adjoint(function: Function, inputs: Sequence[Value], facts: Facts,
            ) -> tuple[Function, list[Value]]:
    """The function of the parameters and the adjoints of the float results that returns those of
    the inputs; and the parameters for these adjoints."""
    ends = outputs(function)
    bars = [seed_parameter(o, facts, f"out_bar_{k}") for k, o in enumerate(ends)]
    sweeps = derive(function, inputs, ends, bars, facts)
    return verify(Function("adjoint", (*function.params, *bars),
                           (*sweeps.forward, *sweeps.reverse), sweeps.gradients)), bars


def tangent(function: Function, inputs: Sequence[Value], facts: Facts,
            ) -> tuple[Function, list[Value]]:
    """The function of the parameters and tangents of the inputs that returns the tangents of the
    float results; and the parameters for these tangents."""
    dots = [seed_parameter(v, facts, f"{v.name}_dot") for v in inputs]
    found = forward(function, dict(zip(inputs, dots, strict=True)), facts)
    return verify(Function("tangent", (*function.params, *dots), found.block,
                           found.tangents)), dots


def second(program: Program) -> dict[str, float]:
    """`<w, H v>` in the four ways, where H is the second derivative of `<seeds, function>`."""
    inputs, facts = program.inputs, program.facts
    first, bars = adjoint(program.function, inputs, facts)
    pushed, dots = tangent(program.function, inputs, facts)
    known = dict(zip(program.function.params, program.args, strict=True))
    known.update(zip(bars, program.seeds, strict=True))
    known.update(zip(dots, program.w, strict=True))
    double, w_bars = adjoint(first, inputs, facts)
    mixed, v_dots = tangent(first, inputs, facts)
    twice, vs = tangent(pushed, inputs, facts)
    back, seeds = adjoint(pushed, inputs, facts)
    return dict(zip(WAYS, (
        paired(run(double, known, w_bars, program.w), program.v),
        paired(run(mixed, known, v_dots, program.v), program.w),
        paired(run(twice, known, vs, program.v), program.seeds),
        paired(run(back, known, seeds, program.seeds), program.v)), strict=True))


def run(function: Function, known: Mapping[Value, Any], extra: Sequence[Value],
        values: Sequence[Any]) -> tuple[Any, ...]:
    """What a function gives for these parameters, as it is and optimised alike."""
    every = {**known, **dict(zip(extra, values, strict=True))}
    args = [every[p] for p in function.params]
    found = interpret(function, args)
    for one, other in zip(found, interpret(verify(optimised(function)), args), strict=True):
        exact = np.asarray(one).dtype in (np.float64, np.complex128)
        np.testing.assert_allclose(other, one, rtol=1e-9 if exact else 1e-3,
                                   atol=1e-9 if exact else 1e-3)
    return found


def difference(program: Program) -> float:
    """`<w, H v>` by central differences of the gradient."""
    first, bars = adjoint(program.function, program.inputs, program.facts)

    def along(step: float) -> float:
        known = dict(zip(program.function.params, program.moved(step), strict=True))
        return paired(run(first, known, bars, program.seeds), program.w)

    return truth.ridders(along, 1e-2)


def assert_second(program: Program, *, rtol: float = 1e-10, expected: float | None = None,
                  true_rtol: float = 1e-6) -> None:
    """The four ways agree with each other and with the differences (or with what is expected)."""
    with np.errstate(all="ignore"):
        found = second(program)
        true = difference(program) if expected is None else expected
    scale = max(1e-2, abs(true), *map(abs, found.values()))
    for way, number in found.items():
        assert abs(number - found[WAYS[0]]) <= rtol * scale, f"{way}: {found}"
        assert abs(number - true) <= max(true_rtol, rtol) * scale, f"{way}: {number}, true {true}"
