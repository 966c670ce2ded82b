"""Specialisations of one derivative: made when argument types are met for the first time."""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import time
import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retrograd.api import stored
from retrograd.api.options import Options
from retrograd.api.parameters import Wanted, check_returns, place_name
from retrograd.api.types import Param, accepts, canonical, differentiated, param_key, type_of
from retrograd.backend import execute
from retrograd.backend.dispatch import fast_entry, guard_holds, runner
from retrograd.backend.dispatch_limit import Limit, require_known, require_within
from retrograd.backend.dispatch_results import Call
from retrograd.backend.dispatch_writes import put_back, require_apart
from retrograd.backend.numba_compile import compiler_lock
from retrograd.errors import InternalError, Unsupported
from retrograd.frontend.need import NeedStatic
from retrograd.ir.types import FLOAT, INT, Array, Scalar, Type
from retrograd.program import (
    GRAD,
    PRIMAL,
    VALUE_AND_GRAD,
    VJP,
    Capture,
    Known,
    Position,
    Program,
    Request,
    Unit,
    param_at,
)
from retrograd.trees import Node, Tree

if TYPE_CHECKING:
    from retrograd.api.residuals import Residuals

_TOO_MANY = 8


class RecompilationWarning(UserWarning):
    """One function is compiled again and again, because values that must be known change."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One specialisation, for people: what was compiled, why, and how long it took.

    `types` has one text a parameter; `seconds` counts the derivation and the compilation.
    """

    types: tuple[str, ...]
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Specialisation:
    """A derivative for one tuple of argument types.

    `run(*leaves)` calls the first unit (the only one but for a vjp); `entry` does so for the
    user's own signature after testing every argument. `backward` is the second unit of a vjp.
    """

    request: Request
    program: Program
    run: Callable[..., Any]
    entry: Callable[..., Any] | None
    targets: tuple[Type, ...]
    backward: Callable[..., Any] | None = None
    limit: Limit | None = None

    def holds(self) -> bool:
        """Whether what the program took from outside is still of the same types and identity."""
        return (all(map(guard_holds, self.program.guards))
                and all(accepts(c.type, type_of(c.read())) for c in self.program.captures))

    def leaves(self, values: Sequence[Any]) -> list[Any]:
        """The arguments as the code takes them: without static ones, with captured ones.

        Raises Unsupported where one that is written may share memory with another, and where
        more would be stored than `max_memory` allows.
        """
        given = given_leaves(self.request.params, values)
        captured = [_read(capture) for capture in self.program.captures]
        require_apart(self.program.units[0].written, [*(v for v, _ in given), *captured])
        leaves = [*(canonical(v, p) for v, p in given), *captured]
        require_within(self.limit, leaves)
        return leaves

    def called(self, values: Sequence[Any]) -> Any:
        """The first unit's results for these arguments."""
        leaves = self.leaves(values)
        result = self.run(*leaves)
        given = [v for v, _ in given_leaves(self.request.params, values)]
        put_back(self.program.units[0].written, given, leaves)
        return result


def given_leaves(params: Sequence[Param], values: Sequence[Any]) -> list[tuple[Any, Type]]:
    """The arguments that are not static, one by one, and their types."""
    found: list[tuple[Any, Type]] = []
    for value, param in zip(values, params, strict=True):
        pairs = zip(value, param, strict=True) if isinstance(param, tuple) else ((value, param),)
        found += [(v, p) for v, p in pairs if not isinstance(p, Known)]
    return found


@dataclass(frozen=True, slots=True)
class _Derived:
    """A program; `fresh` says that it was derived now and not loaded from disk."""

    request: Request
    program: Program
    fresh: bool


