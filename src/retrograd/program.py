"""What goes into the compiler and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from retrograd.containers import Kind
from retrograd.errors import Span
from retrograd.ir.foreign import Foreign
from retrograd.ir.types import Type
from retrograd.places import Place
from retrograd.trees import Tree

PRIMAL, GRAD, VALUE_AND_GRAD, VJP = "primal", "grad", "value_and_grad", "vjp"
PATH = "path"            # the number of the path that a call takes (`ir/path.py`)
JOINT = "joint"          # a vjp as one function of the arguments and the output's adjoints, to read


@dataclass(frozen=True, slots=True)
class Known:
    """An argument whose value is part of the specialisation (a string, None, a function, an int
    that is used as an axis)."""

    value: Any


@dataclass(frozen=True, slots=True)
class Container:
    """An argument that holds others (`containers.py`); that of `*args` is a tuple."""

    kind: Kind
    parts: tuple[Param, ...]
    keys: tuple[Any, ...] = ()


Param = Type | Known | Container
Position = int | tuple[int, int]    # a parameter's position; or that of *args, and which of them


def leaf_types(param: Param) -> list[Type]:
    """The types of the numbers and arrays in an argument, in order."""
    if isinstance(param, Container):
        return [type for part in param.parts for type in leaf_types(part)]
    return [] if isinstance(param, Known) else [param]


def param_at(params: Sequence[Param], place: Position) -> Param:
    """The entry of a parameter, or of one of the arguments in `*args`.

    Raises ValueError where there are fewer arguments.
    """
    if isinstance(place, int):
        return params[place]
    extra = params[place[0]]
    assert isinstance(extra, Container)
    if place[1] >= len(extra.parts):
        raise ValueError(f"argnums={sum(place)} is out of range: there are "
                         f"{place[0] + len(extra.parts)} positional arguments")
    return extra.parts[place[1]]


@dataclass(frozen=True, slots=True)
class Request:
    """One derivative of one function for one tuple of argument types.

    `params` has one entry for each parameter of the function, in order (the entry for `*args` is a
    container). `wrt` are places in `params`, in the order in which gradients are
    returned; `single` says that the gradient is returned itself and not in a tuple.
    `known_captures` are captured ints whose value is part of the specialisation. Without
    `boundscheck`, compiled code does not check indices. `returns` names array parameters whose
    last contents are results too. Variables in `recompute` and `store` are computed again or
    stored, whatever the planner would do. With `parallel`, marked loops run on all cores where
    that is proven to be right.
    """

    function: Callable[..., Any]
    product: str
    params: tuple[Param, ...]
    wrt: tuple[Position, ...]
    single: bool = True
    has_aux: bool = False
    holomorphic: bool = False
    known_captures: tuple[tuple[str, Any], ...] = ()
    boundscheck: bool = True
    returns: tuple[str, ...] = ()
    recompute: tuple[str, ...] = ()
    store: tuple[str, ...] = ()
    parallel: bool = False


@dataclass(frozen=True, slots=True)
class Capture:
    """A number or array outside the function, read at every call and passed as an argument.

    `read()` gives its present value; `name` is its name in generated source. `place` says where
    it is found, so that another process can find it.
    """

    name: str
    read: Callable[[], Any]
    type: Type
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A static value from outside (a function, a module) that the program was compiled for."""

    name: str
    read: Callable[[], Any]
    value: Any
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """How a compiled function reports an exception: its status is this failure's number.

    The parts of a message are strings and positions among the integer ("i") or float ("f")
    values that follow the status.
    """

    exception: type[BaseException]
    message: tuple[str | tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Helper:
    """A function that a compiled one calls; Numba runs its loop on all cores if `parallel`, and
    may change the order of the sums that are made with it if `reassociate`."""

    name: str
    parallel: bool = False
    reassociate: bool = False


@dataclass(frozen=True, slots=True)
class Emitted:
    """One function as Python source, printed for NumPy or for Numba.

    A compiled function returns a flat tuple of leaves (the bare leaf when there is one). If it can
    fail, the tuple starts with the status (0: success), `integers` ints and `floats` floats.
    `helpers` stand before it in the source; `foreign` are opaque functions by the names that they
    have there. Its last parameters may be memory for the results at `directed`.
    """

    name: str
    source: str
    structure: Tree
    failures: tuple[Failure, ...] = ()
    integers: int = 0
    floats: int = 0
    helpers: tuple[Helper, ...] = ()
    foreign: tuple[tuple[str, Foreign], ...] = ()
    directed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """An array argument that the function writes into.

    `argument` is its position among a unit's parameters, `others` are the positions and names of
    the other arrays there. `result` is the position of its last content among the results, in a
    unit that behaves as the function does. `span` and `line` are the place of the first store;
    `always` says that no branch and no loop decides whether it is reached.
    """

    name: str
    argument: int
    others: tuple[tuple[int, str], ...]
    span: Span | None
    line: str
    always: bool
    result: int | None = None


def nowhere() -> Emitted | None:
    """The directed source of a function that takes no memory for its results."""
    return None


@dataclass(frozen=True, slots=True)
class Unit:
    """One function of a program: its types, and its source for NumPy and for Numba.

    `params` are the types of its arguments without static ones; captures follow the parameters,
    and for the second function of a vjp the parameters are the residuals and then the output's
    adjoints. `results` are the types of the flat results. `written` are the arguments that the
    user's function writes into; `visible` is the structure of what the user gets, where that is
    not what the readable function returns: a part of it, or objects of the user's classes.
    `directed` is the source for Numba that takes memory for results, if there is one.
    """

    params: tuple[Type, ...]
    results: tuple[Type, ...]
    readable: Emitted
    lowered: Callable[[], Emitted]
    written: tuple[Written, ...] = ()
    visible: Tree | None = None
    directed: Callable[[], Emitted | None] = nowhere

    @property
    def result(self) -> Tree:
        """The structure of what the user gets."""
        return self.readable.structure if self.visible is None else self.visible


@dataclass(frozen=True, slots=True)
class Residual:
    """A primal value that the reverse sweep reads: where it is from, how it is had again and why.

    `variable` is the user's name for it (empty for a part of an expression). `each` and `total`
    are the bytes that are stored for an iteration and in all, as texts over the first unit's
    arguments (`adjoint/residuals/sizes.py`), "0" for none, None where that is not known before
    the call.
    """

    variable: str
    span: Span | None
    answer: str
    why: str
    each: str | None = "0"
    total: str | None = "0"


@dataclass(frozen=True, slots=True)
class Program:
    """The compiler's answer: one unit, or two for a vjp (forward, backward)."""

    units: tuple[Unit, ...]
    captures: tuple[Capture, ...]
    guards: tuple[Guard, ...]
    residuals: tuple[Residual, ...] = ()
    sources: tuple[str, ...] = ()     # the text of every function that was inlined, for cache keys
