"""From a program's source to something that can be called, compiled or not."""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from retrograd.backend.dispatch_results import Call
from retrograd.backend.numba_compile import CompileOptions, compile_emitted
from retrograd.ir.types import Array, Type
from retrograd.program import Emitted, Unit
from retrograd.trees import Tree, positions


def compiled(unit: Unit, options: CompileOptions, targets: tuple[Type, ...]) -> Call:
    """The machine code of a unit."""
    emitted = unit.lowered()
    for _, function in emitted.foreign:
        if function.direct is None:
            function.value.warn()
    return _call(emitted, unit, unit.params, options, targets)


def directed(unit: Unit, options: CompileOptions, targets: tuple[Type, ...],
             ) -> tuple[Call, dict[int, Array]] | None:
    """The machine code of a unit that takes memory for some of its results as further arguments:
    for those at these positions, contiguous memory of these types. None where no result can have
    memory that is given."""
    emitted = unit.directed()
    if emitted is None:
        return None
    memory = {}
    for position in emitted.directed:
        type = unit.results[position]
        assert isinstance(type, Array)
        memory[position] = replace(type, layout="C")
    return _call(emitted, unit, (*unit.params, *memory.values()), options, targets), memory


def _call(emitted: Emitted, unit: Unit, params: tuple[Type, ...], options: CompileOptions,
          targets: tuple[Type, ...]) -> Call:
    kernel = compile_emitted(emitted, params, options)
    return Call(kernel.call, emitted.structure, targets, True, emitted.failures,
                emitted.integers, emitted.floats, unit.written, unit.visible)


def interpreted(unit: Unit, targets: tuple[Type, ...]) -> Call:
    """The readable source of a unit, run by Python with NumPy."""
    emitted = unit.readable
    return Call(loaded(emitted), emitted.structure, targets, False,
                written=unit.written, visible=unit.visible)


def loaded(emitted: Emitted) -> Callable[..., Any]:
    """The function of this source; tracebacks and debuggers find its text through linecache."""
    source = emitted.source
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    file = f"<retrograd {emitted.name} {digest}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"__name__": f"retrograd_{emitted.name}",
                             **{name: f.value for name, f in emitted.foreign}}
    exec(compile(source, file, "exec"), scope)
    function: Callable[..., Any] = scope[emitted.name]
    return function


def result_types(unit: Unit, gradients: Tree, wanted: Sequence[Type]) -> tuple[Type, ...]:
    """The types of a unit's results as users get them.

    A gradient has the type of its argument, whatever the arithmetic made of it: `wanted` holds
    those of the differentiated floats, `gradients` is the part of the results that they are.
    """
    targets = list(unit.results)
    for position, type in zip(positions(gradients), wanted, strict=True):
        targets[position] = type
    return tuple(targets)