class Specialiser:
    """All specialisations of one product of one function; safe to use from many threads."""

    def __init__(self, function: Callable[..., Any], signature: inspect.Signature, name: str,
                 *, product: str, wanted: Wanted, options: Options,
                 written: Callable[[Any, Any], Any] | None = None) -> None:
        check_returns(signature, options.contents, name)
        self.function = function
        self.signature = signature
        self.name = name
        self.product = product
        self.wanted = wanted
        self.options = options
        self._written = written                     # puts results into the caller's arrays
        self.records: list[Signature] = []
        self.latest: Specialisation | None = None
        self._names = tuple(signature.parameters)
        self._static_changes = 0
        self._warned = False
        self._static: set[str] = set()              # int parameters that must be known
        self._known_captures: set[str] = set()
        self._table: dict[Hashable, list[Specialisation]] = {}
        self._lock = threading.RLock()

    def for_values(self, values: Sequence[Any],
                   slow: Callable[[tuple[Any, ...], Any], Any]) -> Specialisation:
        """The specialisation for these arguments (one a parameter), compiled if it is new."""
        return self.for_params(self.params_of(values), values, slow, "first call")

    def for_params(self, params: tuple[Param, ...], values: Sequence[Any] | None,
                   slow: Callable[[tuple[Any, ...], Any], Any], first: str,
                   declared: bool = False) -> Specialisation:
        """The specialisation for these types.

        `values` (or those of them that are not None) decide ints that must be known. What was
        `declared` with arrays of any layout serves all layouts.
        """
        found = self._find(params, values)
        if found is None:
            with self._making(), self._lock:
                found = self._find(params, values)
                if found is None:
                    found = self._make(params, values, slow, first, declared)
        self.latest = found
        return found

    def made(self) -> list[Specialisation]:
        """All specialisations so far."""
        with self._lock:
            return list(dict.fromkeys(s for found in self._table.values() for s in found))

    def _making(self) -> contextlib.AbstractContextManager[Any]:
        return compiler_lock() if self.options.jit else contextlib.nullcontext()

    def params_of(self, values: Sequence[Any]) -> tuple[Param, ...]:
        """The types of the arguments, one entry a parameter."""
        params: list[Param] = []
        for position, (name, value) in enumerate(zip(self._names, values, strict=True)):
            parameter = self.signature.parameters[name]
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                inside = self.wanted.within(position)
                params.append(tuple(
                    self.differentiated((position, k), type_of(v)) if k in inside else type_of(v)
                    for k, v in enumerate(value)))
            elif position in self.wanted.positions:
                params.append(self.differentiated(position, type_of(value)))
            else:
                params.append(type_of(value))
        return tuple(params)

    def differentiated(self, place: Position, param: Type | Known) -> Type | Known:
        """The type of a differentiated argument; for a vjp without argnums, of any argument."""
        if self.product == PRIMAL:
            return param
        return differentiated(param, place_name(self.signature, place))

    def program(self, params: tuple[Param, ...], values: Sequence[Any] | None) -> Program:
        """The derivative's source for these types, without compiling it."""
        with self._lock:
            return self._derived(params, values).program

    def residuals(self, values: Sequence[Any]) -> Residuals:
        """The table of residuals for these arguments, without compiling or running anything."""
        from retrograd.api.residuals import residuals_of

        with self._lock:
            derived = self._derived(self.params_of(values), values)
        given = given_leaves(derived.request.params, values)
        return residuals_of(derived.program.residuals, [
            *(canonical(v, p) for v, p in given), *map(_read, derived.program.captures)])

    # --- looking up ------------------------------------------------------------------------

    def _find(self, params: tuple[Param, ...],
              values: Sequence[Any] | None) -> Specialisation | None:
        known = self._with_static(params, values)
        for candidate in self._table.get(_key(known), ()):
            if candidate.holds():
                return candidate
        relaxed = tuple(_any_layout(p) for p in known)
        for candidate in self._table.get(("declared", _key(relaxed)), ()):
            if candidate.holds():
                return candidate
        return None

    def _with_static(self, params: tuple[Param, ...],
                     values: Sequence[Any] | None) -> tuple[Param, ...]:
        """The same parameters, with the values of those that must be known."""
        if not self._static:
            return params
        known: list[Param] = []
        for k, (name, param) in enumerate(zip(self._names, params, strict=True)):
            if name in self._static and not isinstance(param, (Known, tuple)):
                if values is None or values[k] is None:
                    raise Unsupported(f"the value of {name!r} must be known while compiling",
                                      f"give example arguments: .source({', '.join(self._names)})")
                known.append(Known(int(values[k])))
            else:
                known.append(param)
        return tuple(known)

    # --- making ----------------------------------------------------------------------------

    def _make(self, params: tuple[Param, ...], values: Sequence[Any] | None,
              slow: Callable[[tuple[Any, ...], Any], Any], first: str,
              declared: bool) -> Specialisation:
        began = time.perf_counter()
        derived = self._derived(params, values)
        request, program = derived.request, derived.program
        unit = program.units[0]
        targets = self._targets(unit, request)
        limit = self._limit(program)
        call = replace(self.call(unit, targets), limit=limit)
        captured = tuple(c.type for c in program.captures)
        types = (*_flat(request.params), *captured)
        entry = None if self._written is None else fast_entry(
            self.signature, self.name, request.params, call, captures=program.captures,
            guards=program.guards, slow=slow, written=self._written,
            numbers=[p for p in self.wanted.positions if isinstance(p, int)], any_layout=declared)
        made = Specialisation(request, program, runner(self.name, types, call), entry, targets,
                              self._backward(request, program), limit)
        if derived.fresh and self._on_disk():
            stored.store(request, program)
        reason = self._reason(request.params, first)
        keys: list[Hashable] = [_key(request.params)]
        if declared:
            keys.append(("declared", _key(request.params)))
        for key in keys:
            self._table.setdefault(key, []).insert(0, made)
        seconds = time.perf_counter() - began
        texts = tuple(_text(p) for p in request.params)
        self.records.append(Signature(texts, reason, seconds))
        self._warn()
        return made

    def _limit(self, program: Program) -> Limit | None:
        most = self.options.max_memory
        if most is None or self.product == PRIMAL:
            return None
        limit = Limit(most, program.residuals)
        require_known(limit)
        return limit

    def _derived(self, params: tuple[Param, ...],
                 values: Sequence[Any] | None) -> _Derived:
        while True:
            request = self._request(self._with_static(params, values))
            try:
                program = stored.load(request) if self._on_disk() else None
                return _Derived(request, program or self._traced(request), program is None)
            except NeedStatic as need:
                self._note_static(need.names, need.captures, params)

    def _traced(self, request: Request) -> Program:
        from retrograd.pipeline import derive

        try:
            program = derive(request)
        except NeedStatic as need:
            if self._on_disk():
                stored.store_need(request, need)
            raise
        units = tuple(replace(u, lowered=functools.cache(u.lowered)) for u in program.units)
        return replace(program, units=units)

    def _on_disk(self) -> bool:
        return self.options.jit and self.options.cache

    def _request(self, params: tuple[Param, ...]) -> Request:
        return Request(
            self.function, self.product, params, self.wanted.positions, self.wanted.single,
            self.options.has_aux, self.options.holomorphic,
            tuple((name, None) for name in sorted(self._known_captures)),
            self.options.boundscheck, self.options.contents, tuple(self.options.recompute),
            tuple(self.options.store), self.options.parallel)

    def _note_static(self, names: tuple[str, ...], captures: tuple[str, ...],
                     params: tuple[Param, ...]) -> None:
        """Remember that these must be known; refuse what cannot be, or was known already."""
        new = {n for n in names if n not in self._static}
        for name in new:
            param = params[self._names.index(name)] if name in self._names else None
            if not isinstance(param, Scalar) or param.dtype not in ("int32", "int64"):
                raise Unsupported(f"the value of {name!r} must be known while compiling",
                                  "pass it as a parameter that is a Python int")
        if not new and set(captures) <= self._known_captures:
            raise Unsupported(f"the value of {', '.join(names + captures)} must be known while "
                              "compiling, but follows from values that are not", "pass an int")
        self._static |= new
        self._known_captures |= set(captures)

    def _targets(self, unit: Unit, request: Request) -> tuple[Type, ...]:
        if self.product not in (GRAD, VALUE_AND_GRAD):
            return unit.results
        wanted = tuple(param_at(request.params, p) for p in self.wanted.positions)
        part: Tree = unit.readable.structure
        if self.product == VALUE_AND_GRAD or self.options.has_aux:
            assert isinstance(part, Node)
            part = part.children[1 if self.product == VALUE_AND_GRAD else 0]
        return execute.result_types(unit, part, wanted)  # type: ignore[arg-type]

    def _backward(self, request: Request, program: Program) -> Callable[..., Any] | None:
        if self.product != VJP:
            return None
        unit = program.units[1]
        wanted = tuple(param_at(request.params, p) for p in self.wanted.positions)
        targets = execute.result_types(
            unit, unit.readable.structure, wanted)  # type: ignore[arg-type]
        return runner(self.name, unit.params, self.call(unit, targets))

    def call(self, unit: Unit, targets: tuple[Type, ...]) -> Call:
        """A unit, compiled or not as the options say."""
        if self.options.jit:
            return execute.compiled(unit, self.options.compile_options(), targets)
        return execute.interpreted(unit, targets)

    # --- telling ---------------------------------------------------------------------------

    def _reason(self, params: tuple[Param, ...], first: str) -> str:
        before = self.latest
        if before is None or not self.records:
            return first
        changes = []
        for name, old, new in zip(self._names, before.request.params, params, strict=True):
            if param_key(old) != param_key(new):
                changes.append(f"{name}: {_text(old)} became {_text(new)}")
                self._static_changes += isinstance(old, Known) and isinstance(new, Known)
        return ", ".join(changes) or "a captured value changed its type or identity"

    def _warn(self) -> None:
        if self._static_changes >= _TOO_MANY and not self._warned:
            self._warned = True
            warnings.warn(
                f"{self.name} was compiled {len(self.records)} times, because values that must be "
                f"known while compiling change; the last time: {self.records[-1].reason}",
                RecompilationWarning, stacklevel=5)


