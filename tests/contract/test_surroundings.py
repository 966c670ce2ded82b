"""The contract, "The surrounding program"."""

import copy
import pickle
import sys
import threading
import types
import warnings

import numpy as np
import pytest

import retrograd as rg
from contract.support import both_modes, same

FACTOR = 2.0
TABLE = np.array([1.0, 2.0, 3.0])
PLACE = types.SimpleNamespace(scale=3.0, offset=np.array([1.0, 1.0, 1.0]))


def uses_globals(x):
    return np.sum(x * FACTOR * TABLE)


@pytest.fixture
def restored(monkeypatch):
    """`set(name, value)` for globals of this module, undone afterwards."""
    module = sys.modules[__name__]
    return lambda name, value: monkeypatch.setattr(module, name, value)


@both_modes
def test_captured_globals_are_read_at_every_call(jit, restored):
    g = rg.grad(uses_globals, jit=jit)
    x = np.ones(3)
    same(g(x), 2 * np.array([1.0, 2.0, 3.0]))
    restored("FACTOR", 5.0)
    same(g(x), 5 * np.array([1.0, 2.0, 3.0]))
    restored("TABLE", np.array([1.0, 0.0, 0.0]))
    same(g(x), np.array([5.0, 0.0, 0.0]))
    TABLE[1] = 7.0
    same(g(x), np.array([5.0, 35.0, 0.0]))
    assert len(g.signatures) == 1
    restored("FACTOR", np.ones(3))                             # another type
    same(g(x), np.array([1.0, 7.0, 0.0]))
    restored("FACTOR", 3)
    same(g(x), np.array([3.0, 21.0, 0.0]))
    restored("FACTOR", 2.0)
    restored("TABLE", np.ones((2, 3)))                         # another rank
    same(g(x), np.full(3, 4.0))
    assert len(g.signatures) == 4
    assert "captured" in g.signatures[1].reason


@both_modes
def test_closure_cells_are_read_at_every_call(jit):
    def make():
        a, v = 2.0, np.ones(2)

        def f(x):
            return a * np.sum(x * v)

        def put(number, array):
            nonlocal a, v
            a, v = number, array
        return f, put

    f, put = make()
    g = rg.grad(f, jit=jit)
    same(g(np.ones(2)), np.array([2.0, 2.0]))
    put(3.0, np.array([1.0, 4.0]))
    same(g(np.ones(2)), np.array([3.0, 12.0]))
    assert len(g.signatures) == 1
    put(3, np.float32([1.0, 4.0]))
    same(g(np.ones(2)), np.array([3.0, 12.0]))
    put(3.0, np.ones(3))
    with pytest.raises(ValueError, match="could not be broadcast"):
        g(np.ones(2))


@both_modes
def test_attributes_are_read_at_every_call(jit, monkeypatch):
    def f(x):
        return np.sum(x * PLACE.scale + PLACE.offset * x)

    g = rg.grad(f, jit=jit)
    same(g(np.ones(3)), np.full(3, 4.0))
    monkeypatch.setattr(PLACE, "scale", 1.0)
    monkeypatch.setattr(PLACE, "offset", np.arange(3.0))
    same(g(np.ones(3)), np.arange(1.0, 4.0))
    assert len(g.signatures) == 1


class Model:
    def __init__(self, weight):
        self.weight = weight

    def loss(self, x):
        return np.sum(self.weight * x * x)


@both_modes
def test_attributes_of_methods_are_read_at_every_call(jit):
    model = Model(2.0)
    g = rg.grad(model.loss, jit=jit)
    same(g(np.ones(2)), np.full(2, 4.0))
    model.weight = 3.0
    same(g(np.ones(2)), np.full(2, 6.0))
    model.weight = np.array([1.0, 0.0])
    same(g(np.ones(2)), np.array([2.0, 0.0]))
    assert Model(5.0).loss(np.ones(2)) == 10.0 and len(g.signatures) == 2


@both_modes
def test_arguments_of_a_partial_are_read(jit):
    import functools

    weight = np.ones(2)
    g = rg.grad(functools.partial(lambda w, x: np.sum(w * x * x), weight), jit=jit)
    same(g(np.ones(2)), np.full(2, 2.0))
    weight[:] = 3.0
    same(g(np.ones(2)), np.full(2, 6.0))


SETTINGS = {"rate": 2.0, "steps": 2}
WEIGHTS = [np.ones(2), 3.0]


def uses_containers(x):
    for _ in range(SETTINGS["steps"]):
        x = x * SETTINGS["rate"]
    return np.sum(x * WEIGHTS[0]) * WEIGHTS[1]


