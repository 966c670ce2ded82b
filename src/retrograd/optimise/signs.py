"""Which ints are certainly not negative, and which of them LLVM cannot see to be so.

    for i in range(n):                   i
        for j in range(i, n):            j                       hidden: its start is not a number
            k = subtract(j, i)           k                       hidden
            m = floor_divide(k * (k - 1), 2)     m               hidden
    while ...: n = add(n, 1)             n, if it starts so      hidden

Numba lets a negative index count from the end; where LLVM cannot see that an index is none, the
test for it stays in the loop, which is not vectorised then. Hidden indices of innermost loops are
printed as unsigned numbers (`np.uint64(k)`); elsewhere the test costs nothing. The proof takes
ints as unbounded: what it says is not negative is checked against 0, not against the negative
extent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from retrograd.ir.nodes import (
    Atom,
    Branch,
    Constant,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
    blocks,
    bound,
    defined,
    walk,
)
from retrograd.ir.types import Scalar
from retrograd.optimise.disjoint import Elements, elements

_ALL = frozenset({"add", "multiply", "minimum", "floor_divide", "let"})


def nonnegative_ints(function: Function, known: Elements | None = None) -> frozenset[Value]:
    """The int64 scalars that a function computes and that cannot be negative.

    What any statement defines is taken to be none until something contradicts: what a loop
    carries is none if it starts so and each iteration that gets none hands on none.
    """
    statements = list(walk(function.body))
    known = known or elements(function)
    claims = {value: sources for value, sources in _claims(statements) if _is_int(value)}
    held, before = set(claims), -1
    while len(held) != before:
        before = len(held)
        for value, claim in claims.items():
            if value in held and not _holds(value, claim, held, known):
                held.discard(value)
    return frozenset(held)


def hidden(function: Function, ints: frozenset[Value]) -> frozenset[Value]:
    """Those of the ints that change in an innermost loop and whose sign does not follow from a
    range with a number at its lower end."""
    statements = list(walk(function.body))
    plain = {s.index for s in statements if isinstance(s, Loop) and _starts_at_number(s)}
    for statement in statements:
        if isinstance(statement, Let) and _moved(statement) in plain:
            plain.add(statement.result)
    return frozenset(v for s in statements if isinstance(s, Loop | While)
                     for v in _changing(s) if v in ints and v not in plain)


def _starts_at_number(loop: Loop) -> bool:
    return isinstance(loop.start if _ascends(loop) else loop.stop, Constant)


def _changing(loop: Loop | While) -> Iterator[Value]:
    """What is another value in each iteration of an innermost loop."""
    inside = [s for block in blocks(loop) for s in walk(block)]
    if not any(isinstance(s, Loop | While) for s in inside):
        yield from bound(loop)
        for statement in inside:
            yield from defined(statement)


def _moved(let: Let) -> Atom | None:
    """What a number is added to, taken from, or multiplied with."""
    if let.op not in ("add", "subtract", "multiply", "let"):
        return None
    swapped = let.op != "subtract" and isinstance(let.args[0], Constant)
    first, *rest = let.args[::-1] if swapped else let.args
    return first if all(isinstance(a, Constant) for a in rest) else None


# --- claims --------------------------------------------------------------------------------------


def _is_int(value: Value) -> bool:
    return isinstance(value.type, Scalar) and value.type.dtype == "int64"


def _claims(statements: Iterable[Statement]) -> Iterator[tuple[Value, Let | tuple[Atom, ...]]]:
    """Every int with the statement that makes it, or the atoms one of which it is."""
    for statement in statements:
        match statement:
            case Let(result=result):
                yield result, statement
            case Loop() | While():
                for c in statement.carried:
                    yield c.inner, (c.init, c.next)
                    yield c.result, (c.init, c.next)
                if isinstance(statement, Loop):
                    yield statement.index, _bounds_of(statement)
                if statement.trips is not None:
                    yield statement.trips, ()
            case Branch():
                for j in statement.joins:
                    yield j.result, (j.then, j.otherwise)
            case _:
                pass


def _bounds_of(loop: Loop) -> tuple[Atom, ...]:
    """What must not be negative so that no index is."""
    if isinstance(loop.step, Value):
        return loop.start, loop.step
    return (loop.start,) if _ascends(loop) else (loop.index,)


def _ascends(loop: Loop) -> bool:
    return isinstance(loop.step, Constant) and loop.step.value.real > 0


def _holds(value: Value, claim: Let | tuple[Atom, ...], held: set[Value],
           known: Elements) -> bool:
    if known.front(value) is not None:
        return True
    if isinstance(claim, Let):
        return _follows(claim, held, known)
    return value not in claim and all(_held(a, held) for a in claim)


def _held(atom: Atom, held: set[Value]) -> bool:
    return atom.value.real >= 0 if isinstance(atom, Constant) else atom in held


def _follows(let: Let, held: set[Value], known: Elements) -> bool:
    if let.op == "dim":
        return True
    if any(not _is_integer(a) for a in let.args):
        return False
    if let.op == "maximum":
        return any(_held(a, held) for a in let.args)
    if let.op == "multiply" and _neighbours(let, known):
        return True
    if let.op == "remainder":
        return _held(let.args[1], held)
    return let.op in _ALL and all(_held(a, held) for a in let.args)


def _is_integer(atom: Atom) -> bool:
    return isinstance(atom.type, Scalar) and atom.type.dtype == "int64"


def _neighbours(let: Let, known: Elements) -> bool:
    """No number lies between k - 1 and k, so that k * (k - 1) cannot be negative; k * k neither."""
    a, b = (known.facts.integer(atom) for atom in let.args)
    return (a - b).known in (-1, 0, 1)
