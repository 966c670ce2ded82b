"""READ FIRST: the compiler, from a request to source code, as one visible list of stages.

    trace          frontend/   Python function -> typed, pure IR
    derive         adjoint/    IR -> forward sweep and reverse sweep, in the same IR
    OPTIMISATIONS  optimise/   IR -> IR
    emit           backend/    IR -> readable source (NumPy)
    lower, emit    backend/    IR -> loops over scalars -> source for Numba
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from retrograd.adjoint.derive import Adjoint, seed_parameter, unit_seed
from retrograd.adjoint.derive import derive as adjoint_of
from retrograd.adjoint.residuals.forecast import answers_wanted, check_wanted, forecast
from retrograd.backend.emit import emit
from retrograd.backend.lowering import lower
from retrograd.collector import no_collection
from retrograd.errors import Unsupported
from retrograd.frontend.trace import Traced, trace
from retrograd.ir.nodes import Atom, Function, Value, free
from retrograd.ir.path import path_of
from retrograd.ir.rewrite import without_marks
from retrograd.ir.ruled import NeedOrder
from retrograd.ir.types import Array, Type, is_complex, is_float
from retrograd.ir.verify import verify
from retrograd.optimise.ascending import run_forward
from retrograd.optimise.buffers import hoist_buffers
from retrograd.optimise.checks import hoist_checks
from retrograd.optimise.choices import expand_choices
from retrograd.optimise.common import share_common, shared_in_blocks
from retrograd.optimise.covered import without_covered
from retrograd.optimise.dead import remove_dead
from retrograd.optimise.destinations import with_destinations
from retrograd.optimise.distribute import distribute
from retrograd.optimise.extents import share_extents
from retrograd.optimise.forwarded import forward_stores
from retrograd.optimise.fuse import fuse
from retrograd.optimise.invariant import hoist_shapes
from retrograd.optimise.parallel import in_blocks, without_wishes
from retrograd.optimise.promoted import promote_elements
from retrograd.optimise.ruled import without_rules
from retrograd.optimise.simplify import simplify
from retrograd.optimise.storage import insert_copies
from retrograd.optimise.sweeps import BOUNDARY, boundary_of, without_boundary
from retrograd.optimise.together import add_together
from retrograd.optimise.unchecked import without_index_checks
from retrograd.program import (
    GRAD,
    JOINT,
    PATH,
    PRIMAL,
    VALUE_AND_GRAD,
    VJP,
    Container,
    Emitted,
    Known,
    Param,
    Position,
    Program,
    Request,
    Residual,
    Unit,
    leaf_types,
    param_at,
)
from retrograd.trees import Fixed, Leaf, Node, Tree, plain, shifted, taken_apart, without_leaves

Stage = Callable[[Function], Function]
_HIGHEST_ORDER = 8        # of functions with rules of their own

OPTIMISATIONS: tuple[Stage, ...] = (
    without_rules, expand_choices, remove_dead, simplify, share_common, simplify, add_together,
    share_extents, hoist_shapes, share_common, run_forward, remove_dead)
READABLE_OPTIMISATIONS: tuple[Stage, ...] = (without_covered, remove_dead)
OPTIMISATIONS_TO_LOWER: tuple[Stage, ...] = (distribute,)
LOWERED_OPTIMISATIONS: tuple[Stage, ...] = (
    remove_dead, share_extents, fuse, hoist_shapes, share_common, hoist_checks, in_blocks,
    promote_elements, forward_stores, remove_dead, run_forward, hoist_buffers, remove_dead)


@dataclass(frozen=True, slots=True)
class Derived:
    """One function of a program before it is printed; `BOUNDARY` marks the start of its reverse
    sweep, if it has one."""

    function: Function
    structure: Tree
    residuals: tuple[Residual, ...] = ()


def derive(request: Request) -> Program:
    """Compile one derivative for one tuple of argument types.

    Raises
    ------
    Unsupported
        If something in the function is refused.
    TypeError
        If the output or a differentiated argument is not a float.
    """
    with no_collection():
        traced, functions = _derived(request)
        residuals = functions[0].residuals
        check_wanted(residuals, request)
        first, *second = (_unit(d, request, traced) for d in functions)
        if traced.visible is not traced.tree:
            first = replace(first, visible=traced.visible)
        units = (replace(first, written=traced.written), *second)
    return Program(units, traced.captures, traced.guards, residuals, traced.sources)


def _derived(request: Request) -> tuple[Traced, tuple[Derived, ...]]:
    """The trace and what is derived from it; rules inside rules are traced when they are needed."""
    for order in range(1, _HIGHEST_ORDER):
        with contextlib.suppress(NeedOrder):
            traced = _shared(trace(request, order))
            return traced, _PRODUCTS[request.product](request, traced)
    raise Unsupported(f"a derivative of order {_HIGHEST_ORDER} of functions with rules of their "
                      "own", "ask for a lower order")


def optimised(function: Function, stages: Sequence[Stage] = OPTIMISATIONS) -> Function:
    """Run the stages in order; with RETROGRAD_VERIFY set, each one's result is verified."""
    checked = bool(os.environ.get("RETROGRAD_VERIFY"))
    for stage in stages:
        function = stage(function)
        if checked:
            verify(function)
    return function