@both_modes
def test_what_captured_containers_hold_is_read_at_every_call(jit, monkeypatch):
    g = rg.grad(uses_containers, jit=jit)
    same(g(np.ones(2)), np.full(2, 12.0))
    monkeypatch.setitem(SETTINGS, "rate", 1.0)
    monkeypatch.setitem(SETTINGS, "steps", 5)
    same(g(np.ones(2)), np.full(2, 3.0))
    monkeypatch.setitem(SETTINGS, "extra", 1)
    same(g(np.ones(2)), np.full(2, 3.0))
    monkeypatch.setattr(sys.modules[__name__], "WEIGHTS", [np.array([1.0, 2.0]), 1.0, 5.0])
    same(g(np.ones(2)), np.array([1.0, 2.0]))


def helper(x):
    return x * x


def other_helper(x):
    return x * x * x


def uses_helper(x):
    return helper(x) + 1.0


@both_modes
def test_functions_are_guarded_by_identity(jit, restored):
    g = rg.grad(uses_helper, jit=jit)
    assert g(3.0) == 6.0
    restored("helper", other_helper)
    assert g(3.0) == 27.0
    restored("helper", lambda x: -x)
    assert g(3.0) == -1.0
    restored("helper", np.sqrt)
    assert g(4.0) == 0.25
    assert len(g.signatures) == 4


@both_modes
def test_modules_are_guarded_by_identity(jit, restored):
    first, second = types.ModuleType("first"), types.ModuleType("second")
    first.factor, second.factor = 2.0, 3.0
    first.act, second.act = np.sin, np.cos
    restored("MODULE", first) if hasattr(sys.modules[__name__], "MODULE") else None
    scope = {"m": first}

    def f(x):
        return m.act(x) * m.factor                            # noqa: F821

    bound = types.FunctionType(f.__code__, scope)
    g = rg.grad(bound, jit=jit)
    assert g(0.0) == 2.0
    first.factor = 4.0
    assert g(0.0) == 4.0
    scope["m"] = second
    assert g(0.0) == 0.0
    second.act = np.sin
    assert g(0.0) == 3.0


def edited(x):
    return x * 2.0


def calls_edited(x):
    return edited(x) * 3.0


@both_modes
def test_a_callee_whose_code_is_replaced(jit, monkeypatch):
    g = rg.grad(calls_edited, jit=jit)
    assert g(1.0) == 6.0
    monkeypatch.setattr(edited, "__code__", other_helper.__code__)
    assert g(2.0) == 36.0


# --- what is refused -----------------------------------------------------------------------------

COUNT = 0


def writes_global(x):
    global COUNT
    COUNT = COUNT + 1
    return x


def writes_nonlocal(x):
    n = 1.0

    def inner():
        nonlocal n
        n = 2.0
        return n
    return x * inner() * n


@both_modes
def test_global_and_nonlocal_writes_are_refused(jit):
    for f in (writes_global, writes_nonlocal):
        with pytest.raises(rg.Unsupported, match="writes outside the function"):
            rg.grad(f, jit=jit)(1.0)
    assert COUNT == 0


@both_modes
def test_the_global_random_state_is_refused(jit):
    for f in (lambda x: x * np.random.rand(), lambda x: x + np.random.normal(0.0, 1.0),
              lambda x: x + np.random.default_rng(0).normal()):
        before = np.random.get_state()[1].copy()
        with pytest.raises(rg.Unsupported, match="random"):
            rg.grad(f, jit=jit)(1.0)
        assert np.array_equal(before, np.random.get_state()[1])


def draws_in_a_loop(x, rng, n):
    y = x
    for _ in range(n):
        y = np.sin(y + rng.normal(0.0, 0.5)) * y + rng.random()
    return y * np.sum(rng.exponential(2.0, (2, 2)))


@both_modes
def test_what_a_generator_draws_is_drawn_once_and_kept(jit):
    mine, yours = np.random.default_rng(4), np.random.default_rng(4)
    value, x_bar = rg.value_and_grad(draws_in_a_loop, jit=jit)(0.7, mine, 5)
    same(value, draws_in_a_loop(0.7, yours, 5))
    assert mine.bit_generator.state == yours.bit_generator.state
    step = 1e-6
    low, high = (draws_in_a_loop(0.7 + s, np.random.default_rng(4), 5) for s in (-step, step))
    assert abs((high - low) / (2 * step) - x_bar) < 1e-7 * abs(x_bar)
    found, pullback = rg.vjp(draws_in_a_loop, 0.7, np.random.default_rng(4), 5, jit=jit)
    same(found, value)
    for _ in range(2):
        x_again, *others = pullback(1.0)
        same(x_again, x_bar)
        assert others == [None, None]


