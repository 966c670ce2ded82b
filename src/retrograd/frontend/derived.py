"""Derivatives inside a program: what a call of `grad(f)`, `jvp`, `vjp`, ... becomes.

    g = grad(f)(x)       f's forward sweep, f's reverse sweep
    y, s = jvp(f, (x,), (v,))   f with its tangents

The function is traced on parameters of its own (`isolated.py`), its block is differentiated, and
the result becomes part of the caller. So a derivative is a program like any other, which can be
differentiated again, run in a loop over samples, or called in a function of the user's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from retrograd.adjoint.derive import Adjoint, derive, seed_parameter, unit_seed
from retrograd.adjoint.forward import forward
from retrograd.api.parameters import call_places
from retrograd.derivation import derivation_of
from retrograd.frontend import calls, cells
from retrograd.frontend.batches import vmap
from retrograd.frontend.certain import certain
from retrograd.frontend.isolated import (
    Isolated,
    bound_to,
    isolated,
    like_argument,
    signature_of,
    typed_as,
    with_contents,
)
from retrograd.frontend.jacobians import check_holomorphic, copied, hessian, jacobian
from retrograd.frontend.structures import thing_from
from retrograd.frontend.things import Derived, Inner, Items, Static, Thing, thing_of
from retrograd.frontend.tracer import Tracer
from retrograd.ir.nodes import Atom, Value
from retrograd.ir.types import Array, is_complex, is_float
from retrograd.trees import Fixed, Leaf, Node, Tree

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]


def call(tracer: Tracer, function: Thing, args: Args, keywords: Keywords) -> Thing:
    """A call of a derivative."""
    derived = of(function)
    return _KINDS[derived.kind](tracer, derived, args, keywords)


def of(function: Thing) -> Derived:
    """A derivative as something to call: one that `grad` made outside, or in the program."""
    if isinstance(function, Derived):
        return function
    assert isinstance(function, Static)
    found = derivation_of(function.value)
    assert found is not None
    inner: Thing = Static(found.function)
    if derivation_of(found.function) is not None:
        inner = of(inner)
    return Derived(found.kind, inner, found.positions, found.single, found.has_aux,
                   found.holomorphic, found.settings, found.returns)


# --- reverse mode --------------------------------------------------------------------------------


def _primal(tracer: Tracer, derived: Derived, args: Args, keywords: Keywords) -> Thing:
    result = calls.call(tracer, derived.function, args, keywords)
    if not derived.returns:
        return result
    bound = bound_to(tracer, derived.function, args, keywords)
    return with_contents(result, bound, derived.returns)


def _grad(tracer: Tracer, derived: Derived, args: Args, keywords: Keywords) -> Thing:
    """`grad` gives the gradient, or (gradient, aux)."""
    value, gradients = _gradients(tracer, derived, args, keywords)
    if not derived.has_aux:
        return gradients
    assert isinstance(value, Items)
    return Items("tuple", (gradients, value.items[1]))


def _value_and_grad(tracer: Tracer, derived: Derived, args: Args, keywords: Keywords) -> Thing:
    value, gradients = _gradients(tracer, derived, args, keywords)
    return Items("tuple", (value, gradients))


def _gradients(tracer: Tracer, derived: Derived, args: Args, keywords: Keywords,
               ) -> tuple[Thing, Thing]:
    traced = isolated(tracer, derived.function, args, keywords, derived.positions,
                      derived.returns)
    output = _scalar_output(tracer, derived, traced)
    if derived.holomorphic:
        check_holomorphic(traced.leaves, [output])
    adjoint = derive(traced.function, traced.leaves, [output], [unit_seed(output)],
                     tracer.builder.facts)
    traced.spliced(tracer, adjoint.forward + adjoint.reverse)
    return _value(tracer, traced), _of_arguments(
        tracer, derived, traced, [traced.outside(g) for g in adjoint.gradients])


def _scalar_output(tracer: Tracer, derived: Derived, traced: Isolated) -> Atom:
    tree = traced.tree
    if derived.has_aux:
        if not (isinstance(tree, Node) and tree.kind == "tuple" and len(tree.children) == 2):
            raise certain(TypeError)("with has_aux=True the function must return a pair "
                                     "(value, aux)")
        tree = tree.children[0]
    if not isinstance(tree, Leaf) or traced.atoms[tree.position].type.rank:
        tracer.refuse("a gradient is asked for of a function that does not return one number",
                      "return a scalar (np.sum, np.mean, an element), use has_aux=True for more "
                      "results, or use vjp")
    output = traced.atoms[tree.position]
    if not is_float(output.type):
        raise certain(TypeError)(f"the function returns {output.type.dtype}, which has no "
                                 "derivative: return a float")
    if is_complex(output.type) and not derived.holomorphic:
        raise certain(TypeError)(f"the function returns {output.type.dtype}, and a gradient needs "
                                 "a real value: pass holomorphic=True for a holomorphic function, "
                                 "or use vjp")
    return output


def _value(tracer: Tracer, traced: Isolated) -> Thing:
    """What the function returned, in the caller's block."""
    return thing_from(tracer, traced.tree,
                      lambda k: thing_of(traced.outside(traced.atoms[k])))


