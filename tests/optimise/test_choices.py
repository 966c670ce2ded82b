"""A strong zero becomes a choice, which means the same; the choice has as many keys as it needs."""

from __future__ import annotations

import numpy as np
import pytest

from frontend.tracing import ops
from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.verify import verify
from retrograd.optimise import choices
from retrograd.optimise.choices import expand_choices


def test_documentation() -> None:
    before, after = documented(choices)
    params = {"p": F, "g": F, "h": F}
    assert canonical(expand_choices(program(before, **params))) == canonical(
        program(after, **params))


@pytest.mark.parametrize("g, h", [(0.0, 0.0), (2.0, 0.0), (0.0, -1.0), (np.nan, 0.0)])
def test_the_choice_means_the_same(g: float, h: float) -> None:
    before = program("y = strong(p, g, h)\nreturn y", p=F, g=F, h=F)
    after = verify(expand_choices(before))
    assert "strong" not in ops(after)
    for p in (3.0, np.inf, np.nan):
        found = interpret(after, [p, g, h])
        np.testing.assert_array_equal(found, interpret(before, [p, g, h]))
        np.testing.assert_array_equal(found, [p if g or h else 0.0])


def test_element_by_element_and_inside_loops() -> None:
    before = program("""
        for i in range(2):
            p = strong(p, g)
        return p""", p=VECTOR, g=VECTOR)
    after = verify(expand_choices(before))
    assert "strong" not in ops(after)
    args = [np.array([np.inf, 2.0]), np.array([0.0, 1.0])]
    np.testing.assert_array_equal(interpret(after, args), [[0.0, 2.0]])


def test_keys_that_are_numbers() -> None:
    one = program("y = strong(p, 0.0, g)\nreturn y", p=F, g=F)
    assert ops(expand_choices(one)) == ["not_equal", "where"]
    sure = program("y = strong(p, g, 1.0)\nreturn y", p=F, g=F)
    assert interpret(expand_choices(sure), [5.0, 0.0]) == (5.0,)