def _shared(traced: Traced) -> Traced:
    """What the function computes twice is one value, for which the reverse sweep asks once."""
    function, stand = shared_in_blocks(traced.function)
    traced.facts.rename(stand)
    return replace(traced, function=function)


# --- products ------------------------------------------------------------------------------------


def _primal(_: Request, traced: Traced) -> tuple[Derived, ...]:
    function = replace(traced.function, body=without_marks(traced.function.body))
    return (Derived(optimised(function), traced.tree),)


def _path(_: Request, traced: Traced) -> tuple[Derived, ...]:
    function = path_of(replace(traced.function, body=without_marks(traced.function.body)),
                       traced.facts)
    return (Derived(optimised(function), Leaf(0)),)


def _gradient(request: Request, traced: Traced) -> tuple[Derived, ...]:
    """`grad` and `value_and_grad`: one function."""
    value, aux = _outputs(request, traced)
    output = _scalar_output(request, traced, value)
    atoms = traced.function.returns
    inputs = _inputs(request, traced)
    adjoint = adjoint_of(traced.function, inputs, [output], [unit_seed(output)], traced.facts,
                         answers_wanted(request))
    count = len(inputs)
    gradients = _gradient_tree(request)
    if request.product == GRAD:
        first_gradient = 0
        returns = (*adjoint.gradients, *(atoms if request.has_aux else ()))
        structure = Node("tuple", (gradients, shifted(aux, count))) if aux is not None \
            else gradients
    else:
        first_gradient = len(atoms)
        returns = (*atoms, *adjoint.gradients)
        first = value if aux is None else Node("tuple", (value, aux))
        structure = Node("tuple", (first, shifted(gradients, len(atoms))))
    name = f"{traced.function.name}_{request.product}"
    function = Function(name, traced.function.params,
                        (*adjoint.forward, BOUNDARY, *adjoint.reverse), returns)
    function = optimised(function)
    found = function.returns[first_gradient:first_gradient + count]
    return (Derived(function, structure, _residuals(adjoint, function, found)),)


def _residuals(adjoint: Adjoint, function: Function, gradients: tuple[Atom, ...],
               ) -> tuple[Residual, ...]:
    """The table of an optimised adjoint."""
    cut = boundary_of(function)
    assert cut is not None
    return forecast(adjoint.residuals, function, function.body[cut:], gradients)


def _joint(request: Request, traced: Traced) -> tuple[Derived, ...]:
    """A vjp as one function: the arguments, then the output's adjoints."""
    whole, adjoint, _, structure = _both_sweeps(request, traced)
    count = len(traced.function.returns)
    function = optimised(replace(whole, name=f"{whole.name}_vjp", returns=whole.returns[count:]))
    return (Derived(function, structure,
                    _residuals(adjoint, function, function.returns)),)


