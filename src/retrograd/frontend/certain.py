"""Exceptions that are certain while compiling: the program raises them where it gets there.

An index that is out of range whatever the numbers are is no reason to refuse a function whose
other path is taken. `raise certain(IndexError)("...")` unwinds the front end to the statement or
the arm of a conditional being traced, which then ends in that exception.
"""

from __future__ import annotations

from collections.abc import Callable

from retrograd.ir.build import Builder
from retrograd.ir.nodes import Raise


class Certain(Exception):
    """What is being traced raises `exception` when it is executed (None: one whose message is
    only known then). `said` tells that the program says so already."""

    def __init__(self, exception: BaseException | None, said: bool = False) -> None:
        self.exception = exception
        self.said = said
        super().__init__(str(exception))

    def say(self, builder: Builder) -> None:
        """Let the block end in the exception."""
        if self.said or self.exception is None:
            return
        exception = self.exception
        text = str(exception.args[0]) if isinstance(exception, KeyError) else str(exception)
        builder.append(Raise(type(exception), (text,), builder.origin))


def certain(kind: type[Exception]) -> Callable[[object], Certain]:
    """`raise certain(ValueError)("message")`."""
    return lambda message: Certain(kind(message))
