"""From the IR to the source of a Python module, for NumPy or for Numba.

Storage, folding and names are decided first; then the statements are printed from the outside
in. The same function always gives the same bytes.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Sequence

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_arrays import expression
from retrograd.backend.emit_blocks import BlockPrinter, ends
from retrograd.backend.emit_checks import shared_nothing
from retrograd.backend.emit_context import Context, python_numbers
from retrograd.backend.emit_foreign import called_directly, foreign_names
from retrograd.backend.emit_foreign import imports as foreign_imports
from retrograd.backend.fold import folded_values
from retrograd.backend.names import names_of
from retrograd.backend.printer import Comment, source_of
from retrograd.backend.status import Failures, failures_of
from retrograd.errors import Unsupported
from retrograd.ir.nodes import (
    Atom,
    Effect,
    Function,
    Let,
    Raise,
    Value,
    bound,
    defined,
    operands,
    walk,
    yields,
)
from retrograd.optimise.signs import hidden, nonnegative_ints
from retrograd.optimise.storage import plan_storage
from retrograd.optimise.storage_positions import positions_of
from retrograd.program import Emitted
from retrograd.trees import Fixed, Leaf, Node, Tree

READABLE, COMPILED = "readable", "compiled"
_PRINTED_BUILTINS = frozenset({"abs", "range", "print", "complex", "Exception", "RuntimeError"})
_IMPORTS = {"numpy": "np", "math": "math", "erf": "erf", "erfc": "erfc", "gammaln": "gammaln",
            "prange": "prange"}
_FROM_SCIPY = ("erf", "erfc", "gammaln")


def emit(function: Function, dialect: str, structure: Tree,
         header: Sequence[str] = (), name: str | None = None,
         reserved: frozenset[str] = frozenset(), comment_from: int | None = None) -> Emitted:
    """The source of a module with one function.

    Parameters
    ----------
    dialect : "readable" or "compiled"
        For NumPy as it stands, or for Numba (the IR must have been lowered).
    structure : Tree
        How the readable function returns its results; the compiled one returns them flat.
    header : lines of comment at the top.
    name : of the function; that of the IR's function by default.
    reserved : names of the user, which no temporary may have.
    comment_from : index of the first statement of the reverse sweep in `function.body`; above
        what follows the user's lines are quoted. None: no quoting.
    """
    if dialect not in (READABLE, COMPILED):
        raise ValueError(f"dialect must be 'readable' or 'compiled', not {dialect!r}")
    storage = plan_storage(function)
    start = None if comment_from is None else storage.starts[comment_from]
    name = name or function.name
    context = _context(storage.function, storage.accumulations, dialect == COMPILED, name,
                       reserved, start)
    body = _body(storage.function, context, structure, start)
    definition = ast.FunctionDef(
        name, ast.arguments([], [ast.arg(context.names[p]) for p in function.params], None, [],
                            [], None, []), body, [])
    module: list[ast.stmt] = [Comment(line) for line in header]
    module += [*_imports(context), *context.helpers.values(), definition]
    failures = context.failures
    return Emitted(name, source_of(module), structure, failures.all, failures.integers,
                   failures.floats, tuple(context.helpers),
                   tuple((name, f) for f, name in context.foreign.items()))


def _context(function: Function, accumulations: frozenset[Let], compiled: bool, name: str,
             reserved: frozenset[str], start: int | None) -> Context:
    positions = positions_of(function)
    folded = folded_values(function, positions, accumulations, start)
    aliases = _aliases(_names_in(function) | {name})
    taken = frozenset({name, *aliases.values(), *_builtins(function)})
    foreign = foreign_names(function, taken | _names_in(function) | reserved)
    taken |= {*foreign.values(), *map(called_directly, foreign.values())}
    names = names_of(function, positions, folded, accumulations, taken=taken, users=reserved,
                     compiled=compiled)
    computed = frozenset(s.result for s in walk(function.body) if isinstance(s, Let))
    nonnegative = nonnegative_ints(function) if compiled else frozenset()
    return Context(compiled, names, folded, accumulations, computed, python_numbers(function),
                   aliases, failures_of(function) if compiled else Failures(), expression,
                   _fresh({*names.values(), *taken, *reserved}), nonnegative,
                   hidden(function, nonnegative),
                   sum(isinstance(s, (Effect, Raise)) for s in walk(function.body)),
                   function=name, foreign=foreign)


def _names_in(function: Function) -> frozenset[str]:
    values = [*function.params]
    for statement in walk(function.body):
        values += [*defined(statement), *bound(statement)]
    return frozenset(value.name for value in values)


def _builtins(function: Function) -> frozenset[str]:
    """The builtins that are printed: no variable may hide them."""
    raised = {s.exception.__name__ for s in walk(function.body) if isinstance(s, Raise)}
    checks = {"ValueError", "IndexError", "ZeroDivisionError"}
    return _PRINTED_BUILTINS | raised | checks | {
        s.static["exception"].__name__ for s in walk(function.body)
        if isinstance(s, Effect) and s.kind == "check_equal"}


def _aliases(spoken: frozenset[str]) -> dict[str, str]:
    """What imported things are called: their usual name, unless the user's code has it."""
    aliases: dict[str, str] = {}
    for thing, usual in _IMPORTS.items():
        alias = usual if usual not in spoken else f"{thing}_"
        while alias in spoken or alias in aliases.values() or hasattr(builtins, alias):
            alias += "_"
        aliases[thing] = alias
    return aliases


