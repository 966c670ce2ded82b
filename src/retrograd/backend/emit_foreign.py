"""Calls of opaque functions: what generated source calls them, and how compiled code gets there.

    y = J0(x)                                readable source
    y = J0_function(x)                       compiled, where Numba can call the function
    with objmode(found="float64[::1]"):      compiled, through the interpreter
        found = J0(x)
    y = found

Functions that return tuples: `emit_several.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_context import Context, is_array
from retrograd.backend.printer import Comment
from retrograd.ir.foreign import Foreign
from retrograd.ir.nodes import Atom, Function, Let, walk

_PLAIN = frozenset({"float64", "int64", "bool", "complex128"})    # boxed as what NumPy mode passes


def foreign_names(function: Function, taken: frozenset[str]) -> dict[Foreign, str]:
    """What a program's opaque functions are called, apart from all other names."""
    found: dict[Foreign, str] = {}
    for foreign in _called(function):
        name = foreign.name
        while name in taken or name in found.values() or called_directly(name) in taken:
            name += "_"
        found[foreign] = name
    return found


def _called(function: Function) -> Iterator[Foreign]:
    seen: set[Foreign] = set()
    for statement in walk(function.body):
        if isinstance(statement, Let) and statement.op == "opaque":
            foreign: Foreign = statement.static["function"]
            if foreign not in seen:
                seen.add(foreign)
                yield foreign


def called_directly(name: str) -> str:
    return f"{name}_function"


def imports(context: Context) -> list[ast.stmt]:
    """How a module gets at its opaque functions."""
    lines: list[ast.stmt] = []
    if context.compiled and any(f.direct is None for f in context.foreign):
        lines.append(ast.ImportFrom("numba", [ast.alias("objmode", None)], 0))
    modules: dict[str, list[ast.alias]] = {}
    for foreign, name in context.foreign.items():
        if foreign.module is None:
            lines.append(Comment(f"{name}: an opaque function, which no module has: it is put "
                                 "here before this is run"))
        else:
            modules.setdefault(foreign.module, []).append(ast.alias(
                foreign.name, None if name == foreign.name else name))
    lines += [ast.ImportFrom(module, names, 0) for module, names in modules.items()]
    lines += [syntax.assign(syntax.target(called_directly(name)),
                            syntax.attribute(name, "function"))
              for foreign, name in context.foreign.items()
              if context.compiled and foreign.direct is not None]
    return lines


def through_interpreter(context: Context, let: Let) -> bool:
    """Whether an operation is a call that compiled code cannot make itself."""
    return let.op == "opaque" and context.compiled and let.static["function"].direct is None


def call(context: Context, let: Let) -> ast.expr:
    """A call as an expression; compiled code calls the function itself."""
    found = call_of(context, let)
    return converted(context, let, found) if context.compiled else found


def call_of(context: Context, let: Let) -> ast.expr:
    name = context.foreign[let.static["function"]]
    return syntax.call(called_directly(name) if context.compiled else name,
                       *(context.atom(a) for a in let.args))


def converted(context: Context, let: Let, found: ast.expr) -> ast.expr:
    """What compiled code gets of a function that it calls itself, as the result that it is."""
    if is_array(let.result):
        found = context.numpy_call("ascontiguousarray", found)
        return syntax.call(syntax.attribute(found, "astype"),
                           context.dtype(let.result.type.dtype))
    return context.converted(found, let.result.type.dtype)


def interpreted(context: Context, let: Let, target: ast.expr) -> list[ast.stmt]:
    """A block that the interpreter runs, and its result."""
    found = context.fresh("found")
    type = let.result.type
    return [*in_interpreter(context, let, syntax.target(found), {found: (type.dtype, type.rank)}),
            syntax.assign(target, syntax.name(found))]


def in_interpreter(context: Context, let: Let, target: ast.expr, found: dict[str, tuple[str, int]],
                   ) -> list[ast.stmt]:
    """A block that the interpreter runs, with a call in it; `found` are the dtype and rank of the
    variables that are read afterwards. Its arguments are variables; its results are such that
    nothing else is: Numba takes a variable that goes in for one that does not come out."""
    before: list[ast.stmt] = []
    args: list[ast.expr] = []
    for atom in let.args:
        node = context.atom(atom)
        if not isinstance(node, ast.Name | ast.Constant):
            name = context.fresh("argument")
            before.append(syntax.assign(syntax.target(name), node))
            node = syntax.name(name)
        args.append(_boxed(context, atom, node))
    block = syntax.call("objmode", **{name: syntax.text(_type_text(*type))
                                      for name, type in found.items()})
    called = syntax.call(context.foreign[let.static["function"]], *args)
    return [*before, ast.With([ast.withitem(block, None)], [syntax.assign(target, called)])]


def _boxed(context: Context, atom: Atom, node: ast.expr) -> ast.expr:
    """Numba hands every float to the interpreter as a Python float."""
    plain = is_array(atom) or atom.type.dtype in _PLAIN or isinstance(node, ast.Constant)
    return node if plain else context.converted(node, atom.type.dtype)


def _type_text(dtype: str, rank: int) -> str:
    """Numba's name of a type; arrays are in C order."""
    dtype = "boolean" if dtype == "bool" else dtype
    return f"{dtype}[{', '.join([':'] * (rank - 1) + ['::1'])}]" if rank else dtype
