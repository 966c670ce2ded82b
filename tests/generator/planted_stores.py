"""Mistakes of aliasing, storage and planning, planted one at a time; `BUGS` are all, with those of
`planted.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from generator.planted import BUGS as BUGS
from generator.planted import bug
from retrograd.adjoint import reverse, stores
from retrograd.adjoint.activity import overwrites
from retrograd.adjoint.residuals import demand
from retrograd.adjoint.sweep import Sweep
from retrograd.backend.lowering import selection
from retrograd.backend.lowering import stores as lowered_stores
from retrograd.frontend import composing, memory, storing
from retrograd.ir.extents import Extent
from retrograd.ir.index import Slice
from retrograd.ir.nodes import Let, Value
from retrograd.optimise import ascending, fuse, storage_conflicts, storage_sharing

# --- who looks into whose memory (front end) ---------------------------------------------------


@bug(4, "writes")
def an_alias_is_not_rebound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name goes on seeing what its array held when the name was bound."""
    real = memory.Memory.current
    monkeypatch.setattr(memory.Memory, "current", lambda self, handle, builder:
                        real(self, handle, builder) if handle.path else handle.value)


@bug(4, "writes")
def a_view_is_not_rebound(monkeypatch: pytest.MonkeyPatch) -> None:
    real = memory.Memory.current
    monkeypatch.setattr(memory.Memory, "current", lambda self, handle, builder:
                        handle.value if handle.path else real(self, handle, builder))


@bug(4, "writes")
def a_write_through_a_view_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    real = storing._stored

    def stored(tracer: Any, content: Value, path: Any, *rest: Any) -> Value:
        return content if path else real(tracer, content, path, *rest)

    monkeypatch.setattr(storing, "_stored", stored)


@bug(4, "writes")
def a_store_through_a_view_forgets_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "_start", lambda *_: Extent(0))


@bug(60, "writes")
def a_store_through_a_reversed_view_counts_upwards(monkeypatch: pytest.MonkeyPatch) -> None:
    real = composing._axis

    def axis(tracer: Any, outer: Any, *rest: Any) -> Any:
        item, atoms = outer
        if isinstance(item, Slice) and item.step < 0 and not item.start:
            outer = (replace(item, step=-item.step), atoms)
        return real(tracer, outer, *rest)

    monkeypatch.setattr(composing, "_axis", axis)


@bug(4, "writes")
def a_transposed_store_is_not_turned_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "_through_transpose", lambda view, wanted: wanted)


@bug(110, "writes")
def what_may_be_the_same_array_never_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.Memory, "conflict", lambda *_: None)


@bug(15, "writes")
def duplicates_of_an_augmented_store_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "advanced", lambda index: False)


@bug(4, "writes")
def a_view_of_the_old_content_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen through a name is remembered, whatever was written since."""
    real = memory.Memory.current

    def current(self: Any, handle: Any, builder: Any) -> Any:
        for (_, other), value in self.seen.items():
            if other is handle:
                return value
        return real(self, handle, builder)

    monkeypatch.setattr(memory.Memory, "current", current)


# --- adjoints of stores ------------------------------------------------------------------------


def _stored(monkeypatch: pytest.MonkeyPatch, change: Callable[[Let], Let | None]) -> None:
    real = reverse.Reverse.stored

    def stored(self: Any, let: Let, g: Any, array: Value, sweep: Sweep) -> None:
        new = change(let)
        if new is None:
            self.accumulate(array, g, sweep)
        else:
            real(self, new, g, array, sweep)

    monkeypatch.setattr(reverse.Reverse, "stored", stored)


@bug(4, "writes")
def the_adjoint_of_a_store_is_not_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    _stored(monkeypatch, lambda let: replace(let, op="add_at") if not overwrites(let) else let)


@bug(4, "writes")
def the_adjoint_of_an_addition_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    _stored(monkeypatch, lambda let: replace(let, op="update"))


@bug(4, "writes")
def the_stored_value_gets_no_adjoint(monkeypatch: pytest.MonkeyPatch) -> None:
    _stored(monkeypatch, lambda let: None if let.op == "add_at" else let)


@bug(12, "writes")
def every_writer_counts_as_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "advanced", lambda index: "array" in index)
    real = stores.part_of_adjoint

    def part(builder: Any, let: Let, g: Any, atoms: Any) -> Any:
        return real(builder, replace(let, op="add_at"), g, atoms)

    monkeypatch.setattr(reverse, "part_of_adjoint", part)


@bug(15, "writes")
def the_first_writer_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The elements of an index leave their numbers last one first."""
    real = stores._last_writers

    def backwards(builder: Any, *rest: Any) -> Any:
        def let(op: str, *args: Any, **options: Any) -> Any:
            if op == "update":
                args = (args[0], *(turned(a) if a.type.rank else a for a in args[1:]))
            return type(builder).let(builder, op, *args, **options)

        def turned(atom: Any) -> Any:
            return type(builder).let(builder, "view", atom,
                                     index=(Slice(step=-1),) * atom.type.rank)

        with monkeypatch.context() as patch:
            patch.setattr(builder, "let", let, raising=False)
            return real(builder, *rest)

    monkeypatch.setattr(stores, "_last_writers", backwards)


