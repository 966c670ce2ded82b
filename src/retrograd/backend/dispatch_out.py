"""Calls with `out=`: results are made in the caller's arrays, where that can be.

Compiled code for such calls takes memory for results as further arguments, and uses it where its
shape is that of the result. So arrays are handed over that are contiguous, aligned, writable, of
the result's dtype and rank, and certainly apart from all others in the call. A result that does
not lie where it should is copied there, or refused, by `written`, as after any other call. Where
every array fits there is a function of its own, of which this is the text for two results:

    def entry(leaves, out):
        a0, a1, = leaves
        if (type(out) is tuple and len(out) == 2 and type(v1 := out[0]) is ndarray and ...
                and (f := v1.flags.num & v2.flags.num) & 1281 == 1281
                and (f & a0.flags.num & a1.flags.num & 4 and v1 is not v2 and ...)):
            r0, r1 = call(a0, a1, v1, v2)
            return (r0, r1) if r0 is v1 and r1 is v2 else written((r0, r1), out)
        return other(leaves, out)
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

import numpy as np

from retrograd.api import outputs
from retrograd.backend.dispatch_results import Call, Names, calling, defined, passed
from retrograd.ir.types import Array, Type
from retrograd.trees import Leaf, Node, Tree

_FIT = 0x501                      # bits of flags.num: C order, aligned, writable
_OWN = 0x4                        # the array's memory is its own
_MOST_PAIRS = 64
_PLAIN: dict[str, type] = {"tuple": tuple, "list": list, "dict": dict}
Run = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Direct:
    """`call` takes leaves of `types` and then memory of these types for the results at these
    positions; `run(*leaves, *memory)` puts its results together."""

    call: Call
    types: tuple[Type, ...]
    memory: Mapping[int, Array]
    run: Run


class Into:
    """Calls a specialisation with its leaves and `out`.

    `run(*leaves)` gives fresh results, `written(results, out)` puts them into the arrays. `tree`
    is the part of the results that `out` mirrors. `make()` compiles, at the first call, what takes
    memory, where there is such a thing.
    """

    def __init__(self, run: Run, written: Callable[[Any, Any], Any], tree: Tree,
                 make: Callable[[], Direct | None]) -> None:
        self.run = run
        self.written = written
        self.tree = tree
        self.make = make
        self.direct: Direct | None = None
        self.fast: Callable[[Any, Any], Any] | None = None

    def __call__(self, leaves: tuple[Any, ...], out: Any) -> Any:
        if self.fast is None:
            self.direct = self.make()
            self.fast = fast_entry_into(self, self.direct) or self.slow
        return self.fast(leaves, out)

    def slow(self, leaves: Sequence[Any], out: Any) -> Any:
        """With whatever arrays there are."""
        if self.direct is None:
            return self.written(self.run(*leaves), out)
        given = self._given(leaves, out)
        memory = [_memory(given.get(k), type) for k, type in self.direct.memory.items()]
        return self.written(self.direct.run(*leaves, *memory), out)

    def _given(self, leaves: Sequence[Any], out: Any) -> dict[int, Any]:
        """The arrays in `out` that certainly share memory with no other array."""
        found: dict[int, Any] = {}
        with contextlib.suppress(TypeError, ValueError):         # `written` says what is wrong
            found = {k: a for k, (_, a) in outputs.targets(self.tree, out, "out")
                     if isinstance(a, np.ndarray)}
        arrays = [a for a in (*leaves, *found.values()) if isinstance(a, np.ndarray)]
        return {k: a for k, a in found.items() if apart(a, arrays)}


def apart(array: Any, arrays: Collection[Any]) -> bool:
    """Whether an array, which is once among others, certainly shares memory with no other."""
    owns = array.flags.num & _OWN
    seen = False
    for other in arrays:
        if other is array:
            if seen:
                return False
            seen = True
        elif not (owns and other.flags.num & _OWN) and np.may_share_memory(array, other):
            return False
    return True


def all_apart(targets: Collection[Any], arrays: Collection[Any]) -> bool:
    """Whether each of the targets shares memory with no other array."""
    return all(apart(target, (*targets, *arrays)) for target in targets)


def _memory(array: Any, type: Array) -> Any:
    """The memory for a result: the caller's, or of no use where that does not fit."""
    if array is not None and array.ndim == len(type.dims) and array.dtype == type.dtype \
            and array.flags.num & _FIT == _FIT and array.__class__ is np.ndarray:
        return array
    return np.empty((0,) * len(type.dims), type.dtype)


