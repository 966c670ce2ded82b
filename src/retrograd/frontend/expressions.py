"""Expressions: from syntax and things to values of the IR."""

from __future__ import annotations

import ast
import cmath
import math
from collections.abc import Callable
from types import MethodType, ModuleType
from typing import Any

import numpy as np

from retrograd.frontend import (
    branches,
    calls,
    cells,
    complex_numbers,
    comprehensions,
    indexing,
    iteration,
    lists,
    objects,
)
from retrograd.frontend.arithmetic import binary, bool_negation
from retrograd.frontend.atoms import need_atom
from retrograd.frontend.binding import bind, named
from retrograd.frontend.liveness import reads
from retrograd.frontend.things import (
    Cell,
    Closure,
    Grown,
    Handle,
    Items,
    Method,
    Static,
    Thing,
    atom_of,
    thing_of,
)
from retrograd.frontend.tracer import Tracer, constant_of, known, static_thing
from retrograd.ir.nodes import Atom, Constant
from retrograd.ir.types import Scalar
from retrograd.places import ATTRIBUTE, Place

COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "equal", ast.NotEq: "not_equal", ast.Lt: "less", ast.LtE: "less_equal",
    ast.Gt: "greater", ast.GtE: "greater_equal",
}
_LIMIT = 2**63


def evaluate(tracer: Tracer, node: ast.expr) -> Thing:
    """The thing that an expression stands for; appends what computes it."""
    handler = _HANDLERS.get(type(node))
    if handler is None:
        tracer.refuse(f"{type(node).__name__} expressions are not supported",
                      "write it with arithmetic, NumPy calls and statements", node)
    with tracer.visiting(node):
        return handler(tracer, node)


def atom(tracer: Tracer, node: ast.expr) -> Atom:
    """The number or array that an expression stands for."""
    return need_atom(tracer, evaluate(tracer, node), node)


# --- names and constants -----------------------------------------------------------------------


def _constant(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.Constant)
    value = node.value
    if isinstance(value, (bool, int, float, complex)):
        if isinstance(value, int) and not -_LIMIT <= value < _LIMIT:
            tracer.refuse(f"the constant {value} does not fit in 64 bits", "write it as a float")
        return constant_of(value)
    return Static(value)


def _name(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.Name)
    return tracer.lookup(node.id)


def _attribute(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.Attribute)
    return attribute(tracer, evaluate(tracer, node.value), node.attr)


def attribute(tracer: Tracer, owner: Thing, name: str) -> Thing:
    """`owner.name`."""
    if isinstance(owner, Static):
        return _static_attribute(tracer, owner.value, name)
    if atom_of(owner) is not None:
        return calls.array_attribute(tracer, owner, name)
    found = objects.content(tracer, owner)
    if found is not None:
        return objects.attribute(tracer, owner, found, name)
    return Method(owner, name)


def _static_attribute(tracer: Tracer, owner: Any, name: str) -> Thing:
    try:
        value = getattr(owner, name)
    except AttributeError:
        tracer.refuse(f"{getattr(owner, '__name__', owner)!r} has no attribute {name!r}",
                      "check the spelling")
    if isinstance(owner, (ModuleType, type)) and not tracer.frame.user:
        return static_thing(value)
    if owner in (math, cmath, np) and isinstance(value, (bool, int, float, complex)):
        return constant_of(value)
    if isinstance(owner, np.dtype):
        return static_thing(value)
    if isinstance(value, MethodType) and tracer.frame.user:       # a new one at every access
        holder = owner if value.__self__ is not owner or isinstance(owner, type) else type(owner)
        tracer.captured(Place(holder, ATTRIBUTE, name) if holder is not owner else Place(
            Place(owner, ATTRIBUTE, name), ATTRIBUTE, "__func__"), name)
        return Static(value)
    return tracer.captured(Place(owner, ATTRIBUTE, name), name)


# --- arithmetic --------------------------------------------------------------------------------


def _binary(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.BinOp)
    left, right = evaluate(tracer, node.left), evaluate(tracer, node.right)
    return binary(tracer, node.op, left, right)


def _unary(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.UnaryOp)
    if isinstance(node.op, ast.Not):
        test = branches.truth(tracer, evaluate(tracer, node.operand))
        return tracer.builder.let("logical_not", test)
    value = atom(tracer, node.operand)
    if isinstance(node.op, ast.USub):
        if value.type.dtype == "bool":
            value = bool_negation(tracer, value)
        if isinstance(value, Constant) and not isinstance(value.value, complex):
            return Constant(-value.value, value.type)
        return thing_of(tracer.builder.let("negative", value))
    if isinstance(node.op, ast.Invert):
        complex_numbers.check(tracer, "invert", (value,))
        if isinstance(value.type, Scalar) and value.type.weak and value.type.dtype == "bool":
            value = tracer.builder.cast(value, "int64")
        return thing_of(tracer.builder.let("invert", value))
    return thing_of(value)


# --- comparisons and conditions ----------------------------------------------------------------


