import numpy as np
import pytest

import retrograd as rg
from api.fakes import Leaf, emitted, flat, program, square
from retrograd.program import Unit
from retrograd.trees import Node


def test_right_gradients_pass(fake):
    for x in (3.0, np.arange(6.0).reshape(2, 3), np.arange(3, dtype=np.float32), np.array(2.0)):
        rg.check_grads(square, (x,), jit=False)
    rg.check_grads(rg.grad(square), (3.0,))


def test_a_wrong_element_is_named(fake):
    @fake.knows("wrong", "vjp")
    def _(request):
        (kind,) = flat(request.params)
        both = Node("tuple", (Leaf(0), Node("tuple", (Leaf(1),))))
        first = emitted("forward", "(x):\n    return x * x, (x,)", both)
        text = ("(x, out_bar):\n    x_bar = 2 * x * out_bar\n    x_bar[1, 2] += 0.5\n"
                "    return x_bar,")
        second = emitted("backward", text, Node("tuple", (Leaf(0),)))
        return program(request, (kind, kind), first,
                       extra=(Unit((kind, kind), (kind,), second, lambda: second),))

    def wrong(x):
        return x * x

    with pytest.raises(AssertionError, match=r"wrong: the derivative with respect to x\[1, 2\] is "
                                             r".*, but finite differences give"):
        rg.check_grads(wrong, (np.ones((2, 3)),), jit=False)


def test_nothing_to_check(fake):
    with pytest.raises(TypeError, match="none of the arguments is a float"):
        rg.check_grads(square, (3,))
