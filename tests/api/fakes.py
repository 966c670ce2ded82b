"""A compiler that knows a few functions by heart: the interface is tested without the real one."""

import sys
import types
from dataclasses import dataclass, field

from retrograd.ir.types import FLOAT, Scalar
from retrograd.program import Emitted, Program, Unit, leaf_types
from retrograd.trees import Leaf, Node


def tree(*leaves):
    return Node("tuple", tuple(Leaf(k) for k in leaves))


VALUE_AND_ONE = tree(0, 1)
VALUE_AND_THREE = Node("tuple", (Leaf(0), Node("tuple", (Leaf(1), Leaf(2), Leaf(3)))))


def emitted(name, body, structure, **rest):
    return Emitted(name, f"import numpy as np\n\n\ndef {name}{body}\n", structure, **rest)


def flat(params):
    return tuple(t for p in params for t in leaf_types(p))


def program(request, results, readable, lowered=None, captures=(), guards=(), extra=()):
    params = (*flat(request.params), *(c.type for c in captures))
    unit = Unit(params, tuple(results), readable, lambda: lowered or readable)
    return Program((unit, *extra), tuple(captures), tuple(guards))


@dataclass
class FakeCompiler:
    """`programs` maps a function's name and product to what derives it."""

    programs: dict = field(default_factory=dict)
    requests: list = field(default_factory=list)

    def knows(self, name, product):
        def note(make):
            self.programs[name, product] = make
            return make
        return note

    def derive(self, request):
        self.requests.append(request)
        return self.programs[request.function.__name__, request.product](request)

    def install(self, monkeypatch):
        module = types.ModuleType("retrograd.pipeline")
        module.derive = self.derive
        monkeypatch.setitem(sys.modules, "retrograd.pipeline", module)
        add_common(self)
        return self


def product3(x, y, z):
    return x * y * z


def square(x):
    return x * x


def add_common(fake):
    @fake.knows("product3", "grad")
    def _(request):
        texts = ("y * z", "x * z", "x * y")
        body = ", ".join(texts[k] for k in request.wrt)
        structure = Leaf(0) if request.single else tree(*range(len(request.wrt)))
        return program(request, (Scalar("float64"),) * len(request.wrt),
                       emitted("product3_grad", f"(x, y, z):\n    return {body}", structure))

    @fake.knows("product3", "value_and_grad")
    def _(request):
        readable = emitted("product3_vg",
                           "(x, y, z):\n    return x * y * z, (y * z, x * z, x * y)",
                           VALUE_AND_THREE)
        lowered = emitted("product3_vg", "(x, y, z):\n    return x * y * z, y * z, x * z, x * y",
                          VALUE_AND_THREE)
        return program(request, (FLOAT, *(Scalar("float64"),) * 3), readable, lowered)

    @fake.knows("square", "grad")
    def _(request):
        (kind,) = flat(request.params)
        return program(request, (kind,), emitted(
            "square_grad", "(x):\n    return 2 * x", Leaf(0)))

    @fake.knows("square", "value_and_grad")
    def _(request):
        (kind,) = flat(request.params)
        return program(request, (kind, kind), emitted(
            "square_vg", "(x):\n    return x * x, 2 * x", VALUE_AND_ONE))

    @fake.knows("square", "primal")
    def _(request):
        (kind,) = flat(request.params)
        return program(request, (kind,), emitted("square", "(x):\n    return x * x", Leaf(0)))

    @fake.knows("square", "vjp")
    def _(request):
        (kind,) = flat(request.params)
        forward = emitted("square_forward", "(x):\n    return x * x, (x,)",
                          Node("tuple", (Leaf(0), Node("tuple", (Leaf(1),)))))
        lowered = emitted("square_forward", "(x):\n    return x * x, x", forward.structure)
        structure = Leaf(0) if request.single else tree(0)
        text = "2 * x * out_bar"
        backward = emitted("square_backward", f"(x, out_bar):\n    return {text}"
                           + ("" if request.single else ","), structure)
        low = emitted("square_backward", f"(x, out_bar):\n    return {text}", structure)
        second = Unit((kind, kind), (kind,), backward, lambda: low)
        first = Unit((kind,), (kind, kind), forward, lambda: lowered)
        return Program((first, second), (), (), residuals=1)
