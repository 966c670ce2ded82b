"""Elementwise operations as Python expressions, for NumPy and for Numba.

Where NumPy and Numba (or Python's own numbers) promote differently from the IR, the dtype is
spelled out. Tests run every operation on every dtype in both dialects against the interpreter.
"""

from __future__ import annotations

import ast

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_context import Context, is_array
from retrograd.ir.nodes import Atom, Constant, Let, Value, zero
from retrograd.ir.operations import OPERATIONS
from retrograd.ir.types import Scalar, Type, kind, promote, strong_promotion
from retrograd.program import Helper

_SPECIAL_FUNCTIONS = {"erf": "erf", "erfc": "erfc", "gammaln": "lgamma"}
# Between bools NumPy's arithmetic is logic.
_LOGIC: dict[str, type[ast.boolop]] = {
    "add": ast.Or, "multiply": ast.And, "maximum": ast.Or, "minimum": ast.And,
    "fmax": ast.Or, "fmin": ast.And, "logical_and": ast.And, "logical_or": ast.Or,
    "bitwise_and": ast.And, "bitwise_or": ast.Or,
}
_ROUNDING = frozenset({"floor", "ceil", "trunc"})
# What NumPy takes Python's numbers for where nothing else is there.
_PYTHONS = {"float32": "float64", "int32": "int64", "complex64": "complex128"}
# Python numbers raise, or leave the reals, where NumPy gives inf or nan.
_RAISES_IN_PYTHON = frozenset({"divide", "floor_divide", "remainder", "power"})
_PREDICATES = frozenset({"isnan", "isinf", "isfinite", "signbit"})


def elementwise(context: Context, let: Let) -> ast.expr:
    if let.op == "cast":
        return _cast(context, let)
    return _compiled(context, let) if context.compiled and not is_array(let.result) \
        else _readable(context, let)


# --- NumPy ---------------------------------------------------------------------------------------


def _readable(context: Context, let: Let) -> ast.expr:
    args = _operands(context, let)
    scalar = not any(map(is_array, let.args))
    if let.op == "where":
        return _where(context, let, args, scalar)
    if all(a.type.dtype == "bool" for a in let.args):
        logic = _bool_operation(context, let, args, scalar)
        if logic is not None:
            return logic
    if let.op in _SPECIAL_FUNCTIONS:
        return syntax.call(context.alias(let.op), *args)
    if let.op == "absolute":
        return syntax.call("abs", *args) if scalar else context.numpy_call("abs", *args)
    operator = "add" if let.op == "accumulate" else let.op
    if operator in syntax.BINARY and not _python_raises(context, let):
        return syntax.binary(operator, args[0], _exponent(let) or args[1])
    if let.op in syntax.COMPARE:
        return syntax.compare(let.op, *args)
    if let.op == "negative":
        return syntax.negated(args[0])
    if let.op in ("real", "imag"):
        part = syntax.attribute(args[0], let.op)
        # a view of the complex array: nothing may write through it
        return part if scalar else syntax.call(syntax.attribute(part, "copy"))
    return context.numpy_call(let.op, *args)


def _operands(context: Context, let: Let) -> list[ast.expr]:
    """The operands, with dtypes spelled out where NumPy would promote differently."""
    first = 1 if let.op == "where" else 0
    values = let.args[first:]
    test = [context.atom(a) for a in let.args[:first]]
    if _bools_to_floats(let):
        return [_as_dtype(context, a, "float64") for a in values]
    printed = promote(_printed_type(context, a) for a in values)[0]
    typed = printed != strong_promotion(a.type for a in values)
    return [*test, *(context.atom(a, typed=True) if typed else read(context, a) for a in values)]


def read(context: Context, atom: Atom) -> ast.expr:
    """An operand of what makes a new array: the real part of an array need not be a copy."""
    let = context.folded.get(atom) if isinstance(atom, Value) else None
    if let is not None and let.op in ("real", "imag") and not context.compiled:
        return syntax.attribute(context.atom(let.args[0]), let.op)
    return context.bare(atom)


