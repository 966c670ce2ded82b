"""From a request to typed IR: the function's body, its parameters and what it returns."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FunctionType, MethodType
from typing import Any

from retrograd.api.rules import Ruled
from retrograd.derivation import derivation_of
from retrograd.errors import Span, Unsupported
from retrograd.frontend import calls
from retrograd.frontend.certain import Certain
from retrograd.frontend.endings import ending
from retrograd.frontend.inline import new_frame
from retrograd.frontend.reading import Source, read
from retrograd.frontend.things import Items, Static, Thing
from retrograd.frontend.tracer import Context, Tracer, static_thing
from retrograd.ir.build import Builder
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Function, Value
from retrograd.ir.types import Type
from retrograd.program import Capture, Guard, Known, Request, Written
from retrograd.trees import Tree


@dataclass(frozen=True, slots=True)
class Traced:
    """A function as IR. `parameters` has the leaves of each parameter; captures come last."""

    function: Function
    tree: Tree
    parameters: tuple[tuple[Value, ...], ...]
    captures: tuple[Capture, ...]
    guards: tuple[Guard, ...]
    sources: tuple[str, ...]
    facts: Facts
    place: tuple[Span, str]        # of the function's definition, and its first line
    names: frozenset[str]
    visible: Tree                  # the part of `tree` that the user gets
    written: tuple[Written, ...]   # the arguments that the function writes into


def trace(request: Request, order: int = 1) -> Traced:
    """Trace the function of a request for its argument types, and the rules of the user's that a
    derivative of this order reads.

    Raises
    ------
    Unsupported
        If something in the function is refused.
    NeedStatic
        If ints among the arguments must be known.
    """
    user = unwrapped(request.function)
    source = read(user)
    context = Context(known_captures=dict(request.known_captures), rules_wanted=order)
    frame = new_frame(source, None, True, None)
    tracer = Tracer(context, frame, Builder())
    context.top = tracer.builder
    given = _given(context, request)
    parameters = given.parameters
    for values in parameters:
        tracer.builder.facts.arguments.update(values)
    try:
        result = _start(tracer, request.function, given.args, given.keywords)
    except Certain as found:
        if found.exception is not None:
            raise found.exception from None
        result = Static(None)
    params = tuple(v for values in parameters for v in values) + tuple(context.capture_values)
    end = ending(tracer, request, result, given.things, params)
    function = Function(_name(request.function, user), params, tracer.builder.block,
                        end.atoms)
    return Traced(function, end.tree, parameters, tuple(context.captures),
                  tuple(context.guards.values()), tuple(context.sources),
                  tracer.builder.facts, _place(source), _names(source), end.visible, end.written)


def _name(function: Callable[..., Any], user: FunctionType) -> str:
    """What generated source calls the function: a derivative has its kind behind the name."""
    name = user.__name__.replace("<lambda>", "f")
    found = derivation_of(function)
    while found is not None and found.kind != "primal":
        name += f"_{found.kind}"
        found = derivation_of(found.function)
    return name


def _place(source: Source) -> tuple[Span, str]:
    span = source.span(source.node)
    return replace(span, end_line=span.line, end_column=len(source.line(span))), source.line(span)


def _names(source: Source) -> frozenset[str]:
    """The names that the user's function uses."""
    nodes = list(ast.walk(source.node))
    return frozenset({n.id for n in nodes if isinstance(n, ast.Name)
                      and isinstance(n.ctx, ast.Store)}
                     | {a.arg for a in nodes if isinstance(a, ast.arg)})


def unwrapped(function: Callable[..., Any]) -> FunctionType:
    """The Python function inside a partial, a method or an `@njit` function."""
    found: Any = function
    while not isinstance(found, FunctionType):
        if isinstance(found, functools.partial):
            found = found.func
        elif isinstance(found, MethodType):
            found = found.__func__
        elif (derivation := derivation_of(found)) is not None:
            found = derivation.function
        elif isinstance(found, Ruled):
            found = found.function
        elif isinstance(getattr(found, "py_func", None), FunctionType):
            found = found.py_func
        else:
            raise Unsupported(f"{found!r} is not a Python function",
                              "give a function whose source is Python")
    return found


@dataclass(frozen=True, slots=True)
class _Given:
    """The arguments, as the function is called with them, by name, and their values."""

    args: tuple[Thing, ...]
    keywords: dict[str, Thing]
    things: dict[str, Thing]
    parameters: tuple[tuple[Value, ...], ...]


def _given(context: Context, request: Request) -> _Given:
    args: list[Thing] = []
    keywords: dict[str, Thing] = {}
    things: dict[str, Thing] = {}
    parameters: list[tuple[Value, ...]] = []
    names = inspect.signature(request.function).parameters.values()
    for parameter, given in zip(names, request.params, strict=True):
        thing, values = _argument(context, parameter.name, given)
        parameters.append(values)
        things[parameter.name] = thing
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            keywords[parameter.name] = thing
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            assert isinstance(thing, Items)
            args += thing.items
        else:
            args.append(thing)
    return _Given(tuple(args), keywords, things, tuple(parameters))


def _argument(context: Context, name: str, given: Type | Known | tuple[Type | Known, ...],
              ) -> tuple[Thing, tuple[Value, ...]]:
    if isinstance(given, tuple):
        parts = [_argument(context, f"{name}_{k}", g) for k, g in enumerate(given)]
        return (Items("tuple", tuple(t for t, _ in parts)),
                tuple(v for _, values in parts for v in values))
    if isinstance(given, Known):
        return static_thing(given.value), ()
    value = Value(name, given)
    context.parameters[value] = name
    return context.given(value), (value,)


def _start(tracer: Tracer, function: Callable[..., Any], args: tuple[Thing, ...],
           keywords: dict[str, Thing]) -> Thing:
    """Call the function in a frame of its own, so that refusals name places inside it."""
    from retrograd.frontend import inline

    if derivation_of(function) is not None or isinstance(function, Ruled):
        tracer.context.sources[tracer.frame.source.text] = None
        tracer.frame.entrance = True
        return calls.call(tracer, Static(function), args, keywords)
    while not isinstance(function, FunctionType):
        if isinstance(function, MethodType):
            args = (static_thing(function.__self__), *args)
        if isinstance(function, functools.partial):
            given, keywords = calls.partial_arguments(tracer, function, keywords)
            args, function = (*given, *args), function.func
        else:
            function = getattr(function, "__func__", None) or function.py_func  # type: ignore[attr-defined]
    tracer.context.sources[tracer.frame.source.text] = None
    tracer.guard_code(function)
    node = tracer.frame.source.node
    tracer.env.update(inline.bound(tracer, node, args, keywords, (), {}, function.__name__))
    return inline.run(tracer, node)
