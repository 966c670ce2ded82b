"""What every differentiated program must satisfy, in both modes, judged by truth from outside.

`assert_gradients` is the one way to check a program: value, gradients, their types, shapes and
dtypes, arguments unchanged, results that share no memory, and both modes in agreement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import retrograd as rg
import truth

JIT = {"numpy": False, "compiled": True}
AGREEMENT = {"float64": 1e-12, "float32": 1e-5}
SINGLE = {"float32", "complex64"}


def expected_gradients(
    f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int],
    method: str = "auto", seeds: Any = None,
) -> truth.Truth:
    """The true gradients of `f` (of `sum(seeds * f)` where there are seeds).

    `method` is "auto", "differences", "complex", "autograd" or "jax".
    """
    with np.errstate(all="ignore"):
        return truth.gradients(f, args, argnums, method, seeds)


def assert_gradients(
    f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int] | None = None,
    modes: Sequence[str] = ("numpy", "compiled"), *,
    method: str = "auto", expected: Sequence[Any] | None = None, rtol: float | None = None,
) -> None:
    """Check `value_and_grad` of a function of one number, and `vjp` of any other.

    `argnums` are by default all arguments of floats. `expected` replaces the method where truth
    is known by thought (at a kink, say); `rtol` replaces the tolerance of the method.
    """
    argnums = float_arguments(args) if argnums is None else tuple(argnums)
    with np.errstate(all="ignore"):
        value = f(*map(truth.fresh, args))
    seeds = None if is_number(value) else seeds_of(value, np.random.default_rng(7))
    if expected is None:
        true = expected_gradients(f, args, argnums, method, seeds)
    else:
        true = truth.Truth(tuple(np.asarray(e) for e in expected), 1e-10, "expected")
    results = {mode: run(f, args, argnums, mode, seeds, value) for mode in modes}
    for mode, (found_value, found) in results.items():
        place = f"{getattr(f, '__name__', f)}, {mode} mode"
        assert_value(found_value, value, args, place)
        for n, gradient, right in zip(argnums, found, true.gradients, strict=True):
            label = f"{place}, argument {n}"
            assert_type(gradient, args[n], label)
            tolerance = rtol or max(true.rtol, 1e-4 * (precision([args[n], value]) == "float32"))
            assert truth.close(in_double(gradient), right, tolerance), (
                f"{label}: found\n{gradient}\nbut {true.method} gives\n{right}")
    if len(results) == 2:
        assert_agreement(results["numpy"], results["compiled"], args, str(f))


def run(
    f: Callable[..., Any], args: Sequence[Any], argnums: tuple[int, ...], mode: str, seeds: Any,
    value_of: Any = None
) -> tuple[Any, tuple[Any, ...]]:
    """Value and gradients in one mode, with the checks that need no truth; `value_of` is what
    Python gives: the gradient of a complex number is a holomorphic one."""
    given, kept = [truth.fresh(a) for a in args], [truth.fresh(a) for a in args]
    for first, a in enumerate(args):              # what was one array stays one array
        for second in range(first):
            if a is args[second] and isinstance(a, np.ndarray):
                given[first] = given[second]
    jit = JIT[mode]
    with np.errstate(all="ignore"):
        if seeds is None:
            options = {"jit": jit, "holomorphic": truth.is_complex(value_of)}
            value, gradients = rg.value_and_grad(f, argnums=argnums, **options)(*given)
            if mode == "numpy":
                alone = rg.grad(f, argnums=argnums, **options)(*given)
                assert all(map(same_bits, alone, gradients)), "grad differs from value_and_grad"
        else:
            value, pullback = rg.vjp(f, *given, argnums=argnums, jit=jit)
            gradients = pullback(seeds)
            again = pullback(seeds)
            assert all(map(same_bits, again, gradients)), "a second call of the pullback differs"
            assert_separate([*gradients, *again])
    assert isinstance(gradients, tuple) and len(gradients) == len(argnums)
    for before, after in zip(kept, given, strict=True):
        assert same_bits(before, after), f"{mode} mode changed an argument"
    assert_separate(gradients)
    for array in arrays([given, value]):
        for gradient in arrays(gradients):
            assert not np.may_share_memory(array, gradient), "a gradient shares memory"
    return value, gradients


def assert_value(found: Any, true: Any, args: Sequence[Any], place: str) -> None:
    if isinstance(true, tuple | list):
        assert type(found) is type(true) and len(found) == len(true), f"{place}: value {found!r}"
        for f, t in zip(found, true, strict=True):
            assert_value(f, t, args, place)
        return
    assert np.shape(found) == np.shape(true), f"{place}: shape {np.shape(found)} of the value"
    if isinstance(true, np.ndarray):
        assert isinstance(found, np.ndarray) and found.dtype == true.dtype, f"{place}: {found!r}"
    rtol = AGREEMENT[precision([*args, true])]
    assert np.allclose(found, true, rtol=rtol, atol=rtol, equal_nan=True), (
        f"{place}: the value is {found!r}, Python gives {true!r}")


def assert_type(gradient: Any, argument: Any, label: str) -> None:
    """A gradient has the type, shape and dtype of its argument; ints count as floats."""
    if isinstance(argument, np.ndarray):
        assert isinstance(gradient, np.ndarray), f"{label}: {type(gradient)} for an array"
        assert gradient.dtype == argument.dtype, f"{label}: dtype {gradient.dtype}"
        assert gradient.shape == argument.shape, f"{label}: shape {gradient.shape}"
        assert gradient.flags.c_contiguous and gradient.flags.writeable, label
    else:
        expected = float if isinstance(argument, int) else type(argument)
        assert type(gradient) is expected, f"{label}: {type(gradient)} for {type(argument)}"


def assert_agreement(numpy: Any, compiled: Any, args: Sequence[Any], place: str) -> None:
    """The same numbers from both modes, relative to the size of each array."""
    rtol = AGREEMENT[precision([*args, *leaves(numpy)])]
    for a, b in zip(leaves(numpy), leaves(compiled), strict=True):
        one, other = in_double(a), in_double(b)
        assert truth.close(other, one, rtol), f"{place}: the modes differ:\n{a}\n{b}"


def assert_separate(values: Sequence[Any]) -> None:
    found = list(arrays(values))
    for first, a in enumerate(found):
        for b in found[:first]:
            assert not np.may_share_memory(a, b), "two gradients share memory"


def in_double(value: Any) -> np.ndarray:
    """A number or an array in double precision."""
    return np.asarray(value, np.complex128 if truth.is_complex(value) else np.float64)


# --- small questions ---------------------------------------------------------------------------


def float_arguments(args: Sequence[Any]) -> tuple[int, ...]:
    return tuple(n for n, a in enumerate(args)
                 if np.ndim(a) + np.size(a) and np.asarray(a).dtype.kind in "fc")


def is_number(value: Any) -> bool:
    return not isinstance(value, tuple | list) and np.ndim(value) == 0


def precision(values: Sequence[Any]) -> str:
    kinds = {str(np.asarray(v).dtype) for v in leaves(values) if v is not None}
    return "float32" if kinds & SINGLE else "float64"


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def arrays(value: Any) -> Iterator[np.ndarray]:
    return (v for v in leaves(value) if isinstance(v, np.ndarray))


def same_bits(a: Any, b: Any) -> bool:
    """Equal in every bit: -0.0 is not 0.0, a nan is itself."""
    return np.asarray(a).tobytes() == np.asarray(b).tobytes()


def seeds_of(value: Any, rng: np.random.Generator) -> Any:
    """Random adjoints of the structure of a value."""
    if isinstance(value, tuple | list):
        return type(value)(seeds_of(v, rng) for v in value)
    def part() -> np.ndarray:
        return rng.standard_normal(np.shape(value))

    seeds = part() + 1j * part() if truth.is_complex(value) else part()
    if np.ndim(value):
        return seeds.astype(np.asarray(value).dtype)
    return seeds.item() if isinstance(seeds, np.ndarray | np.generic) else seeds
