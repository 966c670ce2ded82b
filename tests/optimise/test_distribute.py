"""Products with one matrix become products of two where a loop allows it; nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimise.language import VECTOR, F, canonical, documented, program
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Effect, Function, Let, Loop, walk
from retrograd.ir.types import INT, Array
from retrograd.ir.verify import verify
from retrograd.optimise import distribute as module
from retrograd.optimise.distribute import distribute

MATRIX = Array("float64", (None, None))
PARAMS = {"W": MATRIX, "V": MATRIX, "x": MATRIX, "y": MATRIX, "b": VECTOR, "s": F, "n": INT}


def whole(body: str, result: str = "y, s, b") -> Function:
    return program(f"{body}\nreturn {result}", **PARAMS)


def loop(*lines: str, bounds: str = "0, n", mark: str = "range") -> Function:
    return whole("\n    ".join([f"for k in {mark}({bounds}):", *lines]))


def arguments(n: int = 300) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((4, 3)), rng.standard_normal((3, 4)),
            rng.standard_normal((300, 3)), np.zeros((300, 4)), rng.standard_normal(4), 0.5, n]


def products(function: Function) -> list[tuple[int, int]]:
    """The ranks of the factors of all products."""
    return [(s.args[0].type.rank, s.args[1].type.rank) for s in walk(function.body)
            if isinstance(s, Let) and s.op == "matmul"]


def same(function: Function, n: int = 300) -> Function:
    new = verify(distribute(function))
    args = arguments(n)
    for a, b in zip(interpret(new, args), interpret(function, args), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)
    return new


def test_documentation() -> None:
    before, after = documented(module)
    assert canonical(same(whole(before, "s"))) == canonical(whole(after, "s"))


LAYER = ["t = matmul(W, view(x, k))", "h = tanh(t)"]


@pytest.mark.parametrize("n", [-2, 0, 1, 127, 128, 129, 300])
def test_any_number_of_iterations(n: int) -> None:
    new = same(loop(*LAYER, "y = update(y, k, h)"), n)
    assert products(new) == [(2, 2)]


@pytest.mark.parametrize("room", [0, 3, 30, 700])
def test_pieces_get_smaller_where_memory_is_short(room: int,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_NUMBERS", room)
    for bounds in ("0, n", "n - 1, -1, -1"):
        assert products(same(loop(*LAYER, "y = update(y, k, h)", bounds=bounds))) == [(2, 2)]


@pytest.mark.parametrize("bounds", ["3, n", "5, 6", "n - 1, -1, -1", "n - 1, 5, -1", "5, n, -1"])
def test_ranges(bounds: str) -> None:
    assert products(same(loop(*LAYER, "y = update(y, k, h)", bounds=bounds))) == [(2, 2)]


@pytest.mark.parametrize("bounds", ["0, n, 2", "n - 1, -1, -3"])
def test_other_steps_stay(bounds: str) -> None:
    assert products(same(loop(*LAYER, "y = update(y, k, h)", bounds=bounds))) == [(2, 1)]


CUT = {
    "two layers, the first read again": (
        *LAYER, "z = matmul(V, h)", "u = matmul(W, z)", "y = update(y, k, multiply(u, h))"),
    "a vector on the left": ("t = matmul(view(x, k), V)", "y = update(y, k, t)"),
    "a product of a product": ("t = matmul(V, matmul(W, view(x, k)))",
                               "s = add(s, sum(t))"),
    "the matrix turned in the loop": (
        *LAYER, "z = matmul(transpose(W), h)", "s = add(s, sum(z))"),
    "a number that crosses": (
        "c = sum(view(x, k))", *LAYER, "y = update(y, k, multiply(h, c))"),
    "an int that crosses": (
        "c = sum(view(x, k))", "m = add(1, multiply(k, k))", *LAYER,
        "y = update(y, k, multiply(h, m))"),
    "a truth value that crosses": (
        "w = tanh(view(x, k))", "c = less(load(w, 0), 0.0)", "z = matmul(W, w)",
        "if c:", "    z = multiply(z, 2.0)", "y = update(y, k, z)"),
    "a branch before the product": (
        "w = view(x, k)", "if less(load(w, 0), 0.0):", "    w = multiply(w, 2.0)",
        "t = matmul(W, w)", "y = update(y, k, t)"),
    "a loop in between": (
        *LAYER, "for j in range(3):", "    h = multiply(h, load(view(x, k), j))",
        "z = matmul(V, h)", "s = add(s, sum(z))"),
    "two vectors, two products": (
        "t = matmul(W, view(x, k))", "r = matmul(W, tanh(view(x, k)))",
        "y = update(y, k, add(t, r))"),
    "a sum of vectors": (*LAYER, "b = add(b, h)"),
    "slots in two parts": ("s = add(s, load(view(x, k), 1))", *LAYER, "b = add(b, h)"),
    "the last product is handed on": ("b = matmul(W, view(x, k))",),
    "the old value is read, the product handed on": ("s = add(s, sum(b))",
                                                     "b = matmul(W, view(x, k))"),
    "the old value is kept in front of a product": (
        "y = update(y, k, b)", "b = add(multiply(b, 0.9), matmul(W, view(x, k)))"),
    "the old value is read": ("s = multiply(s, 0.5)", "c = add(s, 1.0)", *LAYER,
                              "b = add(b, multiply(h, c))"),
}


@pytest.mark.parametrize("name", CUT)
def test_cut(name: str) -> None:
    function = loop(*CUT[name])
    new = same(function)
    assert set(products(new)) == {(2, 2)}
    assert len(products(new)) == len(products(function))


SUMS = {
    "with a vector that stays": (0, "A = add(A, multiply(column(b), view(x, k)))"),
    "of vectors of an iteration": (1, "A = add(A, multiply(column(multiply(b, load(b, 0))), "
                                      "tanh(view(x, k))))"),
    "with products": (2, *LAYER, "A = add(A, multiply(column(h), view(x, k)))"),
    "of a product": (2, *LAYER, "A = add(A, multiply(column(t), view(x, k)))", "b = add(b, h)"),
    "the row first": (2, *LAYER, "A = add(A, multiply(row(view(x, k)), column(h)))"),
    "in two additions": (3, *LAYER, "w = view(x, k)", "A = add(A, multiply(column(h), w))",
                         "A = add(A, multiply(column(t), multiply(w, 2.0)))"),
    "added to itself": (1, "A = add(A, multiply(column(tanh(matmul(W, view(x, k)))), "
                           "view(x, k)))", "A = multiply(A, 0.5)"),
    "read by others": (1, *LAYER, "A = add(A, multiply(column(h), view(x, k)))",
                       "s = add(s, sum(A))"),
    "a product that others read": (1, *LAYER, "M = multiply(column(h), view(x, k))",
                                   "A = add(A, M)", "s = add(s, sum(M))"),
    "of what is carried": (1, "A = add(A, multiply(column(b), view(x, k)))",
                           "b = multiply(b, 0.5)"),
    "one of a vector that stays": (1, *LAYER, "A = add(A, multiply(column(h), view(x, k)))",
                                   "A = add(A, multiply(column(b), view(x, k)))"),
    "multiplied": (1, *LAYER, "A = multiply(A, multiply(column(h), view(x, k)))"),
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_of_outer_products(name: str) -> None:
    count, *lines = SUMS[name]
    body = "\n    ".join(["for k in range(n):", *map(str, lines)])
    function = whole(f"A = zeros(4, 3)\n{body}", "A, s, b")
    new = same(function)
    assert products(new) == [(2, 2)] * count
    same(function, 0)


WHOLE = {
    "what is multiplied comes from the iteration before": ("b = tanh(matmul(W, matmul(V, b)))",),
    "read before, handed on behind": (
        "r = add(s, 1.0)", "t = matmul(W, multiply(view(x, k), r))", "s = sum(t)"),
    "the matrix changes": ("W = multiply(W, 0.5)", "b = add(b, matmul(W, view(x, k)))"),
    "nothing is multiplied": ("b = multiply(b, 0.5)",),
}


@pytest.mark.parametrize("name", WHOLE)
def test_not_cut(name: str) -> None:
    function = loop(*WHOLE[name])
    assert canonical(same(function)) == canonical(function)


def test_a_product_that_depends_on_other_iterations_is_made_in_each() -> None:
    function = loop("b = add(b, matmul(W, view(x, k)))", "s = add(s, sum(matmul(V, b)))")
    assert products(same(function)) == [(2, 2), (2, 1)]


def test_recurrences() -> None:
    function = whole("""
