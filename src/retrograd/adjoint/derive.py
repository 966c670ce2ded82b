"""From a traced function to the function that computes its derivative.

    grad             returns the adjoints of the differentiated parameters
    value_and_grad   returns the value as well
    vjp              two functions: forward returns the value and the residuals, backward takes
                     the residuals and the output's adjoints
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrograd.adjoint.activity import activity
from retrograd.adjoint.arithmetic import zeros
from retrograd.adjoint.residuals.demand import Residuals
from retrograd.adjoint.residuals.tapes import Tapes, with_tapes
from retrograd.adjoint.residuals.versions import versions
from retrograd.adjoint.reverse import Reverse
from retrograd.adjoint.scopes import places
from retrograd.adjoint.strong import overwritten_values, strong_values
from retrograd.adjoint.sweep import Sweep
from retrograd.ir.build import Builder, Facts
from retrograd.ir.nodes import Atom, Block, Constant, Function, Value, number
from retrograd.ir.types import Array, Scalar


@dataclass(frozen=True, slots=True)
class Adjoint:
    """The two sweeps of an adjoint program, not yet optimised.

    `forward` is the primal with its tapes, `reverse` computes `gradients`; together they are
    one function's body.
    """

    forward: Block
    reverse: Block
    gradients: tuple[Atom, ...]
    facts: Facts


def derive(function: Function, inputs: Sequence[Value], outputs: Sequence[Atom],
           seeds: Sequence[Atom], facts: Facts) -> Adjoint:
    """The adjoint of `outputs`, weighted with `seeds`, with respect to `inputs`."""
    where = places(function)
    active = activity(function, inputs, outputs)
    tapes = Tapes(where, facts)
    residuals = Residuals(where, tapes, versions(function, where, facts))
    builder = Builder(facts, checks=False)
    sweep = Sweep(where.top, builder)
    walk = Reverse(residuals, active, strong_values(function, active, where),
                   overwritten_values(function, active, where))
    for output, seed in zip(outputs, seeds, strict=True):
        walk.accumulate(output, seed, sweep)
    walk.block(function.body, sweep)
    gradients = []
    for value in inputs:
        found = sweep.state.get(value)
        gradients.append(zeros(builder, value) if found is None else found)
    return Adjoint(with_tapes(function, tapes), sweep.block, tuple(gradients), facts)


def unit_seed(output: Atom) -> Constant:
    """The adjoint of a scalar output with respect to itself."""
    return number(1, Scalar(output.type.dtype))


def seed_parameter(output: Atom, facts: Facts, name: str) -> Value:
    """A parameter for the adjoint of an output, of the output's type."""
    type = output.type
    value = Value(name, Array(type.dtype, type.dims) if isinstance(type, Array)
                  else Scalar(type.dtype, type.weak))
    if isinstance(type, Array):
        facts.extents[value] = facts.of(output)
    return value


