"""`out=`, and the methods of ufuncs: `np.add.at`, `np.add.outer`, `np.add.reduce`, ..."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.frontend import calls, indexing, storing
from retrograd.frontend.atoms import need_atom
from retrograd.frontend.certain import certain
from retrograd.frontend.things import Handle, Items, Static, Thing, thing_of
from retrograd.frontend.tracer import Tracer
from retrograd.ir.index import FULL, everything
from retrograd.ir.nodes import integer
from retrograd.ir.types import Array
from retrograd.prelude import FUNCTIONS

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]


@dataclass(frozen=True, slots=True)
class Out:
    """A call whose result goes into an array: the array, and the call without it."""

    array: Handle
    args: Args
    keywords: Keywords


def without(tracer: Tracer, function: Any, args: Args, keywords: Keywords,
            ) -> tuple[Args, Keywords]:
    """The arguments without an `out` that is None."""
    place = _place(function)
    if keywords.get("out") == Static(None) and _numpy(function):
        keywords = {k: v for k, v in keywords.items() if k != "out"}
    if place is not None and args[place:place + 1] == (Static(None),):
        args = args[:place] if len(args) == place + 1 else args
    return args, keywords


def call(tracer: Tracer, function: Any, args: Args, keywords: Keywords) -> Thing | None:
    """A method of a ufunc, or a call that stores its result into an array; else None."""
    if not tracer.frame.user:
        return None
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return ufunc_method(tracer, function, args, keywords)
    found = _given(tracer, function, args, keywords)
    return None if found is None else _into(tracer, function, found)


def _given(tracer: Tracer, function: Any, args: Args, keywords: Keywords) -> Out | None:
    """The array that `out=` names, by keyword or by position."""
    place = _place(function)
    out = keywords.get("out") if _numpy(function) else None
    if out is None and place is not None and len(args) > place:
        out, args = args[place], (*args[:place], *args[place + 1:])
        if isinstance(function, np.ufunc) and len(args) > place:
            tracer.refuse(f"{function.__name__} with several outputs is not supported",
                          "call it once for each of them")
    if isinstance(out, Items) and isinstance(function, np.ufunc) and len(out.items) == 1:
        out = out.items[0]
    if out is None or out == Static(None):
        return None
    if not isinstance(out, Handle):
        raise certain(TypeError)("return arrays must be of ArrayType")
    return Out(out, args, {k: v for k, v in keywords.items() if k != "out"})


def _numpy(function: Any) -> bool:
    """Whether a function is one of NumPy's, so that `out` means what it means there."""
    return isinstance(function, np.ufunc) or (
        type(function).__hash__ is not None and function in FUNCTIONS
        and (getattr(function, "__module__", None) or "").startswith("numpy"))


def _place(function: Any) -> int | None:
    """The position of the parameter `out`."""
    if isinstance(function, np.ufunc):
        return function.nin
    body = FUNCTIONS[function] if _numpy(function) else None
    if body is None:
        return None
    names = [p.name for p in inspect.signature(body).parameters.values()
             if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names.index("out") if "out" in names else None


def _into(tracer: Tracer, function: Callable[..., Any], out: Out) -> Thing:
    """Call, and store the result."""
    result = need_atom(tracer, calls.call(tracer, Static(function), out.args, out.keywords))
    storing.check_cast(getattr(function, "__name__", "function"), result, out.array.value)
    storing.store(tracer, out.array, everything(out.array.type.rank), (), result)
    return out.array


# --- methods of ufuncs ---------------------------------------------------------------------------


def ufunc_method(tracer: Tracer, function: Any, args: Args, keywords: Keywords) -> Thing:
    """`np.add.at(a, index, b)`, `np.add.outer(a, b)`, and what has a function of its own."""
    ufunc, name = function.__self__, function.__name__
    if name == "at" and ufunc in (np.add, np.subtract) and len(args) == 3:
        return _at(tracer, ufunc, *args)
    if name == "outer" and len(args) == 2 and not keywords:
        return _outer(tracer, ufunc, *args)
    same = _SAME.get((ufunc, name))
    if same is not None:
        axis = {} if len(args) > 1 or "axis" in keywords else {"axis": integer(0)}
        return calls.call(tracer, Static(same), args, {**keywords, **axis})
    tracer.refuse(f"np.{ufunc.__name__}.{name} has no derivative here",
                  "write it with NumPy functions that are supported, or give it a rule: "
                  "rg.rule(..., opaque=True)")


_SAME: dict[tuple[np.ufunc, str], Callable[..., Any]] = {
    (np.add, "reduce"): np.sum, (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max, (np.minimum, "reduce"): np.min,
    (np.add, "accumulate"): np.cumsum, (np.multiply, "accumulate"): np.cumprod,
    (np.logical_and, "reduce"): np.all, (np.logical_or, "reduce"): np.any,
}


def _at(tracer: Tracer, ufunc: np.ufunc, array: Thing, index: Thing, value: Thing) -> Thing:
    """Elements that are named several times are added to several times."""
    if not isinstance(array, Handle):
        raise certain(TypeError)("first operand must be array")
    if ufunc is np.subtract:
        value = calls.call(tracer, Static(np.negative), (value,), {})
    items, atoms = indexing.spelled(tracer, array, index)
    storing.store(tracer, array, items, atoms, need_atom(tracer, value), op="add_at")
    return Static(None)


def _outer(tracer: Tracer, ufunc: np.ufunc, a: Thing, b: Thing) -> Thing:
    left, right = need_atom(tracer, a), need_atom(tracer, b)
    if isinstance(left.type, Array) and right.type.rank:
        left = tracer.builder.let("view", left,
                                  index=(FULL,) * left.type.rank + ("new",) * right.type.rank)
    return calls.call(tracer, Static(ufunc), (thing_of(left), thing_of(right)), {})
