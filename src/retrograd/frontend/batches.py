"""`vmap`: a function called for every sample of a batch, in one loop.

    vmap(f, in_axes=(None, 0))(w, x)      ys = np.empty(n)
                                          for k in range(n):
                                              ys[k] = f(w, x[k])
                                          return ys

What a sample gives becomes a row of an array; numbers become an array, tuples tuples of arrays.
With `reduce` nothing is kept of a sample: sums over blocks of samples are, which are the same
blocks whatever runs at the same time, and they are added in order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from retrograd.frontend import calls, cells, inline
from retrograd.frontend.certain import certain
from retrograd.frontend.growing import VARYING
from retrograd.frontend.isolated import apart, bound_to, check_copies, unfrozen, with_contents
from retrograd.frontend.rows import row_of, stacked
from retrograd.frontend.things import (
    Derived,
    Grown,
    Handle,
    Inner,
    Items,
    Static,
    Thing,
    atom_of,
    fresh,
    leaves,
    thing_of,
    type_of,
    with_leaves,
)
from retrograd.frontend.tracer import Tracer, constant_of
from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent, mentions
from retrograd.ir.index import FULL, Index, everything
from retrograd.ir.nodes import Atom, Constant, Value, bound, defined, integer, walk
from retrograd.ir.types import Array
from retrograd.prelude import derivatives

BLOCKS = 32                  # sums over so many blocks of samples: the order is part of the result
Keywords = Mapping[str, Thing]
Axes = int | None | tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    in_axes: Axes
    out_axes: Axes
    reduce: str | None
    parallel: bool


def vmap(tracer: Tracer, derived: Derived, args: tuple[Thing, ...], keywords: Keywords) -> Thing:
    """A call of `vmap(f, ...)`."""
    settings = Settings(*derived.settings)
    call = bound_to(tracer, derived.function, args, keywords)
    batch = _Batch(tracer)
    axes = _axes_of(settings.in_axes, call)
    positional = [batch.argument(a, x, f"argument {k}")
                  for k, (a, x) in enumerate(zip(call.args, axes, strict=True))]
    named = {k: batch.argument(v, 0, f"argument {k!r}") for k, v in call.kwargs.items()}
    if batch.count is None:
        raise certain(ValueError)("vmap must have at least one argument that is mapped: all of "
                                  "in_axes are None")

    def one(inner: Tracer, given: tuple[Thing, ...], _: Keywords) -> Thing:
        index = given[0]
        assert not isinstance(index, Handle)
        inner = _called_from(tracer, inner)
        args = tuple(make(inner, index) for make in positional)
        keywords = {k: make(inner, index) for k, make in named.items()}
        clock = inner.memory.clock
        found = calls.call(inner, derived.function, args, keywords)
        check_copies(tracer, inner, clock, (*args, *keywords.values()))
        sample = bound_to(inner, derived.function, args, keywords)
        return present(inner, with_contents(found, sample, derived.returns))

    count = tracer.builder.atom_of(batch.count)
    if settings.reduce is not None:
        return _reduced(tracer, one, count, settings)
    rows = each(tracer, one, count, settings.parallel)
    return unfrozen(tracer, _with_axes(tracer, rows, settings.out_axes))


def _called_from(tracer: Tracer, inner: Tracer) -> Tracer:
    """The block inside, with calls from the place where `vmap` is called: what is the user's there
    (captures, lists, places) is not the prelude's because the loop over samples is."""
    frame = replace(tracer.frame, outer=inner.frame, caller=inner)
    home = Tracer(tracer.context, frame, inner.builder, {}, inner.memory)
    home.node, home.binds, home.passing = tracer.node, inner.binds, inner.passing
    return home


def present(tracer: Tracer, thing: Thing) -> Thing:
    """The thing with what its arrays and lists hold now."""
    def leaf(part: Thing) -> Thing:
        atom = tracer.atom(part)
        return part if atom is None or not isinstance(part, Handle) else thing_of(atom)

    return with_leaves(cells.frozen(tracer, thing), leaf)


def _axes_of(axes: Axes, call: inspect.BoundArguments) -> tuple[Any, ...]:
    """One entry an argument. What is left out has a default value: a number is shared then, and an
    array lies along axis 0, as one that is given by keyword."""
    places = [p for p in call.signature.parameters.values() if p.kind in _POSITIONAL]
    optional = [k < len(places) and places[k].default is not inspect.Parameter.empty
                for k in range(len(call.args))]
    if not isinstance(axes, tuple):
        return tuple(None if default and not _has_axis(a) else axes
                     for a, default in zip(call.args, optional, strict=True))
    if len(axes) > len(optional) or not all(optional[len(axes):]):
        raise certain(ValueError)(
            f"vmap in_axes must have one entry for each of the {len(call.args)} positional "
            f"arguments, got {len(axes)}")
    rest = zip(places[len(axes):], call.args[len(axes):], strict=True)
    return (*axes, *(_left_out(p, a) for p, a in rest))


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _left_out(parameter: inspect.Parameter, thing: Thing) -> int | None:
    if _has_axis(parameter.default):
        raise certain(ValueError)(f"vmap in_axes must have an entry for {parameter.name}, whose "
                                  "default value is an array")
    return 0 if _has_axis(thing) else None


