"""`jacobian` and `hessian`: all directions in one program.

    forward    for k in range(x.size): column k is the tangent in the direction of x's element k
    reverse    for k in range(y.size): row k is the pullback of the direction of y's element k

What does not depend on the direction is computed once, before the loop (`adjoint/linear.py`).
With mode "auto" the fewer directions are taken; where only the program knows which are fewer, it
decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce

import numpy as np

from retrograd.adjoint.arithmetic import zeros
from retrograd.adjoint.checkpoint_copies import Copy
from retrograd.adjoint.derive import derive, seed_parameter
from retrograd.adjoint.forward import forward
from retrograd.adjoint.linear import check_no_draws, split
from retrograd.frontend import calls, inline
from retrograd.frontend.batches import each
from retrograd.frontend.certain import certain
from retrograd.frontend.isolated import Isolated, isolated, like_argument, typed_as
from retrograd.frontend.structures import thing_from
from retrograd.frontend.things import Derived, Inner, Items, Static, Thing, thing_of
from retrograd.frontend.tracer import Tracer
from retrograd.ir.extents import Extent, Term, nonnegative, product
from retrograd.ir.nodes import Atom, Block, Function, Value, integer
from retrograd.ir.rewrite import replaced, standing
from retrograd.ir.types import Scalar, is_complex, is_float
from retrograd.prelude import derivatives

Keywords = Mapping[str, Thing]
Parts = list[list[Thing]]                # for each output, for each input: a part of the Jacobian


def jacobian(tracer: Tracer, derived: Derived, args: tuple[Thing, ...], keywords: Keywords,
             ) -> Thing:
    """The derivative of every result with respect to every differentiated argument; each has the
    shape of the result and then that of the argument."""
    traced = isolated(tracer, derived.function, args, keywords, derived.positions,
                      derived.returns)
    for place in derived.positions:
        if not traced.inputs.get(place):
            raise certain(TypeError)("a differentiated argument is not a float")
    _check_complex(derived, traced)
    parts = _in_mode(tracer, traced, derived.settings[0])
    return _assembled(tracer, derived, traced, parts)


def hessian(tracer: Tracer, derived: Derived, args: tuple[Thing, ...], keywords: Keywords,
            ) -> Thing:
    """The Jacobian of the gradient, in forward mode."""
    gradient = replace(derived, kind="grad", has_aux=False)
    outer = replace(derived, kind="jacobian", function=gradient, settings=("forward",), returns=(),
                    has_aux=False)
    return jacobian(tracer, outer, args, keywords)


def _check_complex(derived: Derived, traced: Isolated) -> None:
    outputs = _outputs(traced)
    if derived.holomorphic:
        check_holomorphic(traced.leaves, outputs)
    elif any(is_complex(a.type) for a in (*traced.leaves, *outputs)):
        raise certain(TypeError)("a Jacobian of complex numbers needs holomorphic=True")


def check_holomorphic(leaves: Sequence[Value], outputs: Sequence[Atom]) -> None:
    """Only of complex functions of complex arguments there is one complex derivative."""
    for leaf in leaves:
        if not is_complex(leaf.type):
            raise certain(TypeError)(f"argument {leaf.name} is {leaf.type.dtype}, and "
                                     "holomorphic=True needs complex arguments")
    for output in outputs:
        if not is_complex(output.type):
            raise certain(TypeError)(f"the function returns {output.type.dtype}, and "
                                     "holomorphic=True needs a complex value")


def _outputs(traced: Isolated) -> list[Atom]:
    return [a for a in traced.atoms if is_float(a.type)]


def _in_mode(tracer: Tracer, traced: Isolated, mode: str) -> Parts:
    function = traced.function
    if mode == "auto":
        facts = tracer.builder.facts
        columns, rows = (reduce(Extent.__add__, [_size(tracer, a) for a in atoms], Extent(0))
                         for atoms in (traced.leaves, _outputs(traced)))
        if nonnegative(facts.least(rows - columns)):
            mode = "forward"
        elif nonnegative(facts.least(columns - rows)):
            mode = "reverse"
        else:
            return _decided(tracer, traced, function, columns, rows)
    if mode == "forward":
        traced.spliced(tracer, function.body)
        return _forward(traced, function, tracer)
    reverse = _Reverse(tracer, traced, function)
    traced.spliced(tracer, reverse.adjoint.forward)
    return reverse.parts(tracer)


def _size(tracer: Tracer, atom: Atom) -> Extent:
    return reduce(product, tracer.builder.facts.of(atom), Extent(1))


def _decided(tracer: Tracer, traced: Isolated, function: Function, columns: Extent, rows: Extent,
             ) -> Parts:
    """Both, of which the program runs one."""
    builder = tracer.builder
    traced.spliced(tracer, function.body)
    test = builder.let("less_equal", builder.atom_of(columns), builder.atom_of(rows))

    def backwards(inner: Tracer) -> Parts:
        reverse = _Reverse(inner, traced, function)
        reverse.again(inner, function)
        return reverse.parts(inner)

    def run(mode: Callable[[Tracer], Parts], inner: Tracer, _: tuple[Thing, ...],
            __: Keywords) -> Thing:
        return Items("tuple", tuple(Items("tuple", tuple(p)) for p in mode(inner)))

    both = inline.function(tracer, derivatives.either, (
        thing_of(test), Inner(partial(run, partial(_forward, traced, function))),
        Inner(partial(run, backwards))), {}, user=False)
    assert isinstance(both, Items)
    return [list(p.items) for p in both.items if isinstance(p, Items)]


# --- forward -------------------------------------------------------------------------------------


def _forward(traced: Isolated, function: Function, tracer: Tracer) -> Parts:
    """One column an element of the arguments."""
    outputs = _outputs(traced)
    columns: Parts = []
    for leaf in traced.leaves:
        seed = seed_parameter(leaf, tracer.builder.facts, f"{leaf.name}_dot")
        found = forward(function, {leaf: seed}, tracer.builder.facts)
        outside, inside = split(function, found, seed, tracer.builder.facts)
        traced.spliced(tracer, outside)
        one = partial(_column, traced, leaf, seed, inside, found.tangents)
        columns.append([_moved(tracer, part, leaf, output) for part, output in zip(
            _all(tracer, one, leaf), outputs, strict=True)])
    return [list(parts) for parts in zip(*columns, strict=True)]


def _column(traced: Isolated, leaf: Value, seed: Value, inside: Block, tangents: tuple[Atom, ...],
            tracer: Tracer, given: tuple[Thing, ...], _: Keywords) -> Thing:
    """The tangents of all outputs in one direction."""
    toward = _direction(tracer, traced.outside(leaf), given[0])
    return Items("tuple", tuple(thing_of(t) for t in copied(
        tracer, traced, inside, {seed: toward}, tangents)))


def _direction(tracer: Tracer, of: Atom, number: Thing) -> Atom:
    """The unit vector for an element, in the type and shape of the whole."""
    found = tracer.atom(inline.function(
        tracer, derivatives.direction, (thing_of(of), number), {}, user=False))
    assert found is not None
    return tracer.builder.cast(found, of.type.dtype)


def copied(tracer: Tracer, traced: Isolated, block: Block, stand: Mapping[Value, Atom],
           results: tuple[Atom, ...], terms: Mapping[Term, Extent] | None = None) -> list[Atom]:
    """A block once more, with other atoms for some of the values that it reads; its results. In
    what is known of its values, `terms` stand for others."""
    copy = Copy(tracer.builder.facts, terms=dict(terms or {}))
    for statement in replaced(replaced(copy.block(block), stand), traced.own):
        tracer.builder.append(statement)
    return [traced.outside(standing(copy.atom(r), stand)) for r in results]


def _all(tracer: Tracer, one: Callable[..., Thing], along: Atom) -> tuple[Thing, ...]:
    """What all directions of an array give, stacked; for a number there is one."""
    if not along.type.rank:
        found = one(tracer, (integer(0),), {})
    else:
        found = each(tracer, one, tracer.builder.atom_of(_size(tracer, along)))
    assert isinstance(found, Items)
    return found.items


def _moved(tracer: Tracer, stack: Thing, leaf: Value, output: Atom) -> Thing:
    """Columns that are stacked along the first axis, in the shape of the Jacobian."""
    stack = _in_dtype(tracer, stack, leaf, output)
    if not leaf.type.rank:
        return stack
    if output.type.rank:
        call = partial(calls.call, tracer)
        last = call(Static(np.moveaxis), (stack, integer(0), integer(-1)), {})
        stack = call(Static(np.copy), (last,), {})
    return _shaped(tracer, stack, leaf, output)


# --- reverse -------------------------------------------------------------------------------------


class _Reverse:
    """Both sweeps for adjoints of all results; those of all but one will be zero at a time."""

    def __init__(self, tracer: Tracer, traced: Isolated, function: Function) -> None:
        facts = tracer.builder.facts
        self.traced = traced
        self.outputs = _outputs(traced)
        self.seeds = [seed_parameter(o, facts, "out_bar") for o in self.outputs]
        self.adjoint = derive(function, traced.leaves, self.outputs, self.seeds, facts)
        self.stand: Mapping[Value, Value] = {}
        self.terms: Mapping[Term, Extent] = {}

    def again(self, tracer: Tracer, function: Function) -> None:
        """Append what the forward sweep does beyond the primal, which has been run before."""
        primal = set(function.body)
        changed = tuple(s for s in self.adjoint.forward if s not in primal)
        check_no_draws(changed)
        copy = Copy(tracer.builder.facts)
        self.traced.spliced(tracer, copy.block(changed))
        self.stand, self.terms = copy.stand, copy.terms

    def parts(self, tracer: Tracer) -> Parts:
        """One row an element of the results."""
        return [[self.part(tracer, stack, leaf, output) for stack, leaf in zip(
            _all(tracer, partial(self.row, k), output), self.traced.leaves, strict=True)]
                for k, output in enumerate(self.outputs)]

    def part(self, tracer: Tracer, stack: Thing, leaf: Value, output: Atom) -> Thing:
        """Rows that are stacked along the first axis, in the shape of the Jacobian."""
        stack = _in_dtype(tracer, stack, leaf, output)
        return _shaped(tracer, stack, leaf, output) if output.type.rank else stack

    def row(self, number: int, tracer: Tracer, given: tuple[Thing, ...], _: Keywords) -> Thing:
        """The adjoints of all arguments for one element of a result."""
        builder = tracer.builder
        bars: dict[Value, Atom] = {
            seed: _direction(tracer, self.traced.outside(o), given[0]) if k == number
            else zeros(builder, o) for k, (seed, o) in enumerate(zip(
                self.seeds, self.outputs, strict=True))}
        block = replaced(self.adjoint.reverse, self.stand)
        results = tuple(standing(g, self.stand) for g in self.adjoint.gradients)
        return Items("tuple", tuple(thing_of(g) for g in copied(
            tracer, self.traced, block, bars, results, self.terms)))


# --- the result ----------------------------------------------------------------------------------


def _in_dtype(tracer: Tracer, stack: Thing, leaf: Value, output: Atom) -> Thing:
    """In both modes a part has the dtype of its argument; with respect to a Python number, which
    takes the precision of what it meets, that of the result."""
    atom = tracer.atom(stack)
    assert atom is not None
    weak = isinstance(leaf.type, Scalar) and leaf.type.weak
    dtype = output.type.dtype if weak else leaf.type.dtype
    return stack if atom.type.dtype == dtype else thing_of(tracer.builder.cast(atom, dtype))


def _shaped(tracer: Tracer, stack: Thing, leaf: Value, output: Atom) -> Thing:
    builder = tracer.builder
    atom = tracer.atom(stack)
    assert atom is not None
    return thing_of(builder.let("reshape", atom, *builder.shape_atoms(output),
                                *builder.shape_atoms(leaf)))


def _assembled(tracer: Tracer, derived: Derived, traced: Isolated, parts: Parts) -> Thing:
    """The parts in the structure of the result, each in that of the arguments."""
    rows = iter(parts)
    by_output = {k: next(rows) for k, a in enumerate(traced.atoms) if is_float(a.type)}

    def one(part: Thing, k: int, leaf: Value) -> Thing:
        atom = tracer.atom(part)
        return part if atom is None or leaf.type.rank else typed_as(tracer, atom, traced.atoms[k])

    def row(k: int) -> Thing:
        if k not in by_output:
            return Static(None)
        remaining = iter(by_output[k])
        results = tuple(
            like_argument(tracer, traced.given[place],
                          [one(next(remaining), k, leaf) for leaf in traced.inputs[place]])
            for place in derived.positions)
        return results[0] if derived.single else Items("tuple", results)

    return thing_from(tracer, traced.tree, row)
