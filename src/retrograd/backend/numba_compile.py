"""From lowered source to machine code: one function, one signature, through Numba's disk cache.

Nothing here is imported, and Numba is not, before something is compiled.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.backend import cache
from retrograd.backend.passed import passed
from retrograd.backend.substitutes import substituted
from retrograd.ir.types import Array, Generator, Type
from retrograd.program import Emitted

# What Numba's cache raises for files that another version or a broken disk left behind.
_DAMAGE = (pickle.UnpicklingError, EOFError, RuntimeError, ImportError, AttributeError,
           IndexError, KeyError, OSError)


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """What Numba is told."""

    fastmath: bool | frozenset[str] = False
    cache: bool = True
    vector_math: bool = True

    def flags(self, reassociate: bool = False) -> bool | set[str]:
        """Contraction is always allowed; more is the user's own choice, but for the sums that
        retrograd itself makes."""
        more = {"reassoc", "nsz"} if reassociate else set()
        return True if self.fastmath is True else {"contract", *more, *(self.fastmath or ())}

    def key(self) -> str:
        flags = self.flags()
        shown = "fast" if flags is True else ",".join(sorted(flags))  # type: ignore[arg-type]
        return f"{shown}{' vector' if self.vector_math else ''}"


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """A compiled function. `call` takes exactly the types it was compiled for: it checks none.

    `module` is its source file's name without folder; `fresh` says that it was compiled now and
    not loaded from disk. `dispatcher` must live as long as `call` is used. `alone`: one call at a
    time, because of Numba's threads.
    """

    call: Callable[..., Any]
    dispatcher: Any
    module: str
    fresh: bool
    alone: bool = False


_kernels: dict[str, Kernel] = {}
_compiling = threading.RLock()
_using_threads = threading.RLock()


def compile_emitted(emitted: Emitted, params: tuple[Type, ...], options: CompileOptions) -> Kernel:
    """The machine code of a lowered function for these types; compiled at most once."""
    import numba

    with _compiling:
        name = _entry_name(emitted, params, options, numba.__version__)
        kernel = _kernels.get(name)
        if kernel is None:
            kernel = _kernels[name] = _compile(name, emitted, params, options)
        return kernel


def _entry_name(emitted: Emitted, params: tuple[Type, ...], options: CompileOptions,
                numba_version: str) -> str:
    from retrograd import __version__

    return cache.entry_name(
        emitted.name, emitted.source, repr(params), options.key(), __version__, np.__version__,
        numba_version, sys.version, *(str(id(f.value)) for _, f in emitted.foreign))


def _compile(name: str, emitted: Emitted, params: tuple[Type, ...],
             options: CompileOptions) -> Kernel:
    import numba
    from llvmlite.binding import get_host_cpu_name

    # what a foreign function does, no name of a file can tell
    folder, lasting = (cache.temporary_folder(), False) if emitted.foreign else cache.folder_in(
        cache.root(), get_host_cpu_name())
    source, given = substituted(emitted.source, options.vector_math)
    module = cache.module(folder, name, source,
                          {**given, **{called: f.value for called, f in emitted.foreign}})
    module.__dict__.update({called: passed(f.value) for called, f in emitted.foreign
                            if f.direct is None})
    function = getattr(module, emitted.name)
    settings: dict[str, Any] = {"error_model": "numpy", "fastmath": options.flags(),
                "nogil": _without_lock(params) and all(
                    f.direct is not None for _, f in emitted.foreign)}
    for helper in emitted.helpers:
        flags = options.flags(helper.reassociate)
        setattr(module, helper.name, numba.njit(
            parallel=helper.parallel, **{**settings, "fastmath": flags})(
            getattr(module, helper.name)))
    read = len(params) - len(emitted.directed)
    signature = tuple(numba_type(p, k < read) for k, p in enumerate(params))
    if not (options.cache and lasting):
        dispatcher = numba.njit(**settings)(function)
        dispatcher.compile(signature)
        return _kernel(dispatcher, name, emitted)
    with cache.locked(folder, name):
        return _through_disk(lambda: numba.njit(cache=True, **settings)(function), signature,
                             folder, name, emitted)


def _without_lock(params: tuple[Type, ...]) -> bool:
    """Whether other threads may run meanwhile: where there are arrays, and no generator, whose
    state two threads must not move at the same time."""
    return any(isinstance(p, Array) for p in params) and not any(
        isinstance(p, Generator) for p in params)


def _through_disk(make: Callable[[], Any], signature: tuple[Any, ...], folder: Path,
                  name: str, emitted: Emitted) -> Kernel:
    """Load the code that is on disk, or compile and keep it."""
    dispatcher = make()
    files = cache.Compiled(folder, name, Path(dispatcher.stats.cache_path))
    if not files.intact():
        files.delete()
    try:
        dispatcher.compile(signature)
    except _DAMAGE:
        if not files.files():
            raise                                  # nothing was loaded: this is another error
        files.delete()
        dispatcher = make()
        dispatcher.compile(signature)
    kernel = _kernel(dispatcher, name, emitted)
    if kernel.fresh:
        with contextlib.suppress(OSError):         # unrecorded files are made again next time
            files.record()
    return kernel


def _kernel(dispatcher: Any, name: str, emitted: Emitted) -> Kernel:
    dispatcher.disable_compile()
    (overload,) = dispatcher.overloads.values()
    alone = any(helper.parallel for helper in emitted.helpers) and on_workqueue()
    call = overload.entry_point
    return Kernel(_one_at_a_time(call) if alone else call, dispatcher, name,
                  not dispatcher.stats.cache_hits, alone)


def on_workqueue() -> bool:
    """Whether Numba's threads are of its own kind, which end the process when they are used from
    two threads at the same time; that is known once they have started."""
    from numba.np.ufunc import parallel

    threads: Any = parallel
    threads._launch_threads()
    return bool(threads.threading_layer() == "workqueue")


def _one_at_a_time(call: Callable[..., Any]) -> Callable[..., Any]:
    def alone(*args: Any) -> Any:
        with _using_threads:
            return call(*args)

    return alone


def compiler_lock() -> contextlib.AbstractContextManager[Any]:
    """Numba's own lock, which is held while Numba infers types. What compiles takes it first: an
    inference may ask for a derivative (`api/compiled.py`)."""
    from numba.core import compiler_lock

    lock: contextlib.AbstractContextManager[Any] = compiler_lock.global_compiler_lock
    return lock


def numba_type(type: Type, readonly: bool = True) -> Any:
    """Numba's type of an argument; arrays that are only read are typed read-only, so that any may
    be passed."""
    from numba import types

    if isinstance(type, Generator):
        return types.npy_rng
    array: Any = types.Array
    scalar = getattr(types, "boolean" if type.dtype == "bool" else type.dtype)
    if isinstance(type, Array):
        return array(scalar, type.rank, type.layout, readonly=readonly)
    return scalar
