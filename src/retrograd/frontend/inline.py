"""User functions, closures and prelude functions become part of the caller."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from retrograd.errors import Unsupported
from retrograd.frontend import cells
from retrograd.frontend.certain import Certain, certain
from retrograd.frontend.jumps import structured
from retrograd.frontend.liveness import assigned, liveness, reads
from retrograd.frontend.reading import FunctionNode, Source, read
from retrograd.frontend.things import Closure, Items, Static, Thing
from retrograd.frontend.tracer import Frame, Tracer, static_thing
from retrograd.places import ATTRIBUTE, Place

MAX_DEPTH = 60
_LIBRARIES = sys.stdlib_module_names | {"numpy", "scipy"}


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A function's body without jumps, and which names are live where."""

    body: list[ast.stmt]
    leave: dict[ast.stmt, str]
    flags: set[str]
    after: dict[ast.stmt, frozenset[str]]
    inside: dict[ast.stmt, frozenset[str]]
    local: frozenset[str] = frozenset()      # the names that it assigns


@functools.lru_cache(maxsize=1024)
def prepared(node: FunctionNode) -> Prepared:
    """The structured body of a function's syntax tree."""
    if isinstance(node, ast.Lambda):
        result = ast.copy_location(ast.Return(node.body), node.body)
        return Prepared([result], {}, set(), {}, {})
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    names |= {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)} | set(assigned(node.body))
    new = structured(node.body, names)
    live = liveness(new.body, new.leave)
    return Prepared(new.body, new.leave, new.flags, live.after, live.inside,
                    frozenset(assigned(node.body)))


@functools.lru_cache(maxsize=1024)
def source_of(function: FunctionType) -> Source:
    return read(function)


def function(tracer: Tracer, called: Callable[..., Any], args: tuple[Thing, ...],
             keywords: Mapping[str, Thing], user: bool) -> Thing:
    """Inline a Python function; without `user` it stands for the place of the call."""
    assert isinstance(called, FunctionType)
    if user and _of_library(called) and not _of_library(tracer.frame.function):
        return _library_function(tracer, called, args, keywords)
    return _inlined(tracer, called, args, keywords, user)


def _of_library(called: FunctionType) -> bool:
    """Whether a function belongs to Python or NumPy: users cannot change what it is made of."""
    top = (called.__module__ or "").partition(".")[0]
    return top in _LIBRARIES and top != "__main__"


def _library_function(tracer: Tracer, called: FunctionType, args: tuple[Thing, ...],
                      keywords: Mapping[str, Thing]) -> Thing:
    """A library's Python function; what is refused inside it is refused at the call."""
    try:
        return _inlined(tracer, called, args, keywords, user=True)
    except Unsupported as refusal:
        inside = "" if refusal.span is None else f", line {refusal.span.line} of its module"
        raise tracer.unsupported(
            f"{called.__module__}.{called.__qualname__} has no derivative here "
            f"({refusal.reason}{inside})", "write it with NumPy functions that are supported, or "
            "as a Python function of your own, or give it a rule: rg.rule(..., opaque=True)",
            ) from None


def _inlined(tracer: Tracer, called: FunctionType, args: tuple[Thing, ...],
             keywords: Mapping[str, Thing], user: bool) -> Thing:
    source = source_of(called) if not user else _read(tracer, called)
    if user:
        tracer.context.sources[source.text] = None
        tracer.guard_code(called)
    frame = new_frame(source, tracer.frame, user, tracer)
    defaults = tuple(static_thing(d) for d in called.__defaults__ or ())
    named = {k: static_thing(v) for k, v in (called.__kwdefaults__ or {}).items()}
    if user:
        place = Place(called, ATTRIBUTE, "__defaults__")
        defaults = tuple(
            tracer.captured(place.item(k), f"{called.__name__}_default_{k}") if wanted else default
            for k, (default, wanted) in enumerate(zip(
                defaults, _left_out(source.node, len(args), keywords, len(defaults)), strict=True)))
    env = bound(tracer, source.node, args, keywords, defaults, named, called.__name__)
    return run(Tracer(tracer.context, frame, tracer.builder, env, tracer.memory), source.node)


def _left_out(node: FunctionNode, count: int, keywords: Mapping[str, Thing], defaults: int,
              ) -> list[bool]:
    """For every default value whether a call needs it."""
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    start = len(names) - defaults
    return [k >= count and names[k] not in keywords for k in range(start, len(names))]


def _read(tracer: Tracer, called: FunctionType) -> Source:
    try:
        return read(called)
    except Unsupported as refusal:
        raise tracer.unsupported(refusal.reason, refusal.remedy) from None


