"""From a function object to the syntax tree of exactly the text that runs.

The file's lines are compiled again, and the code object that equals the function's own is found
among the results: so a changed file, or one of several lambdas on a line, cannot be mistaken.
"""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from retrograd.errors import Span, Unsupported
from retrograd.frontend.need import NeedStatic

FunctionNode = ast.FunctionDef | ast.Lambda
_FUTURE = 0x1FFE000          # the bits of co_flags that `from __future__` sets


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A function's syntax tree and the lines of its file."""

    function: Any                  # a FunctionType, whose __get__ would make mypy see a method
    node: FunctionNode
    file: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The function's own lines."""
        end = self.node.end_lineno or self.node.lineno
        return "".join(self.lines[self.node.lineno - 1:end])

    def span(self, node: ast.AST) -> Span:
        """Where a node of the tree stands; compound statements stand where their header is."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        last = header_end(node)
        end_line = getattr(last, "end_lineno", None) or line
        end_column = getattr(last, "end_col_offset", None) or column
        text = self._cut(line, column, end_line, end_column)
        if isinstance(node, (ast.For, ast.While, ast.If)):
            text += ":"
        name = getattr(self.node, "name", "<lambda>")
        return Span(self.file, line, self._characters(line, column), end_line,
                    self._characters(end_line, end_column), text, name)

    def line(self, span: Span) -> str:
        """The line of source that a span starts on."""
        return self.lines[span.line - 1].rstrip("\n") if span.line <= len(self.lines) else ""

    def _characters(self, line: int, column: int) -> int:
        """The syntax tree counts bytes; people count characters."""
        if line > len(self.lines):
            return column
        return len(self.lines[line - 1].encode()[:column].decode(errors="replace"))

    def _cut(self, line: int, column: int, end_line: int, end_column: int) -> str:
        rows = [row.encode() for row in self.lines[line - 1:end_line]]
        if not rows:
            return ""
        rows[-1] = rows[-1][:end_column]
        rows[0] = rows[0][column:]
        return b"".join(rows).decode(errors="replace")


def header_end(node: ast.AST) -> ast.AST:
    """The last node of a compound statement's first line."""
    match node:
        case ast.If() | ast.While():
            return node.test
        case ast.For():
            return node.iter
        case _:
            return node


def read(function: FunctionType) -> Source:
    """The source of a Python function.

    Raises
    ------
    Unsupported
        If there is no text, or the text is not what runs.
    """
    code = function.__code__
    lines = tuple(linecache.getlines(code.co_filename, function.__globals__))
    if not lines:
        raise Unsupported(
            f"the source of {function.__qualname__} cannot be read ({code.co_filename})",
            "define the function in a file or a notebook cell; for exec, register the text in "
            "linecache; or give it a rule: rg.rule(..., opaque=True)")
    try:
        node = _find(code, lines)
    except SyntaxError as error:
        raise _changed(function, f"the file does not parse ({error.msg})") from None
    if node is None:
        raise _changed(function, "no function in the file is the one that runs")
    source = Source(function, node, code.co_filename, lines)
    if isinstance(node, ast.AsyncFunctionDef):
        span = source.span(node)
        raise Unsupported("async functions have no derivative", "write a plain function", span,
                          source.line(span))
    return source


def _changed(function: FunctionType, why: str) -> Unsupported:
    return Unsupported(
        f"the source of {function.__qualname__} in {function.__code__.co_filename} is not what "
        f"runs: {why}", "reload the module after editing it, and define the function in plain "
        "source rather than through a decorator that rewrites it")


@functools.lru_cache(maxsize=256)
def _compiled(file: str, lines: tuple[str, ...], flags: int) -> tuple[CodeType, ast.Module]:
    text = "".join(lines)
    return (compile(text, file, "exec", flags=flags, dont_inherit=True), ast.parse(text))


def _find(code: CodeType, lines: tuple[str, ...]) -> Any:
    module, tree = _compiled(code.co_filename, lines, code.co_flags & _FUTURE)
    same = _loosely_equal if "@pytest_ar" in _all_names(code) else _equal
    matches = [c for c in _codes(module) if c.co_firstlineno == code.co_firstlineno
               and c.co_name == code.co_name and same(c, code)]
    if not matches:
        return None
    nodes = [n for n in ast.walk(tree) if _could_be(n, matches[0])]
    if len(nodes) > 1:
        nodes = [n for n in nodes if _covers(n, matches[0])]
    return nodes[0] if len(nodes) == 1 else None


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _all_names(code: CodeType) -> set[str]:
    return {name for c in _codes(code) for name in (*c.co_names, *c.co_freevars, *c.co_varnames)}


def _positions(code: CodeType) -> list[Any]:
    positions: Callable[[], Any] | None = getattr(code, "co_positions", None)
    return list(positions()) if positions else []


def _equal(a: CodeType, b: CodeType) -> bool:
    """Equal bytecode, constants with their types, names and positions."""
    if (a.co_code, a.co_names, a.co_varnames, a.co_freevars, a.co_cellvars) != (
            b.co_code, b.co_names, b.co_varnames, b.co_freevars, b.co_cellvars):
        return False
    return _positions(a) == _positions(b) and _equal_constants(a.co_consts, b.co_consts, _equal)


def _loosely_equal(a: CodeType, b: CodeType) -> bool:
    """What survives pytest's rewriting of assertions: the text's own names and the arguments."""
    arguments = a.co_argcount + a.co_kwonlyargcount
    return (a.co_varnames[:arguments] == b.co_varnames[:arguments]
            and set(a.co_names) <= set(b.co_names) | {"AssertionError"}
            and a.co_freevars == b.co_freevars)


def _equal_constants(a: Any, b: Any, same: Callable[[CodeType, CodeType], bool]) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, CodeType):
        return same(a, b)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(
            _equal_constants(x, y, same) for x, y in zip(a, b, strict=True))
    return bool(repr(a) == repr(b))


def _could_be(node: ast.AST, code: CodeType) -> bool:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        return node.name == code.co_name and first == code.co_firstlineno
    return (isinstance(node, ast.Lambda) and code.co_name == "<lambda>"
            and node.lineno == code.co_firstlineno)


def _covers(node: ast.AST, code: CodeType) -> bool:
    """Whether the code's instructions span exactly the body of this lambda."""
    if not isinstance(node, ast.Lambda):
        return False
    places = [p for p in _positions(code) if None not in p and p[3] > 0]
    if not places:
        return False
    body = node.body
    return (min((p[0], p[2]) for p in places) == (body.lineno, body.col_offset)
            and max((p[1], p[3]) for p in places) == (body.end_lineno, body.end_col_offset))


__all__ = ["NeedStatic", "Source", "read"]
