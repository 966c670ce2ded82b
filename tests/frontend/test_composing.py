"""Parts of views of views, read and written: what NumPy gives, for every pair of views and index,
also where slices are empty, reach beyond the end or run backwards."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from frontend.tracing import load, ops, run, same, traced
from retrograd.errors import Unsupported

M = np.arange(1.0, 13.0).reshape(4, 3)
CUBE = np.arange(1.0, 25.0).reshape(2, 3, 4)

FIRST = ["[1:]", "[:, 1]", "[n]", "[::-1]", "[1:3]", ".T", "[n:9]", "[::2, 1:]", "[-2:]", "[:0]",
         ".reshape(-1)", ".reshape(3, 4)", "[1:].ravel()", "[n - 1]", "[n:n + 2].reshape(-1)",
         "[1:3].reshape(3, 2)", "[None, 1:]", "[3:1:-1]", "[5:]"]
SECOND = ["", "[1:]", "[::-1]", "[::2]", "[n:]", "[-1:]", "[:2]", ".T", ".reshape(-1)"]
INDEX = ["[0]", "[-1]", "[n]", "[1:]", "[::2]", "[n::2]", "[:-1]", "[::-1]", "[-5:2]", "[n:9:3]",
         "[..., 0]", "[..., n - 1:]", "[..., ::-2]", "[np.array([1, 0])]",
         "[..., np.array([0, 0])]", "[0, 1:]", "[-1, n]", "[5]", "[2:1]"]


def judged(text: str, array: np.ndarray, n: int) -> None:
    """The same as in Python; or an exception where Python has one too, or a refusal."""
    function = load(text, file=f"<{text}>")
    try:
        expected = function(array.copy(), n)
    except (IndexError, ValueError, TypeError):
        with pytest.raises((IndexError, ValueError, TypeError, Unsupported)):
            run(function, array, n)
        return
    try:
        found = run(function, array, n)
    except Unsupported:
        return                           # a reshape of which only the shape knows if it copies
    except ValueError as error:
        assert "can have one element has none" in str(error)
        return
    assert same(found, expected), text


def program(base: str, first: str, second: str, index: str) -> str:
    return (f"def f(x, n):\n    y = x * 1\n    v = y{first}\n    w = v{second}\n"
            f"    {base} = 50.5\n    a = w{index} * 1\n    w{index} = a * 2 + 1\n"
            f"    b = w{index} * 1\n    {base} += 1\n    w{index} += 3\n"
            "    return y, a, b, w * 1\n")


@pytest.mark.parametrize("first", FIRST)
def test_parts_of_views_of_a_matrix(first: str) -> None:
    for second in SECOND:
        for index in INDEX:
            if zlib.crc32(f"{second}{index}".encode()) % 5 == len(first) % 5:
                judged(program("y[1, 2]", first, second, index), M, 1)


@pytest.mark.parametrize("first", [
    "[1]", "[:, 1]", "[..., n]", "[:, 1:, ::2]", ".reshape(6, 4)", ".reshape(-1)[2:]", "[1, n:]",
    ".transpose(1, 0, 2)", "[:, :, ::-1]", "[1].reshape(4, 3)", "[:1].reshape(2, 6)", "[-1, 1:]"])
def test_parts_of_views_of_a_cube(first: str) -> None:
    for second in ("", "[:, 1:]", ".ravel()"):
        for index in INDEX[len(first) % 3::3] + ["[:, np.array([0, 1])]", "[1:, n]"]:
            judged(program("y[1, 2, 1]", first, second, index), CUBE, 1)


@pytest.mark.parametrize("n", [0, 2, 7])
def test_the_same_program_for_other_numbers(n: int) -> None:
    for first in ("[n]", "[n:]", "[:n]", "[n:9]", "[n:n + 2].reshape(-1)"):
        for index in ("[0]", "[n]", "[1:]", "[n::2]", "[:-1]"):
            judged(program("y[1, 2]", first, "", index), M, n)


def test_what_is_read_through_a_view_of_what_was_written_needs_no_view() -> None:
    text = ("def f(x, n):\n    y = x * 1\n    v = y[1:]\n    t = v.T\n    y[0, 0] = 2.0\n"
            "    return v[n, 1] + t[2, n]\n")
    found = ops(traced(load(text), M, 1).function)
    assert {"view", "transpose"}.isdisjoint(found[found.index("update"):])


def test_a_slice_of_rows_in_one_is_a_slice_of_the_array() -> None:
    text = "def f(x, n):\n    y = x * 1\n    y[1:].reshape(-1)[1::2] = 0.5\n    return y\n"
    assert ops(traced(load(text), M, 1).function).count("update") == 1