def _of_arguments(tracer: Tracer, derived: Derived, traced: Isolated,
                  adjoints: list[Atom]) -> Thing:
    """Adjoints of the differentiated arguments, each in its argument's structure."""
    remaining = iter(adjoints)
    results = []
    for place in derived.positions:
        if not traced.inputs.get(place):
            raise certain(TypeError)("a differentiated argument is not a float")
        own = [typed_as(tracer, next(remaining), leaf) for leaf in traced.inputs[place]]
        results.append(like_argument(tracer, traced.given[place], own))
    return results[0] if derived.single else Items("tuple", tuple(results))


def vjp(tracer: Tracer, derived: Derived, args: Args, keywords: Keywords) -> Thing:
    """The value and a pullback: the forward sweep here, the reverse sweep where it is called."""
    traced = isolated(tracer, derived.function, args, keywords, derived.positions,
                      derived.returns)
    outputs = [a for a in traced.atoms if is_float(a.type)]
    facts = tracer.builder.facts
    seeds = [seed_parameter(o, facts, "out_bar") for o in outputs]
    adjoint = derive(traced.function, traced.leaves, outputs, seeds, facts)
    traced.spliced(tracer, adjoint.forward)
    return Items("tuple", (_value(tracer, traced),
                           Inner(_pullback(derived, traced, adjoint, seeds))))


