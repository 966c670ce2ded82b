"""No hidden copies, counted: a gradient copies and makes arrays in proportion to what the program
itself works with and stores, in loops and in all.

The generated NumPy source is run with every array counted that it makes or copies (`counting.py`),
and the program itself with its operands and stores. A whole array that is copied or made for the
sake of one element, in either sweep, would be many times what the program works with.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corpus.entry import Entry, sampled
from corpus.test_corpus import ENTRIES
from counting import of_gradient, of_program
from retrograd.ir.nodes import Let, Value
from retrograd.optimise.storage_conflicts import _Finder
from retrograd.optimise.storage_parts import NO_PARTS
from retrograd.optimise.storage_positions import Region

WRITING = [n for n, e in ENTRIES.items() if e.writes and not e.refused]
IN_LOOPS = 2.0         # bytes for a byte that is read by an operation, made or stored, in loops
ARRAYS = 3.0           # arrays for an array of these
IN_ALL = 3.5
STARTED = 512          # bytes: what grows in a loop starts with room for some elements


def excess(entry: Entry) -> list[str]:
    """In what a gradient makes more than the program accounts for."""
    with np.errstate(all="ignore"):
        program, found = of_program(entry), of_gradient(entry)
    arguments = sum(np.asarray(a).nbytes for a in entry.arguments[0])
    work = (program.used, program.made, program.stored)
    arrays, size = (sum(tally.again()[k] for tally in work) for k in (0, 1))
    tapes, copied = found.taped.total, program.copied.total + program.made.total
    limits = {
        "bytes copied": (found.copied.total,
                         2 * program.stored.total + copied + 4 * arguments),
        "bytes made": (found.made.total, IN_ALL * (sum(t.total for t in work) + arguments)
                       + 2 * tapes + STARTED),
        "arrays made in loops": (found.made.again()[0], ARRAYS * arrays + found.rows),
        "bytes made in loops": (found.made.again()[1], IN_LOOPS * size + tapes),
    }
    return [f"{what}: {made}, at most {limit}" for what, (made, limit) in limits.items()
            if made > limit]


@pytest.mark.parametrize("name", sampled(ENTRIES, WRITING))
def test_a_gradient_makes_no_more_than_the_program_accounts_for(name: str) -> None:
    assert not excess(ENTRIES[name])


# --- the test bites ------------------------------------------------------------------------------

Patch = pytest.MonkeyPatch


def _views_have_adjoints(patch: Patch) -> None:
    """The adjoint of a view that is made in a loop is an array of its own."""
    patch.setattr("retrograd.adjoint.reverse.receiver", lambda part, *_: part)


def _shapes_are_copied(patch: Patch) -> None:
    """An array in another shape is never written in place."""
    patch.setattr(_Finder, "whole", lambda self, value: value)


def _nothing_is_owned(patch: Patch) -> None:
    """Every write is a write into a copy."""
    owned = _Finder.owned

    def copied(self: _Finder, value: Value, region: Region) -> bool:
        made = self.positions.definition.get(value)
        return isinstance(made, Let) and made.op == "copy" and owned(self, value, region)

    patch.setattr(_Finder, "owned", copied)


def _parts_are_copied(patch: Patch) -> None:
    """What is stored into a part that has no index in its array changes a copy of the part."""
    patch.setattr("retrograd.optimise.storage_conflicts.parts_of", lambda *_: NO_PARTS)


def _views_are_copied(patch: Patch) -> None:
    """What is stored through any view changes a copy of the view and puts it back."""
    patch.setattr("retrograd.frontend.composing.composed", lambda *_: None)
    _parts_are_copied(patch)


@pytest.mark.parametrize("plant, name", [
    (_views_have_adjoints, "views_shapes-parts_read_through_views_made_in_the_loop"),
    (_shapes_are_copied, "views_shapes-blocks_and_base_in_turns"),
    (_nothing_is_owned, "views-view_kept_across_a_loop"),
    (_nothing_is_owned, "stores-early_exit_from_nested_loops"),
    (_views_are_copied, "views_shapes-recurrence_through_a_view"),
    (_parts_are_copied, "views_shapes-corner_of_a_large_part"),
])
def test_a_planted_copy_is_found(plant: Callable[[Patch], None], name: str,
                                 monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setenv("RETROGRAD_CACHE_DIR", str(tmp_path))
    assert not excess(ENTRIES[name])
    monkeypatch.setenv("RETROGRAD_CACHE_DIR", str(tmp_path / "planted"))
    plant(monkeypatch)
    assert any("in loops" in what for what in excess(ENTRIES[name]))
