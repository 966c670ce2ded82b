"""From a traced function to the function that computes its derivative.

    grad             returns the adjoints of the differentiated parameters
    value_and_grad   returns the value as well
    vjp              two functions: forward returns the value and the residuals, backward takes
                     the residuals and the output's adjoints
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrograd.adjoint.activity import activity
from retrograd.adjoint.arithmetic import zeros
from retrograd.adjoint.residuals.answers import Answer
from retrograd.adjoint.residuals.demand import Residuals
from retrograd.adjoint.residuals.filling import with_tapes
from retrograd.adjoint.residuals.restoring import Chain, chains, total, worth_restoring
from retrograd.adjoint.residuals.tapes import Tapes
from retrograd.adjoint.residuals.versions import versions
from retrograd.adjoint.reverse import Reverse
from retrograd.adjoint.scopes import places
from retrograd.adjoint.strong import overwritten_values, strong_values
from retrograd.adjoint.sweep import Sweep
from retrograd.adjoint.visible import settle
from retrograd.ir.build import Builder
from retrograd.ir.facts import Facts
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
    residuals: Residuals


def derive(function: Function, inputs: Sequence[Value], outputs: Sequence[Atom],
           seeds: Sequence[Atom], facts: Facts, wanted: Mapping[str, Answer] | None = None,
           ) -> Adjoint:
    """The adjoint of `outputs`, weighted with `seeds`, with respect to `inputs`.

    It is planned without restoring arrays first; where that would keep more of an array than its
    writes overwrite, it is planned again with their writes undone. `wanted` are the user's own
    answers, by variable.
    """
    plan = _Plan(function, tuple(inputs), tuple(outputs), tuple(seeds), facts,
                 {} if wanted is None else wanted)
    adjoint, tapes = plan.carried_out(())
    written = tuple(c for c in chains(versions(function, tapes.places, facts), tapes.places)
                    if worth_restoring(c, tapes) and not plan.keeps(c)) if tapes.tapes else ()
    if written:
        again, fewer = plan.carried_out(written)
        if total(fewer) < total(tapes):
            adjoint = again
    settle(adjoint.reverse, function, facts)
    return adjoint


@dataclass(frozen=True, slots=True)
class _Plan:
    function: Function
    inputs: tuple[Value, ...]
    outputs: tuple[Atom, ...]
    seeds: tuple[Atom, ...]
    facts: Facts
    wanted: Mapping[str, Answer]

    def keeps(self, chain: Chain) -> bool:
        """Whether the user wants the versions of an array to be stored."""
        return any(self.wanted.get(v.name) is Answer.STORE for v in chain.versions)

    def carried_out(self, written: tuple[Chain, ...]) -> tuple[Adjoint, Tapes]:
        """The adjoint with the writes to these arrays undone, and its tapes."""
        where = places(self.function)
        active = activity(self.function, self.inputs, self.outputs)
        tapes = Tapes(where, self.facts)
        for chain in written:
            for let, old in chain.old.items():
                tapes.old[let] = old
                where.scope[old] = where.scope[let.result]
                where.position[old] = where.position[let.result]
        residuals = Residuals(where, tapes, versions(self.function, where, self.facts),
                              self.wanted, written)
        builder = Builder(self.facts, checks=False)
        sweep = Sweep(where.top, builder)
        walk = Reverse(residuals, active, strong_values(self.function, active, where),
                       overwritten_values(self.function, active, where))
        for output, seed in zip(self.outputs, self.seeds, strict=True):
            walk.accumulate(output, seed, sweep)
        walk.block(self.function.body, sweep)
        gradients = []
        for value in self.inputs:
            found = sweep.state.get(value)
            gradients.append(zeros(builder, value) if found is None else found)
            if isinstance(found, Value) and value.type.rank:
                self.facts.extents[found] = self.facts.of(value)    # whatever it was made from
        forward = with_tapes(self.function, tapes)
        return Adjoint(forward, sweep.block, tuple(gradients), self.facts,
                       residuals), tapes


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


