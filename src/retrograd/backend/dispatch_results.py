"""The inner part of an entry: the call of the derivative, and how its results are put together.

    s, p0, r0, r1 = call(x, A)              compiled code returns its status first, if it can fail
    if s: raise fail(s, (p0,))
    return (r0, (float32(r1),))             nested, and of the types that the user gets
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from retrograd import containers
from retrograd.backend.dispatch_limit import Limit
from retrograd.backend.dispatch_writes import last_contents
from retrograd.ir.types import Array, Generator, Scalar, Type
from retrograd.program import Failure, Written
from retrograd.trees import Fixed, Leaf, Node, Tree


@dataclass(frozen=True, slots=True)
class Call:
    """How the function behind an entry is called.

    `compiled`: it returns flat leaves after a status, where it can fail; otherwise it returns
    its results as they are nested, and NumPy's warnings are silenced around it. `targets` are
    the types of the results as the user gets them; `visible` is the part of `structure` that
    they get, if not all. `written` are the arguments that the user's function writes into;
    `limit` is what the residuals may take.
    """

    function: Callable[..., Any]
    structure: Tree
    targets: tuple[Type, ...]
    compiled: bool
    failures: tuple[Failure, ...] = ()
    integers: int = 0
    floats: int = 0
    written: tuple[Written, ...] = ()
    visible: Tree | None = None
    limit: Limit | None = None


@dataclass(slots=True)
class Names:
    """A namespace for generated code, with names that the user's parameters do not have."""

    taken: frozenset[str]
    scope: dict[str, Any] = field(default_factory=dict)
    prefix: str = "_rg"
    any_layout: bool = False
    locals: int = 0

    def __post_init__(self) -> None:
        while any(name.startswith(self.prefix) for name in self.taken):
            self.prefix += "_"

    def put(self, name: str, value: Any) -> str:
        """A name for this value in generated code."""
        full = f"{self.prefix}_{name}"
        self.scope[full] = value
        return full

    def local(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def fresh_local(self) -> str:
        """A variable for a part of an argument."""
        self.locals += 1
        return self.local(f"v{self.locals}")


def defined(lines: list[str], names: Names, name: str) -> Callable[..., Any]:
    """The function `entry` of this text, under the name that it stands for."""
    scope = dict(names.scope)
    exec(compile("\n".join(lines) + "\n", f"<retrograd entry of {name}>", "exec"), scope)
    entry: Callable[..., Any] = scope["entry"]
    entry.__name__ = entry.__qualname__ = name
    return entry


def passed(text: str, type: Type, call: Call, names: Names) -> str:
    """How the function gets an argument: uncompiled code gets NumPy's floats, never Python's."""
    if not call.compiled and isinstance(type, Scalar) and type.weak and type.dtype in (
            "float64", "complex128"):
        return f"{names.put(f'strong_{type.dtype}', np.dtype(type.dtype).type)}({text})"
    return text


def python_type(dtype: str) -> type:
    return {"float64": float, "int64": int, "bool": bool, "complex128": complex}[dtype]


def calling(call: Call, leaves: list[str], names: Names) -> list[str]:
    """The call, the exception that it may report, and the return of its results; where an
    argument has a last content among them, it gets that before."""
    called = f"{names.put('call', call.function)}({', '.join(leaves)})"
    results = [names.local(f"r{k}") for k in range(len(call.targets))]
    if not call.compiled:
        result = names.local("r")
        paths = {k: path for k, path in _paths(call.structure, result, names)}
        texts = [paths.get(k, "None") for k in range(len(call.targets))]
        quiet = names.put("errstate", np.errstate)
        lines = [f"with {quiet}(all='ignore'):", f"    {result} = {called}"]
    else:
        texts = results
        lines = _unpacked(call, called, results, names)
    lines += last_contents(call.written, leaves, texts, names)
    visible = call.structure if call.visible is None else call.visible
    built = _built(visible, texts, call, names)
    if lines == [f"{', '.join(results)} = {called}"] and built == _as_returned(results):
        return [f"return {called}"]
    return [*lines, f"return {built}"]


def _as_returned(results: Sequence[str]) -> str:
    """What compiled code returns that has these results and no status."""
    return results[0] if len(results) == 1 else _tuple(results)


def _tuple(items: Sequence[str]) -> str:
    return "(" + "".join(f"{item}, " for item in items) + ")"


def _unpacked(call: Call, called: str, results: list[str], names: Names) -> list[str]:
    if not call.failures:
        targets = results
    else:
        payload = [names.local(f"p{k}") for k in range(call.integers + call.floats)]
        targets = [names.local("s"), *payload, *results]
    if not targets:
        return [called]
    lines = [f"{', '.join(targets)} = {called}"]
    if call.failures:
        fail = names.put("fail", Failing(call.failures, call.integers))
        values = "".join(f"{p}, " for p in targets[1:len(targets) - len(results)])
        lines.append(f"if {targets[0]}: raise {fail}({targets[0]}, ({values}))")
    return lines


class Failing:
    """Makes the exception that a status stands for."""

    def __init__(self, failures: tuple[Failure, ...], integers: int) -> None:
        self.failures = failures
        self.integers = integers

    def __call__(self, status: int, payload: tuple[Any, ...]) -> BaseException:
        failure = self.failures[status - 1]
        if not failure.message:
            return failure.exception()
        return failure.exception("".join(self._part(p, payload) for p in failure.message))

    def _part(self, part: str | tuple[str, int], payload: tuple[Any, ...]) -> str:
        if isinstance(part, str):
            return part
        kind, position = part
        if kind == "i":
            return str(payload[position])
        first = position + self.integers
        return str(payload[first] if kind == "f" else complex(*payload[first:first + 2]))


def _paths(tree: Tree, text: str, names: Names) -> list[tuple[int, str]]:
    """Where each leaf stands in a nested result."""
    match tree:
        case Leaf(position=position):
            return [(position, text)]
        case Fixed():
            return []
        case Node(kind=kind, children=children, keys=keys):
            keyed = kind == "dict" or containers.is_dataclass(kind)    # as `trees.plain` says
            found = []
            for k, child in enumerate(children):
                index = names.put(f"key_{len(names.scope)}", keys[k]) if keyed else str(k)
                found += _paths(child, f"{text}[{index}]", names)
            return found


def _built(tree: Tree, texts: Sequence[str], call: Call, names: Names) -> str:
    """An expression for the results, nested and of the types that the user gets."""
    match tree:
        case Leaf(position=position):
            return _converted(texts[position], call.targets[position], call, names)
        case Fixed(value=value):
            return names.put(f"fixed_{len(names.scope)}", value)
        case Node(kind=kind, children=children, keys=keys):
            items = [_built(child, texts, call, names) for child in children]
            if kind == "dict":
                keyed = [names.put(f"key_{len(names.scope)}", key) for key in keys]
                pairs = [f"{key}: {item}" for key, item in zip(keyed, items, strict=True)]
                return "{" + ", ".join(pairs) + "}"
            if kind == "list":
                return "[" + ", ".join(items) + "]"
            if isinstance(kind, str):
                return _tuple(items)
            make = names.put(f"make_{len(names.scope)}", containers.maker(kind, keys))
            return f"{make}({_tuple(items)})"


def _converted(text: str, target: Type, call: Call, names: Names) -> str:
    match target:
        case Scalar(dtype=dtype, weak=True):
            if call.compiled:                     # Numba returns Python's numbers
                return text
            return f"{names.put(f'python_{dtype}', python_type(dtype))}({text})"
        case Scalar(dtype=dtype):
            return f"{names.put(f'numpy_{dtype}', np.dtype(dtype).type)}({text})"
        case Array(dims=(), dtype=dtype):
            array = names.put("array", np.array)
            return f"{array}({text}, {names.put(f'dtype_{dtype}', np.dtype(dtype))})"
        case Array() | Generator():
            return text
