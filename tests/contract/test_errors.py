"""The contract: the same exceptions with the same messages, also where the value is not needed."""

import numpy as np
import pytest

import retrograd as rg
from contract.programs import asserts, dead_while
from contract.support import alike, both_modes, raised

A23, A34, A32 = np.ones((2, 3)), np.ones((3, 4)), np.ones((3, 2))
V2, V3 = np.ones(2), np.ones(3)


def index_in_a_loop(x, n):
    s = 0.0
    for i in range(n):
        s = s + x[i]
    return s


def index_by_data(x, index):
    return np.sum(x[index])


def index_in_while(x, limit):
    i, s = 0, 0.0
    while s < limit:
        s = s + x[i]
        i = i + 1
    return s


def late(x, flag):
    if flag:
        y = x * 2.0
    return y + x


def unpacks(x):
    a, b = x
    return a + b


def message(x, n):
    if n > 2:
        raise ValueError(f"n is {n}, more than {2}")
    return x


class Custom(Exception):
    pass


def custom(x):
    if x > 1:
        raise Custom("large")
    return x


def in_a_helper(x, n):
    return index_in_a_loop(x, n) + asserts(x[0], n)


CASES = {
    "index": (lambda x: x[3], V3),
    "negative index": (lambda x: x[-4], V3),
    "index of an axis": (lambda x: x[1, 3], A23),
    "index in a loop": (index_in_a_loop, V3, 4),
    "index by data": (index_by_data, V3, np.array([0, 3])),
    "negative index by data": (index_by_data, V3, np.array([0, -4])),
    "index in a while loop": (index_in_while, V3, 9.0),
    "shapes": (lambda x, y: np.sum(x + y), V3, V2),
    "shapes of a product": (lambda x, y: np.sum(x * y), A23, V2),
    "shapes of a comparison": (lambda x, y: np.sum(np.where(x > y, x, 0.0)), A23, V2),
    "shapes of three": (lambda x, y: np.sum(np.where(y > 0, x, x)), V3, V2),
    "reshape": (lambda x: np.sum(np.reshape(x, (2, 2))), A23),
    "matmul": (lambda x, y: np.sum(x @ y), A23, A23),
    "matmul of a vector": (lambda x, y: np.sum(x @ y), A23, V2),
    "concatenate": (lambda x, y: np.sum(np.concatenate((x, y))), A23, A34),
    "empty maximum": (lambda x: np.max(x), np.zeros(0)),
    "floor division": (lambda x, n: x * (7 // n), 1.0, 0),
    "remainder": (lambda x, n: x * (7 % n), 1.0, 0),
    "unbound local": (late, 1.0, False),
    "too few to unpack": (unpacks, np.ones(0)),
    "too few to unpack of 1": (unpacks, np.ones(1)),
    "too many to unpack": (unpacks, V3),
    "raise": (message, 1.0, 3),
    "raise of a class": (custom, 2.0),
    "assert": (asserts, 1.0, 0),
    "assert without a message": (asserts, 1.0, 11),
    "in a helper": (in_a_helper, V3, 4),
}


# np.dot and np.stack are matmul and concatenate here, and speak as these do
REWORDED = {
    "dot": (lambda x, y: np.dot(x, y), V3, V2),
    "stack": (lambda x, y: np.sum(np.stack((x, y))), V3, V2),
}


@pytest.mark.parametrize("name", REWORDED)
@both_modes
def test_the_same_exceptions_in_other_words(name, jit):
    f, *args = REWORDED[name]
    assert raised(rg.grad(f, jit=jit), *args)[0] is raised(f, *args)[0] is ValueError


@pytest.mark.parametrize("name", CASES)
def test_the_same_exceptions_with_the_same_messages(name):
    f, *args = CASES[name]
    alike(f, *args)


def test_without_an_exception_the_same_functions_work():
    for jit in (True, False):
        assert rg.grad(message, jit=jit)(1.0, 2) == 1.0
        assert rg.grad(late, jit=jit)(1.0, True) == 3.0
        assert rg.grad(asserts, jit=jit)(1.0, 5) == 2.0
        assert rg.grad(index_in_while, jit=jit)(V3, 2.5).tolist() == [1.0, 1.0, 1.0]


# --- where nothing needs the value --------------------------------------------------------------


def unused_result(x, y, k):
    x @ y
    x[k]
    return np.sum(x)


def unused_raise(x, n):
    if n > 3:
        raise KeyError("unused")
    return 2.0 * x


def dead_loop(x, n):
    for i in range(n):
        if i == 2:
            raise RuntimeError(f"at {i}")
    return x


def linear_index(x, i):
    return x[i] * 2.0


def constant(x, y):
    np.sum(x + y)
    return 1.0


DEAD = {
    "shapes of a sum": (lambda x, y: np.sum(x + y), V3, V2),
    "constant result": (constant, V3, V2),
    "unused product": (unused_result, A23, A23, 0),
    "unused index": (unused_result, A23, A32, 5),
    "linear index": (linear_index, V3, 3),
    "raise": (unused_raise, 1.0, 4),
    "loop": (dead_loop, 1.0, 4),
    "while loop": (dead_while, 1.0, 6),
}


@pytest.mark.parametrize("name", DEAD)
def test_exceptions_are_never_dead_code(name):
    f, *args = DEAD[name]
    alike(f, *args)


@both_modes
def test_what_is_not_executed_does_not_raise(jit):
    def f(x, n):
        if n < 3:
            return x * x
        raise ValueError("too many")

    def g(x, n):
        s = x
        for i in range(n):
            s = s * (6 // (i + 1)) if i < n else s * (1 // (i - i))
        return s

    assert rg.grad(f, jit=jit)(3.0, 2) == 6.0
    assert rg.grad(g, jit=jit)(1.0, 2) == 18.0


@both_modes
def test_pullbacks_check_the_adjoint(jit):
    _, pullback = rg.vjp(lambda x: x * 2.0, V3, jit=jit)
    with pytest.raises(ValueError, match=r"shape \(2,\).*\(3,\)"):
        pullback(V2)
    with pytest.raises(TypeError):
        pullback("text")
    with pytest.raises(TypeError):
        pullback(V3 * 1j)
    assert pullback(V3)[0].tolist() == [2.0, 2.0, 2.0]


def test_user_exceptions_in_compiled_code_have_their_class():
    kind, text = raised(rg.grad(custom), 2.0)
    assert kind is Custom and text == "large"


# --- memory --------------------------------------------------------------------------------------


def allocates_then_raises(x, n):
    y = np.exp(x) + x
    z = np.cumsum(y * y)
    if n > 2:
        raise ValueError("no")
    for i in range(n + 1):
        z = z * x[i]
    return np.sum(z)


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


@both_modes
def test_no_memory_is_leaked_by_exceptions(jit):
    if not hasattr(np, "ndarray") or not __import__("os").path.exists("/proc/self/statm"):
        pytest.skip("needs /proc")
    g = rg.value_and_grad(allocates_then_raises, jit=jit)
    x = np.linspace(0.0, 1.0, 2000)
    short = np.ones(1)

    def provoke(times):
        for _ in range(times):
            for args in ((x, 3), (short, 1)):
                try:
                    g(*args)
                except (ValueError, IndexError):
                    continue
                raise AssertionError("nothing was raised")

    provoke(500)
    before = resident()
    provoke(10_000 if jit else 1_000)
    assert resident() - before < 4 * 2**20            # a leak of one array a call would be 160 MB
