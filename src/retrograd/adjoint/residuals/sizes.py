"""How large things are, as expressions over the arguments of a call.

    empty(maximum(0, steps), dim(u0, 0))        "8 * {max}(0, {int}({4})) * {0}.shape[0]"

`{k}` stands for argument k, and `{int}`, `{min}`, `{max}` for Python's functions: the text is
evaluated for example arguments, or written into the code that is run before a call. What depends
on more than ints and shapes among the arguments has no expression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from retrograd.ir.extents import Extent, Opaque, Root, Term
from retrograd.ir.facts import Facts
from retrograd.ir.nodes import Atom, Constant, Let, Value
from retrograd.ir.types import is_integer

_FORMS = {
    "add": "({} + {})", "subtract": "({} - {})", "multiply": "{} * {}", "negative": "(-{})",
    "maximum": "{{max}}({}, {})", "minimum": "{{min}}({}, {})", "floor_divide": "({} // {})",
    "remainder": "({} % {})", "sqrt": "{{max}}({}, 0) ** 0.5", "let": "{}"}
_OF_TERMS = {"max": "maximum", "min": "minimum", "multiply": "multiply",
             "floor_divide": "floor_divide"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """What can be said about the sizes in a function before it is called."""

    params: Mapping[Value, int]
    lets: Mapping[Value, Let]
    facts: Facts

    def bytes_of(self, dtype: str, extents: Sequence[Atom]) -> str | None:
        """The bytes of an array of these extents."""
        texts = [str(np.dtype(dtype).itemsize)]
        for atom in extents:
            text = self.atom(atom)
            if text is None:
                return None
            texts.append(text)
        return " * ".join(texts)

    def atom(self, atom: Atom) -> str | None:
        """An int as an expression; None where its value is not known before the call."""
        if isinstance(atom, Constant):
            return f"({atom.value!r})" if atom.value.real < 0 else repr(atom.value)
        if atom in self.params:
            place = "{" + str(self.params[atom]) + "}"
            return f"{{int}}({place})" if is_integer(atom.type) else None
        let = self.lets.get(atom)
        if let is None:
            found = self.facts.integers.get(atom)
            return None if found is None else self._extent(found)
        if let.op == "dim":
            return self._dim(let.args[0], let.static["axis"])
        if let.op == "cast":
            inside = self.atom(let.args[0])
            whole = is_integer(let.result.type) and inside is not None
            return f"{{int}}({inside})" if whole else inside
        divisor = let.args[1] if let.op in ("floor_divide", "remainder") else None
        if let.op not in _FORMS or (divisor is not None and not (
                isinstance(divisor, Constant) and divisor.value)):
            return None
        return _made(let.op, [self.atom(a) for a in let.args])

    def _dim(self, array: Atom, axis: int) -> str | None:
        if not isinstance(array, Value):
            return None
        if array in self.params:
            return "{" + str(self.params[array]) + "}" + f".shape[{axis}]"
        extents = self.facts.extents.get(array)
        if extents is None or extents[axis] == Extent(0, ((Root(array, axis), 1),)):
            return None
        return self._extent(extents[axis])

    def _extent(self, extent: Extent) -> str | None:
        texts = [self._term(term, factor) for term, factor in extent.terms]
        if extent.constant or not texts:
            texts.append(str(extent.constant))
        if any(t is None for t in texts):
            return None
        return "(" + " + ".join(t for t in texts if t is not None) + ")"

    def _term(self, term: Term, factor: int) -> str | None:
        if isinstance(term, Opaque):
            text = _made(_OF_TERMS[term.kind], [self._extent(a) for a in term.args])
        elif term.axis is not None:
            text = self._dim(term.value, term.axis)
        else:
            text = self.atom(term.value)
        return text if factor == 1 or text is None else f"{factor} * {text}"


def _made(op: str, args: Sequence[str | None]) -> str | None:
    """An operation of two, or of several from the left."""
    if any(a is None for a in args):
        return None
    first, *rest = (a for a in args if a is not None)
    if not rest:
        return _FORMS[op].format(first)
    for other in rest:
        first = _FORMS[op].format(first, other)
    return first


def sum_of(texts: Sequence[str | None]) -> str | None:
    """The sum of several sizes; unknown where one of them is."""
    known = [t for t in texts if t is not None]
    return " + ".join(known) if len(known) == len(texts) else None
