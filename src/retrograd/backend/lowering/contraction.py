"""Products of arrays: matrix products of unknown size go to BLAS, the others are loop nests.

    before   c = matmul(a, x)               after   c[i] = the blocked sum over j of a[i, j] * x[j]
    before   c = einsum(a, b, "ij,ik->jk")  after   loop i, j, k: c[j, k] += a[i, j] * b[i, k]

The innermost axis is the one along which most operands (and the result) are contiguous. If it is
summed over, a result is a number at a time and the product is lazy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrograd.backend.lowering.context import Context, Lowered, converted
from retrograd.backend.lowering.lazy import Extents, Lazy, array_type, merged, reordered
from retrograd.backend.lowering.nest import Indices, constant, element, empty, nest, put
from retrograd.backend.lowering.scope import Scope
from retrograd.backend.lowering.sums import Term, total
from retrograd.ir.extents import Extent
from retrograd.ir.nodes import Atom, Let, Value, integer
from retrograd.ir.types import Array, kind


def matmul(context: Context, scope: Scope, let: Let) -> Lowered:
    left, right = (context.operand(scope, a) for a in let.args)
    dtype = let.result.type.dtype
    known = any(e.known is not None for e in (*left.extents, *right.extents))
    if (left.rank, right.rank) == (2, 2) and kind(dtype) in "fc" and not known:
        return _blas(context, scope, let.args, name=let.result.name, dtype=dtype)
    batch = "abcdefgh"[:max(left.rank - 2, right.rank - 2, 0)]
    first = (batch[len(batch) - left.rank + 2:] + "i" if left.rank > 1 else "") + "k"
    second = (batch[len(batch) - right.rank + 2:] + "kj") if right.rank > 1 else "k"
    output = batch + ("i" if left.rank > 1 else "") + ("j" if right.rank > 1 else "")
    return _product(context, scope, let, (first, second), output)


def einsum(context: Context, scope: Scope, let: Let) -> Lowered:
    inputs, output = let.static["spec"].replace(" ", "").split("->")
    terms = tuple(inputs.split(","))
    swapped = _as_matmul(terms, output)
    operands = [context.operand(scope, a) for a in let.args]
    known = any(e.known is not None for lazy in operands for e in lazy.extents)
    if swapped is not None and kind(let.result.type.dtype) in "fc" and not known:
        order, transposed = swapped
        args = tuple(let.args[k] for k in order)
        return _blas(context, scope, args, name=let.result.name, dtype=let.result.type.dtype,
                     transposed=transposed)
    return _product(context, scope, let, terms, output)


# --- BLAS --------------------------------------------------------------------------------------


def _as_matmul(terms: tuple[str, ...], output: str,
               ) -> tuple[tuple[int, int], tuple[bool, bool]] | None:
    """Which operand stands on the left, and which are transposed, if this is a matrix product."""
    if len(terms) != 2 or len(output) != 2 or any(len(set(t)) != 2 or len(t) != 2 for t in terms):
        return None
    summed = set(terms[0]) & set(terms[1])
    if len(summed) != 1 or set(output) != set(terms[0]) ^ set(terms[1]):
        return None
    order = (0, 1) if output[0] in terms[0] else (1, 0)
    left, right = (terms[k] for k in order)
    return order, (left[0] in summed, right[1] in summed)


def _blas(context: Context, scope: Scope, args: Sequence[Atom], *, name: str, dtype: str,
          transposed: tuple[bool, bool] = (False, False)) -> Atom:
    """`matmul` of two contiguous matrices."""
    operands = [context.for_library(scope, a, dtype) for a in args]
    operands = [_flipped(scope, a) if flip else a
                for a, flip in zip(operands, transposed, strict=True)]
    return scope.let("matmul", *operands, name=name)


def _flipped(scope: Scope, array: Value) -> Value:
    result = scope.let("transpose", array, name=array.name, axes=(1, 0))
    assert isinstance(result, Value)
    return result


# --- loops -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Contraction:
    """The sum over the letters that `output` lacks of the product of `operands`."""

    operands: tuple[Lazy, ...]
    terms: tuple[str, ...]
    output: str
    dtype: str
    name: str

    @property
    def extents(self) -> dict[str, Extent]:
        result: dict[str, Extent] = {}
        for lazy, term in zip(self.operands, self.terms, strict=True):
            for letter, extent in zip(term, lazy.extents, strict=True):
                if letter not in result or result[letter].known == 1:
                    result[letter] = extent
        return result

    @property
    def summed(self) -> str:
        extents = self.extents
        letters = dict.fromkeys("".join(self.terms))
        return "".join(x for x in letters if x not in self.output and extents[x].known != 1)

    def at(self, scope: Scope, where: dict[str, Atom]) -> Atom:
        """The product of one element of each operand."""
        multiply = "logical_and" if self.dtype == "bool" else "multiply"
        product: Atom | None = None
        for lazy, term in zip(self.operands, self.terms, strict=True):
            indices = tuple(integer(0) if e.known == 1 else where[x]
                            for x, e in zip(term, lazy.extents, strict=True))
            new = lazy.at(scope, indices)
            product = new if product is None else scope.let(multiply, product, new, name="term",
                                                            weak=False)
        assert product is not None
        return product


def _product(context: Context, scope: Scope, let: Let, terms: tuple[str, ...],
             output: str) -> Lowered:
    dtype = let.result.type.dtype
    lazies = [converted(context.operand(scope, a), dtype) for a in let.args]
    job = _Contraction(tuple(lazies), terms, output, dtype, let.result.name)
    job = _Contraction(_affordable(context, scope, job), terms, output, dtype, let.result.name)
    extents = tuple(job.extents[x] for x in output)
    order = _innermost_last(job)
    if not isinstance(let.result.type, Array):
        return _one(scope, job, (), order)
    if job.summed and order[-1] not in job.summed:
        return _rows(scope, job, order, extents)
    reads = merged(reordered(lazy.reads) for lazy in job.operands)
    return Lazy(array_type(dtype, extents, "A"), extents,
                lambda s, i: _one(s, job, i, order), reads,
                cost=50.0 if job.summed else 1.0 + sum(o.cost for o in job.operands),
                loops=bool(job.summed), depth=5 + max(o.depth for o in job.operands))


def _affordable(context: Context, scope: Scope, job: _Contraction) -> tuple[Lazy, ...]:
    """The operands, in memory where the nest would evaluate them repeatedly."""
    letters = {x for x, e in job.extents.items() if e.known != 1}
    return tuple(lazy if letters <= set(term) else context.repeatable(scope, lazy)
                 for lazy, term in zip(job.operands, job.terms, strict=True))


def _innermost_last(job: _Contraction) -> str:
    """The letters that are looped over, outermost first."""
    extents = job.extents
    letters = [x for x in (*job.output, *job.summed) if extents[x].known != 1]
    if not letters:
        return ""
    terms = [t[::-1] if lazy.layout == "F" else t
             for lazy, t in zip(job.operands, job.terms, strict=True)]
    ends = [t.rstrip("".join(x for x in extents if extents[x].known == 1))[-1:]
            for t in (*terms, job.output)]
    summed = job.summed
    best: str = max(letters, key=lambda x: (ends.count(x), x in summed, letters.index(x)))
    return "".join(x for x in letters if x != best) + best


def _one(scope: Scope, job: _Contraction, indices: Indices, order: str) -> Atom:
    """One element of the result."""
    fixed = dict(zip(job.output, indices, strict=True))
    letters = [x for x in order if x in job.summed]
    extents = tuple(job.extents[x] for x in letters)

    def term(inner: Scope, summed: Indices) -> Atom:
        return job.at(inner, {**fixed, **dict(zip(letters, summed, strict=True))})

    if job.dtype == "bool":
        return _any(scope, term, extents, job.name)
    return total(scope, term, extents, job.dtype, job.name,
                 compensated=False)


def _any(scope: Scope, term: Term, extents: Extents, name: str) -> Atom:
    """The sum of truth values is `or`."""
    def body(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> Sequence[Atom]:
        new = term(inner, indices)
        return (inner.let("logical_or", state[0], new, name=name, weak=False),)

    return nest(scope, extents, (constant(False, "bool"),), (name,), body)[0]


def _rows(scope: Scope, job: _Contraction, order: str, extents: Extents) -> Atom:
    """Accumulate in the result, so that the innermost loop runs along memory."""
    plus = "logical_or" if job.dtype == "bool" else "add"

    def body(inner: Scope, indices: Indices, state: tuple[Atom, ...]) -> Sequence[Atom]:
        where = dict(zip(order, indices, strict=True))
        place = tuple(where.get(x, integer(0)) for x in job.output)
        old = element(inner, state[0], place)
        new = job.at(inner, where)
        return (put(inner, state[0], place,
                    inner.let(plus, old, new, name=job.name, weak=False)),)

    base = empty(scope, extents, job.dtype, job.name, "zeros")
    return nest(scope, tuple(job.extents[x] for x in order), (base,), (job.name,), body)[0]
