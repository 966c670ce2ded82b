"""The entry of one specialisation: a Python function with the user's own signature.

It tests that the arguments are those that the code was compiled for, calls the machine code
directly (which checks nothing), and puts the results together. Everything else goes to `slow`.
The text for `value_and_grad` of a function of a float and a matrix:

    def entry(x, A, *, out=None):
        if type(x) is float and type(A) is ndarray and A.dtype is d0 and A.flags.num & 259 ...:
            if out is not None: return into((x, A), out)
            r0, r1, r2 = call(x, A)
            return (r0, (r1, r2))
        return slow((x, A), out)

`run`, beside it, takes the leaves of arguments that were tested already.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from retrograd import containers
from retrograd.api.types import comparable_by_identity
from retrograd.backend.dispatch_limit import within
from retrograd.backend.dispatch_results import Call, Names, calling, defined, passed, python_type
from retrograd.backend.dispatch_writes import apart
from retrograd.ir.types import FLOAT, Array, Generator, Scalar, Type
from retrograd.program import Capture, Container, Guard, Known, Param

_PLAIN: dict[str, type] = {"tuple": tuple, "list": list, "dict": dict}
_PYTHON = {"float64": "float", "int64": "int", "bool": "bool", "complex128": "complex"}
_ORDER = {"C": "& 257 == 257", "F": "& 259 == 258", "A": "& 259 == 256"}   # bits of flags.num


def slow_entry(signature: inspect.Signature, name: str,
               slow: Callable[[tuple[Any, ...], Any], Any]) -> Callable[..., Any]:
    """The entry before anything is compiled: binds the arguments and hands them to `slow`."""
    names = Names(frozenset(signature.parameters))
    lines = [_definition(signature, names), f"    {_slow(signature, names, slow)}"]
    return defined(lines, names, name)


def fast_entry(signature: inspect.Signature, name: str, params: Sequence[Param], call: Call, *,
               captures: Sequence[Capture], guards: Sequence[Guard],
               slow: Callable[[tuple[Any, ...], Any], Any],
               into: Callable[[tuple[Any, ...], Any], Any], numbers: Collection[int] = (),
               any_layout: bool = False) -> Callable[..., Any] | None:
    """The entry of a specialisation; None where its static arguments cannot be tested quickly.

    With `out`, `into(leaves, out)` makes the call. Parameters at the positions `numbers` are floats
    that may be given as ints.

    Code for strided arrays takes contiguous ones too, only more slowly: with `any_layout` it
    gets them, otherwise they go to `slow`, for code of their own.
    """
    names = Names(frozenset(signature.parameters), any_layout=any_layout)
    tests: list[str] = []
    leaves: list[str] = []
    for position, (parameter, param) in enumerate(
            zip(signature.parameters, params, strict=True)):
        found = taken_apart(parameter, param, names)
        if found is None:
            return None
        if position in numbers and param == FLOAT:
            found.tests[-1] += f" or {_type_of(parameter, names)} is {names.put('int', int)}"
            found.tests[-1] = f"({found.tests[-1]})"
        tests += found.tests
        leaves += [passed(text, type, call, names) for text, type in found.leaves]
    for guard in guards:
        tests.append(_holding(guard, names))
    for k, capture in enumerate(captures):
        local = names.local(f"c{k}")
        test = _test(local, capture.type, names)
        assert test is not None
        tests.append(_taken(test, local, _present(capture, names)))
        leaves.append(passed(local, capture.type, call, names))
    lines = [*apart(call.written, leaves, names), *within(call.limit, leaves, names)]
    if "out" not in signature.parameters:
        values = "".join(f"{leaf}, " for leaf in leaves)
        lines.append(f"if out is not None: return {names.put('into', into)}(({values}), out)")
    lines += calling(call, leaves, names)
    lines = [_definition(signature, names), f"    if {' and '.join(tests) or 'True'}:",
             *_indent(lines, 8), f"    {_slow(signature, names, slow)}"]
    return defined(lines, names, name)


def runner(name: str, types: Sequence[Type], call: Call) -> Callable[..., Any]:
    """`run(*leaves)`: calls with arguments of exactly these types."""
    names = Names(frozenset())
    arguments = [f"a{k}" for k in range(len(types))]
    leaves = [passed(a, t, call, names) for a, t in zip(arguments, types, strict=True)]
    lines = [f"def entry({', '.join(arguments)}):", *_indent(calling(call, leaves, names), 4)]
    return defined(lines, names, name)


def guard_holds(guard: Guard) -> bool:
    """Whether a static value from outside is still what the code was compiled for."""
    now, then = guard.read(), guard.value
    return now is then or bool(type(now) is type(then) and _is_plain(then) and now == then)


def _holding(guard: Guard, names: Names) -> str:
    """The test that a guard holds; what it reads is read once."""
    local = names.fresh_local()
    return _taken(_same(local, guard.value, names), local, _present(guard, names))


def _present(outside: Guard | Capture, names: Names) -> str:
    """An expression for the present value of something outside the function."""
    if outside.place is None:
        return f"{names.put(f'read_{len(names.scope)}', outside.read)}()"
    return outside.place.expression(
        lambda name, value: names.put(f"{name}_{len(names.scope)}", value))


def _taken(test: str, local: str, text: str) -> str:
    """The same test, which gives its variable the value of an expression first."""
    return test.replace(local, f"({local} := {text})", 1)


# --- containers ----------------------------------------------------------------------------


@dataclass(slots=True)
class Apart:
    """The tests of an argument, and expressions for the leaves in it."""

    tests: list[str] = field(default_factory=list)
    leaves: list[tuple[str, Type]] = field(default_factory=list)

    def add(self, other: Apart) -> None:
        self.tests += other.tests
        self.leaves += other.leaves


def taken_apart(text: str, param: Param, names: Names, inside: bool = False) -> Apart | None:
    """How an argument is tested and taken apart; None where that cannot be done quickly. What is
    `inside` a container is looked up once, where it is first tested."""
    if isinstance(param, Container):
        return _container(text, param, names, inside)
    local = names.fresh_local() if inside else text
    test = _test(local, param, names)
    if test is None:
        return None
    if inside:
        test = _taken(test, local, text)
    return Apart([test], [] if isinstance(param, Known) else [(local, param)])


def _container(text: str, param: Container, names: Names, inside: bool) -> Apart | None:
    kind, keys = param.kind, param.keys
    if not isinstance(kind, str) and kind in containers.REGISTERED:
        return None                                   # its own function takes it apart
    local = names.fresh_local() if inside else text
    cls = _PLAIN[kind] if isinstance(kind, str) else kind
    put = names.put(f"class_{len(names.scope)}", cls)
    first = f"({local} := {text})" if inside else text
    found = Apart([f"{names.put('type', type)}({first}) is {put}"])
    if kind == "dict":
        if any(type(key) is not str for key in keys):
            return None                               # 1, 1.0 and True are equal
        found.tests.append(f"{names.put('tuple', tuple)}({local}) == "
                           f"{names.put(f'keys_{len(names.scope)}', keys)}")
    elif isinstance(kind, str):
        found.tests.append(f"{names.put('len', len)}({local}) == {len(param.parts)}")
    by_name = containers.is_dataclass(kind)
    for k, part in enumerate(param.parts):
        if kind == "dict":
            step = f"[{names.put(f'key_{len(names.scope)}', keys[k])}]"
        else:
            step = f".{keys[k]}" if by_name else f"[{k}]"
        inner = taken_apart(local + step, part, names, inside=True)
        if inner is None:
            return None
        found.add(inner)
    return found


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
            return f"{_type_of(text, names)} is {names.put(_PYTHON[dtype], python_type(dtype))}"
        case Scalar(dtype=dtype):
            return f"{_type_of(text, names)} is {names.put(dtype, np.dtype(dtype).type)}"
        case Generator():
            return f"{_type_of(text, names)} is {names.put('Generator', np.random.Generator)}"
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


# --- text ----------------------------------------------------------------------------------


def _indent(lines: list[str], by: int) -> list[str]:
    return [" " * by + line for line in lines]