@both_modes
def test_a_generator_is_inactive(jit):
    def f(x, rng):
        return x * rng.normal()

    with pytest.raises(TypeError, match="'rng': it is a random generator"):
        rg.grad(f, argnums=1, jit=jit)(1.0, np.random.default_rng(0))



# --- threads -------------------------------------------------------------------------------------


@both_modes
def test_one_compilation_for_many_threads(jit):
    def f(x, y):
        return np.sum(np.tanh(x) * y)

    g = rg.grad(f, jit=jit)
    x = np.linspace(0.0, 1.0, 100)
    expected = 3.0 / np.cosh(x) ** 2
    start, failures = threading.Barrier(8), []

    def work():
        start.wait()
        for _ in range(50):
            if not np.allclose(g(x, 3.0), expected, rtol=1e-12):
                failures.append("wrong")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures and len(g.signatures) == 1


@both_modes
def test_threads_with_different_types(jit):
    g = rg.grad(lambda x: np.sum(x * x), jit=jit)
    arguments = [1.0, np.float32(1), np.ones(2), np.ones((2, 2)), np.ones(2, np.float32)]
    start, failures = threading.Barrier(len(arguments)), []

    def work(x):
        start.wait()
        for _ in range(20):
            got = g(x)
            if type(got) is not type(x) or not np.all(got == 2 * x):
                failures.append(got)

    threads = [threading.Thread(target=work, args=(a,)) for a in arguments]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures and len(g.signatures) == len(arguments)


# --- pickling ------------------------------------------------------------------------------------


def at_top(x, y):
    return x * x * y


decorated = rg.grad(at_top, jit=False)


@both_modes
def test_pickling_by_reference(jit):
    g = rg.value_and_grad(at_top, (1, 0), jit=jit)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps(g, protocol)
        again = pickle.loads(data)
        assert again.primal is at_top and again(2.0, 3.0) == (12.0, (4.0, 12.0))
        assert again.options == g.options
    assert b"return x" not in data
    assert pickle.loads(pickle.dumps(rg.differentiable(at_top)))(2.0, 3.0) == 12.0


def test_pickling_by_source():
    pytest.importorskip("cloudpickle")
    k = 3.0
    g = rg.grad(lambda x: k * x * x, jit=False)
    again = pickle.loads(pickle.dumps(g))
    assert again(2.0) == 12.0 and again.primal is not g.primal


def test_pickling_names_the_obstacle(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(pickle.PicklingError, match=r"<lambda>.*install cloudpickle"):
        pickle.dumps(rg.grad(lambda x: x))


def test_copies_are_the_object_itself():
    g = rg.grad(at_top)
    assert copy.copy(g) is g and copy.deepcopy(g) is g


def test_objects_are_immutable_in_what_they_compute():
    g = rg.grad(at_top, jit=False)
    with pytest.raises((AttributeError, TypeError)):
        g.options.jit = True
    g.signatures.append("mine")
    assert g.signatures == []


# --- recompilation -------------------------------------------------------------------------------


def axis_sum(x, axis):
    return np.sum(np.sum(x, axis=axis) ** 2)


@both_modes
def test_recompilation_is_visible(jit):
    g = rg.grad(axis_sum, jit=jit)
    x = np.ones((2, 3))
    same(g(x, 0), np.full((2, 3), 4.0))
    same(g(x, 1), np.full((2, 3), 6.0))
    same(g(x.astype(np.float32), 1), np.full((2, 3), 6.0, np.float32))
    first, second, third = g.signatures
    assert first.reason == "first call" and first.types == ("float64[:, :]", "=0")
    assert second.reason == "axis: =0 became =1"
    assert third.reason == "x: float64[:, :] became float32[:, :]"
    assert all(s.seconds > 0 for s in g.signatures)
    same(g(x, 0), np.full((2, 3), 4.0))
    assert len(g.signatures) == 3


def repeated(x, n):
    return np.sum(np.stack((x,) * n))


@both_modes
def test_a_warning_after_eight_because_of_static_values(jit):
    g = rg.grad(repeated, jit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", rg.RecompilationWarning)
        for n in range(1, 9):
            assert g(1.0, n) == n
    with pytest.warns(rg.RecompilationWarning, match="n: =8 became =9"):
        g(1.0, 9)
    assert len(g.signatures) == 9


def test_types_alone_do_not_warn():
    g = rg.grad(lambda x: np.sum(x), jit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", rg.RecompilationWarning)
        for rank in range(1, 7):
            for dtype in (np.float32, np.float64):
                g(np.zeros((2,) * rank, dtype))
    assert len(g.signatures) == 12


# --- options -------------------------------------------------------------------------------------


def test_parallel_is_off_by_default():
    assert rg.grad(at_top).options.parallel is False
