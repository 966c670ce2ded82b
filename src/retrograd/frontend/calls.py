"""Calls: which function is meant, and what it becomes.

In order: functions of the language itself (`range`, `len`, `primitive`, ...), one elementwise
operation, a function of the prelude, a dtype, and the user's own functions, which are inlined.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import FunctionType, MethodType
from typing import Any, NoReturn

import numpy as np

from retrograd.api.ravel import Unravel
from retrograd.derivation import derivation_of, transforms
from retrograd.frontend import cells, complex_numbers, grown, inline, list_methods, objects, outputs
from retrograd.frontend.atoms import need_atom
from retrograd.frontend.builtin import ndim, shape, size_of, special
from retrograd.frontend.certain import Certain, certain
from retrograd.frontend.things import (
    Cell,
    Closure,
    Derived,
    Grown,
    Handle,
    Inner,
    Items,
    Method,
    Static,
    Stream,
    Thing,
    atom_of,
    fresh,
    thing_of,
)
from retrograd.frontend.tracer import Tracer, known_value, static_thing
from retrograd.ir.nodes import Atom, Constant, Value, integer
from retrograd.ir.types import Array, Scalar, is_complex, is_float
from retrograd.places import ATTRIBUTE, Place
from retrograd.prelude import (
    ALIASES,
    ATTRIBUTES,
    DRAWS,
    ELEMENTWISE,
    FUNCTIONS,
    METHODS,
    OF_COMPLEX,
    OPERATORS,
    SCIPY,
    WEAK,
)

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]


def call(tracer: Tracer, function: Thing, args: Args, keywords: Keywords) -> Thing:
    """`function(*args, **keywords)`."""
    if isinstance(function, Closure):
        return inline.closure(tracer, function, args, keywords)
    if isinstance(function, Method):
        return _method(tracer, function, args, keywords)
    if isinstance(function, Derived):
        return _derived(tracer, function, args, keywords)
    if isinstance(function, Inner):
        return function.run(tracer, args, keywords)
    method = objects.special_method(tracer, function, "__call__")
    if method is not None:
        return method(args, keywords)
    if isinstance(function, Static):
        if tracer.frame.user and not _users(function.value):
            args, keywords = _read(tracer, args), dict(
                zip(keywords, _read(tracer, tuple(keywords.values())), strict=True))
        complex_numbers.check_real(function.value, args)
        if tracer.frame.user:
            args, keywords = outputs.without(tracer, function.value, args, keywords)
        written = outputs.call(tracer, function.value, args, keywords)
        return _static(tracer, function.value, args, keywords) if written is None else written
    tracer.refuse("this cannot be called", "call a function")


def _users(function: Any) -> bool:
    """Whether a function may get lists and dicts as the objects that they are."""
    return isinstance(function, (functools.partial, MethodType)) or (
        special(function) is not None) or (
        _replacement(function) is None and not (
            isinstance(function, type) and not objects.is_constructible(function)))


def _read(tracer: Tracer, args: Args) -> Args:
    """What NumPy's functions see of lists: their present content, as arrays where the length is
    not known."""
    def seen(thing: Thing) -> Thing:
        if isinstance(thing, Grown):
            return grown.as_array(tracer, thing)
        if isinstance(thing, Items):
            return Items(thing.kind, tuple(map(seen, thing.items)), thing.keys)
        return thing

    return tuple(seen(cells.frozen(tracer, a)) for a in args)


def _static(tracer: Tracer, function: Any, args: Args, keywords: Keywords) -> Thing:
    if transforms(function):
        return _derived(tracer, Static(function), args, keywords)
    language = special(function)
    if language is not None:
        return language(tracer, args, keywords)
    if getattr(function, "retrograd_static", False):
        return _run_static(tracer, function, args, keywords)
    if isinstance(function, functools.partial):
        return _partial(tracer, function, args, keywords)
    replacement = _replacement(function)
    if isinstance(replacement, str):
        return _elementwise(tracer, function, replacement, args, keywords)
    if replacement is not None:
        return _of_prelude(tracer, function, inline.function(
            tracer, replacement, args, keywords, user=False))
    if isinstance(function, type) and issubclass(function, (np.generic, np.dtype)):
        return _convert(tracer, function, args)
    own = _of_user(tracer, function, args, keywords)
    if own is not None:
        return own
    _refuse(tracer, function)


def _refuse(tracer: Tracer, function: Any) -> NoReturn:
    name = getattr(function, "__qualname__", repr(function))
    module = getattr(function, "__module__", None) or type(function).__module__
    if name.startswith("RandomState.") or module == "random":
        tracer.refuse(f"{name} draws from the global random state, which is not a function of the "
                      "arguments", "draw the numbers outside and pass them as an argument")
    tracer.refuse(f"{module}.{name} has no derivative here",
                  "write it with NumPy functions that are supported, or as a Python function, "
                  "or give it a rule: rg.rule(..., opaque=True)")


def _of_user(tracer: Tracer, function: Any, args: Args, keywords: Keywords) -> Thing | None:
    """A call of a function, a method, a class or an object of the user's; None of others."""
    if objects.is_constructible(function):
        from retrograd.frontend import construction

        return construction.construct(tracer, function, args, keywords)
    python = getattr(function, "py_func", function)
    if isinstance(python, MethodType) and isinstance(python.__func__, FunctionType):
        return inline.function(tracer, python.__func__, (static_thing(python.__self__), *args),
                               keywords, user=True)
    if isinstance(python, FunctionType):
        return inline.function(tracer, python, args, keywords, user=tracer.frame.user)
    if isinstance(function, Unravel):
        from retrograd.frontend import ravelled

        return ravelled.unravelled(tracer, function, args, keywords)
    called = inspect.getattr_static(type(function), "__call__", None)
    if isinstance(called, FunctionType):
        return inline.function(tracer, called, (static_thing(function), *args), keywords,
                               user=True)
    return None


