"""What the printing functions share: dialect, names, folded statements, and atoms as syntax."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from retrograd.backend import emit_syntax as syntax
from retrograd.backend.status import Failures
from retrograd.ir.foreign import Foreign
from retrograd.ir.nodes import (
    Atom,
    Branch,
    Constant,
    Effect,
    Function,
    Let,
    Loop,
    Statement,
    Value,
    While,
    walk,
)
from retrograd.ir.types import Array, Type
from retrograd.program import Helper

# What a Python literal is; other dtypes need to be spelled out.
_LITERAL = frozenset({"bool", "int64", "float64", "complex128"})
_OF_PYTHON_NUMBERS = frozenset({
    "add", "subtract", "multiply", "divide", "negative", "power", "floor_divide", "remainder",
    "absolute", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "invert",
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and",
    "logical_or", "logical_not", "let", "real", "imag",
})
_Flow = tuple[Sequence[Atom], Sequence[Value], Callable[[Iterable[bool]], bool]]


@dataclass(eq=False, slots=True)
class Context:
    """One function being printed in one dialect.

    `aliases` maps what generated source imports (numpy, math, erf, ...) to its name there, and
    `imported` collects what was really needed. `python_numbers` are the values that may be
    plain Python numbers when the readable source runs. `expression` prints a `Let`.
    """

    compiled: bool
    names: Mapping[Value, str]
    folded: Mapping[Value, Let]
    accumulations: Collection[Let]
    covered: Collection[Value]
    python_numbers: frozenset[Value]
    aliases: Mapping[str, str]
    failures: Failures
    expression: Callable[[Context, Let], ast.expr]
    fresh: Callable[[str], str]
    nonnegative: frozenset[Value] = frozenset()                # ints that are; compiled source
    hidden: frozenset[Value] = frozenset()                     # those that LLVM cannot see to be
    checks: int = 0                                            # statements that may fail
    imported: dict[str, None] = field(default_factory=dict)
    exceptions: dict[type[BaseException], None] = field(default_factory=dict)
    nothing: dict[Type, str] = field(default_factory=dict)     # empty arrays of returns that fail
    function: str = ""
    helpers: dict[Helper, ast.stmt] = field(default_factory=dict)
    interpreted: dict[tuple[object, ...], str] = field(default_factory=dict)   # by what they call
    foreign: Mapping[Foreign, str] = field(default_factory=dict)      # opaque functions

    def alias(self, module: str) -> str:
        """The name of an import, which is then made."""
        self.imported[module] = None
        return self.aliases[module]

    @property
    def np(self) -> str:
        return self.alias("numpy")

    def numpy(self, *parts: str) -> ast.expr:
        return syntax.attribute(self.np, *parts)

    def dtype(self, dtype: str) -> ast.expr:
        return self.numpy("bool_" if dtype == "bool" else dtype)

    def numpy_call(self, function: str, *args: ast.expr, **keywords: ast.expr) -> ast.expr:
        return syntax.call(self.numpy(function), *args, **keywords)

    def variable(self, value: Value) -> ast.expr:
        return syntax.name(self.names[value])

    def atom(self, atom: Atom, typed: bool = False) -> ast.expr:
        """A constant, a variable, or the expression that is folded here.

        `typed`: a constant's dtype is spelled out even where it is that of a Python number.
        """
        if isinstance(atom, Constant):
            return self.constant(atom, typed)
        let = self.folded.get(atom)
        node = self.variable(atom) if let is None else self.expression(self, let)
        return self.converted(node, atom.type.dtype) if typed and atom in self.python_numbers \
            else node

    def constant(self, constant: Constant, typed: bool = False) -> ast.expr:
        dtype = constant.type.dtype
        needs_numpy = isinstance(constant.value, float | complex) and _special(constant.value)
        node = syntax.literal(constant.value, self.np if needs_numpy else "")
        return self.converted(node, dtype) if typed or dtype not in _LITERAL else node

    def bare(self, atom: Atom) -> ast.expr:
        """An atom where its place decides the dtype: a constant is only the number."""
        if isinstance(atom, Constant) and not self.compiled:
            special = isinstance(atom.value, float | complex) and _special(atom.value)
            return syntax.literal(atom.value, self.np if special else "")
        return self.atom(atom)

    def converted(self, node: ast.expr, dtype: str) -> ast.expr:
        return syntax.call(self.dtype(dtype), node)


def _special(value: float | complex) -> bool:
    parts = (value.real, value.imag)
    return not all(map(math.isfinite, parts))


def python_numbers(function: Function) -> frozenset[Value]:
    """The values that may be Python numbers when the readable source runs.

    Arguments are NumPy numbers by then; extents, loop indices and what is made of constants are
    not. It matters for `/` and `**`, where Python raises or leaves the reals and NumPy does not.
    """
    found: set[Value] = set()
    statements = list(walk(function.body))

    def is_python(atom: Atom) -> bool:
        return isinstance(atom, Constant) or atom in found

    flows = list(_flows(statements))
    size = -1
    while size != len(found):
        size = len(found)
        for sources, targets, some in flows:
            if not sources or some(map(is_python, sources)):
                found.update(t for t in targets if not is_array(t))
    return frozenset(found)


def _flows(statements: list[Statement]) -> Iterator[_Flow]:
    """Sources, targets, and whether any or all of the sources must be Python numbers for the
    targets to be; no sources at all: the targets always are."""
    for statement in statements:
        match statement:
            case Let(op="dim", result=result) | Effect(result=Value() as result):
                yield (), (result,), all
            case Let(op="where", args=args, result=result):
                yield args[1:], (result,), any
            case Let(op=op, args=args, result=result):
                if op in _OF_PYTHON_NUMBERS:
                    yield args, (result,), all
            case Loop() | While():
                yield (), (statement.index,) if isinstance(statement, Loop) else (), all
                yield (), () if statement.trips is None else (statement.trips,), all
                for c in statement.carried:
                    yield (c.init, c.next), (c.inner, c.result), any
            case Branch():
                for j in statement.joins:
                    yield (j.then, j.otherwise), (j.result,), any


def is_array(atom: Atom) -> bool:
    return isinstance(atom.type, Array)
