"""The entry of one specialisation: a Python function with the user's own signature.

It tests that the arguments are those that the code was compiled for, calls the machine code
directly (which checks nothing), and puts the results together. Everything else goes to `slow`.
The text for `value_and_grad` of a function of a float and a matrix:

    def entry(x, A, *, out=None):
        if type(x) is float and type(A) is ndarray and A.dtype is d0 and A.flags.num & 259 ...:
            r0, r1, r2 = call(x, A)
            return (r0, (r1, r2))
        return slow((x, A), out)

`run`, beside it, takes the leaves of arguments that were tested already.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from retrograd.api.types import comparable_by_identity
from retrograd.ir.types import Array, Scalar, Type
from retrograd.program import Capture, Failure, Guard, Known
from retrograd.trees import Fixed, Leaf, Node, Tree

Param = Type | Known | tuple[Type | Known, ...]
_PYTHON = {"float64": "float", "int64": "int", "bool": "bool", "complex128": "complex"}
_ORDER = {"C": "& 257 == 257", "F": "& 259 == 258", "A": "& 259 == 256"}   # bits of flags.num


@dataclass(frozen=True, slots=True)
class Call:
    """How the function behind an entry is called.

    `compiled`: it returns flat leaves after a status, where it can fail; otherwise it returns
    its results as they are nested, and NumPy's warnings are silenced around it. `targets` are
    the types of the results as the user gets them.
    """

    function: Callable[..., Any]
    structure: Tree
    targets: tuple[Type, ...]
    compiled: bool
    failures: tuple[Failure, ...] = ()
    integers: int = 0
    floats: int = 0


@dataclass(slots=True)
class Names:
    """A namespace for generated code, with names that the user's parameters do not have."""

    taken: frozenset[str]
    scope: dict[str, Any] = field(default_factory=dict)
    prefix: str = "_rg"
    any_layout: bool = False

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


def slow_entry(signature: inspect.Signature, name: str,
               slow: Callable[[tuple[Any, ...], Any], Any]) -> Callable[..., Any]:
    """The entry before anything is compiled: binds the arguments and hands them to `slow`."""
    names = Names(frozenset(signature.parameters))
    lines = [_definition(signature, names), f"    {_slow(signature, names, slow)}"]
    return _defined(lines, names, name)


def fast_entry(signature: inspect.Signature, name: str, params: Sequence[Param], call: Call, *,
               captures: Sequence[Capture], guards: Sequence[Guard],
               slow: Callable[[tuple[Any, ...], Any], Any],
               any_layout: bool = False) -> Callable[..., Any] | None:
    """The entry of a specialisation; None where its static arguments cannot be tested quickly.

    Code for strided arrays takes contiguous ones too, only more slowly: with `any_layout` it
    gets them, otherwise they go to `slow`, for code of their own.
    """
    names = Names(frozenset(signature.parameters), any_layout=any_layout)
    tests, leaves = [], []
    for parameter, param in zip(signature.parameters, params, strict=True):
        if isinstance(param, tuple):
            tests.append(f"{names.put('len', len)}({parameter}) == {len(param)}")
            entries = [(f"{parameter}[{k}]", p) for k, p in enumerate(param)]
        else:
            entries = [(parameter, param)]
        for text, entry in entries:
            test = _test(text, entry, names)
            if test is None:
                return None
            tests.append(test)
            if not isinstance(entry, Known):
                leaves.append(_passed(text, entry, call, names))
    for guard in guards:
        read = names.put(f"read_{len(names.scope)}", guard.read)
        tests.append(_same(f"{read}()", guard.value, names))
    for k, capture in enumerate(captures):
        local = names.local(f"c{k}")
        read = names.put(f"capture_{k}", capture.read)
        test = _test(local, capture.type, names)
        assert test is not None
        tests.append(test.replace(local, f"({local} := {read}())", 1))
        leaves.append(_passed(local, capture.type, call, names))
    body = _indent(_calling(call, leaves, names), 8)
    if "out" not in signature.parameters:
        tests.insert(0, "out is None")
    lines = [_definition(signature, names), f"    if {' and '.join(tests) or 'True'}:", *body,
             f"    {_slow(signature, names, slow)}"]
    return _defined(lines, names, name)


def runner(name: str, types: Sequence[Type], call: Call) -> Callable[..., Any]:
    """`run(*leaves)`: calls with arguments of exactly these types."""
    names = Names(frozenset())
    arguments = [f"a{k}" for k in range(len(types))]
    leaves = [_passed(a, t, call, names) for a, t in zip(arguments, types, strict=True)]
    lines = [f"def entry({', '.join(arguments)}):", *_indent(_calling(call, leaves, names), 4)]
    return _defined(lines, names, name)


def guard_holds(guard: Guard) -> bool:
    """Whether a static value from outside is still what the code was compiled for."""
    now, then = guard.read(), guard.value
    return now is then or bool(type(now) is type(then) and _is_plain(then) and now == then)


# --- arguments -----------------------------------------------------------------------------


def _definition(signature: inspect.Signature, names: Names) -> str:
    parameters = []
    for parameter in signature.parameters.values():
        bare = parameter.replace(annotation=inspect.Parameter.empty)
        if parameter.default is not inspect.Parameter.empty:
            default = names.put(f"default_{parameter.name}", parameter.default)
            bare = bare.replace(default=_Verbatim(default))
        parameters.append(bare)
    if "out" not in signature.parameters:
        parameters.append(inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None))
    return f"def entry{inspect.Signature(parameters)}:"


