"""Operations on whole arrays and their parts as Python expressions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.emit_context import Context, is_array
from retrograd.backend.emit_elementwise import elementwise, read
from retrograd.backend.emit_foreign import call
from retrograd.backend.emit_recurrence import recurrence
from retrograd.errors import InternalError
from retrograd.ir.index import FULL, Index, Slice, parts
from retrograd.ir.nodes import Atom, Constant, Let
from retrograd.ir.operations import family
from retrograd.ir.types import Array, strong_promotion


def expression(context: Context, let: Let) -> ast.expr:
    """A statement as the expression on its right side."""
    if let.op in _PRINTERS:
        return _PRINTERS[let.op](context, let)
    found = family(let.op)
    if found == "elementwise":
        return elementwise(context, let)
    if found == "reduction":
        return _reduction(context, let)
    if found == "library":
        return _library(context, let)
    raise InternalError(f"{let.op!r} has no expression")


# --- indices -------------------------------------------------------------------------------------


def subscript(context: Context, let: Let, atoms: Sequence[Atom]) -> ast.expr:
    """The index of a statement, between square brackets."""
    index: Index = let.static["index"]
    items = [_item(context, item, bounds) for item, bounds in parts(index, tuple(atoms))]
    if let.op != "load":
        while len(items) > 1 and index[len(items) - 1] == FULL:
            items.pop()
    array = let.result.type
    if let.op == "view" and array.rank == 0:
        items.append(ast.Constant(Ellipsis))       # a view of one element, not the element
    return items[0] if len(items) == 1 else syntax.sequence(items)


def _item(context: Context, item: str | Slice, bounds: tuple[Atom | None, ...]) -> ast.expr:
    if isinstance(item, Slice):
        low, high = (None if b is None else context.bare(b) for b in bounds)
        return ast.Slice(low, high, None if item.step == 1 else syntax.integer(item.step))
    if item == "new":
        return context.numpy("newaxis")
    assert bounds[0] is not None
    place = context.bare(bounds[0])
    return context.converted(place, "uint64") if bounds[0] in context.hidden else place


def _indexed(context: Context, let: Let) -> ast.expr:
    return syntax.subscripted(context.atom(let.args[0]), subscript(context, let, let.args[1:]))


# --- views ---------------------------------------------------------------------------------------


def _transpose(context: Context, let: Let) -> ast.expr:
    axes = let.static["axes"]
    array = context.atom(let.args[0])
    if tuple(axes) == tuple(reversed(range(len(axes)))):
        return syntax.attribute(array, "T")
    order = syntax.sequence([syntax.integer(a) for a in axes])
    return context.numpy_call("transpose", array, order)


def _reshape(context: Context, let: Let) -> ast.expr:
    shape = [context.bare(a) for a in let.args[1:]]
    source = let.args[0]
    if isinstance(source, Constant) or source in context.python_numbers:
        return context.numpy_call("reshape", context.atom(source, typed=True),
                                  syntax.sequence(shape))
    if not shape or context.compiled:
        shape = [shape[0] if len(shape) == 1 else syntax.sequence(shape)]
    return syntax.call(syntax.attribute(context.atom(let.args[0]), "reshape"), *shape)


def _broadcast_to(context: Context, let: Let) -> ast.expr:
    return context.numpy_call("broadcast_to", context.atom(let.args[0]),
                              syntax.sequence([context.bare(a) for a in let.args[1:]]))


def _diagonal(context: Context, let: Let) -> ast.expr:
    return context.numpy_call("diagonal", context.atom(let.args[0]))


def _dim(context: Context, let: Let) -> ast.expr:
    shape = syntax.attribute(context.atom(let.args[0]), "shape")
    return syntax.subscripted(shape, syntax.integer(let.static["axis"]))


# --- reductions, scans, contractions -------------------------------------------------------------


def _reduction(context: Context, let: Let) -> ast.expr:
    axes = let.static["axes"]
    array = read(context, let.args[0])
    rank = let.args[0].type.rank
    if axes is None or (let.op not in ("argmax", "argmin") and len(axes) == rank > 0):
        return context.numpy_call(let.op, array)
    if len(axes) == 1:
        return context.numpy_call(let.op, array, axis=syntax.integer(axes[0]))
    return context.numpy_call(let.op, array,
                              axis=syntax.sequence([syntax.integer(a) for a in axes]))


def _scan(context: Context, let: Let) -> ast.expr:
    array = context.atom(let.args[0])
    if let.args[0].type.rank == 1:
        return context.numpy_call(let.op, array)
    return context.numpy_call(let.op, array, axis=syntax.integer(let.static["axis"]))


def _matmul(context: Context, let: Let) -> ast.expr:
    left, right = (read(context, a) for a in let.args)
    return context.numpy_call("dot", left, right) if context.compiled \
        else syntax.binary("matmul", left, right)


def _einsum(context: Context, let: Let) -> ast.expr:
    return context.numpy_call("einsum", syntax.text(let.static["spec"]),
                              *map(context.atom, let.args))


def _argsort(context: Context, let: Let) -> ast.expr:
    """Numba's stable sort has the older name, and sorts arrays of rank 1 only."""
    if context.compiled:
        return context.numpy_call("argsort", context.atom(let.args[0]),
                                  kind=syntax.text("mergesort"))
    axis = let.static["axis"]
    last = axis == let.args[0].type.rank - 1
    keywords = {} if last else {"axis": syntax.integer(axis)}
    return context.numpy_call("argsort", context.atom(let.args[0]), **keywords,
                              kind=syntax.text("stable"))


