"""Tracing one call into IR and interpreting it, as the front end meets it in a user's function."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.frontend.trace import trace
from retrograd.ir.interpret import interpret
from retrograd.ir.types import Array, Scalar, Type
from retrograd.ir.verify import verify
from retrograd.program import PRIMAL, Request
from retrograd.trees import rebuild

_number = itertools.count()


def type_of(x: Any) -> Type:
    if isinstance(x, np.ndarray):
        return Array(str(x.dtype), tuple(1 if n == 1 else None for n in x.shape), layout(x))
    return Scalar(np.result_type(x).name, weak=type(x).__module__ == "builtins")


def layout(x: Any) -> str:
    if x.flags.c_contiguous:
        return "C"
    return "F" if x.flags.f_contiguous else "A"


def run(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any],
        literal: bool = False) -> Any:
    """`function(*args, **kwargs)` with its arrays and (unless `literal`) Python floats as
    parameters, the rest written out."""
    values: list[Any] = []

    def spelled(x: Any) -> str:
        dynamic = (np.ndarray, np.generic) if literal else (np.ndarray, np.generic, float)
        if isinstance(x, dynamic) and not _is_special(x):
            values.append(x)
            return f"x{len(values) - 1}"
        if isinstance(x, (list, tuple)):
            inside = ", ".join(spelled(item) for item in x)
            return f"[{inside}]" if isinstance(x, list) else f"({inside}{',' * (len(x) == 1)})"
        if isinstance(x, type):
            return x.__name__ if x.__module__ == "builtins" else f"np.{x.__name__}"
        return f"np.{x!r}".replace("np.-", "-np.") if _is_special(x) else repr(x)

    given = [spelled(x) for x in args] + [f"{k}={spelled(x)}" for k, x in kwargs.items()]
    names = ", ".join(f"x{k}" for k in range(len(values)))
    text = f"def call({names}):\n    return FUNCTION({', '.join(given)})\n"
    file = f"<traced call {next(_number)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    namespace: dict[str, Any] = {"FUNCTION": function, "np": np}
    exec(compile(text, file, "exec"), namespace)
    traced = trace(Request(namespace["call"], PRIMAL, tuple(type_of(v) for v in values), ()))
    verify(traced.function)
    return rebuild(traced.visible, interpret(traced.function, values))


def _is_special(x: Any) -> bool:
    return type(x) is float and np.isinf(x)