class _Verbatim:
    """A default that `str(signature)` prints as the name it stands for."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _slow(signature: inspect.Signature, names: Names,
          slow: Callable[[tuple[Any, ...], Any], Any]) -> str:
    values = "".join(f"{p}, " for p in signature.parameters)
    out = "None" if "out" in signature.parameters else "out"
    return f"return {names.put('slow', slow)}(({values}), {out})"


def _test(text: str, param: Type | Known, names: Names) -> str | None:
    """An expression that is true only for arguments that this type stands for."""
    match param:
        case Known(value=value):
            if comparable_by_identity(value) or _is_plain(value):
                return _same(text, value, names)
            return None
        case Scalar(dtype=dtype, weak=True):
            return f"{_type_of(text, names)} is {names.put(_PYTHON[dtype], _python(dtype))}"
        case Scalar(dtype=dtype):
            return f"{_type_of(text, names)} is {names.put(dtype, np.dtype(dtype).type)}"
        case Array(dtype=dtype, dims=dims, layout=layout):
            array = names.put("ndarray", np.ndarray)
            same = names.put(f"dtype_{dtype}", np.dtype(dtype))
            order = "& 256" if layout == "A" and names.any_layout else _ORDER[layout]
            return (f"{_type_of(text, names)} is {array} and {text}.dtype is {same} and "
                    f"{text}.flags.num {order} and {_extents(text, dims)}")


def _type_of(text: str, names: Names) -> str:
    return f"{names.put('type', type)}({text})"


def _extents(text: str, dims: tuple[int | None, ...]) -> str:
    rank = f"{text}.ndim == {len(dims)}"
    if 1 not in dims:
        return f"{rank} and 1 not in {text}.shape" if dims else rank
    each = [f"{text}.shape[{k}] {'==' if d == 1 else '!='} 1" for k, d in enumerate(dims)]
    return " and ".join([rank, *each])


def _same(text: str, value: Any, names: Names) -> str:
    constant = names.put(f"known_{len(names.scope)}", value)
    if _is_plain(value):
        kind = names.put(f"type_{type(value).__name__}", type(value))
        return f"({_type_of(text, names)} is {kind} and {text} == {constant})"
    return f"{text} is {constant}"


def _is_plain(value: Any) -> bool:
    """Immutable data whose equality, once the types agree, is identity."""
    if type(value) is tuple:
        return all(_is_plain(v) and type(v) is not bool for v in value)
    return type(value) in (bool, int, str, bytes)


def _passed(text: str, type: Type, call: Call, names: Names) -> str:
    """How the function gets an argument: uncompiled code gets NumPy's floats, never Python's."""
    if not call.compiled and isinstance(type, Scalar) and type.weak and type.dtype in (
            "float64", "complex128"):
        return f"{names.put(f'strong_{type.dtype}', np.dtype(type.dtype).type)}({text})"
    return text


def _python(dtype: str) -> type:
    return {"float64": float, "int64": int, "bool": bool, "complex128": complex}[dtype]


# --- results -------------------------------------------------------------------------------


def _calling(call: Call, leaves: list[str], names: Names) -> list[str]:
    """The call, the exception that it may report, and the return of its results."""
    called = f"{names.put('call', call.function)}({', '.join(leaves)})"
    results = [names.local(f"r{k}") for k in range(len(call.targets))]
    if not call.compiled:
        result = names.local("r")
        paths = {k: path for k, path in _paths(call.structure, result, names)}
        texts = [paths.get(k, "None") for k in range(len(call.targets))]
        quiet = names.put("errstate", np.errstate)
        return [f"with {quiet}(all='ignore'):", f"    {result} = {called}",
                f"return {_built(call.structure, texts, call, names)}"]
    lines = [*_unpacked(call, called, results, names)]
    return [*lines, f"return {_built(call.structure, results, call, names)}"]


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
        fail = names.put("fail", _Failing(call.failures, call.integers))
        values = "".join(f"{p}, " for p in targets[1:len(targets) - len(results)])
        lines.append(f"if {targets[0]}: raise {fail}({targets[0]}, ({values}))")
    return lines


class _Failing:
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
        return str(payload[position + (self.integers if kind == "f" else 0)])


def _paths(tree: Tree, text: str, names: Names) -> list[tuple[int, str]]:
    """Where each leaf stands in a nested result."""
    match tree:
        case Leaf(position=position):
            return [(position, text)]
        case Fixed():
            return []
        case Node(kind=kind, children=children, keys=keys):
            found = []
            for k, child in enumerate(children):
                index = names.put(f"key_{len(names.scope)}", keys[k]) if kind == "dict" else str(k)
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
            if kind == "tuple":
                return "(" + "".join(f"{item}, " for item in items) + ")"
            return "[" + ", ".join(items) + "]"


def _converted(text: str, target: Type, call: Call, names: Names) -> str:
    match target:
        case Scalar(dtype=dtype, weak=True):
            if call.compiled:                     # Numba returns Python's numbers
                return text
            return f"{names.put(f'python_{dtype}', _python(dtype))}({text})"
        case Scalar(dtype=dtype):
            return f"{names.put(f'numpy_{dtype}', np.dtype(dtype).type)}({text})"
        case Array(dims=(), dtype=dtype):
            array = names.put("array", np.array)
            return f"{array}({text}, {names.put(f'dtype_{dtype}', np.dtype(dtype))})"
        case Array():
            return text


# --- text ----------------------------------------------------------------------------------


def _indent(lines: list[str], by: int) -> list[str]:
    return [" " * by + line for line in lines]


def _defined(lines: list[str], names: Names, name: str) -> Callable[..., Any]:
    scope = dict(names.scope)
    exec(compile("\n".join(lines) + "\n", f"<retrograd entry of {name}>", "exec"), scope)
    entry: Callable[..., Any] = scope["entry"]
    entry.__name__ = entry.__qualname__ = name
    return entry
