"""One family of errors: each has a place in the user's source, a cause and a remedy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the user's source; lines count from 1, columns from 0 as in `ast`.

    `again`: what comes from there is the primal, computed again in the reverse sweep.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    function: str = ""
    again: bool = False

    def quoted(self) -> str:
        """The source on one line, as comments in generated code quote it."""
        lines = [line.strip() for line in self.text.splitlines()]
        return " ".join(line for line in lines if line)


class RetrogradError(Exception):
    """Base of all errors that retrograd itself raises."""


class Unsupported(RetrogradError):
    """The construct is refused: the message names the place, the cause and a remedy.

    Attributes
    ----------
    reason, remedy : str
    span : Span or None
        Where in the user's function; None where the source could not be read.
    """

    def __init__(self, reason: str, remedy: str, span: Span | None = None, line: str = "") -> None:
        self.reason = reason
        self.remedy = remedy
        self.span = span
        self.line = line
        super().__init__(self._render())

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.reason, self.remedy, self.span, self.line)

    def _render(self) -> str:
        text = self.reason
        if self.span is not None:
            span = self.span
            where = f'  File "{span.file}", line {span.line}, column {span.column + 1}'
            if span.function:
                where += f", in {span.function}"
            text += f"\n{where}"
            if self.line:
                text += f"\n    {self.line}\n    {self._caret()}"
        return f"{text}\n  remedy: {self.remedy}"

    def _caret(self) -> str:
        assert self.span is not None
        start = self.span.column
        end = self.span.end_column if self.span.end_line == self.span.line else len(self.line)
        stripped = len(self.line) - len(self.line.lstrip())
        start = max(start, stripped)
        return " " * start + "^" * max(1, min(end, len(self.line)) - start)


class InternalError(RetrogradError):
    """A bug in retrograd: a stage produced a program that breaks the rules of the IR."""
