"""What was compiled, for people: signatures, reasons, and a warning where there are too many."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

from retrograd import containers
from retrograd.api.types import param_key
from retrograd.ir.types import FLOAT, INT, Scalar
from retrograd.program import Container, Known, Param

_TOO_MANY = 8


class RecompilationWarning(UserWarning):
    """One function is compiled again and again, because values that must be known change."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One specialisation, for people: what was compiled, why, and how long it took.

    `types` has one text a parameter; `seconds` counts the derivation and the compilation.
    """

    types: tuple[str, ...]
    reason: str
    seconds: float


@dataclass(slots=True)
class Records:
    """The specialisations of one function, in order."""

    names: tuple[str, ...]
    all: list[Signature] = field(default_factory=list)
    static_changes: int = 0
    warned: bool = False

    def reason(self, before: Sequence[Param] | None, params: Sequence[Param], first: str) -> str:
        """Why code is made for these types, after that for those `before`."""
        if before is None or not self.all:
            return first
        changes = []
        for name, old, new in zip(self.names, before, params, strict=True):
            if param_key(old) != param_key(new):
                changes.append(f"{name}: {text(old)} became {text(new)}")
                self.static_changes += isinstance(old, Known) and isinstance(new, Known)
        return ", ".join(changes) or "a captured value changed its type or identity"

    def add(self, params: Sequence[Param], reason: str, seconds: float) -> None:
        self.all.append(Signature(tuple(map(text, params)), reason, seconds))

    def warn(self, name: str) -> None:
        """Warn, once, where values that must be known while compiling keep changing."""
        if self.static_changes >= _TOO_MANY and not self.warned:
            self.warned = True
            warnings.warn(
                f"{name} was compiled {len(self.all)} times, because values that must be "
                f"known while compiling change; the last time: {self.all[-1].reason}",
                RecompilationWarning, stacklevel=6)


def text(param: Param) -> str:
    """What an argument is, for people."""
    if isinstance(param, Container):
        return _container(param)
    if isinstance(param, Known):
        shown = repr(param.value)
        return f"={shown if len(shown) <= 40 else shown[:37] + '...'}"
    python = {FLOAT: "float", INT: "int", Scalar("complex128", weak=True): "complex"}
    return python[param] if isinstance(param, Scalar) and param in python else str(param)


def _container(param: Container) -> str:
    parts = [text(p) for p in param.parts]
    if param.kind == "dict":
        return "{" + ", ".join(f"{k!r}: {p}" for k, p in zip(param.keys, parts, strict=True)) + "}"
    if param.kind == "list":
        return f"[{', '.join(parts)}]"
    name = "" if isinstance(param.kind, str) else param.kind.__name__
    if containers.is_dataclass(param.kind) or containers.is_named_tuple(param.kind):
        parts = [f"{k}={p}" for k, p in zip(param.keys, parts, strict=True)]
    return f"{name}({', '.join(parts)})"