def _derived(tracer: Tracer, function: Thing, args: Args, keywords: Keywords) -> Thing:
    """A call of a derivative, or of what makes one. The modules are loaded when they are
    needed: rules are traced before they can be."""
    from retrograd.frontend import derived, making

    if isinstance(function, Static) and derivation_of(function.value) is None:
        return making.made(tracer, function.value.__name__, args, keywords)
    return derived.call(tracer, function, args, keywords)


def _of_prelude(tracer: Tracer, function: Callable[..., Any], result: Thing) -> Thing:
    """The result of a function of the prelude as the user gets it."""
    if not tracer.frame.user:
        return result
    result = cells.made(tracer, result)
    if function not in ALIASES and isinstance(result, Handle):
        return fresh(tracer.current(result))
    return _strength(tracer, result, function in WEAK)


def _hashable(function: Any) -> bool:
    return callable(function) and type(function).__hash__ is not None


def _replacement(function: Any) -> str | Callable[..., Any] | None:
    """The operation or prelude function for a NumPy, SciPy, math or built-in function."""
    if not _hashable(function):
        return None
    if function in ELEMENTWISE:
        return ELEMENTWISE[function]
    if function in FUNCTIONS:
        return FUNCTIONS[function]
    module = getattr(function, "__module__", None) or ""
    name = getattr(function, "__name__", "")
    if module.startswith("scipy") or isinstance(function, np.ufunc):
        return SCIPY.get(f"scipy.special.{name}")
    return None


def _elementwise(tracer: Tracer, function: Any, op: str, args: Args, keywords: Keywords) -> Thing:
    """One elementwise operation; math's functions give Python floats, NumPy's NumPy scalars."""
    if keywords:
        tracer.refuse(f"{function.__name__} with {', '.join(keywords)}= is not supported",
                      "leave the keyword out and use np.where or astype")
    atoms = [need_atom(tracer, a) for a in args]
    complex_numbers.check(tracer, op, atoms)
    python = _PYTHONS.get(getattr(function, "__module__", ""))
    if python is None:
        if op in OF_COMPLEX and is_complex(atoms[0].type):
            result = inline.function(tracer, OF_COMPLEX[op], args, {}, user=False)
            return _strength(tracer, result, _weak_in_prelude(tracer, atoms))
        if op == "power" and all(not is_float(a.type) for a in atoms):
            from retrograd.frontend.arithmetic import arithmetic
            return thing_of(arithmetic(tracer, op, *atoms))
        weak = None if function in OPERATORS else _weak_in_prelude(tracer, atoms)
        return thing_of(tracer.builder.let(op, *atoms, weak=weak))
    if any(isinstance(a.type, Array) for a in atoms):
        raise certain(TypeError)("only 0-dimensional arrays can be converted to Python scalars")
    floats = [tracer.builder.cast(a, python) for a in atoms]
    return tracer.builder.let(op, *floats, weak=True)


_PYTHONS = {"math": "float64", "cmath": "complex128"}      # what the modules compute in


def _weak_in_prelude(tracer: Tracer, atoms: list[Atom]) -> bool:
    """NumPy's functions give strong results; rules, which write them as operators, do not mind."""
    weak = all(isinstance(a.type, Scalar) and a.type.weak for a in atoms)
    return weak and not tracer.frame.user


