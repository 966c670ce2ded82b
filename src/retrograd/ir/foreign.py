"""Functions that are called as they are: retrograd does not know what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """A function of the user's that generated source calls by `name`.

    `value` is what Python calls; `direct` is what compiled code can call, if anything (else it
    goes through the interpreter). `module` is where `value` is found under its name, if anywhere.
    """

    name: str
    value: Any
    direct: Any = None
    module: str | None = None

    def __repr__(self) -> str:
        return self.name
