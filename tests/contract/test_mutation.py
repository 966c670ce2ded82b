"""The contract: functions that write into their arguments."""

import re

import numpy as np
import pytest

import retrograd as rg
from contract import writing
from contract.support import both_modes, same

X = np.array([0.5, 1.5, -0.3, 0.8])
M = np.array([[0.5, 1.5, -0.3], [0.8, -0.7, 2.0]])
WRITING = {
    "whole": (writing.whole, X, 1.5),
    "kernel": (writing.kernel, X, np.zeros(4)),
    "rows": (writing.rows, M, np.ones(2)),
    "early": (writing.early, X, 2.0),
    "to the end": (writing.early, X, 90.0),
    "branch": (writing.branch, X, 2.0),
    "other branch": (writing.branch, X, -2.0),
    "helper": (writing.helper, X, 1.5),
    "rows in turn": (writing.as_rows, M),
    "by a closure": (writing.by_closure, X),
    "in a tuple": (writing.in_a_container, X, X + 1.0),
    "rebound": (writing.rebound, X, 1.5),
    "complex": (writing.complex_elements, X + 1j, 2.0 - 1j),
    "float32": (writing.whole, X.astype(np.float32), np.float32(1.5)),
    "complex64": (writing.complex_elements, (X + 1j).astype(np.complex64), np.complex64(2j)),
}
OFTEN_COMPILED = ("whole", "kernel", "rows", "early", "complex", "in a tuple")


def strided(a):
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


def unaligned(a):
    memory = np.zeros(a.nbytes + 1, np.uint8)[1:]
    given = memory.view(a.dtype).reshape(a.shape)
    given[...] = a
    return given


LAYOUTS = {
    "C": np.copy,
    "F": lambda a: np.array(a, order="F"),
    "strided": strided,
    "reversed": lambda a: np.copy(a[..., ::-1])[..., ::-1],
    "part of another": lambda a: np.concatenate((a, a))[:len(a)],
    "unaligned": unaligned,
}


def given(args, layout):
    """The arguments in memory of their own, and all the memory that they look into."""
    made = [LAYOUTS[layout](a) if isinstance(a, np.ndarray) else a for a in args]
    owners = [a if a.base is None else a.base for a in made if isinstance(a, np.ndarray)]
    return made, owners


def cases():
    """Names, layouts and modes; compiled code is made for a few of the cases."""
    for name in WRITING:
        for layout in LAYOUTS:
            yield pytest.param(name, layout, False, id=f"{name}-{layout}-numpy")
            if layout == "C" or name == "rows" or (name, layout) == ("kernel", "unaligned"):
                marks = [] if name in OFTEN_COMPILED else pytest.mark.slow
                yield pytest.param(name, layout, True, id=f"{name}-{layout}-compiled", marks=marks)


CASES = list(cases())


def bits(owners):
    return [o.tobytes() for o in owners]


@pytest.mark.parametrize(("name", "layout", "jit"), CASES)
def test_differentiable_changes_what_the_function_changes(name, layout, jit):
    f, *args = WRITING[name]
    expected, true = given(args, layout)
    value = f(*expected)
    d = rg.differentiable(f, jit=jit)
    for _ in range(2):                           # the second time through the compiled entry
        now, owners = given(args, layout)
        got = d(*now)
        rtol = 1e-5 if name in ("float32", "complex64") else 1e-12
        for a, b in zip((got, *owners), (value, *true)):
            assert (a is None) == (b is None)
            if a is not None:
                same(a, b, rtol) if isinstance(a, tuple) else np.testing.assert_allclose(
                    a, b, rtol=rtol)
        assert not any(np.may_share_memory(g, o) for g in (
            got if isinstance(got, tuple) else (got,)) for o in owners if g is not None)


