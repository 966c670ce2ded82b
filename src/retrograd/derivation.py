"""What an object that retrograd made says of itself, so that the front end can call it.

`grad(f)` called inside a function that is differentiated, or differentiated itself, becomes part
of the program like any other function (`frontend/derived.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from retrograd.program import Position


@dataclass(frozen=True, slots=True)
class Derivation:
    """A transformation (`kind`) of a function, with respect to the parameters at `positions`."""

    kind: str
    function: Callable[..., Any]
    positions: tuple[Position, ...] = (0,)
    single: bool = True
    has_aux: bool = False
    holomorphic: bool = False
    settings: tuple[Any, ...] = ()
    returns: tuple[str, ...] = ()        # parameters whose last contents are results too


def derivation_of(function: Any) -> Derivation | None:
    """The derivation of an object that retrograd made; None of anything else."""
    return function.derivation if hasattr(type(function), "derivation") else None


def transforms(function: object) -> bool:
    """Whether this is a derivative, or one of the functions that make them."""
    return derivation_of(function) is not None or (
        getattr(function, "__module__", None) == "retrograd.api.transforms")
