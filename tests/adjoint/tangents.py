"""The tangent program of a function as IR, and what it gives by the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import truth
from frontend.tracing import leaves, request_for, settled
from retrograd.adjoint.derive import derive, seed_parameter
from retrograd.adjoint.forward import forward
from retrograd.frontend.trace import Traced, trace
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function, Value
from retrograd.ir.types import is_complex, is_float
from retrograd.ir.verify import verify
from retrograd.pipeline import optimised
from retrograd.program import Request


@dataclass(frozen=True)
class Traces:
    """A function traced for some arguments, and the arguments as its IR takes them."""

    request: Request
    traced: Traced
    args: list[Any]

    @property
    def inputs(self) -> list[Value]:
        """The float parameters that the user gives."""
        return [v for values in self.traced.parameters for v in values if is_float(v.type)]

    @property
    def outputs(self) -> list[Any]:
        return [r for r in self.traced.function.returns if is_float(r.type)]


def traces(function: Callable[..., Any], args: Sequence[Any]) -> Traces:
    request, found = settled(request_for(function, args), args, trace)
    return Traces(request, found, leaves(request, args, found.captures))


def tangent_program(found: Traces, inputs: Sequence[Value] | None = None) -> Function:
    """The function of the parameters and the tangents of the float ones that returns the results
    and the tangents of those that are floats."""
    facts = found.traced.facts
    inputs = found.inputs if inputs is None else inputs
    dots = [seed_parameter(v, facts, f"{v.name}_dot") for v in inputs]
    body = forward(found.traced.function, dict(zip(inputs, dots, strict=True)), facts)
    primal = found.traced.function
    whole = Function("tangent", (*primal.params, *dots), body.block,
                     (*primal.returns, *body.tangents))
    return verify(whole)


def adjoint_program(found: Traces) -> Function:
    """The function of the parameters and the adjoints of the results that returns the adjoints
    of the float parameters."""
    facts, primal = found.traced.facts, found.traced.function
    seeds = [seed_parameter(o, facts, "out_bar") for o in found.outputs]
    sweeps = derive(primal, found.inputs, found.outputs, seeds, facts)
    return verify(Function("adjoint", (*primal.params, *seeds),
                           (*sweeps.forward, *sweeps.reverse), sweeps.gradients))


def jvp(function: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    """The tangents of the float results, in order."""
    found = traces(function, args)
    whole = optimised(tangent_program(found))
    results = interpret(whole, [*found.args, *tangents])
    return list(results[len(found.traced.function.returns):])


def directions(values: Sequence[Value], like: Sequence[Any], seed: int) -> list[Any]:
    """Random tangents (or adjoints) of the shapes and dtypes of some numbers."""
    rng = np.random.default_rng(seed)
    found = []
    for value, given in zip(values, like, strict=True):
        part = rng.standard_normal(np.shape(given))
        if is_complex(value.type):
            part = part + 1j * rng.standard_normal(np.shape(given))
        found.append(np.asarray(part).astype(value.type.dtype)[()])
    return found


def paired(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The pairing of tangents and adjoints, real for complex numbers too."""
    return float(sum(np.sum(np.asarray(x, complex) * y).real for x, y in zip(a, b, strict=True)))


def agrees_with_reverse(function: Callable[..., Any], args: Sequence[Any], rtol: float = 1e-9,
                        ) -> None:
    """<out_bar, jvp(x_dot)> is <vjp(out_bar), x_dot>, before and after optimisation."""
    found = traces(function, [truth.fresh(a) for a in args])
    inputs = [found.args[found.traced.function.params.index(v)] for v in found.inputs]
    dots = directions(found.inputs, inputs, 1)
    count = len(found.traced.function.returns)
    program = tangent_program(found)
    with np.errstate(all="ignore"):
        values = interpret(program, [*found.args, *dots])
        again = interpret(verify(optimised(program)), [*found.args, *dots])
        primal = interpret(found.traced.function, found.args)
        results = [v for v, r in zip(primal, found.traced.function.returns, strict=True)
                   if is_float(r.type)]
        bars = directions(found.outputs, results, 2)
        gradients = interpret(adjoint_program(found), [*found.args, *bars])
    for a, b in zip(primal, values[:count], strict=True):
        np.testing.assert_array_equal(a, b)
    for tangent, result, output in zip(values[count:], results, found.outputs, strict=True):
        assert np.shape(tangent) == np.shape(result), (np.shape(tangent), np.shape(result))
        assert np.asarray(tangent).dtype == output.type.dtype
    for some in (values[count:], again[count:]):
        one, other = paired(some, bars), paired(gradients, dots)
        scale = sum(float(np.sum(np.abs(np.asarray(x) * y))) for x, y in
                    zip(gradients, dots, strict=True)) + abs(one)
        assert np.isclose(one, other, rtol=0, atol=rtol * max(scale, 1.0), equal_nan=True), (
            f"forward {one}, reverse {other}")
