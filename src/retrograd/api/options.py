"""What users may ask of a derivative, beyond with respect to what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from retrograd.backend.numba_compile import CompileOptions


@dataclass(frozen=True, slots=True)
class Options:
    """The keyword-only options of `grad` and the other transformations; see `grad`."""

    has_aux: bool = False
    holomorphic: bool = False
    jit: bool = True
    parallel: bool = False
    fastmath: bool | Collection[str] = False
    boundscheck: bool = True
    cache: bool = True
    vector_math: bool = True
    returns: str | Sequence[str] = ()
    recompute: str | Sequence[str] = ()
    store: str | Sequence[str] = ()
    max_memory: float | None = None

    def __post_init__(self) -> None:
        for name in ("has_aux", "holomorphic", "jit", "parallel", "boundscheck", "cache",
                     "vector_math"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, got {getattr(self, name)!r}")
        if not isinstance(self.fastmath, bool):
            if isinstance(self.fastmath, str):
                raise TypeError("fastmath must be a bool or a set of flags")
            object.__setattr__(self, "fastmath", frozenset(self.fastmath))
        for name, what in (("returns", "parameter"), ("recompute", "variable"),
                           ("store", "variable")):
            object.__setattr__(self, name, _names(name, getattr(self, name), what))
        both = [n for n in self.recompute if n in self.store]
        if both:
            raise ValueError(f"{both[0]!r} is in recompute and in store")
        self._check_limit()

    def _check_limit(self) -> None:
        limit = self.max_memory
        if limit is None:
            return
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            raise TypeError(f"max_memory must be a number of bytes, got {limit!r}")
        if not limit >= 0:
            raise ValueError(f"max_memory must not be negative, got {limit!r}")

    @property
    def contents(self) -> tuple[str, ...]:
        """The parameters whose last contents are results."""
        return tuple(self.returns)

    def compile_options(self) -> CompileOptions:
        flags = self.fastmath if isinstance(self.fastmath, bool) else frozenset(self.fastmath)
        return CompileOptions(flags, self.cache, self.vector_math)


def _names(option: str, given: str | Sequence[str], what: str) -> tuple[str, ...]:
    """The names in an option that takes one or several."""
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, (tuple, list)) or not all(isinstance(n, str) for n in names):
        raise TypeError(f"{option} must be the name of a {what} or a tuple of names, got "
                        f"{given!r}")
    twice = [n for k, n in enumerate(names) if n in names[:k]]
    if twice:
        raise ValueError(f"{option} names {twice[0]!r} twice")
    return tuple(names)
