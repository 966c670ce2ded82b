"""What may be said to `hvp`, `jacobian` and `vmap`: the same outside programs and in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Axes = int | tuple[Any, ...] | None


def jacobian_settings(mode: str = "auto") -> tuple[str]:
    """Raises ValueError for an unknown mode."""
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"mode must be 'auto', 'forward' or 'reverse', got {mode!r}")
    return (mode,)


def vmap_settings(in_axes: Any = 0, out_axes: Any = 0, reduce: str | None = None,
                  parallel: bool = False) -> tuple[Axes, Axes, str | None, bool]:
    """Raises TypeError for axes of wrong types, ValueError for what does not go together."""
    if reduce not in (None, "sum", "mean"):
        raise ValueError(f"reduce must be 'sum', 'mean' or None, got {reduce!r}")
    if reduce is not None and out_axes != 0:
        raise ValueError("with reduce there is no axis of samples: leave out_axes out")
    return _axes(in_axes, "in_axes"), _axes(out_axes, "out_axes"), reduce, parallel


def _axes(axes: Any, name: str) -> Axes:
    """Axes as nested tuples of ints and None."""
    if isinstance(axes, (tuple, list)):
        return tuple(_axes(a, name) for a in axes)
    if axes is None or (isinstance(axes, int) and not isinstance(axes, bool)):
        return axes
    raise TypeError(f"{name} must be an int, None or a tuple of these, got {axes!r}")


SETTINGS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "jacobian": jacobian_settings, "vmap": vmap_settings}


def check_one_argument(argnums: Any, argnames: Any) -> None:
    """`hvp` takes one direction."""
    if isinstance(argnums, (tuple, list)) or isinstance(argnames, (tuple, list)):
        raise TypeError("hvp differentiates with respect to one argument: put several arrays "
                        "into a tuple or a dict")


def check_no_aux(name: str, options: Mapping[str, Any]) -> None:
    """Only gradients come with something beside them."""
    if "has_aux" in options:
        raise TypeError(f"{name} has no has_aux: write a function that returns the value alone")
