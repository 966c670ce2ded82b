"""Rules of the user's own, in both modes of differentiation and of running."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from api import opaque_programs, rule_container_programs, rule_programs

pytestmark = pytest.mark.filterwarnings("ignore::retrograd.OpaqueWarning")
PROGRAMS = [*rule_programs.PROGRAMS, *opaque_programs.PROGRAMS,
            *rule_container_programs.PROGRAMS]
both_modes = pytest.mark.parametrize("jit", [True, False], ids=["compiled", "numpy"])
NAMES = [f"{f.__name__}{k}" for k, (f, _) in enumerate(PROGRAMS)]
programs = pytest.mark.parametrize(("f", "args"), PROGRAMS, ids=NAMES)
# two of three programs are only compiled in the slow run
modes_of_programs = pytest.mark.parametrize(("f", "args", "jit"), [
    pytest.param(*program, jit, id=f"{name}-{'compiled' if jit else 'numpy'}",
                 marks=[pytest.mark.slow] if jit and k % 3 else [])
    for k, (name, program) in enumerate(zip(NAMES, PROGRAMS)) for jit in (False, True)])
STEP = 1e-5


def direction(args, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal(np.shape(a)) if np.ndim(a) else rng.standard_normal()
                 for a in args)


def moved(args, along, step):
    return tuple(a + step * v if np.ndim(a) else float(a + step * v)
                 for a, v in zip(args, along))


def slope(f, args, along):
    """The directional derivative, by differences of fourth order."""
    def at(k):
        return np.asarray(f(*moved(args, along, k * STEP)))

    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * STEP)


def inner(gradients, along):
    return sum(np.sum(np.asarray(g) * v) for g, v in zip(gradients, along))


@modes_of_programs
def test_reverse_mode(f, args, jit):
    gradient = rg.value_and_grad(f, argnums=tuple(range(len(args))), jit=jit)
    value, found = gradient(*args)
    np.testing.assert_allclose(value, f(*args), rtol=1e-13)
    for g, a in zip(found, args):
        assert np.shape(g) == np.shape(a)
    along = direction(args)
    np.testing.assert_allclose(inner(found, along), slope(f, args, along), rtol=1e-8)


@modes_of_programs
def test_forward_mode(f, args, jit):
    along = direction(args)
    value, tangent = rg.jvp(f, args, along, jit=jit)
    np.testing.assert_allclose(value, f(*args), rtol=1e-13)
    np.testing.assert_allclose(tangent, slope(f, args, along), rtol=1e-8)


@programs
def test_the_pullback_can_be_called_again(f, args):
    value, pullback = rg.vjp(f, *args, jit=False)
    first, second = pullback(1.0), pullback(-2.0)
    np.testing.assert_allclose(value, f(*args), rtol=1e-13)
    for g, h in zip(first, second):
        np.testing.assert_allclose(np.asarray(h), -2 * np.asarray(g), rtol=1e-12)


@programs
def test_second_order(f, args):
    """The rule's own code is differentiated in turn: reverse over reverse, forward over reverse."""
    argnums = tuple(range(len(args)))
    along, other = direction(args), direction(args, 1)
    gradient = rg.grad(f, argnums=argnums, jit=False)

    def directional(*at):
        return inner(gradient(*at), along)

    def in_direction(*at):
        found = rg.grad(f, argnums=argnums)(*at)
        s = 0.0
        for g, v in zip(found, along):
            s += np.sum(g * v)
        return s

    expected = slope(directional, args, other)
    twice = rg.grad(in_direction, argnums=argnums, jit=False)(*args)
    np.testing.assert_allclose(inner(twice, other), expected, rtol=1e-6, atol=1e-9)
    _, forward = rg.jvp(in_direction, args, other, jit=False)
    np.testing.assert_allclose(forward, expected, rtol=1e-6, atol=1e-9)