def _pullback(derived: Derived, traced: Isolated, adjoint: Adjoint, seeds: list[Value],
              ) -> Callable[..., Thing]:
    def run(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
        if len(args) != 1 or keywords:
            raise certain(TypeError)("a pullback takes the adjoint of the value")
        given = matched(tracer, traced.tree, args[0], traced.atoms, "the adjoint of the value")
        found = copied(tracer, traced, adjoint.reverse, dict(zip(seeds, given, strict=True)),
                       adjoint.gradients)
        return _of_arguments(tracer, derived, traced, found)

    return run


def matched(tracer: Tracer, tree: Tree, given: Thing, atoms: tuple[Atom, ...], what: str,
            ) -> list[Atom]:
    """The numbers and arrays of a container that is nested as `tree` is, at its float leaves,
    each in the type and shape of the atom there."""
    given = cells.frozen(tracer, given)
    match tree:
        case Leaf(position=position):
            atom = tracer.atom(given)
            like = atoms[position]
            if not is_float(like.type):
                return []
            if atom is None:
                raise certain(TypeError)(f"{what} is not nested as it is")
            return [fitted(tracer, atom, like, what)]
        case Fixed():
            return []
        case Node(children=children):
            if not isinstance(given, Items) or len(given.items) != len(children):
                raise certain(TypeError)(f"{what} is not nested as it is")
            items = given.items
            if tree.kind == "dict":
                items = tuple(given.items[given.keys.index(k)] for k in tree.keys)
            return [a for c, i in zip(children, items, strict=True)
                    for a in matched(tracer, c, i, atoms, what)]


def fitted(tracer: Tracer, atom: Atom, like: Atom, what: str) -> Atom:
    """An adjoint or tangent in the dtype of what it belongs to, of which it has the shape."""
    builder = tracer.builder
    if atom.type.rank != like.type.rank:
        raise certain(ValueError)(f"{what} has {atom.type.rank} dimensions instead of "
                                  f"{like.type.rank}")
    for a, b in zip(builder.facts.of(atom), builder.facts.of(like), strict=True):
        builder.require_equal(a, b, ValueError, [f"{what} has an extent of ", a, " instead of ",
                                                 b])
    if is_complex(atom.type) and not is_complex(like.type):
        raise certain(TypeError)(f"{what} is complex, and what it belongs to is real")
    if isinstance(like.type, Array) and not isinstance(atom.type, Array):
        atom = builder.let("reshape", atom)
    return builder.cast(atom, like.type.dtype)


# --- forward mode --------------------------------------------------------------------------------


def _jvp(tracer: Tracer, derived: Derived, args: Args, _: Keywords) -> Thing:
    """The arguments are the primals and then as many tangents."""
    half = len(args) // 2
    return pushed(tracer, derived.function, args[:half], args[half:], derived.returns)


def pushed(tracer: Tracer, function: Thing, primals: Args, tangents: Args,
           returns: tuple[str, ...] = (), keywords: Keywords | None = None) -> Thing:
    """The value and its tangent; a primal whose tangent is None stays as it is, and so does what
    is given by keyword."""
    places = call_places(signature_of(function), len(primals))
    moving = {p: t for p, t in zip(places, tangents, strict=True)
              if not (isinstance(t, Static) and t.value is None)}
    traced = isolated(tracer, function, primals, keywords or {}, tuple(moving), returns)
    given = {leaf: atom for place, tangent in moving.items()
             for leaf, atom in zip(traced.inputs[place], _tangents(
                 tracer, traced.given[place], tangent), strict=True)}
    found = forward(traced.function, given, tracer.builder.facts)
    traced.spliced(tracer, found.block)
    rest = iter(found.tangents)
    dots = {k: traced.outside(next(rest)) for k, a in enumerate(traced.atoms)
            if is_float(a.type)}
    tangent = thing_from(tracer, traced.tree,
                         lambda k: thing_of(dots[k]) if k in dots else Static(None))
    return Items("tuple", (_value(tracer, traced), tangent))


def _tangents(tracer: Tracer, primal: Thing, tangent: Thing) -> list[Atom]:
    """The tangents of a primal's float leaves."""
    tangent = cells.frozen(tracer, tangent)
    if isinstance(primal, Items):
        if not isinstance(tangent, Items) or (tangent.kind, tangent.keys, len(tangent.items)) != (
                primal.kind, primal.keys, len(primal.items)):
            raise certain(TypeError)("a tangent is not nested as its primal is")
        return [a for p, t in zip(primal.items, tangent.items, strict=True)
                for a in _tangents(tracer, p, t)]
    atom = tracer.atom(primal)
    if atom is None or not is_float(atom.type):
        if isinstance(tangent, Static) and (tangent.value is None or isinstance(primal, Static)):
            return []                     # a direction may bear the names that its primal bears
        raise certain(TypeError)("a tangent is given for an argument that is not a float: give "
                                 "None")
    found = tracer.atom(tangent)
    if found is None:
        raise certain(TypeError)("a tangent is not nested as its primal is")
    return [fitted(tracer, found, atom, "a tangent")]


def _hvp(tracer: Tracer, derived: Derived, args: Args, keywords: Keywords) -> Thing:
    """`hvp(f)(x, v, *args)`: the tangent of the gradient in the direction v."""
    place = derived.positions[0]
    assert isinstance(place, int)
    if len(args) < place + 2:
        raise certain(TypeError)("hvp(f) takes the differentiated argument of f by position, and "
                                 "the direction after it")
    primals = (*args[:place + 1], *args[place + 2:])
    none = Static(None)
    tangents = tuple(args[place + 1] if k == place else none for k in range(len(primals)))
    gradient = replace(derived, kind="grad", positions=(place,), single=True, has_aux=False)
    both = pushed(tracer, gradient, primals, tangents, keywords=keywords)
    assert isinstance(both, Items)
    return both.items[1]


_KINDS: dict[str, Callable[[Tracer, Derived, Args, Keywords], Thing]] = {
    "primal": _primal, "grad": _grad, "value_and_grad": _value_and_grad, "vjp": vjp,
    "jvp": _jvp, "hvp": _hvp, "jacobian": jacobian, "hessian": hessian, "vmap": vmap,
}
