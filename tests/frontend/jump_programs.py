"""Random functions full of jumps, and the structured form of a function made executable."""

from __future__ import annotations

import ast
import functools
import random
from collections.abc import Callable
from typing import Any

from retrograd.frontend.jumps import Structured, structured

Lines = list[str]
TESTS = ("x > {}", "x % 3 == {}", "(x + a) % 4 < {}", "b > {}", "len(log) % 2 == {}")


def program(seed: int) -> str:
    """Source of `f(a, b)`, which logs where it passes; loops are short and always end."""
    choose = random.Random(seed)
    lines = _block(choose, 0, False)
    return "\n".join(["def f(a, b):", "    x, log = a, []",
                      "    if a > 3:", "        y0 = y1 = y2 = a", *_indented(lines),
                      *(["    return x, log"] if choose.random() < 0.8 else [])]) + "\n"


def _indented(lines: Lines) -> Lines:
    return ["    " + line for line in lines]


def _block(choose: random.Random, depth: int, in_loop: bool) -> Lines:
    lines: Lines = []
    for _ in range(choose.randint(1, 4)):
        lines += _statement(choose, depth, in_loop)
    return lines


def _test(choose: random.Random) -> str:
    return choose.choice(TESTS).format(choose.randint(0, 3))


def _statement(choose: random.Random, depth: int, in_loop: bool) -> Lines:
    kinds: list[Callable[[random.Random, int, bool], Lines]] = [_work, _work]
    if depth < 4:
        kinds += [_if, _if, _if, _for, _while]
    kinds.append(_jump)
    return choose.choice(kinds)(choose, depth, in_loop)


def _work(choose: random.Random, depth: int, in_loop: bool) -> Lines:
    n = choose.randint(1, 99)
    return choose.choice((["x = x + 1"], [f"log.append({n})"], [f"x = x * 2 - {n % 5}"],
                          [f"y{n % 3} = x"], [f"x = x + y{n % 3}"], ["pass"]))


def _jump(choose: random.Random, depth: int, in_loop: bool) -> Lines:
    jumps = ["return x, log, 'early'", "raise ValueError(x)", "return"]
    if in_loop:
        jumps += ["break", "continue"] * 3
    return [choose.choice(jumps)]


def _if(choose: random.Random, depth: int, in_loop: bool) -> Lines:
    lines = [f"if {_test(choose)}:", *_indented(_block(choose, depth + 1, in_loop))]
    for _ in range(choose.choice((0, 0, 1))):
        lines += [f"elif {_test(choose)}:", *_indented(_block(choose, depth + 1, in_loop))]
    if choose.random() < 0.5:
        lines += ["else:", *_indented(_block(choose, depth + 1, in_loop))]
    return lines


def _otherwise(choose: random.Random, depth: int, in_loop: bool) -> Lines:
    if choose.random() < 0.7:
        return []
    return ["else:", *_indented(_block(choose, depth + 1, in_loop))]


def _for(choose: random.Random, depth: int, in_loop: bool) -> Lines:
    head = f"for i{depth} in range({choose.randint(0, 4)}):"
    return [head, f"    x = x + i{depth}", *_indented(_block(choose, depth + 1, True)),
            *_otherwise(choose, depth, in_loop)]


def _while(choose: random.Random, depth: int, in_loop: bool) -> Lines:
    name = f"k{depth}"
    test = f"(now := {name}) < 3" if choose.random() < 0.2 else f"{name} < 3"
    return [f"{name} = 0", f"while {test} and {_test(choose)}:", f"    {name} += 1",
            *_indented(_block(choose, depth + 1, True)), *_otherwise(choose, depth, in_loop)]


# --- the structured form, executed ---------------------------------------------------------------


class _Concrete(ast.NodeTransformer):
    """Loops say in Python what `leave` says about them: they end when their flag is set."""

    def __init__(self, leave: dict[ast.stmt, str]) -> None:
        self.leave = leave

    def visit_For(self, node: ast.For) -> ast.stmt:
        body = [self.visit(s) for s in node.body]
        if node in self.leave:
            body += ast.parse(f"if {self.leave[node]}: break").body
        return ast.For(node.target, node.iter, body, [])

    def visit_While(self, node: ast.While) -> ast.stmt:
        test = node.test
        if node in self.leave:
            going = ast.parse(f"not {self.leave[node]}", mode="eval").body
            test = ast.BoolOp(ast.And(), [going, test])
        return ast.While(test, [self.visit(s) for s in node.body], [])


def structured_form(source: str) -> tuple[ast.FunctionDef, Structured]:
    """The function of this source, and its structured form."""
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    names = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    return function, structured(function.body, names | {a.arg for a in function.args.args})


def without_jumps(source: str) -> str:
    """The source of `f` in structured form, with the breaks that `leave` stands for."""
    function, new = structured_form(source)
    body = [_Concrete(new.leave).visit(s) for s in new.body]
    whole = ast.Module([ast.FunctionDef("f", function.args, body, [])], [])
    return ast.unparse(ast.fix_missing_locations(whole))


@functools.lru_cache(maxsize=8)
def _compiled(source: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(compile(source, "<jumps>", "exec"), scope)
    function: Callable[..., Any] = scope["f"]
    return function


def outcome(source: str, *args: Any) -> Any:
    """What `f` of this source returns or raises."""
    try:
        return _compiled(source)(*args)
    except (ValueError, UnboundLocalError) as error:
        return type(error), str(error)
