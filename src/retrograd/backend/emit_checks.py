"""Raising, checking and printing: exceptions for NumPy source, a status for compiled source."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_context import Context
from retrograd.backend.status import Message, message_atoms, payload_kind
from retrograd.errors import Unsupported
from retrograd.ir import draws
from retrograd.ir.effects import exception_of, message_of
from retrograd.ir.nodes import Atom, Constant, Effect, Raise
from retrograd.ir.types import Array, Scalar, Type, is_integer


def failure(context: Context, raised: Raise | Effect, results: Sequence[Type]) -> list[ast.stmt]:
    """The statement that ends the function with this failure."""
    exception, message = (raised.exception, raised.message) if isinstance(raised, Raise) \
        else (exception_of(raised), message_of(raised))
    if context.compiled:
        return [_status(context, exception, message, results)]
    return [ast.Raise(syntax.call(_exception(context, exception), *_text(context, message)), None)]


def _exception(context: Context, exception: type[BaseException]) -> ast.expr:
    if exception.__module__ == "builtins":
        return syntax.name(exception.__name__)
    if exception.__module__.startswith("numpy"):
        return context.numpy(exception.__module__.rpartition(".")[2], exception.__name__)
    context.exceptions[exception] = None
    return syntax.name(exception.__name__)


def _text(context: Context, message: Message) -> list[ast.expr]:
    """The message: one string, formatted with `%` where it has values."""
    atoms = message_atoms(message)
    if not atoms:
        return [syntax.text("".join(map(str, message)))] if message else []
    parts = [part.replace("%", "%%") if isinstance(part, str)
             else "%d" if is_integer(part.type) else "%s" for part in message]
    values = [context.atom(a) for a in atoms]
    return [syntax.binary("remainder", syntax.text("".join(parts)), syntax.sequence(values))]


def _status(context: Context, exception: type[BaseException], message: Message,
            results: Sequence[Type]) -> ast.stmt:
    """return (number, ints, floats, results that nobody reads)"""
    failures = context.failures
    number = failures.number(exception, message)
    payload: dict[str, list[ast.expr]] = {"i": [], "f": []}
    for atom in message_atoms(message):
        letter = payload_kind(atom)
        if letter == "c":
            parts = (syntax.attribute(context.atom(atom), part) for part in ("real", "imag"))
            payload["f"] += [context.converted(part, "float64") for part in parts]
        else:
            payload[letter].append(
                _widened(context, atom, "int64" if letter == "i" else "float64"))
    integers = payload["i"] + [ast.Constant(0)] * (failures.integers - len(payload["i"]))
    floats = payload["f"] + [ast.Constant(0.0)] * (failures.floats - len(payload["f"]))
    return ast.Return(syntax.sequence(
        [ast.Constant(number), *integers, *floats, *unread(context, results)]))


_MANY = 6                   # returns of failures of which each has arrays of its own


def _widened(context: Context, atom: Atom, dtype: str) -> ast.expr:
    node = context.atom(atom)
    return node if atom.type.dtype == dtype else context.converted(node, dtype)


def unread(context: Context, results: Sequence[Type]) -> list[ast.expr]:
    """Results for a return that reports a failure."""
    return [_default(context, type) for type in results]


def _default(context: Context, type: Type) -> ast.expr:
    """Something of the type of a result, for a return that reports a failure."""
    if isinstance(type, Scalar):
        zero = {"b": False, "i": 0, "f": 0.0, "c": 0j}[type.dtype[0]]
        return context.constant(Constant(zero, Scalar(type.dtype)))
    if context.checks < _MANY:
        return _nothing(context, type)
    kind = Array(type.dtype, (None,) * type.rank)
    if kind not in context.nothing:
        context.nothing[kind] = context.fresh("nothing")
    return syntax.name(context.nothing[kind])


def _nothing(context: Context, type: Type) -> ast.expr:
    shape = syntax.sequence([ast.Constant(0) for _ in range(type.rank)]) if type.rank != 1 \
        else ast.Constant(0)
    return context.numpy_call("empty", shape, context.dtype(type.dtype))


def shared_nothing(context: Context) -> list[ast.stmt]:
    """The empty arrays that many failing returns give: Numba needs long to compile each."""
    return [syntax.assign(syntax.target(name), _nothing(context, kind))
            for kind, name in context.nothing.items()]


def effect(context: Context, effect: Effect, results: Sequence[Type]) -> list[ast.stmt]:
    if effect.kind == "print":
        return [_print(context, effect)]
    if not context.compiled and effect.static.get("covers") in context.covered:
        return []                       # NumPy raises the same
    fail = failure(context, effect, results)
    if effect.kind == "check_bounds":
        return _check_bounds(context, effect, results)
    return [syntax.branch(_fails(context, effect), fail, [])]


def draw(context: Context, effect: Effect) -> ast.expr:
    """`rng.standard_normal((n, m))`"""
    generator, bounds, shape = draws.parts(effect)
    args = [context.bare(a) for a in bounds]
    if shape is not None:
        args.append(context.bare(shape[0]) if len(shape) == 1
                    else syntax.sequence([context.bare(a) for a in shape]))
    method = syntax.attribute(context.atom(generator), effect.static["method"])
    keywords: dict[str, ast.expr] = {"endpoint": ast.Constant(True)} \
        if effect.static["endpoint"] else {}
    return syntax.call(method, *args, **keywords)


def _fails(context: Context, effect: Effect) -> ast.expr:
    args = effect.args
    if effect.kind == "check_equal":
        return syntax.compare("not_equal", context.atom(args[0]), context.atom(args[1]))
    if effect.kind == "check_divisor":
        return syntax.compare("equal", context.atom(args[0]), ast.Constant(0))
    low = ast.Constant(0) if args[0] in context.nonnegative else None
    return syntax.inverted(_within(context.atom(args[0]), context, args[1], low))


def _within(index: ast.expr, context: Context, extent: Atom,
            low: ast.expr | None = None) -> ast.expr:
    """-n <= i < n, or 0 <= i < n for what will be taken as unsigned"""
    return ast.Compare(low or syntax.negated(context.atom(extent)), [ast.LtE(), ast.Lt()],
                       [index, context.atom(extent)])


def _check_bounds(context: Context, effect: Effect, results: Sequence[Type]) -> list[ast.stmt]:
    indices, extent = effect.args
    if context.compiled:
        return _check_each(context, effect, results)

    def outside() -> ast.expr:
        return syntax.binary(
            "bitwise_or",
            syntax.compare("less", context.atom(indices), syntax.negated(context.atom(extent))),
            syntax.compare("greater_equal", context.atom(indices), context.atom(extent)))

    first = syntax.subscripted(syntax.subscripted(context.atom(indices), outside()),
                               ast.Constant(0))
    text = syntax.text(f"index %d is out of bounds for axis {effect.static['axis']} with size %d")
    message = syntax.binary("remainder", text, syntax.sequence([first, context.atom(extent)]))
    fail = ast.Raise(syntax.call("IndexError", message), None)
    return [syntax.branch(context.numpy_call("any", outside()), [fail], [])]


def _check_each(context: Context, effect: Effect, results: Sequence[Type]) -> list[ast.stmt]:
    """A loop over the indices that returns the first one outside."""
    indices, extent = effect.args
    rank = indices.type.rank
    counters = [context.fresh("k") for _ in range(rank)]
    items = [syntax.name(k) for k in counters]
    element = syntax.subscripted(context.atom(indices),
                                 items[0] if rank == 1 else syntax.sequence(items))
    checked = context.fresh("index")
    number = context.failures.number(exception_of(effect), message_of(effect))
    values: list[ast.expr] = [syntax.name(checked), context.atom(extent)]
    values += [ast.Constant(0)] * (context.failures.integers - 2)
    values += [ast.Constant(0.0)] * context.failures.floats
    values += unread(context, results)
    body: list[ast.stmt] = [
        syntax.assign(syntax.target(checked), element),
        syntax.branch(syntax.inverted(_within(syntax.name(checked), context, extent)),
                      [ast.Return(syntax.sequence([ast.Constant(number), *values]))], [])]
    for axis in reversed(range(rank)):
        stop = syntax.subscripted(syntax.attribute(context.atom(indices), "shape"),
                                  ast.Constant(axis))
        body = [syntax.counting(counters[axis], stop, body)]
    return body


def _print(context: Context, effect: Effect) -> ast.stmt:
    sep, end = effect.static.get("sep", " "), effect.static.get("end", "\n")
    parts = [syntax.text(p) if isinstance(p, str) else context.atom(effect.args[p])
             for p in effect.static["parts"]]
    keywords = {}
    if sep != " ":
        keywords["sep"] = syntax.text(sep)
    if end != "\n":
        keywords["end"] = syntax.text(end)
    if context.compiled and keywords:
        raise Unsupported("compiled code cannot print with `sep` or `end`",
                          "print without them, or use jit=False", effect.origin)
    return ast.Expr(syntax.call("print", *parts, **keywords))
