"""What the front end asks for when an int must be known while compiling."""

from __future__ import annotations


class NeedStatic(Exception):
    """These int parameters or captured ints must be known while compiling."""

    def __init__(self, names: tuple[str, ...], captures: tuple[str, ...] = ()) -> None:
        self.names = names
        self.captures = captures
        super().__init__(f"must be known while compiling: {', '.join(names + captures)}")
