"""A function of one operation, its tangent and its adjoint as programs, by the interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from prelude.traced import type_of
from retrograd.adjoint.derive import derive, seed_parameter
from retrograd.adjoint.forward import forward
from retrograd.ir.build import Builder
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Atom, Constant, Function, Value, integer
from retrograd.ir.types import FLOAT
from retrograd.ir.verify import verify
from retrograd.pipeline import optimised


class OneOperation:
    """`op(*args)`: arrays and NumPy's numbers are parameters, Python's numbers are constants."""

    def __init__(self, op: str, args: Sequence[Any], static: dict[str, Any],
                 moved: Sequence[int] | None = None) -> None:
        self.builder = Builder(checks=False)
        atoms = [self._atom(a) for a in args]
        self.params = [a for a in atoms if isinstance(a, Value)]
        self.given = [a for a in args if isinstance(a, (np.ndarray, np.generic))]
        result = self.builder.let(op, *atoms, **static)
        self.function = verify(Function(op, tuple(self.params), self.builder.block, (result,)))
        places = range(len(args)) if moved is None else moved
        self.inputs = [a for k in places if isinstance(a := atoms[k], Value)
                       and a.type.dtype.startswith(("float", "complex"))]
        self.places = [self.params.index(v) for v in self.inputs]

    def _atom(self, arg: Any) -> Atom:
        if isinstance(arg, (np.ndarray, np.generic)):
            return Value("x", type_of(arg))
        return Constant(arg, FLOAT) if isinstance(arg, float) else integer(arg)

    def value(self, given: Sequence[Any] | None = None) -> Any:
        return interpret(self.function, self.given if given is None else given)[0]

    def directions(self, seed: int) -> list[Any]:
        """A random tangent for each input."""
        rng = np.random.default_rng(seed)
        return [random_like(self.given[k], rng) for k in self.places]

    def tangent(self, dots: Sequence[Any]) -> Any:
        """The tangent of the result; the optimised program gives the same."""
        facts = self.builder.facts
        values = [seed_parameter(v, facts, f"{v.name}_dot") for v in self.inputs]
        body = forward(self.function, dict(zip(self.inputs, values, strict=True)), facts)
        whole = Function("tangent", (*self.params, *values), body.block, body.tangents)
        found, = interpret(verify(whole), [*self.given, *dots])
        again, = interpret(verify(optimised(whole)), [*self.given, *dots])
        np.testing.assert_allclose(again, found, rtol=1e-5 if found.dtype.itemsize == 4 else 1e-12)
        return found

    def adjoint(self) -> Function:
        """The adjoints of the inputs, of the parameters and the result's adjoint."""
        facts = self.builder.facts
        output = self.function.returns[0]
        seed = seed_parameter(output, facts, "out_bar")
        sweeps = derive(self.function, self.inputs, [output], [seed], facts)
        return verify(Function("adjoint", (*self.params, seed),
                               (*sweeps.forward, *sweeps.reverse), sweeps.gradients))

    def adjoints(self, bar: Any) -> tuple[Any, ...]:
        return interpret(self.adjoint(), [*self.given, bar])

    def tangents_of_adjoints(self, bar: Any, dots: Sequence[Any]) -> tuple[Any, ...]:
        """Forward over reverse."""
        facts, adjoint = self.builder.facts, self.adjoint()
        values = [seed_parameter(v, facts, f"{v.name}_dot") for v in self.inputs]
        body = forward(adjoint, dict(zip(self.inputs, values, strict=True)), facts)
        whole = Function("second", (*adjoint.params, *values), body.block, body.tangents)
        return interpret(verify(optimised(whole)), [*self.given, bar, *dots])

    def adjoints_of_adjoints(self, bar: Any, bars: Sequence[Any]) -> tuple[Any, ...]:
        """Reverse over reverse; `bars` weigh the adjoints."""
        facts, adjoint = self.builder.facts, self.adjoint()
        seeds = [seed_parameter(v, facts, f"{v.name}_bar_bar") for v in self.inputs]
        sweeps = derive(adjoint, self.inputs, adjoint.returns, seeds, facts)
        whole = Function("second", (*adjoint.params, *seeds), (*sweeps.forward, *sweeps.reverse),
                         sweeps.gradients)
        return interpret(verify(optimised(whole)), [*self.given, bar, *bars])

    def moved(self, dots: Sequence[Any], step: float) -> list[Any]:
        """The arguments a step along the directions."""
        moved = list(self.given)
        for k, d in zip(self.places, dots, strict=True):
            moved[k] = moved[k] + step * d
        return moved

    def difference(self, dots: Sequence[Any], step: float = 1e-6) -> Any:
        """The central difference along the directions."""
        above, below = (self.value(self.moved(dots, h)) for h in (step, -step))
        return (above - below) / (2 * step)


def random_like(x: Any, rng: np.random.Generator) -> Any:
    part = rng.standard_normal(np.shape(x))
    if np.asarray(x).dtype.kind == "c":
        part = part + 1j * rng.standard_normal(np.shape(x))
    return np.asarray(part).astype(np.asarray(x).dtype)[()]


def paired(a: Any, b: Any) -> float:
    return float(np.sum(np.asarray(a, complex) * b).real)