A = zeros(4, 4)
for k in range(n):
    y = update(y, k, b)
    c = b
    b = tanh(add(b, add(matmul(W, matmul(V, b)), matmul(W, view(x, k)))))
    A = add(A, multiply(column(b), c))
""", "A, y, b")
    assert products(same(function)) == [(2, 2), (2, 1), (2, 1), (2, 2)]


def test_sums_where_nothing_else_can_be_cut() -> None:
    function = whole("""
A = zeros(4, 3)
for k in range(n):
    M = multiply(column(view(x, k)), b)
    s = add(s, sum(M))
    t = matmul(W, view(x, k))
    h = add(t, sum(multiply(M, 2.0)))
    A = add(A, multiply(column(h), view(x, k)))
""", "A, s, b")
    found = products(same(function))
    assert found.count((2, 2)) == found.count((2, 1)) == 1


def test_a_row_that_an_earlier_iteration_wrote() -> None:
    function = loop("t = matmul(W, matmul(V, view(y, k - 1)))", "y = update(y, k, tanh(t))",
                    bounds="1, n")
    assert canonical(same(function)) == canonical(function)


def test_matrices_do_not_cross() -> None:
    def of(*lines: str) -> list[tuple[int, int]]:
        body = "\n    ".join(["for k in range(n):", "M = multiply(view(T, k), 2.0)", *lines])
        function = program(f"{body}\nreturn y, s", T=Array("float64", (None, None, None)),
                           **PARAMS)
        new = verify(distribute(function))
        args = (np.ones((300, 2, 2)), *arguments())
        for a, b in zip(interpret(new, args), interpret(function, args), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)
        return products(new)

    t = "t = matmul(W, view(x, k))"
    assert of(t, "y = update(y, k, add(t, sum(M)))") == [(2, 2)]      # made where it is read
    assert of("s = add(s, sum(M))", t, "y = update(y, k, add(t, sum(M)))") == [(2, 1)]


def test_a_marked_loop_stays() -> None:
    function = loop(*LAYER, "y = update(y, k, h)", mark="prange")
    assert canonical(distribute(function)) == canonical(function)


def test_prints_stay_in_order() -> None:
    function = loop(*LAYER, "y = update(y, k, h)")
    loop_ = next(s for s in function.body if isinstance(s, Loop))
    printing = replace(loop_, body=(*loop_.body, Effect("print", (), {"parts": ("k",)})))
    function = replace(function, body=tuple(
        printing if s is loop_ else s for s in function.body))
    assert canonical(distribute(function)) == canonical(function)


def test_checks_stay_before_what_they_check() -> None:
    function = loop("i = add(k, 1)", "check_index(i, n)", "w = view(x, i)", "t = matmul(W, w)",
                    "y = update(y, k, t)", bounds="0, n - 1")
    new = same(function)
    assert products(new) == [(2, 2)]
    text = canonical(new)
    assert text.index("check_index") < text.index("view") < text.index("matmul")
    again = canonical(same(loop("check_index(k, n)", "w = view(x, k)", "t = matmul(W, w)",
                                "c = load(w, 0)", "y = update(y, k, multiply(t, c))")))
    assert again.index("check_index") < again.index("view") < again.index("matmul")
    assert again.rindex("view") > again.index("matmul")                  # made again there


@pytest.mark.parametrize("order", [1, -1])
def test_memory_does_not_rest_on_a_check_that_comes_later(order: int) -> None:
    function = whole("""
