"""Derived programs on disk: another process need not derive them, nor load the compiler.

A file holds a checksum and a pickle of some `_Stored`, latest first. Its name is the hash of all
that is known before tracing: the function's code, the request, the versions, the compiler's own
files; of a derivative of a function (`grad(grad(f))`, `hvp(f)`) the chain of what was done to it
and the code of the function inside. What tracing found outside the function is stored with the way
to it: captures are read there again, and a guard must find an equal thing there: code of equal
content, a module or function of the same name, equal plain data. Otherwise the function is traced
anew. What cannot be described so (an object as an argument, a method of an instance) is not stored.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from retrograd.api.fingerprints import (
    Indescribable,
    fingerprint,
    fingerprint_or_none,
    identity,
    plain,
)
from retrograd.api.rules import KINDS, Definition
from retrograd.api.types import accepts, param_key, type_of
from retrograd.backend import cache
from retrograd.derivation import derivation_of
from retrograd.frontend.need import NeedStatic
from retrograd.ir.types import Type
from retrograd.places import ATTRIBUTE, ITEM, Place
from retrograd.program import Capture, Emitted, Guard, Program, Request, Residual, Unit, Written
from retrograd.trees import Tree

_KEPT = 8                  # programs of one function and request, for other captured things
Steps = tuple[tuple[str, Any], ...]
# What reading a stored program, or finding a value that is no longer there, may raise.
_LOST = (OSError, pickle.UnpicklingError, EOFError, ImportError, AttributeError, LookupError,
         TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class _Way:
    """From the request's function: `fixed` steps to an owner, then `read` at every call."""

    fixed: Steps
    read: Steps


@dataclass(frozen=True, slots=True)
class _StoredUnit:
    params: tuple[Type, ...]
    results: tuple[Type, ...]
    readable: Emitted
    lowered: Emitted
    written: tuple[Written, ...]
    visible: Tree | None


@dataclass(frozen=True, slots=True)
class _Stored:
    """A program, or (with `static`, `captured`) the values that must be known to derive one."""

    units: tuple[_StoredUnit, ...] = ()
    captures: tuple[tuple[str, Type, _Way], ...] = ()
    guards: tuple[tuple[str, _Way, Any], ...] = ()
    sources: tuple[str, ...] = ()
    residuals: tuple[Residual, ...] = ()
    static: tuple[str, ...] = ()
    captured: tuple[str, ...] = ()


# --- the two ends --------------------------------------------------------------------------------


def load(request: Request) -> Program | None:
    """The stored program for a request; raises NeedStatic where that was what tracing gave."""
    path = _path(request)
    for stored in () if path is None else _read(path):
        if stored.static or stored.captured:
            raise NeedStatic(stored.static, stored.captured)
        try:
            program = _program(stored, request)
        except _LOST:
            continue
        if program is not None:
            return program
    return None


def store(request: Request, program: Program) -> None:
    """Keep a program for other processes, where it can be described to them."""
    path = _path(request)
    if path is None or any(u.readable.foreign for u in program.units):
        return                                   # opaque functions are objects of this process
    try:
        ways = _Ways(request.function, program)
        stored = _Stored(
            tuple(_StoredUnit(u.params, u.results, u.readable, u.lowered(), u.written, u.visible)
                  for u in program.units),
            tuple((c.name, c.type, ways.to(c.place)) for c in program.captures),
            tuple((g.name, ways.to(g.place), fingerprint(g.value)) for g in program.guards),
            program.sources, program.residuals)
        _write(path, stored)
    except (Indescribable, pickle.PicklingError, AttributeError, OSError):
        return                               # pickle says so of a class that is in a function


def store_need(request: Request, need: NeedStatic) -> None:
    """Keep what must be known before this function can be derived."""
    path = _path(request)
    if path is not None:
        with contextlib.suppress(OSError):
            _write(path, _Stored(static=need.names, captured=need.captures))


def _read(path: Path) -> tuple[_Stored, ...]:
    """What is stored there, latest first; nothing where the file is missing or damaged."""
    try:
        digest, _, content = path.read_bytes().partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return ()
        found: tuple[_Stored, ...] = pickle.loads(content)
    except _LOST:
        return ()
    return found


