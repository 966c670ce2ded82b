"""Calls of opaque functions: what generated source calls them, and how compiled code gets there.

    y = J0(x)                                readable source
    y = J0_function(x)                       compiled, where Numba can call the function
    y = J0_interpreted(x)                    compiled, through the interpreter:

    def J0_interpreted(argument):
        with objmode(found="float64[::1]"):
            found = J0(argument)
        return found

Numba cannot have two blocks of `objmode` in a function of which one may run without the other
(numba#9574), so that each has a function of its own. What returns tuples: `emit_several.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_context import Context, is_array
from retrograd.backend.printer import Comment
from retrograd.ir.foreign import Foreign
from retrograd.ir.nodes import Atom, Function, Let, walk
from retrograd.program import Helper

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
    """A call as an expression."""
    if through_interpreter(context, let):
        return interpreted(context, let, ((let.result.type.dtype, let.result.type.rank),), (0,))
    found = call_of(context, let)
    return converted(context, let, found) if context.compiled else found


def call_of(context: Context, let: Let) -> ast.expr:
    """A call of the function itself."""
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


def interpreted(context: Context, let: Let, types: Sequence[tuple[str, int]],
                wanted: Sequence[int]) -> ast.expr:
    """A call through the interpreter, which gives the `wanted` ones of the results, whose dtypes
    and ranks these are."""
    foreign: Foreign = let.static["function"]
    dtypes = tuple("" if is_array(a) else a.type.dtype for a in let.args)
    key = (foreign, dtypes, tuple(types), tuple(wanted))
    name = context.interpreted.get(key)
    if name is None:
        name = context.interpreted[key] = context.fresh(f"{context.foreign[foreign]}_interpreted")
        several = "number" in let.static
        context.helpers[Helper(name)] = _helper(context, name, let, types, wanted, several)
    return syntax.call(name, *(context.atom(a) for a in let.args))


def _helper(context: Context, name: str, let: Let, types: Sequence[tuple[str, int]],
            wanted: Sequence[int], several: bool) -> ast.stmt:
    arguments = _locals(context, let, "argument", len(let.args))
    found = _locals(context, let, "found", len(types))
    block = syntax.call("objmode", **{found[k]: syntax.text(_type_text(*types[k]))
                                      for k in wanted})
    called = syntax.call(context.foreign[let.static["function"]], *(
        _boxed(context, atom, syntax.name(a)) for atom, a in zip(let.args, arguments, strict=True)))
    target = targets(found) if several else syntax.target(found[0])
    given = [syntax.name(found[k]) for k in wanted]
    return syntax.function(name, arguments, [
        ast.With([ast.withitem(block, None)], [syntax.assign(target, called)]),
        ast.Return(given[0] if len(given) == 1 else syntax.sequence(given))])


def _locals(context: Context, let: Let, base: str, count: int) -> list[str]:
    """Names in a function of its own, which hide nothing that is read there."""
    taken = {context.foreign[let.static["function"]], *context.aliases.values()}
    names = [base if count == 1 else f"{base}_{k}" for k in range(count)]
    return [f"{name}_" if name in taken else name for name in names]


def targets(names: Iterable[str]) -> ast.expr:
    """What a tuple is assigned to."""
    return ast.Tuple([syntax.target(name) for name in names], ast.Store())


def _boxed(context: Context, atom: Atom, node: ast.expr) -> ast.expr:
    """Numba hands every float to the interpreter as a Python float."""
    plain = is_array(atom) or atom.type.dtype in _PLAIN
    return node if plain else context.converted(node, atom.type.dtype)


def _type_text(dtype: str, rank: int) -> str:
    """Numba's name of a type; arrays are in C order."""
    dtype = "boolean" if dtype == "bool" else dtype
    return f"{dtype}[{', '.join([':'] * (rank - 1) + ['::1'])}]" if rank else dtype