def _strength(tracer: Tracer, thing: Thing, weak: bool) -> Thing:
    """What NumPy's functions return is strong, what math's and `float` return is weak."""
    if isinstance(thing, Constant) and thing.type.weak != weak:
        return Constant(thing.value, Scalar(thing.type.dtype, weak))
    if isinstance(thing, Value) and isinstance(thing.type, Scalar) and thing.type.weak != weak:
        return tracer.builder.retyped(thing, Scalar(thing.type.dtype, weak))
    return thing


def _partial(tracer: Tracer, function: functools.partial[Any], args: Args,
             keywords: Keywords) -> Thing:
    given, named = partial_arguments(tracer, function, keywords)
    return _static(tracer, function.func, (*given, *args), named)


def partial_arguments(tracer: Tracer, function: functools.partial[Any], keywords: Keywords,
                      ) -> tuple[list[Thing], dict[str, Thing]]:
    """What a partial gives by position, and by name with what is given on top."""
    args, named = (Place(function, ATTRIBUTE, name) for name in ("args", "keywords"))
    given = [tracer.captured(args.item(k), f"{function.func.__name__}_{k}")
             for k in range(len(function.args))]
    also = {name: tracer.captured(named.item(name), name)
            for name in function.keywords if name not in keywords}
    return given, {**also, **keywords}


def _run_static(tracer: Tracer, function: Callable[..., Any], args: Args,
                keywords: Keywords) -> Thing:
    """Run a helper of the prelude while compiling."""
    from retrograd.errors import Unsupported

    values = [known_value(tracer, a, function.__name__) for a in args]
    named = {k: known_value(tracer, v, function.__name__) for k, v in keywords.items()}
    try:
        return static_thing(function(*values, **named))
    except Unsupported as refusal:
        if refusal.span is not None:
            raise
        raise tracer.unsupported(refusal.reason, refusal.remedy) from None
    except (ValueError, TypeError, IndexError, np.linalg.LinAlgError) as error:
        raise Certain(error) from None       # what NumPy raises for these arguments


# --- arrays and containers ------------------------------------------------------------------------


def array_attribute(tracer: Tracer, owner: Thing, name: str) -> Thing:
    """An attribute of an array or a number."""
    match name:
        case "shape":
            return shape(tracer, (owner,), {})
        case "ndim":
            return ndim(tracer, (owner,), {})
        case "size":
            return size_of(tracer, (owner,), {})
        case "dtype":
            atom = atom_of(owner)
            assert atom is not None
            return Static(np.dtype(atom.type.dtype))
    if name in ATTRIBUTES:
        return inline.function(tracer, ATTRIBUTES[name], (owner,), {}, user=False)
    if name in METHODS:
        return Method(owner, name)
    tracer.refuse(f"arrays have no attribute {name!r} here",
                  "use the NumPy function that does the same")


def _method(tracer: Tracer, method: Method, args: Args, keywords: Keywords) -> Thing:
    owner = method.owner
    found = objects.content(tracer, owner)
    if found is not None:
        return objects.method(tracer, owner, found, method.name, args, keywords)
    if isinstance(owner, Stream):
        return _drawn(tracer, owner, method.name, args, keywords)
    if atom_of(owner) is not None:
        return inline.function(tracer, METHODS[method.name], (owner, *args), keywords, user=False)
    if isinstance(owner, (Cell, Items)):
        return list_methods.method(tracer, owner, method.name, args, keywords)
    tracer.refuse(f"the method {method.name!r} of a {type(owner).__name__.lower()} is not "
                  "supported", "use arrays, lists and dicts")


def _drawn(tracer: Tracer, stream: Stream, name: str, args: Args, keywords: Keywords) -> Thing:
    """A method of a generator; one number that it returns is a Python float."""
    if name not in DRAWS:
        tracer.refuse(f"the method {name!r} of a generator is not supported",
                      "draw outside and pass the numbers as an argument, or use "
                      f"{', '.join(DRAWS)}")
    result = inline.function(tracer, DRAWS[name], (stream, *args), keywords, user=False)
    return result if name == "integers" else _strength(tracer, result, True)


def _convert(tracer: Tracer, dtype: Any, args: Args) -> Thing:
    """`np.float32(x)`."""
    if len(args) > 1:
        tracer.refuse(f"{dtype.__name__} with several arguments is not supported",
                      "write complex(x, y)")
    atom = need_atom(tracer, args[0]) if args else integer(0)
    name = np.dtype(dtype).name
    if args and isinstance(args[0], Handle) and args[0].type.dtype == name:
        return args[0]                       # NumPy gives the array itself
    if isinstance(atom, Constant):
        return tracer.builder.cast(atom, name)
    return thing_of(tracer.builder.let("cast", atom, dtype=name, weak=False))