def _fresh(taken: set[str]) -> Callable[[str], str]:
    """Names for what only exists in printed source."""
    def fresh(base: str) -> str:
        name, number = base, 0
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        return name
    return fresh


# --- the function --------------------------------------------------------------------------------


def _body(function: Function, context: Context, structure: Tree,
          start: int | None) -> list[ast.stmt]:
    printer = BlockPrinter(context, tuple(r.type for r in function.returns), _used(function))
    if start is None:
        body = printer.block(function.body)
    else:
        body = printer.block(function.body[:start])
        printer.quoting = True
        reverse = printer.block(function.body[start:])
        if body:
            body = [Comment("forward sweep"), *body, Comment("reverse sweep")]
        body += reverse
        body += _quoted_returns(function, context, printer, start)
    if not ends(function.body):
        body.append(_return(function, context, structure))
    return [*shared_nothing(context), *body]


def _used(function: Function) -> frozenset[Value]:
    """What something reads; a slot is read where its result is."""
    found: set[object] = set(function.returns)
    for statement in walk(function.body):
        found.update(operands(statement))
        for ends_ in yields(statement):
            found.update(ends_)
    for statement in walk(function.body):
        for c in getattr(statement, "carried", ()):
            if c.result in found:
                found.add(c.inner)
    return frozenset(v for v in found if isinstance(v, Value))


def _quoted_returns(function: Function, context: Context, printer: BlockPrinter,
                    start: int) -> list[ast.stmt]:
    """The lines of what is folded into the return line."""
    late: dict[Let, None] = {}

    def visit(atom: Atom) -> None:
        let = context.folded.get(atom) if isinstance(atom, Value) else None
        if let is not None:
            late[let] = None
            for inner in let.args:
                visit(inner)

    for atom in function.returns:
        visit(atom)
    return [line for statement in function.body[start:]
            if isinstance(statement, Let) and statement in late
            for line in printer.quote(statement.origin)]


def _return(function: Function, context: Context, structure: Tree) -> ast.stmt:
    if not context.compiled:
        return ast.Return(_tree(structure, function.returns, context))
    leaves = [context.atom(r) for r in function.returns]
    if context.failures:
        zeros: list[ast.expr] = [ast.Constant(0) for _ in range(context.failures.integers + 1)]
        zeros += [ast.Constant(0.0) for _ in range(context.failures.floats)]
        return ast.Return(syntax.sequence([*zeros, *leaves]))
    return ast.Return(leaves[0] if len(leaves) == 1 else syntax.sequence(leaves))


def _tree(tree: Tree, leaves: Sequence[Atom], context: Context) -> ast.expr:
    match tree:
        case Leaf(position=position):
            return context.atom(leaves[position])
        case Fixed(value=value):
            return _fixed(value, context)
        case Node(kind=kind, children=children, keys=keys):
            items = [_tree(child, leaves, context) for child in children]
            if kind == "dict":
                return ast.Dict([_fixed(key, context) for key in keys], items)
            return ast.List(items, ast.Load()) if kind == "list" else syntax.sequence(items)


def _fixed(value: object, context: Context) -> ast.expr:
    if isinstance(value, bool | int | float | complex):
        special = isinstance(value, float | complex)
        return syntax.literal(value, context.np if special and value - value != 0 else "")
    if value is None or isinstance(value, str | bytes):
        return ast.Constant(value)
    if isinstance(value, tuple):
        return syntax.sequence([_fixed(item, context) for item in value])
    raise Unsupported(f"a result that is {value!r} cannot be written as source",
                      "return numbers, arrays, strings, None, and tuples, lists or dicts of them")


def _imports(context: Context) -> list[ast.stmt]:
    lines: list[ast.stmt] = []
    for module in ("math", "numpy"):
        if module in context.imported:
            alias = context.aliases[module]
            lines.append(ast.Import([ast.alias(module, None if alias == module else alias)]))
    if "prange" in context.imported:
        alias = context.aliases["prange"]
        lines.append(ast.ImportFrom("numba", [ast.alias(
            "prange", None if alias == "prange" else alias)], 0))
    special = [f for f in _FROM_SCIPY if f in context.imported]
    if special:
        lines.append(ast.ImportFrom("scipy.special", [ast.alias(
            f, None if context.aliases[f] == f else context.aliases[f]) for f in special], 0))
    for exception in context.exceptions:
        lines.append(ast.ImportFrom(exception.__module__, [ast.alias(exception.__name__, None)],
                                    0))
    return lines + foreign_imports(context)
