"""Generated source as text that stands alone."""

from __future__ import annotations

import re

from retrograd.api.options import Options
from retrograd.program import Emitted, Program


def text(program: Program, compiled: bool, options: Options) -> str:
    """The source of all functions of a program, readable or as Numba compiles it."""
    if not compiled:
        return "\n\n".join(unit.readable.source.strip("\n") for unit in program.units) + "\n"
    parts = [_decorated(unit.lowered(), options) for unit in program.units]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _decorated(emitted: Emitted, options: Options) -> str:
    """The source with the decorator that it is compiled with."""
    flags = options.compile_options().flags()
    shown = "True" if flags is True else "{" + ", ".join(
        repr(f) for f in sorted(flags)) + "}"  # type: ignore[arg-type]
    decorator = f"@numba.njit(error_model='numpy', fastmath={shown})\n"
    head = re.search(rf"^def {re.escape(emitted.name)}\(", emitted.source, re.MULTILINE)
    if head is None or emitted.source[:head.start()].rstrip().endswith(")"):
        return emitted.source
    before, after = emitted.source[:head.start()], emitted.source[head.start():]
    return f"{_with_import(before)}{decorator}{after}"


def _with_import(header: str) -> str:
    """`import numba` after the comments and imports that are there."""
    if re.search(r"^import numba$", header, re.MULTILINE):
        return header
    lines = header.rstrip("\n").split("\n") if header.strip() else []
    place = next((k for k, line in enumerate(lines) if line.startswith(("import ", "from "))),
                 len(lines))
    return "\n".join([*lines[:place], "import numba", *lines[place:]]) + "\n\n\n"