def _has_axis(thing: Thing) -> bool:
    """Whether there is an array, or a container with one, that samples may lie in."""
    if isinstance(thing, Static):
        return isinstance(thing.value, np.ndarray) and thing.value.ndim > 0
    return any(type is not None and type.rank > 0 for type in map(type_of, leaves(thing)))


@dataclass(slots=True)
class _Batch:
    """The arguments of a mapped function; `count` is the number of samples."""

    tracer: Tracer
    count: Extent | None = None

    def argument(self, thing: Thing, axes: Any, what: str) -> Callable[[Tracer, Thing], Thing]:
        """What makes the argument of sample number k."""
        made = self._sampled(cells.frozen(self.tracer, thing), axes, what)
        return lambda inner, k: unfrozen(inner, made(inner, k))

    def _sampled(self, thing: Thing, axes: Any, what: str) -> Callable[[Tracer, Thing], Thing]:
        if isinstance(thing, Items):
            inside = axes if isinstance(axes, tuple) else (axes,) * len(thing.items)
            if len(inside) != len(thing.items):
                raise certain(ValueError)(f"vmap in_axes has {len(inside)} entries for {what}, "
                                          f"which has {len(thing.items)} parts")
            parts = [self._sampled(t, a, what) for t, a in zip(thing.items, inside, strict=True)]
            return lambda inner, k: Items(thing.kind, tuple(p(inner, k) for p in parts),
                                          thing.keys)
        atom = self.tracer.atom(thing)
        if axes is None or (atom is None and not isinstance(axes, tuple)):
            return lambda inner, k: apart(inner, thing)
        return self._part(thing, atom, axes, what)

    def _part(self, thing: Thing, atom: Atom | None, axis: Any, what: str,
              ) -> Callable[[Tracer, Thing], Thing]:
        if atom is None or not isinstance(axis, int):
            raise certain(TypeError)(f"vmap in_axes must be ints, None or tuples of these, nested "
                                     f"as {what} is")
        rank = atom.type.rank
        if not -rank <= axis < rank:
            raise certain(ValueError)(
                f"vmap was requested to map {what} along axis {axis}, but it has {rank} "
                f"dimension{'' if rank == 1 else 's'}")
        assert isinstance(atom, Value)
        axis %= rank
        self._check_count(self.tracer.builder.facts.of(atom)[axis])
        index: Index = (*(FULL,) * axis, "int", *(FULL,) * (rank - axis - 1))

        def sample(inner: Tracer, k: Thing) -> Thing:
            place = inner.atom(k)
            assert place is not None
            if rank == 1:
                return inner.builder.let("load", atom, place, name=atom.name, index=index)
            part = inner.builder.let("view", atom, place, name=atom.name, index=index)
            assert isinstance(part, Value)
            return fresh(part, thing)

        return sample

    def _check_count(self, extent: Extent) -> None:
        if self.count is None:
            self.count = extent
        self.tracer.builder.require_equal(self.count, extent, ValueError, [
            "vmap got inconsistent sizes for array axes to be mapped: ", self.count, " and ",
            extent])


# --- one row a sample ----------------------------------------------------------------------------


def each(tracer: Tracer, one: Callable[..., Thing], count: Atom, parallel: bool = False) -> Thing:
    """What `one(0)`, ..., `one(count - 1)` give, stacked along a new first axis."""
    loop = derivatives.each_in_parallel if parallel else derivatives.each
    if isinstance(count, Constant):                   # stays a loop, and is not written out
        count = tracer.builder.let("let", count, name="n")
    found = inline.function(tracer, loop, (Inner(one), count), {}, user=False)
    assert isinstance(found, Grown)
    stacks = iter([fresh(stacked(tracer, found, k)) for k in range(len(found.buffers))])
    return with_leaves(found.row, lambda _: next(stacks))


def sample(tracer: Tracer, one: Callable[..., Thing]) -> Thing:
    """What a call gives, as samples that only have types and shapes; nothing is computed."""
    inner = tracer.inner()
    index = inner.builder.let("let", integer(0), name="k")
    found = one(inner, (index,), {})
    row = row_of(inner, [found])
    made = {v for s in walk(inner.builder.block) for v in (*defined(s), *bound(s))}
    if row is None or any(mentions(e, made) for leaf in leaves(row)
                          for e in _extents(inner.builder, leaf)):
        tracer.refuse(*VARYING)
    return row