def _searchsorted(context: Context, let: Let) -> ast.expr:
    side = let.static["side"]
    keywords = {} if side == "left" else {"side": syntax.text(side)}
    return context.numpy_call("searchsorted", *map(context.atom, let.args), **keywords)


def _library(context: Context, let: Let) -> ast.expr:
    args = [context.atom(a) for a in let.args]
    if let.op.startswith("slogdet"):
        pair = syntax.call(context.numpy("linalg", "slogdet"), *args)
        return syntax.subscripted(pair, syntax.integer(0 if let.op == "slogdet_sign" else 1))
    result = syntax.call(context.numpy("linalg", let.op), *args)
    if context.compiled and let.result.type.rank > 1:
        # Numba's LAPACK wrappers return Fortran order
        return context.numpy_call("ascontiguousarray", result)
    return result


# --- new arrays ----------------------------------------------------------------------------------


def shape_of(context: Context, atoms: Sequence[Atom]) -> ast.expr:
    """A shape as an argument: the number itself for one axis."""
    if len(atoms) == 1:
        return context.bare(atoms[0])
    return syntax.sequence([context.bare(a) for a in atoms])


def _dtype_unless(context: Context, let: Let, usual: str) -> list[ast.expr]:
    dtype = let.result.type.dtype
    return [] if dtype == usual else [context.dtype(dtype)]


def _filled(context: Context, let: Let) -> ast.expr:
    return context.numpy_call(let.op, shape_of(context, let.args),
                              *_dtype_unless(context, let, "float64"))


def _given(context: Context, let: Let) -> ast.expr:
    """`out if out.shape == (n,) else np.empty(n)`"""
    memory, *extents = let.args
    dims = syntax.sequence([context.bare(e) for e in extents])
    fits = syntax.compare("equal", syntax.attribute(context.atom(memory), "shape"), dims)
    made = context.numpy_call("empty", shape_of(context, extents),
                              *_dtype_unless(context, let, "float64"))
    return syntax.chosen(fits, context.atom(memory), made)


def _full(context: Context, let: Let) -> ast.expr:
    value = let.args[0]
    return context.numpy_call("full", shape_of(context, let.args[1:]), context.bare(value),
                              *_dtype_unless(context, let, value.type.dtype
                                             if value.type.dtype == "float64" else ""))


