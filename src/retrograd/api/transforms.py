"""The public functions: `grad`, `value_and_grad`, `vjp`, `jvp`, `hvp`, `jacobian`, `hessian`,
`vmap`, `differentiable` and `check_grads`.

What only some programs need is imported when it is called: an import takes milliseconds of every
process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from retrograd.api.function import Compiled, Differentiable, Gradient, ValueAndGradient
from retrograd.api.identity import Itself, function_of, key_of
from retrograd.api.options import Options
from retrograd.api.parameters import Argnames, Argnums, Wanted, display_name, signature_of, wanted
from retrograd.api.settings import (
    check_no_aux,
    check_one_argument,
    jacobian_settings,
    vmap_settings,
)

if TYPE_CHECKING:
    from retrograd.api.transformed import (
        Hessian,
        HessianVectorProduct,
        Jacobian,
        Mapped,
        Pushforward,
    )
    from retrograd.api.vjp import Pullback

_Kind = TypeVar("_Kind", bound=Compiled)
_Function = Callable[..., Any]


@overload
def grad(f: _Function, argnums: Argnums = None, *, argnames: Argnames = None,
         **options: Any) -> Gradient: ...
@overload
def grad(f: None = None, argnums: Argnums = None, *, argnames: Argnames = None,
         **options: Any) -> Callable[[_Function], Gradient]: ...
def grad(f: _Function | None = None, argnums: Argnums = None, *, argnames: Argnames = None,
         **options: Any) -> Gradient | Callable[[_Function], Gradient]:
    """The gradient of a scalar-valued function, as a function of the same parameters.

    Also a decorator: `@grad`, or `@grad(argnums=(0, 1))`.

    Parameters
    ----------
    f : callable
        A numeric Python function that returns one float.
    argnums : int or sequence of ints, optional
        Positions of the parameters to differentiate with respect to; the first if neither this
        nor `argnames` is given. An int gives the gradient itself, a sequence a tuple of
        gradients in that order.
    argnames : str or sequence of str, optional
        The same by name.
    has_aux : bool
        `f` returns `(value, aux)`, and the gradient function `(gradient, aux)`.
    holomorphic : bool
        Promise that `f` is holomorphic, which a complex value needs: then the gradient is the
        complex derivative. All differentiated arguments and the value must be complex.
        For a real value of complex arguments no promise is needed; the gradient with respect to
        x + iy is df/dx - i df/dy, as in JAX.
    jit : bool
        Compile with Numba (default), or run the readable source as it stands, with NumPy.
    parallel : bool
        Run loops over `numba.prange` on all cores, where their iterations are proven independent:
        they store into parts of arrays that are their own, and add to sums. Other loops keep their
        order, and a comment in `.source("compiled")` says so. The result has the same bits for any
        number of threads (`numba.set_num_threads`). Without it, `prange` is `range`.
    fastmath : bool or set of str
        LLVM's fast-math flags, at the user's own risk; fused multiply-add is always allowed.
    boundscheck : bool
        With False, compiled code does not check indices: one that is out of range reads and
        writes memory that is not its own. Without compilation NumPy checks all the same.
    cache : bool
        Keep compiled code on disk for other processes.
    vector_math : bool
        Whether vectorised `exp`, `sin`, ... of the system may be used.
    returns : str or tuple of str
        Parameters whose last contents are results too, for functions that write into arrays:
        one that returns None then stands for one that returns `A` (of several: a tuple), and one
        that returns a value for one that returns `(value, A, ...)`.
    recompute, store : str or tuple of str
        Variables inside loops that the reverse sweep is to compute again, or to store, whatever
        it would do by itself; `.residuals(*example)` lists them.
    max_memory : int or float, optional
        The bytes that may be stored for the reverse sweep: a call that needs more is refused
        before anything runs.

    Returns
    -------
    Gradient
        Called as `f` is, it returns gradients of the type, shape and dtype of their arguments,
        in fresh memory; `out=` (an array, or one an argument) receives them instead, and holds
        nothing that can be relied on after an exception. It has
        `.source()`, `.residuals()`, `.value_and_grad`, `.vjp`, `.compile(types)`, `.signatures`,
        `.write(path)`.

    Raises
    ------
    Unsupported
        When called, where `f` uses something that cannot be differentiated; the message has
        the place and a remedy; for `recompute` of what cannot be computed again; where more
        would be stored than `max_memory`, or how much is not known before the function runs.
    TypeError
        For arguments that are not floats, and options of wrong types; for a complex value
        without `holomorphic`, and for real arguments or a real value with it.
    ValueError
        For `argnums` out of range, unknown `argnames` and unknown names in `returns`; when
        called, for names in `recompute` and `store` that the reverse sweep does not read.
    """
    made: Gradient | Callable[[_Function], Gradient] = _made(
        Gradient, f, argnums, argnames, options)
    return made


@overload
def value_and_grad(f: _Function, argnums: Argnums = None, *, argnames: Argnames = None,
                   **options: Any) -> ValueAndGradient: ...
@overload
def value_and_grad(f: None = None, argnums: Argnums = None, *, argnames: Argnames = None,
                   **options: Any) -> Callable[[_Function], ValueAndGradient]: ...
def value_and_grad(f: _Function | None = None, argnums: Argnums = None, *,
                   argnames: Argnames = None, **options: Any
                   ) -> ValueAndGradient | Callable[[_Function], ValueAndGradient]:
    """Like `grad`, but the function returns `(value, gradient)`.

    With `has_aux`, `((value, aux), gradient)`. It is what `scipy.optimize.minimize` takes with
    `jac=True`. Parameters and errors are those of `grad`.
    """
    made: ValueAndGradient | Callable[[_Function], ValueAndGradient] = _made(
        ValueAndGradient, f, argnums, argnames, options)
    return made


@overload
def differentiable(f: _Function, argnums: Argnums = None, *, argnames: Argnames = None,
                   **options: Any) -> Differentiable: ...
@overload
def differentiable(f: None = None, argnums: Argnums = None, *, argnames: Argnames = None,
                   **options: Any) -> Callable[[_Function], Differentiable]: ...
def differentiable(f: _Function | None = None, argnums: Argnums = None, *,
                   argnames: Argnames = None, **options: Any
                   ) -> Differentiable | Callable[[_Function], Differentiable]:
    """The function itself, compiled, with its derivatives at hand.

    Called, it returns what `f` returns, and what `f` writes into an argument is in the caller's
    array afterwards; `.grad(...)`, `.value_and_grad(...)` and `.vjp(...)` take the same arguments
    and change none. `.source()` shows the compiled function. Parameters and errors are those of
    `grad`.
    """
    made: Differentiable | Callable[[_Function], Differentiable] = _made(
        Differentiable, f, argnums, argnames, options)
    return made


def vjp(f: _Function, *args: Any, argnums: Argnums = None, argnames: Argnames = None,
        **options: Any) -> tuple[Any, Pullback]:
    """The value of a function, and the pullback that maps an adjoint of it to the arguments.

    Parameters
    ----------
    f : callable
        A numeric Python function; its value may be a float, an array or a container of them.
    *args
        The arguments of `f`.
    argnums, argnames : optional
        Which arguments, as for `grad`: one gives the adjoint itself, a sequence a tuple. Without
        them the pullback returns one entry a positional argument, None for those not floats.
    **options
        As for `grad`.

    Returns
    -------
    value
        What `f` returns.
    pullback : callable
        `pullback(value_bar)`, with `value_bar` nested and shaped as the value is, returns the
        adjoints, each of its argument's type, shape and dtype, in fresh memory at every call.

    Raises
    ------
    ValueError
        From the pullback, for an adjoint of another shape than the value.
    TypeError, Unsupported
        As `grad`.
    """
    from retrograd.api.vjp import vjp_of

    check_no_aux("vjp", options)
    return vjp_of(_primal_of(f), Options(**options), args, kwargs={}, argnums=argnums,
                  argnames=argnames)


def jvp(f: _Function, primals: Sequence[Any], tangents: Sequence[Any], **options: Any,
        ) -> tuple[Any, Any]:
    """The value of a function and its directional derivative (forward mode).

    Parameters
    ----------
    f : callable
        A numeric Python function; its value may be a float, an array or a container of them.
    primals : tuple or list
        The arguments of `f`, by position.
    tangents : tuple or list
        For each argument its tangent, nested and shaped as the argument is; None for an argument
        that stays as it is, as one that is not a float must.
    **options
        As for `grad`.

    Returns
    -------
    value
        What `f` returns.
    tangent
        The derivative of the value in the direction of the tangents: nested, shaped and typed as
        the value is, with None at leaves that are not floats.

    Raises
    ------
    TypeError
        If the tangents are not nested as the primals are, or belong to what is not a float.
    ValueError
        For a tangent of another shape than its primal.
    Unsupported
        As `grad`.
    """
    if not (type(primals) is type(tangents) is tuple):
        primals, tangents = _as_tuple(primals, "primals"), _as_tuple(tangents, "tangents")
    if len(primals) != len(tangents):
        raise TypeError(f"jvp got {len(primals)} primals and {len(tangents)} tangents")
    if options:
        check_no_aux("jvp", options)
        return _pushforward(f, Options(**options), len(primals))._entry(*(primals + tangents))
    pushed = _PUSHED[f if type(f) is FunctionType else key_of(f)][len(primals)]
    return pushed._entry(*(primals + tangents))


def hvp(f: _Function, argnums: int | None = None, *, argnames: str | None = None,
        **options: Any) -> HessianVectorProduct:
    """The Hessian of a scalar-valued function times a direction, without the Hessian.

    `hvp(f)(x, v, *args)` is the derivative of the gradient with respect to `x` in the direction
    `v`: the order is that of SciPy's `hessp`. It is forward mode over reverse mode, and costs a
    few times the gradient whatever the size of `x`.

    Parameters
    ----------
    f : callable
        A numeric Python function that returns one float.
    argnums : int, optional
        The position of the parameter to differentiate with respect to, the first by default. The
        direction follows it among the arguments, and has its structure, shapes and dtypes.
    argnames : str, optional
        The same by name.
    **options
        As for `grad`.

    Returns
    -------
    HessianVectorProduct
        Called with the arguments of `f` by position and the direction, it returns the product in
        the structure of the differentiated argument.

    Raises
    ------
    TypeError
        For several `argnums`; use a container for several arrays.
    Unsupported
        As `grad`.
    """
    from retrograd.api.transformed import HessianVectorProduct

    check_one_argument(argnums, argnames)
    check_no_aux("hvp", options)
    made: HessianVectorProduct = _made(HessianVectorProduct, f, argnums, argnames, options)
    return made


def jacobian(f: _Function, argnums: Argnums = None, *, argnames: Argnames = None,
             mode: str = "auto", **options: Any) -> Jacobian:
    """The Jacobian of a function, as a function of the same parameters.

    All directions are computed in one compiled call; what does not depend on the direction is
    computed once. Goes into `scipy.optimize.least_squares(jac=...)` and `root`.

    Parameters
    ----------
    f : callable
        A numeric Python function; its value may be a float, an array or a container of them.
    argnums, argnames : optional
        Which arguments, as for `grad`.
    mode : {"auto", "forward", "reverse"}
        One direction an element of the arguments, or one an element of the value; "auto" takes
        the fewer.
    **options
        As for `grad`.

    Returns
    -------
    Jacobian
        Called as `f` is, it returns for every float leaf of the value (in the value's structure)
        and for every float leaf of the arguments (in theirs, and in a tuple for a sequence of
        `argnums`) an array of shape `value.shape + argument.shape`.

    Raises
    ------
    ValueError
        For an unknown mode.
    TypeError, Unsupported
        As `grad`.
    """
    from retrograd.api.transformed import Jacobian

    check_no_aux("jacobian", options)
    made: Jacobian = _made(Jacobian, f, argnums, argnames, options, jacobian_settings(mode))
    return made


def hessian(f: _Function, argnums: Argnums = None, *, argnames: Argnames = None, **options: Any,
            ) -> Hessian:
    """The Hessian of a scalar-valued function, as a function of the same parameters.

    It is the Jacobian of the gradient, in forward mode over reverse mode. Parameters and errors
    are those of `grad`; use `hvp` where a product with a vector is enough.

    Returns
    -------
    Hessian
        For one array argument an array of shape `x.shape + x.shape`; for containers and several
        `argnums` the structure of the arguments twice, one inside the other.
    """
    from retrograd.api.transformed import Hessian

    check_no_aux("hessian", options)
    made: Hessian = _made(Hessian, f, argnums, argnames, options)
    return made


def vmap(f: _Function, in_axes: Any = 0, out_axes: Any = 0, *, parallel: bool = False,
         reduce: str | None = None, **options: Any) -> Mapped:
    """A function of batches: `f`, which may be a derivative, is called for every sample in one
    compiled loop.

        losses = rg.vmap(loss, in_axes=(None, 0))(params, images)
        step = rg.vmap(rg.grad(loss), in_axes=(None, 0), reduce="mean")(params, images)

    Parameters
    ----------
    f : callable
        A numeric Python function of one sample, or what `grad`, `value_and_grad`, `jacobian`, ...
        made of one.
    in_axes : int, None or tuple
        The axis of each argument along which the samples lie, None for an argument that all
        samples share; one for all, or a tuple with an entry a positional argument. Of a container
        it is the axis of all its arrays, or a tuple of those of its parts. Parameters with default
        values may be left out: a number is shared then, an array mapped along axis 0, and so is
        what can only be given by keyword.
    out_axes : int or tuple
        The axis of each result along which the samples will lie.
    parallel : bool
        Run samples on all cores. The result is the same to the last bit.
    reduce : {"sum", "mean"}, optional
        Add the results of all samples, or take their mean, instead of stacking them; no result of
        a single sample is kept. The samples are added in 32 blocks, in order.
    **options
        As for `grad`.

    Returns
    -------
    Mapped
        Called with batches, it returns what `f` returns with an axis more at every leaf; `out=`,
        nested as the results are, receives them instead (None where new memory is wanted).

    Raises
    ------
    ValueError
        Where the sizes of the batches differ, an axis is out of range, or nothing is mapped.
    TypeError
        For axes of wrong types.
    Unsupported
        As `grad`; and where the shape of a result depends on the sample.
    """
    from retrograd.api.transformed import Mapped

    check_no_aux("vmap", options)
    settings = vmap_settings(in_axes, out_axes, reduce, parallel)
    if isinstance(f, Compiled):
        options = {"jit": f.options.jit, **options}
    return Mapped(_primal_of(f), Wanted((), False), Options(**options, parallel=parallel), settings)


def check_grads(f: Callable[..., Any], args: Sequence[Any], argnums: Argnums = None, *,
                order: int = 1, modes: str | Sequence[str] = ("reverse", "forward"),
                rtol: float | None = None, atol: float | None = None, step: float | None = None,
                **options: Any) -> None:
    """Raise AssertionError where a derivative of `f` differs from central finite differences.

    Parameters
    ----------
    f : callable
        The user's function, or what `grad` made of it. An array or a container as its value (with
        `returns`, of what its arguments hold at the end) is contracted with fixed pseudo-random
        weights. Complex arguments are moved along both axes
        and give df/dx - i df/dy; of a complex value the real part is taken.
    args : sequence
        The arguments at which to compare; `f` is called twice for each of their elements.
    argnums : int or sequence of ints, optional
        Which arguments; all that are floats by default.
    order : {1, 2}
        With 2, the derivatives of the tangent in one direction are compared as well.
    modes : {"reverse", "forward"} or both
        Which modes are compared; the programs of both are different ones.
    rtol, atol : float, optional
        Allowed difference: `atol + rtol * |finite difference|`. By default both are 1e-6, and
        1e-3 for float32, where `atol` is scaled by the size of the value.
    step : float, optional
        The step, relative to max(1, |element|); 6e-6 by default.

    Raises
    ------
    AssertionError
        Naming the mode, the first argument and element that disagree, and both numbers; it says
        where a branch or a trip count changes within the step.
    TypeError
        If no argument is a float.
    ValueError
        For an unknown mode or order.
    """
    from retrograd.api.check import DEFAULT_STEP, Asked, check

    chosen = (modes,) if isinstance(modes, str) else tuple(modes)
    if not chosen or not set(chosen) <= {"reverse", "forward"}:
        raise ValueError(f"modes must be 'reverse', 'forward' or both, got {modes!r}")
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order!r}")
    check(f, args, argnums, Asked(order, chosen, rtol, atol, step or DEFAULT_STEP), options)


def _made(kind: type[_Kind], f: _Function | None, argnums: Argnums, argnames: Argnames,
          options: dict[str, Any], *settings: Any) -> Any:
    chosen = Options(**options)

    def make(function: _Function) -> _Kind:
        primal = _primal_of(function)
        signature = signature_of(primal)
        which = wanted(signature, argnums, argnames, display_name(primal))
        return kind(primal, which, chosen, *settings)

    if f is None:
        return make
    if not callable(f):
        raise TypeError(f"expected a function, got {type(f).__name__}")
    return make(f)


def _as_tuple(given: Sequence[Any], name: str) -> tuple[Any, ...]:
    if not isinstance(given, (tuple, list)):
        raise TypeError(f"{name} must be a tuple, got {type(given).__name__}")
    return tuple(given)


def _pushforward(f: _Function, options: Options, count: int) -> Pushforward:
    """What `jvp` calls for so many primals."""
    from retrograd.api.transformed import pushforward_of

    return pushforward_of(_primal_of(f), options, count)


class _PushedOfOne(dict[int, "Pushforward"]):
    """What `jvp` of a function calls where there are no options, by the number of primals."""

    def __init__(self, function: _Function) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, count: int) -> Pushforward:
        self[count] = found = _pushforward(self._function, Options(), count)
        return found


class _Pushed(dict[Callable[..., Any] | Itself, _PushedOfOne]):
    """The same of every function: found in less time than options are made in."""

    def __missing__(self, key: Callable[..., Any] | Itself) -> _PushedOfOne:
        if len(self) >= _MOST_PUSHED:
            self.clear()
        self[key] = found = _PushedOfOne(function_of(key))
        return found


_MOST_PUSHED = 256
_PUSHED = _Pushed()


def _primal_of(function: _Function) -> _Function:
    return function.primal if isinstance(function, Differentiable) else function