def _printed_type(context: Context, atom: Atom) -> Type:
    if is_array(atom):
        return atom.type
    if isinstance(atom, Constant) or atom in context.python_numbers:
        return Scalar(_PYTHONS.get(atom.type.dtype, atom.type.dtype), weak=True)
    return Scalar(atom.type.dtype)


def _bools_to_floats(let: Let) -> bool:
    """NumPy computes `exp(True)` in half precision."""
    return kind(let.result.type.dtype) == "f" and all(a.type.dtype == "bool" for a in let.args)


def _as_dtype(context: Context, atom: Atom, dtype: str) -> ast.expr:
    if is_array(atom):
        return syntax.call(syntax.attribute(read(context, atom), "astype"), context.dtype(dtype))
    return context.converted(context.atom(atom), dtype)


def _bool_operation(context: Context, let: Let, args: list[ast.expr],
                    scalar: bool) -> ast.expr | None:
    if let.op in ("logical_not", "invert"):
        if scalar:
            return syntax.inverted(args[0])
        return ast.UnaryOp(ast.Invert(), args[0])
    if let.op in _LOGIC:
        if scalar:
            return syntax.both(_LOGIC[let.op], *args)
        return syntax.binary("bitwise_or" if _LOGIC[let.op] is ast.Or else "bitwise_and", *args)
    return None


def _python_raises(context: Context, let: Let) -> bool:
    """Whether both operands may be Python numbers in an operation that is not safe for them."""
    if let.op not in _RAISES_IN_PYTHON:
        return False
    if not all(isinstance(a, Constant) or a in context.python_numbers for a in let.args):
        return False
    return not _safe(let)


def _safe(let: Let) -> bool:
    second = let.args[1]
    if let.op == "power":
        return let.result.type.dtype == "int64" and isinstance(second, Constant) \
            and second.value.real >= 0
    # an int divisor has been checked
    return let.result.type.dtype == "int64" or (isinstance(second, Constant)
                                                and second.value != 0)


def _exponent(let: Let) -> ast.expr | None:
    """`x ** 2`, not `x ** 2.0`."""
    exponent = let.args[1]
    if let.op != "power" or not isinstance(exponent, Constant) or kind(
            let.args[0].type.dtype) not in "fc" or not isinstance(exponent.value, int | float):
        return None
    whole = abs(exponent.value) <= 16 and exponent.value == int(exponent.value)
    return syntax.integer(int(exponent.value)) if whole else None


def _where(context: Context, let: Let, args: list[ast.expr], scalar: bool) -> ast.expr:
    if not scalar:
        return context.numpy_call("where", *args)
    dtype = let.result.type.dtype
    values = [node if atom.type.dtype == dtype else context.converted(node, dtype)
              for node, atom in zip(args[1:], let.args[1:], strict=True)]
    return syntax.chosen(args[0], *values)


def _cast(context: Context, let: Let) -> ast.expr:
    atom, dtype = let.args[0], let.static["dtype"]
    if atom.type.dtype == dtype and not is_array(atom):
        return context.atom(atom)
    return _as_dtype(context, atom, dtype)


# --- Numba ---------------------------------------------------------------------------------------


def _compiled(context: Context, let: Let) -> ast.expr:
    """Scalars only. Operands of functions get the result's dtype first, because Numba computes
    `hypot(float32, int64)` in single precision and NumPy in double."""
    dtype = let.result.type.dtype
    if let.op in syntax.COMPARE:
        return syntax.compare(let.op, *map(context.atom, let.args))
    if let.op == "where":
        return _where(context, let, [_truth(context, let.args[0]),
                                     *map(context.atom, let.args[1:])], scalar=True)
    if let.op == "logical_not" or (let.op == "invert" and dtype == "bool"):
        return syntax.inverted(context.atom(let.args[0]))
    if let.op in _LOGIC and dtype == "bool":
        return syntax.both(_LOGIC[let.op], *(_truth(context, a) for a in let.args))
    node = _compiled_value(context, let, dtype)
    return context.converted(node, dtype) if dtype == "int32" else node


