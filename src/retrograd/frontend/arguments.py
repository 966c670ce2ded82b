"""What the function gets: a thing for each parameter, and the values that its leaves are.

An argument's lists, dicts and objects belong to the caller: they are read like those that the
function makes itself, and changing one is refused (`cells.py`). Arrays in them are arguments like
those that have a parameter of their own.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from retrograd import containers
from retrograd.frontend import cells, objects
from retrograd.frontend.things import Cell, Items, Thing
from retrograd.frontend.tracer import Tracer, static_thing
from retrograd.ir.nodes import Value
from retrograd.program import Container, Known, Param, Request


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments, as the function is called with them, by name, and their values."""

    args: tuple[Thing, ...]
    keywords: dict[str, Thing]
    things: dict[str, Thing]
    parameters: tuple[tuple[Value, ...], ...]


def given(tracer: Tracer, request: Request) -> Given:
    """Things for the parameters of a request's function."""
    args: list[Thing] = []
    keywords: dict[str, Thing] = {}
    things: dict[str, Thing] = {}
    parameters: list[tuple[Value, ...]] = []
    names = inspect.signature(request.function).parameters.values()
    for parameter, param in zip(names, request.params, strict=True):
        thing, values = argument(tracer, parameter.name, parameter.name, param)
        parameters.append(values)
        things[parameter.name] = thing
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            keywords[parameter.name] = thing
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            assert isinstance(thing, Items)
            args += thing.items
        else:
            args.append(thing)
    return Given(tuple(args), keywords, things, tuple(parameters))


def argument(tracer: Tracer, name: str, path: str, param: Param,
             ) -> tuple[Thing, tuple[Value, ...]]:
    """The thing for an argument, and its leaves as parameters; `path` is how the caller would
    write it."""
    if isinstance(param, Known):
        return tracer.context.from_outside(static_thing(param.value)), ()
    if isinstance(param, Container):
        return _container(tracer, name, path, param)
    value = Value(name, param)
    tracer.context.parameters[value] = path
    tracer.builder.facts.arguments.add(value)
    return tracer.context.given(value), (value,)


def _container(tracer: Tracer, name: str, path: str, param: Container,
               ) -> tuple[Thing, tuple[Value, ...]]:
    things: list[Thing] = []
    leaves: list[Value] = []
    steps = containers.steps(param.kind, param.keys, len(param.parts))
    for part, step in zip(param.parts, steps, strict=True):
        thing, values = argument(tracer, containers.identifier(name, step), path + step, part)
        things.append(thing)
        leaves += values
    thing = objects.container(tracer, param.kind, tuple(things), param.keys)
    if isinstance(thing, Cell) and not thing.outside:         # a registered class has made it
        thing = cells.content(tracer, thing)
    return tracer.context.from_outside(thing), tuple(leaves)
