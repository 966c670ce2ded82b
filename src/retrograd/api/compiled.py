"""A derivative as a function that other compiled code calls: `rg.grad(f).compiled` in `@njit` code.

    @njit
    def descend(w, X, y):                     def f_grad(w, X, y):            what Numba gets for
        for _ in range(100):                      s, p0, r0 = kernel(w, X, y) `gradient(w, X, y)`
            w -= 0.1 * gradient(w, X, y)          if s: raise Failed(s, p0)
        return w                                  return r0

When Numba infers the types of a call, its argument types become retrograd's, the specialisation
is made like any other, and the call becomes one of its compiled function. Numba's types say less
than arguments do: a float64 is a Python float, and an array whose extent is 1 is not told from
another. Code for extents of 1 is used where it has been made before; otherwise such an argument
raises (Numba asks only once). What a call from Python reads anew each time (captured numbers and
arrays) is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd.api.compiled_types import all_leaves, any_extents, param
from retrograd.api.specialisation import Specialisation
from retrograd.api.types import param_key
from retrograd.backend import cache
from retrograd.backend.dispatch_results import Failing
from retrograd.backend.numba_compile import CompileOptions, Kernel, compile_emitted, on_workqueue
from retrograd.containers import described, is_named_tuple
from retrograd.errors import Unsupported
from retrograd.ir.types import Array, Scalar, Type
from retrograd.program import Unit
from retrograd.trees import Fixed, Leaf, Node, Tree

if TYPE_CHECKING:
    from retrograd.api.function import Compiled

_HERE = "in @njit code"
_PLAIN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def compiled(gradient: Compiled) -> Callable[..., Any]:
    """The function for Numba; called from Python, it calls the object that it was made from.

    Raises Unsupported for options and parameters that compiled callers cannot have.
    """
    from numba.extending import overload

    signature = inspect.signature(gradient)
    _check(gradient, signature)
    cache.name_modules()
    if gradient.options.parallel:
        on_workqueue()                       # a caller from Numba's cache starts no threads
    scope: dict[str, Any] = {"gradient": gradient, "Typing": _Typing(gradient, signature)}
    names = ", ".join(signature.parameters)
    for name, call in (("entry", "gradient({})"), ("typed", "Typing.implementation(({},))")):
        _define(scope, name, signature, [f"return {call.format(names)}"])
    entry: Callable[..., Any] = scope["entry"]
    entry.__name__ = entry.__qualname__ = gradient.__name__
    entry.__doc__ = gradient.__doc__
    overload(entry, prefer_literal=True)(scope["typed"])
    return entry


def _check(gradient: Compiled, signature: inspect.Signature) -> None:
    if not gradient.options.jit:
        raise Unsupported("a function with jit=False has nothing that compiled code can call",
                          "leave jit=False out")
    if gradient.options.max_memory is not None:
        raise Unsupported("max_memory is tested before a call from Python, not in compiled code",
                          "leave max_memory out, and see .residuals() for what is stored")
    for parameter in signature.parameters.values():
        if parameter.kind not in _PLAIN:
            raise Unsupported(f"the parameter {parameter.name!r} of {gradient.__name__} is not one "
                              "that compiled code can pass", "use plain parameters")


def _define(scope: dict[str, Any], name: str, signature: inspect.Signature,
            lines: Sequence[str]) -> None:
    """A function with the user's parameters and defaults."""
    parameters = []
    for k, parameter in enumerate(signature.parameters.values()):
        text = parameter.name
        if parameter.default is not inspect.Parameter.empty:
            scope[f"_rg_default_{k}"] = parameter.default
            text += f"=_rg_default_{k}"
        parameters.append(text)
    scope.setdefault("__name__", __name__)
    source = f"def {name}({', '.join(parameters)}):\n" + "".join(f"    {ln}\n" for ln in lines)
    exec(compile(source, f"<retrograd for compiled callers: {name}>", "exec"), scope)


