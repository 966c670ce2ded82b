"""The table of residuals for example arguments: what the reverse sweep reads, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retrograd.backend.dispatch_limit import bytes_at
from retrograd.program import Residual
from retrograd.report import table

_HEAD = ("variable", "line", "source", "answer", "why", "bytes/iteration", "bytes")
_RIGHT = (1, 5, 6)
_LONGEST = 44


@dataclass(frozen=True, slots=True)
class Row:
    """One primal value that the reverse sweep reads.

    `variable` is the user's name, empty for a part of an expression; `file`, `line` and `text`
    say where it is from (None and empty for arguments). `answer` is how the reverse sweep has it:

        keep        it is still there
        final       the array element that it is, or is stored in, is not overwritten later
        recompute   it is computed again
        restore     the writes to its array are undone
        store       it waits on a tape

    `bytes_an_iteration` and `bytes_total` are what is stored for it; None where that is not
    known before the function runs.
    """

    variable: str
    file: str | None
    line: int | None
    text: str
    answer: str
    why: str
    bytes_an_iteration: int | None
    bytes_total: int | None


@dataclass(frozen=True, slots=True)
class Residuals:
    """What the reverse sweep reads of the primal, for arguments of given shapes; `print` it.

    `rows` are in program order. Nothing of the function has been run.
    """

    rows: tuple[Row, ...]

    @property
    def total(self) -> int | None:
        """The bytes that are stored in all; None where a trip count is not known."""
        known = [r.bytes_total for r in self.rows if r.bytes_total is not None]
        return sum(known) if len(known) == len(self.rows) else None

    def __str__(self) -> str:
        return table.text(_HEAD, self._cells(_LONGEST), _RIGHT, self._foot())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return table.html(_HEAD, self._cells(None), _RIGHT, (0, 2), self._foot())

    def _cells(self, longest: int | None) -> list[tuple[str, ...]]:
        return [(r.variable or "(part)", "" if r.line is None else str(r.line),
                 _short(r.text, longest), r.answer, r.why, _bytes(r.bytes_an_iteration),
                 _bytes(r.bytes_total)) for r in self.rows]

    def _foot(self) -> tuple[str, ...]:
        return ("total", "", "", "", "", "", _bytes(self.total) or "0")


def residuals_of(table: Sequence[Residual], leaves: Sequence[Any]) -> Residuals:
    """The table for these arguments, one a parameter of the first unit."""
    return Residuals(tuple(_row(entry, leaves) for entry in table))


def _row(entry: Residual, leaves: Sequence[Any]) -> Row:
    span = entry.span
    each, total = (None if t is None else bytes_at(t, leaves) for t in (entry.each, entry.total))
    lines = span.text.splitlines() if span is not None else []
    return Row(entry.variable, None if span is None else span.file,
               None if span is None else span.line, lines[0].strip() if lines else "",
               entry.answer, entry.why, each, total)


def _short(text: str, longest: int | None) -> str:
    return text if longest is None or len(text) <= longest else text[:longest - 3] + "..."


def _bytes(count: int | None) -> str:
    """A number of bytes; nothing for none."""
    if count is None:
        return "unknown"
    return f"{count:,}" if count else ""
