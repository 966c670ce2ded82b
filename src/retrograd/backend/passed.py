"""Objects that compiled code hands to the interpreter: themselves, and no copies of them.

Numba pickles what an object mode block reads, and unpickles it when the block first runs. What
stands for the object here is pickled as a number in this process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_passed: dict[int, Passed] = {}


class Passed:
    """Calls `value`; one for each object, kept as long as the process runs."""

    def __init__(self, value: Callable[..., Any]) -> None:
        self.value = value

    def __call__(self, *args: Any) -> Any:
        return self.value(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (id(self.value),)


def _again(number: int) -> Passed:
    return _passed[number]


def passed(value: Callable[..., Any]) -> Passed:
    """What stands for an object."""
    return _passed.setdefault(id(value), Passed(value))
