"""What is equal for equal things in two processes: functions by name or code, plain data by value,
derivatives by what they are derivatives of."""

from __future__ import annotations

import hashlib
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from retrograd import containers
from retrograd.api.pickling import at_its_name
from retrograd.api.rules import Definition
from retrograd.derivation import Derivation, derivation_of
from retrograd.ir.types import Type


class Indescribable(Exception):
    """This cannot be told to another process."""


def identity(function: Any) -> tuple[Any, ...]:
    """A function that is asked for: its code, or the derivation with the code of what is inside.

    Raises Indescribable for what is no Python function.
    """
    derivation = derivation_of(function)
    if derivation is not None:
        return (*derived(derivation), *identity(derivation.function))
    if not isinstance(function, FunctionType):
        raise Indescribable
    return (str(function.__module__), function.__qualname__, code_digest(function.__code__))


def derived(derivation: Derivation) -> tuple[Any, ...]:
    """What is done to the function of a derivation."""
    return ("derived", derivation.kind, derivation.positions, derivation.single,
            derivation.has_aux, derivation.holomorphic, plain(derivation.settings),
            derivation.returns)


def fingerprint(value: Any) -> Any:
    """What is equal for equal static values in two processes.

    Raises Indescribable for objects that have only their identity.
    """
    if isinstance(value, CodeType):
        return ("code", code_digest(value))
    if isinstance(value, ModuleType):
        return ("module", value.__name__)
    if isinstance(value, FunctionType) or at_its_name(value):
        return ("named", type(value).__name__, value.__module__, value.__qualname__)
    if isinstance(value, np.ufunc):
        return ("ufunc", value.__name__)
    derivation = derivation_of(value)
    if derivation is not None:
        return (*derived(derivation), fingerprint(derivation.function))
    if isinstance(value, Definition):
        return ("rule", value.name, *(None if f is None else fingerprint(f)
                                      for f in value.functions()))
    inner = getattr(value, "py_func", None)
    if isinstance(inner, FunctionType):
        return ("compiled", inner.__module__, inner.__qualname__)
    return ("plain", plain(value))


def fingerprint_or_none(value: Any) -> Any:
    try:
        return fingerprint(value)
    except Indescribable:
        return None


def plain(value: Any) -> Any:
    """Nested tuples of plain data, with their types; floats as their text."""
    if value is None or isinstance(value, (bool, int, str, bytes)):
        return (type(value).__name__, value)
    if isinstance(value, float):
        return ("float", repr(value))
    if isinstance(value, type):
        if not at_its_name(value):
            raise Indescribable
        return ("class", value.__module__, value.__qualname__, containers.is_named_tuple(value),
                containers.is_changeable(value))
    if isinstance(value, tuple):
        if value[:1] in (("object",), ("method",)):             # from `static_key`
            raise Indescribable
        return ("tuple", *map(plain, value))
    if isinstance(value, Type):
        return ("type", repr(value))
    raise Indescribable


def code_digest(code: CodeType) -> str:
    """A digest of what a code object does and of the places of its source."""
    constants = [code_digest(c) if isinstance(c, CodeType) else _constant(c)
                 for c in code.co_consts]
    parts = (code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars,
             code.co_cellvars, code.co_filename, code.co_firstlineno, code.co_name, code.co_flags,
             code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_linetable)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _constant(value: Any) -> str:
    if isinstance(value, frozenset):                           # their order is not fixed
        return f"frozenset({sorted(map(_constant, value))})"
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant, value))})"
    return f"{type(value).__name__}:{value!r}"
