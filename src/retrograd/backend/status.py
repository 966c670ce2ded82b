"""How compiled code fails: it returns a number and what the message needs, and raises nothing.

Numba leaks what was allocated when an exception leaves compiled code. A compiled function that
can fail returns (status, ints, floats, results); its caller raises the failure of that number
(counted from 1; 0 is success).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from retrograd.ir.effects import SILENT, exception_of, message_of
from retrograd.ir.nodes import Atom, Effect, Function, Raise, walk
from retrograd.ir.types import kind
from retrograd.program import Failure

Message = tuple[str | Atom, ...]


@dataclass(eq=False, slots=True)
class Failures:
    """The failures of one function, equal ones once, and the most payload that one has."""

    known: dict[Failure, int] = field(default_factory=dict)
    integers: int = 0
    floats: int = 0

    def __bool__(self) -> bool:
        return bool(self.known)

    @property
    def all(self) -> tuple[Failure, ...]:
        return tuple(self.known)

    def number(self, exception: type[BaseException], message: Message) -> int:
        parts: list[str | tuple[str, int]] = []
        counts = {"i": 0, "f": 0}
        width = {"i": 1, "f": 1, "c": 2}
        for part in message:
            if isinstance(part, str):
                parts.append(part)
            else:
                letter = payload_kind(part)
                among = "i" if letter == "i" else "f"
                parts.append((letter, counts[among]))
                counts[among] += width[letter]
        self.integers = max(self.integers, counts["i"])
        self.floats = max(self.floats, counts["f"])
        return self.known.setdefault(Failure(exception, tuple(parts)), len(self.known) + 1)


def payload_kind(atom: Atom) -> str:
    """Whether a part of a message travels among the ints, as a float or as two floats."""
    return {"f": "f", "c": "c"}.get(kind(atom.type.dtype), "i")


def message_atoms(message: Sequence[str | Atom]) -> list[Atom]:
    return [part for part in message if not isinstance(part, str)]


def failures_of(function: Function) -> Failures:
    """All failures of a function, numbered in the order of its statements."""
    failures = Failures()
    for statement in walk(function.body):
        if isinstance(statement, Raise):
            failures.number(statement.exception, statement.message)
        elif isinstance(statement, Effect) and statement.kind not in SILENT:
            failures.number(exception_of(statement), message_of(statement))
    return failures
