"""Elementary functions of whole vectors: glibc's libmvec in the loops that LLVM vectorises.

A call of `exp` with the attribute "vector-function-abi-variant" is a scalar call everywhere but in
a vectorised loop, where LLVM calls the variant for four (or eight) numbers that the attribute
names. The variants must be declared in the module, and kept there until the loop is vectorised:
that is what `llvm.compiler.used` is for. Their largest error is 3.3 ulp, and special values are
those of the scalar functions; the last iterations of a loop, which make no full vector, call
these, so that equal arguments may differ in the last bit.

Where there is no libmvec (glibc on x86-64 has it), functions are those of NumPy and `math`.
Imported when something is compiled: it needs Numba.
"""

from __future__ import annotations

import ctypes
import functools
import math
import sys
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from llvmlite.ir.instructions import CallInstrAttributes
from numba.core import types
from numba.extending import intrinsic, overload

from retrograd.backend.memory import Decorator

_LIBRARY = "libmvec.so.1"
# What generated source calls, and what the C library calls it; the number of arguments.
_FUNCTIONS: dict[tuple[str, str], tuple[str, int]] = {
    **{("np", name): (name, 1) for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "sin", "cos", "tan",
        "sinh", "cosh", "tanh")},
    **{("np", f"arc{name}"): (f"a{name}", 1) for name in (
        "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    ("np", "arctan2"): ("atan2", 2), ("np", "hypot"): ("hypot", 2),
    ("math", "erf"): ("erf", 1), ("math", "erfc"): ("erfc", 1),
}
_DOUBLES = dict(_FUNCTIONS.values())
_intrinsic: Decorator = intrinsic
_overload: Callable[[Any], Decorator] = overload


@functools.lru_cache(maxsize=1)
def variants() -> dict[str, tuple[str, ...]]:
    """The vector variants that this machine has, by the name of the scalar function; the library
    is loaded, so that code that calls them can be."""
    if not sys.platform.startswith("linux"):
        return {}
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return {}
    llvm.load_library_permanently(_LIBRARY)
    features = llvm.get_host_cpu_features()
    kinds = [("b", 2)] + [("d", 4)] * bool(features.get("avx2")) \
        + [("e", 8)] * bool(features.get("avx512f"))
    found: dict[str, tuple[str, ...]] = {}
    for name, count in _DOUBLES.items():
        for scalar, factor in ((name, 1), (f"{name}f", 2)):
            symbols = [f"_ZGV{isa}N{lanes * factor}{'v' * count}_{scalar}"
                       for isa, lanes in kinds]
            there = tuple(s for s in symbols if hasattr(library, s))
            if there:
                found[scalar] = there
    return found


class _Attributes(CallInstrAttributes):  # type: ignore[misc, unused-ignore]
    """Attributes of a call, of which one may be any string."""

    def __init__(self, args: tuple[str, ...], text: str) -> None:
        self._known = frozenset({*CallInstrAttributes._known, text})
        super().__init__((*args, text))


def _declare(module: Any) -> None:
    """Declare all variants, once a module, and keep them."""
    if "llvm.compiler.used" in module.globals:
        return
    pointer = ir.IntType(8).as_pointer()
    kept = []
    for scalar, symbols in variants().items():
        double = scalar in _DOUBLES
        count = _DOUBLES[scalar if double else scalar[:-1]]
        for symbol in symbols:
            lanes = int("".join(c for c in symbol[5:].partition("v")[0] if c.isdigit()))
            vector = ir.VectorType(ir.DoubleType() if double else ir.FloatType(), lanes)
            function = ir.Function(module, ir.FunctionType(vector, [vector] * count), symbol)
            kept.append(function.bitcast(pointer))
    array = ir.ArrayType(pointer, len(kept))
    used = ir.GlobalVariable(module, array, "llvm.compiler.used")
    used.initializer = ir.Constant(array, kept)
    used.linkage = "appending"
    used.section = "llvm.metadata"


def _call(name: str, count: int) -> Any:
    """An intrinsic that calls a function of the C library for doubles or floats."""
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        scalar = name if signature.return_type is types.float64 else f"{name}f"
        module = builder.module
        _declare(module)
        number = context.get_value_type(signature.return_type)
        function = module.globals.get(scalar)
        if function is None:
            function = ir.Function(module, ir.FunctionType(number, [number] * count), scalar)
        call = builder.call(function, args)
        pairs = ",".join(f"{v[:-len(scalar)]}{scalar}({v})" for v in variants()[scalar])
        call.attributes = _Attributes(
            ("nounwind", "readnone"), f'"vector-function-abi-variant"="{pairs}"')
        return call

    def unary(_: Any, x: Any) -> Any:
        return x(x), generate

    def binary(_: Any, x: Any, y: Any) -> Any:
        return x(x, y), generate

    return _intrinsic(unary if count == 1 else binary)


def _made(module: str, name: str) -> Any:
    """A function for compiled code: the vector one for floats, else that of NumPy or `math`."""
    symbol, count = _FUNCTIONS[module, name]
    call, other = _call(symbol, count), getattr(np if module == "np" else math, name)
    floats = (types.float64, types.float32)

    def unary(x: Any) -> Any:
        return other(x)

    def binary(x: Any, y: Any) -> Any:
        return other(x, y)

    # Numba compares the parameters, with their annotations
    if count == 1:
        _overload(unary)(lambda x: (lambda x: call(x)) if x in floats else (  # noqa: PLW0108
            lambda x: other(x)))  # noqa: PLW0108
        return unary
    _overload(binary)(lambda x, y: (
        lambda x, y: call(x, y)) if x in floats and x == y else (  # noqa: PLW0108
        lambda x, y: other(x, y)))  # noqa: PLW0108
    return binary


@functools.lru_cache(maxsize=1)
def names() -> dict[str, Any]:
    """The functions by the names under which source calls them (`instead`)."""
    return {f"_vector_{name}": _made(module, name)
            for (module, name), (symbol, _) in _FUNCTIONS.items()
            if symbol in variants() and f"{symbol}f" in variants()}


def instead() -> dict[tuple[str, str], str]:
    """What is called instead of which attribute of `np` and `math`."""
    return {(module, name): f"_vector_{name}" for module, name in _FUNCTIONS
            if f"_vector_{name}" in names()}


_ = numba                        # its extensions are registered by importing it