@pytest.mark.parametrize(("name", "layout", "jit"), CASES)
def test_gradients_change_nothing(name, layout, jit):
    f, *args = WRITING[name]
    floats = tuple(k for k, a in enumerate(args) if k == 0 or isinstance(a, np.ndarray))
    now, owners = given(args, layout)
    before = bits(owners)
    value, pullback = rg.vjp(f, *now, argnums=floats, returns=_arrays(f, args), jit=jit)
    pullback(_ones(value))
    pullback(_ones(value))
    assert bits(owners) == before
    if f in (writing.whole, writing.branch):
        g = rg.value_and_grad(f, floats, jit=jit)
        for _ in range(2):
            g(*now), g.grad(*now)
        assert bits(owners) == before


def _arrays(f, args):
    names = f.__code__.co_varnames
    return tuple(n for n, a in zip(names, args) if isinstance(a, np.ndarray))


def _ones(value):
    if isinstance(value, tuple):
        return tuple(map(_ones, value))
    return np.ones_like(value) if np.asarray(value).dtype.kind in "fc" else None


@pytest.mark.parametrize(("name", "jit"), [
    *[(name, False) for name in WRITING],
    *[pytest.param(name, True, marks=[] if name in OFTEN_COMPILED else pytest.mark.slow)
      for name in WRITING]])
def test_gradients_of_what_is_written(name, jit):
    f, *args = WRITING[name]
    rg.check_grads(f, args, returns=_arrays(f, args), jit=jit)


@both_modes
def test_any_number_of_arguments_and_keywords(jit):
    d = rg.differentiable(writing.any_number, jit=jit)
    for _ in range(2):
        a, b, c = np.ones(2), np.full(2, 3.0), np.ones(2)
        assert d(2.0, a, b, last=c) is None
        same((a, b, c), (np.full(2, 4.0), np.full(2, 3.0), np.full(2, 7.0)))
        for _ in range(2):
            with pytest.raises(rg.Unsupported, match=r"'last' and 'arrays\[1\]' are the same"):
                d(2.0, a, b, last=b)
    same(b, np.full(2, 3.0))


@both_modes
def test_an_array_as_a_default_is_like_an_argument(jit):
    default = writing.by_default.__defaults__[0]
    default[:] = 1.0
    d = rg.differentiable(writing.by_default, jit=jit)
    same(d.grad(2.0), 3.0)
    rg.check_grads(writing.by_default, (2.0,), returns="w", jit=jit)
    same(default, np.ones(3))
    assert [d(2.0), d(2.0), d(0.5)] == [6.0, 12.0, 6.0]
    same(default, np.full(3, 2.0))
    with pytest.raises(rg.Unsupported, match="elements of 'w' share memory"):
        d(2.0, np.broadcast_to(1.0, 3))
    default[:] = 1.0


@both_modes
def test_read_only_arguments_that_are_written(jit):
    x = X.copy()
    x.flags.writeable = False
    for f, second in ((writing.whole, 2.0), (writing.branch, 3.0), (writing.branch, -3.0)):
        d = rg.differentiable(f, jit=jit)
        for _ in range(2):
            with pytest.raises(ValueError, match=r"^assignment destination is read-only$"):
                d(x, second)
        assert np.shape(d.grad(x, second)) == (4,)
    same(x, X)

    def sometimes(x, c):
        if c > 0:
            x[0] = c
        return x[0] * 2.0

    d = rg.differentiable(sometimes, jit=jit)
    assert d(x, -1.0) == 1.0 and d(x, -2.0) == 1.0          # nothing is written


@both_modes
def test_what_raises_leaves_the_arguments(jit):
    x = X.copy()
    d = rg.differentiable(writing.raising, jit=jit)
    d(x, 0.5)
    assert x[0] == 0.5
    with pytest.raises(ValueError, match=r"^too large$"):
        d(x, 2.0)
    assert x[0] == 0.5