def _compare(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.Compare)
    left = evaluate(tracer, node.left)
    if len(node.ops) == 1:
        return compare(tracer, node.ops[0], left, evaluate(tracer, node.comparators[0]))
    return branches.chained(tracer, left, node.ops, node.comparators)


def compare(tracer: Tracer, op: ast.cmpop, left: Thing, right: Thing) -> Thing:
    """One comparison; `is`, `in` and comparisons of static things are decided now."""
    if isinstance(op, (ast.Is, ast.IsNot)) and isinstance(left, Cell) and isinstance(right, Cell):
        return constant_of(lists.same(tracer, left, right) == isinstance(op, ast.Is))
    if isinstance(op, (ast.Is, ast.IsNot)) and isinstance(left, Items) and isinstance(right, Items):
        if left is not right:
            tracer.refuse("whether two tuples or objects are the same one is not known",
                          "compare what they are made of")
        return constant_of(isinstance(op, ast.Is))
    left, right = cells.frozen(tracer, left), cells.frozen(tracer, right)
    left_known, a = known(left)
    right_known, b = known(right)
    if isinstance(op, (ast.Is, ast.IsNot)):
        same = left_known and right_known and (a is b or (
            isinstance(a, (bool, type(None))) and type(a) is type(b) and a == b))
        return constant_of(same == isinstance(op, ast.Is))
    if left_known and right_known:
        return constant_of(bool(_PYTHON[type(op)](a, b)))
    if isinstance(op, (ast.In, ast.NotIn)):
        if left_known and isinstance(right, Items) and right.kind == "dict":
            return constant_of((a in right.keys) == isinstance(op, ast.In))
        tracer.refuse("`in` needs things that are known while compiling",
                      "compare with == inside a loop")
    if type(op) in (ast.Eq, ast.NotEq) and (_never_equal(left) or _never_equal(right)):
        return constant_of(isinstance(op, ast.NotEq))
    if tracer.frame.user and all(isinstance(t, (Items, Grown)) for t in (left, right)):
        tracer.refuse("containers of numbers are compared element by element",
                      "compare arrays with np.array_equal, or the elements themselves")
    first, second = need_atom(tracer, left), need_atom(tracer, right)
    complex_numbers.check(tracer, COMPARE[type(op)], (first, second))
    return thing_of(tracer.builder.let(COMPARE[type(op)], first, second))


def _never_equal(thing: Thing) -> bool:
    """Strings, None and functions equal no number."""
    return isinstance(thing, Static)


_PYTHON: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: lambda a, b: a == b, ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b, ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b, ast.GtE: lambda a, b: a >= b,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}


def _bool_op(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.BoolOp)
    return branches.short_circuit(tracer, isinstance(node.op, ast.And), node.values)


def _if_exp(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.IfExp)
    test = branches.truth(tracer, evaluate(tracer, node.test))
    return branches.choose(tracer, test, lambda t: evaluate(t, node.body),
                           lambda t: evaluate(t, node.orelse))


# --- containers --------------------------------------------------------------------------------


def _sequence(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, (ast.Tuple, ast.List))
    kind = "tuple" if isinstance(node, ast.Tuple) else "list"
    return cells.made(tracer, Items(kind, tuple(starred(tracer, node.elts))))


def starred(tracer: Tracer, nodes: list[ast.expr]) -> list[Thing]:
    """The things of a list of expressions, with `*items` spread."""
    result: list[Thing] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            items = iteration.spread(tracer, evaluate(tracer, node.value))
            if items is None:
                tracer.refuse("a starred expression must be a tuple or a list of known length",
                              "write its elements out, or loop over the array")
            result += items
        else:
            result.append(evaluate(tracer, node))
    return result


def _dict(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.Dict)
    found: dict[Any, Thing] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            more = cells.opened(tracer, evaluate(tracer, value))
            if not isinstance(more, Items) or more.kind != "dict":
                tracer.refuse("** needs a dict that is known while compiling", "name the keys",
                              node)
            found.update(zip(more.keys, more.items, strict=True))
            continue
        found[lists.key_of(tracer, evaluate(tracer, key))] = evaluate(tracer, value)
    return cells.made(tracer, Items("dict", tuple(found.values()), tuple(found)))


def _subscript(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.Subscript)
    owner = evaluate(tracer, node.value)
    getitem = objects.special_method(tracer, owner, "__getitem__")
    if getitem is not None:
        return getitem((evaluate(tracer, node.slice),))
    if isinstance(owner, (Items, Cell)):
        return lists.item(tracer, owner, node.slice)
    if isinstance(owner, Static) and isinstance(owner.value, str):
        ok, key = known(evaluate(tracer, node.slice))
        if ok:
            return Static(owner.value[key])
    if not isinstance(owner, Handle):
        tracer.refuse("only arrays, tuples, lists and dicts can be indexed", "index an array", node)
    return indexing.read(tracer, owner, node.slice)


