"""The adjoint program of a function as IR, its tapes, and its gradients by the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import truth
from frontend.tracing import float_positions, load, traced
from retrograd.adjoint.derive import derive, unit_seed
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Atom, Function, Let, Loop, Value, While, walk
from retrograd.ir.verify import verify
from retrograd.pipeline import optimised


def program(body: str, arguments: str) -> Callable[..., Any]:
    """`f(arguments)` with this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return load(f"def f({arguments}):\n{lines}", file=f"<{body}>")


def adjoint(function: Callable[..., Any], *args: Any, wrt: Sequence[int] | None = None,
            ) -> Function:
    """The optimised gradient of a function of these arguments, as one function."""
    found = traced(function, *args)
    wrt = float_positions(args) if wrt is None else wrt
    inputs = [found.parameters[k][0] for k in wrt]
    output: Atom = found.function.returns[0]
    sweeps = derive(found.function, inputs, [output], [unit_seed(output)], found.facts)
    whole = Function("gradient", found.function.params,
                     (*sweeps.forward, *sweeps.reverse), sweeps.gradients)
    verify(whole)
    return verify(optimised(whole))


def gradients(function: Callable[..., Any], *args: Any) -> tuple[Any, ...]:
    """The gradients by the interpreter, for every float argument."""
    return interpret(adjoint(function, *args), args)


def right(function: Callable[..., Any], *args: Any) -> None:
    """The interpreted gradients agree with numerical ones."""
    true = truth.gradients(function, args, float_positions(args))
    for found, expected in zip(gradients(function, *args), true.gradients, strict=True):
        assert truth.close(np.asarray(found, float), expected, max(true.rtol, 1e-9)), (
            f"{found} instead of {expected}")


def tapes(function: Function) -> dict[str, int]:
    """The tapes of a function by name, with their number of axes."""
    return {s.result.name: s.result.type.rank for s in walk(function.body)
            if isinstance(s, Let) and s.op == "empty"}


def sweeps(function: Function) -> list[Loop | While]:
    """The outermost loops, in order."""
    return [s for s in function.body if isinstance(s, (Loop, While))]


def names(values: Sequence[Value] | frozenset[Value]) -> set[str]:
    return {v.name for v in values}