def closure(tracer: Tracer, called: Closure, args: tuple[Thing, ...],
            keywords: Mapping[str, Thing]) -> Thing:
    """Inline a function that was defined inside the traced one."""
    home = called.frame
    assert isinstance(home, Tracer)
    frame = new_frame(Source(home.frame.function, called.node, home.frame.source.file,
                             home.frame.source.lines), tracer.frame, home.frame.user, tracer, home)
    frame.names = _enclosing(tracer, home, reads(called.node))
    name = getattr(called.node, "name", "<lambda>")
    env = bound(tracer, called.node, args, keywords, called.defaults,
                called.keyword_defaults, name)
    return run(Tracer(tracer.context, frame, tracer.builder, env, tracer.memory), called.node)


def _enclosing(tracer: Tracer, home: Tracer, wanted: frozenset[str]) -> dict[str, Thing]:
    """The names of the functions around a closure as they are now: where such a function waits
    for this call, its present block knows them; else they are what they were when it ended."""
    outer = {} if home.frame.home is None else _enclosing(tracer, home.frame.home, wanted)
    waiting: Tracer | None = tracer
    while waiting is not None and waiting.frame is not home.frame:
        waiting = waiting.frame.caller
    if waiting is not None:
        return {**outer, **waiting.env}
    ended = home.frame.ended or [home.env]
    for name in wanted:
        if any(env.get(name) is not ended[0].get(name) for env in ended):
            tracer.refuse(f"a function reads {name!r} of a function that has returned, from more "
                          "than one place", "pass it as an argument")
    return {**outer, **ended[0]}


def new_frame(source: Source, outer: Frame | None, user: bool, tracer: Tracer | None,
              home: Tracer | None = None) -> Frame:
    """A frame for one call, refusing recursion: a call of the same function, not of another one
    that was made from the same text."""
    frame, depth = outer, 0
    while frame is not None:
        depth += 1
        same = (frame.source.node is source.node or _same_place(frame.source, source)) \
            and frame.function is source.function and _same_home(frame.home, home)
        if tracer is not None and user and (
                depth > MAX_DEPTH or (same and not frame.entrance)):
            tracer.refuse(f"{getattr(source.node, 'name', 'a lambda')} calls itself: recursion "
                          "is not supported", "write it as a loop")
        frame = frame.outer
    ready = prepared(source.node)
    return Frame(source, outer, user=user, leave=ready.leave, flags=ready.flags,
                 live_after=ready.after, live_inside=ready.inside, local=ready.local,
                 site=None if tracer is None else tracer.span(), caller=tracer, home=home)


def _same_home(a: Tracer | None, b: Tracer | None) -> bool:
    return a is b if a is None or b is None else a.frame is b.frame


def _same_place(a: Source, b: Source) -> bool:
    return (a.file, a.node.lineno, a.node.col_offset) == (b.file, b.node.lineno,
                                                           b.node.col_offset)


def bound(tracer: Tracer, node: FunctionNode, args: tuple[Thing, ...],
          keywords: Mapping[str, Thing], defaults: tuple[Thing, ...],
          keyword_defaults: Mapping[str, Thing], name: str) -> dict[str, Thing]:
    """The names of a function's parameters, bound as Python binds them."""
    spec = node.args
    names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    env: dict[str, Thing] = dict(zip(names[len(names) - len(defaults):], defaults, strict=True)) \
        if defaults else {}
    env.update(keyword_defaults)
    if len(args) > len(names) and spec.vararg is None:
        raise certain(TypeError)(
            f"{name}() takes {len(names)} positional arguments but {len(args)} were "
            "given")
    env.update(zip(names, args, strict=False))
    if spec.vararg is not None:
        env[spec.vararg.arg] = Items("tuple", tuple(args[len(names):]))
    extra: dict[str, Thing] = {}
    first = [a.arg for a in spec.posonlyargs]
    allowed = {*names[len(first):], *(a.arg for a in spec.kwonlyargs)}
    for key, value in keywords.items():
        if key in first and spec.kwarg is None:
            raise certain(TypeError)(
                f"{name}() got some positional-only arguments passed as keyword "
                f"arguments: '{key}'")
        if key not in allowed and spec.kwarg is None:
            raise certain(TypeError)(f"{name}() got an unexpected keyword argument '{key}'")
        if key in names[len(first):len(args)]:
            raise certain(TypeError)(f"{name}() got multiple values for argument '{key}'")
        (env if key in allowed else extra)[key] = value
    if spec.kwarg is not None:
        env[spec.kwarg.arg] = cells.made(
            tracer, Items("dict", tuple(extra.values()), tuple(extra)))
    missing = [n for n in (*names, *(a.arg for a in spec.kwonlyargs)) if n not in env]
    if missing:
        raise certain(TypeError)(f"{name}() missing {len(missing)} required positional argument"
                        f"{'s' if len(missing) > 1 else ''}: "
                        + " and ".join(repr(m) for m in missing))
    return env


def run(tracer: Tracer, node: FunctionNode) -> Thing:
    """Trace a function's body and give what it returns."""
    from retrograd.frontend.statements import Raised, Returned, execute

    outcome = execute(tracer, prepared(node).body)
    if isinstance(outcome, Raised):
        raise Certain(outcome.exception, said=True)
    return outcome.thing if isinstance(outcome, Returned) else Static(None)