m = dim(W)
p = dim(b)
for k in range(n):
    h = tanh(matmul(W, view(x, k)))
    u = matmul(V, h)
    s = add(s, add(sum(u), sum(h)))
""", "s")
    m, p = (s.result for s in function.body[:2] if isinstance(s, Let))
    loop_ = function.body[2]
    assert isinstance(loop_, Loop)
    check = Effect("check_equal", (m, p)[::order], {"exception": KeyError, "message": ("no",)})
    at = next(k for k, s in enumerate(loop_.body) if isinstance(s, Let) and s.op == "tanh")
    loop_ = replace(loop_, body=(*loop_.body[:at + 1], check, *loop_.body[at + 1:]))
    new = verify(distribute(replace(function, body=(*function.body[:2], loop_))))
    assert products(new) == [(2, 2), (2, 2)]
    for length in (3, 5):
        args = arguments()
        args[4] = np.zeros(length)
        with pytest.raises(KeyError, match="no"):
            interpret(new, args)


def test_an_array_that_a_loop_around_gives_another_shape() -> None:
    function = whole("""
u = view(x, 0)
for i in range(3):
    for k in range(n):
        r = tanh(multiply(u, sum(view(x, k))))
        t = matmul(W, view(x, k))
        s = add(s, add(sum(t), sum(r)))
    u = b
