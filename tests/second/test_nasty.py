"""Nasty programs over batches, Jacobians, second derivatives and derivatives inside programs: loops
that stop, stores, lists, masks, what is read from outside. The truth is a formula, or the same
thing done one sample at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg

ROWS = np.random.default_rng(0).uniform(0.5, 2.0, (5, 3))
SOME, OTHER = ROWS[0], ROWS[1]


def close(found: Any, expected: Any) -> None:
    """The same structure, shapes and numbers."""
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            close(f, e)
        return
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def stacked(f: Callable[..., Any], *batches: Any) -> Any:
    """What `f` gives for one sample after the other."""
    return np.stack([f(*sample) for sample in zip(*batches, strict=True)])


# --- what samples read from outside ---------------------------------------------------------------

factor = 2.0
weights = np.array([1.0, 2.0, 3.0])


def weighted(x: Any) -> Any:
    return np.sum(factor * weights * x * x)


def helper(x: Any) -> Any:
    return np.sum(x * x)


def helped(x: Any) -> Any:
    return helper(x)


def cubes(x: Any) -> Any:
    return np.sum(x ** 3)


BATCHES: dict[str, Callable[..., Any]] = {
    "rows": lambda f, jit: rg.vmap(f, jit=jit),
    "gradients": lambda f, jit: rg.vmap(rg.grad(f), jit=jit),
    "sum": lambda f, jit: rg.vmap(rg.grad(f), reduce="sum", jit=jit),
}
EXPECTED: dict[str, Callable[..., Any]] = {
    "rows": lambda f: stacked(f, ROWS),
    "gradients": lambda f: stacked(rg.grad(f, jit=False), ROWS),
    "sum": lambda f: np.sum(stacked(rg.grad(f, jit=False), ROWS), axis=0),
}


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])
@pytest.mark.parametrize("name", BATCHES)
def test_samples_read_from_outside_what_is_there_now(name: str, jit: bool,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    batch = BATCHES[name](weighted, jit)
    close(batch(ROWS), EXPECTED[name](weighted))
    monkeypatch.setitem(globals(), "factor", 3.0)
    monkeypatch.setitem(globals(), "weights", np.array([-1.0, 0.0, 2.0]))
    close(batch(ROWS), EXPECTED[name](weighted))


@pytest.mark.parametrize("name", BATCHES)
def test_a_helper_that_is_another_one_is_another_program(
        name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = BATCHES[name](helped, False)
    close(batch(ROWS), EXPECTED[name](helped))
    monkeypatch.setitem(globals(), "helper", cubes)
    close(batch(ROWS), EXPECTED[name](helped))


def test_code_that_is_replaced_is_another_program() -> None:
    def first(x: Any) -> Any:
        return np.sum(x)

    def second(x: Any) -> Any:
        return np.sum(x * x * x)

    batch = rg.vmap(rg.grad(first), jit=False)
    close(batch(ROWS), np.ones((5, 3)))
    first.__code__ = second.__code__
    close(batch(ROWS), 3 * ROWS * ROWS)


# --- lists in samples -----------------------------------------------------------------------------


def chosen(x: Any) -> Any:
    ys = []
    for i in range(len(x)):
        if x[i] > 0.9:
            ys.append(x[i] ** 2)
    ys.append(1.0)
    return sum(ys)


def parts(x: Any) -> Any:
    found = {"a": [x, 2 * x]}
    found["a"].append(x[0])
    found["b"] = np.sum(x)
    return found


@pytest.mark.parametrize("name", BATCHES)
def test_samples_make_lists(name: str) -> None:
    close(BATCHES[name](chosen, False)(ROWS), EXPECTED[name](chosen))


def test_samples_give_lists_and_dicts_that_they_changed() -> None:
    found = rg.vmap(parts, jit=False)(ROWS)
    close(found, {"a": [ROWS, 2 * ROWS, ROWS[:, 0]], "b": np.sum(ROWS, axis=1)})


def test_second_derivatives_of_lists_that_grow_sometimes() -> None:
    """A loop that forward mode writes anew adds nothing that depends on the direction."""
    expected = np.diag(np.where(SOME > 0.9, 2.0, 0.0))
    for mode in ("forward", "reverse"):
        close(rg.jacobian(rg.grad(chosen), mode=mode, jit=False)(SOME), expected)
    close(rg.hessian(chosen, jit=False)(SOME), expected)


# --- what samples write ---------------------------------------------------------------------------


def overwrites(x: Any, w: Any) -> Any:
    """Changes both arguments."""
    x[1:] += w[0] * x[:-1]
    w[0] = 7.0 * x[0]
    return np.sum(x) * w[0]


def in_a_loop(X: Any, w: Any) -> Any:
    total = 0.0
    for i in range(len(X)):
        total += np.sum(rg.grad(overwrites)(X[i], w))
    return total


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "compiled"])
def test_samples_write_into_copies_of_what_they_share(jit: bool) -> None:
    rows, w = ROWS.copy(), np.ones(2)
    found = rg.vmap(overwrites, in_axes=(0, None), jit=jit)(rows, w)
    close(found, [overwrites(x.copy(), np.ones(2)) for x in ROWS])
    close((rows, w), (ROWS, np.ones(2)))


def test_a_gradient_in_a_loop_writes_into_copies() -> None:
    w = np.ones(2)
    found = rg.differentiable(in_a_loop, jit=False)(ROWS, w)
    close(found, sum(np.sum(rg.grad(overwrites, jit=False)(x, w)) for x in ROWS))
    close(w, np.ones(2))
    rg.check_grads(in_a_loop, (ROWS[:2], w), jit=False)


# --- dtypes ---------------------------------------------------------------------------------------


def test_truth_values_are_counted() -> None:
    def above(x: Any) -> Any:
        return x > 1.0, np.sum(x) > 3.0, x[0]

    each, whole, first = rg.vmap(above, reduce="sum", jit=False)(ROWS)
    close((each, whole, first), (np.sum(ROWS > 1.0, axis=0), np.sum(np.sum(ROWS, axis=1) > 3.0),
                                 np.sum(ROWS[:, 0])))
    assert each.dtype == np.int64
    each, whole, _ = rg.vmap(above, reduce="mean", jit=False)(ROWS)
    close((each, whole), (np.mean(ROWS > 1.0, axis=0), np.mean(np.sum(ROWS, axis=1) > 3.0)))


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_jacobians_have_the_dtype_of_the_argument(mode: str) -> None:
    def of_both(a: Any, b: Any, t: Any) -> Any:
        return a * b * t, a * t

    single = SOME.astype(np.float32)
    found = rg.jacobian(of_both, (0, 1, 2), mode=mode, jit=False)(single, OTHER, 0.5)
    assert [[part.dtype for part in row] for row in found] == [
        [np.float32, np.float64, np.float64], [np.float32, np.float64, np.float32]]
    np.testing.assert_allclose(found[0][0], np.diag(OTHER * 0.5), rtol=1e-6)
    np.testing.assert_allclose(found[1][2], single)


# --- complex --------------------------------------------------------------------------------------

COMPLEX = SOME + 1j * OTHER


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_a_holomorphic_jacobian_is_one_of_complex_numbers_alone(mode: str) -> None:
    def found(f: Callable[..., Any], x: Any) -> Any:
        return rg.jacobian(f, mode=mode, holomorphic=True, jit=False)(x)

    close(found(lambda z: np.exp(z), COMPLEX), np.diag(np.exp(COMPLEX)))
    with pytest.raises(TypeError, match="returns float64, and holomorphic=True needs a complex"):
        found(lambda z: np.abs(z) ** 2, COMPLEX)
    with pytest.raises(TypeError, match="argument x is float64, and holomorphic=True needs compl"):
        found(lambda x: np.exp(1j * x), SOME)


def test_inner_gradients_keep_the_promise_of_holomorphic() -> None:
    def modulus(z: Any) -> Any:
        return np.sum(np.abs(z) ** 2)

    for make in (rg.hessian, rg.hvp):
        with pytest.raises(TypeError, match="returns float64, and holomorphic=True needs a comp"):
            make(modulus, holomorphic=True, jit=False)(COMPLEX, *([COMPLEX] * (make is rg.hvp)))
    close(rg.hvp(modulus, jit=False)(COMPLEX, COMPLEX), 2 * np.conj(COMPLEX))


# --- the same array twice -------------------------------------------------------------------------


def from_the_other(a: Any, b: Any) -> Any:
    a[0] = b[0] * 2.0
    return np.sum(a * b)


TWICE: dict[str, Callable[..., Any]] = {
    "jvp": lambda a, b, jit: rg.jvp(from_the_other, (a, b), (np.ones(3), None), jit=jit),
    "hvp": lambda a, b, jit: rg.hvp(from_the_other, jit=jit)(a, np.ones(3), b),
    "jacobian": lambda a, b, jit: rg.jacobian(from_the_other, jit=jit)(a, b),
    "grad of grad": lambda a, b, jit: rg.jacobian(rg.grad(from_the_other), jit=jit)(a, b),
    "vmap": lambda a, b, jit: rg.vmap(from_the_other, jit=jit)(a[None], b[None]),
    "vmap of grad": lambda a, b, jit: rg.vmap(
        rg.grad(from_the_other), in_axes=(None, 0), jit=jit)(a, b[None]),
}


@pytest.mark.parametrize("name", TWICE)
def test_an_array_that_is_written_is_not_given_twice(name: str) -> None:
    for other in (SOME, SOME[::-1]):
        with pytest.raises(rg.Unsupported, match=r"'a' and 'b' (are the same|may share)") as found:
            TWICE[name](SOME, other, False)
        assert found.value.span is not None and "a[0] = b[0]" in found.value.line
    TWICE[name](SOME, SOME.copy(), False)


def test_compiled_code_tests_it_too() -> None:
    with pytest.raises(rg.Unsupported, match="'a' and 'b' may share memory, and 'a' is writ"):
        TWICE["vmap"](SOME, SOME, True)


INSIDE: dict[str, Callable[..., Any]] = {
    "grad": lambda x: np.sum(rg.grad(from_the_other)(x, x)),
    "part": lambda x: np.sum(rg.grad(from_the_other)(x[:2], x[1:])),
    "not differentiated": lambda x: np.sum(rg.grad(from_the_other, 1)(x, x)),
    "jvp": lambda x: rg.jvp(from_the_other, (x, x), (x, None))[1],
    "vmap": lambda x: np.sum(rg.vmap(from_the_other, in_axes=(None, 0))(x, x.reshape(1, 3))),
    "twice inside": lambda x: rg.grad(lambda y: rg.grad(
        lambda z: from_the_other(x * z, x))(y))(1.0),
}


@pytest.mark.parametrize("name", INSIDE)
def test_nor_inside_programs(name: str) -> None:
    if name == "twice inside":                     # made by the function itself: its own
        rg.check_grads(INSIDE[name], (SOME,), jit=False)
        return
    with pytest.raises(rg.Unsupported, match=r"is given for two arguments .* is written to"):
        rg.differentiable(INSIDE[name], jit=False)(SOME)


def test_what_is_only_read_may_be_given_twice() -> None:
    def product(a: Any, b: Any) -> Any:
        return np.sum(a * b * b)

    (aa, ab), (ba, bb) = rg.hessian(product, (0, 1), jit=False)(SOME, SOME)
    close((aa, ab, ba, bb), (np.zeros((3, 3)), *[np.diag(2 * SOME)] * 3))
    close(rg.grad(lambda x: np.sum(rg.grad(product)(x, x)), jit=False)(SOME), 2 * SOME)


# --- parameters -----------------------------------------------------------------------------------


def scaled(s: Any, *xs: Any) -> Any:
    return s * np.sum(xs[0] * xs[1])


def test_any_number_of_arguments() -> None:
    close(rg.vmap(scaled, in_axes=(None, 0, None), jit=False)(2.0, ROWS, SOME), 2.0 * ROWS @ SOME)
    close(rg.jvp(scaled, (2.0, SOME, OTHER), (None, OTHER, SOME), jit=False)[1],
          2.0 * np.sum(OTHER * OTHER + SOME * SOME))
    (_, ab), _ = rg.hessian(scaled, (1, 2), jit=False)(2.0, SOME, OTHER)
    close(ab, 2.0 * np.eye(3))
    with pytest.raises(rg.Unsupported, match="with respect to one of \\*args is not available"):
        rg.hvp(scaled, argnums=1)


def test_functions_of_numpy_are_differentiated_inside() -> None:
    """Their signatures have defaults that mean: not given."""
    def total(x: Any) -> Any:
        value, pullback = rg.vjp(np.sum, x * x)
        return np.sum(rg.grad(np.mean)(x) * x) + np.sum(pullback(value)[0])

    close(rg.grad(total, jit=False)(SOME), 1.0 / 3.0 + 6.0 * SOME)


# --- samples that take different paths ------------------------------------------------------------


def early(x: Any, t: Any) -> Any:
    s = 0.0
    for i in range(len(x)):
        if s > t:
            return s * s
        s += x[i] ** 2
    return -s


def grows(x: Any, t: Any) -> Any:
    y = x.copy()
    while np.sum(y) < t:
        y[1:] *= 1.0 + y[:-1]
        y[0] += 0.5
    return np.sum(y * y)


def stops(x: Any, t: Any) -> Any:
    s = 0.0
    for value in x:
        if value < 0.8:
            continue
        s += value ** 3
        if s > t:
            break
    else:
        s *= 2.0
    return s


@pytest.mark.parametrize("f", [early, grows, stops], ids=lambda f: f.__name__)
def test_each_sample_takes_its_own_path(f: Callable[..., Any]) -> None:
    limits = np.array([0.0, 1.0, 3.0, 30.0, 8.0])
    for make in (rg.grad, rg.hessian):
        close(rg.vmap(make(f), jit=False)(ROWS, limits), stacked(make(f, jit=False), ROWS, limits))
    close(rg.jacobian(rg.vmap(f), jit=False)(ROWS, limits).sum(axis=0),
          stacked(rg.grad(f, jit=False), ROWS, limits))


# --- messages -------------------------------------------------------------------------------------


def test_samples_give_results_of_one_shape() -> None:
    def first(x: Any, n: Any) -> Any:
        return x[:n]

    for reduce in (None, "sum"):
        with pytest.raises(rg.Unsupported, match="what a sample gives depends on the sample"):
            rg.vmap(first, reduce=reduce, jit=False)(ROWS[:2], np.array([1, 2]))


def test_a_pullback_is_called_where_it_was_made() -> None:
    def after(x: Any) -> Any:
        for i in range(3):
            _, pullback = rg.vjp(np.sum, x * i)
        return np.sum(pullback(1.0)[0])

    with pytest.raises(rg.Unsupported, match="made inside a loop") as found:
        rg.grad(after, jit=False)(SOME)
    assert "pullback(1.0)" in found.value.line and "call it there" in found.value.remedy
