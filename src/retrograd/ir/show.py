"""The IR as text, for people and for error messages of the verifier."""

from __future__ import annotations

from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Constant,
    Effect,
    Function,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
)


class _Namer:
    """Distinct names for distinct values, in order of first appearance."""

    def __init__(self) -> None:
        self.names: dict[Value, str] = {}
        self.count: dict[str, int] = {}

    def __call__(self, atom: Atom) -> str:
        if isinstance(atom, Constant):
            return repr(atom.value)
        if atom not in self.names:
            seen = self.count.get(atom.name, 0)
            self.count[atom.name] = seen + 1
            self.names[atom] = f"%{atom.name}" + (f".{seen}" if seen else "")
        return self.names[atom]


def show(function: Function) -> str:
    """One line a statement; values are written %name, with a number where names repeat."""
    name = _Namer()
    params = ", ".join(f"{name(p)}: {p.type}" for p in function.params)
    lines = [f"function {function.name}({params})"]
    lines += _block(function.body, name, 1)
    lines.append("  return " + ", ".join(name(r) for r in function.returns))
    return "\n".join(lines)


def _block(block: Block, name: _Namer, depth: int) -> list[str]:
    return [line for statement in block for line in _statement(statement, name, depth)]


def _statement(statement: Statement, name: _Namer, depth: int) -> list[str]:
    pad = "  " * depth
    match statement:
        case Let(result=result, op=op, args=args, static=static):
            extra = [f"{k}={v!r}" for k, v in static.items()]
            inside = ", ".join([*map(name, args), *extra])
            return [f"{pad}{name(result)}: {result.type} = {op}({inside})"]
        case Loop():
            bounds = ", ".join(name(a) for a in (statement.start, statement.stop, statement.step))
            mark = "" if statement.snapshots is None else \
                f", {name(statement.snapshots)} snapshots"
            mark += ", parallel" if statement.parallel else ", blocks" if statement.blocks else ""
            lines = [f"{pad}loop {name(statement.index)} in range({bounds}){mark}"]
            lines += [f"{pad}    {name(c.inner)}: {c.inner.type} from {name(c.init)}"
                      for c in statement.carried]
            lines += _block(statement.body, name, depth + 1)
            lines += [f"{pad}    {name(c.result)} <- {name(c.next)}" for c in statement.carried]
            if statement.leave is not None:
                lines.append(f"{pad}    leave if {name(statement.leave)}")
            if statement.trips is not None:
                lines.append(f"{pad}    trips {name(statement.trips)}")
            return lines
        case While():
            lines = [f"{pad}while, {name(statement.trips)} trips"]
            lines += [f"{pad}    {name(c.inner)}: {c.inner.type} from {name(c.init)}"
                      for c in statement.carried]
            lines += [*_block(statement.test, name, depth + 2),
                      f"{pad}    holds {name(statement.condition)}"]
            lines += _block(statement.body, name, depth + 1)
            return lines + [f"{pad}    {name(c.result)} <- {name(c.next)}"
                            for c in statement.carried]
        case Branch():
            lines = [f"{pad}if {name(statement.test)}", *_block(statement.then, name, depth + 1),
                     f"{pad}else", *_block(statement.otherwise, name, depth + 1)]
            return lines + [f"{pad}    {name(j.result)}: {j.result.type} <- {name(j.then)} | "
                            f"{name(j.otherwise)}" for j in statement.joins]
        case Raise():
            parts = ", ".join(repr(p) if isinstance(p, str) else name(p)
                              for p in statement.message)
            return [f"{pad}raise {statement.exception.__name__}({parts})"]
        case Effect(result=Value() as result):
            inside = ", ".join([*map(name, statement.args), repr(statement.static.get("method"))])
            return [f"{pad}{name(result)}: {result.type} = {statement.kind}({inside})"]
        case Effect():
            return [f"{pad}{statement.kind}({', '.join(map(name, statement.args))})"]
