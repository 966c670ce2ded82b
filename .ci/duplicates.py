"""Refuse functions that are written twice: one piece of code must serve.

Compares the parameters and bodies of all functions with at least six statements; docstrings and
the functions' own names do not count.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path

SMALLEST = 6
# Programs under test look alike on purpose; generated files are judged by their own tests.
SKIPPED = ("tests/golden", "tests/corpus")


def functions(path: Path) -> list[tuple[str, str]]:
    """(key, place) of every function that is large enough to matter."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) else node.body
        if sum(isinstance(n, ast.stmt) for part in body for n in ast.walk(part)) >= SMALLEST:
            key = ast.dump(node.args) + "".join(ast.dump(part) for part in body)
            found.append((key, f"{path}:{node.lineno} {node.name}"))
    return found


def main(roots: list[str]) -> int:
    places = defaultdict(list)
    for root in roots:
        for path in sorted(Path(root).rglob("*.py")):
            if not path.as_posix().startswith(SKIPPED):
                for key, place in functions(path):
                    places[key].append(place)
    twins = [where for where in places.values() if len(where) > 1]
    for where in twins:
        print("the same function twice:", *where, sep="\n  ")
    return 1 if twins else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