def _extents(builder: Builder, leaf: Thing) -> tuple[Extent, ...]:
    atom = atom_of(leaf)
    return () if atom is None else builder.facts.of(atom)


def _with_axes(tracer: Tracer, thing: Thing, axes: Any) -> Thing:
    """Stacked results with the batch along other axes."""
    if isinstance(thing, Items):
        inside = axes if isinstance(axes, tuple) else (axes,) * len(thing.items)
        if len(inside) != len(thing.items):
            raise certain(ValueError)(f"vmap out_axes has {len(inside)} entries for a result of "
                                      f"{len(thing.items)} parts")
        return Items(thing.kind, tuple(_with_axes(tracer, t, a) for t, a in zip(
            thing.items, inside, strict=True)), thing.keys)
    if not isinstance(thing, Handle) or axes == 0:
        return thing
    if not isinstance(axes, int) or not -thing.type.rank <= axes < thing.type.rank:
        raise certain(ValueError)(f"vmap out_axes={axes!r} is not an axis of a result with "
                                  f"{thing.type.rank} dimensions")
    moved = calls.call(tracer, Static(np.moveaxis), (thing, integer(0), constant_of(axes)), {})
    return calls.call(tracer, Static(np.copy), (moved,), {})


# --- sums over samples ---------------------------------------------------------------------------


def _reduced(tracer: Tracer, one: Callable[..., Thing], count: Atom, settings: Settings) -> Thing:
    """The sum or mean over the samples: of blocks in any order, of their sums in order."""
    builder = tracer.builder
    row = sample(tracer, one)
    size = builder.let("add", builder.let("floor_divide", builder.let(
        "subtract", count, integer(1)), integer(BLOCKS)), integer(1), name="size")
    size = builder.let("maximum", size, integer(1), name="size")
    blocks = builder.let("floor_divide", builder.let(
        "subtract", builder.let("add", count, size), integer(1)), size, name="blocks")

    def block(inner: Tracer, given: tuple[Thing, ...], _: Keywords) -> Thing:
        number = inner.atom(given[0])
        assert number is not None
        start = inner.builder.let("multiply", number, size, name="start")
        stop = inner.builder.let("minimum", inner.builder.let("add", start, size), count,
                                 name="stop")
        return _total(inner, one, row, start, stop)

    sums = each(tracer, block, blocks, settings.parallel)
    sampled = _Batch(tracer).argument(sums, 0, "a sum")

    def part(inner: Tracer, given: tuple[Thing, ...], _: Keywords) -> Thing:
        return sampled(inner, given[0])

    found = _total(tracer, part, row, integer(0), blocks)
    if settings.reduce == "mean":
        found = with_leaves(found, lambda leaf: _divided(tracer, leaf, count))
    return unfrozen(tracer, found)


def _total(tracer: Tracer, one: Callable[..., Thing], row: Thing, start: Atom, stop: Atom,
           ) -> Thing:
    def zero(inner: Tracer, _: tuple[Thing, ...], __: Keywords) -> Thing:
        return with_leaves(row, partial(_zero, inner))

    def add(inner: Tracer, given: tuple[Thing, ...], _: Keywords) -> Thing:
        others = iter(leaves(given[1]))

        def added(leaf: Thing) -> Thing:
            a, b = inner.atom(leaf), inner.atom(next(others))
            assert a is not None and b is not None
            b = inner.builder.cast(b, a.type.dtype)
            if not isinstance(a.type, Array):
                return inner.builder.let("add", a, b, name="total")
            return thing_of(inner.builder.let("add_at", a, b, name="total",
                                              index=everything(a.type.rank)))

        return with_leaves(given[0], added)

    return inline.function(tracer, derivatives.total, (
        Inner(one), Inner(zero), Inner(add), thing_of(start), thing_of(stop)), {}, user=False)


def _zero(tracer: Tracer, leaf: Thing) -> Thing:
    """What a sum of things like this one starts with; truth values are counted."""
    atom = atom_of(leaf)
    assert atom is not None
    dtype = "int64" if atom.type.dtype == "bool" else atom.type.dtype
    if not isinstance(atom.type, Array):
        return tracer.builder.cast(atom, dtype)
    return thing_of(tracer.builder.let("zeros", *tracer.builder.shape_atoms(atom), name="total",
                                       dtype=dtype))


def _divided(tracer: Tracer, leaf: Thing, count: Atom) -> Thing:
    atom = tracer.atom(leaf)
    assert atom is not None
    builder = tracer.builder
    number = builder.cast(count, atom.type.dtype)
    return thing_of(builder.let("divide", atom, number))