def _vjp(request: Request, traced: Traced) -> tuple[Derived, ...]:
    """Forward and backward, cut between the sweeps."""
    whole, adjoint, seeds, structure = _both_sweeps(request, traced)
    whole = optimised(whole)
    cut = boundary_of(whole)
    assert cut is not None
    count = len(traced.function.returns)
    results, gradients = whole.returns[:count], whole.returns[count:]
    reverse = remove_dead(Function(f"{whole.name}_backward", (), whole.body[cut:], gradients))
    residuals = tuple(v for v in free(reverse.body, gradients) if v not in seeds)
    backward = replace(reverse, params=(*residuals, *seeds))
    forward = remove_dead(Function(f"{whole.name}_forward", traced.function.params,
                                   whole.body[:cut], (*results, *residuals)))
    kept = Node("tuple", tuple(Leaf(count + k) for k in range(len(residuals))))
    table = _residuals(adjoint, whole, gradients)
    return (Derived(forward, Node("tuple", (traced.tree, kept)), table),
            Derived(backward, structure))


def _both_sweeps(request: Request, traced: Traced,
                 ) -> tuple[Function, Adjoint, list[Value], Tree]:
    """The function of the arguments and the output's adjoints that returns the outputs and the
    gradients; what it is made of; those adjoints; and the structure of the gradients."""
    if request.has_aux:
        raise Unsupported("vjp with has_aux is not supported", "return the value alone")
    outputs = [a for a in traced.function.returns if is_float(a.type)]
    names = [f"out_{k}_bar" if len(outputs) > 1 else "out_bar" for k in range(len(outputs))]
    seeds = [seed_parameter(o, traced.facts, n) for o, n in zip(outputs, names, strict=True)]
    inputs = _inputs(request, traced)
    adjoint = adjoint_of(traced.function, inputs, outputs, seeds, traced.facts,
                         answers_wanted(request))
    whole = Function(
        traced.function.name, (*traced.function.params, *seeds),
        (*adjoint.forward, BOUNDARY, *adjoint.reverse),
        (*traced.function.returns, *adjoint.gradients))
    return whole, adjoint, seeds, _gradient_tree(request)


_PRODUCTS: dict[str, Callable[[Request, Traced], tuple[Derived, ...]]] = {
    PRIMAL: _primal, GRAD: _gradient, VALUE_AND_GRAD: _gradient, VJP: _vjp,
    JOINT: _joint, PATH: _path}


def _outputs(request: Request, traced: Traced) -> tuple[Tree, Tree | None]:
    """What is differentiated, and what is only passed on."""
    if not request.has_aux:
        return traced.tree, None
    if not (isinstance(traced.tree, Node) and traced.tree.kind == "tuple"
            and len(traced.tree.children) == 2):
        raise TypeError("with has_aux=True the function must return a pair (value, aux)")
    return traced.tree.children[0], traced.tree.children[1]


def _scalar_output(request: Request, traced: Traced, value: Tree) -> Atom:
    name = traced.function.name
    if not isinstance(value, Leaf):
        what = repr(value.value) if isinstance(value, Fixed) else f"a {value.kind}"
        raise Unsupported(f"{name} returns {what}, and a gradient needs one number",
                          "return a scalar, use has_aux=True for more results, or use vjp",
                          *traced.place)
    output = traced.function.returns[value.position]
    if output.type.rank:
        raise Unsupported(
            f"{name} returns an array ({output.type}), and a gradient needs one number",
            "return a scalar (np.sum, np.mean, an element), or use vjp", *traced.place)
    if not is_float(output.type):
        raise TypeError(f"{name} returns {output.type.dtype}, which has no derivative: "
                        "return a float")
    if is_complex(output.type) and not request.holomorphic:
        raise TypeError(f"{name} returns {output.type.dtype}, and a gradient needs a real value: "
                        "pass holomorphic=True for a holomorphic function, or use vjp")
    if request.holomorphic and not is_complex(output.type):
        raise TypeError(f"{name} returns {output.type.dtype}, and holomorphic=True needs a complex "
                        "value")
    return output


