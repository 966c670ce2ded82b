import functools
import inspect

import pytest

import retrograd as rg
from api.fakes import product3
from retrograd.api.parameters import signature_of, wanted


def star(x, *rest, k=1.0):
    return x


@pytest.mark.parametrize(("argnums", "argnames", "positions", "single"), [
    (None, None, (0,), True), (1, None, (1,), True), (-1, None, (2,), True),
    ((2, 0), None, (2, 0), False), ([1], None, (1,), False),
    (None, "z", (2,), True), (None, ("z", "x"), (2, 0), False),
])
def test_wanted(argnums, argnames, positions, single):
    found = wanted(inspect.signature(product3), argnums, argnames, "f")
    assert (found.positions, found.single) == (positions, single)


@pytest.mark.parametrize(("argnums", "argnames", "error", "text"), [
    (3, None, ValueError, "argnums=3 is out of range for f, which has 3 positional parameters"),
    (-4, None, ValueError, "argnums=-4 is out of range"),
    ((0, -3), None, ValueError, "'x' is asked for twice"),
    ("x", None, TypeError, "argnums must be"), (1.0, None, TypeError, "argnums must be"),
    (True, None, TypeError, "argnums must be"),
    (None, "w", ValueError, "no parameter 'w'; it has x, y, z"),
    (None, (1,), TypeError, "argnames must be names"), (0, "x", TypeError, "not both"),
])
def test_wanted_refuses(argnums, argnames, error, text):
    with pytest.raises(error, match=text):
        wanted(inspect.signature(product3), argnums, argnames, "f")


def test_arguments_in_star_args_are_counted_on():
    assert wanted(signature_of(star), 0, None, "star").positions == (0,)
    assert wanted(signature_of(star), None, "k", "star").positions == (2,)
    assert wanted(signature_of(star), (0, 2), None, "star").positions == (0, (1, 1))
    with pytest.raises(ValueError, match="counts from the end"):
        wanted(signature_of(star), -1, None, "star")
    with pytest.raises(ValueError, match="asked for twice"):
        wanted(signature_of(star), (1, 1), None, "star")
    with pytest.raises(rg.Unsupported, match=r"\*args"):
        wanted(signature_of(star), None, "rest", "star")


def test_signatures():
    assert list(signature_of(functools.partial(product3, 1.0)).parameters) == ["y", "z"]
    with pytest.raises(rg.Unsupported, match="any keywords"):
        rg.grad(lambda x, **options: x)
    with pytest.raises(TypeError, match="expected a function"):
        rg.grad(3)
    numba = pytest.importorskip("numba")
    assert list(signature_of(numba.njit(product3)).parameters) == ["x", "y", "z"]
