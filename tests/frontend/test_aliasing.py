"""Augmented assignment writes into arrays: right where nobody else looks, refused elsewhere."""

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


def refused(text: str, *args: Any) -> None:
    with pytest.raises(Unsupported, match="others can see") as caught:
        run(function(text), *args)
    assert "=" in caught.value.remedy and caught.value.span is not None


@pytest.mark.parametrize("text", [
    "y = x * 2\ny += 1\ny *= x\ny -= 3\ny /= 2\ny **= 2\nreturn y",
    "y = M * 2\ny += x\nreturn y",
    "y = x * 2\nfor i in range(n):\n    y += x\nreturn y",
    "y = x * 2\na = y[0]\ny += 1\nreturn a + y",
    "y = x * 2\nz = y.copy()\ny += 1\nreturn y + 3 * z",
    "y = x * 2\nz = y[[0, 1, 2]]\ny += 1\nreturn y + 3 * z",
    "y = x * 2\nz = y + 0\ny += 1\nreturn y + 3 * z",
    "y = np.zeros(3)\ny += x\nreturn y",
    "y, p = x * 2, x * 3\nfor i in range(n):\n    y, p = p, y\n    y += 1\nreturn y - 2 * p",
    "y = x * 2\nif n > 1:\n    y += 1\nelse:\n    y -= 1\nreturn y",
    "y = x * 2\ndef g():\n    return y * 1\nz = g()\ny += 1\nreturn g() + z",
    "s = x * 0\nfor k in (1, 2):\n    y = x * k\n    y += k\n    s = s + y\nreturn s",
    "s = 0.0\nfor v in x:\n    v += 1\n    s += v\nreturn s + x[0]",
])
def test_what_nobody_else_sees_is_written(text: str) -> None:
    agrees(function(text), V, 3)


@pytest.mark.parametrize("view", [
    "y", "y[1:]", "y[::-1]", "y.T", "y.reshape(3)", "y.ravel()", "np.flip(y)", "np.asarray(y)",
    "np.expand_dims(y, 0)", "np.squeeze(y)", "np.transpose(y)", "np.broadcast_to(y, (2, 3))",
    "(y, 1)", "[y[1:]]", "{'a': y}", "np.einsum('i->i', y)", "np.atleast_1d(y)",
    "y if n > 1 else x * 1", "y.astype(float, copy=False)", "y.real",
])
def test_a_write_that_another_name_would_see_is_refused(view: str) -> None:
    refused(f"y = x * 2\nz = {view}\ny += 1\nreturn z", V, 3)


@pytest.mark.parametrize("text", [
    "y = x * 2\nv = y[1:]\nv += 1\nreturn y",
    "y = M * 2\nfor row in y:\n    row += 1\nreturn y",
    "y = M * 2\na, b = y\na += 1\nreturn y",
    "y = x * 2\nz = w = y\nz += 1\nreturn w",
    "y = [x * k for k in range(3)]\nz = y[1]\nz += 1\nreturn y[1]",
])
def test_a_write_through_a_view_is_refused(text: str) -> None:
    refused(text, V, 3)


@pytest.mark.parametrize("text", [
    "x += 1\nreturn x", "y = x\ny += 1\nreturn y", "y = x[:]\ny += 1\nreturn y",
    "y = np.ravel(x)\ny += 1\nreturn y", "for i in range(n):\n    x += 1\nreturn x",
    "if n > 0:\n    y = x\nelse:\n    y = x * 1\ny += 1\nreturn y",
    "y = x if n > 0 else x * 1\ny += 1\nreturn y", "y = M\ny += 1\nreturn y + x",
    "def f(x, n, y=M):\n    y += x\n    return y",
    "def g(a):\n    return a\ndef f(x, n):\n    y = g(x)\n    y += 1\n    return y",
])
def test_arguments_and_captured_arrays_are_not_written(text: str) -> None:
    refused(text, V, 3)


@pytest.mark.parametrize("text", [
    "def g(a):\n    a += 1\n    return a\ndef f(x, n):\n    y = x * 2\n    return g(y) + y",
    "def g(a):\n    b = a[1:]\n    b += 1\n    return 0\ndef f(x, n):\n    y = x * 2\n    g(y)\n"
    "    return y",
    "y = x * 2\ndef g(a):\n    a += 1\n    return a\nz = g(y)\nreturn y + z",
])
def test_a_callee_does_not_write_what_its_caller_sees(text: str) -> None:
    refused(text, V, 3)


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
    "y = x * 1\nfor i in range(n):\n    if i > 0:\n        y += p\n    p = y\nreturn p",
])
def test_names_that_share_memory_from_one_iteration_to_the_next(text: str) -> None:
    refused(text, V, 3)


def test_a_dtype_or_shape_that_does_not_fit() -> None:
    with pytest.raises(Unsupported, match="does not fit"):
        run(function("y = np.arange(3)\ny += x\nreturn y"), V, 3)
    with pytest.raises(ValueError, match="non-broadcastable output operand"):
        run(function("y = x * 2\ny += M\nreturn y"), V, 3)
    with pytest.raises(ValueError, match="broadcast"):
        run(function("y = x * 2\ny += x[1:]\nreturn y"), V, 3)
