"""What compiled code calls in the place of NumPy's functions, where that is faster.

Source is printed with `np.empty` and `np.exp`, so that it stands alone; when it is compiled here,
its arrays lie on large pages (`memory.py`) and its elementary functions have vector variants
(`vector_math.py`). Every line stays where it is.
"""

from __future__ import annotations

import ast
import sys
from typing import Any


def substituted(source: str, vector_math: bool) -> tuple[str, dict[str, Any]]:
    """The source as it is compiled, and the names that it needs then."""
    table, names = _table(source, vector_math)
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)
             and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in table]
    lines = source.splitlines(keepends=True)
    for node in sorted(found, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        assert isinstance(node.value, ast.Name) and node.end_col_offset is not None
        line = lines[node.lineno - 1].encode()
        lines[node.lineno - 1] = (line[:node.col_offset]
                                  + table[node.value.id, node.attr].encode()
                                  + line[node.end_col_offset:]).decode()
    return "".join(lines), names if found else {}


def _table(source: str, vector_math: bool) -> tuple[dict[tuple[str, str], str], dict[str, Any]]:
    """What is called instead of which attribute, and what that is; nothing is loaded that the
    source cannot use."""
    table: dict[tuple[str, str], str] = {}
    names: dict[str, Any] = {}
    if sys.platform.startswith("linux") and any(f"np.{f}(" in source for f in ("empty", "zeros")):
        from retrograd.backend import memory

        table |= memory.INSTEAD
        names |= memory.NAMES
    if vector_math and "for " in source:
        from retrograd.backend import vector_math as vectors

        table |= vectors.instead()
        names |= vectors.names()
    return table, names
