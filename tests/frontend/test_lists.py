"""Lists and dicts are objects: what the trace gives is what Python gives, or it is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from frontend.tracing import agrees, load, loops, ops, run, traced
from retrograd.errors import Unsupported
from retrograd.ir.nodes import Let, Loop, walk

V = np.array([1.0, -2.0, 3.0])


def function(text: str) -> Any:
    if not text.lstrip().startswith("def"):
        text = "def f(x, n):\n" + "".join(f"    {line}\n" for line in text.splitlines())
    return load(text, file=f"<{text}>", OUTSIDE=[1.0, 2.0])


def both(text: str) -> None:
    for n in (0, 1, 2, 5, 20):
        agrees(function(text), V, n)


def refused(text: str, match: str, n: int = 3) -> None:
    with pytest.raises(Unsupported, match=match) as caught:
        run(function(text), V, n)
    assert caught.value.remedy and caught.value.span is not None


@pytest.mark.parametrize("text", [
    "a = [x[0], 2.0]\na[0] = a[1] * 3\nreturn a[0] + a[1]",
    "a = b = [1.0]\na.append(x[0])\nreturn b[1] + len(b)",
    "a = [1.0]\nb = a\nb += [x[0], 2.0]\nreturn a[2] + len(a)",
    "a = [1.0]\nb = a\nb = b + [x[0]]\nreturn len(a) + b[1]",
    "a = [1.0]\nb = a.copy()\nb[0] = 5.0\nreturn a[0] + x[0]",
    "a = [1.0]\nb = list(a)\nb.append(5.0)\nreturn len(a) + x[0]",
    "a = [1.0, 2.0]\nb = a[:]\nb[0] = x[0]\nreturn a[0]",
    "a = [1.0, x[1], 3.0]\ny = a.pop()\nz = a.pop(0)\nreturn y + 2 * z + len(a)",
    "a = [1.0]\na.insert(0, x[2])\na.insert(-1, 7.0)\nreturn a[0] + 10 * a[1] + 100 * a[2]",
    "a = [1.0, x[0], 2.0]\na.reverse()\nreturn a[0] + 10 * a[1]",
    "a = [1.0]\nb = a\na.clear()\na.append(x[1])\nreturn b[0]",
    "a = [1.0, x[0], 4.0]\ndel a[0]\nreturn a[0] + 2 * a[1] + len(a)",
    "d = {'u': x[0]}\nd['v'] = 2 * d['u']\nd['u'] += d['v']\nreturn d['u'] + d['v']",
    "d = {'u': x[0], 'v': 3.0}\ndel d['u']\nreturn d['v'] + len(d)",
    "d = {'u': x[0]}\ne = d\ne['u'] = 4.0\nreturn d['u']",
    "d = {'u': x * 2, 'v': x}\nd['u'] -= 1.0\nd['u'][0] += d['v'][1]\nreturn d['u']",
    "d = dict(u=1.0)\nd.update({'v': x[0]})\ny = d.pop('u')\nreturn y + d['v'] + len(d)",
    "t = ([1.0], [2.0])\nt[0].append(x[0])\nreturn t[0][1] + len(t[1])",
    "a = [[1.0], [2.0]]\nb = a[0]\nb[0] = x[0]\nreturn a[0][0] + a[1][0]",
    "a = [x * 1, x * 2]\na[0] += 1\na[1][2] = 7.0\nreturn a[0] + a[1]",
    "y = x * 1\na = [y]\ny += 1\nreturn a[0]",
    "y = x * 1\na = [y]\na[0][0] = 9.0\nreturn y",
    "a = [1.0]\ndef g(b):\n    b.append(x[0])\ng(a)\ng(a)\nreturn a[2] + len(a)",
    "a = [1.0]\ndef g():\n    a.append(x[0])\n    return a\nb = g()\nb.append(3.0)\nreturn len(a)",
    "a = [1.0, 2.0]\na[0], a[1] = a[1], a[0]\nreturn a[0] + 10 * a[1] + x[0]",
    "a = [0.0, 0.0]\na[0], y = x[0], 2.0\nreturn a[0] + y",
    "first, *rest = [x[0], x[1], 5.0]\nrest.append(first)\nreturn rest[2] + len(rest)",
    "a = [1.0, 2.0]\nfor k, y in enumerate(a):\n    a[k] = y * x[0]\nreturn a[0] + a[1]",
    "a = [1.0, 2.0, 3.0]\nfor k, y in enumerate(a):\n    a[2] = y + a[2]\nreturn a[2]",
    "a = []\nfor y in [x[0], x[1]]:\n    a.append(y)\nreturn np.array(a)",
    "a = [1.0]\nif n > 2:\n    a[0] = x[0]\nelse:\n    a[0] = x[1] * 2\nreturn a[0]",
    "a, b = [x[0]], [x[1]]\nc = a if n > 1 else b\nreturn c[0]",
    "a = [x[0], 2.0]\nfor i in range(n):\n    a[0] = a[0] * a[1] * 0.5\nreturn a[0]",
    "a = [x[0], 2.0]\nfor i in range(n):\n    a = [a[1], a[0] * 0.5]\nreturn a[0] + a[1]",
    "a, b = [x[0]], [x[1]]\nfor i in range(n):\n    a, b = b, a\nreturn a[0] - b[0]",
    "a = [x[0], 2.0]\nfor i in range(n):\n    a[0], a[1] = a[1], a[0] + 1\nreturn a",
    "a = [[x[0]], [x[1]]]\nfor i in range(n):\n    a[0][0] += a[1][0]\nreturn a[0][0]",
    "a = [[x[0]], [x[1]]]\nfor i in range(n):\n    a[0], a[1] = a[1], a[0]\nreturn a[0][0]",
    "d = {'u': x[0], 'v': 1.0}\nfor i in range(n):\n    d['u'] *= 0.5\n    d['v'] += d['u']\n"
    "return d['v']",
    "a = [1.0, x[0]]\nreturn a is a and a is not [1.0, x[0]]",
    "a = [x[0], 1.0]\nb = [a]\nb[0][1] = 5.0\nreturn a[1] + max(a) + sum(a)",
    "a = [3.0]\nreturn (a if len(a) > 1 else [x[0]])[0]",
    "a = [x[0]] * 3\na[1] = 5.0\nreturn a[0] + a[1] + a[2]",
    "def g(**k):\n    k['u'] = k['u'] * 2\n    return k['u']\ndef f(x, n):\n    return g(u=x[0])",
])
def test_lists_of_known_length(text: str) -> None:
    both(text)


GROWN = [
    "return np.array(ys)",
    "return len(ys)",
    "return np.sum(np.array(ys) * np.arange(len(ys)))",
    "return ys[-1]",
    "return ys[0]",
    "return ys[2]",
    "return sum(ys)",
    "return np.max(ys)",
    "t = 0.0\nfor y in ys:\n    t = t * 0.5 + y\nreturn t",
    "t = 0.0\nfor k, y in enumerate(ys):\n    t += k * y\nreturn t",
    "t = 0.0\nfor y, z in zip(ys, ys[1:]):\n    t += y * z\nreturn t",
    "t = 0.0\nfor y in reversed(ys):\n    t = t * 0.5 + y\nreturn t",
    "t = 0.0\nfor k in range(len(ys)):\n    t = t * 0.5 + ys[k]\nreturn t",
    "t = 0.0\nfor k in range(len(ys)):\n    t = t * 0.5 + ys[-k - 1]\nreturn t",
    "return np.array(ys[1:-1])",
    "return np.array(ys[::-2])",
    "ys[1] = 7.0\nys[-1] += ys[0]\nreturn np.array(ys)",
    "y = ys.pop()\nys.append(5.0)\nreturn np.array(ys) * y",
    "ys.append(8.0)\nys.append(9.0)\nreturn np.array(ys)",
    "ys += [1.0, 2.0]\nreturn np.array(ys)",
    "zs = ys\nzs.append(3.0)\nreturn np.array(ys)",
    "zs = ys.copy()\nzs.append(3.0)\nys.append(4.0)\nreturn np.array(ys) - np.array(zs)",
    "zs = ys + [2.0]\nys.append(1.0)\nreturn np.array(zs) + np.array(ys)",
    "zs = [1.0] + ys\nreturn np.array(zs)",
    "zs = ys + ys\nreturn np.array(zs)",
    "for y in np.arange(3.0):\n    ys.append(y)\nreturn np.array(ys)",
    "for i in range(n):\n    ys[i] = ys[i] * 2\nreturn np.array(ys)",
    "while len(ys) > 2:\n    ys.pop()\nreturn np.array(ys)",
    "if n > 1:\n    ys.append(5.0)\nelse:\n    ys.append(6.0)\n    ys.append(7.0)\n"
    "return np.array(ys)",
    "if ys:\n    return ys[0]\nreturn -1.0",
    "ys.extend(ys)\nreturn np.array(ys)",
    "ys.extend(x)\nreturn np.array(ys)",
    "ys.clear()\nys.append(x[0])\nreturn np.array(ys)",
    "ys.reverse()\nreturn np.array(ys)",
    "def g(zs):\n    zs.append(2.5)\n    return zs[-2]\nreturn g(ys) + len(ys)",
    "zs = [y * 2 for y in ys]\nreturn np.array(zs)",
    "return isinstance(ys, list)",
    "if len(ys) != 3:\n    return 0.0\na, b, c = ys\nreturn a + 10 * b + 100 * c",
]
MADE = [
    "ys = []\nfor i in range(n):\n    ys.append(x[0] * i + 0.5)\n",
    "ys = [x[1]]\nfor i in range(2, n):\n    ys.append(ys[-1] * 0.5 + i)\n",
    "ys = []\ni = 0\nwhile i < n:\n    ys.append(x[2] - i)\n    i += 1\n",
    "ys = [0.5]\nfor i in range(n):\n    if i % 3 == 1:\n        ys.append(x[0] + i)\n",
    "ys = [x[0] + i for i in range(n)]\n",
]


@pytest.mark.parametrize("use", GROWN)
@pytest.mark.parametrize("made", MADE)
def test_lists_of_unknown_length(made: str, use: str) -> None:
    both(made + use)


@pytest.mark.parametrize("text", [
    "ys = []\nfor i in range(n):\n    for j in range(i):\n        ys.append(x[0] * i + j)\n"
    "return np.array(ys)",
    "ys = []\nfor i in range(n):\n    for j in range(3):\n        ys.append(x[j] * i)\n"
    "return np.array(ys)",
    "ys = []\nfor i in range(n):\n    ys.append(x[0])\n    for j in range(n):\n"
    "        ys.append(j * 1.0)\n"
    "return np.array(ys)",
    "ys = []\nfor i in range(n):\n    ys.append(x[0])\n    ys.append(x[1] * i)\n    ys.pop()\n"
    "return np.array(ys)",
    "ys = []\nfor i in range(n, 0, -2):\n    ys.append(x[0] * i)\nreturn np.array(ys)",
    "ys = []\nfor i in range(1, n, 3):\n    ys.append(x[0] * i)\n    ys.append(i * 1.0)\n"
    "return np.array(ys)",
    "ys = []\nfor i in range(n):\n    if i == 3:\n        break\n    ys.append(x[0] * i)\n"
    "return np.array(ys)",
    "ys = []\nfor i in range(n):\n    ys.append(x[0] * i)\n    if i == 3:\n        break\n"
    "return np.array(ys)",
    "ys = []\nfor i in range(n):\n    if i == 1:\n        continue\n    ys.append(x[0] * i)\n"
    "return np.array(ys)",
    "ys = []\nwhile True:\n    if len(ys) >= n:\n        break\n    ys.append(len(ys) + x[0])\n"
    "return np.array(ys)",
    "ys = []\nfor i in range(n):\n    ys = ys + [x[0] * i]\nreturn np.array(ys)",
    "ys = []\nfor i in range(n):\n    ys.append((x[0] * i, i))\nt = 0.0\nfor a, b in ys:\n"
    "    t = t * 0.5 + a * b\nreturn t",
    "ys = []\nfor i in range(n):\n    ys.append((x * i, 2.0 * i))\nt = 0.0\nfor a, b in ys:\n"
    "    t = t * 0.5 + a[1] * b\nreturn t",
    "ys = []\nfor i in range(1 + n):\n    ys.append((x[0] * i, 2.0 * i))\nreturn np.array(ys)",
    "ys = []\nfor i in range(1 + n):\n    ys.append([x[0] * i, 2.0 * i])\nreturn np.array(ys)",
    "ys = []\nfor i in range(1 + n):\n    ys.append(x * i)\nreturn np.array(ys)",
    "ys = [x]\nfor i in range(n):\n    ys.append(ys[-1] * 0.5)\nreturn np.stack(ys)",
    "ys = [x]\nfor i in range(n):\n    ys.append(x * i)\nreturn np.stack(ys, axis=1)",
    "ys = [x]\nfor i in range(n):\n    ys.append(x * i)\nreturn np.concatenate(ys)",
    "ys = []\nfor i in range(n):\n    ys.append(x * i)\nreturn np.concatenate(ys)",
    "ys = [x]\nfor i in range(n):\n    ys.append(x * i)\nreturn np.vstack(ys)",
    "ys = [x]\nfor i in range(n):\n    ys.append(x * i)\nreturn np.hstack(ys)",
    "ys = [x]\nfor i in range(n):\n    ys.append(x * i)\nreturn np.column_stack(ys)",
    "ys = [x]\nfor i in range(n):\n    ys.append(x * i)\nreturn sum(ys)",
    "ys = [x]\nfor i in range(n):\n    ys.append(x * i)\nreturn np.mean(ys, axis=0)",
    "ys = [x]\nfor i in range(n):\n    ys.append(x * i)\ny = ys[-1]\nys.append(x)\nreturn y",
    "ys = []\nfor i in range(n + 1):\n    y = np.zeros(3)\n    y[0] = i\n    ys.append(y)\n"
    "return sum(ys)",
    "ys = []\ny = x * 1\nfor i in range(n + 1):\n    y = y * 2\n    ys.append(y)\nreturn sum(ys)",
    "ys = []\ny = x * 1\nfor i in range(n):\n    y *= 2\n    ys.append(y.copy())\n"
    "return sum(ys) + y",
    "ys = [i for i in range(n + 1)]\nreturn np.array(ys)",
    "a = [x[0]]\nb = a\nfor i in range(n):\n    a.append(b[0])\n    b = [1.0]\n"
    "return len(b) + a[-1]",
    "ys = [0]\nfor i in range(n):\n    ys.append(i * 0.5)\nreturn np.array(ys)",
    "ys = [0.0] * n\nfor i in range(n):\n    ys[i] = x[0] * i\nreturn np.array(ys)",
    "ys = [x * 0] * (n + 1)\nfor i in range(n):\n    ys[i] = x * i\nreturn sum(ys)",
    "ys = list(x)\nys.append(4.0)\nreturn np.array(ys)",
    "a = [1.0, x[0], 3.0]\nt = 0.0\nfor i in range(n):\n    t = t * 0.5 + a[i % 3]\nreturn t",
    "a = [1.0, x[0], 3.0]\nfor i in range(n):\n    a[i % 3] += a[(i + 1) % 3]\nreturn np.array(a)",
    "a = (1.0, x[0], 3.0)\nt = 0.0\nfor i in range(n):\n    t = t * 0.5 + a[i % 3]\nreturn t",
    "a, b = [], []\nfor i in range(n):\n    a.append(x[0] * i)\n    b.append(a[-1] + 1)\n"
    "return np.array(a) - np.array(b)",
    "a = []\nfor i in range(n):\n    a.append(x[0] * i)\nb = []\nfor i in range(len(a)):\n"
    "    b.append(a[i] * 2)\nfor y in b:\n    a.append(y)\nreturn np.array(a)",
    "a, b = [], []\nfor i in range(n):\n    if i % 2 == 0:\n        a.append(x[0] + i)\n"
    "    else:\n        b.append(a[-1])\nreturn np.array(a) + np.sum(np.array(b))",
    "a = []\nfor i in range(n):\n    b = a\n    b.append(x[0] + i)\nreturn np.array(a)",
    "a = []\nfor i in range(n):\n    b = []\n    for j in range(i):\n        b.append(x[0] * j)\n"
    "    a.append(sum(b))\nreturn np.array(a)",
    "a = []\ndef g(y):\n    a.append(y * 2)\nfor i in range(n):\n    g(x[0] + i)\n"
    "return np.array(a)",
    "stack = [x[0]]\nt = 0.0\nfor i in range(n):\n    y = stack.pop()\n    t += y\n"
    "    stack.append(y * 0.5)\n    if i % 2 == 0:\n        stack.append(1.0 * i)\nreturn t",
    "state = {'u': x[0], 'path': []}\nfor i in range(n):\n    state['u'] *= 0.5\n"
    "    state['path'].append(state['u'])\nreturn np.array(state['path'])",
    "return np.array([[i * j * x[0] for j in range(3)] for i in range(n + 1)])",
    "return sum(y * y for y in x if y > 0)",
    "return sum([a * b for a, b in zip(x, range(n))])",
    "return np.array([x[i] + j for i in range(3) for j in range(n)])",
    "return np.array([x[i] + j for i in range(3) for j in range(i) if x[j] > 0])",
    "i = 5\nys = [x[0] * i for i in range(n)]\nreturn sum(ys) + i",
    "ys = []\nfor i in range(n):\n    try_it = [y + 1 for y in ys]\n"
    "    ys.append(sum(try_it) + x[0])\n"
    "return np.array(ys)",
    "ys = []\nfor i in range(n):\n    if i > 2:\n        ys = []\n    ys.append(x[0] * i)\n"
    "return np.array(ys)",
    "ys = []\nif n > 1:\n    for i in range(n):\n        ys.append(x[0] * i)\nreturn np.array(ys)",
    "ys = []\nfor i in range(n):\n    ys.append(x[0] * i)\nif n > 1:\n    zs = ys\nelse:\n"
    "    zs = [1.0]\n"
    "return np.array(zs)",
    "a, b = [x[0]], [x[1]]\nfor i in range(n):\n    a.append(b[-1] * 0.5)\n    b.append(a[0] + i)\n"
    "return np.array(a) + 10 * np.array(b)",
])
def test_lists_that_grow(text: str) -> None:
    both(text)


@pytest.mark.parametrize("text, match", [
    ("y = x * 1\nys = []\nfor i in range(n):\n    y *= 2\n    ys.append(y)\n"
     "return sum(ys)", "grows"),
    ("y = x * 1\nys = []\nfor i in range(n):\n    ys.append(y)\n    y *= 2\n"
     "return sum(ys)", "grows"),
    ("y = x * 1\nys = []\nfor i in range(n):\n    ys.append(y)\ny *= 2\nreturn sum(ys)", "grows"),
    ("A = np.outer(x, x)\nys = []\nfor i in range(3):\n    ys.append(A[i])\nA[0] = 1.0\n"
     "return sum(ys)",
     "grows"),
    ("y = x * 1\np = y\nys = []\nfor i in range(n):\n    ys.append(p)\n    p = x * i\ny += 1\n"
     "return sum(ys)", "grows"),
    ("ys = []\nfor i in range(n):\n    ys.append(x * i)\nys[0] += 1\n"
     "return ys[0]", "element of a list"),
    ("ys = []\nfor i in range(n):\n    ys.append(x * i)\ny = ys[0]\ny[0] = 1\nreturn ys[0]",
     "element of a list"),
    ("ys = []\nfor i in range(n):\n    ys.append([x[0], i * 1.0])\nys[0][0] = 1.0\nreturn ys[0][0]",
     "element of a list"),
    ("a, b = [x[0]], [x[1]]\nc = a if n > 1 else b\nc.append(3.0)\nreturn len(a)", "same list"),
    ("a, b = [x[0]], [x[1]]\nc = a if n > 1 else b\na[0] = 3.0\nreturn c[0]", "same list"),
    ("a = [x[0]]\nb = a\nfor i in range(n):\n    a.append(2.0)\n    y = b[0]\n    b = [y]\n"
     "return len(b)", "same list"),
    ("a, b = [x[0]], [x[1]]\nc, t = a, 0.0\nfor i in range(n):\n    a, b = b, a\n"
     "    a.append(1.0)\n    t += len(c)\nreturn t", "same list"),
    ("a, b = [], []\nfor i in range(n):\n    (a if i % 2 == 0 else b).append(x[0])\n"
     "return np.array(a)", "same list"),
    ("a = [x[0]]\nfor y in a:\n    a.append(y)\nreturn len(a)", "changes its length"),
    ("ys = [y for y in x]\nfor y in ys:\n    ys.append(y)\nreturn len(ys)", "changes its length"),
    ("OUTSIDE.append(x[0])\nreturn x", "outside"),
    ("OUTSIDE[0] = x[0]\nreturn x", "outside"),
    ("ys = []\nfor i in range(n):\n    ys.append(x)\n    ys.append(1.0)\nreturn len(ys)", "kinds"),
    ("ys = []\nfor i in range(n):\n    ys.append(x[0])\n"
     "return ys", "np.array|length only the program"),
    ("ys = []\nfor i in range(n):\n    ys.append(x[0])\nys.insert(0, 1.0)\n"
     "return sum(ys)", "insert"),
    ("ys = []\nfor i in range(n):\n    ys.append(x[0])\nys.sort()\nreturn sum(ys)", "sort"),
    ("a = []\na.append(a)\nreturn x", "itself"),
])
def test_what_cannot_be_known_is_refused(text: str, match: str) -> None:
    refused(text, match)


@pytest.mark.parametrize("text, error", [
    ("ys = []\nfor i in range(n):\n    ys.append(x[:i + 1])\nreturn len(ys)", "shape"),
])
def test_shapes_of_elements(text: str, error: str) -> None:
    refused(text, error)


def test_an_array_of_another_shape_is_an_error_when_it_is_put_in() -> None:
    f = load("def f(x, y, n):\n    ys = [x]\n    for i in range(n):\n        ys.append(y)\n"
             "    return sum(ys)", file="<two shapes>")
    assert np.array_equal(run(f, V, V, 2), 3 * V)
    with pytest.raises(ValueError, match="list of arrays"):
        run(f, V, np.ones(4), 2)


def test_a_list_that_a_loop_fills_is_an_array_of_its_length() -> None:
    """No variable counts, nothing is checked, nothing is doubled."""
    found = traced(function("ys = []\nfor i in range(n):\n    ys.append(x[0] * i)\n"
                            "return np.array(ys)"), V, 3).function
    (loop,) = loops(found)
    assert isinstance(loop, Loop) and len(loop.carried) == 1
    assert "push" not in ops(found) and "update" in ops(found)
    stores = [s for s in walk(loop.body) if isinstance(s, Let) and s.op == "update"]
    assert stores[0].args[1] is loop.index


def test_nested_loops_fill_one_array() -> None:
    found = traced(function("ys = []\nfor i in range(n):\n    for j in range(n):\n"
                            "        ys.append(x[0] * i + j)\nreturn np.array(ys)"), V, 3).function
    assert "push" not in ops(found)