def _write(path: Path, stored: _Stored) -> None:
    others = tuple(s for s in _read(path) if s != stored)
    content = pickle.dumps((stored, *others)[:_KEPT])
    cache.write(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def _program(stored: _Stored, request: Request) -> Program | None:
    function = request.function
    guards = []
    for name, way, expected in stored.guards:
        place = _place(way, function)
        read = place.reader()
        value = read()
        if fingerprint_or_none(value) != expected:
            return None                                    # it was derived for something else
        guards.append(Guard(name, read, value, place))
    captures = []
    for name, type, way in stored.captures:
        place = _place(way, function)
        capture = Capture(name, place.reader(), type, place)
        if not accepts(type, type_of(capture.read())):
            return None
        captures.append(capture)
    units = tuple(Unit(u.params, u.results, u.readable, functools.partial(_same, u.lowered),
                       u.written, u.visible, functools.cache(functools.partial(
                           _directed, request, k))) for k, u in enumerate(stored.units))
    return Program(units, tuple(captures), tuple(guards), stored.residuals, stored.sources)


def _same(emitted: Emitted) -> Emitted:
    return emitted


def _directed(request: Request, number: int) -> Emitted | None:
    """What takes memory for its results is not stored: few calls want it."""
    from retrograd.pipeline import derive

    return derive(request).units[number].directed()


# --- names of files ------------------------------------------------------------------------------


def _path(request: Request) -> Path | None:
    try:
        function = identity(request.function)
        params = plain(tuple(map(param_key, request.params)))
    except Indescribable:
        return None
    folder, lasting = cache.folder_in(cache.root(), "programs")
    if not lasting:
        return None
    asked = (request.product, request.wrt, request.single, request.has_aux, request.holomorphic,
             request.known_captures, request.boundscheck, request.returns,
             request.recompute, request.store, request.parallel)
    known = (repr(function), repr(params), repr(asked), *_versions())
    return folder / f"{cache.entry_name(request.function.__name__, *known)}.program"


@functools.lru_cache(maxsize=1)
def _versions() -> tuple[str, ...]:
    from retrograd import __version__

    root = Path(__file__).parent.parent
    stamps = sorted(_stamps(root))
    return __version__, np.__version__, sys.version, hashlib.sha256(
        repr(stamps).encode()).hexdigest()


def _stamps(folder: Path) -> Iterable[tuple[str, int, int]]:
    """Names, times and sizes of the compiler's own files: editing it makes programs old."""
    for entry in os.scandir(folder):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _stamps(Path(entry.path))
        elif entry.name.endswith(".py"):
            status = entry.stat()
            yield entry.path, status.st_mtime_ns, status.st_size


# --- ways ----------------------------------------------------------------------------------------


class _Ways:
    """How everything that a program captured is reached from its function."""

    def __init__(self, function: Callable[..., Any], program: Program) -> None:
        self.known: dict[int, Steps] = {}
        self.learn(function, ())
        pending = [g for g in program.guards if g.place is not None]
        while pending:
            found = [g for g in pending if g.place is not None and self._reached(g.place)]
            if not found:
                break
            for guard in found:
                way = self.to(guard.place)
                self.learn(guard.value, (*way.fixed, *way.read))
            pending = [g for g in pending if g not in found]

    def learn(self, value: Any, steps: Steps) -> None:
        """A value is reached by these steps, and with it what functions refer to."""
        if id(value) in self.known:
            return
        self.known[id(value)] = steps
        if isinstance(value, FunctionType):
            self.known.setdefault(id(value.__globals__), (*steps, (ATTRIBUTE, "__globals__")))
            for k, cell in enumerate(value.__closure__ or ()):
                self.known.setdefault(
                    id(cell), (*steps, (ATTRIBUTE, "__closure__"), (ITEM, k)))
        if derivation_of(value) is not None:
            self.learn(value.primal, (*steps, (ATTRIBUTE, "primal")))
        for inner in KINDS if isinstance(value, Definition) else ("py_func", "__func__"):
            if isinstance(getattr(value, inner, None), FunctionType):
                self.learn(getattr(value, inner), (*steps, (ATTRIBUTE, inner)))

    def _reached(self, place: Place) -> bool:
        owner = place.owner
        return self._reached(owner) if isinstance(owner, Place) else id(owner) in self.known

    def to(self, place: Place | None) -> _Way:
        if place is None or not self._reached(place):
            raise Indescribable
        step = (place.kind, place.key)
        if isinstance(place.owner, Place):
            outer = self.to(place.owner)
            return _Way(outer.fixed, (*outer.read, step))
        return _Way(self.known[id(place.owner)], (step,))


def _place(way: _Way, function: Callable[..., Any]) -> Place:
    """The place in this process."""
    owner: Any = function
    for kind, key in way.fixed:
        owner = owner[key] if kind == ITEM else getattr(owner, key)
    for kind, key in way.read:
        owner = Place(owner, kind, key)
    assert isinstance(owner, Place)
    return owner
