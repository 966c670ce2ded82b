"""Lowering: array operations become explicit loops over scalar operations, for Numba.

The way in is `lower`. `statements` walks the program; `context` decides what is in memory;
`lazy` is an array as a function of indices; `nest` and `scope` write loops.
"""

from retrograd.backend.lowering.statements import lower

__all__ = ["lower"]