def _eye(context: Context, let: Let) -> ast.expr:
    rows, columns = let.args
    k = let.static["k"]
    args = [context.bare(rows)]
    if (columns is not rows and columns != rows) or k:
        args.append(context.bare(columns))
    if k:
        args.append(syntax.integer(k))
    dtype = _dtype_unless(context, let, "float64")
    keywords = {"dtype": dtype[0]} if dtype else {}
    return context.numpy_call("eye", *args, **keywords)


def _arange(context: Context, let: Let) -> ast.expr:
    start, stop, step = let.args
    args = [context.bare(stop)]
    unit = isinstance(step, Constant) and step.value == 1
    if not unit or not (isinstance(start, Constant) and start.value == 0):
        args.insert(0, context.bare(start))
    if not unit:
        args.append(context.bare(step))
    usual = strong_promotion(a.type for a in let.args)
    keywords = {} if let.result.type.dtype == usual in ("int64", "float64") \
        else {"dtype": context.dtype(let.result.type.dtype)}
    return context.numpy_call("arange", *args, **keywords)


def _array(context: Context, let: Let) -> ast.expr:
    dtype = let.result.type.dtype
    if not let.args:
        shape = syntax.sequence([syntax.integer(n) for n in let.static["shape"]])
        return context.numpy_call("empty", shape, *_dtype_unless(context, let, "float64"))
    items = _nested([context.bare(a) for a in let.args], let.static["shape"])
    same = all(a.type.dtype == dtype for a in let.args) and dtype == "float64"
    return context.numpy_call("array", items, *([] if same else [context.dtype(dtype)]))


def _nested(items: list[ast.expr], shape: Sequence[int]) -> ast.expr:
    if not shape:
        return items[0]
    size = len(items) // shape[0] if shape[0] else 0
    return ast.List([_nested(items[k * size:(k + 1) * size], shape[1:])
                     for k in range(shape[0])], ast.Load())


def _concatenate(context: Context, let: Let) -> ast.expr:
    axis = let.static["axis"]
    keywords = {"axis": syntax.integer(axis)} if axis else {}
    return context.numpy_call("concatenate", syntax.sequence([context.atom(a) for a in let.args]),
                              **keywords)


def _copy(context: Context, let: Let) -> ast.expr:
    type = let.args[0].type
    array = context.atom(let.args[0])
    if context.compiled and isinstance(type, Array) and type.rank > 1 and type.layout == "F":
        return context.numpy_call("ascontiguousarray", array)    # Numba's copy keeps the order
    if not is_array(let.args[0]):
        return array
    return syntax.call(syntax.attribute(array, "copy"))


def _complex(context: Context, let: Let) -> ast.expr:
    number = syntax.call("complex", *map(context.atom, let.args))
    dtype = let.result.type.dtype
    plain = context.compiled and dtype == "complex128"
    return number if plain else context.converted(number, dtype)


def _let(context: Context, let: Let) -> ast.expr:
    return context.atom(let.args[0])


_PRINTERS: dict[str, Callable[[Context, Let], ast.expr]] = {
    "view": _indexed, "load": _indexed, "take": _indexed,
    "transpose": _transpose, "reshape": _reshape, "broadcast_to": _broadcast_to,
    "diagonal": _diagonal, "dim": _dim,
    "cumsum": _scan, "cumprod": _scan, "recurrence": recurrence,
    "matmul": _matmul, "einsum": _einsum,
    "zeros": _filled, "ones": _filled, "empty": _filled, "given": _given, "full": _full,
    "eye": _eye, "arange": _arange, "array": _array, "concatenate": _concatenate, "copy": _copy,
    "let": _let, "complex": _complex, "argsort": _argsort, "searchsorted": _searchsorted,
    "opaque": call,
}
