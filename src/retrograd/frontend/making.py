"""Making a derivative in a program: the interface's functions, while compiling.

    g = grad(f, argnums=1)      a derivative to call (`derived.py`)
    y, s = jvp(f, (x,), (v,))   calls it at once, as `vjp` does
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from retrograd.api.parameters import Wanted, call_places, wanted
from retrograd.api.settings import SETTINGS, check_no_aux, check_one_argument
from retrograd.derivation import derivation_of
from retrograd.frontend import cells
from retrograd.frontend.certain import Certain, certain
from retrograd.frontend.derived import Args, Keywords, of, pushed, vjp
from retrograd.frontend.isolated import signature_of
from retrograd.frontend.things import Closure, Derived, Inner, Items, Static, Thing, leaves, type_of
from retrograd.frontend.tracer import Tracer, known_value
from retrograd.ir.types import is_float

# What may be called in a program, and what it takes by position after the function.
_MAKERS: dict[str, tuple[str, ...]] = {
    "grad": ("argnums",), "value_and_grad": ("argnums",), "hvp": ("argnums",), "jvp": (),
    "vjp": (), "differentiable": (), "jacobian": ("argnums",), "hessian": ("argnums",),
    "vmap": ("in_axes", "out_axes"),
}


def made(tracer: Tracer, name: str, args: Args, keywords: Keywords) -> Thing:
    """`grad(f, argnums=1)` in a program: the interface's own function, while compiling."""
    if name not in _MAKERS:
        tracer.refuse(f"rg.{name} is called in a function that is compiled",
                      "call it outside")
    if not args:
        raise certain(TypeError)(f"{name}() takes a function first")
    function = _callable(tracer, args[0], name)
    if name in ("jvp", "vjp"):
        return _at_once(tracer, name, function, args[1:], keywords)
    options = _options(tracer, name, (_MAKERS[name], args[1:]), keywords)
    if name not in ("grad", "value_and_grad"):
        _checked(check_no_aux, name, options)
    argnums, argnames = options.pop("argnums", None), options.pop("argnames", None)
    if name == "hvp":
        _checked(check_one_argument, argnums, argnames)
    which = _wanted(function, argnums, argnames)
    kind = "primal" if name == "differentiable" else name
    derived = Derived(kind, function, which.positions, which.single,
                      bool(options.pop("has_aux", False)), bool(options.pop("holomorphic", False)),
                      _settings(name, options))
    _check_used(tracer, name, options)
    return derived


def _options(tracer: Tracer, name: str, positional: tuple[tuple[str, ...], Args],
             keywords: Keywords) -> dict[str, Any]:
    """What is said of a derivative, by name, as Python's values."""
    names, things = positional
    if len(things) > len(names):
        raise certain(TypeError)(f"{name}() got too many positional arguments")
    named = {**dict(zip(names, things, strict=False)), **keywords}
    return {k: known_value(tracer, v, f"rg.{name}") for k, v in named.items()}


def _check_used(tracer: Tracer, name: str, options: dict[str, Any]) -> None:
    if options:
        tracer.refuse(f"rg.{name} with {', '.join(options)}= inside a function that is compiled",
                      "give these options to the outermost derivative")


def _checked(check: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What the interface says of these values, as an error of the program's own."""
    try:
        return check(*args, **options)
    except (TypeError, ValueError) as error:
        raise Certain(error) from None


def _callable(tracer: Tracer, function: Thing, name: str) -> Thing:
    if isinstance(function, Closure | Derived | Inner):
        return function
    if isinstance(function, Static) and callable(function.value):
        return of(function) if derivation_of(function.value) is not None else function
    tracer.refuse(f"rg.{name} of something that is not a function", "give a function")


def _wanted(function: Thing, argnums: Any, argnames: Any) -> Wanted:
    found: Wanted = _checked(wanted, signature_of(function), argnums, argnames, "the function")
    return found


def _settings(name: str, options: dict[str, Any]) -> tuple[Any, ...]:
    """The settings of the transformations that have some, in their order."""
    if name not in SETTINGS:
        return ()
    said = {k: options.pop(k) for k in inspect.signature(SETTINGS[name]).parameters
            if k in options}
    found: tuple[Any, ...] = _checked(SETTINGS[name], **said)
    return found


def _at_once(tracer: Tracer, name: str, function: Thing, args: Args, keywords: Keywords) -> Thing:
    """`jvp(f, primals, tangents)` and `vjp(f, *args)`, which are no functions of their own."""
    given = dict(keywords)
    if name == "vjp":
        options = _options(tracer, name, ((), ()), given)
        _checked(check_no_aux, name, options)
        argnums, argnames = options.pop("argnums", None), options.pop("argnames", None)
        _check_used(tracer, name, options)
        if argnums is None and argnames is None:
            places = call_places(signature_of(function), len(args))
            found = [p for p, a in zip(places, args, strict=True) if _has_float(tracer, a)]
            return vjp(tracer, Derived(name, function, tuple(found), False), args, {})
        which = _wanted(function, argnums, argnames)
        return vjp(tracer, Derived(name, function, which.positions, which.single), args, {})
    args = (*args, *(given.pop(k) for k in ("primals", "tangents")[len(args):] if k in given))
    _check_used(tracer, name, dict(given))
    if len(args) != 2:
        raise certain(TypeError)("jvp takes a function, a tuple of primals and one of tangents")
    primals, tangents = (cells.opened(tracer, a) for a in args)
    if not isinstance(primals, Items) or not isinstance(tangents, Items) or (
            len(primals.items) != len(tangents.items)):
        raise certain(TypeError)("jvp takes a tuple of primals and a tuple of as many tangents")
    return pushed(tracer, function, primals.items, tangents.items)


def _has_float(tracer: Tracer, thing: Thing) -> bool:
    return any(is_float(type) or getattr(type, "weak", False) for type in map(
        type_of, leaves(cells.frozen(tracer, thing))) if type is not None)
