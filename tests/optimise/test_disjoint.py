"""Which elements are certainly the same, and which are certainly different ones."""

from __future__ import annotations

import pytest

from optimise.language import VECTOR, F, program
from retrograd.ir.nodes import Let, walk
from retrograd.ir.types import INT
from retrograd.optimise.disjoint import Elements, Place, elements, place_of


def places(body: str) -> tuple[Elements, list[Place]]:
    function = program(f"{body}\nreturn x", x=VECTOR, c=F, n=INT, m=INT)
    found = [place_of(s) for s in walk(function.body) if isinstance(s, Let)]
    return elements(function), [p for p in found if p is not None]


@pytest.mark.parametrize("body", [
    "x = update(x, 0, c)\nx = update(x, 1, c)",
    "for i in range(n):\n    for k in range(i):\n        x = update(x, i, c)\n"
    "        x = update(x, k, c)",
    "for i in range(n):\n    for k in range(i + 1, n):\n        x = update(x, i, c)\n"
    "        x = update(x, k, c)",
    "for i in range(n - 1, -1, -1):\n    for k in range(i - 1, -1, -1):\n"
    "        x = update(x, i, c)\n        x = update(x, k, c)",
    "for i in range(1, n):\n    x = update(x, i, c)\n    x = update(x, i - 1, c)",
    "for i in range(0, n, 2):\n    x = update(x, i, c)\n    x = update(x, i + 1, c)",
    "for i in range(n):\n    for j in range(i, n):\n        for k in range(i):\n"
    "            x = update(x, j, c)\n            x = update(x, k, c)",
    "m = dim(x)\nfor i in range(m):\n    x = update(x, i, c)\n    x = update(x, m, c)",
])
def test_apart(body: str) -> None:
    known, (a, b) = places(body)
    assert known.apart(a, b) and known.apart(b, a) and not known.same(a, b)


@pytest.mark.parametrize("body", [
    "x = update(x, 0, c)\nx = update(x, -1, c)",
    "x = update(x, n, c)\nx = update(x, m, c)",
    "x = update(x, n, c)\nx = update(x, n + 1, c)",
    "for i in range(n):\n    x = update(x, i, c)\n    x = update(x, i - 1, c)",
    "for i in range(n):\n    for k in range(i + 1):\n        x = update(x, i, c)\n"
    "        x = update(x, k, c)",
    "for i in range(m, n):\n    for k in range(i):\n        x = update(x, i, c)\n"
    "        x = update(x, k, c)",
    "for i in range(n - 1, -1, -1):\n    x = update(x, i, c)\n    x = update(x, n, c)",
])
def test_not_known(body: str) -> None:
    known, (a, b) = places(body)
    assert not known.apart(a, b) and not known.apart(b, a) and not known.same(a, b)


def test_the_same() -> None:
    known, (a, b) = places("x = update(x, n + 1, c)\nx = update(x, 2 + n - 1, c)")
    assert known.same(a, b) and not known.apart(a, b)
