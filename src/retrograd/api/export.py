"""Generated source as text that stands alone."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from retrograd.api.options import Options
from retrograd.errors import Unsupported
from retrograd.program import Emitted, Failure, Program
from retrograd.trees import Fixed, Leaf, Node, Tree


def text(program: Program, compiled: bool, options: Options) -> str:
    """The source of all functions of a program, readable or as Numba compiles it."""
    if not compiled:
        return "\n\n".join(unit.readable.source.strip("\n") for unit in program.units) + "\n"
    parts = [_decorated(unit.lowered(), options) for unit in program.units]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def require_importable(program: Program) -> None:
    """Raise Unsupported where a file would call an opaque function that it cannot import."""
    for unit in program.units:
        for name, foreign in unit.readable.foreign:
            if foreign.module is None:
                raise Unsupported(
                    f"the source calls {name}, an opaque function that no module has under this "
                    "name, and cannot be written to a file",
                    "bind the result of rg.rule to a name at the top level of a module")


def _decorated(emitted: Emitted, options: Options) -> str:
    """The source with the decorator that it is compiled with."""
    decorator = _decorator(options, "")
    for helper in emitted.helpers:
        how = _decorator(options, ", parallel=True" if helper.parallel else "",
                         helper.reassociate)
        emitted = replace(emitted, source=emitted.source.replace(
            f"\ndef {helper.name}(", f"\n{how}def {helper.name}("))
    head = re.search(rf"^def {re.escape(emitted.name)}\(", emitted.source, re.MULTILINE)
    if head is None or emitted.source[:head.start()].rstrip().endswith(")"):
        return emitted.source
    before, after = emitted.source[:head.start()], emitted.source[head.start():]
    if not emitted.failures and _flat(emitted.structure):
        return f"{_with_import(before)}{decorator}{after}"
    kernel = f"{emitted.name}_compiled"
    after = after.replace(f"def {emitted.name}(", f"def {kernel}(", 1)
    return f"{_with_import(before)}{decorator}{after.rstrip()}\n\n\n{_caller(emitted, kernel)}"


def _decorator(options: Options, more: str, reassociate: bool = False) -> str:
    flags = options.compile_options().flags(reassociate)
    shown = "True" if flags is True else "{" + ", ".join(
        repr(f) for f in sorted(flags)) + "}"  # type: ignore[arg-type]
    return f"@numba.njit(error_model='numpy', fastmath={shown}{more})\n"


def _flat(structure: Tree) -> bool:
    """Whether the function's results are those of the compiled one as they are."""
    return isinstance(structure, Leaf) or (
        isinstance(structure, Node) and structure.kind == "tuple" and len(structure.children) > 1
        and all(c == Leaf(k) for k, c in enumerate(structure.children)))


def _caller(emitted: Emitted, kernel: str) -> str:
    """The function with the structure of its results, which raises what the compiled one says."""
    definition = next(s for s in ast.parse(emitted.source).body
                      if isinstance(s, ast.FunctionDef) and s.name == emitted.name)
    params = ", ".join(a.arg for a in definition.args.args)
    results = [f"result_{k}" for k in range(_leaves(emitted.structure))]
    payload = [*(f"i_{k}" for k in range(emitted.integers)),
               *(f"f_{k}" for k in range(emitted.floats))]
    names = [*(["status", *payload] if emitted.failures else []), *results]
    given = f"{', '.join(names)} = " if len(names) > 1 else f"{names[0]} = " if names else ""
    lines = [f"def {emitted.name}({params}):", f"    {given}{kernel}({params})"]
    for number, failure in enumerate(emitted.failures, 1):
        lines += [f"    if status == {number}:", *_raising(failure)]
    return "\n".join([*lines, f"    return {_shown(emitted.structure)}", ""])


def _raising(failure: Failure) -> list[str]:
    kind = failure.exception
    imports: list[str] = []
    if kind.__module__ in ("numpy.linalg", "numpy.exceptions"):
        name = f"np.{kind.__module__[6:]}.{kind.__name__}"
    else:
        name = kind.__name__
        if kind.__module__ != "builtins":
            imports = [f"        from {kind.__module__} import {name}"]
    parts = [repr(p) if isinstance(p, str) else f"str({p[0]}_{p[1]})" for p in failure.message]
    return [*imports, f"        raise {name}({' + '.join(parts)})"]


def _leaves(structure: Tree) -> int:
    match structure:
        case Leaf():
            return 1
        case Node(children=children):
            return sum(map(_leaves, children))
        case Fixed():
            return 0


def _shown(structure: Tree) -> str:
    match structure:
        case Leaf(position=position):
            return f"result_{position}"
        case Fixed(value=value):
            return repr(value)
        case Node(kind=kind, children=children, keys=keys):      # of no class (`trees.plain`)
            parts = [_shown(c) for c in children]
            if kind == "dict":
                return "{" + ", ".join(
                    f"{k!r}: {p}" for k, p in zip(keys, parts, strict=True)) + "}"
            if kind == "list":
                return f"[{', '.join(parts)}]"
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _with_import(header: str) -> str:
    """`import numba` after the comments and imports that are there."""
    if re.search(r"^import numba$", header, re.MULTILINE):
        return header
    lines = header.rstrip("\n").split("\n") if header.strip() else []
    place = next((k for k, line in enumerate(lines) if line.startswith(("import ", "from "))),
                 len(lines))
    return "\n".join([*lines[:place], "import numba", *lines[place:]]) + "\n\n\n"
