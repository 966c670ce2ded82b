"""Pickling of derivatives: by reference, or with the user's function by source.

Compiled code is not pickled: the other process makes its own, or finds it in the disk cache.
"""

from __future__ import annotations

import importlib.util
import linecache
import operator
import os
import pickle
import sys
from collections.abc import Callable
from typing import Any


def reduce(made: Any, function: Callable[..., Any], rest: tuple[Any, ...]) -> Any:
    """What `__reduce__` returns for a derivative of `function`.

    Raises pickle.PicklingError, naming the obstacle, where the function can only be pickled by
    source and cloudpickle is not installed.
    """
    if at_its_name(made):
        return str(made.__qualname__)
    if at_its_name(function):
        return restore, (type(made), function, rest)
    if importlib.util.find_spec("cloudpickle") is None:
        raise pickle.PicklingError(
            f"{made!r} cannot be pickled: {getattr(function, '__qualname__', function)!r} is not "
            "what its module holds under that name, so it goes by source; install cloudpickle, "
            "or define it at the top level of a module")
    import cloudpickle  # type: ignore[import-untyped]

    return restore_by_source, (type(made), cloudpickle.dumps(function), lines_of(function), rest)


def restore(kind: type, function: Callable[..., Any], rest: tuple[Any, ...]) -> Any:
    return kind(function, *rest)


def restore_by_source(kind: type, pickled: bytes, source: tuple[str, str] | None,
                      rest: tuple[Any, ...]) -> Any:
    """The derivative again, where the function's file may not exist."""
    if source is not None:
        file, text = source
        if not os.path.exists(file) and file not in linecache.cache:
            linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    return kind(pickle.loads(pickled), *rest)


def lines_of(function: Callable[..., Any]) -> tuple[str, str] | None:
    """The file of a function and its text."""
    inner = getattr(function, "func", getattr(function, "__func__", function))
    code = getattr(getattr(inner, "py_func", inner), "__code__", None)
    if code is None:
        return None
    lines = linecache.getlines(code.co_filename, getattr(inner, "__globals__", None))
    return (code.co_filename, "".join(lines)) if lines else None


def at_its_name(thing: Any) -> bool:
    """Whether a module's attribute of this qualified name is the object itself."""
    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    name = getattr(thing, "__qualname__", None)
    if module is None or not name or "<" in name:
        return False
    try:
        return operator.attrgetter(name)(module) is thing
    except AttributeError:
        return False
