"""From a request to typed IR: the function's body, its parameters and what it returns."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import FunctionType, MethodType
from typing import Any

from retrograd.api.rules import Ruled
from retrograd.derivation import derivation_of
from retrograd.errors import Span, Unsupported
from retrograd.frontend import calls
from retrograd.frontend.arguments import given
from retrograd.frontend.certain import Certain
from retrograd.frontend.endings import ending
from retrograd.frontend.inline import new_frame
from retrograd.frontend.reading import Source, read
from retrograd.frontend.things import Static, Thing
from retrograd.frontend.tracer import Context, Tracer, static_thing
from retrograd.ir.build import Builder
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Function, Value
from retrograd.program import Capture, Guard, Request, Written
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
    paths: Mapping[Value, str]     # how the caller would write the leaves of the arguments
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
    arguments = given(tracer, request)
    parameters = arguments.parameters
    try:
        result = _start(tracer, request.function, arguments.args, arguments.keywords)
    except Certain as found:
        if found.exception is not None:
            raise found.exception from None
        result = Static(None)
    params = tuple(v for values in parameters for v in values) + tuple(context.capture_values)
    end = ending(tracer, request, result, arguments.things, params)
    function = Function(_name(request.function, user), params, tracer.builder.block,
                        end.atoms)
    return Traced(function, end.tree, parameters, tuple(context.captures),
                  tuple(context.guards.values()), tuple(context.sources),
                  tracer.builder.facts, _place(source), _names(source), dict(context.parameters),
                  end.visible, end.written)


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
    """The Python function inside a partial, a method, an `@njit` function or an object that can be
    called."""
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
        elif (method := called_method(found)) is not None:
            found = method
        else:
            raise Unsupported(f"{found!r} is not a Python function",
                              "give a function whose source is Python")
    return found


def called_method(found: object) -> MethodType | None:
    """The method that runs when an object of a class of the user's is called."""
    method = inspect.getattr_static(type(found), "__call__", None)
    return MethodType(method, found) if isinstance(method, FunctionType) else None


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
            first, keywords = calls.partial_arguments(tracer, function, keywords)
            args, function = (*first, *args), function.func
        else:
            inner: Any = (getattr(function, "__func__", None)
                          or getattr(function, "py_func", None) or called_method(function))
            function = inner
    tracer.context.sources[tracer.frame.source.text] = None
    tracer.guard_code(function)
    node = tracer.frame.source.node
    tracer.env.update(inline.bound(tracer, node, args, keywords, (), {}, function.__name__))
    return inline.run(tracer, node)
