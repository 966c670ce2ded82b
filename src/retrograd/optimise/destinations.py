"""Results are made in memory that the caller gives, for calls with `out=`.

    before:                                   after, with one more parameter, r:
        y = empty(n)                              y = given(r, n)
        for i in range(n):                        for i in range(n):
            y = update(y, i, load(x, i))              y = update(y, i, load(x, i))

`given(r, n)` is the memory r where its shape is (n,), and new memory otherwise: whoever gives it
looks whether the result lies there. That is so where the array that is made goes through writes
in place, and nowhere else, up to where it is returned (`lineage.py`); results that come from
elsewhere get no memory, and are copied by the caller. `zeros`, `ones`, `full` and `copy` are
filled in loops. Only for compiled source, after all other passes and after storage has put in the
copies of what is returned as it was given. Exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from retrograd.ir.nodes import Atom, Function, Let, Statement, Value
from retrograd.ir.types import INT, Array
from retrograd.optimise.buffers import filled
from retrograd.optimise.lineage import Lineage
from retrograd.optimise.readings import Readings

_MADE = frozenset({"empty", "zeros", "ones", "full", "copy"})


@dataclass(frozen=True, slots=True)
class Directed:
    """A function whose last parameters are memory for the results at `positions`."""

    function: Function
    positions: tuple[int, ...]


def with_destinations(function: Function) -> Directed | None:
    """The function with memory for its results as parameters; None where none can have it."""
    readings = Readings()
    readings.block(function.body, ())
    lineage = Lineage(readings, frozenset())
    body: list[Statement] = []
    params: dict[int, Value] = {}
    for statement in function.body:
        position = _position(function, statement, lineage)
        if position is None or position in params:
            body.append(statement)
            continue
        assert isinstance(statement, Let)
        made = statement.result
        assert isinstance(made.type, Array)
        params[position] = Value("out", replace(made.type, layout="C"))
        body += _directed(statement, params[position])
    if not params:
        return None
    positions = tuple(sorted(params))
    return Directed(replace(function, params=(*function.params, *(params[k] for k in positions)),
                            body=tuple(body)), positions)


def _position(function: Function, statement: Statement, lineage: Lineage) -> int | None:
    """Which result lies, in the end, in the memory that a statement makes."""
    if not isinstance(statement, Let) or statement.op not in _MADE:
        return None
    if not statement.result.type.rank:
        return None
    if statement.op == "full" and statement.args[0].type.dtype != statement.result.type.dtype:
        return None
    last = lineage.last(statement.result, ())
    found = [k for k, r in enumerate(function.returns) if r is last]
    return found[0] if len(found) == 1 else None


def _directed(let: Let, memory: Value) -> list[Statement]:
    """What makes the same array in given memory."""
    before: list[Statement] = []
    extents: tuple[Atom, ...]
    if let.op == "copy":
        sizes = tuple(Value("n", INT) for _ in range(let.result.type.rank))
        before += [Let(n, "dim", let.args, {"axis": axis}, let.origin)
                   for axis, n in enumerate(sizes)]
        extents = sizes
    else:
        extents = let.args[1:] if let.op == "full" else let.args
    made = let.result if let.op == "empty" else Value(let.result.name, memory.type)
    taken = Let(made, "given", (memory, *extents), {"dtype": memory.type.dtype}, let.origin)
    if made is let.result:
        return [*before, taken]
    return [*before, taken, *filled(let, made, extents)]
