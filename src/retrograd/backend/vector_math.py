"""Elementary functions of whole vectors: glibc's libmvec in the loops that LLVM vectorises.

A call with the attribute "vector-function-abi-variant" is a scalar call everywhere but in a
vectorised loop, where LLVM calls the variant for four (or eight) numbers that the attribute names.
The variants must be declared in the module, and kept there until the loop is vectorised: that is
what `llvm.compiler.used` is for. Their largest error is 3.3 ulp, and special values are those of
the scalar functions. What is called outside of vectors (in the last iterations of a loop, or where
arrays lie so that LLVM does not dare) takes one lane of the same variant: equal arguments give
equal bits, wherever they stand in memory.

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
import numpy as np
from llvmlite import ir
from llvmlite.ir.instructions import CallInstrAttributes
from numba.core import types
from numba.extending import intrinsic, overload

from retrograd.backend.memory import Decorator
from retrograd.backend.substitutes import ELEMENTARY

_LIBRARY = "libmvec.so.1"
_DOUBLES = dict(ELEMENTARY.values())
_intrinsic: Decorator = intrinsic
_overload: Callable[[Any], Decorator] = overload


@functools.lru_cache(maxsize=1)
def variants() -> dict[str, str]:
    """The vector variant that this machine has of each scalar function; the library is loaded, so
    that code that calls them can be."""
    if not sys.platform.startswith("linux"):
        return {}
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return {}
    llvm.load_library_permanently(_LIBRARY)
    isa, lanes = ("d", 4) if llvm.get_host_cpu_features().get("avx2") else ("b", 2)
    found: dict[str, str] = {}
    for name, count in _DOUBLES.items():
        for scalar, factor in ((name, 1), (f"{name}f", 2)):
            symbol = f"_ZGV{isa}N{lanes * factor}{'v' * count}_{scalar}"
            if hasattr(library, symbol):
                found[scalar] = symbol
    return found


class _Attributes(CallInstrAttributes):  # type: ignore[misc, unused-ignore]
    """Attributes of a call, of which one may be any string."""

    def __init__(self, args: tuple[str, ...], text: str) -> None:
        self._known = frozenset({*CallInstrAttributes._known, text})
        super().__init__((*args, text))


def _vector(scalar: str) -> tuple[Any, int]:
    """The type of a variant's arguments, and how many it takes."""
    double = scalar in _DOUBLES
    lanes = int("".join(c for c in variants()[scalar][5:].partition("v")[0] if c.isdigit()))
    element = ir.DoubleType() if double else ir.FloatType()
    return ir.VectorType(element, lanes), _DOUBLES[scalar if double else scalar[:-1]]


def _declare(module: Any) -> None:
    """Declare all variants, once a module, and keep them."""
    if "llvm.compiler.used" in module.globals:
        return
    pointer = ir.IntType(8).as_pointer()
    kept = []
    for scalar, symbol in variants().items():
        vector, count = _vector(scalar)
        function = ir.Function(module, ir.FunctionType(vector, [vector] * count), symbol)
        kept.append(function.bitcast(pointer))
    array = ir.ArrayType(pointer, len(kept))
    used = ir.GlobalVariable(module, array, "llvm.compiler.used")
    used.initializer = ir.Constant(array, kept)
    used.linkage = "appending"
    used.section = "llvm.metadata"


def _one_lane(module: Any, scalar: str) -> Any:
    """The function of one number: a lane of the variant. It must not be inlined, or no loop would
    see the call whose variant it has."""
    name = f"retrograd_{scalar}"
    if name in module.globals:
        return module.globals[name]
    vector, count = _vector(scalar)
    number = vector.element
    function = ir.Function(module, ir.FunctionType(number, [number] * count), name)
    function.linkage = "linkonce_odr"
    for attribute in ("noinline", "nounwind", "readnone"):
        function.attributes.add(attribute)
    builder = ir.IRBuilder(function.append_basic_block())
    first = ir.Constant(ir.IntType(32), 0)
    same = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    undefined = ir.Constant(vector, ir.Undefined)
    wide = [builder.shuffle_vector(builder.insert_element(undefined, x, first), undefined, same)
            for x in function.args]
    result = builder.call(module.globals[variants()[scalar]], wide)
    builder.ret(builder.extract_element(result, first))
    return function


def _call(name: str, count: int) -> Any:
    """An intrinsic that calls a function of the C library for doubles or floats."""
    def generate(_: Any, builder: Any, signature: Any, args: Any) -> Any:
        scalar = name if signature.return_type is types.float64 else f"{name}f"
        _declare(builder.module)
        call = builder.call(_one_lane(builder.module, scalar), args)
        symbol = variants()[scalar]
        mangled = f"{symbol[:-len(scalar)]}retrograd_{scalar}({symbol})"
        call.attributes = _Attributes(
            ("nounwind", "readnone"), f'"vector-function-abi-variant"="{mangled}"')
        return call

    def unary(_: Any, x: Any) -> Any:
        return x(x), generate

    def binary(_: Any, x: Any, y: Any) -> Any:
        return x(x, y), generate

    return _intrinsic(unary if count == 1 else binary)


@functools.cache
def made(module: str, name: str) -> Any:
    """A function for compiled code: the vector one for floats, else that of NumPy or `math`."""
    symbol, count = ELEMENTARY[module, name]
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


def has_variants(module: str, name: str) -> bool:
    """Whether a function of `np` or `math` has vector variants here, in both precisions."""
    symbol, _ = ELEMENTARY[module, name]
    return symbol in variants() and f"{symbol}f" in variants()
