"""Specialisations of one derivative: made when argument types are met for the first time."""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retrograd.api import stored
from retrograd.api.options import Options
from retrograd.api.parameters import Wanted, check_returns, place_name
from retrograd.api.records import Records
from retrograd.api.specialisation import Specialisation, given_leaves, present
from retrograd.api.static_leaves import leaves_by_path, with_any_layout, with_known
from retrograd.api.types import canonical, differentiated, param_key, param_of
from retrograd.backend import execute
from retrograd.backend.dispatch import fast_entry, runner
from retrograd.backend.dispatch_limit import Limit, require_known
from retrograd.backend.dispatch_out import Direct, Into
from retrograd.backend.dispatch_results import Call
from retrograd.backend.numba_compile import compiler_lock
from retrograd.errors import Unsupported
from retrograd.frontend.need import NeedStatic
from retrograd.ir.types import Scalar, Type, is_float
from retrograd.program import (
    GRAD,
    PRIMAL,
    VALUE_AND_GRAD,
    VJP,
    Container,
    Param,
    Position,
    Program,
    Request,
    Unit,
    leaf_types,
    param_at,
)
from retrograd.trees import Node, Tree

if TYPE_CHECKING:
    from retrograd.api.residuals import Residuals


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
        self._names = tuple(signature.parameters)
        self.records = Records(self._names)
        self.latest: Specialisation | None = None
        self._static: set[str] = set()              # ints that must be known, by path
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
                params.append(Container("tuple", tuple(
                    self.differentiated((position, k), param_of(v)) if k in inside
                    else param_of(v) for k, v in enumerate(value))))
            elif position in self.wanted.positions:
                params.append(self.differentiated(position, param_of(value)))
            else:
                params.append(param_of(value))
        return tuple(params)

    def differentiated(self, place: Position, param: Param) -> Param:
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
            *(canonical(v, p) for v, p in given), *map(present, derived.program.captures)])

    # --- looking up ------------------------------------------------------------------------

    def _find(self, params: tuple[Param, ...],
              values: Sequence[Any] | None) -> Specialisation | None:
        known = self._with_static(params, values)
        for candidate in self._table.get(_key(known), ()):
            if candidate.holds():
                return candidate
        relaxed = tuple(map(with_any_layout, known))
        for candidate in self._table.get(("declared", _key(relaxed)), ()):
            if candidate.holds():
                return candidate
        return None

    def _with_static(self, params: tuple[Param, ...],
                     values: Sequence[Any] | None) -> tuple[Param, ...]:
        """The same parameters, with the values of those that must be known."""
        if not self._static:
            return params
        given = [None] * len(params) if values is None else values
        return tuple(with_known(param, value, name, self._static, self._names)
                     for name, param, value in zip(self._names, params, given, strict=True))

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
        types = (*(t for p in request.params for t in leaf_types(p)), *captured)
        run = runner(self.name, types, call)
        into = None if self._written is None else Into(
            run, self._written, self._part(unit),
            functools.partial(self._directed, unit, targets, types))
        entry = None if into is None else fast_entry(
            self.signature, self.name, request.params, call, captures=program.captures,
            guards=program.guards, slow=slow, into=into,
            numbers=[p for p in self.wanted.positions if isinstance(p, int)], any_layout=declared)
        made = Specialisation(request, program, run, entry, targets,
                              self._backward(request, program), limit, into)
        if derived.fresh and self._on_disk():
            stored.store(request, program)
        before = None if self.latest is None else self.latest.request.params
        reason = self.records.reason(before, request.params, first)
        keys: list[Hashable] = [_key(request.params)]
        if declared:
            keys.append(("declared", _key(request.params)))
        for key in keys:
            self._table.setdefault(key, []).insert(0, made)
        seconds = time.perf_counter() - began
        self.records.add(request.params, reason, seconds)
        self.records.warn(self.name)
        return made

    def _directed(self, unit: Unit, targets: tuple[Type, ...], types: Sequence[Type],
                  ) -> Direct | None:
        """What makes results in memory that is given; None where results are copied."""
        if not self.options.jit or unit.written:
            return None
        with self._making(), self._lock:
            found = execute.directed(unit, self.options.compile_options(), targets)
        if found is None:
            return None
        call, memory = found
        return Direct(call, tuple(types), memory,
                      runner(self.name, (*types, *memory.values()), call))

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
        units = tuple(replace(u, lowered=functools.cache(u.lowered),
                              directed=functools.cache(u.directed)) for u in program.units)
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
        types = dict(leaf for name, param in zip(self._names, params, strict=True)
                     for leaf in leaves_by_path(name, param))
        for name in new:
            param = types.get(name)
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
        return execute.result_types(unit, self._part(unit), self._floats(request))

    def _part(self, unit: Unit) -> Tree:
        """The part of the results that `out` receives: the gradients, if there are any."""
        part = unit.result
        if self.product == VALUE_AND_GRAD or (self.product == GRAD and self.options.has_aux):
            assert isinstance(part, Node)
            part = part.children[1 if self.product == VALUE_AND_GRAD else 0]
        return part

    def _floats(self, request: Request) -> list[Type]:
        """The types of the differentiated floats."""
        return [t for place in self.wanted.positions
                for t in leaf_types(param_at(request.params, place)) if is_float(t)]

    def _backward(self, request: Request, program: Program) -> Callable[..., Any] | None:
        if self.product != VJP:
            return None
        unit = program.units[1]
        targets = execute.result_types(unit, unit.result, self._floats(request))
        return runner(self.name, unit.params, self.call(unit, targets))

    def call(self, unit: Unit, targets: tuple[Type, ...]) -> Call:
        """A unit, compiled or not as the options say."""
        if self.options.jit:
            return execute.compiled(unit, self.options.compile_options(), targets)
        return execute.interpreted(unit, targets)


def _key(params: tuple[Param, ...]) -> Hashable:
    return tuple(map(param_key, params))
