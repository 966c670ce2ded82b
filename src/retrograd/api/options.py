"""What users may ask of a derivative, beyond with respect to what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from retrograd.backend.numba_compile import CompileOptions
from retrograd.errors import Unsupported


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

    def __post_init__(self) -> None:
        if self.parallel:
            raise Unsupported("parallel=True is not available in this release",
                              "leave it out, and call the gradient from several threads: "
                              "compiled code on arrays releases the interpreter's lock")
        for name in ("has_aux", "holomorphic", "jit", "boundscheck", "cache", "vector_math"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, got {getattr(self, name)!r}")
        if not isinstance(self.fastmath, bool):
            if isinstance(self.fastmath, str):
                raise TypeError("fastmath must be a bool or a set of flags")
            object.__setattr__(self, "fastmath", frozenset(self.fastmath))
        object.__setattr__(self, "returns", _names(self.returns))

    @property
    def contents(self) -> tuple[str, ...]:
        """The parameters whose last contents are results."""
        return tuple(self.returns)

    def compile_options(self) -> CompileOptions:
        flags = self.fastmath if isinstance(self.fastmath, bool) else frozenset(self.fastmath)
        return CompileOptions(flags, self.cache)


def _names(returns: str | Sequence[str]) -> tuple[str, ...]:
    """The names in `returns`, one or several."""
    names = (returns,) if isinstance(returns, str) else returns
    if not isinstance(names, (tuple, list)) or not all(isinstance(n, str) for n in names):
        raise TypeError(f"returns must be the name of a parameter or a tuple of names, got "
                        f"{returns!r}")
    twice = [n for k, n in enumerate(names) if n in names[:k]]
    if twice:
        raise ValueError(f"returns names {twice[0]!r} twice")
    return tuple(names)