def _truth(context: Context, atom: Atom) -> ast.expr:
    node = context.atom(atom)
    if atom.type.dtype == "bool":
        return node
    return syntax.compare("not_equal", node, ast.Constant(0))


def _compiled_value(context: Context, let: Let, dtype: str) -> ast.expr:
    op, args = let.op, let.args
    if op in _PREDICATES:
        return context.numpy_call(op, *map(context.atom, args))
    if op == "accumulate":
        return syntax.call(_accumulate(context), *map(context.atom, args))
    if op == "power":
        base = _promoted(context, args[0], dtype)
        return syntax.binary(op, base, _exponent(let) or _promoted(context, args[1], dtype))
    if op == "divide" and kind(dtype) == "c":          # Numba's operator raises for a divisor of 0
        return context.numpy_call(op, *(_promoted(context, a, dtype) for a in args))
    if op in syntax.BINARY:
        return syntax.binary(op, *map(context.atom, args))
    if op == "negative":
        return syntax.negated(context.atom(args[0]))
    if op in ("real", "imag", "conjugate"):
        return _complex_part(context, let)
    return _compiled_call(context, let, dtype)


def _accumulate(context: Context) -> str:
    """The name of a function that adds and lets LLVM change the order of its sums: only in these
    sums, for the permission would reach the user's own arithmetic if the whole function had it."""
    for helper in context.helpers:
        if helper.reassociate:
            return helper.name
    helper = Helper(context.fresh("accumulate"), reassociate=True)
    old, new = "total", "term"
    context.helpers[helper] = syntax.function(helper.name, (old, new), [
        ast.Return(syntax.binary("add", syntax.name(old), syntax.name(new)))])
    return helper.name


def _compiled_call(context: Context, let: Let, dtype: str) -> ast.expr:
    op = let.op
    args = [_promoted(context, a, dtype) if op != "absolute" else context.atom(a)
            for a in let.args]
    if op in _SPECIAL_FUNCTIONS:
        function = syntax.attribute(context.alias("math"), _SPECIAL_FUNCTIONS[op])
        return syntax.call(function, *args)
    if op == "absolute":
        return args[0] if dtype == "bool" else syntax.call("abs", *args)
    if kind(dtype) in "bi" and op in _ROUNDING:
        return args[0]
    if kind(dtype) == "i" and op == "fmod":
        return _int_fmod(context, let)
    return context.numpy_call(op, *args)


def _int_fmod(context: Context, let: Let) -> ast.expr:
    """Numba's `fmod` of ints has the sign of the divisor, C's that of the dividend."""
    first, second = let.args
    size = syntax.binary("remainder", syntax.call("abs", context.atom(first)),
                         syntax.call("abs", context.atom(second)))
    return syntax.binary("multiply", context.numpy_call("sign", context.atom(first)), size)


def _promoted(context: Context, atom: Atom, dtype: str) -> ast.expr:
    if atom.type.dtype == dtype:
        return context.atom(atom)
    return context.converted(context.atom(atom), dtype)


def _complex_part(context: Context, let: Let) -> ast.expr:
    node = context.atom(let.args[0])
    if kind(let.args[0].type.dtype) == "c":
        return context.numpy_call("conj", node) if let.op == "conjugate" \
            else syntax.attribute(node, let.op)
    if let.op == "imag":
        return context.constant(zero(Scalar(let.result.type.dtype)))
    return node


ALL = frozenset(name for name, op in OPERATIONS.table.items()
                if op.family == "elementwise" and name != "strong")    # expanded before
