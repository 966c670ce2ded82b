"""Python's cyclic collector, off while much is made that stays.

A compiler makes many small objects and hardly any cycles, and looking through all of them again
and again takes as long as compiling them (a third of the time for 10,000 statements). An import
makes only what stays; one collection of all that Numba has made takes longer than the import.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Leave the collector off meanwhile, if it was on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
