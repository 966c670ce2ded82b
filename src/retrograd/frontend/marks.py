"""Marks in user code: `checkpointed`, `stop_gradient`."""

from __future__ import annotations

from collections.abc import Mapping

from retrograd.frontend import cells
from retrograd.frontend.atoms import need_atom
from retrograd.frontend.certain import certain
from retrograd.frontend.things import Checkpointed, Grown, Static, Thing, thing_of, with_leaves
from retrograd.frontend.tracer import Tracer
from retrograd.ir.nodes import Branch, Constant, Raise, Value, integer
from retrograd.ir.types import INT, Array, Scalar, Type, is_float, is_integer

_TOO_FEW = "snapshots must be at least 1"


def checkpointed(tracer: Tracer, args: tuple[Thing, ...], keywords: Mapping[str, Thing]) -> Thing:
    """`checkpointed(iterable, snapshots=None)`: the number of snapshots is checked here."""
    given = {**dict(zip(("iterable", "snapshots"), args, strict=False)), **keywords}
    if len(args) + len(keywords) != len(given) or "iterable" not in given or not set(
            given) <= {"iterable", "snapshots"}:
        raise certain(TypeError)("checkpointed takes an iterable and snapshots")
    snapshots = given.get("snapshots", Static(None))
    if isinstance(snapshots, Static) and snapshots.value is None:
        return Checkpointed(given["iterable"], None)
    atom = need_atom(tracer, snapshots)
    if not isinstance(atom.type, Scalar) or not is_integer(atom.type):
        raise certain(TypeError)(
            f"{_python_name(atom.type)!r} object cannot be interpreted as an integer")
    builder = tracer.builder
    if isinstance(atom, Constant):
        if atom.value.real < 1:
            raise certain(ValueError)(_TOO_FEW)
    else:
        builder.append(Branch(builder.let("less", atom, integer(1)),
                              (Raise(ValueError, (_TOO_FEW,), builder.origin),), (), (),
                              builder.origin))
    return Checkpointed(given["iterable"], builder.cast(atom, INT.dtype))


def stop_gradient(tracer: Tracer, args: tuple[Thing, ...], keywords: Mapping[str, Thing]) -> Thing:
    """`stop_gradient(x)`: a value of its own, on which nothing depends differentiably."""
    given = (*args, *keywords.values())
    if len(given) != 1 or not set(keywords) <= {"x"}:
        raise certain(TypeError)("stop_gradient takes one value")
    thing = cells.frozen(tracer, given[0])
    if isinstance(thing, Grown):
        tracer.refuse("stop_gradient of a list whose length only the program knows",
                      "make it an array first: np.array(...)")
    from retrograd.frontend.isolated import unfrozen  # which builds on all of the front end

    return unfrozen(tracer, with_leaves(thing, lambda leaf: _stopped(tracer, leaf)))


def _stopped(tracer: Tracer, leaf: Thing) -> Thing:
    atom = tracer.atom(leaf)
    if not isinstance(atom, Value) or (not atom.type.rank and not is_float(atom.type)
                                       and not isinstance(atom.type, Array)):
        return leaf
    op = "stop" if is_float(atom.type) else "copy"
    weak = isinstance(atom.type, Scalar) and atom.type.weak
    return thing_of(tracer.builder.let(op, atom, name=atom.name, weak=weak))


def _python_name(type: Type) -> str:
    if not isinstance(type, Scalar):
        return "numpy.ndarray"
    return type.dtype.rstrip("0123456789") if type.weak else f"numpy.{type.dtype}"