""", "s")
    assert products(same(function)) == [(2, 2)]


def test_loops_in_branches() -> None:
    function = whole("""
if less(s, 1.0):
    for k in range(n):
        t = matmul(W, view(x, k))
        y = update(y, k, t)
""")
    assert products(same(function)) == [(2, 2)]


def test_iterations_of_loops_in_loops() -> None:
    function = whole("""
for i in range(3):
    for k in range(n):
        t = matmul(W, view(x, k))
        y = update(y, k, add(view(y, k), t))
    b = multiply(b, 2.0)
""")
    assert products(same(function)) == [(2, 2)]


class Body:
    """A random body of a loop: every value that there is may be read by what comes later."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.lines: list[str] = []
        self.known = {3: ["u", "view(x, k)"], 4: ["b", "view(y, k)"],
                      0: ["s", "load(view(x, k), 1)"]}
        for _ in range(self.rng.integers(3, 12)):
            self.statement()

    def some(self, size: int) -> str:
        return str(self.rng.choice(self.known[size]))

    def statement(self) -> None:
        size = int(self.rng.choice([0, 3, 4]))
        a, b, c = self.some(size), self.some(size), self.some(0)
        three, four = self.some(3), self.some(4)
        made = {
            0: [f"sum({three})", f"load({four}, 2)", f"multiply({a}, {c})", f"matmul({three}, u)",
                "load(u, 0)", f"sum(multiply(column({four}), {three}))", "sum(A)"],
            3: [f"matmul(V, {four})", f"matmul({four}, W)", f"tanh({a})", f"multiply({a}, {c})",
                f"add({a}, {b})", f"matmul(transpose(W), {four})", "view(x, k)"],
            4: [f"matmul(W, {three})", f"matmul({three}, V)", f"tanh({a})", f"add({a}, {b})",
                f"matmul(transpose(V), {three})", "view(y, k)", f"multiply({a}, {c})"],
        }[size]
        name = f"v{len(self.lines)}"
        kind = self.rng.integers(8)
        if kind == 0:
            slot = {0: "s", 3: "u", 4: "b"}[size]
            self.lines.append(f"{slot} = add(multiply({slot}, 0.5), {a})")
        elif kind == 1:
            self.lines.append(f"A = add(A, multiply(column({four}), {three}))")
        elif kind == 2:
            self.lines.append(f"y = update(y, k, {four})")
        elif kind == 3:
            self.lines += [f"{name} = {a}", f"if less({c}, 0.3):", f"    {name} = tanh({b})"]
            self.known[size].append(name)
        else:
            self.lines.append(f"{name} = {self.rng.choice(made)}")
            self.known[size].append(name)


@pytest.mark.parametrize("seeds", [range(k, k + 20) for k in range(0, 120, 20)])
def test_random_bodies(seeds: range) -> None:
    cut = 0
    for seed in seeds:
        body = "\n    ".join(Body(seed).lines)
        start = "multiply(view(x, 0), 0.1)"
        function = whole(f"A = zeros(4, 3)\nu = {start}\nfor k in range(n):\n    {body}",
                         "y, s, b, A, u")
        new = verify(distribute(function))
        cut += canonical(new) != canonical(function)
        args = arguments(int(np.random.default_rng(seed).choice([1, 5, 130, 257])))
        args[3] = np.ones((300, 4))
        with np.errstate(all="ignore"):
            for a, b in zip(interpret(new, args), interpret(function, args), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9, err_msg=f"seed {seed}")
    assert cut >= 2
