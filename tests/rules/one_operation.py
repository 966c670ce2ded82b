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

    def adjoints(self, bar: Any) -> tuple[Any, ...]:
        facts = self.builder.facts
        output = self.function.returns[0]
        seed = seed_parameter(output, facts, "out_bar")
        sweeps = derive(self.function, self.inputs, [output], [seed], facts)
        whole = Function("adjoint", (*self.params, seed), (*sweeps.forward, *sweeps.reverse),
                         sweeps.gradients)
        return interpret(verify(whole), [*self.given, bar])

    def difference(self, dots: Sequence[Any], step: float = 1e-6) -> Any:
        """The central difference along the directions."""
        ends = []
        for sign in (step, -step):
            moved = list(self.given)
            for k, d in zip(self.places, dots, strict=True):
                moved[k] = moved[k] + sign * d
            ends.append(self.value(moved))
        return (ends[0] - ends[1]) / (2 * step)


def random_like(x: Any, rng: np.random.Generator) -> Any:
    part = rng.standard_normal(np.shape(x))
    if np.asarray(x).dtype.kind == "c":
        part = part + 1j * rng.standard_normal(np.shape(x))
    return np.asarray(part).astype(np.asarray(x).dtype)[()]


def paired(a: Any, b: Any) -> float:
    return float(np.sum(np.asarray(a, complex) * b).real)
