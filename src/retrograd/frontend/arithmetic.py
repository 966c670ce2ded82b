"""Operators on numbers, arrays and static containers, with Python's rules for ints and bools."""

from __future__ import annotations

import ast

import numpy as np

from retrograd.frontend import calls, cells, complex_numbers, lists, objects
from retrograd.frontend.atoms import need_atom
from retrograd.frontend.certain import certain
from retrograd.frontend.things import Grown, Items, Static, Thing, as_tuple, atom_of, thing_of
from retrograd.frontend.tracer import Tracer, constant_of, known
from retrograd.ir.nodes import Atom, Constant, Effect, integer
from retrograd.ir.types import FLOAT, Array, Scalar, is_integer

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
    ast.FloorDiv: "floor_divide", ast.Mod: "remainder", ast.Pow: "power",
    ast.BitAnd: "bitwise_and", ast.BitOr: "bitwise_or", ast.BitXor: "bitwise_xor",
    ast.LShift: "left_shift", ast.RShift: "right_shift",
}
METHODS: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv",
    ast.Mod: "mod", ast.Pow: "pow", ast.MatMult: "matmul", ast.BitAnd: "and", ast.BitOr: "or",
    ast.BitXor: "xor", ast.LShift: "lshift", ast.RShift: "rshift",
}


def binary(tracer: Tracer, op: ast.operator, left: Thing, right: Thing) -> Thing:
    """`left op right` for numbers, arrays and static containers."""
    operated = objects.operated(tracer, METHODS[type(op)], left, right)
    if operated is not None:
        return operated
    if isinstance(op, ast.MatMult):
        return calls.call(tracer, Static(np.matmul), (left, right), {})
    left, right = _operand(tracer, left), _operand(tracer, right)
    if isinstance(left, Grown) or isinstance(right, Grown):
        found = lists.binary(tracer, op, left, right)
        if found is not None:
            return found
    static = _static_binary(op, left, right)
    if static is not None:
        return cells.made(tracer, static)
    if tracer.frame.user and (isinstance(left, Items) or isinstance(right, Items)):
        repeated = _container_operands(tracer, op, left, right)
        if repeated is not None:
            return repeated
    name = BINARY[type(op)]
    a, b = need_atom(tracer, left), need_atom(tracer, right)
    return thing_of(arithmetic(tracer, name, a, b))


def augmented(tracer: Tracer, op: ast.operator, left: Thing, right: Thing) -> Thing:
    """What `left op= right` binds, where left is no array and no list."""
    found = objects.augmented(tracer, METHODS[type(op)], left, right)
    return binary(tracer, op, left, right) if found is None else found


def _operand(tracer: Tracer, thing: Thing) -> Thing:
    """What an operator sees of a container; of an object it sees none."""
    thing = cells.opened(tracer, thing)
    if not isinstance(thing, Items):
        return thing
    thing = as_tuple(thing)
    if isinstance(thing.kind, type):
        tracer.refuse(f"arithmetic with a {thing.kind.__name__} is not defined",
                      "use its attributes, or give the class the method")
    return thing


def _container_operands(tracer: Tracer, op: ast.operator, left: Thing, right: Thing,
                        ) -> Thing | None:
    """A container becomes an array where NumPy meets it, and nowhere else."""
    for items, other in ((left, right), (right, left)):
        found = atom_of(other)
        if found is None or not isinstance(items, Items):
            continue
        if isinstance(op, ast.Mult) and isinstance(found.type, Scalar) and is_integer(found.type):
            if items.kind == "list" and len(items.items) == 1:
                return lists.repeated(tracer, items.items[0], found)
            tracer.need_static(found, f"how often a {items.kind} is repeated")
        if isinstance(found.type, Array) or not found.type.weak:
            return None
    tracer.refuse("arithmetic with a tuple, a list or a dict is not supported",
                  "make an array of it: np.array(...)")


def _static_binary(op: ast.operator, left: Thing, right: Thing) -> Thing | None:
    """Tuples, lists and strings are joined and repeated while compiling."""
    if isinstance(left, Items) and isinstance(right, Items) and isinstance(op, ast.Add) and (
            left.kind == right.kind != "dict"):
        return Items(left.kind, left.items + right.items)
    if isinstance(left, Items) and isinstance(right, Items) and isinstance(op, ast.BitOr) and (
            left.kind == right.kind == "dict"):
        both = dict(zip((*left.keys, *right.keys), (*left.items, *right.items), strict=True))
        return Items("dict", tuple(both.values()), tuple(both))
    if isinstance(op, ast.Mult):
        for items, count in ((left, right), (right, left)):
            if (isinstance(items, Items) and isinstance(count, Constant) and items.kind != "dict"
                    and is_integer(count.type)):
                return Items(items.kind, items.items * int(count.value.real))
    if isinstance(left, Static) and isinstance(left.value, str):
        ok, value = known(right)
        if ok and isinstance(op, ast.Add):
            return Static(left.value + value)
        if ok and isinstance(op, ast.Mod):
            return Static(left.value % value)
    return None


