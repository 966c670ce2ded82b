"""What compiled code calls in the place of NumPy's functions, where that is faster.

Source is printed with `np.empty` and `np.exp`, so that it stands alone; when it is compiled here,
its arrays lie on large pages (`memory.py`) and its elementary functions have vector variants
(`vector_math.py`). Every line stays where it is.
"""

from __future__ import annotations

import ast
import sys
from typing import Any

# Elementary functions in generated source, what the C library calls them, and the number of their
# arguments.
ELEMENTARY: dict[tuple[str, str], tuple[str, int]] = {
    **{("np", name): (name, 1) for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "sin", "cos", "tan",
        "sinh", "cosh", "tanh")},
    **{("np", f"arc{name}"): (f"a{name}", 1) for name in (
        "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    ("np", "arctan2"): ("atan2", 2), ("np", "hypot"): ("hypot", 2),
    ("math", "erf"): ("erf", 1), ("math", "erfc"): ("erfc", 1),
}


def substituted(source: str, vector_math: bool) -> tuple[str, dict[str, Any]]:
    """The source as it is compiled, and the names that it needs then; nothing is loaded and made
    that it does not call."""
    vectors = vector_math and "for " in source
    wanted = [("np", "empty"), ("np", "zeros"), *(ELEMENTARY if vectors else ())]
    if not any(f"{module}.{name}(" in source for module, name in wanted):
        return source, {}
    names: dict[str, Any] = {}
    lines = source.splitlines(keepends=True)
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    found = [f for f in calls if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name)]
    for node in sorted(found, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        assert isinstance(node.value, ast.Name) and node.end_col_offset is not None
        new = _instead(node.value.id, node.attr, vectors, names)
        if new is not None:
            line = lines[node.lineno - 1].encode()
            lines[node.lineno - 1] = (line[:node.col_offset] + new.encode()
                                      + line[node.end_col_offset:]).decode()
    return "".join(lines), names


def _instead(module: str, name: str, vectors: bool, names: dict[str, Any]) -> str | None:
    """What is called instead of a function, which is noted in `names`."""
    new = None
    if module == "np" and name in ("empty", "zeros") and sys.platform.startswith("linux"):
        from retrograd.backend import memory

        new = f"_large_{name}"
        names[new] = memory.INSTEAD[name]
    elif vectors and (module, name) in ELEMENTARY:
        from retrograd.backend import vector_math

        if vector_math.has_variants(module, name):
            new = f"_vector_{name}"
            names[new] = vector_math.made(module, name)
    return new