# --- storage -----------------------------------------------------------------------------------


@bug(110, "writes")
def a_reshape_is_taken_for_new_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    real = storage_sharing.is_view
    for module in (storage_sharing, storage_conflicts):
        monkeypatch.setattr(module, "is_view", lambda s: real(s) and s.op != "reshape")


@bug(6, "writes")
def an_argument_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_conflicts._Finder, "owned", lambda self, value, region:
                        not self.is_view(value)
                        and self.positions.home[value].loop is region.loop)


@bug(300, "stores")
def an_array_from_outside_the_loop_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_conflicts._Finder, "owned", lambda self, value, region:
                        value not in self.params and not self.is_view(value))


@bug(4, "writes")
def a_view_across_a_write_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    real = storage_conflicts._Finder.in_the_way
    monkeypatch.setattr(storage_conflicts._Finder, "in_the_way",
                        lambda *args: (real(*args)[0], []))


@bug(300, "stores")
def two_slots_take_over_one_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_conflicts._Finder, "beside",
                        lambda self, atoms, taken: [[] for _ in atoms])


@bug(20, "writes")
def results_share_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_conflicts._Finder, "returns", lambda *_: None)


@bug(10, "writes")
def writes_are_not_followed_through_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    real = storage_sharing.written

    def written(function: Any, accumulations: Any) -> Any:
        found = real(function, accumulations)
        operands = {s.args[0] for s in storage_sharing.walk(function.body)
                    if isinstance(s, Let) and s.op in storage_sharing.TAKES_OVER}
        return frozenset(found & operands)

    monkeypatch.setattr(storage_conflicts, "written", written)


# --- residuals ---------------------------------------------------------------------------------


@bug(30, "writes")
def a_load_reads_a_later_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """An element is loaded again from what the array holds after the store that follows."""
    real = demand.Residuals._recompute

    def recompute(self: Any, let: Let, home: Sweep, *builder: Any) -> Any:
        if let.op == "load":
            for later in self.places.lets.values():
                if later.op in ("update", "add_at") and later.args[0] is let.args[0]:
                    let = replace(let, args=(later.result, *let.args[1:]))
                    break
        return real(self, let, home, *builder)

    monkeypatch.setattr(demand.Residuals, "_recompute", recompute)


# --- passes and lowering -----------------------------------------------------------------------


@bug(6, "writes")
def every_loop_runs_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ascending, "_free", lambda loop, known: True)


@bug(6, "lowered writes")
def loops_are_fused_across_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuse._Line, "movable", lambda *_: True)


@bug(15, "lowered writes")
def the_right_side_is_read_while_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowered_stores, "_evaluated",
                        lambda context, scope, value, base, chosen: value)


@bug(15, "lowered writes")
def a_backward_slice_is_stored_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    real = selection.Selection._along

    def along(self: Any, scope: Any, axis: Any, indices: Any) -> Any:
        if isinstance(axis, selection.Step) and axis.step < 0:
            axis = replace(axis, step=-axis.step, start=selection.integer(0))
        return real(self, scope, axis, indices)

    monkeypatch.setattr(selection.Selection, "_along", along)
