"""Operations on whole arrays and their parts; see the list in `operations.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from retrograd.ir.extents import Extent, floor_divided, largest, product, slice_extent, smallest
from retrograd.ir.index import Slice, parts, subscript
from retrograd.ir.operations import Operation, Query, Shape
from retrograd.ir.operations_elementwise import broadcast_shape, shape_text
from retrograd.ir.types import Scalar, floating, kind, strong_promotion

Message = list[str | Extent]

# --- dtypes ----------------------------------------------------------------------------------


def _first(query: Query) -> str:
    return query.types[0].dtype


def _declared(query: Query) -> str:
    return str(query.static["dtype"])


def _common(query: Query) -> str:
    return strong_promotion(query.types)


def _float(query: Query) -> str:
    return floating(strong_promotion(query.types))


def _int(_: Query) -> str:
    return "int64"


def _bool(_: Query) -> str:
    return "bool"


def _complex(query: Query) -> str:
    return strong_promotion((*query.types, Scalar("complex64")))


def _summed(query: Query) -> str:
    dtype = query.types[0].dtype
    return "int64" if kind(dtype) in "bi" else dtype


def _alike(query: Query) -> str:
    first, second = (type.dtype for type in query.types)
    if first != second:
        raise ValueError(f"operands of {first} and {second}: convert one of them")
    return first


# --- shapes ----------------------------------------------------------------------------------


def _same_shape(query: Query) -> Shape:
    return query.extents[0]


def _reduced(query: Query) -> Shape:
    axes = query.static["axes"]
    if axes is None:
        return ()
    return tuple(e for axis, e in enumerate(query.extents[0]) if axis not in axes)


def _given(first: int) -> Callable[[Query], Shape]:
    """The shape that the int arguments from `first` on spell out."""
    return lambda query: tuple(query.integer(k) for k in range(first, len(query.types)))


def _reshaped(query: Query) -> Shape:
    new = tuple(query.integer(k) for k in range(1, len(query.types)))
    message: Message = ["cannot reshape array of size ", size(query.extents[0]), " into shape ",
               *shape_text(new)]
    query.same(size(query.extents[0]), size(new), ValueError, message)
    return new


def size(extents: Sequence[Extent]) -> Extent:
    total = Extent(1)
    for extent in extents:
        total = product(total, extent)
    return total


def _broadcast_to(query: Query) -> Shape:
    new = tuple(query.integer(k) for k in range(1, len(query.types)))
    old = query.extents[0]
    message: Message = ["operands could not be broadcast together with remapped shapes "
               "[original->remapped]: ", *shape_text(old), "  and requested shape ",
               *shape_text(new)]
    for extent, target in zip(reversed(old), reversed(new), strict=False):
        if extent.known != 1:
            query.same(extent, target, ValueError, message)
    return new


def _transposed(query: Query) -> Shape:
    return tuple(query.extents[0][axis] for axis in query.static["axes"])


_EMPTY: Message = ["a slice that can have one element has none: index with an int instead"]


def index_shape(query: Query, atoms: int) -> Shape:
    """The shape of `A[index]`, whose atoms are arguments 1 .. atoms."""
    extents = query.extents[0]
    axis = 0
    shape: list[Extent | None] = []
    gathered: list[int] = []
    position: int | None = None
    separated = False
    for item, args in parts(query.static["index"], tuple(range(1, atoms + 1))):
        if isinstance(item, Slice):
            low, high = (None if k is None else query.integer(k) for k in args)
            extent = slice_extent(extents[axis], low, high, item.step, query.least)
            if extent is not None and item.one:
                query.same(extent, Extent(1), ValueError, _EMPTY)
                extent = Extent(1)
            shape.append(extent)
            axis += 1
        elif item == "new":
            shape.append(Extent(1))
        else:
            separated |= position is not None and len(shape) != position
            position = len(shape) if position is None else position
            if args[0] is not None and item != "int":
                gathered.append(args[0])
            axis += query.types[args[0] or 0].rank if item == "mask" else 1
    if not gathered:
        return tuple(shape)
    block = _gathered_shape(query, gathered)
    at = 0 if separated else position or 0
    return (*shape[:at], *block, *shape[at:])


def _gathered_shape(query: Query, gathered: Sequence[int]) -> Shape:
    if any(query.types[k].dtype == "bool" for k in gathered):
        return (None,)
    only = Query(tuple(query.types[k] for k in gathered),
                 tuple(query.extents[k] for k in gathered), query.static, query.integer,
                 query.same)
    return broadcast_shape(only)


def _indexed(query: Query) -> Shape:
    return index_shape(query, len(query.types) - 1)


def _stored(query: Query) -> Shape:
    target = index_shape(query, len(query.types) - 2)
    value = query.extents[-1]
    kept = [t for t in target if t is not None]
    message: Message = [
        "could not broadcast input array from shape ", *shape_text(value), " into shape ",
        *shape_text(tuple(kept))]
    for extent, place in zip(reversed(value), reversed(target), strict=False):
        if extent.known != 1 and place is not None:
            query.same(extent, place, ValueError, message)
    return query.extents[0]


def _pushed(query: Query) -> Shape:
    return (None, *query.extents[0][1:])


def _matmul(query: Query) -> Shape:
    a, b = query.extents
    inner, other = a[-1], b[-2] if len(b) > 1 else b[0]
    message: Message = [
        "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc "
        "signature (n?,k),(k,m?)->(n?,m?) (size ", other, " is different from ", inner, ")"]
    query.same(inner, other, ValueError, message)
    outer = Query(query.types, (a[:-2], b[:-2]), query.static, query.integer, query.same)
    batch = broadcast_shape(outer)
    return (*batch, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


def _einsum(query: Query) -> Shape:
    inputs, output = query.static["spec"].split("->")
    extent: dict[str, Extent] = {}
    for term, extents in zip(inputs.split(","), query.extents, strict=True):
        for letter, found in zip(term, extents, strict=True):
            known = extent.setdefault(letter, found)
            if known.known == 1:
                extent[letter] = found
            elif found.known != 1:
                message: Message = [
                    "operands could not be broadcast together with remapped shapes: "
                    f"einsum index '{letter}' has extents ", known, " and ", found]
                query.same(known, found, ValueError, message)
    return tuple(extent[letter] for letter in output)


def _concatenated(query: Query) -> Shape:
    axis = query.static["axis"]
    first = query.extents[0]
    total = first[axis]
    for number, other in enumerate(query.extents[1:], 1):
        total = total + other[axis]
        for k, (a, b) in enumerate(zip(first, other, strict=True)):
            if k != axis:
                message: Message = [
                    "all the input array dimensions except for the concatenation axis "
                    f"must match exactly, but along dimension {k}, the array at index 0 "
                    "has size ", a, f" and the array at index {number} has size ", b]
                query.same(a, b, ValueError, message)
    return (*first[:axis], total, *first[axis + 1:])


def _arange(query: Query) -> Shape:
    if any(kind(t.dtype) != "i" for t in query.types):
        return (None,)
    start, stop, step = (query.integer(k) for k in range(3))
    if step.known is None or step.known == 0:
        return (None,)
    span = stop - start if step.known > 0 else start - stop
    distance = abs(step.known)
    return (floor_divided(largest(Extent(0), span) + (distance - 1), distance),)


def _diagonal(query: Query) -> Shape:
    rows, columns = query.extents[0]
    return (smallest(rows, columns),)


def _nested(query: Query) -> Shape:
    return tuple(Extent(n) for n in query.static["shape"])


def _scalar(_: Query) -> Shape:
    return ()


def _square(query: Query) -> None:
    rows, columns = query.extents[0]
    query.same(rows, columns, np.linalg.LinAlgError,
               ["Last 2 dimensions of the array must be square"])


def _square_same(query: Query) -> Shape:
    _square(query)
    return query.extents[0]


def _square_scalar(query: Query) -> Shape:
    _square(query)
    return ()


def _solved(query: Query) -> Shape:
    _square(query)
    a, b = query.extents
    message: Message = [
        "solve: Input operand 1 has a mismatch in its core dimension 0, with gufunc "
        "signature (m,m),(m,n)->(m,n) (size ", b[0], " is different from ", a[0], ")"]
    query.same(b[0], a[0], ValueError, message)
    return b


# --- evaluation ------------------------------------------------------------------------------


def _reduce(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *, axes: function(x, axis=axes)


def _arg_reduce(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *, axes: function(x, axis=None if axes is None else axes[0])


def _load(a: Any, *atoms: Any, index: Any) -> Any:
    return a[subscript(index, atoms)]


def _update(a: Any, *rest: Any, index: Any) -> Any:
    result = a.copy()
    result[subscript(index, rest[:-1])] = rest[-1]
    return result


def _add_at(a: Any, *rest: Any, index: Any) -> Any:
    result = a.copy()
    place: Any = subscript(index, rest[:-1])
    np.add.at(result, place, rest[-1])
    return result


def _push(tape: Any, n: Any, row: Any) -> Any:
    grown = tape
    if np.ndim(row) == tape.ndim:                  # rows, one after the other
        while n + len(row) > len(grown):
            grown = np.concatenate((grown, np.empty_like(grown, shape=max(1, len(grown)))))
        grown = grown.copy()
        grown[n:n + len(row)] = row
        return grown
    while n >= len(grown):
        grown = np.concatenate((grown, np.empty_like(grown, shape=(max(1, len(grown)),
                                                                   *grown.shape[1:]))))
    grown = grown.copy()
    grown[n] = row
    return grown


def _array(*items: Any, shape: tuple[int, ...]) -> Any:
    return np.array(items).reshape(shape)


def _make(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *dims, dtype: function(tuple(int(d) for d in dims), dtype=dtype)


def _given_zeros(_: Any, *dims: Any, dtype: str) -> Any:
    return np.zeros(tuple(int(d) for d in dims), dtype=dtype)


def _full(value: Any, *dims: Any, dtype: str) -> Any:
    return np.full(tuple(int(d) for d in dims), value, dtype=dtype)


def _eye(n: Any, m: Any, *, k: int, dtype: str) -> Any:
    return np.eye(int(n), int(m), k=k, dtype=dtype)


def _arange_of(start: Any, stop: Any, step: Any, *, dtype: str) -> Any:
    return np.arange(start, stop, step, dtype=dtype)


def _scan(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *, axis: function(x, axis=axis)


def _recurrence(factors: Any, terms: Any, *, axis: int, backwards: bool) -> Any:
    result = np.array(terms)
    a, y = (np.moveaxis(x, axis, 0) for x in (factors, result))
    if backwards:
        for k in range(len(y) - 2, -1, -1):
            y[k] += a[k + 1] * y[k + 1]
    else:
        for k in range(1, len(y)):
            y[k] += a[k] * y[k - 1]
    return result


def _dim(a: Any, *, axis: int) -> Any:
    return np.int64(a.shape[axis])


def _complex_of(real: Any, imag: Any) -> Any:
    return np.result_type(real, np.complex64).type(complex(real, imag))


def _identity(x: Any) -> Any:
    return x


def _yes(_: Query) -> bool:
    return True


def _keeps(query: Query) -> bool:
    from retrograd.ir.types import Array

    return isinstance(query.types[0], Array)



_PRODUCT, _LIBRARY = 50.0, 200.0

ALL = (
    Operation("sum", "reduction", _summed, _reduced, _reduce(np.sum), 10.0),
    Operation("prod", "reduction", _summed, _reduced, _reduce(np.prod), 10.0),
    Operation("max", "reduction", _first, _reduced, _reduce(np.max), 10.0),
    Operation("min", "reduction", _first, _reduced, _reduce(np.min), 10.0),
    Operation("any", "reduction", _bool, _reduced, _reduce(np.any), 10.0),
    Operation("all", "reduction", _bool, _reduced, _reduce(np.all), 10.0),
    Operation("argmax", "reduction", _int, _reduced, _arg_reduce(np.argmax), 10.0),
    Operation("argmin", "reduction", _int, _reduced, _arg_reduce(np.argmin), 10.0),
    Operation("view", "view", _first, _indexed, _load, 0.5, _yes),
    Operation("transpose", "view", _first, _transposed, lambda a, *, axes: np.transpose(a, axes),
              0.5, _yes),
    Operation("reshape", "view", _first, _reshaped,
              lambda a, *dims: np.reshape(a, tuple(int(d) for d in dims)), 0.5, _yes),
    Operation("broadcast_to", "view", _first, _broadcast_to,
              lambda a, *dims: np.broadcast_to(a, tuple(int(d) for d in dims)), 0.5, _yes),
    Operation("diagonal", "view", _first, _diagonal, np.diagonal, 0.5, _yes),
    Operation("load", "index", _first, _indexed, _load, 1.0),
    Operation("take", "index", _first, _indexed, _load, 5.0),
    Operation("update", "index", _first, _stored, _update, 5.0, _yes),
    Operation("add_at", "index", _first, _stored, _add_at, 5.0, _yes),
    Operation("push", "index", _first, _pushed, _push, 5.0, _yes),
    Operation("matmul", "contraction", _common, _matmul, np.matmul, _PRODUCT),
    Operation("einsum", "contraction", _common, _einsum,
              lambda *xs, spec: np.einsum(spec, *xs), _PRODUCT),
    Operation("cumsum", "scan", _summed, _same_shape, _scan(np.cumsum), 10.0),
    Operation("cumprod", "scan", _summed, _same_shape, _scan(np.cumprod), 10.0),
    Operation("recurrence", "scan", _alike, _same_shape, _recurrence, 10.0),
    Operation("zeros", "create", _declared, _given(0), _make(np.zeros), 2.0, _yes),
    Operation("ones", "create", _declared, _given(0), _make(np.ones), 2.0, _yes),
    # evaluated with zeros, so that the interpreter is deterministic
    Operation("empty", "create", _declared, _given(0), _make(np.zeros), 2.0, _yes),
    # memory that the caller of a compiled function gives, where its shape fits, else new memory
    Operation("given", "create", _declared, _given(1), _given_zeros, 2.0, _yes),
    Operation("full", "create", _declared, _given(1), _full, 2.0, _yes),
    Operation("eye", "create", _declared, _given(0), _eye, 2.0, _yes),
    Operation("arange", "create", _declared, _arange, _arange_of, 2.0, _yes),
    Operation("array", "create", _common, _nested, _array, 2.0, _yes),
    Operation("concatenate", "create", _common, _concatenated,
              lambda *xs, axis: np.concatenate(xs, axis=axis), 5.0, _yes),
    Operation("copy", "create", _first, _same_shape, np.copy, 2.0, _yes),
    Operation("dim", "create", _int, _scalar, _dim, 0.1),
    Operation("complex", "create", _complex, _scalar, _complex_of, 1.0),
    Operation("let", "create", _first, _same_shape, _identity, 0.1, _keeps),
    Operation("solve", "library", _float, _solved, np.linalg.solve, _LIBRARY),
    Operation("inv", "library", _float, _square_same, np.linalg.inv, _LIBRARY),
    Operation("det", "library", _float, _square_scalar, np.linalg.det, _LIBRARY),
    Operation("slogdet_sign", "library", _float, _square_scalar,
              lambda a: np.linalg.slogdet(a)[0], _LIBRARY),
    Operation("slogdet_log", "library", _float, _square_scalar,
              lambda a: np.linalg.slogdet(a)[1], _LIBRARY),
    Operation("cholesky", "library", _float, _square_same, np.linalg.cholesky, _LIBRARY),
)
