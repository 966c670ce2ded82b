"""Which adjoint takes what a part of an array receives.

    v = view(A, 1:)                     y_bar goes to A_bar[1 + k]; v has no adjoint
    y = load(v, k)

An adjoint of the view's own would be an array that is made, filled with zeros and added to A_bar:
in a loop, in every iteration. So a contribution goes to the adjoint of what the view looks into,
where that has one already and the index can be said there (`composing.py`), or to that adjoint in
another shape, which costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from retrograd.adjoint.scopes import Places
from retrograd.adjoint.sweep import Sweep
from retrograd.frontend.composing import Shape, through
from retrograd.frontend.things import View
from retrograd.ir.index import Index
from retrograd.ir.nodes import Atom, Let, Value
from retrograd.ir.types import Array

Need = Callable[[Atom, Sweep], Atom]
_VIEWS = frozenset({"view", "transpose", "reshape"})


@dataclass(frozen=True, slots=True)
class Part:
    """A part of `array`, or of all its elements in the shape `shape` where there is one."""

    array: Value
    index: Index
    atoms: tuple[Atom, ...]
    shape: Shape | None = None


def receiver(part: Part, places: Places, need: Need, sweep: Sweep) -> Part:
    """The part whose adjoint takes the contribution to `part`."""
    home = places.scope[part.array]
    if home is not sweep.scope and not home.loops():
        return part                      # one adjoint for all iterations
    lets = _looked_through(part.array, places, sweep)
    if not lets:
        return part
    source = lets[0].args[0]
    assert isinstance(source, Value)
    if sweep.get(source, places.scope[source]) is None:
        return part
    facts = sweep.builder.facts
    path = tuple(_view(let, facts.of(let.args[0]), need, sweep) for let in lets)
    rest, shape, index, atoms = through(
        sweep.builder, path, facts.of(part.array), part.index, part.atoms)
    if any(view.op != "reshape" for view in rest):
        return part
    return Part(source, index, atoms, shape if rest else None)


def _looked_through(array: Value, places: Places, sweep: Sweep) -> list[Let]:
    """The views, outermost last, between an array and the first one that has an adjoint here."""
    lets: list[Let] = []
    while array not in sweep.state:
        let = places.lets.get(array)
        if let is None or let.op not in _VIEWS or not isinstance(let.args[0].type, Array):
            break
        assert isinstance(let.args[0], Value)
        array = let.args[0]
        lets.insert(0, let)
    return lets


def _view(let: Let, extents: Shape, need: Need, sweep: Sweep) -> View:
    assert isinstance(let.args[0].type, Array)
    atoms = () if let.op == "reshape" else tuple(need(a, sweep) for a in let.args[1:])
    return View(let.op, atoms, let.static, let.args[0].type, extents)