@both_modes
def test_arrays_without_axes(jit):
    def f(x):
        x[...] = 3.0 * x * x
        return x + 1.0

    d = rg.differentiable(f, jit=jit)
    x = np.array(2.0)
    assert d(x) == 13.0 and x == 12.0
    assert d(x) == 433.0 and x == 432.0
    value, pullback = rg.vjp(f, np.array(2.0), returns="x", jit=jit)
    assert value[0] == 13.0 and value[1] == 12.0
    assert pullback((1.0, np.array(2.0))) == (36.0,)


# --- overlaps -------------------------------------------------------------------------------------


def refused(call, *args, words, **keywords):
    """The call is refused, with place and remedy, before it changed anything."""
    arrays = [a for a in args if isinstance(a, np.ndarray)]
    before = bits(arrays)
    with pytest.raises(rg.Unsupported, match=words) as caught:
        call(*args, **keywords)
    assert caught.value.remedy.startswith("pass a copy") and caught.value.span is not None
    assert caught.value.span.file == writing.__file__
    assert re.search(r"\[|\*=", caught.value.line)
    assert bits(arrays) == before


def products(f, jit):
    d = rg.differentiable(f, jit=jit)
    yield d
    yield lambda *args: rg.vjp(f, *args, jit=jit)
    yield d.vjp
    yield rg.grad(f, jit=jit, has_aux=True)
    yield rg.value_and_grad(f, 1, jit=jit, has_aux=True)


@both_modes
def test_overlapping_arguments_are_refused_when_called(jit):
    whole = np.arange(1.0, 9.0)
    apart = whole[:4].copy()

    def sums(u, out):
        writing.kernel(u, out)
        return np.sum(out * out), out

    for call in products(sums, jit):
        for _ in range(2):
            call(apart, np.zeros(4))
            refused(call, whole[:4], whole[2:6], words=r"'out' and 'u' may share memory")
            refused(call, apart, apart, words=r"'out' and 'u' are the same array")
            refused(call, apart, apart[::-1], words="may share memory")
            call(whole[:4], whole[4:].copy())


@both_modes
def test_captured_arrays_that_overlap_are_refused_when_called(jit):
    for product in (rg.differentiable, rg.grad, rg.value_and_grad):
        g = product(writing.by_captured, jit=jit)
        for _ in range(2):
            g(np.ones(4), 2.0)
            refused(g, writing.FACTORS, 2.0, words="'x' and 'FACTORS' are the same array")
            refused(g, writing.FACTORS[::-1], 2.0, words="'x' and 'FACTORS' may share")
    refused(lambda x: rg.vjp(writing.by_captured, x, 2.0, jit=jit), writing.FACTORS,
            words="the same array")


@both_modes
def test_elements_that_share_memory_are_refused_when_called(jit):
    windows = np.lib.stride_tricks.as_strided(np.arange(5.0), (3, 3), (8, 8))
    for product in (rg.differentiable, rg.grad):
        g = product(writing.whole, jit=jit)
        for x in (windows[0], X.reshape(2, 2)[:, 0], np.arange(16.0).reshape(4, 4).T[1]):
            if len(x) > 2:
                g(x.copy(), 2.0)
        for _ in range(2):
            refused(g, np.lib.stride_tricks.as_strided(np.arange(5.0), (3,), (0,)), 2.0,
                    words="elements of 'x' share memory")
    matrix = rg.differentiable(writing.rows, jit=jit)
    refused(matrix, windows, np.ones(3), words="elements of 'A' share memory")
    refused(rg.differentiable(writing.kernel, jit=jit), X, unaligned(np.ones(8))[::2],
            words="'out' is not aligned")


@both_modes
def test_copies_that_were_made_of_arguments_do_not_hide_overlaps(jit):
    x = unaligned(X)
    for call in (rg.differentiable(writing.kernel, jit=jit),
                 lambda *args: rg.vjp(writing.kernel, *args, returns="out", jit=jit)):
        refused(call, x, x, words="same array")


