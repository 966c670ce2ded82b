import numpy as np
import pytest

import retrograd as rg
from api.fakes import square


def test_right_gradients_pass(fake):
    for x in (3.0, np.arange(6.0).reshape(2, 3), np.arange(3, dtype=np.float32), np.array(2.0)):
        rg.check_grads(square, (x,), jit=False, modes="reverse")
    rg.check_grads(rg.grad(square), (3.0,), modes="reverse")


def test_nothing_to_check(fake):
    with pytest.raises(TypeError, match="none of the arguments is a float"):
        rg.check_grads(square, (3,))


# --- both modes, second order, paths -------------------------------------------------------------


@rg.rule
def cube(x):
    return x * x * x


@cube.pullback
def _(x, *, out_bar):
    return 3 * x * x * out_bar


@cube.pushforward
def _(x, *, x_dot):
    return 3.1 * x * x * x_dot


def cubes(x):
    return np.sum(cube(x))


@rg.rule
def squares(x):
    return x * x


@squares.pullback
def _(x, *, out_bar):
    x_bar = 2 * x * out_bar
    x_bar[1, 2] += 0.5
    return x_bar


def wrong(x):
    return squares(x)


def stored(x):
    a = x.copy()
    for i in range(1, len(a)):
        a[i] = a[i - 1] * np.sin(a[i])
    return a


def stepped(x):
    if x > 1.0:
        return 2.0 * x
    return x


def counted(x):
    n = 0
    while x < 100.0:
        x = 2.0 * x
        n += 1
    return x * n


def test_a_wrong_element_is_named():
    with pytest.raises(AssertionError, match=r"wrong: the derivative with respect to x\[1, 2\] is "
                                             r".* in reverse mode, but finite differences"):
        rg.check_grads(wrong, (np.ones((2, 3)),), jit=False, modes="reverse")


def test_a_wrong_forward_mode_is_named():
    x = np.array([0.5, 1.5])
    rg.check_grads(cubes, (x,), jit=False, modes="reverse")
    with pytest.raises(AssertionError, match=r"x\[0\] is 0\.77\d* in forward mode, but finite "
                                             r"differences give 0\.7[45]"):
        rg.check_grads(cubes, (x,), jit=False)


@pytest.mark.parametrize("jit", [False, True])
def test_both_modes_and_both_orders(jit):
    x = np.array([0.5, 1.5, 0.7])
    rg.check_grads(stored, (x,), jit=jit, order=2)
    rg.check_grads(rg.hvp(cubed, jit=jit), (x, x[::-1].copy()), jit=jit)


def cubed(x):
    return np.sum(x ** 3)


@rg.rule
def fourth(x):
    return x ** 4


@fourth.partials
def _(x):
    return first_of_fourth(x)


@rg.rule
def first_of_fourth(x):
    return 4 * x ** 3


@first_of_fourth.partials
def _(x):
    return 13 * x * x


def test_a_wrong_second_derivative_is_found():
    rg.check_grads(powered, (0.5,), jit=False)
    with pytest.raises(AssertionError, match="but finite differences give"):
        rg.check_grads(powered, (0.5,), jit=False, order=2)


def powered(x):
    return fourth(x)


@pytest.mark.parametrize(("f", "at"), [(stepped, 1.0), (counted, 50.0)])
def test_another_path_within_the_step_is_said(f, at):
    with pytest.raises(AssertionError, match="within the step the function takes another path: a "
                                             "branch or the number of trips"):
        rg.check_grads(f, (at,), jit=False)
    rg.check_grads(f, (at + 0.1,), jit=False)


@pytest.mark.parametrize(("asked", "message"), [
    ({"modes": "sideways"}, "modes must be"), ({"modes": ()}, "modes must be"),
    ({"order": 3}, "order must be 1 or 2")])
def test_unknown_modes_and_orders(asked, message):
    with pytest.raises(ValueError, match=message):
        rg.check_grads(cubed, (np.ones(2),), jit=False, **asked)