def _slice(tracer: Tracer, node: ast.expr) -> Thing:
    """A slice of a container, whose bounds are known."""
    assert isinstance(node, ast.Slice)
    bounds = []
    for part in (node.lower, node.upper, node.step):
        ok, value = known(evaluate(tracer, part)) if part is not None else (True, None)
        if not ok:
            tracer.refuse("the bounds of a slice of a container must be known",
                          "slice an array instead", node)
        bounds.append(value)
    return Static(slice(*bounds))


def evaluate_named(tracer: Tracer, node: ast.expr, target: ast.expr) -> Thing:
    """The thing of an expression that is assigned to a target: where the expression just made
    the value, and the target is a name, the value bears that name."""
    if isinstance(node, ast.ListComp) and isinstance(target, ast.Name):
        return comprehensions.evaluated(tracer, node, target.id)
    before = len(tracer.builder.statements)
    thing = evaluate(tracer, node)
    if not isinstance(target, ast.Name) or len(tracer.builder.statements) == before:
        return thing
    return named(tracer, thing, target.id)


# --- functions ---------------------------------------------------------------------------------


def _call(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.Call)
    function = evaluate(tracer, node.func)
    args = starred(tracer, list(node.args))
    keywords: dict[str, Thing] = {}
    for keyword in node.keywords:
        value = evaluate(tracer, keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        elif isinstance(value := cells.opened(tracer, value), Items) and value.kind == "dict":
            keywords.update(zip(value.keys, value.items, strict=True))
        else:
            tracer.refuse("** needs a dict that is known while compiling", "name the keywords")
    return calls.call(tracer, function, tuple(args), keywords)


def _lambda(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.Lambda)
    return closure(tracer, node)


def closure(tracer: Tracer, node: ast.Lambda | ast.FunctionDef) -> Closure:
    """A function made inside the traced one; its defaults are evaluated now."""
    _refuse_passing(tracer, node)
    defaults = tuple(evaluate(tracer, d) for d in node.args.defaults)
    keyword_defaults = {
        arg.arg: evaluate(tracer, default)
        for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if default is not None}
    return Closure(node, tracer, defaults, keyword_defaults)


def _refuse_passing(tracer: Tracer, node: ast.Lambda | ast.FunctionDef) -> None:
    """A function that reads the variable of the comprehension that makes it reads its last value
    in Python: nobody wants that."""
    body = node.body if isinstance(node.body, list) else [node.body]
    own = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
    for name in sorted(frozenset().union(*map(reads, body)) & tracer.passing - own):
        tracer.refuse(f"this function reads {name!r} when it is called, and then {name!r} is the "
                      "comprehension's last one",
                      f"give it as a default: lambda ..., {name}={name}: ...", node)


def _named_expr(tracer: Tracer, node: ast.expr) -> Thing:
    assert isinstance(node, ast.NamedExpr)
    if not tracer.binds:
        tracer.refuse(f"`{node.target.id} := ...` is evaluated only sometimes",
                      "assign the name in a statement of its own", node)
    thing = evaluate(tracer, node.value)
    bind(tracer, node.target, thing)
    return thing


def _joined_str(tracer: Tracer, node: ast.expr) -> Thing:
    """An f-string: parts that messages and print put together when they are needed."""
    assert isinstance(node, ast.JoinedStr)
    parts: list[Thing] = []
    for piece in node.values:
        if isinstance(piece, ast.Constant):
            parts.append(Static(piece.value))
        elif isinstance(piece, ast.FormattedValue):
            parts.append(_formatted(tracer, piece))
    ok, values = known(Items("tuple", tuple(parts)))
    if ok:
        return Static("".join(str(v) for v in values))
    return Items("message", tuple(parts))


def _formatted(tracer: Tracer, node: ast.FormattedValue) -> Thing:
    """One `{...}` of an f-string: formatted now where it is known, else printed as `str` does."""
    thing = cells.frozen(tracer, evaluate(tracer, node.value))
    spec = Static("") if node.format_spec is None else evaluate(tracer, node.format_spec)
    ok, value = known(thing)
    if ok and isinstance(spec, Static):
        shown = {ord("r"): repr(value), ord("a"): ascii(value), ord("s"): str(value)}
        return Static(format(shown.get(node.conversion, value), spec.value))
    if spec != Static("") or node.conversion not in (-1, ord("s")):
        tracer.refuse("a format for a number that is not known while compiling is not supported",
                      "leave the format out: f\"{x}\"", node.value)
    return thing


_HANDLERS: dict[type[ast.expr], Callable[[Tracer, Any], Thing]] = {
    ast.Constant: _constant, ast.Name: _name, ast.Attribute: _attribute, ast.BinOp: _binary,
    ast.UnaryOp: _unary, ast.Compare: _compare, ast.BoolOp: _bool_op, ast.IfExp: _if_exp,
    ast.Tuple: _sequence, ast.List: _sequence, ast.Dict: _dict, ast.Subscript: _subscript,
    ast.Slice: _slice, ast.ListComp: comprehensions.evaluated,
    ast.GeneratorExp: comprehensions.evaluated, ast.DictComp: comprehensions.evaluated,
    ast.Call: _call, ast.Lambda: _lambda, ast.NamedExpr: _named_expr,
    ast.JoinedStr: _joined_str,
}