@dataclass(frozen=True, slots=True)
class _Typing:
    """Makes implementations for argument types, when Numba infers the types of a call."""

    gradient: Compiled
    signature: inspect.Signature

    def implementation(self, given: tuple[Any, ...]) -> Callable[..., Any]:
        gradient, names = self.gradient, tuple(self.signature.parameters)
        of = gradient.__name__
        pairs = [param(g, n, of) for g, n in zip(given, names, strict=True)]
        found, all_made = gradient.specialised([p for p, _ in pairs], [v for _, v in pairs], _HERE)
        variants = [s for s in all_made if _is_variant(s, found)]
        scope: dict[str, Any] = {"Refused": _raising(_ExtentOfOne(gradient.__name__, names))}
        writer = _Writer(names, gradient.options.compile_options(), scope)
        lines = writer.lines(found, variants)
        # Numba's cache keeps this beside others in its callers: equal names must be equal code
        name = cache.entry_name(gradient.__name__, *lines, *writer.modules)
        _define(scope, name, self.signature, lines)
        implementation: Callable[..., Any] = scope[name]
        return implementation


def _is_variant(other: Specialisation, base: Specialisation) -> bool:
    """Whether code is for the same types but extents of 1."""
    if other is base:
        return False
    pairs = zip(other.request.params, base.request.params, strict=True)
    return all(param_key(any_extents(a)) == param_key(any_extents(b)) for a, b in pairs) \
        and other.holds()


# --- what Numba compiles -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Writer:
    """The text of an implementation, and what it refers to."""

    names: tuple[str, ...]
    options: CompileOptions
    scope: dict[str, Any]
    modules: list[str] = field(default_factory=list)

    def lines(self, base: Specialisation, variants: Sequence[Specialisation]) -> list[str]:
        arrays = self.arrays(base)
        ones = [f"{n}.shape[{k}] == 1" for n, p in arrays for k in range(p.rank)]
        body = self.call(base, 0)
        if not ones:
            return body
        lines = [f"if {' or '.join(ones)}:"]
        for number, variant in enumerate(variants, 1):
            lines += [f"    if {self.fits(variant)}:",
                      *(f"        {line}" for line in self.call(variant, number))]
        return [*lines, "    raise Refused()", *body]

    def fits(self, found: Specialisation) -> str:
        """The test for the extents of 1 that code was made for."""
        return " and ".join(f"{text}.shape[{k}] {'==' if d == 1 else '!='} 1"
                            for text, type in self.arrays(found) for k, d in enumerate(type.dims))

    def arrays(self, found: Specialisation) -> list[tuple[str, Array]]:
        return [(text, type) for text, type in all_leaves(self.names, found.request.params)
                if isinstance(type, Array)]

    def call(self, found: Specialisation, number: int) -> list[str]:
        unit = found.program.units[0]
        _require_plain(found)
        emitted = unit.lowered()
        kernel = _kernel(unit, self.options)
        self.modules.extend((kernel.module, repr(emitted.failures)))
        self.scope[f"_rg_kernel_{number}"] = kernel.dispatcher
        given = [_passed(*leaf) for leaf in all_leaves(self.names, found.request.params)]
        results = [f"_rg_r{k}" for k in range(len(found.targets))]
        payload = [f"_rg_p{k}" for k in range(emitted.integers + emitted.floats)]
        targets = ["_rg_s", *payload, *results] if emitted.failures else results
        lines = [f"{', '.join(targets)} = _rg_kernel_{number}({', '.join(given)})"]
        if emitted.failures:
            self.scope[f"_rg_failed_{number}"] = _raising(
                _Failed(Failing(emitted.failures, emitted.integers)))
            lines += ["if _rg_s != 0:",
                      f"    raise _rg_failed_{number}({', '.join(['_rg_s', *payload])})"]
        lines += [f"{given[w.argument]}[...] = {results[w.result]}" for w in unit.written
                  if w.result is not None]
        visible = emitted.structure if unit.visible is None else unit.visible
        return [*lines, f"return {self.built(visible, results, found.targets)}"]

    def built(self, tree: Tree, results: Sequence[str], targets: Sequence[Type]) -> str:
        match tree:
            case Leaf(position=position):
                return self.converted(results[position], targets[position])
            case Node(kind=kind, children=children) if kind == "tuple" or is_named_tuple(kind):
                made = "" if isinstance(kind, str) else self.named(kind)
                return f"{made}(" + "".join(f"{self.built(c, results, targets)}, "
                                            for c in children) + ")"
            case Fixed(value=None):
                return "None"
            case Node(kind=kind):
                raise Unsupported(f"a result is {described(kind)}, which compiled callers do not "
                                  "get", "return numbers, arrays, tuples and named tuples of them")
            case Fixed(value=value):
                raise Unsupported(f"a result is {value!r}, which compiled callers do not get",
                                  "return numbers, arrays, tuples and named tuples of them")

    def named(self, cls: type) -> str:
        """What a class of named tuples is called."""
        name = f"_rg_{cls.__name__}"
        while self.scope.setdefault(name, cls) is not cls:
            name += "_"
        self.modules.append(f"{cls.__module__}.{cls.__qualname__}")
        return name

    def converted(self, text: str, target: Type) -> str:
        if isinstance(target, Array) and not target.dims:
            return f"{self.numpy()}.asarray({text})"
        if isinstance(target, Scalar) and not target.weak and target.dtype != "bool":
            return f"{self.numpy()}.{target.dtype}({text})"
        return text

    def numpy(self) -> str:
        self.scope["_rg_np"] = np
        return "_rg_np"


