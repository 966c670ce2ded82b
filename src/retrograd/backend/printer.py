"""Syntax trees to source, through astor: comments, strings and long lines are ours.

astor knows no comments, writes long strings in its own way, and breaks long lines at places where
Python does not allow it (`(-h\\n) ** 2`). A line that is too long is broken here only inside
brackets; an assignment or `return` without any gets a pair around its right side.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Sequence

import astor
from astor.code_gen import SourceGenerator, set_precedence
from astor.op_util import Precedence

COLUMNS = 100
_OPENING, _CLOSING = "([{", ")]}"
_OPERATORS = frozenset({"+", "-", "*", "/", "//", "%", "@", "<", ">", "<=", ">=", "==", "!=",
                        "&", "|", "^", "<<", ">>"})
_WORDS = frozenset({"and", "or", "if", "else"})


class Comment(ast.stmt):
    """A line of comment; `text` is without the `#`."""

    _fields = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class _Generator(SourceGenerator):  # type: ignore[misc]
    """astor's generator with comments."""

    def visit_Comment(self, node: Comment) -> None:
        self.statement(node, f"# {node.text}".rstrip())

    def visit_Dict(self, node: ast.Dict) -> None:
        set_precedence(Precedence.Comma, *node.keys)     # astor would print {(1): x}
        super().visit_Dict(node)


def source_of(body: Sequence[ast.stmt]) -> str:
    """The source of a module."""
    module = ast.Module(list(body), [])
    text: str = astor.to_source(module, pretty_string=_string, pretty_source=_joined,
                                source_generator_class=_Generator)
    return text.strip("\n") + "\n"


def _string(value: str, embedded: object, current_line: object, uni_lit: object = False,
            *_: object) -> str:
    return repr(value)


def _joined(parts: Sequence[str]) -> str:
    lines = "".join(parts).split("\n")
    return "\n".join(piece for line in lines for piece in broken(line.rstrip()))


# --- long lines ----------------------------------------------------------------------------------


def broken(line: str) -> list[str]:
    """The line, or the lines that it is broken into; comments are cut at blanks."""
    if len(line) <= COLUMNS:
        return [line]
    indent = line[:len(line) - len(line.lstrip())]
    if line.lstrip().startswith("#"):
        return _broken_comment(line, indent)
    breaks = _breaks(line)
    if all(depth == 0 for _, depth in breaks):
        line = _bracketed(line)
        breaks = _breaks(line)
    return _filled(line, indent, [at for at, depth in breaks if depth > 0])


def _broken_comment(line: str, indent: str) -> list[str]:
    lines, current = [], indent + "#"
    for word in line.strip()[1:].split():
        if len(current) + 1 + len(word) > COLUMNS and current != indent + "#":
            lines.append(current)
            current = indent + "#    "
        current += " " + word
    return [*lines, current]


def _breaks(line: str) -> list[tuple[int, int]]:
    """Columns where a new line may start, with the depth of brackets there."""
    found: list[tuple[int, int]] = []
    depth = 0
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(line.strip()).readline):
        word = token.string
        column = token.start[1] + len(line) - len(line.lstrip())
        if word in _OPENING and word:
            depth += 1
        elif word in _CLOSING and word:
            depth -= 1
        elif (word in _OPERATORS and before not in _OPERATORS | set(_OPENING) | {",", "", "=", ":"}
              and line[column - 1] == " ") or word in _WORDS:
            found.append((column, depth))
        if before == "," and token.type != tokenize.NEWLINE:
            found.append((column, depth if word not in _OPENING else depth - 1))
        before = word
    return found


def _bracketed(line: str) -> str:
    """A pair of brackets around the right side of an assignment or `return`."""
    for start in ("return ", "if ", "while ", "elif "):
        if line.lstrip().startswith(start):
            at = line.index(start) + len(start)
            end = ":" if line.endswith(":") else ""
            return f"{line[:at]}({line[at:len(line) - len(end)]}){end}"
    at = line.find(" = ")
    return line if at < 0 else f"{line[:at + 3]}({line[at + 3:]})"


def _filled(line: str, indent: str, columns: list[int]) -> list[str]:
    """As much as fits on every line."""
    lines, start, hanging = [], 0, ""
    while len(hanging) + len(line) - start > COLUMNS:
        room = start + COLUMNS - len(hanging)
        fitting = [c for c in columns if start < c <= room]
        if not fitting:
            later = [c for c in columns if c > room]
            if not later:
                break
            fitting = later[:1]
        lines.append(hanging + line[start:fitting[-1]].rstrip())
        start, hanging = fitting[-1], indent + 8 * " "
    return [*lines, hanging + line[start:]]
