"""Names that share memory see each other's writes, as in Python; what is not known is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from frontend.tracing import agrees, load, run
from retrograd.errors import Unsupported

V = np.array([1.0, -2.0, 3.0])
M = np.arange(6.0).reshape(2, 3) + 1


def function(text: str) -> Any:
    if not text.lstrip().startswith("def"):
        text = "def f(x, n):\n" + "".join(f"    {line}\n" for line in text.splitlines())
    return load(text, file=f"<{text}>", M=M)


def refused(text: str, match: str, *args: Any) -> None:
    with pytest.raises(Unsupported, match=match) as caught:
        run(function(text), *args)
    assert caught.value.remedy and caught.value.span is not None


@pytest.mark.parametrize("text", [
    "y = x * 2\ny += 1\ny *= x\ny -= 3\ny /= 2\ny **= 2\nreturn y",
    "y = M * 2\ny += x\nreturn y",
    "y = x * 2\nfor i in range(n):\n    y += x\nreturn y",
    "y = x * 2\na = y[0]\ny += 1\nreturn a + y",
    "y, p = x * 2, x * 3\nfor i in range(n):\n    y, p = p, y\n    y += 1\nreturn y - 2 * p",
    "y = x * 2\nif n > 1:\n    y += 1\nelse:\n    y -= 1\nreturn y",
    "y = x * 2\ndef g():\n    return y * 1\nz = g()\ny += 1\nreturn g() + z",
    "s = x * 0\nfor k in (1, 2):\n    y = x * k\n    y += k\n    s = s + y\nreturn s",
    "s = 0.0\nfor v in x:\n    v += 1\n    s += v\nreturn s + x[0]",
    "y = x * 2\nv = y[1:]\nv += 1\nreturn y",
    "y = M * 2\nfor row in y:\n    row += 1\nreturn y",
    "y = M * 2\na, b = y\na += 1\nreturn y",
    "y = x * 2\nz = w = y\nz += 1\nreturn w",
    "y = [x * k for k in range(3)]\nz = y[1]\nz += 1\nreturn y[1]",
    "y = x * 2\nfor i in range(n):\n    z = y[1:]\n    z[0] += i\nreturn y",
    "y, w = x * 2, x * 3\nif n > 1:\n    y, w = w, y\ny[0] = 7\nreturn y - 2 * w",
    "y = x * 2\nfor i in range(n):\n    y[0] += 1\n    y = y\nreturn y",
    "y = x * 2\nz = y\nfor i in range(n):\n    y[0] += 1\nreturn z",
    "y = x * 2\nfor i in range(n):\n    z = y\n    y = y + 1\n    z[0] = 5\nreturn y",
    "y = x * 2\nfor e in x:\n    w = 0.5 * y\n    for i in range(2):\n        w[1] = e\n"
    "        y, w = w, y\nreturn y",
    "y, z = x * 2, x * 3\nfor e in x:\n    y, z = z, y\nfor e in x:\n    w = z\n    z = w\n"
    "z[1] += 0.5\nreturn y",
    "y = x * 2\nwhile y[0] < 10:\n    y[0] += 3\nreturn y",
    "y = M * 2\nt = y.T\nt[1] = 9\nu = t[2]\nu[:] = 4\nreturn y",
    "y = M * 2\nflat = y.reshape(6)\nflat[3] = 9\nreturn y + flat[3]",
    "y = M * 2\nflat = y.T.ravel()\nflat[3] = 9\nreturn y",
    "y = M * 2\npart = y[:, 1:]\ninner = part[:, -1]\ninner[0] = 9\npart[1, 0] = 8\nreturn y",
    "y = x * 2\ny[1:] += y[:-1]\ny[:2] = y[::-1][:2]\nreturn y",
    "y = x * 2\ny[0], y[1] = y[1], y[0]\nreturn y",
    "y = M * 2\ny[0], y[1] = y[1], y[0]\nreturn y",          # NumPy: both rows are the second
    "y = x * 2\nreturn (y, np.add(y, 1, out=y))[0]",
    "y = x * 2\nz = np.einsum('i->i', y)\ny += 1\nreturn z",
])
def test_every_name_sees_every_write(text: str) -> None:
    agrees(function(text), V, 3)


VIEWS = [
    "y", "y[1:]", "y[::-1]", "y.T", "y.reshape(3)", "y.ravel()", "np.flip(y)", "np.asarray(y)",
    "np.expand_dims(y, 0)", "np.squeeze(y)", "np.transpose(y)", "np.broadcast_to(y, (2, 3))",
    "np.squeeze(y[None])", "np.array(y, copy=False)", "np.float64(y)", "y[None][0]",
    "np.atleast_1d(y)", "np.atleast_2d(y)", "y.astype(float, copy=False)",
    "np.moveaxis(y, 0, 0)", "np.ravel(y)", "y.squeeze()",
]
COPIES = [
    "y.copy()", "y + 0", "+y", "y[[0, 1, 2]]", "y[y > -100]", "np.array(y)", "np.copy(y)",
    "np.positive(y)", "np.conj(y)", "np.clip(y, None, None)", "np.round(y)", "np.roll(y, 0)",
    "np.repeat(y, 1)", "np.tile(y, 1)", "np.concatenate([y])", "np.hstack([y])", "np.sort(y)",
    "np.where(y > -100, y, 0)", "np.take(y, [0, 1, 2])", "y.flatten()", "y.astype(float)",
    "np.sum(y, axis=())", "np.array([y])[0]", "np.maximum(y, -100)", "np.full_like(y, y)",
]


@pytest.mark.parametrize("made", VIEWS + COPIES)
@pytest.mark.parametrize("then", ["y += 1\nreturn z", "y[1] = 9\nreturn z + y[1]"])
def test_views_see_a_write_and_copies_do_not(made: str, then: str) -> None:
    agrees(function(f"y = x * 2\nz = {made}\n{then}"), V, 3)


@pytest.mark.parametrize("made", [v for v in VIEWS if "broadcast" not in v] + COPIES)
def test_a_write_through_a_view_is_seen_and_one_into_a_copy_is_not(made: str) -> None:
    agrees(function(f"y = x * 2\nz = {made}\nz[...] = 7\nz[0] += z.size\nreturn y"), V, 3)


@pytest.mark.parametrize("text", [
    "x += 1\nreturn x", "y = x\ny += 1\nreturn x", "y = x[:]\ny[0] = 1\nreturn x + y",
    "y = np.ravel(x)\ny += 1\nreturn x", "for i in range(n):\n    x += 1\nreturn x",
    "def g(a):\n    return a\ndef f(x, n):\n    y = g(x)\n    y += 1\n    return x",
    "def g(a):\n    a += 1\n    return a\ndef f(x, n):\n    y = x * 2\n    return g(y) + y",
    "def g(a):\n    b = a[1:]\n    b += 1\n    return 0\ndef f(x, n):\n    y = x * 2\n    g(y)\n"
    "    return y",
    "y = x * 2\ndef g(a):\n    a += 1\n    return a\nz = g(y)\nreturn y + z",
])
def test_arguments_and_what_callees_are_given(text: str) -> None:
    agrees(function(text), V, 3)


@pytest.mark.parametrize("text", [
    "y, p, s = x * 2, x * 0, x * 0\nfor i in range(n):\n    y += x\n    s = s + p\n    p = y\n"
    "return s",
    "y, p = x * 2, x[1:] * 0\ns = p\nfor i in range(n):\n    y += x\n    s = s + p\n    p = y[1:]\n"
    "return s",
    "z, y = x * 2, x * 3\nfor i in range(n):\n    y += 1\n    y = z\nreturn y + z",
    "y, z = x * 1, x * 2\nfor i in range(n):\n    z = y\ny += 1\nreturn z",
    "y, z = x * 1, x * 2\nwhile n > 0:\n    z = y\n    n = n - 1\ny += 1\nreturn z",
    "z, y = x * 2, x * 3\nt = (y, y)\nfor i in range(n):\n    t = (z, t[0])\nz += 1\nreturn t[1]",
    "y, p = x * 1, x * 1\nfor i in range(n):\n    for j in range(n):\n        p = y\n    y += x\n"
    "return p",
    "y = x * 2\nz = y if n > 1 else x * 1\ny += 1\nreturn z",
    "if n > 0:\n    y = x\nelse:\n    y = x * 1\ny += 1\nreturn x",
    "y = M * 2\nz = y[:, 1:].reshape(4)\nz += 1\nreturn y",
])
def test_what_may_or_may_not_be_the_same_memory_is_refused(text: str) -> None:
    refused(text, "may or may not be the same array", V, 3)


def test_captured_arrays_and_read_only_views_are_not_written() -> None:
    refused("M[0, 0] = 1\nreturn x", "from outside the function", V, 3)
    refused("y = M[0]\ny += 1\nreturn x", "from outside the function", V, 3)
    with pytest.raises(ValueError, match="read-only"):
        run(function("y = np.broadcast_to(x, (2, 3))\ny[0, 0] = 1\nreturn x"), V, 3)


def test_a_dtype_or_shape_that_does_not_fit() -> None:
    with pytest.raises(TypeError, match="Cannot cast ufunc 'add' output from dtype"):
        run(function("y = np.arange(3)\ny += x\nreturn y"), V, 3)
    with pytest.raises(ValueError, match="non-broadcastable output operand"):
        run(function("y = x * 2\ny += M\nreturn y"), V, 3)
    with pytest.raises(ValueError, match="broadcast"):
        run(function("y = x * 2\ny += x[1:]\nreturn y"), V, 3)
    with pytest.raises(ValueError, match="could not broadcast"):
        run(function("y = x * 2\ny[:2] = x\nreturn y"), V, 3)
    with pytest.raises(IndexError, match="index 3 is out of bounds for axis 0 with size 3"):
        run(function("y = x * 2\ny[n] = 1\nreturn y"), V, 3)
    with pytest.raises(IndexError, match="index 2 is out of bounds for axis 0 with size 2"):
        run(function("y = x * 2\nz = y[1:]\nz[2] = 1\nreturn y"), V, 3)