def _inputs(request: Request, traced: Traced) -> list[Value]:
    """The floats of the differentiated arguments, in the order in which gradients are
    returned."""
    result: list[Value] = []
    for place in request.wrt:
        values = _leaves_at(request, traced, place)
        floats = [v for v in values if is_float(v.type)]
        if not floats:
            what = f"number {place}" if len(values) != 1 else traced.paths[values[0]]
            raise TypeError(f"argument {what} is not a float, so nothing can be differentiated "
                            "with respect to it")
        for value in floats:
            if request.holomorphic and not is_complex(value.type):
                raise TypeError(f"argument {traced.paths[value]} is {value.type.dtype}, and "
                                "holomorphic=True needs complex arguments")
        result += floats
    return result


def _leaves_at(request: Request, traced: Traced, place: Position) -> tuple[Value, ...]:
    """The values of a differentiated argument."""
    if isinstance(place, int):
        return traced.parameters[place]
    extra = request.params[place[0]]
    assert isinstance(extra, Container)
    first = sum(len(leaf_types(p)) for p in extra.parts[:place[1]])
    count = len(leaf_types(param_at(request.params, place)))
    return traced.parameters[place[0]][first:first + count]


def _gradient_tree(request: Request) -> Tree:
    """The structure of the gradients: that of their arguments, None where a leaf is no float."""
    number = itertools.count()

    def of(param: Param) -> Tree:
        if isinstance(param, Container):
            return Node(param.kind, tuple(map(of, param.parts)), param.keys)
        if isinstance(param, Known):
            return without_leaves(taken_apart(param.value)[0])
        return Leaf(next(number)) if is_float(param) else Fixed(None)

    trees = tuple(of(param_at(request.params, place)) for place in request.wrt)
    return trees[0] if request.single else Node("tuple", trees)


# --- one function at a time ----------------------------------------------------------------------


def _unit(derived: Derived, request: Request, traced: Traced) -> Unit:
    function = without_boundary(derived.function)
    names, structure = traced.names, plain(derived.structure)
    header = _header(request, function, traced)

    def lowered() -> Emitted:
        with no_collection():
            return emit(_lowered(derived.function, request), "compiled", structure, header,
                        reserved=names)

    def directed() -> Emitted | None:
        with no_collection():
            found = with_destinations(insert_copies(_lowered(derived.function, request)))
            if found is None:
                return None
            emitted = emit(found.function, "compiled", structure, header, reserved=names)
            return replace(emitted, directed=found.positions)

    shown = optimised(derived.function, READABLE_OPTIMISATIONS)
    readable = emit(without_boundary(shown), "readable", structure, header,
                    reserved=names, comment_from=boundary_of(shown))
    return Unit(tuple(p.type for p in function.params), tuple(r.type for r in function.returns),
                readable, lowered, visible=derived.structure, directed=directed)


def _lowered(function: Function, request: Request) -> Function:
    """Loops over numbers, optimised."""
    if not request.boundscheck:
        function = without_index_checks(function)
    if not request.parallel:
        function = without_wishes(function)
    function = lower(optimised(function, OPTIMISATIONS_TO_LOWER))
    return without_boundary(optimised(function, LOWERED_OPTIMISATIONS))


def _header(request: Request, function: Function, traced: Traced) -> list[str]:
    """Where generated source comes from and what it is for."""
    user = getattr(request.function, "__qualname__", function.name)
    params = ", ".join(f"{p.name}: {_shown(p.type)}" for p in function.params)
    parts = [f"{p.name} is {traced.paths[p]}" for p in function.params
             if traced.paths.get(p, p.name) != p.name]
    lines = [f"Generated by retrograd from {user}."]
    if params:
        lines.append(f"Arguments: {params}.")
    if parts:
        lines.append(f"{', '.join(parts)}.")
    contents = [*request.returns, *(w.name for w in traced.written if w.result is not None
                                    and w.name not in request.returns)]
    if contents:
        lines.append(f"The value has the last contents of {', '.join(contents)}; the arguments "
                     "stay as they are.")
    return lines


def _shown(type: Type) -> str:
    if isinstance(type, Array):
        return f"{type.dtype}[{', '.join('1' if d == 1 else ':' for d in type.dims)}]"
    return type.dtype