@both_modes
def test_functions_that_only_read_take_overlapping_arguments(jit):
    d = rg.differentiable(writing.only_reads, jit=jit)
    g = rg.grad(writing.only_reads, jit=jit)
    for _ in range(2):
        same(d(X, X), np.float64(np.sum(X * X)))
        same(g(X, X[::-1]), X[::-1].copy())
    assert not {"may_share", "apart", "changed"} & {
        name.rpartition("_rg_")[2] for name in (*d._entry.__code__.co_names,
                                                *g._entry.__code__.co_names)}


@both_modes
def test_the_entry_of_a_function_that_writes_has_the_check(jit):
    d = rg.differentiable(writing.kernel, jit=jit)
    d(X, np.zeros(4))
    assert {"_rg_may_share", "_rg_apart"} <= set(d._entry.__code__.co_names)


@both_modes
def test_a_branch_may_decide_which_argument_is_written(jit):
    f = writing.one_of_two
    g = rg.value_and_grad(lambda x, y: f(x, y, True), (0, 1), jit=jit)
    same(g(X, M[0])[1], (np.array([0.0, 6.0, 1.0, 1.0]), np.ones(3)))
    with pytest.raises(rg.Unsupported, match=r"what '[uw]' holds at the end") as caught:
        rg.differentiable(writing.swapped, jit=jit)(X.copy(), X.copy(), 3)
    assert "copy()" in caught.value.remedy and caught.value.span.line


@both_modes
def test_swapped_arguments_have_a_gradient(jit):
    g = rg.grad(writing.swapped, jit=jit)
    x, w = X.copy(), np.zeros(4)
    same(g(x, w, 2), 4 * X ** 3)
    same((x, w), (X, np.zeros(4)))
    refused(g, x, x, 2, words="same array")
    for name in "uw":
        with pytest.raises(rg.Unsupported, match=f"what '{name}' holds at the end"):
            rg.vjp(writing.swapped, x, w, 2, returns=name, jit=jit)


@pytest.mark.parametrize("f", [writing.rotated, writing.in_a_container, writing.bound_in_a_branch])
@both_modes
def test_arguments_that_are_written_by_other_names(f, jit):
    x, y, z = X.copy(), X + 1.0, X[::-1].copy()
    rest = {writing.rotated: (z, 2), writing.bound_in_a_branch: (1.0,)}.get(f, ())
    rg.vjp(f, x, y, *rest, argnums=0, jit=jit)
    refused(lambda *args: rg.vjp(f, *args, argnums=0, jit=jit), x, x, *rest, words="same array")
    if f is writing.rotated:
        refused(lambda *args: rg.vjp(f, *args, jit=jit), x, y, x, 2, words="same array")


@both_modes
def test_captured_arrays_that_are_written_are_refused(jit):
    attribute = type("Holder", (), {"array": np.ones(3)})()

    def into_attribute(a):
        attribute.array[1:] += a
        return a

    def into_default_of_helper(a):
        return a * writing.by_default(2.0)

    def into_closure(a):
        X[0] = a
        return a

    def swapped(a):
        return a * writing.swapped_with_captured(np.ones(4), 2)

    for f in (writing.into_captured, into_attribute, into_default_of_helper, into_closure, swapped):
        for product in (rg.grad, rg.differentiable):
            with pytest.raises(rg.Unsupported, match="array from outside the function") as caught:
                product(f, jit=jit)(2.0)
            assert "argument" in caught.value.remedy and caught.value.span is not None
    assert writing.FACTORS[0] == 1.0 and X[0] == 0.5


@both_modes
def test_ravel_of_an_array_with_gaps_may_be_a_copy(jit):
    x = np.arange(1.0, 7.0)
    same(rg.value_and_grad(writing.ravel, jit=jit)(x),
         (np.float64(30.0), np.array([0.0, 6.0, 1.0, 1.0, 1.0, 1.0])))
    for f, given in ((writing.ravel_of_a_view, x), (writing.ravel_read_afterwards, x),
                     (writing.ravel, np.arange(12.0)[::2])):
        with pytest.raises(rg.Unsupported, match="may or may not be the same array"):
            rg.grad(f, jit=jit)(given)
