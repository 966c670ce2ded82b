"""The objects that `grad`, `value_and_grad` and `differentiable` return."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from retrograd.api import outputs
from retrograd.api.options import Options
from retrograd.api.parameters import Wanted, display_name, place_name, signature_of
from retrograd.api.records import Signature
from retrograd.api.specialisation import Specialisation
from retrograd.api.specialise import Specialiser
from retrograd.backend.dispatch import slow_entry
from retrograd.derivation import Derivation
from retrograd.errors import Unsupported
from retrograd.program import GRAD, PRIMAL, VALUE_AND_GRAD, Container, Param, Program
from retrograd.trees import taken_apart

if TYPE_CHECKING:
    from retrograd.api.residuals import Residuals


class Compiled:
    """A function that retrograd made from the user's; immutable, safe to call from threads.

    Called with the user's own parameters; types are taken from the arguments, and code is made
    for types that are met for the first time.

    Attributes
    ----------
    primal : callable
        The user's function itself.
    options : Options
        What was asked for besides `argnums`.
    signatures : list of Signature
        What was compiled: `types`, `reason`, `seconds`.
    """

    product = PRIMAL
    __module__: str
    __qualname__: str

    def __init__(self, function: Callable[..., Any], wanted: Wanted, options: Options) -> None:
        self._wanted = wanted
        self.options = options
        signature = self._signature_of(function)
        functools.update_wrapper(self, function, updated=())
        self.primal = function
        self.__wrapped__ = function
        self.__name__ = display_name(function)
        self.__doc__ = getattr(function, "__doc__", None)
        self._signature = signature
        self._specialiser = Specialiser(
            self._traced(), signature, self.__name__, product=self.product,
            wanted=self._own_wanted(), options=self._own_options(), written=self._written)
        self._entry = slow_entry(signature, self.__name__, self._slow)

    def _own_wanted(self) -> Wanted:
        return self._wanted

    def _own_options(self) -> Options:
        return self.options

    def _traced(self) -> Callable[..., Any]:
        """The function that is compiled."""
        return self.primal

    def _signature_of(self, function: Callable[..., Any]) -> inspect.Signature:
        return signature_of(function)

    if TYPE_CHECKING:
        def __call__(self, /, *args: Any, **kwargs: Any) -> Any: ...
    else:
        __call__ = property(operator.attrgetter("_entry"))   # a call without a frame of its own

    @property
    def derivation(self) -> Derivation:
        """What this is, for the compiler, where it is called in a program."""
        wanted = self._own_wanted()
        return Derivation(self.product, self.primal, wanted.positions, wanted.single,
                          self.options.has_aux, self.options.holomorphic,
                          returns=self.options.contents)

    @property
    def __signature__(self) -> inspect.Signature:
        return self._signature

    @property
    def signatures(self) -> list[Signature]:
        return list(self._specialiser.records.all)

    def source(self, *example: Any) -> str:
        """The generated source, as text.

        `source(*example)` is the readable source for arguments such as these, and
        `source("compiled", *example)` what Numba gets. Without an example the types are those of
        the last call, else those of the annotations; a parameter that has none is a float.

        Raises Unsupported where the function cannot be differentiated.
        """
        return self._text(example, False)

    def _text(self, example: tuple[Any, ...], alone: bool) -> str:
        from retrograd.api import export

        kind = "readable"
        if example and isinstance(example[0], str) and example[0] in ("readable", "compiled"):
            kind, example = example[0], example[1:]
        program = self._program(example)
        if alone:
            export.require_importable(program)
        return export.text(program, kind == "compiled", self.options)

    def residuals(self, *example: Any) -> Residuals:
        """What the reverse sweep reads of the primal, and what it costs, for such arguments.

        A table, to print or to look at in a notebook: for every primal value how the reverse
        sweep has it again and why, the bytes that are stored an iteration and in all. The
        function is not run; where a trip count is not known before (`while`), the total is None.
        """
        return self._specialiser.residuals(self._bound(example))

    def write(self, path: Any, *example: Any) -> None:
        """Write `source(*example)` to a file, in UTF-8; the example may begin with "compiled".

        Raises Unsupported where it calls an opaque function that no module has under its name.
        """
        text = self._text(example, True)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def compile(self, types: Any) -> None:
        """Compile ahead of any call.

        `types` has one entry a parameter: a signature string such as "float64[:, ::1]", a type
        of Numba's, or an example value. Code for `float64[:]` serves arrays of every layout.

        Raises TypeError where the number of types is not that of the parameters.
        """
        from retrograd.api.annotations import declared_type

        entries = types if isinstance(types, tuple) else (types,)
        self._check_count(entries)
        declared = [declared_type(e) for e in entries]
        values = [None if isinstance(e, str) else e for e in entries]
        found = self._specialiser.for_params(
            self._differentiated(declared), values, self._slow, "compile()", declared=True)
        if found.entry is not None:
            self._entry = found.entry

    @functools.cached_property
    def compiled(self) -> Callable[..., Any]:
        """The same function for compiled callers: `@njit` code may call it.

        `g = rg.grad(f).compiled` is a plain function, which Numba compiles into its callers; from
        Python it calls this object. Arguments are numbers, arrays of any layout, tuples and named
        tuples of them, and strings or None where the call is written; results are numbers, arrays,
        tuples and named tuples. A float64 counts as a Python float, what `f` raises is raised in
        the caller (where Numba leaks what was allocated), and as everywhere in Numba the code is
        fixed when the caller is compiled: with `cache=True` a caller in another file does not
        notice that `f` has changed. An array with an extent of 1 needs code of its own: call this
        object with such arguments first.

        Raises Unsupported, when its caller is compiled, where `f` reads numbers or arrays from
        outside, and where it writes into one of several arrays.
        """
        from retrograd.api.compiled import compiled

        return compiled(self)

    def specialised(self, params: Sequence[Param], values: Sequence[Any],
                    reason: str) -> tuple[Specialisation, list[Specialisation]]:
        """The specialisation for declared types, and all that there are."""
        found = self._specialiser.for_params(
            self._differentiated(params), values, self._slow, reason)
        return found, self._specialiser.made()

    def _differentiated(self, params: Sequence[Param]) -> tuple[Param, ...]:
        positions = self._specialiser.wanted.positions
        return tuple(
            self._specialiser.differentiated(k, p)
            if k in positions else p for k, p in enumerate(params))

    def _program(self, example: tuple[Any, ...]) -> Program:
        specialiser = self._specialiser
        if not example and specialiser.latest is not None:
            return specialiser.latest.program
        if example:
            values = self._bound(example)
            return specialiser.program(specialiser.params_of(values), values)
        return self._annotated_program()

    def source_for(self, types: tuple[Param, ...] | None, compiled: bool) -> str:
        """The source for declared types, one a parameter; for annotated ones without them."""
        from retrograd.api import export

        if types is None:
            program = self._annotated_program()
        else:
            self._check_count(types)
            program = self._specialiser.program(self._differentiated(types), None)
        return export.text(program, compiled, self.options)

    def _check_count(self, types: Sequence[Any]) -> None:
        count = len(self._signature.parameters)
        if len(types) != count:
            raise TypeError(f"{self.__name__} has {count} parameters, but {len(types)} types "
                            "were given")

    def _annotated_program(self) -> Program:
        from retrograd.api.annotations import annotations_of, parameter_type

        specialiser = self._specialiser
        annotations = annotations_of(self.primal)
        parameters = self._signature.parameters.values()
        params: list[Param] = [
            Container("tuple", ()) if p.kind is inspect.Parameter.VAR_POSITIONAL
            else parameter_type(p, annotations) for p in parameters]
        values = tuple(None if p.default is inspect.Parameter.empty else p.default
                       for p in parameters)
        return specialiser.program(self._differentiated(params), values)

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
               ) -> tuple[Any, ...]:
        """The arguments in the order of the parameters, with defaults."""
        bound = self._signature.bind(*args, **(kwargs or {}))
        bound.apply_defaults()
        return tuple(bound.arguments[name] for name in self._signature.parameters)

    def _slow(self, values: tuple[Any, ...], out: Any) -> Any:
        """A call whose arguments the last entry did not know."""
        found = self._specialiser.for_values(values, self._slow)
        if found.entry is not None:
            self._entry = found.entry
        return found.called(values, out)

    def _written(self, result: Any, out: Any) -> Any:
        raise TypeError(f"{self.__name__}() returns no gradient to write into out")

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        raise Unsupported(
            f"{self.__qualname__} is used as a method",
            "differentiate the bound method: rg.grad(instance.method)(...)")

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __reduce__(self) -> Any:
        from retrograd.api import pickling

        return pickling.reduce(self, self.primal, (self._wanted, self.options))

    def __repr__(self) -> str:
        wrt = ", ".join(place_name(self._signature, p) for p in self._own_wanted().positions)
        of = f"{self.__name__}({', '.join(self._signature.parameters)})"
        returns = ", ".join(self.options.contents)
        return (f"<retrograd {self.product} of {of}{' wrt ' + wrt if wrt else ''}"
                f"{' returning ' + returns if returns else ''}>")

    def _repr_html_(self) -> str:
        from retrograd.report.highlight import html

        try:
            return html(self.source())
        except (Unsupported, TypeError, ValueError) as refusal:
            return html(f"# {repr(self)[1:-1]}\n" + "\n".join(
                f"# {line}" for line in str(refusal).splitlines()))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    @functools.cached_property
    def value_and_grad(self) -> ValueAndGradient:
        """The function that returns `(value, gradient)` for the same parameters."""
        return ValueAndGradient(self.primal, self._wanted, self.options)

    def vjp(self, *args: Any, **kwargs: Any) -> tuple[Any, Callable[[Any], Any]]:
        """`(value, pullback)` at these arguments, as `retrograd.vjp` gives them."""
        from retrograd.api.vjp import vjp_of

        return vjp_of(self.primal, self.options, args, kwargs=kwargs)


class Gradient(Compiled):
    """Returns the gradient of a function; see `retrograd.grad`."""

    product = GRAD

    def _written(self, result: Any, out: Any) -> Any:
        if self.options.has_aux:
            return self._into(result[0], out), result[1]
        return self._into(result, out)

    def _into(self, gradients: Any, out: Any) -> Any:
        """Copy gradients into the caller's arrays, all or none."""
        if not self._wanted.single and (
                not isinstance(out, (tuple, list)) or len(out) != len(gradients)):
            raise TypeError(f"out must hold {len(gradients)} arrays, one a gradient")
        return outputs.written(*taken_apart(gradients), out)


class ValueAndGradient(Gradient):
    """Returns `(value, gradient)` of a function; see `retrograd.value_and_grad`."""

    product = VALUE_AND_GRAD

    @functools.cached_property
    def grad(self) -> Gradient:
        """The function that returns the gradient for the same parameters."""
        return Gradient(self.primal, self._wanted, self.options)

    def _written(self, result: Any, out: Any) -> Any:
        return result[0], self._into(result[1], out)


class Differentiable(Compiled):
    """The function itself, compiled like its derivatives; see `retrograd.differentiable`."""

    @functools.cached_property
    def grad(self) -> Gradient:
        """The function that returns the gradient for the same parameters."""
        return Gradient(self.primal, self._wanted, self.options)

    def residuals(self, *example: Any) -> Residuals:
        gradient: Gradient = self.grad
        return gradient.residuals(*example)

    def _own_wanted(self) -> Wanted:
        return Wanted((), False)