def _kernel(unit: Unit, options: CompileOptions) -> Kernel:
    """The compiled function as other compiled code calls it."""
    kernel = compile_emitted(unit.lowered(), unit.params, options)
    if kernel.alone:
        raise Unsupported("parallel=True is not safe in compiled callers on the threads that Numba "
                          "has here (workqueue)", "leave parallel=True out")
    return kernel


def _passed(text: str, type: Type) -> str:
    """A number or array of exactly the type that the code takes."""
    if isinstance(type, Scalar) and type.weak and type.dtype in ("float64", "int64"):
        return f"{'float' if type.dtype == 'float64' else 'int'}({text})"
    return text


def _require_plain(found: Specialisation) -> None:
    """Refuse what only an entry from Python does."""
    for capture in found.program.captures:
        raise Unsupported(f"{capture.name!r} is captured: a call from Python reads it anew, "
                          "compiled code cannot", "pass it as a parameter")
    for written in found.program.units[0].written:
        if written.others:
            raise Unsupported(
                f"{written.name!r} is written, and compiled code cannot test that it shares no "
                f"memory with {written.others[0][1]!r}",
                "write into a copy inside the function", written.span, written.line)


# --- exceptions ----------------------------------------------------------------------------------


def _raising(make: Callable[..., BaseException]) -> type[BaseException]:
    """A class that compiled code can raise, and that makes quite another exception: Numba calls
    it with the values that it is raised with, when the compiled code has returned."""
    def new(_: type, *payload: Any) -> BaseException:
        return make(*payload)

    return type("Raised", (Exception,), {"__new__": new})


@dataclass(frozen=True, slots=True)
class _Failed:
    make: Failing

    def __call__(self, status: int, *payload: Any) -> BaseException:
        return self.make(status, payload)


@dataclass(frozen=True, slots=True)
class _ExtentOfOne:
    name: str
    parameters: tuple[str, ...]

    def __call__(self) -> BaseException:
        return Unsupported(
            f"an argument of {self.name} has an extent of 1, and code for that had not been made "
            "when compiled code first called it",
            f"call it from Python with such arguments ({', '.join(self.parameters)}) before that")
