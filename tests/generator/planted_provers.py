"""Proofs about indices and loops with one condition left out, planted one at a time; `BUGS` are
all, with those of `planted_stores.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from generator.planted import bug
from generator.planted_stores import BUGS as BUGS
from retrograd.adjoint.residuals import (
    answers,
    carried,
    limits,
    lineage,
    tapes,
    triangles,
    versions,
)
from retrograd.ir.facts import Facts
from retrograd.ir.index import Slice
from retrograd.ir.nodes import Constant
from retrograd.optimise import disjoint, element

# --- what is final -----------------------------------------------------------------------------


@bug(110, "fronts")
def bounds_of_a_later_iteration_are_those_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions.Versions, "_made_in", lambda self, loop: frozenset())


@bug(20, "fronts")
def a_later_iteration_has_the_same_indices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions.Versions, "_later", lambda *_: None)


@bug(400, "fronts")
def an_index_of_unknown_sign_counts_from_the_front(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions.Versions, "_front", lambda self, atom, extent:
                        self.facts.integer(atom))


@bug(350, "fronts")
def a_slice_ends_after_its_first_element(monkeypatch: pytest.MonkeyPatch) -> None:
    real = versions.Versions.spans

    def spans(self: Any, array: Any, index: Any, atoms: Any) -> Any:
        found = real(self, array, index, atoms)
        items = [item for item in index if item != "new"]
        return tuple((span[0], span[0]) if span is not None and isinstance(item, Slice) else span
                     for item, span in zip(items, found, strict=True))

    monkeypatch.setattr(versions.Versions, "spans", spans)


@bug(170, "corpus")
def whatever_becomes_of_an_array_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage.Lineage, "holds", lambda *_: True)


# --- what is restored, counted and taped -------------------------------------------------------


@bug(130, "fronts")
def every_int_that_grows_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    real = carried.counter

    def counter(value: Any, places: Any, facts: Facts) -> Any:
        found = real(value, places, facts)
        slot = next((c for c in carried._slots(value, places) if c.inner is value), None)
        if found is None and slot is not None and value.type == carried.INT:
            return carried.Counter(slot.init, 1)
        return found

    monkeypatch.setattr(answers, "counter", counter)


@bug(10, "fronts")
def a_count_is_largest_where_its_index_is(monkeypatch: pytest.MonkeyPatch) -> None:
    real = limits.Limits._term

    def term(self: Any, term: Any) -> Any:
        span = real(self, term)
        return None if span is None else (span[1], span[1])

    monkeypatch.setattr(limits.Limits, "_term", term)


@bug(300, "fronts")
def a_triangle_always_grows_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    real = triangles.triangle

    def triangle(*args: Any) -> Any:
        found = real(*args)
        return found and replace(found, slope=1)

    monkeypatch.setattr(tapes, "triangle", triangle)


# --- which elements are others -----------------------------------------------------------------


@bug(10, "lowered fronts")
def places_of_unknown_sign_count_from_the_front(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disjoint.Elements, "front", lambda self, atom: self.facts.integer(atom))


@bug(16, "lowered fronts")
def different_names_are_different_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disjoint.Elements, "_differ", lambda self, x, y: not (
        isinstance(x, Constant) and isinstance(y, Constant)) or x.value != y.value)


@bug(16, "lowered fronts")
def an_element_is_followed_past_unknown_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(element.Elements, "apart", lambda self, a, b: not self.same(a, b))