# --- the fast one ------------------------------------------------------------------------------


def fast_entry_into(into: Into, direct: Direct | None) -> Callable[..., Any] | None:
    """What is called where every part of `out` is an array that fits; None where there is no such
    call: where a result has no memory that can be given, or there are very many arrays."""
    if direct is None:
        return None
    names = Names(frozenset())
    found = _Targets(names, direct.memory)
    if not found.inside("out", into.tree):
        return None
    taken = [found.arrays[k] for k in direct.memory if k in found.arrays]
    leaves = [names.local(f"a{k}") for k in range(len(direct.types))]
    others = [a for a, t in zip(leaves, direct.types, strict=True)
              if isinstance(t, Array) and t.dims]
    if len(taken) < len(direct.memory) or len(taken) * (len(taken) + len(others)) > _MOST_PAIRS:
        return None
    found.tests.append(_apart(taken, others, names))
    given = [passed(a, t, direct.call, names) for a, t in zip(leaves, direct.types, strict=True)]
    *body, last = calling(direct.call, [*given, *taken], names)
    lies = " and ".join(f"{names.local(f'r{k}')} is {v}" for k, v in found.arrays.items())
    built = last.removeprefix("return ")
    other = f"{names.put('written', into.written)}({built}, out)"
    lines = ["def entry(leaves, out):",
             f"    {''.join(f'{a}, ' for a in leaves) or '()'} = leaves",
             f"    if {' and '.join(found.tests)}:",
             *(f"        {line}" for line in body),
             f"        return {built} if {lies} else {other}",
             f"    return {names.put('slow', into.slow)}(leaves, out)"]
    return defined(lines, names, "out")


def _apart(targets: Sequence[str], others: Sequence[str], names: Names) -> str:
    """The test that the targets are such memory, and share it with nothing: all arrays own theirs,
    and are different ones; or they are looked at one by one."""
    flags = names.local("f")
    fit = " & ".join(f"{v}.flags.num" for v in targets)
    owned = " & ".join([flags, *(f"{a}.flags.num" for a in others), str(_OWN)])
    pairs = " and ".join(f"{a} is not {b}" for a, b in (
        *combinations(targets, 2), *product(targets, others)))
    slow = names.put("all_apart", all_apart)
    tuples = ", ".join("(" + "".join(f"{a}, " for a in arrays) + ")"
                       for arrays in (targets, others))
    return (f"({flags} := {fit}) & {_FIT} == {_FIT} and "
            f"({owned}{' and ' + pairs if pairs else ''} or {slow}({tuples}))")


@dataclass(slots=True)
class _Targets:
    """The tests of `out`, and the variables of the arrays in it, by position of the result."""

    names: Names
    memory: Mapping[int, Array]
    tests: list[str] = field(default_factory=list)
    arrays: dict[int, str] = field(default_factory=dict)

    def inside(self, text: str, tree: Tree) -> bool:
        """Whether all that is in this part of `out` can be tested quickly."""
        match tree:
            case Leaf(position=position):
                return position in self.memory and self.array(text, position)
            case Node(kind=str() as kind, children=children, keys=keys) if children:
                local = self.names.fresh_local()
                put = self.names.put
                self.tests.append(
                    f"{put('type', type)}({local} := {text}) is {put(kind, _PLAIN[kind])} and "
                    f"{put('len', len)}({local}) == {len(children)}")
                if kind == "dict":
                    known = put(f"keys_{len(self.names.scope)}", frozenset(keys))
                    self.tests.append(f"{local}.keys() == {known}")
                steps = [put(f"key_{len(self.names.scope)}", key) for key in keys] \
                    if kind == "dict" else [str(k) for k in range(len(children))]
                return all([self.inside(f"{local}[{step}]", child)
                            for step, child in zip(steps, children, strict=True)])
            case _:
                return False

    def array(self, text: str, position: int) -> bool:
        local, put = self.names.fresh_local(), self.names.put
        kind = self.memory[position]
        dtype = put(f"dtype_{kind.dtype}", np.dtype(kind.dtype))
        self.tests.append(
            f"{put('type', type)}({local} := {text}) is {put('ndarray', np.ndarray)} and "
            f"{local}.dtype is {dtype} and {local}.ndim == {len(kind.dims)}")
        self.arrays[position] = local
        return True