_INTEGRAL = ("bool", "int32", "int64")


def arithmetic(tracer: Tracer, name: str, a: Atom, b: Atom) -> Atom:
    """One binary operator, with Python's rules for ints."""
    builder = tracer.builder
    complex_numbers.check(tracer, name, (a, b))
    integers = a.type.dtype in _INTEGRAL and b.type.dtype in _INTEGRAL
    scalars = isinstance(a.type, Scalar) and isinstance(b.type, Scalar)
    if a.type.dtype == b.type.dtype == "bool":
        a, b = _bools(tracer, name, a, b)
    if not integers:
        return builder.let(name, a, b)
    if name == "divide":
        return _true_divide(tracer, a, b)
    if name in ("floor_divide", "remainder") and scalars:
        return _integer_division(tracer, name, a, b)
    if name == "power":
        return _integer_power(tracer, a, b)
    return builder.let(name, a, b)


def _bools(tracer: Tracer, name: str, a: Atom, b: Atom) -> tuple[Atom, Atom]:
    """Python's bools are ints in arithmetic; NumPy's are not, and cannot be subtracted."""
    python = all(isinstance(x.type, Scalar) and x.type.weak for x in (a, b))
    if name == "subtract" and not python:
        raise certain(TypeError)(
            "numpy boolean subtract, the `-` operator, is not supported, use the "
            "bitwise_xor, the `^` operator, or the logical_xor function instead.")
    if name in ("add", "multiply", "subtract") and python:
        return tracer.builder.cast(a, "int64"), tracer.builder.cast(b, "int64")
    return a, b


def _true_divide(tracer: Tracer, a: Atom, b: Atom) -> Atom:
    """int / int is a float division: dividing by 0 gives inf or nan as everywhere."""
    if isinstance(a, Constant) and isinstance(b, Constant) and b.value and a.type.weak:
        return constant_of(a.value.real / b.value.real)
    weak = all(isinstance(x.type, Scalar) and x.type.weak for x in (a, b))
    if isinstance(a.type, Scalar) and isinstance(b.type, Scalar):
        a = as_float(tracer, a, weak)
    return tracer.builder.let("divide", a, b)


def as_float(tracer: Tracer, a: Atom, weak: bool) -> Atom:
    """The float with the value of an int scalar."""
    if isinstance(a, Constant):
        return Constant(float(a.value.real), FLOAT if weak else Scalar("float64"))
    return tracer.builder.let("cast", a, dtype="float64", weak=weak)


def _integer_division(tracer: Tracer, name: str, a: Atom, b: Atom) -> Atom:
    if isinstance(b, Constant) and not b.value:
        message = "integer division or modulo by zero" if name == "floor_divide" \
            else "integer modulo by zero"
        raise certain(ZeroDivisionError)(message)
    if not isinstance(b, Constant):
        tracer.builder.append(Effect("check_divisor", (b,), {"op": name}, tracer.builder.origin))
    return tracer.builder.let(name, a, b)


def _integer_power(tracer: Tracer, a: Atom, b: Atom) -> Atom:
    if isinstance(b, Constant) and b.value.real < 0:
        if isinstance(a.type, Array):
            raise certain(ValueError)("Integers to negative integer powers are not allowed.")
        return tracer.builder.let("power", as_float(tracer, a, True), b)
    if not isinstance(b, Constant) and isinstance(a.type, Scalar):
        tracer.refuse("an int to the power of an int that is not known may be an int or a float",
                      "make the base a float: float(a) ** b")
    return tracer.builder.let("power", a, b)


def bool_negation(tracer: Tracer, value: Atom) -> Atom:
    if isinstance(value.type, Array) or not value.type.weak:
        raise certain(TypeError)(
            "The numpy boolean negative, the `-` operator, is not supported, use the "
            "`~` operator or the logical_not function instead.")
    if isinstance(value, Constant):
        return integer(int(value.value.real))
    return tracer.builder.cast(value, "int64")