def _read(capture: Capture) -> Any:
    """The present value of a capture, certainly of the type that the code takes."""
    value = capture.read()
    if not accepts(capture.type, type_of(value)):
        raise InternalError(f"{capture.name} is not of the type {capture.type} that it was "
                            "compiled for: it changed during the call")
    return canonical(value, capture.type)


def _key(params: tuple[Param, ...]) -> Hashable:
    return tuple(map(param_key, params))


def _any_layout(param: Param) -> Param:
    if isinstance(param, tuple):
        return tuple(replace(p, layout="A") if isinstance(p, Array) else p for p in param)
    return replace(param, layout="A") if isinstance(param, Array) else param


def _flat(params: tuple[Param, ...]) -> list[Type]:
    """The types of the arguments that the code takes."""
    entries = [e for p in params for e in (p if isinstance(p, tuple) else (p,))]
    return [e for e in entries if not isinstance(e, Known)]


def _text(param: Param) -> str:
    if isinstance(param, tuple):
        return "(" + ", ".join(_text(p) for p in param) + ")"
    if isinstance(param, Known):
        shown = repr(param.value)
        return f"={shown if len(shown) <= 40 else shown[:37] + '...'}"
    python = {FLOAT: "float", INT: "int", Scalar("complex128", weak=True): "complex"}
    return python[param] if isinstance(param, Scalar) and param in python else str(param)
